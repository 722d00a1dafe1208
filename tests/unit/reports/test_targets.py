"""The file of targets: three limits in milliseconds, anything else is told."""

from pathlib import Path

import pytest

from reports.errors import ReportError
from reports.targets import load_targets


def write(folder: Path, p99: str) -> Path:
    path = folder / "targets.toml"
    path.write_text(f"[latency_ms]\np50 = 10\np95 = 20.5\np99 = {p99}\n")
    return path


def test_targets_are_milliseconds(tmp_path: Path) -> None:
    found = load_targets(write(tmp_path, "80")).latency_ms
    assert (found.p50, found.p95, found.p99) == (10.0, 20.5, 80.0)


@pytest.mark.parametrize(
    "p99", ["0", "-1", "nan", "inf", "1e400", "'80'", "true", "", "80\np9 = 1"]
)
def test_what_is_no_promise_is_refused_with_the_file(tmp_path: Path, p99: str) -> None:
    path = write(tmp_path, p99)
    with pytest.raises(ReportError) as told:
        load_targets(path)
    assert str(told.value).startswith(f"{path}: ")


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(ReportError, match="a targets file is required"):
        load_targets(tmp_path / "none.toml")
