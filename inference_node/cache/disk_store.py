"""Values in one SQLite file, bounded by bytes, least recently used out first."""

import contextlib
import logging
import sqlite3
from collections.abc import Iterator, Mapping
from pathlib import Path

from inference_node.cache.entry import Value
from inference_node.clock import Clock

logger = logging.getLogger(__name__)

# In the file's header: tells our files from other people's ("ICRC").
APPLICATION_ID = 0x49435243
# A file of another version is emptied.
SCHEMA_VERSION = 1
# Apart from the values: a row is written again as a whole when it is used.
SCHEMA = """
create table entry (
    id integer primary key,
    key blob not null unique,
    bytes integer not null,
    expires_at_us integer not null,
    used_at_us integer not null
);
create index entry_used on entry (used_at_us);
create table content (id integer primary key, value blob not null);
"""
PAGE_BYTES = 4096
ROW_BYTES = 256
EVICTED_AT_ONCE = 64
MOST_TOUCHED = 4096
WAL_BYTES = 16 * 2**20
DAMAGED = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


class DiskError(Exception):
    """The file cannot be used now; the message names it and the reason."""


class DiskStore:
    """Owned by one thread. Opens its file with the first call and again after every failure.

    A damaged file is renamed to `<name>.damaged` and begun anew. `entries`, `size_bytes` and
    `evictions` may be read from any thread.
    """

    def __init__(self, path: Path, max_bytes: int, clock: Clock) -> None:
        self.entries = 0
        self.size_bytes = 0
        self.evictions = 0
        self._path = path
        self._max_bytes = max_bytes
        self._clock = clock
        self._database: sqlite3.Connection | None = None
        self._touched: dict[int, int] = {}
        self._last_used_us = 0

    def get(self, key: bytes) -> bytes | None:
        """Return what is kept under `key` and has not expired. Raises DiskError."""
        with self._failures():
            database = self._open()
            row = database.execute(
                "select entry.id, value, expires_at_us from entry join content using (id) "
                "where key = ?",
                (key,),
            ).fetchone()
            if row is None or row[2] <= self._clock.now_us():
                return None
            self._touched[row[0]] = self._used_us()
            if len(self._touched) >= MOST_TOUCHED:
                self._write({}, {})
            value: bytes = row[1]
            return value

    def put(self, values: Mapping[bytes, Value]) -> None:
        """Keep `values`, all or none of them. Raises DiskError."""
        with self._failures():
            self._open()
            sizes = {key: _size_bytes(value) for key, value in values.items()}
            self._write(
                {key: values[key] for key in values if sizes[key] <= self._max_bytes}, sizes
            )

    def close(self) -> None:
        """Note what was used last and let go of the file. Never raises."""
        with contextlib.suppress(DiskError), self._failures():
            if self._database is not None:
                self._write({}, {})
        self._forget()

    def _write(self, values: Mapping[bytes, Value], sizes: Mapping[bytes, int]) -> None:
        database = self._database
        assert database is not None
        entries, total, evictions = self.entries, self.size_bytes, self.evictions
        database.execute("begin immediate")
        try:
            database.executemany(
                "update entry set used_at_us = ? where id = ?",
                [(used_us, number) for number, used_us in self._touched.items()],
            )
            for key, value in values.items():
                old = database.execute("select id, bytes from entry where key = ?", (key,))
                for number, size in old.fetchall():
                    _delete(database, number)
                    entries, total = entries - 1, total - size
                inserted = database.execute(
                    "insert into entry (key, bytes, expires_at_us, used_at_us) values (?, ?, ?, ?)",
                    (key, sizes[key], value.expires_at_us, self._used_us()),
                )
                database.execute(
                    "insert into content (id, value) values (?, ?)",
                    (inserted.lastrowid, value.content),
                )
                entries, total = entries + 1, total + sizes[key]
            while total > self._max_bytes:
                oldest = database.execute(
                    "select id, bytes from entry order by used_at_us limit ?", (EVICTED_AT_ONCE,)
                )
                for number, size in oldest.fetchall():
                    if total <= self._max_bytes:
                        break
                    _delete(database, number)
                    entries, total, evictions = entries - 1, total - size, evictions + 1
            database.execute("commit")
        except BaseException:
            with contextlib.suppress(sqlite3.Error):  # a full disk rolls back by itself
                database.execute("rollback")
            raise
        self.entries, self.size_bytes, self.evictions = entries, total, evictions
        self._touched.clear()

    def _open(self) -> sqlite3.Connection:
        if self._database is None:
            try:
                self._connect()
            except sqlite3.DatabaseError as error:
                if not _is_damage(error):
                    raise
                self._set_aside(error)
                self._connect()
        assert self._database is not None
        return self._database

    def _connect(self) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        database = self._database = sqlite3.connect(self._path, isolation_level=None, timeout=0)
        # Ours alone: the sums below would not hold if another process wrote, too.
        database.execute("pragma locking_mode = exclusive")
        [ours] = database.execute("pragma application_id").fetchone()
        [tables] = database.execute("select count(*) from sqlite_master").fetchone()
        if tables and ours != APPLICATION_ID:
            raise DiskError(f"cache file {self._path}: is somebody else's database; left alone")
        database.execute("pragma journal_mode = wal")
        # A crash of the machine may cost the last answers, never the file.
        database.execute("pragma synchronous = normal")
        database.execute(f"pragma journal_size_limit = {WAL_BYTES}")
        [version] = database.execute("pragma user_version").fetchone()
        database.execute("begin immediate")
        if version != SCHEMA_VERSION:
            for table in ("entry", "content"):
                database.execute(f"drop table if exists {table}")
            for statement in SCHEMA.split(";"):
                database.execute(statement)
            database.execute(f"pragma application_id = {APPLICATION_ID}")
            database.execute(f"pragma user_version = {SCHEMA_VERSION}")
        # Room is for what may still be asked for.
        now_us = self._clock.now_us()
        database.execute(
            "delete from content where id in (select id from entry where expires_at_us <= ?)",
            (now_us,),
        )
        database.execute("delete from entry where expires_at_us <= ?", (now_us,))
        self.entries, self.size_bytes, last_used_us = database.execute(
            "select count(*), coalesce(sum(bytes), 0), coalesce(max(used_at_us), 0) from entry"
        ).fetchone()
        database.execute("commit")
        self._last_used_us = max(self._last_used_us, last_used_us)
        self._write({}, {})

    def _used_us(self) -> int:
        """Return the time now, a little later where needed: the order of use is strict."""
        self._last_used_us = max(self._clock.now_us(), self._last_used_us + 1)
        return self._last_used_us

    @contextlib.contextmanager
    def _failures(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, OSError, DiskError) as error:
            if isinstance(error, sqlite3.DatabaseError) and _is_damage(error):
                with contextlib.suppress(OSError):
                    self._set_aside(error)
            self._forget()
            if isinstance(error, DiskError):
                raise
            raise DiskError(f"cache file {self._path}: {error}") from error

    def _set_aside(self, error: sqlite3.DatabaseError) -> None:
        self._forget()
        aside = self._path.with_name(self._path.name + ".damaged")
        self._path.replace(aside)
        for suffix in ("-wal", "-shm"):
            self._path.with_name(self._path.name + suffix).unlink(missing_ok=True)
        logger.warning("cache file %s: %s; renamed to %s, begun anew", self._path, error, aside)

    def _forget(self) -> None:
        if self._database is not None:
            with contextlib.suppress(sqlite3.Error):
                self._database.close()
        self._database = None
        self._touched.clear()
        self.entries = self.size_bytes = 0


def _size_bytes(value: Value) -> int:
    """Return about what a value takes in the file: a large one has whole pages of its own."""
    size = ROW_BYTES + len(value.content)
    return size if size < PAGE_BYTES else -(-size // PAGE_BYTES) * PAGE_BYTES


def _delete(database: sqlite3.Connection, number: int) -> None:
    database.execute("delete from entry where id = ?", (number,))
    database.execute("delete from content where id = ?", (number,))


def _is_damage(error: sqlite3.DatabaseError) -> bool:
    # The low byte is the primary code. An error of Python's own has none.
    return getattr(error, "sqlite_errorcode", 0) & 0xFF in DAMAGED
