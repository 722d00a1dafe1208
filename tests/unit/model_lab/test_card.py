import json
from pathlib import Path

import pytest

from model_lab.card import read_card, write_card
from model_lab.errors import CardError
from model_lab.shelf import CARD, version_folder


@pytest.fixture
def shipped_card(shipped_models: Path) -> Path:
    return version_folder(shipped_models, "2") / CARD


def test_a_shipped_card_is_what_writing_it_again_gives(tmp_path: Path, shipped_card: Path) -> None:
    write_card(tmp_path / CARD, read_card(shipped_card))
    assert (tmp_path / CARD).read_bytes() == shipped_card.read_bytes()


def test_a_card_that_lacks_a_field_is_refused_by_its_name(
    tmp_path: Path, shipped_card: Path
) -> None:
    fields = json.loads(shipped_card.read_bytes())
    del fields["quality"]["test_accuracy"]
    (tmp_path / CARD).write_text(json.dumps(fields))
    with pytest.raises(CardError, match=r"card.json: .*test_accuracy.*\$\.quality"):
        read_card(tmp_path / CARD)


def test_a_card_with_an_unknown_field_is_refused_by_its_name(
    tmp_path: Path, shipped_card: Path
) -> None:
    fields = json.loads(shipped_card.read_bytes())
    fields["colour"] = "blue"
    (tmp_path / CARD).write_text(json.dumps(fields))
    with pytest.raises(CardError, match=r"card.json: .*colour"):
        read_card(tmp_path / CARD)


def test_a_missing_or_broken_card_is_refused_by_its_path(tmp_path: Path) -> None:
    with pytest.raises(CardError, match=r"card.json: no such file"):
        read_card(tmp_path / CARD)
    (tmp_path / CARD).write_text("{")
    with pytest.raises(CardError, match=r"card.json: "):
        read_card(tmp_path / CARD)
