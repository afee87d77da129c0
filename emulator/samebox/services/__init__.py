"""AWS operations that are more than create, read, list and delete."""
