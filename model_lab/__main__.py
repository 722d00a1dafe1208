"""Command line: `python -m model_lab train` and `python -m model_lab measure`."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from model_lab.card import Card
from model_lab.errors import MissingPackageError, ModelLabError
from model_lab.shelf import remeasure

DEFAULT_SEED = 7


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; return the process's exit status: 0, or 2 for bad input."""
    parser = argparse.ArgumentParser(prog="python -m model_lab", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    train = commands.add_parser("train", help="train, quantise, measure; write models and sample")
    train.add_argument("--output", type=Path, default=Path("data"), help="default: data")
    train.add_argument("--seed", type=_seed, default=DEFAULT_SEED, help=f"default: {DEFAULT_SEED}")
    measure = commands.add_parser("measure", help="measure latency anew; rewrite it in the cards")
    measure.add_argument(
        "--models", type=Path, default=Path("data/models"), help="default: data/models"
    )
    options = parser.parse_args(arguments)
    try:
        if options.command == "train":
            cards = _train(options.output, options.seed)
        else:
            cards = remeasure(options.models)
    except ModelLabError as error:
        print(f"model_lab: {error}", file=sys.stderr)
        return 2
    for card in cards.values():
        print(_summary(card))
    return 0


def _train(output: Path, seed: int) -> dict[str, Card]:
    # Imported here: measuring must work where the development packages are not installed.
    try:
        from model_lab.network import Recipe
        from model_lab.release import release
    except ModuleNotFoundError as error:
        raise MissingPackageError(
            f"{error.name}: not installed; training needs `pip install -e .[dev]`"
        ) from error
    return release(output, seed, Recipe())


def _seed(text: str) -> int:
    # numpy's and scikit-learn's generators take 32 bits.
    if text.isascii() and text.isdigit() and int(text) < 2**32:
        return int(text)
    raise argparse.ArgumentTypeError(f"{text!r}; accepted is 0..{2**32 - 1}")


def _summary(card: Card) -> str:
    quality, performance = card.quality, card.performance
    first, last = performance.latency[0], performance.latency[-1]
    return (
        f"{card.title}: {quality.file_bytes:,} bytes, test accuracy {quality.test_accuracy:.4f}; "
        f"batch 1 {first.median_compute_us} us, batch {last.batch_size} "
        f"{last.median_per_request_us} us per request ({performance.per_request_ratio:.3f}), "
        f"{performance.speed_up_over_fp32:.2f} times FP32"
    )


if __name__ == "__main__":
    sys.exit(main())
