"""What docs/import.md shows is what the import takes."""

import re
import tomllib
from pathlib import Path

import msgspec

from collectors.importing.import_map import ImportMap, read_map
from collectors.importing.preset import PRESETS

PAGE = (Path(__file__).parents[4] / "docs/import.md").read_text()


def test_the_documented_map_is_accepted_and_has_every_key(tmp_path: Path) -> None:
    [text] = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)
    path = tmp_path / "map.toml"
    path.write_text(text)
    found = read_map(path)
    documented = tomllib.loads(text)
    assert documented.keys() == {field.encode_name for field in msgspec.structs.fields(ImportMap)}
    for name in ("time", "csv"):
        table = msgspec.structs.fields(type(getattr(found, name)))
        assert documented[name].keys() == {field.encode_name for field in table}


def test_every_preset_is_documented() -> None:
    for name in PRESETS:
        assert f"`{name}`" in PAGE


def test_the_page_is_short() -> None:
    assert len(PAGE.splitlines()) <= 80
