"""A spool that takes nothing never stops a node: facts wait, then are counted, then are written."""

import contextlib
import json
import os
import re
import resource
import subprocess
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from itertools import pairwise
from pathlib import Path

import pytest

from tests.integration.node_process import Answer, Node, running_node, until
from tests.unit.inference_node import onnx_models
from tests.unit.inference_node.onnx_models import save
from usage import boots

PATH = "/v2/models/quick/infer"
BODY = json.dumps(
    {"inputs": [{"name": "x", "datatype": "FP32", "shape": [1, 3], "data": [1, 2, 3]}]}
).encode()
MOST_BUFFERED = 60
CONFIG = f"[metering]\nbuffer_records = {MOST_BUFFERED}\nsample_interval_seconds = 60"


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("repository")
    save(folder, "quick", onnx_models.doubling())
    return folder


def segment_of(node: Node) -> Path:
    [boot] = boots(node.spool)
    return boot.folder / f"{boot.segments()[-1]:08d}.ndjson"


@contextmanager
def full_disk(node: Node) -> Iterator[str]:
    """Nothing is left of the file system on which the spool is."""
    ballast = node.spool / "ballast"
    with contextlib.suppress(OSError), ballast.open("wb", buffering=0) as file:
        while True:
            file.write(bytes(4096))
    yield "No space left on device"
    ballast.unlink()


@contextmanager
def size_limit(node: Node) -> Iterator[str]:
    """The system takes a part of the next line."""
    pid = node.process.pid
    before = resource.prlimit(pid, resource.RLIMIT_FSIZE)
    most_bytes = segment_of(node).stat().st_size + 100
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (most_bytes, before[1]))
    yield "File too large"
    if node.process.poll() is None:
        resource.prlimit(pid, resource.RLIMIT_FSIZE, before)


@contextmanager
def file_in_its_place(node: Node) -> Iterator[str]:
    """Somebody moves the spool away while the node writes it."""
    aside = node.spool.with_name("aside")
    node.spool.rename(aside)
    node.spool.write_text("in the way")
    yield "Not a directory"
    node.spool.unlink()
    aside.rename(node.spool)


Trouble = Callable[[Node], AbstractContextManager[str]]


@pytest.fixture
def spool(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Path]:
    """A folder for the spool; on a small file system of its own where the disk is to be full."""
    folder = tmp_path / "spool"
    if request.node.callspec.params.get("trouble") is not full_disk:
        yield folder
        return
    folder.mkdir()
    options = ["-t", "tmpfs", "-o", "size=1m", "none", str(folder)]
    if subprocess.run(["mount", *options], capture_output=True, check=False).returncode:
        reason = "a small file system is needed, and only root may mount one"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def metrics(node: Node) -> dict[str, float]:
    """Return what `/metrics` says of the way of facts to the spool."""
    text = node.ask("GET", "/metrics").body.decode()
    return {
        name: float(value) for name, value in re.findall(r"^(usage_\w+) ([0-9.e+]+)$", text, re.M)
    }


def state(dropped: float, buffered: float, failing: float) -> dict[str, float]:
    return {
        "usage_records_dropped_total": dropped,
        "usage_records_buffered": buffered,
        "usage_spool_failing": failing,
    }


def require_whole_lines(node: Node) -> None:
    for path in node.spool.glob("*/*/*.ndjson"):
        assert path.read_bytes()[-1:] in (b"\n", b"")


