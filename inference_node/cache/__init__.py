"""Answers kept: equal requests are computed once, from memory, disk or Redis afterwards."""
