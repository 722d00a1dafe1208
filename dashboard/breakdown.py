"""By what a table may tell requests apart, and what the choice is called."""

from collections.abc import Iterable, Sequence
from dataclasses import fields, replace
from typing import Any

from dashboard.filter_words import value_words
from store import By, ByLabel, Filter, Grouping, Key

VERSION = "version"
LABEL = "label:"
GROUPINGS: dict[str, tuple[str, tuple[Grouping, ...]]] = {
    VERSION: ("Model and version", (By.MODEL, By.MODEL_VERSION)),
    "model": ("Model", (By.MODEL,)),
    "variant": ("Number format", (By.VARIANT,)),
    "tenant": ("Tenant", (By.TENANT,)),
    "priority": ("Priority", (By.PRIORITY,)),
    "pool": ("Pool", (By.POOL,)),
    "cache": ("Cache", (By.CACHE,)),
    "route": ("Route", (By.ROUTE,)),
    "origin": ("Origin", (By.ORIGIN,)),
    "node_id": ("Node", (By.NODE,)),
    "region": ("Region", (By.REGION,)),
    "instance_type": ("Instance type", (By.INSTANCE_TYPE,)),
    "purchase_option": ("Purchase option", (By.PURCHASE_OPTION,)),
}


def grouping_words(labels: Iterable[str]) -> dict[str, str]:
    """Return what each choice is called: the dimensions, then every label by its name."""
    words = {name: called for name, (called, _) in GROUPINGS.items()}
    return words | {f"{LABEL}{name}": f"Label {name}" for name in labels}


def grouping_word(choice: str) -> str:
    """Return what one choice of `grouping_words` is called."""
    return grouping_words([choice.removeprefix(LABEL)])[choice]


def groupings(choice: str) -> tuple[Grouping, ...]:
    """Return the groupings of a choice of `grouping_words`."""
    if choice.startswith(LABEL):
        return (ByLabel(choice.removeprefix(LABEL)),)
    return GROUPINGS[choice][1]


def narrowed(where: Filter, choice: str, key: Key) -> Filter | None:
    """Return `where` with the group of `key` alone; None where a filter cannot tell it."""
    if choice.startswith(LABEL):
        name = choice.removeprefix(LABEL)
        others = [label for label in where.label if label[0] != name]
        return replace(where, label=(*others, (name, key[0])))
    names = [str(grouping) for grouping in groupings(choice)]
    if not {field.name for field in fields(where)}.issuperset(names):
        return None
    values: dict[str, Any] = {name: (value,) for name, value in zip(names, key, strict=True)}
    return replace(where, **values)


def key_words(key: Key, by: Sequence[Grouping]) -> str:
    """Return what a group is called: its values, a version behind its model."""
    words = [value_words(value) for value in key]
    return "@".join(words) if tuple(by) == GROUPINGS[VERSION][1] else ", ".join(words)
