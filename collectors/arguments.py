"""Values of options, with what is accepted told where another one is given."""

import argparse
from collections.abc import Callable

LONGEST_INTERVAL_S = 86_400.0


def seconds(text: str) -> float:
    """Return `text` as a number of seconds above 0, a day at most.

    Raises argparse.ArgumentTypeError.
    """
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value <= LONGEST_INTERVAL_S:
        raise argparse.ArgumentTypeError(
            f"{text!r} is not accepted; a number of seconds above 0, {LONGEST_INTERVAL_S:g} at most"
        )
    return value


def whole(least: int, most: int) -> Callable[[str], int]:
    """Return what reads a whole number from `least` to `most`.

    It raises argparse.ArgumentTypeError.
    """

    def read(text: str) -> int:
        try:
            value = int(text)
        except ValueError:
            value = least - 1
        if not least <= value <= most:
            raise argparse.ArgumentTypeError(
                f"{text!r} is not accepted; a whole number from {least} to {most}"
            )
        return value

    return read
