"""What a finance file is asked for: a period, a grain, and who bears idle time."""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import StrEnum

from costs import Sharing
from costs.focus.text import is_plain
from reports.errors import ReportError
from store import DAY_US, HOUR_US, Filter, Period

LONGEST_DAYS = 3_660
LONGEST_NAME = 128


class FinanceError(ReportError):
    """A finance file that cannot be made as asked; the message says what can."""


class Grain(StrEnum):
    """How long a charge period of machine time is."""

    HOUR = "hour"
    DAY = "day"

    @property
    def step_us(self) -> int:
        """Its length in microseconds."""
        return HOUR_US if self is Grain.HOUR else DAY_US


@dataclass(frozen=True)
class IdleRule:
    """Who bears the machine time that no request owns; `owner` is who does under OWNER."""

    sharing: Sharing = Sharing.SEPARATE
    owner: str | None = None

    @classmethod
    def parse(cls, text: str) -> "IdleRule":
        """Return the rule that separate, proportional, even or owner:NAME says.

        Raises FinanceError.
        """
        name, colon, owner = text.partition(":")
        owner = owner.strip()
        if name in ("separate", "proportional", "even") and not colon:
            return cls(Sharing(name))
        if name == "owner" and owner and len(owner) <= LONGEST_NAME:
            _require_name("owner", owner)
            return cls(Sharing.OWNER, owner)
        raise FinanceError(
            f"idle is {text!r}; accepted: separate, proportional, even, or owner:NAME with a name "
            f"of at most {LONGEST_NAME} characters"
        )

    def __str__(self) -> str:
        return f"owner:{self.owner}" if self.owner else self.sharing.value


@dataclass(frozen=True)
class FinanceQuery:
    """From the beginning of `from_day` up to that of `to_day`, in UTC.

    `cloud` restricts it to the charges of one cloud. `simulated` takes in what was made up, which
    no books should hold. With `leave_out_unpriced`, machines without a price are left out instead
    of being refused. `invoice_id` is that of the provider's invoice, for a file of a single one.
    Raises FinanceError for a period that is none or longer than ten years, for a cloud that no node
    could name, and for an id that a reader could take for a number.
    """

    from_day: date
    to_day: date
    grain: Grain = Grain.HOUR
    idle: IdleRule = IdleRule()
    cloud: str | None = None
    simulated: bool = False
    leave_out_unpriced: bool = False
    invoice_id: str | None = None

    def __post_init__(self) -> None:
        days = (self.to_day - self.from_day).days
        if not 0 < days <= LONGEST_DAYS:
            raise FinanceError(
                f"the period is from {self.from_day} to {self.to_day}; accepted: an end after the "
                f"begin, at most {LONGEST_DAYS} days later (the end is not part of it)"
            )
        if self.cloud is not None:
            _require_name("cloud", self.cloud)
        name = self.invoice_id
        if name is not None and not (name.isascii() and is_plain(name)):
            raise FinanceError(
                f"invoice_id is {name!r}; accepted: ASCII with a letter, such as INV-4711, since a "
                "bare number would be read as a number"
            )

    @property
    def period(self) -> Period:
        """The period in microseconds."""
        return Period(_instant_us(self.from_day), _instant_us(self.to_day))

    @property
    def where(self) -> Filter:
        """The machines whose charges are asked for."""
        return Filter(
            cloud=() if self.cloud is None else (self.cloud,),
            simulated=() if self.simulated else ("no",),
        )

    @property
    def name(self) -> str:
        """What the files are called after; what holds simulated charges says so."""
        cloud = "" if self.cloud is None else f"-{_filename(self.cloud)}"
        simulated = "-with-simulated" if self.simulated else ""
        return f"focus-{self.from_day}-{self.to_day}-{self.grain}{cloud}{simulated}"


def _require_name(field: str, text: str) -> None:
    # Bytes of a command line that are no UTF-8 arrive as halves of characters.
    if not 0 < len(text) <= LONGEST_NAME or not text.isprintable():
        raise FinanceError(
            f"{field} is {text[:LONGEST_NAME]!r}; accepted: a name of at most {LONGEST_NAME} "
            "characters that can be printed"
        )


def _instant_us(day: date) -> int:
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()) * 1_000_000


def _filename(text: str) -> str:
    return "".join(c if c.isascii() and (c.isalnum() or c in "._-") else "_" for c in text)
