"""The weekly review: one page, always in the same order, as HTML, PDF and JSON."""
