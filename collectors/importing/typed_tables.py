"""TOML tables as a Struct, with errors that name field, value and what is accepted."""

from collections.abc import Mapping
from typing import Annotated, Any, TypeVar, get_args, get_origin, get_type_hints

import msgspec
from msgspec import Struct, inspect

from collectors.importing.cell import shown
from collectors.importing.contract import accepted_by

Typed = TypeVar("Typed", bound=Struct)


def typed(tables: Mapping[str, Any], kind: type[Typed]) -> Typed:
    """Return `tables` as a `kind`. Raises ValueError: "time.marks is 'x'; accepted: ..."."""
    _require_struct(tables, kind, "")
    return msgspec.convert(tables, kind)


def _require(value: object, hint: Any, path: str) -> None:
    plain = get_args(hint)[0] if get_origin(hint) is Annotated else hint
    if isinstance(plain, type) and issubclass(plain, Struct):
        _require_struct(value, plain, path)
        return
    if get_origin(plain) is dict:
        key_hint, value_hint = get_args(plain)
        for key, entry in _table(value, path).items():
            _require_value(key, key_hint, f"a name in {path}")
            _require(entry, value_hint, f"{path}.{key}")
    _require_value(value, hint, path)


def _require_struct(value: object, kind: type[Struct], path: str) -> None:
    table = _table(value, path)
    hints = get_type_hints(kind, include_extras=True)
    dot = f"{path}." if path else ""
    for name in table:
        if name not in hints:
            raise ValueError(f"{dot}{name} is not known; accepted: {', '.join(sorted(hints))}")
    for field in inspect.type_info(kind).fields:  # type: ignore[attr-defined]
        if field.required and field.name not in table:
            raise ValueError(f"{dot}{field.name} is missing")
    for name, entry in table.items():
        _require(entry, hints[name], dot + name)


def _table(value: object, path: str) -> Mapping[str, object]:
    if not isinstance(value, Mapping):
        raise ValueError(f"{path} is {shown(value)}; accepted: a table")  # noqa: TRY004
    return value


def _require_value(value: object, hint: Any, path: str) -> None:
    try:
        msgspec.convert(value, hint)
    except msgspec.ValidationError as error:
        words = accepted_by(inspect.type_info(hint))
        raise ValueError(f"{path} is {shown(value)}; accepted: {words}") from error
