"""Machine time as rows: for each kind of request its share of the machine's hours, and idle time.

The shares of a machine in a step sum to its hours exactly (largest remainder). What was used is the
same whoever bears idle time, which has rows of its own.
"""

from collections.abc import Collection, Iterable, Iterator
from itertools import groupby
from typing import Any

from msgspec.structs import replace

from costs import PriceBook, Sharing
from costs.apportion import apportion
from costs.focus import Row, ascii_name, order_of, own_name
from costs.focus.provider import Provider
from reports.finance.bearers import Bearer, Bearers
from reports.finance.charge import (
    ZERO,
    Charge,
    Charges,
    Component,
    amounts,
    common,
    micro,
    pico,
    place,
    unit_prices,
)
from reports.finance.machine_plan import Segment
from reports.finance.shares import overfull, share_units
from reports.finance.wording import price_details, tags_of, use_words
from store import NodeStep, Use


class MachineRows:
    """Turns planned steps into rows, in the order of a file."""

    def __init__(
        self,
        providers: dict[str, Provider],
        book: PriceBook,
        bearers: Bearers,
        step_us: int,
        changes: Iterable[int],
        invoice_id: str | None,
        simulated: Collection[str] = (),
    ) -> None:
        """`simulated` are the nodes that never ran: their idle time says so, too."""
        self._simulated = simulated
        self._providers = providers
        self._book = book
        self._bearers = bearers
        self._step_us = step_us
        self._changes = sorted(changes)
        self._invoice_id = invoice_id
        self.overfull_steps = 0
        self.requests = 0

    def rows(self, planned: Iterable[tuple[NodeStep, list[Segment]]]) -> Charges:
        """Yield the rows of `planned`, which comes by step, then by cloud, then by node."""
        # One node may have run on two machines within a step; their rows are sorted together.
        for _, group in groupby(planned, key=lambda p: (p[0].from_us, p[0].node_id)):
            found = [charge for step, segments in group for charge in self._of_step(step, segments)]
            found.sort(key=lambda charge: order_of(charge.row))
            yield from found

    def _of_step(self, step: NodeStep, segments: list[Segment]) -> Iterator[Charge]:
        self.overfull_steps += overfull(step)
        for number, segment in enumerate(segments):
            used, apart = share_units(step, segment.units)
            *costs, idle_pico = _spread(segment, segment.effective_pico, [*used, apart])
            base = self._base(step, segment)
            for use, units, cost in zip(step.uses, used, costs, strict=True):
                # A request is counted once, however its machine's hours are paid for.
                yield _used_row(base, segment, use, units, cost, counted=number == 0)
            yield from self._idle(step, segment, base, apart, idle_pico)
            if number == 0:
                self.requests += sum(use.requests for use in step.uses)

    def _idle(
        self, step: NodeStep, segment: Segment, base: Row, apart: int, idle_pico: int
    ) -> Iterator[Charge]:
        """Yield a row for everyone who bears some of the `apart` units that are idle."""
        parts = self._bearers.split(step, apart)
        costs = _spread(segment, idle_pico, [units for _, units in parts])
        sharing = self._bearers.rule.sharing
        made_up = step.node_id in self._simulated
        for (bearer, units), cost in zip(parts, costs, strict=True):
            yield _idle_row(base, segment, bearer, units, cost, sharing, made_up=made_up)

    def _base(self, step: NodeStep, segment: Segment) -> Row:
        """Return what the rows of a segment have in common."""
        machine, terms = step.machine, segment.terms
        provider = self._providers[machine.cloud]
        # What is billed on demand is another thing to buy than what was reserved.
        bought = terms.machine
        sku = "/".join(
            ascii_name(part, kind)
            for part, kind in (
                (bought.cloud, "cloud"),
                (bought.region, "region"),
                (bought.instance_type, "type"),
                (bought.purchase_option, "option"),
            )
        )
        fields: dict[str, Any] = {
            **common(
                provider,
                provider.compute,
                step.from_us,
                _end_us(step.from_us, self._step_us, self._changes),
                self._invoice_id,
            ),
            **amounts(list_cost=ZERO, contracted=ZERO, effective=ZERO, billed=ZERO),
            **unit_prices(terms.list_price, terms.contracted_price),
            "charge_category": "Usage",
            "charge_description": step.node_id,
            "charge_frequency": "Usage-Based",
            "consumed_quantity": ZERO,
            "consumed_unit": "Hours",
            "pricing_category": terms.category,
            "pricing_quantity": ZERO,
            "pricing_unit": "Hours",
            **place(machine.cloud, machine.region),
            "resource_id": f"node/{step.node_id}",
            "resource_name": f"node {step.node_id}",
            "resource_type": ascii_name(machine.instance_type, "type"),
            "sku_id": sku,
            "sku_meter": "Instance Hours",
            "sku_price_details": price_details(self._book, machine.cloud, machine.instance_type),
            "sku_price_id": f"{sku}/{terms.category.lower()}-hour",
        }
        if terms.commitment is not None:
            fields |= {
                "commitment_discount_category": "Usage",
                "commitment_discount_id": ascii_name(terms.commitment.commitment_id, "commitment"),
                "commitment_discount_name": ascii_name(
                    terms.commitment.commitment_id, "commitment"
                ),
                "commitment_discount_quantity": ZERO,
                "commitment_discount_status": "Used",
                "commitment_discount_type": "Reserved Instance",
                "commitment_discount_unit": "Hours",
            }
        return Row(**fields)


