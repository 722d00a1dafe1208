"""Why something may not be chosen."""

from dataclasses import dataclass
from fractions import Fraction

from costs.checks import Number


@dataclass(frozen=True)
class Shortfall:
    """A requirement that is not met: its name, the value found, and what is required."""

    requirement: str
    value: Number | str
    required: str

    def __str__(self) -> str:
        value = self.value
        if isinstance(value, Fraction) and value.denominator > 1:
            value = f"{float(value):.4g}"
        return f"{self.requirement} is {value}; required: {self.required}"
