"""Which requests and machines a figure is about: a filter that is also part of a page's address."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from typing import NamedTuple
from urllib.parse import parse_qsl, urlencode

LONGEST_VALUE = 128
MOST_VALUES = 200
LONGEST_QUERY = 65_536

# A value that is null is this; a value that begins with a tilde gets one more.
NULL = "~null"

Value = str | None
Label = tuple[str, Value]

MACHINE_FIELDS = ("cloud", "region", "instance_type", "purchase_option")
# A run of a node that left simulated records: "yes" or "no".
_SIMULATED = "CASE WHEN simulated THEN 'yes' ELSE 'no' END"
_DIMENSION_FIELDS = (
    "model", "model_version", "variant", "tenant", "pool", "priority", "origin", "node_id", "route"
)  # fmt: skip


class FilterError(ValueError):
    """A filter that is none: too much of it, or no text. The message is fit for a user."""


class Condition(NamedTuple):
    """An SQL condition and the values of its parameters, which are never part of its text."""

    sql: str
    bound: dict[str, object]


@dataclass(frozen=True)
class Filter:
    """Accepted values by field; an empty field accepts everything.

    Values of one field are alternatives, fields restrict each other. None accepts what has no
    value: a request to no model, a machine of which nothing is known. `label` holds (name, value)
    pairs; each name counts as a field of its own, and (name, None) accepts what lacks the label.
    `simulated` holds "yes" or "no": nodes whose records are made up, or the others.
    Values are kept sorted and once each, so filters that accept the same are equal.

    Raises FilterError for a value of more than 128 characters, for more than 200 values, for text
    that is no Unicode, and for another value of `simulated`.
    """

    model: tuple[Value, ...] = ()
    model_version: tuple[Value, ...] = ()
    variant: tuple[Value, ...] = ()
    tenant: tuple[Value, ...] = ()
    label: tuple[Label, ...] = ()
    cloud: tuple[Value, ...] = ()
    region: tuple[Value, ...] = ()
    instance_type: tuple[Value, ...] = ()
    purchase_option: tuple[Value, ...] = ()
    pool: tuple[Value, ...] = ()
    priority: tuple[Value, ...] = ()
    origin: tuple[Value, ...] = ()
    node_id: tuple[Value, ...] = ()
    route: tuple[Value, ...] = ()
    simulated: tuple[Value, ...] = ()

    def __post_init__(self) -> None:
        count = 0
        for field in fields(self):
            values = getattr(self, field.name)
            count += len(values)
            for value in values:
                for text in value if isinstance(value, tuple) else (value,):
                    _check(field.name, text)
            ordered = tuple(sorted(set(values), key=_order))
            object.__setattr__(self, field.name, ordered)
        unknown = [value for value in self.simulated if value not in ("yes", "no")]
        if unknown:
            raise FilterError(f"simulated is {_spell(unknown[0])!r}; accepted: yes, no")
        if count > MOST_VALUES:
            raise FilterError(f"{count} values; accepted: at most {MOST_VALUES} in all")

    def __bool__(self) -> bool:
        """Whether anything is restricted."""
        return any(getattr(self, field.name) for field in fields(self))

    def machines(self) -> "Filter":
        """Return what this says of machines alone, which is all but what it says of requests."""
        return Filter(
            cloud=self.cloud,
            region=self.region,
            instance_type=self.instance_type,
            purchase_option=self.purchase_option,
            node_id=self.node_id,
            simulated=self.simulated,
        )

    def to_pairs(self) -> list[tuple[str, str]]:
        """Return the parameters of a URL, in the order of the fields and of their values."""
        return [
            (field.name, _spell_label(value) if field.name == "label" else _spell(value))
            for field in fields(self)
            for value in getattr(self, field.name)
        ]

    def to_query(self) -> str:
        """Return a URL's query, percent-encoded, without the question mark; "" for no filter."""
        return urlencode(self.to_pairs())

    @classmethod
    def from_query(cls, query: str | Iterable[tuple[str, str]]) -> "Filter":
        """Return the filter whose `to_query` or `to_pairs` is part of `query`.

        Other parameters are ignored. Raises FilterError as the constructor does, for a query of
        more than 65,536 characters, and for a value that begins with a tilde and is no spelling.
        """
        if isinstance(query, str):
            if len(query) > LONGEST_QUERY:
                raise FilterError(
                    f"the query has {len(query)} characters; accepted: at most {LONGEST_QUERY}"
                )
            query = parse_qsl(query, keep_blank_values=True)
        values: dict[str, list[Value]] = {}
        labels: list[Label] = []
        known = {field.name for field in fields(cls)}
        for name, text in query:
            if name == "label":
                labels.append(_read_label(text))
            elif name in known:
                values.setdefault(name, []).append(_read(name, text))
        return cls(label=tuple(labels), **{name: tuple(v) for name, v in values.items()})

    def condition(self) -> Condition:
        """Return the condition on a row of `dimension_set` or `usage_record`."""
        terms = [(name, getattr(self, name)) for name in _DIMENSION_FIELDS]
        sql, bound = _all_of(terms)
        by_name: dict[str, list[Value]] = {}
        for name, value in self.label:
            by_name.setdefault(name, []).append(value)
        for number, (name, values) in enumerate(by_name.items()):
            parameter = f"where_label_{number}"
            bound[f"{parameter}_name"] = name
            sql.append(_any_of(f"labels[${parameter}_name]", parameter, values, bound))
        machine = [(name, getattr(self, name)) for name in MACHINE_FIELDS]
        machine_sql, machine_bound = _all_of(machine)
        if self.simulated:
            made_up = _any_of(_SIMULATED, "where_simulated", self.simulated, machine_bound)
            machine_sql.append(made_up)
        if machine_sql:
            inner = " AND ".join(machine_sql)
            sql.append(f"(node_id, boot_id) IN (SELECT node_id, boot_id FROM boot WHERE {inner})")
        return Condition(" AND ".join(sql) or "TRUE", bound | machine_bound)

    def machine_condition(self) -> Condition:
        """Return the condition on a row with `node_id` and `boot_id`: what `machines` says."""
        return self.machines().condition()