def _used_row(
    base: Row, segment: Segment, use: Use, units: int, effective_pico: int, *, counted: bool
) -> Charge:
    return Charge(
        Component.USED,
        replace(
            base,
            **_amounts(segment, units, effective_pico),
            charge_description=f"{base.charge_description}: {use_words(use)}",
            tags=tags_of(use.model, use.tenant, use.labels),
            x_allocation_method="busy-time",
            x_is_idle=False,
            x_model_name=None if use.model is None else own_name(use.model),
            x_model_version=None if use.model_version is None else own_name(use.model_version),
            x_request_count=use.requests if counted else 0,
            x_input_tokens=use.input_tokens if counted else 0,
            x_output_tokens=use.output_tokens if counted else 0,
            x_tenant=own_name(use.tenant),
            x_outcome="failed" if use.failed else "ok",
            x_model_variant=None if use.variant is None else own_name(use.variant),
            x_origin=use.origin,
        ),
    )


def _idle_row(
    base: Row,
    segment: Segment,
    bearer: Bearer,
    units: int,
    effective_pico: int,
    sharing: Sharing,
    *,
    made_up: bool,
) -> Charge:
    return Charge(
        Component.IDLE,
        replace(
            base,
            **_amounts(segment, units, effective_pico),
            charge_description=f"{base.charge_description}: idle"
            + (", simulated" if made_up else ""),
            x_origin="simulated" if made_up else None,
            tags=bearer.tags,
            x_allocation_method=f"idle-{sharing if bearer.tenant else Sharing.SEPARATE}",
            x_is_idle=True,
            x_model_name=None if bearer.model is None else own_name(bearer.model),
            x_tenant=own_name(bearer.tenant) if bearer.tenant else None,
            x_request_count=0,
            x_input_tokens=0,
            x_output_tokens=0,
        ),
    )


def _amounts(segment: Segment, units: int, effective_pico: int) -> dict[str, Any]:
    terms = segment.terms
    quantity = micro(units)
    contracted = pico(units * terms.contracted_micro_usd)
    listed = (
        contracted
        if terms.list_micro_usd == terms.contracted_micro_usd
        else pico(units * terms.list_micro_usd)
    )
    effective = contracted if terms.commitment is None else pico(effective_pico)
    found: dict[str, Any] = {
        "pricing_quantity": quantity,
        "consumed_quantity": quantity,
        "list_cost": listed,
        "contracted_cost": contracted,
        "effective_cost": effective,
        "pricing_currency_effective_cost": effective,
    }
    if terms.commitment is None:
        found["billed_cost"] = effective
    else:
        found["commitment_discount_quantity"] = quantity
    return found


def _spread(segment: Segment, effective_pico: int, units: list[int]) -> list[int]:
    """Return the effective cost of each part of a segment's units; they sum to the whole."""
    if segment.terms.commitment is None:
        return [each * segment.terms.contracted_micro_usd for each in units]
    return apportion(effective_pico, units)


def _end_us(begin_us: int, step_us: int, changes: list[int]) -> int:
    """Return where the step that begins at `begin_us` ends: where the next does, or prices do."""
    end_us = begin_us - begin_us % step_us + step_us
    return min([end_us, *(at for at in changes if begin_us < at < end_us)])
