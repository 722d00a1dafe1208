"""Where the dashboard finds its files: the arguments after `--` of `streamlit run`."""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

ROOT = Path(__file__).resolve().parents[1]


class SettingsError(ValueError):
    """The command line is not understood; the message says what is accepted."""


@dataclass(frozen=True)
class Settings:
    """The files behind every page."""

    database: Path
    prices: Path
    targets: Path

    @property
    def database_name(self) -> str:
        """The database as a reader knows it: within the project without the way to the project."""
        return _within_project(self.database)

    @property
    def prices_name(self) -> str:
        """The folder of prices likewise."""
        return _within_project(self.prices)


def _within_project(path: Path) -> str:
    try:
        return str(path.relative_to(ROOT))
    except ValueError:
        return str(path)


class _Parser(argparse.ArgumentParser):
    """Raises where argparse would end the process, which here is everybody's server."""

    def error(self, message: str) -> NoReturn:
        raise SettingsError(message)


def parse_settings(arguments: Sequence[str]) -> Settings:
    """Return the settings in `arguments`; paths default to the project's `data` folder.

    Raises SettingsError.
    """
    parser = _Parser(prog="streamlit run dashboard/app.py --", add_help=False, allow_abbrev=False)
    data = ROOT / "data"
    parser.add_argument("--database", type=Path, default=data / "usage.duckdb")
    parser.add_argument("--prices", type=Path, default=data / "prices")
    parser.add_argument("--targets", type=Path, default=data / "targets.toml")
    try:
        found = parser.parse_args(arguments)
    except SettingsError as error:
        raise SettingsError(f"{error}; {parser.format_usage().strip()}") from error
    return Settings(found.database, found.prices, found.targets)
