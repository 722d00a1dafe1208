"""How often spot machines are taken back, and `data/prices/interruption.csv`, both directions.

AWS publishes bands: the share of instances of a type that were interrupted within a month.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from costs.prices.table import Row, format_rows, parse_rows

COLUMNS = (
    "cloud",
    "region",
    "instance_type",
    "interrupted_percent_per_month",
    "savings_percent",
    "as_of",
    "source",
)
# As the source writes them, with their bounds in percent; the last is open.
BANDS: dict[str, tuple[int, int | None]] = {
    "<5": (0, 5),
    "5-10": (5, 10),
    "10-15": (10, 15),
    "15-20": (15, 20),
    ">20": (20, None),
}

InterruptionKey = tuple[str, str, str]


@dataclass(frozen=True)
class Interruption:
    """The band of a spot machine: its bounds in percent a month, the upper None where it is open.

    `savings_percent` is what spot saved against on-demand when the source was read: below zero
    where it was dearer.
    """

    cloud: str
    region: str
    instance_type: str
    least_percent: int
    most_percent: int | None
    savings_percent: int
    as_of: str
    source: str

    @property
    def key(self) -> InterruptionKey:
        """What tells machines apart."""
        return self.cloud, self.region, self.instance_type


def parse_interruptions(text: str, name: str) -> Iterator[Interruption]:
    """Yield the bands in `text`; `name` is the file's name. Raises PriceFileError."""
    return map(_interruption, parse_rows(text, name, COLUMNS))


def format_interruptions(interruptions: Iterable[Interruption]) -> str:
    """Return `interruptions` as the text of the file, in the order given."""
    names = {bounds: name for name, bounds in BANDS.items()}
    return format_rows(
        COLUMNS,
        (
            (
                each.cloud,
                each.region,
                each.instance_type,
                names[each.least_percent, each.most_percent],
                each.savings_percent,
                each.as_of,
                each.source,
            )
            for each in interruptions
        ),
    )


def _interruption(row: Row) -> Interruption:
    least, most = BANDS[row.choice("interrupted_percent_per_month", BANDS)]
    return Interruption(
        cloud=row.text("cloud"),
        region=row.text("region"),
        instance_type=row.text("instance_type"),
        least_percent=least,
        most_percent=most,
        savings_percent=_percent(row),
        as_of=row.text("as_of"),
        source=row.text("source"),
    )


def _percent(row: Row) -> int:
    text = row.fields["savings_percent"]
    digits = text.removeprefix("-")
    if not (digits.isascii() and digits.isdigit()) or len(digits) > 4 or int(text) > 100:
        raise row.error("savings_percent", "a whole percentage, at most 100")
    return int(text)
