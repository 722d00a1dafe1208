"""A workload: when requests arrive, and what each of them asks for and for whom."""

from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import Any, Self, get_args

import numpy as np
import numpy.typing as npt

from simulator.errors import WorkloadError
from usage.record import Priority

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
Strings = npt.NDArray[np.str_]

PRIORITIES: tuple[str, ...] = get_args(Priority)
DEFAULT_PRIORITY = "normal"
DEFAULT_TENANT = "default"

# The bounds of a usage record: what cannot be recorded is not simulated either.
LARGEST_KEY = 2**63 - 1
LARGEST_ITEMS = 2**31 - 1
LONGEST_TENANT = 128

ACCEPTED = {
    "arrived_at_s": "a finite number of seconds, 0 or more",
    "key": f"a whole number from 0 to {LARGEST_KEY}",
    "items": f"a whole number from 1 to {LARGEST_ITEMS}",
    "priority": ", ".join(PRIORITIES),
    "tenant": f"1 to {LONGEST_TENANT} printable characters without a space at either end",
}


@dataclass(frozen=True, eq=False)
class Workload:
    """n requests in order of arrival, as five arrays of shape [n]; n may be 0.

    arrived_at_s: float64, seconds since the start of the workload.
    key: int64, which input is asked for; 0 is the most popular where popularity is modelled.
    items: int64, inputs in the request.
    priority: str, one of PRIORITIES. tenant: str, who is asking.

    The arrays are copied, validated, sorted by arrival (equal instants keep their order, since
    recorded arrivals are often slightly out of order) and read-only afterwards.
    Raises WorkloadError when a value is outside ACCEPTED or the lengths differ.
    """

    arrived_at_s: Floats
    key: Integers
    items: Integers
    priority: Strings
    tenant: Strings

    def __post_init__(self) -> None:
        columns = {
            "arrived_at_s": _seconds(self.arrived_at_s),
            "key": _whole("key", self.key, 0, LARGEST_KEY),
            "items": _whole("items", self.items, 1, LARGEST_ITEMS),
            "priority": _strings("priority", self.priority),
            "tenant": _strings("tenant", self.tenant),
        }
        for name, column in columns.items():
            if len(column) != len(columns["arrived_at_s"]):
                expected = len(columns["arrived_at_s"])
                raise WorkloadError(
                    name, f"{len(column)} values", f"{expected} values, one for each arrival"
                )
        order = np.argsort(columns["arrived_at_s"], kind="stable")
        for name, column in columns.items():
            ordered = column[order]
            ordered.flags.writeable = False
            object.__setattr__(self, name, ordered)

    @classmethod
    def of(
        cls,
        arrived_at_s: npt.ArrayLike,
        *,
        key: npt.ArrayLike | None = None,
        items: npt.ArrayLike | None = None,
        priority: npt.ArrayLike | None = None,
        tenant: npt.ArrayLike | None = None,
    ) -> Self:
        """Return the workload of these arrivals [n]; each column left out [n] takes its default.

        The defaults: every request asks for an input of its own (key 0 to n - 1 as given), one
        item, DEFAULT_PRIORITY, DEFAULT_TENANT. Raises WorkloadError as the class does.
        """
        arrivals = np.asarray(arrived_at_s)
        count = arrivals.size
        return cls(
            arrived_at_s=arrivals,
            key=np.arange(count) if key is None else np.asarray(key),
            items=np.ones(count, np.int64) if items is None else np.asarray(items),
            priority=np.full(count, DEFAULT_PRIORITY) if priority is None else np.asarray(priority),
            tenant=np.full(count, DEFAULT_TENANT) if tenant is None else np.asarray(tenant),
        )

    def __len__(self) -> int:
        return len(self.arrived_at_s)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Workload):
            return NotImplemented
        return all(
            np.array_equal(getattr(self, field.name), getattr(other, field.name))
            for field in fields(self)
        )

    __hash__ = None  # type: ignore[assignment] # equal by content, which is too long to hash

    def rows(self) -> Iterator[tuple[float, int, int, str, str]]:
        """Yield each request as Python values, in the order of the fields."""
        return zip(
            self.arrived_at_s.tolist(),
            self.key.tolist(),
            self.items.tolist(),
            self.priority.tolist(),
            self.tenant.tolist(),
            strict=True,
        )


def is_tenant(name: str) -> bool:
    """Return whether `name` can be recorded as a tenant and sent in an HTTP header."""
    return 1 <= len(name) <= LONGEST_TENANT and name.isprintable() and name == name.strip()


def _seconds(values: npt.ArrayLike) -> Floats:
    array = _flat("arrived_at_s", values, kinds="fiu")
    seconds = array.astype(np.float64)
    accepted = np.isfinite(seconds) & (seconds >= 0)
    if not accepted.all():
        _refuse("arrived_at_s", array, ~accepted)
    # 0.0 for -0.0, which would be written with its sign.
    return np.abs(seconds)


def _whole(name: str, values: npt.ArrayLike, least: int, most: int) -> Integers:
    array = _flat(name, values, kinds="iu")
    outside = (array < least) | (array > most)
    if outside.any():
        _refuse(name, array, outside)
    return array.astype(np.int64)


def _strings(name: str, values: npt.ArrayLike) -> Strings:
    array = _flat(name, values, kinds="U")
    for value in np.unique(array).tolist():
        if not (value in PRIORITIES if name == "priority" else is_tenant(value)):
            _refuse(name, array, array == value)
    return array


def _flat(name: str, values: npt.ArrayLike, kinds: str) -> npt.NDArray[Any]:
    array = np.asarray(values)
    if array.ndim != 1:
        raise WorkloadError(name, f"an array of shape {list(array.shape)}", "an array of shape [n]")
    if array.size == 0:
        return array.astype({"f": np.float64, "i": np.int64, "U": np.str_}[kinds[0]])
    if array.dtype.kind not in kinds:
        raise WorkloadError(name, array[0].item(), ACCEPTED[name])
    return array


def _refuse(name: str, array: npt.NDArray[Any], wrong: npt.NDArray[np.bool_]) -> None:
    position = int(np.argmax(wrong))
    raise WorkloadError(f"{name}[{position}]", array[position].item(), ACCEPTED[name])
