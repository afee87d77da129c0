"""What the words of the command line do: thin clients of the API, except `up`. One module a word."""
