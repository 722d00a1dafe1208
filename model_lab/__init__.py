"""Trains and compresses models and measures size, speed and accuracy."""
