"""What an instance type has, and `data/prices/instance_types.csv`, both directions."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction

from costs.prices.table import PriceFileError, Row, decimal_text, format_rows, parse_rows
from costs.prices.units import GIB, MIB

COLUMNS = (
    "cloud",
    "instance_type",
    "vcpus",
    "memory_gib",
    "accelerator",
    "accelerator_count",
    "accelerator_memory_gib",
    "as_of",
    "source",
)

TypeKey = tuple[str, str]


@dataclass(frozen=True)
class InstanceType:
    """CPUs, memory and accelerators of a type, in every region.

    `accelerator` is None without one. `accelerator_memory_bytes` is that of each, None where it is
    not known.
    """

    cloud: str
    instance_type: str
    vcpus: int
    memory_bytes: int
    accelerator: str | None
    accelerator_count: int
    accelerator_memory_bytes: int | None
    as_of: str
    source: str

    @property
    def key(self) -> TypeKey:
        """What tells types apart."""
        return self.cloud, self.instance_type


def parse_instance_types(text: str, name: str) -> Iterator[InstanceType]:
    """Yield the types in `text`; `name` is the file's name. Raises PriceFileError."""
    return map(_instance_type, parse_rows(text, name, COLUMNS))


def format_instance_types(types: Iterable[InstanceType]) -> str:
    """Return `types` as the text of the file, in the order given."""
    return format_rows(
        COLUMNS,
        (
            (
                each.cloud,
                each.instance_type,
                each.vcpus,
                _gib(each.memory_bytes),
                each.accelerator,
                each.accelerator_count,
                _gib(each.accelerator_memory_bytes),
                each.as_of,
                each.source,
            )
            for each in types
        ),
    )


def _instance_type(row: Row) -> InstanceType:
    accelerator = row.fields["accelerator"] or None
    count = row.whole("accelerator_count")
    memory = row.fields["accelerator_memory_gib"]
    if (accelerator is None) != (count == 0) or (memory and accelerator is None):
        raise PriceFileError(
            f"{row.where}: accelerator is {accelerator!r}, accelerator_count {count}, "
            f"accelerator_memory_gib {memory!r}; accepted: all, the first two, or none of them"
        )
    return InstanceType(
        cloud=row.text("cloud"),
        instance_type=row.text("instance_type"),
        vcpus=row.whole("vcpus", least=1),
        memory_bytes=_bytes(row, "memory_gib"),
        accelerator=accelerator,
        accelerator_count=count,
        accelerator_memory_bytes=_bytes(row, "accelerator_memory_gib") if memory else None,
        as_of=row.text("as_of"),
        source=row.text("source"),
    )


def whole_mebibytes(gib: Fraction) -> int:
    """Return `gib` GiB in bytes, down to a whole MiB: a list's 0.613 GiB is no number of bytes."""
    return int(gib * GIB) // MIB * MIB


def _bytes(row: Row, field: str) -> int:
    size = row.number(field) * GIB
    if size.denominator != 1 or size == 0:
        raise row.error(field, "GiB above zero that are whole bytes")
    return int(size)


def _gib(size: int | None) -> str | None:
    return None if size is None else decimal_text(Fraction(size, GIB))
