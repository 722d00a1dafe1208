"""Reads what the pages of a dashboard read, every two seconds until its stdin ends: `... FILE`."""

import select
import sys
import time
from pathlib import Path

from costs import Catalogue
from reports import WINDOWS, load_overview, load_request_costs
from store import StoreError

REFRESH_S = 2.0


def main() -> None:
    """Read until told to stop; print how long each reading took, in milliseconds."""
    database, catalogue = Path(sys.argv[1]), Catalogue([])
    while not select.select([sys.stdin], [], [], REFRESH_S)[0]:
        started = time.perf_counter()
        try:
            load_overview(database, catalogue, WINDOWS[0], time.time_ns() // 1000)
            load_request_costs(database, catalogue, 100)
        except StoreError:
            print("busy", flush=True)
            continue
        print((time.perf_counter() - started) * 1000, flush=True)


if __name__ == "__main__":
    main()
