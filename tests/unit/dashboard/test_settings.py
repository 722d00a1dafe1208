"""The arguments after `--` of `streamlit run`."""

from pathlib import Path

import pytest

from dashboard.settings import ROOT, Settings, SettingsError, parse_settings


def test_paths_default_to_the_data_folder_of_the_project() -> None:
    data = ROOT / "data"
    expected = Settings(data / "usage.duckdb", data / "prices", data / "targets.toml")
    assert parse_settings([]) == expected
    assert (ROOT / "pyproject.toml").is_file()


def test_every_path_can_be_given() -> None:
    found = parse_settings(["--database", "a", "--prices", "b", "--targets", "c"])
    assert found == Settings(Path("a"), Path("b"), Path("c"))


@pytest.mark.parametrize("arguments", [["--databse", "a"], ["--database"], ["stray"]])
def test_an_argument_that_is_not_understood_is_named_with_what_is_accepted(
    arguments: list[str],
) -> None:
    with pytest.raises(SettingsError, match="--database") as error:
        parse_settings(arguments)
    assert arguments[0] in str(error.value)
