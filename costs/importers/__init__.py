"""Public price lists as facts of the catalogue; what is left out is counted by reason."""
