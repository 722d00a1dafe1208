"""What each model, tenant, region, ... did in a period, and its part of the machines."""

from collections.abc import Mapping

from costs.variance import Pool, Shared, share_pools
from reports.pools import PoolKey, read_groups
from reports.pricing import Pricing
from store import By, Filter, Grouping, Key, Period, Reader

# Of these, a machine that executed nothing is somebody's all the same.
OF_MACHINES = (By.CLOUD, By.REGION, By.INSTANCE_TYPE, By.PURCHASE_OPTION)


def read_usages(
    connection: Reader,
    period: Period,
    pools: Mapping[PoolKey, Pool],
    by: Grouping,
    pricing: Pricing,
    where: Filter,
) -> Shared[Key]:
    """Return the usage of every group in `period`; `where` speaks of machines alone.

    Requests that name no model are none of any model's.
    """
    groups = read_groups(connection, period, (by,), pricing, where)
    nameless = {(None,)} if by is By.MODEL else set()
    owners: dict[PoolKey, Key] = {}
    if by in OF_MACHINES:
        owners = {pool: (getattr(pool.machine, str(by)),) for pool in pools}
    return share_pools(
        pools,
        {key: group.on for key, group in groups.items()},
        {key: 0 if key in nameless else group.requests for key, group in groups.items()},
        owners,
    )
