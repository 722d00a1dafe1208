"""What `python -m collectors` can do: a file for each command, with its options and its run."""