def _all_of(terms: list[tuple[str, tuple[Value, ...]]]) -> tuple[list[str], dict[str, object]]:
    bound: dict[str, object] = {}
    sql = [_any_of(name, f"where_{name}", values, bound) for name, values in terms if values]
    return sql, bound


def _any_of(column: str, parameter: str, values: Sequence[Value], bound: dict[str, object]) -> str:
    """Return the condition that `column` is one of `values`, which go to `bound`."""
    texts = [value for value in values if value is not None]
    accepted = []
    if texts:
        bound[parameter] = texts
        accepted.append(f"list_contains(${parameter}, {column})")
    if len(texts) < len(values):
        accepted.append(f"{column} IS NULL")
    return f"coalesce({' OR '.join(accepted)}, FALSE)"


def _check(field: str, value: Value) -> None:
    if value is None:
        return
    if len(value) > LONGEST_VALUE:
        raise FilterError(f"{field} has {len(value)} characters; accepted: at most {LONGEST_VALUE}")
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise FilterError(f"{field} is {value!r}; accepted: Unicode text") from error


def _order(value: Value | Label) -> tuple[object, ...]:
    texts = value if isinstance(value, tuple) else (value,)
    return tuple((text is not None, text or "") for text in texts)


def _spell(value: Value) -> str:
    if value is None:
        return NULL
    return f"~{value}" if value.startswith("~") else value


def _read(field: str, text: str) -> Value:
    if text == NULL:
        return None
    if text.startswith("~~"):
        return text[1:]
    if text.startswith("~"):
        raise FilterError(f"{field} is {text[:LONGEST_VALUE]}; accepted: {NULL}, or ~~ for a tilde")
    return text


def _spell_label(label: Label) -> str:
    """Return name=value; in the name, ~ and = are written as RFC 6901 writes ~ and /."""
    name, value = label
    escaped = name.replace("~", "~0").replace("=", "~1")
    return escaped if value is None else f"{escaped}={value}"


def _read_label(text: str) -> Label:
    name, equals, value = text.partition("=")
    return name.replace("~1", "=").replace("~0", "~"), value if equals else None


EVERYTHING = Filter()
