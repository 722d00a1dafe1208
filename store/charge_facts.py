"""What the charges of a period are derived from, copied out of the database in one short reading.

A finance file may have millions of rows, and writing it takes minutes: the collector must not wait
that long. So the sums are copied into temporary files as they lie, the database is closed, and
sorting and joining are done on the copy, beside which they spill over: memory stays flat.
"""

from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

import duckdb

from costs import Machine
from store.archive_sizes import read_archive_sizes
from store.charge_copy import MACHINE, USE, bring_together, copy_facts, full_disk_named
from store.charges import Bytes, Completeness, NodeStep, OwnedTime, Use
from store.database import CONFIG, WAIT_S, open_reader
from store.dropped import Dropped, read_dropped
from store.filter import EVERYTHING, Filter
from store.health import BootHealth, read_boots
from store.period import DAY_US, Period
from store.state import StoreState, read_state

_OF_DAY = "from_us >= $begin AND from_us < $end"
MEMORY_LIMIT = "768MB"
FETCHED_ROWS = 2_000


class ChargeFacts:
    """The copy of one period, in `folder`, by steps of `step_us`; close it when done.

    Steps are cut where a price changes, at `price_changes` (ascending instants, the first 0), so
    that every step has one price. A day is a multiple of a step; days begin where the period does.
    """

    def __init__(
        self,
        database: Path,
        folder: Path,
        period: Period,
        step_us: int,
        price_changes: Sequence[int],
        *,
        where: Filter = EVERYTHING,
        wait_s: float = WAIT_S,
    ) -> None:
        """Copy the facts of `period`; of `where` only what it says of machines. Raises StoreErrors.

        `folder` is an empty folder for temporary files. What is simulated and not asked for counts
        neither as a fact nor as a gap.
        """
        self.period = period
        self.step_us = step_us
        self._folder = folder
        with open_reader(database, wait_s=wait_s) as connection:
            state = read_state(connection, where)
            dropped = read_dropped(connection, period, where=where)
            boots, sizes = read_boots(connection), read_archive_sizes(connection, period)
            copy_facts(connection, folder, period, step_us, price_changes, where)
        self._engine = duckdb.connect(
            ":memory:",
            config={
                **CONFIG,
                "temp_directory": str(folder / "spill"),
                "memory_limit": MEMORY_LIMIT,
                # Each part of the copy is read once.
                "enable_external_file_cache": False,
            },
        )
        bring_together(self._engine, folder)
        if where.simulated == ("no",):
            boots = [boot for boot in boots if not boot.simulated]
        self.completeness = self._completeness(state, dropped, boots, sizes)

    def close(self) -> None:
        """Let go of the copy; its folder is the caller's to delete."""
        self._engine.close()

    def clouds(self) -> list[str]:
        """Return the clouds of machines that ran or were asked in the period, sorted."""
        sql = "SELECT cloud FROM node UNION SELECT cloud FROM used ORDER BY cloud"
        return [cloud for (cloud,) in self._rows(sql) if cloud is not None]

    def machines(self) -> list[tuple[Machine, int, int]]:
        """Return (machine, beginning of a step, uptime) of all nodes together, ascending."""
        rows = self._rows(
            f"""
            SELECT {MACHINE}, from_us, sum(uptime_us)::BIGINT
            FROM node GROUP BY ALL ORDER BY ALL
            """
        )
        return [(Machine(*machine), from_us, uptime) for *machine, from_us, uptime in rows]

    def simulated_nodes(self) -> frozenset[str]:
        """Return the nodes of which every run in the period was made up."""
        boots = self.completeness.boots
        ran = {boot.node_id for boot in boots if not boot.simulated}
        return frozenset(boot.node_id for boot in boots if boot.simulated) - ran

    def reserved_hours(self) -> dict[tuple[Machine, int], int]:
        """Return the uptime of reserved machines by (machine, beginning of the hour of day)."""
        rows = self._rows(
            f"""
            SELECT {MACHINE}, hour_us, sum(uptime_us)::BIGINT FROM node
            WHERE purchase_option = 'reserved' GROUP BY ALL
            """
        )
        return {(Machine(*machine), hour_us): uptime for *machine, hour_us, uptime in rows}

    def node_steps(self, cloud_order: Sequence[str], *, uses: bool = True) -> Iterator[NodeStep]:
        """Yield every machine in every step, by step, then by cloud as ordered, then by node.

        Without `uses` what requests did is left out, which is many times faster.
        """
        nodes = groupby(
            self._rows(
                f"""
                FROM (
                    SELECT from_us, node_id, {MACHINE}, hour_us, sum(uptime_us)::BIGINT
                    FROM node GROUP BY ALL
                )
                ORDER BY
                    from_us, list_position($clouds, cloud), node_id, region, instance_type,
                    purchase_option, hour_us
                """,
                {"clouds": list(cloud_order)},
            ),
            key=lambda row: row[:6],
        )
        used = self._uses(cloud_order) if uses else iter(())
        waiting = next(used, None)
        for key, rows in nodes:
            found: list[Use] = []
            while waiting is not None and waiting[0] == key:
                found.append(waiting[1])
                waiting = next(used, None)
            yield NodeStep(
                from_us=key[0],
                node_id=key[1],
                machine=Machine(*key[2:6]),
                uptime_us=tuple((row[6], row[7]) for row in rows),
                uses=found,
            )

    def owned_times(self) -> Iterator[OwnedTime]:
        """Yield what is owned of each kind of machine, by step; nothing where it is none.

        Who asks for it beside `node_steps` need not keep a step of them to know its sums.
        """
        for from_us, *machine, tenant, model, labels, machine_ns in self._by_day(
            f"""
            FROM (
                SELECT from_us, {MACHINE}, tenant, model, labels, sum(machine_ns)
                FROM used SEMI JOIN node USING (from_us, node_id, {MACHINE})
                WHERE {_OF_DAY}
                GROUP BY ALL
                HAVING sum(machine_ns) > 0
            )
            ORDER BY ALL
            """,
            {},
        ):
            yield OwnedTime(from_us, Machine(*machine), tenant, model, labels, machine_ns)

    def bytes_by_day(self, cloud_order: Sequence[str]) -> Iterator[Bytes]:
        """Yield what requests sent and received, by day, then by cloud as ordered, and region.

        Where nothing is known of a machine, its bytes are left out.
        """
        for row in self._by_day(
            f"""
            FROM (
                SELECT
                    greatest($begin, priced_at_us) AS day_us,
                    cloud, region, {USE},
                    sum(request_bytes)::HUGEINT, sum(response_bytes)::HUGEINT
                FROM used
                WHERE {_OF_DAY} AND cloud IS NOT NULL
                GROUP BY ALL
                HAVING sum(request_bytes) > 0 OR sum(response_bytes) > 0
            )
            ORDER BY day_us, list_position($clouds, cloud), region, {USE}
            """,
            {"clouds": list(cloud_order)},
        ):
            yield Bytes(*row)

    def _uses(self, cloud_order: Sequence[str]) -> Iterator[tuple[tuple[Any, ...], Use]]:
        for row in self._by_day(
            f"""
            FROM (
                SELECT
                    from_us, node_id, {MACHINE}, {USE},
                    sum(requests)::BIGINT, sum(input_tokens)::BIGINT, sum(output_tokens)::BIGINT,
                    sum(machine_ns)
                FROM used SEMI JOIN node USING (from_us, node_id, {MACHINE})
                WHERE {_OF_DAY}
                GROUP BY ALL
                HAVING sum(requests) > 0 OR sum(machine_ns) > 0
            )
            ORDER BY
                from_us, list_position($clouds, cloud), node_id, region, instance_type,
                purchase_option, {USE}
            """,
            {"clouds": list(cloud_order)},
        ):
            yield row[:6], Use(*row[6:])

    def _by_day(self, sql: str, bound: dict[str, object]) -> Iterator[tuple[Any, ...]]:
        """Yield the rows of `sql`, which names _OF_DAY, day by day.

        A month at once would have to be sorted as a whole before its first row.
        """
        for begin in range(self.period.from_us, self.period.to_us, DAY_US):
            yield from self._rows(sql, {**bound, "begin": begin, "end": begin + DAY_US})

    def _rows(self, sql: str, bound: dict[str, object] | None = None) -> Iterator[tuple[Any, ...]]:
        with self._engine.cursor() as cursor, full_disk_named(self._folder):
            cursor.execute(sql, bound or {})
            while rows := cursor.fetchmany(FETCHED_ROWS):
                yield from rows

    def _completeness(
        self,
        state: StoreState,
        dropped: list[Dropped],
        boots: list[BootHealth],
        archive_sizes: list[tuple[int, int]],
    ) -> Completeness:
        [(requests, unmeasured)] = self._rows(
            "SELECT coalesce(sum(requests), 0)::BIGINT, coalesce(sum(unmeasured), 0)::BIGINT "
            "FROM used"
        )
        [(homeless,)] = self._rows(
            f"""
            SELECT coalesce(sum(requests), 0)::BIGINT
            FROM used ANTI JOIN node USING (from_us, node_id, {MACHINE})
            """
        )
        return Completeness(
            state=state,
            dropped=dropped,
            boots=[boot for boot in boots if _in(boot, self.period)],
            archive_sizes=archive_sizes,
            requests=requests,
            unmeasured=unmeasured,
            homeless=homeless,
        )


def _in(boot: BootHealth, period: Period) -> bool:
    return (boot.first_fact_us or 0) < period.to_us and (boot.last_fact_us or 0) > period.from_us
