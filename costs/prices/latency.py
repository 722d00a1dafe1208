"""Round trips between regions, and `data/prices/region_latency.csv`, both directions.

Medians and 95th percentiles are different figures: a region with one of them has no other.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from costs.prices.table import PriceFileError, Row, format_rows, parse_rows

COLUMNS = ("cloud", "region", "to", "rtt_p50_us", "rtt_p95_us", "as_of", "source")

LatencyKey = tuple[str, str, str]


@dataclass(frozen=True)
class RegionLatency:
    """Round trip from one region of a cloud to another in microseconds; at least one is known."""

    cloud: str
    region: str
    to: str
    rtt_p50_us: int | None
    rtt_p95_us: int | None
    as_of: str
    source: str

    @property
    def key(self) -> LatencyKey:
        """What tells round trips apart."""
        return self.cloud, self.region, self.to


def parse_latencies(text: str, name: str) -> Iterator[RegionLatency]:
    """Yield the round trips in `text`; `name` is the file's name. Raises PriceFileError."""
    return map(_latency, parse_rows(text, name, COLUMNS))


def format_latencies(latencies: Iterable[RegionLatency]) -> str:
    """Return `latencies` as the text of the file, in the order given."""
    return format_rows(
        COLUMNS,
        (
            (
                each.cloud,
                each.region,
                each.to,
                each.rtt_p50_us,
                each.rtt_p95_us,
                each.as_of,
                each.source,
            )
            for each in latencies
        ),
    )


def _latency(row: Row) -> RegionLatency:
    p50_us, p95_us = row.whole_or_none("rtt_p50_us"), row.whole_or_none("rtt_p95_us")
    if p50_us is None and p95_us is None:
        raise PriceFileError(
            f"{row.where}: rtt_p50_us and rtt_p95_us are empty; accepted: one of them, or both"
        )
    return RegionLatency(
        cloud=row.text("cloud"),
        region=row.text("region"),
        to=row.text("to"),
        rtt_p50_us=p50_us,
        rtt_p95_us=p95_us,
        as_of=row.text("as_of"),
        source=row.text("source"),
    )
