"""The commands of the command line: clients of the API, except `up`. One module per command."""
