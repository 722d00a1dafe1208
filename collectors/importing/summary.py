"""What an import did, for people and for programs."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import msgspec


@dataclass
class Imported:
    """What one run did to one file: `rows` were read, from the row behind `from_row` on."""

    file: str
    from_row: int = 0
    rows: int = 0
    stored: int = 0
    rejected: int = 0
    first_rejects: list[str] = field(default_factory=list)


def in_words(imported: Imported, *, dry_run: bool) -> str:
    """Return what was done to one file, with the first rejected rows below."""
    stored = "would be stored" if dry_run else "stored"
    if not imported.rows and imported.from_row:
        return f"{imported.file}: all of its {imported.from_row:,} rows were imported before\n"
    behind = f" behind row {imported.from_row:,}" if imported.from_row else ""
    line = (
        f"{imported.file}: {imported.rows:,} rows read{behind}, {imported.stored:,} {stored}, "
        f"{imported.rejected:,} rejected\n"
    )
    more = imported.rejected - len(imported.first_rejects)
    rejects = "".join(f"  {reason}\n" for reason in imported.first_rejects)
    return line + rejects + (f"  and {more:,} more\n" if more and rejects else "")


def as_json(files: Sequence[Imported], error: str | None) -> str:
    """Return the same of all `files` as one line of JSON; `error` is why no more was done."""
    content = {
        "rows": sum(one.rows for one in files),
        "stored": sum(one.stored for one in files),
        "rejected": sum(one.rejected for one in files),
        "files": files,
        "error": error,
    }
    return msgspec.json.encode(content).decode() + "\n"
