"""`python -m simulator`: what the simulator's parts do from the command line."""

import argparse
import sys
from collections.abc import Sequence

from simulator.sample import sample_workload
from simulator.workload_csv import write_workload


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command named in `arguments` (default: the process's own); return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m simulator", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True, metavar="command")
    commands.add_parser("sample", help="write the sample workload as CSV to standard output")
    parser.parse_args(arguments)
    write_workload(sample_workload(), sys.stdout)
    return 0


if __name__ == "__main__":
    sys.exit(main())
