"""Model files, their configuration and their sessions."""
