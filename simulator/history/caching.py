"""Which requests a cache answers, and from whose execution."""

import numpy as np
import numpy.typing as npt

from simulator.workload import Integers

NOBODY = -1


def leaders(arrived_us: Integers, entry: Integers, idle_us: Integers) -> Integers:
    """Return for each of n requests, in order of arrival, whose execution answers it.

    `entry` says what is asked for: equal numbers, equal answers; below 0 the request asks no cache.
    An entry is kept for `idle_us` after the last request for it. The result is the place of an
    earlier request, or NOBODY where the request has to be executed itself.
    """
    order = np.argsort(entry, kind="stable")
    same = np.zeros(len(order), np.bool_)
    same[1:] = (entry[order][1:] == entry[order][:-1]) & (entry[order][1:] >= 0)
    waited_us = np.diff(arrived_us[order], prepend=arrived_us[order][:1])
    hit: npt.NDArray[np.bool_] = same & (waited_us <= idle_us[order])
    # The place in `order` of the last request that was executed, carried on to those after it.
    own = np.where(hit, 0, np.arange(len(order)))
    executed = np.maximum.accumulate(own)
    found = np.full(len(order), NOBODY, np.int64)
    found[order[hit]] = order[executed[hit]]
    return found
