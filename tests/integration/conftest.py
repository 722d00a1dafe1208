"""What the tests of several files stand on: a database of facts to query, an import to run."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from store import open_reader
from tests.integration.import_log import MAP, Import, importing
from tests.integration.truth_queries import Stored, store_truth


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stored]:
    """Yield an open database of the facts of usage_truth, to be read."""
    database = tmp_path_factory.mktemp("queries") / "usage.duckdb"
    store_truth(database)
    with open_reader(database) as opened:
        yield Stored(opened)


@pytest.fixture
def database(tmp_path: Path) -> Path:
    """Return where a database may be written; none is there yet."""
    return tmp_path / "usage.duckdb"


@pytest.fixture
def map_file(tmp_path: Path) -> Path:
    """Return the file that names the columns of import_log's log."""
    path = tmp_path / "map.toml"
    path.write_text(MAP)
    return path


@pytest.fixture
def bring_in(database: Path, map_file: Path, capsys: pytest.CaptureFixture[str]) -> Import:
    """Return what runs an import into `database`."""
    return importing(database, map_file, capsys)
