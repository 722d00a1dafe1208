"""Usage records, node samples and metrics."""
