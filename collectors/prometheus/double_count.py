"""Machines that something else reports already: their facts must not be stored a second time."""

from collections.abc import Iterable

from collectors.prometheus.facts import Facts
from collectors.prometheus.naming import boot_id, host_of
from store import BootHealth

# Of the end of another report, which may go on and come later than ours.
SLACK_US = 15 * 60_000_000


def reported_elsewhere(
    facts: Facts, source: str, boots: Iterable[BootHealth], after_us: int, until_us: int
) -> dict[str, BootHealth]:
    """Return the nodes of `facts` whose machine another report is about in the same time.

    A machine is known by its node id, without a port. Other nodes of the same source do not count:
    several exporters of it may run on one machine, and the user is told what that means.
    """
    names = {sample.node_id for sample in facts.samples}
    names |= {minute.node_id for minute in facts.minutes}
    others = {
        host_of(boot.node_id): boot
        for boot in boots
        if boot.boot_id != boot_id(source, boot.node_id)
        and boot.first_fact_us is not None
        and boot.last_fact_us is not None
        and boot.first_fact_us <= until_us
        and boot.last_fact_us > after_us - SLACK_US
    }
    return {name: others[host_of(name)] for name in names if host_of(name) in others}
