"""The process that converts lines: real, killed, and gone when the node goes."""

import asyncio
import json
import os
import signal
import struct
from collections.abc import Awaitable, Callable

import pytest
import uvloop

from inference_node.line_process import SHORTEST_BYTES, LineProcess


def long_line(value: float) -> bytes:
    count = SHORTEST_BYTES
    tensor = {"name": "x", "shape": [1, count], "datatype": "FP32", "data": [value] * count}
    return json.dumps({"inputs": [tensor]}).encode()


def play(story: Callable[[LineProcess], Awaitable[None]]) -> None:
    async def staged() -> None:
        lines = LineProcess()
        try:
            await asyncio.wait_for(story(lines), 30)
        finally:
            await lines.close()

    uvloop.run(staged())


def pid_of(lines: LineProcess) -> int:
    assert lines._process is not None
    return lines._process.pid


def test_long_lines_are_converted_each_for_who_asked_and_short_ones_left_alone() -> None:
    async def story(lines: LineProcess) -> None:
        assert await lines.converted(b"{}") == (b"{}", None)
        assert lines._process is None
        asked = [lines.converted(long_line(float(value))) for value in range(20)]
        for value, (body, json_length) in enumerate(await asyncio.gather(*asked)):
            assert json_length is not None
            content = json.loads(body[:json_length])
            assert content["inputs"][0]["parameters"] == {"binary_data_size": 4 * SHORTEST_BYTES}
            assert body[json_length:] == body[-4:] * SHORTEST_BYTES
            assert int.from_bytes(body[-4:], "little") == (0 if value == 0 else _bits(value))

    play(story)


def _bits(value: int) -> int:
    return int(struct.unpack("<I", struct.pack("<f", float(value)))[0])


def test_a_line_that_cannot_be_converted_comes_back_as_it_is() -> None:
    async def story(lines: LineProcess) -> None:
        garbage = b"x" * SHORTEST_BYTES
        assert await lines.converted(garbage) == (garbage, None)

    play(story)


def test_the_process_gives_way_to_all_others() -> None:
    async def story(lines: LineProcess) -> None:
        await lines.converted(long_line(1.0))
        assert os.sched_getscheduler(pid_of(lines)) == os.SCHED_IDLE

    play(story)


def test_when_the_process_is_killed_lines_come_back_as_they_are_and_it_is_started_again() -> None:
    async def story(lines: LineProcess) -> None:
        line = long_line(1.0)
        await lines.converted(line)
        first = pid_of(lines)
        os.kill(first, signal.SIGSTOP)
        asked = [asyncio.create_task(lines.converted(line)) for _ in range(30)]
        await asyncio.sleep(0)
        os.kill(first, signal.SIGKILL)
        assert all(answer == (line, None) for answer in await asyncio.gather(*asked))
        _, json_length = await lines.converted(line)
        assert json_length is not None
        assert pid_of(lines) != first

    play(story)


def test_a_job_that_is_cut_short_does_not_confuse_the_others() -> None:
    async def story(lines: LineProcess) -> None:
        await lines.converted(long_line(1.0))
        leaving = asyncio.create_task(lines.converted(long_line(2.0)))
        staying = asyncio.create_task(lines.converted(long_line(3.0)))
        await asyncio.sleep(0)
        leaving.cancel()
        body, _ = await staying
        assert int.from_bytes(body[-4:], "little") == _bits(3)

    play(story)


def test_nothing_is_left_of_it_when_the_node_closes() -> None:
    pids: list[int] = []

    async def story(lines: LineProcess) -> None:
        await lines.converted(long_line(1.0))
        pids.append(pid_of(lines))

    play(story)
    with pytest.raises(ProcessLookupError):
        os.kill(pids[0], 0)
