"""The kinds of the price catalogue, each with both sides of its file format."""
