"""A node that is killed: what was answered a moment before is on record all the same."""

import random
import time
from pathlib import Path

import pytest

from tests.integration.closed_loop import Question, closed_loop
from tests.integration.node_process import running_node, until
from tests.unit.inference_node import onnx_models
from tests.unit.inference_node.onnx_models import save
from usage import Position, UsageRecord, boots, decode_line

DUE_AFTER_S = 0.1
QUESTION = Question(
    "/v2/models/quick/infer",
    b'{"inputs": [{"name": "x", "datatype": "FP32", "shape": [1, 3], "data": [1, 2, 3]}]}',
)


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("repository")
    save(folder, "quick", onnx_models.doubling(), max_batch_size=32)
    return folder


@pytest.mark.parametrize("fsync", ["false", "true"])
@pytest.mark.parametrize("seed", range(5))
def test_every_request_that_was_answered_100_ms_before_the_kill_is_on_record(
    tmp_path: Path, repository: Path, seed: int, fsync: str
) -> None:
    config = f"[metering]\nfsync = {fsync}"
    running_s = random.Random(seed).uniform(0.15, 0.6)
    with (
        running_node(tmp_path, repository, config) as node,
        closed_loop(node, lambda _: QUESTION) as load,
    ):
        until(lambda: load.answers[0].at_s < time.monotonic() - running_s)
        killed_at_s = time.monotonic()
        node.process.kill()
        node.wait()
    assert {answer.status for answer in load.answers} == {200}
    due = {a.record_id for a in load.answers if a.at_s < killed_at_s - DUE_AFTER_S}
    assert due

    # As a collector reads it: whole lines, and at most one torn one at the very end.
    [boot] = boots(node.spool)
    chunk = boot.read(Position(), 2**30)
    assert chunk is not None
    records = [decode_line(raw) for _, raw in chunk.lines()]
    written = [record for record in records if isinstance(record, UsageRecord)]
    assert due <= {record.record_id for record in written}
    assert [record.seq for record in written] == list(range(1, len(written) + 1))
    assert boot.read(chunk.end, 2**30) is None
    boot.delete_consumed(chunk.end)
    assert boots(node.spool) == []
