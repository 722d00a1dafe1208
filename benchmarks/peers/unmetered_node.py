"""The node without usage records: to see what they cost, never to serve.

`python -m benchmarks.peers.unmetered_node` takes the arguments of `python -m inference_node`.
"""

import sys
from unittest.mock import patch

from inference_node.__main__ import main
from inference_node.metering.receipt import Receipt
from inference_node.metering.recorder import Recorder


def _nothing(_recorder: Recorder, _receipt: Receipt, _status: int, _response_bytes: int) -> None:
    pass


if __name__ == "__main__":
    with patch.object(Recorder, "write", _nothing):
        sys.exit(main())
