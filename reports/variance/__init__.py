"""Why cost changed from one period to another."""

from reports.variance.report import DIMENSIONS, VarianceReport, load_variance, read_variance
from reports.variance.words import cause_words, line_words

__all__ = [
    "DIMENSIONS",
    "VarianceReport",
    "cause_words",
    "line_words",
    "load_variance",
    "read_variance",
]
