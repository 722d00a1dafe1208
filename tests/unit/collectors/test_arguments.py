"""Values of options: what is accepted is told."""

import argparse

import pytest

from collectors.arguments import seconds, whole


def test_seconds_are_a_number_above_0() -> None:
    assert seconds("0.5") == 0.5
    assert seconds("86400") == 86_400


@pytest.mark.parametrize("text", ["0", "-1", "nan", "inf", "86400.1", "1 s", "", "abc"])
def test_other_seconds_are_refused_with_what_is_accepted(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match="above 0, 86400 at most"):
        seconds(text)


@pytest.mark.parametrize("text", ["-1", "65536", "1.0", "http", ""])
def test_whole_numbers_are_within_their_bounds(text: str) -> None:
    port = whole(0, 65_535)
    assert port("0") == 0
    assert port("65535") == 65_535
    with pytest.raises(argparse.ArgumentTypeError, match="a whole number from 0 to 65535"):
        port(text)