@pytest.mark.parametrize("trouble", [full_disk, size_limit, file_in_its_place])
def test_while_nothing_can_be_written_requests_are_answered_and_what_was_sent_is_stored_or_counted(
    tmp_path: Path, repository: Path, spool: Path, trouble: Trouble
) -> None:
    answers: list[Answer] = []
    with running_node(tmp_path, repository, CONFIG, spool=spool) as node:

        def ask(times: int) -> None:
            answers.extend(node.ask("POST", PATH, BODY) for _ in range(times))

        ask(20)
        node.record(answers[-1].record_id)
        with trouble(node) as reason:
            while not metrics(node)["usage_spool_failing"]:
                # The segment's last block may have room for some more.
                ask(1)
                assert len(answers) < 1000
            ask(MOST_BUFFERED)
            # A sample may be among what waits, should a minute begin just now.
            until(lambda: metrics(node)["usage_records_buffered"] == MOST_BUFFERED)
            before = metrics(node)["usage_records_dropped_total"]
            ask(30)
            dropped = before + 30
            assert metrics(node) == state(dropped, MOST_BUFFERED, 1)
        until(lambda: metrics(node) == state(dropped, 0, 0))
        ask(10)
        assert node.stop() == 0
        log = node.log().splitlines()

        assert {(answer.status, answer.body) for answer in answers} == {(200, answers[0].body)}
        sent = [answer.record_id for answer in answers]
        stored = [record.record_id for record in node.records()]
        kept = len(stored) - 10
        # Everything once and in order; what came first was kept.
        assert stored == sent[:kept] + sent[-10:]
        require_whole_lines(node)
        missing_samples = sum(
            later.sampled_at_us - later.interval_us != earlier.sampled_at_us
            for earlier, later in pairwise(node.samples())
        )
        assert dropped == len(sent) - len(stored) + missing_samples
        assert node.samples()[-1].records_dropped == dropped

    [begin] = (number for number, line in enumerate(log) if "facts wait in memory" in line)
    [end] = (number for number, line in enumerate(log) if "takes facts again" in line)
    assert reason in log[begin]
    assert str(spool) in log[begin]
    assert begin < end
    assert f"{dropped:.0f} were dropped" in log[end]
    assert log[-1].endswith("stopped")


def test_a_trouble_that_passes_in_time_loses_nothing(tmp_path: Path, repository: Path) -> None:
    with running_node(tmp_path, repository, CONFIG) as node:
        ids = [node.ask("POST", PATH, BODY).record_id]
        node.record(ids[0])
        for _ in range(3):
            with size_limit(node):
                ids += [node.ask("POST", PATH, BODY).record_id for _ in range(10)]
                until(lambda: metrics(node)["usage_spool_failing"])
            until(lambda: metrics(node) == state(0, 0, 0))
        assert node.stop() == 0
    assert [record.record_id for record in node.records()] == ids
    assert [record.seq for record in node.records()] == list(range(1, 32))
    assert node.log().count("facts wait in memory") == 3
    assert node.log().count("the spool takes facts again; 0 were dropped") == 3
    assert "stopped; every record is in the spool" in node.log()


def test_a_spool_that_is_no_folder_from_the_start_is_waited_for(
    tmp_path: Path, repository: Path
) -> None:
    spool = tmp_path / "spool"
    spool.write_text("a file is in the way")
    with running_node(tmp_path, repository, CONFIG, spool=spool) as node:
        ids = [node.ask("POST", PATH, BODY).record_id for _ in range(20)]
        until(lambda: "facts wait in memory" in node.log())
        spool.unlink()
        assert node.record(ids[-1])
        assert node.stop() == 0
    assert [record.record_id for record in node.records()] == ids
    assert node.samples()[-1].records_dropped == 0


def test_a_stop_in_the_midst_of_the_trouble_says_what_is_lost_and_does_not_hang(
    tmp_path: Path, repository: Path
) -> None:
    with running_node(tmp_path, repository, CONFIG) as node:
        first = node.ask("POST", PATH, BODY).record_id
        node.record(first)
        with size_limit(node):
            for _ in range(7):
                assert node.ask("POST", PATH, BODY).status == 200
            assert node.stop() == 0
            log = node.log()
    # Seven records and the sample of the end; one more where a minute began just now.
    assert re.search("[89] facts could not be written to the spool: lost", log)
    assert log.endswith("stopped\n")
    assert [record.record_id for record in node.records()] == [first]
    require_whole_lines(node)
