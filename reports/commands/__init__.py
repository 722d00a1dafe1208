"""What `python -m reports` can do: a file for each command, with its options and its run."""
