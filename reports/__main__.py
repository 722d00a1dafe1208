"""`python -m reports COMMAND`: figures and files for people and programs outside the dashboard."""

import argparse
import sys
from importlib import import_module

from reports.errors import ReportError
from store import StoreError

# Name, module and what it does. A module is imported for its own command only.
COMMANDS = {
    "overview": ("reports.commands.overview", "figures of a window, or of all data, as JSON"),
    "finance": ("reports.commands.finance", "the charges of a period as files for finance"),
    "weekly": ("reports.commands.weekly", "the review of a week as HTML, PDF or JSON"),
}


def main() -> int:
    """Parse the arguments, run the command, return its exit code."""
    parser = argparse.ArgumentParser(prog="python -m reports", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    wanted = sys.argv[1] if len(sys.argv) > 1 else ""
    for name, (_, text) in COMMANDS.items():
        command = commands.add_parser(name, help=text, description=text)
        if name == wanted:
            import_module(COMMANDS[name][0]).add_arguments(command)
    arguments = parser.parse_args()
    try:
        return int(import_module(COMMANDS[arguments.command][0]).run(arguments))
    except KeyboardInterrupt:
        return 130
    except (ReportError, StoreError) as error:
        print(error, file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
