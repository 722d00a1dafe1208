"""Where the money goes: from what was bought, by what became of it, to models and tenants."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction

from costs import Ticks, direct_cost, machine_cost
from reports.pricing import Pricing
from store import By, Filter, Key, Period, Reader, Uptime, read_breakdown

BY = (By.PURCHASE_OPTION, By.INSTANCE_TYPE, By.MODEL, By.TENANT, By.STATUS)


class Stage(StrEnum):
    """The columns of the picture, from left to right."""

    BOUGHT = "bought"
    BECAME = "became"
    MODEL = "model"
    TENANT = "tenant"


USED, FAILED, IDLE, SAVED = "used", "failed", "idle", "saved by caches"


@dataclass(frozen=True)
class Flow:
    """Money that goes from one node of the picture to one further right, in ticks.

    A node is a stage and a name; None names what has none. Money that was `saved` was not paid: it
    is an estimate, and no part of any sum.
    """

    source: tuple[Stage, str | None]
    target: tuple[Stage, str | None]
    cost: Ticks
    saved: bool = False


def read_flows(
    connection: Reader,
    period: Period,
    uptimes: Sequence[Uptime],
    pricing: Pricing,
    where: Filter,
) -> list[Flow]:
    """Return the flows of machine cost in `period`.

    What flows out of what was bought is the machine cost; what reaches the tenants is the direct
    cost. `where` speaks of machines alone here: whose idle time it is, nobody knows.
    """
    bought: dict[str, Ticks] = defaultdict(Fraction)
    for row in uptimes:
        machine = row.time.machine
        name = _bought(machine.instance_type, machine.purchase_option)
        bought[name] += machine_cost([row.time], pricing.rate)
    became: dict[tuple[str, str], Ticks] = defaultdict(Fraction)
    by_model: dict[tuple[str, str | None], Ticks] = defaultdict(Fraction)
    by_tenant: dict[tuple[str | None, str | None], Ticks] = defaultdict(Fraction)
    changes = pricing.catalogue.changes()
    for part in read_breakdown(
        connection, period, BY, changes, where=where.machines(), latency=False
    ):
        cost = direct_cost(part.busy, pricing.rate)
        if not cost:
            continue
        fate = FAILED if _status(part.key) >= 400 else USED
        model, tenant = part.key[2], part.key[3]
        became[_bought(part.key[1], part.key[0]), fate] += cost
        by_model[fate, model] += cost
        by_tenant[model, tenant] += cost
    flows = []
    for name, paid in bought.items():
        used = {fate: became[name, fate] for fate in (USED, FAILED)}
        used[IDLE] = paid - sum(used.values(), Fraction(0))
        flows += [
            Flow((Stage.BOUGHT, name), (Stage.BECAME, fate), part)
            for fate, part in used.items()
            if part > 0
        ]
    flows += [
        Flow((Stage.BECAME, fate), (Stage.MODEL, model), cost)
        for (fate, model), cost in by_model.items()
    ]
    flows += [
        Flow((Stage.MODEL, model), (Stage.TENANT, tenant), cost)
        for (model, tenant), cost in by_tenant.items()
    ]
    return flows


def saved_flows(saved: Sequence[tuple[str | None, Ticks]]) -> list[Flow]:
    """Return what caches saved by model as flows, to stand beside what was paid."""
    return [
        Flow((Stage.BECAME, SAVED), (Stage.MODEL, model), cost, saved=True)
        for model, cost in saved
        if cost > 0
    ]


def _bought(instance_type: str | None, purchase_option: str | None) -> str:
    return f"{instance_type}, {(purchase_option or '').replace('_', '-')}"


def _status(key: Key) -> int:
    return int(key[-1] or 0)
