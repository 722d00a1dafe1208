"""Writes records into a spool at a steady rate until its stdin ends: `... SPOOL RATE`.

As a node does, it flushes every few milliseconds what has arrived since. Prints the number of the
last record of each flush and when it was written.
"""

import random
import select
import sys
import time
from pathlib import Path

from uuid_utils import uuid7

from benchmarks.spool_maker import NODE_ID, make_records
from usage import SpoolWriter, encode_lines

FLUSH_S = 0.02


def main() -> None:
    """Write until told to stop."""
    spool, rate = Path(sys.argv[1]), float(sys.argv[2])
    rng = random.Random(2)  # noqa: S311 - made-up data
    boot_id = str(uuid7())
    out = SpoolWriter(spool, NODE_ID, boot_id)
    began, written = time.monotonic(), 0
    while not select.select([sys.stdin], [], [], FLUSH_S)[0]:
        due = int((time.monotonic() - began) * rate)
        if due == written:
            continue
        now_us = time.time_ns() // 1000
        records = make_records(rng, boot_id, written + 1, due - written, now_us)
        out.append(encode_lines(records))
        written = due
        print(written, time.time_ns() // 1000, flush=True)
    out.close()


if __name__ == "__main__":
    main()
