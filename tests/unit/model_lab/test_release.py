from pathlib import Path

import pytest

from model_lab.__main__ import main
from model_lab.card import read_card
from model_lab.network import Recipe
from model_lab.release import release

SMALL = Recipe(hidden=(24,), epochs=2, averaged_epochs=1)


def test_a_release_writes_two_versions_and_the_sample(tmp_path: Path) -> None:
    cards = release(tmp_path, 7, SMALL)
    written = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()}
    assert written == {
        "samples/digits.npz",
        *(
            f"models/digits/{version}/{name}"
            for version in ("1", "2")
            for name in ("model.onnx", "config.toml", "card.json")
        ),
    }
    for version, card in cards.items():
        assert read_card(tmp_path / "models" / "digits" / version / "card.json") == card


def test_measuring_where_there_are_no_models_ends_with_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["measure", "--models", str(tmp_path)]) == 2
    error = capsys.readouterr().err
    assert error.startswith("model_lab: ")
    assert error.count("\n") == 1
    assert "card.json: no such file" in error


@pytest.mark.parametrize("seed", ["-1", "x", str(2**32)])
def test_a_seed_out_of_range_is_refused_with_what_is_accepted(
    seed: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["train", "--seed", seed])
    assert f"accepted is 0..{2**32 - 1}" in capsys.readouterr().err
