"""An offline job without end: `python -m benchmarks.job_client PORT PATH LINE_FILE`.

Sends the same line again and again, as fast as the node takes it, until it is interrupted; then
prints how many were answered as one line of JSON. A process of its own: it must not hold up the
client that measures.
"""

import json
import signal
import socket
import sys
import threading
import time
from pathlib import Path

HOST = "127.0.0.1"
LINES_AT_ONCE = 4


def run(port: int, path: str, line: bytes) -> dict[str, int]:
    """Send and count until SIGINT; return what came of it."""
    part = line * LINES_AT_ONCE
    chunk = b"%x\r\n%b\r\n" % (len(part), part)
    head = (
        f"POST {path} HTTP/1.1\r\nHost: {HOST}\r\nContent-Type: application/x-ndjson\r\n"
        "Transfer-Encoding: chunked\r\n\r\n"
    )
    answered = failed = 0
    started_s = time.perf_counter()
    with socket.create_connection((HOST, port)) as connection:
        threading.Thread(target=_send, args=(connection, head.encode(), chunk), daemon=True).start()
        try:
            for answer in connection.makefile("rb"):
                # Between the lines of the answer are those of the chunks that carry them.
                if answer.startswith(b'{"line":'):
                    answered += 1
                    failed += b'"error":' in answer[:200]
        except (KeyboardInterrupt, OSError):
            pass
        duration_s = time.perf_counter() - started_s
    return {
        "requests": answered - failed, "duration_us": round(duration_s * 1e6), "failed": failed,
    }  # fmt: skip


def _send(connection: socket.socket, head: bytes, chunk: bytes) -> None:
    try:
        connection.sendall(head)
        while True:
            connection.sendall(chunk)
    except OSError:  # the end of the job
        pass


if __name__ == "__main__":
    # A shell that starts things in the background has them ignore it.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    print(json.dumps(run(int(sys.argv[1]), sys.argv[2], Path(sys.argv[3]).read_bytes())))
