"""Why cost changed from one period to the next, without a residual; pure."""

from costs.variance.change import Contribution, Kind, Variance, explain_change
from costs.variance.drivers import Driver
from costs.variance.log_mean import log_mean
from costs.variance.movers import Cause, Mover, top_movers
from costs.variance.pools import Execution, Pool, Shared, share_pools
from costs.variance.usage import NO_USAGE, Usage

__all__ = [
    "NO_USAGE",
    "Cause",
    "Contribution",
    "Driver",
    "Execution",
    "Kind",
    "Mover",
    "Pool",
    "Shared",
    "Usage",
    "Variance",
    "explain_change",
    "log_mean",
    "share_pools",
    "top_movers",
]
