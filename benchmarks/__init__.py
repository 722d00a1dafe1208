"""Measurements of the node beside its peers; `docs/benchmarks.md` says what the figures mean."""
