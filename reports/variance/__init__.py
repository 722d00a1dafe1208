"""Why one period did not cost what another did."""

from reports.variance.report import VarianceReport, read_variance
from reports.variance.words import cause_words, line_words

__all__ = ["VarianceReport", "cause_words", "line_words", "read_variance"]
