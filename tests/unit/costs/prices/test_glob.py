"""Whether patterns meet or cover, against all short names."""

from fnmatch import fnmatchcase
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from costs.prices.glob import covers, meet

PATTERNS = st.text("ab*?", max_size=5)
# Patterns of five characters over two letters that meet do so in a name of at most eight: each *
# stands for nothing or for what the other pattern has there.
NAMES = ["".join(letters) for size in range(9) for letters in product("ab", repeat=size)]


@given(PATTERNS, PATTERNS)
def test_patterns_meet_where_some_name_matches_both(one: str, other: str) -> None:
    common = any(fnmatchcase(name, one) and fnmatchcase(name, other) for name in NAMES)
    assert meet(one, other) == common == meet(other, one)


@given(PATTERNS, PATTERNS)
def test_what_covers_matches_every_name_of_the_other(wide: str, narrow: str) -> None:
    if covers(wide, narrow):
        assert all(fnmatchcase(name, wide) for name in NAMES if fnmatchcase(name, narrow))


@pytest.mark.parametrize(
    ("wide", "narrow", "expected"),
    [
        ("*", "g5.*", True),
        ("g*", "g5.*", True),
        ("g5.*", "g5.xlarge", True),
        ("g5.xlarge", "g5.xlarge", True),
        ("g5.*", "g*", False),
        ("g5.?", "g5.*", False),
        ("*.xlarge", "g5.*", False),
    ],
)
def test_what_people_write_is_understood(wide: str, narrow: str, expected: bool) -> None:
    assert covers(wide, narrow) is expected
