"""A filter in words: what its fields and values are called, and what is chosen of each."""

from dataclasses import dataclass

from store import Filter

FIELD_WORDS = {
    "model": "Model",
    "model_version": "Version",
    "variant": "Number format",
    "tenant": "Tenant",
    "label": "Label",
    "pool": "Pool",
    "priority": "Priority",
    "origin": "Origin",
    "route": "Route",
    "node_id": "Node",
    "region": "Region",
    "instance_type": "Instance type",
    "purchase_option": "Purchase option",
    "cloud": "Cloud",
    "simulated": "Simulated",
}
# What has no value: a request to no model, a machine of which nothing is known.
NO_VALUE = "\N{EN DASH} none"
EMPTY = "(empty)"
MOST_CHARACTERS = 48

Value = str | None
Label = tuple[str, Value]


@dataclass(frozen=True)
class Part:
    """What a filter says of one field, or of one label; `query` is what the address says without.

    `text` names the field and the values that are accepted, as many as there is room for.
    """

    key: str
    text: str
    query: dict[str, list[str]]


def value_words(value: Value) -> str:
    """Return what a reader calls `value`."""
    if value is None:
        return NO_VALUE
    return value or EMPTY


def label_words(label: Label) -> str:
    """Return a label with its value as one choice among others."""
    name, value = label
    return f"{name or EMPTY}: {value_words(value)}"


def filter_parts(where: Filter) -> list[Part]:
    """Return what `where` says, field by field and label by label."""
    parts = []
    for field, words in FIELD_WORDS.items():
        values = getattr(where, field)
        if field == "label":
            parts += [_label_part(where, name) for name in sorted({name for name, _ in values})]
        elif values:
            parts.append(Part(field, f"{words}: {_alternatives(values)}", {field: []}))
    return parts


def _label_part(where: Filter, name: str) -> Part:
    values = tuple(value for known, value in where.label if known == name)
    rest = Filter(label=tuple(label for label in where.label if label[0] != name))
    return Part(
        f"label-{name}",
        f"{name or EMPTY}: {_alternatives(values)}",
        {"label": [text for _, text in rest.to_pairs()]},
    )


def _alternatives(values: tuple[Value, ...]) -> str:
    """Return `values` joined by "or", cut where they get too long."""
    words = [value_words(value) for value in values]
    shown = [_cut(words[0])]
    for word in words[1:]:
        if len(" or ".join([*shown, word])) > MOST_CHARACTERS:
            break
        shown.append(word)
    left = len(words) - len(shown)
    return " or ".join(shown) + (f" or {left} more" if left else "")


def _cut(word: str) -> str:
    if len(word) <= MOST_CHARACTERS:
        return word
    return f"{word[: MOST_CHARACTERS - 1]}\N{HORIZONTAL ELLIPSIS}"
