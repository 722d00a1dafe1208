"""What the rows of a file must satisfy together: order, no repetition, names used one way."""

from operator import attrgetter

from costs.focus.errors import FocusError
from costs.focus.row import Row, order_of

# A column, and what it decides on: one service has one category.
_DECIDES = (
    ("service_name", ("service_category", "service_subcategory")),
    ("sku_price_id", ("sku_id",)),
    ("sku_id", ("sku_meter",)),
    ("commitment_discount_id", ("commitment_discount_unit", "commitment_discount_category")),
)


_names_of = attrgetter(*(name for column, others in _DECIDES for name in (column, *others)))


class FileCheck:
    """Checks rows in the order in which they are written. It keeps the rows of one place only."""

    def __init__(self) -> None:
        self._last: tuple[object, ...] = ()
        self._here: list[Row] = []
        self._decided: dict[tuple[str, str], tuple[object, ...]] = {}
        self._consistent: set[tuple[str | None, ...]] = set()

    def __call__(self, row: Row) -> None:
        """Raise FocusError when `row` cannot follow those before it."""
        place = order_of(row)
        if place == self._last:
            if row in self._here:
                raise FocusError(f"two rows are the same: {row.charge_description!r}")
        elif place < self._last:
            raise FocusError(f"{place} comes after {self._last}; accepted: rows in order")
        else:
            self._last = place
            self._here.clear()
        self._here.append(row)
        names = _names_of(row)
        if names not in self._consistent:
            self._decide(row)
            self._consistent.add(names)

    def _decide(self, row: Row) -> None:
        for name, others in _DECIDES:
            value = getattr(row, name)
            if value is None:
                continue
            found = tuple(getattr(row, other) for other in others)
            known = self._decided.setdefault((name, value), found)
            if known != found:
                raise FocusError(
                    f"{name} {value!r} has {', '.join(others)} {found}, before it had {known}; "
                    "accepted: the same on every row"
                )
