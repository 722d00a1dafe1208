"""`python -m collectors COMMAND`: bring facts in from where they arise, and look after them."""

import argparse
import sys
from importlib import import_module

# Name, module and what it does. A module is imported for its own command only: a machine that
# forwards its spool needs no database.
COMMANDS = {
    "run": ("collectors.commands.run", "follow the spool until stopped"),
    "once": ("collectors.commands.once", "store what the spool holds now"),
    "receive": ("collectors.receiving.command", "take the spools of other machines over HTTP"),
    "forward": ("collectors.forwarding.command", "send the spool to a receiver"),
    "import": ("collectors.importing.command", "bring in the logs of other servers"),
    "prometheus": ("collectors.prometheus.command", "store what Prometheus servers know"),
    "maintain": ("collectors.commands.maintain", "archive, fold and delete as retention asks"),
    "check": ("collectors.commands.check", "whether raw facts, rollups and archive agree"),
    "rebuild": ("collectors.commands.rebuild", "rollups from raw facts, or all from the archive"),
    "backup": ("collectors.commands.backup", "copy database, archive, budgets, actions"),
    "restore": ("collectors.commands.restore", "put a backup back"),
}


def main() -> int:
    """Parse the arguments, run the command, return its exit code."""
    parser = argparse.ArgumentParser(prog="python -m collectors", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    wanted = sys.argv[1] if len(sys.argv) > 1 else ""
    for name, (_, text) in COMMANDS.items():
        command = commands.add_parser(name, help=text, description=text)
        if name == wanted:
            import_module(COMMANDS[name][0]).add_arguments(command)
    arguments = parser.parse_args()
    return _told(arguments)


def _told(arguments: argparse.Namespace) -> int:
    """Run the command, with what can go wrong told in a line."""
    module = import_module(COMMANDS[arguments.command][0])
    try:
        return int(module.run(arguments))
    except KeyboardInterrupt:
        return 130
    except Exception as error:
        if not _is_told(error):
            raise
        print(error, file=sys.stderr)
        return 1


def _is_told(error: Exception) -> bool:
    """Tell whether the message of `error` is all that a user needs."""
    if isinstance(error, OSError):
        return True
    return any(
        base.__module__.split(".")[0] in ("collectors", "store", "reports")
        for base in type(error).__mro__
    )


if __name__ == "__main__":
    sys.exit(main())
