"""Where the versions of the digit model lie, and how their cards are brought up to date."""

from pathlib import Path

import msgspec

from model_lab.card import Card, read_card, write_card
from model_lab.measurement import ROUNDS, measure

MODEL = "model.onnx"
CONFIG = "config.toml"
CARD = "card.json"
VARIANTS = {"1": "fp32", "2": "int8"}
REFERENCE = "1"
"""The version that the other is compared with."""


def version_folder(models: Path, version: str) -> Path:
    """Return the folder of one version of the digit model below `models`."""
    return models / "digits" / version


def remeasure(models: Path, rounds: int = ROUNDS) -> dict[str, Card]:
    """Measure latency anew and replace `performance`, and nothing else, in both cards.

    Raises CardError or ModelFileError, before anything is written, if a file cannot be used.
    """
    folders = {version: version_folder(models, version) for version in VARIANTS}
    cards = {version: read_card(folder / CARD) for version, folder in folders.items()}
    measured = measure({version: folder / MODEL for version, folder in folders.items()}, rounds)
    for version, card in cards.items():
        cards[version] = msgspec.structs.replace(card, performance=measured[version])
        write_card(folders[version] / CARD, cards[version])
    return cards
