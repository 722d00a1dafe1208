"""What a machine costs who commits to it for years, and `data/prices/commitments.csv`.

A commitment is paid for every hour of its term, used or not: `upfront` once at its begin, and
`recurring` by the hour.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from costs.prices.table import Row, day_text, format_rows, parse_rows, usd_text
from costs.prices.units import PerHour, PerTerm

COLUMNS = (
    "cloud",
    "region",
    "instance_type",
    "offering",
    "term_years",
    "payment",
    "upfront_usd_per_term",
    "usd_per_hour",
    "valid_from",
    "as_of",
    "source",
)
TERMS = ("1", "3")
OFFERINGS = ("standard", "convertible", "committed_use", "reservation", "savings_plan")
PAYMENTS = ("no_upfront", "partial_upfront", "all_upfront")

CommitmentKey = tuple[str, str, str, str, int, str]


@dataclass(frozen=True)
class CommitmentOffer:
    """A commitment that a provider offers from an instant on.

    `offering`: standard and convertible (AWS reserved instances), committed_use (GCP), reservation
    (Azure), savings_plan (Azure, AWS).
    """

    cloud: str
    region: str
    instance_type: str
    offering: str
    payment: str
    upfront: PerTerm
    recurring: PerHour
    valid_from_us: int | None
    as_of: str
    source: str

    @property
    def term_years(self) -> int:
        """How long one commits."""
        return self.upfront.years

    @property
    def key(self) -> CommitmentKey:
        """What tells commitments apart."""
        return (
            self.cloud,
            self.region,
            self.instance_type,
            self.offering,
            self.term_years,
            self.payment,
        )

    @property
    def effective(self) -> PerHour:
        """All that is paid, spread over the hours of the term: exact."""
        return PerHour(self.recurring.micro_usd + self.upfront.per_hour().micro_usd)


def parse_commitments(text: str, name: str) -> Iterator[CommitmentOffer]:
    """Yield the commitments in `text`; `name` is the file's name. Raises PriceFileError."""
    return map(_commitment, parse_rows(text, name, COLUMNS))


def format_commitments(commitments: Iterable[CommitmentOffer]) -> str:
    """Return `commitments` as the text of the file, in the order given."""
    return format_rows(
        COLUMNS,
        (
            (
                each.cloud,
                each.region,
                each.instance_type,
                each.offering,
                each.term_years,
                each.payment,
                usd_text(each.upfront.micro_usd),
                usd_text(each.recurring.micro_usd),
                day_text(each.valid_from_us),
                each.as_of,
                each.source,
            )
            for each in commitments
        ),
    )


def _commitment(row: Row) -> CommitmentOffer:
    years = int(row.choice("term_years", TERMS))
    upfront = row.usd("upfront_usd_per_term", decimals=12)
    recurring = row.usd("usd_per_hour", decimals=12)
    payment = row.choice("payment", PAYMENTS)
    if payment == "no_upfront" and upfront:
        raise row.error("upfront_usd_per_term", "0 with payment no_upfront")
    if payment == "all_upfront" and recurring:
        raise row.error("usd_per_hour", "0 with payment all_upfront")
    return CommitmentOffer(
        cloud=row.text("cloud"),
        region=row.text("region"),
        instance_type=row.text("instance_type"),
        offering=row.choice("offering", OFFERINGS),
        payment=payment,
        upfront=PerTerm(upfront, years),
        recurring=PerHour(recurring),
        valid_from_us=row.day_us("valid_from"),
        as_of=row.text("as_of"),
        source=row.text("source"),
    )
