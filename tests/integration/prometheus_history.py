"""A past that Prometheus is given: raw samples at exact times, as blocks of its database."""

from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

from tests.integration.prometheus_process import promtool

RETENTION = "--storage.tsdb.retention.time=100y"
IDLE = "global: {scrape_interval: 1h}\n"


class History:
    """Samples to be written."""

    def __init__(self) -> None:
        self._lines: dict[str, list[str]] = defaultdict(list)

    def add(self, name: str, samples: Iterable[tuple[int, object]], **labels: str) -> None:
        """Add a series: (milliseconds, value), ascending."""
        inner = ",".join(f'{label}="{value}"' for label, value in labels.items())
        self._lines[name] += [
            f"{name}{{{inner}}} {value} {at_ms // 1000}.{at_ms % 1000:03}"
            for at_ms, value in samples
        ]

    def write(self, folder: Path) -> None:
        """Make a database of it in `folder`/tsdb."""
        text = folder / "history.txt"
        lines = [line for lines in self._lines.values() for line in lines]
        text.write_text("\n".join([*lines, "# EOF\n"]))
        arguments = ("tsdb", "create-blocks-from", "openmetrics", str(text), str(folder / "tsdb"))
        finished = promtool(*arguments)
        assert finished.returncode == 0, finished.stderr.decode()
