"""Bring facts in from where they arise."""
