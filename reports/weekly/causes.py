"""Why a week did not cost what the week before did."""

from costs.variance import Mover as KeyMover
from reports.pricing import Pricing
from reports.variance import cause_words, line_words, read_variance
from reports.weekly.bridge import Bridge, Driver, Mover
from reports.weekly.extent import Extent
from reports.weekly.review import Counted
from reports.weekly.series import Source
from store import By, Key

NO_MODEL = "no model"


def read_causes(
    source: Source, extent: Extent, before: Counted | None, now: Counted | None
) -> tuple[Bridge | None, tuple[Mover, ...]]:
    """Return the bridge from `before` to `now`, and the models whose cost changed most.

    No bridge and no mover where one of the two has no known cost.
    """
    if before is None or now is None or before.cost is None or now.cost is None:
        return None, ()
    found = read_variance(
        source.connection,
        extent.before,
        extent.period,
        Pricing(source.pricing.catalogue),
        source.where,
        (before.cost, now.cost),
    )
    lines = found.variance.lines.items()
    drivers = tuple(Driver(key, line_words(key), change) for key, change in lines)
    bridge = Bridge(before.cost.total, now.cost.total, drivers)
    return bridge, tuple(_mover(mover) for mover in found.movers[By.MODEL])


def _mover(found: KeyMover[Key]) -> Mover:
    [model] = found.key
    return Mover(
        name=NO_MODEL if model is None else model,
        before=found.before,
        now=found.after,
        cause=cause_words(found),
    )
