"""Bring the access logs and traces of other servers in as usage records."""
