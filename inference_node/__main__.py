"""`python -m inference_node serve|replay|token`: a node, a client that replays, who may ask."""

import argparse
import sys
from pathlib import Path

from inference_node.access.token_command import add_token_arguments, run_token
from inference_node.config import LoggingConfig
from inference_node.errors import StartError
from inference_node.log import configure_logging
from inference_node.replay.arguments import add_replay_arguments, run_replay
from inference_node.server import serve


def main() -> int:
    """Parse the arguments, run, return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m inference_node", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    node = commands.add_parser("serve", help="serve the models of a repository")
    node.add_argument("--model-repository", type=Path, default=Path("data/models"))
    node.add_argument("--host", default="127.0.0.1")
    node.add_argument("--port", type=int, default=8000, help="0 takes a free port")
    node.add_argument("--spool", type=Path, default=Path("data/spool"))
    node.add_argument("--config", type=Path, help="TOML file; see docs/node_config.md")
    add_replay_arguments(commands.add_parser("replay", help="send recorded or made-up arrivals"))
    add_token_arguments(commands.add_parser("token", help="make, list and revoke bearer tokens"))
    arguments = parser.parse_args()
    # Until the node has read how it is to log.
    configure_logging(LoggingConfig())
    try:
        if arguments.command == "replay":
            return run_replay(arguments)
        if arguments.command == "token":
            return run_token(arguments)
        serve(
            arguments.config,
            arguments.model_repository,
            arguments.host,
            arguments.port,
            arguments.spool,
        )
    except StartError as error:
        print(error, file=sys.stderr)
        return 2
    except KeyboardInterrupt:  # while the models were loading; a serving node stops by itself
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
