"""A client that replays arrivals to a node."""
