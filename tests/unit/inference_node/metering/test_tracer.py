"""Traces of single requests: which ones, by whose setting, and what is in them."""

import json
import logging
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference_node.errors import InvalidRequestError
from inference_node.metering.tracer import DEFAULT, Tracer
from inference_node.protocol.trace import TraceSettings, decode_trace_update, encode_trace_settings
from tests.fixtures_usage import usage_record

ON = {"trace_level": ("TIMESTAMPS",)}


def traced(caplog: pytest.LogCaptureFixture, tracer: Tracer, *models: str) -> list[str]:
    """Show the tracer one request to each of `models`; return those it traced, by their number."""
    caplog.clear()
    with caplog.at_level(logging.INFO):
        for number, model in enumerate(models, 1):
            tracer.see(usage_record(model=model, seq=number, record_id=f"{model}{number}"))
    return [json.loads(event.getMessage().removeprefix("trace "))["id"] for event in caplog.records]


class Events(logging.Handler):
    """Counts what is logged: Hypothesis does not like caplog."""

    count = 0

    def emit(self, _: logging.LogRecord) -> None:
        self.count += 1


def test_nothing_is_traced_until_somebody_wants_it(caplog: pytest.LogCaptureFixture) -> None:
    tracer = Tracer()
    assert not tracer.on
    assert tracer.settings() == tracer.settings("m") == DEFAULT == TraceSettings()
    assert traced(caplog, tracer, "m") == []


def test_one_of_so_many_is_traced_until_there_were_enough(caplog: pytest.LogCaptureFixture) -> None:
    tracer = Tracer()
    tracer.update({**ON, "trace_rate": "3", "trace_count": "2"})
    assert tracer.on
    assert traced(caplog, tracer, *"aaaaaaa") == ["a3", "a6"]
    assert tracer.settings().trace_count == "0"
    assert traced(caplog, tracer, *"aaaaaaa") == []
    assert tracer.update({"trace_count": "-1"}).trace_count == "-1"
    assert traced(caplog, tracer, *"aaaaaaaaa") == ["a3", "a6", "a9"]


def test_a_model_has_its_own_settings_and_counts_by_itself(
    caplog: pytest.LogCaptureFixture,
) -> None:
    tracer = Tracer()
    tracer.update({**ON, "trace_rate": "2"})
    settings = tracer.update({"trace_rate": "1"}, "b")
    assert (settings.trace_rate, settings.trace_level) == ("1", ("TIMESTAMPS",))
    assert traced(caplog, tracer, *"abab") == ["b2", "a3", "b4"]
    tracer.update({"trace_level": ("OFF",)})
    assert tracer.settings("b").trace_level == ("OFF",)
    assert traced(caplog, tracer, *"abab") == []
    tracer.update(ON, "b")
    assert traced(caplog, tracer, *"abab") == ["b2", "b4"]
    assert tracer.update({}, "b") == tracer.settings() == tracer.settings("b")
    assert not tracer.on


def test_null_takes_back_a_setting() -> None:
    tracer = Tracer()
    tracer.update({**ON, "trace_rate": "2"})
    tracer.update({"trace_rate": "5"}, "m")
    assert tracer.update({"trace_rate": None}, "m").trace_rate == "2"
    assert tracer.update({"trace_rate": None}).trace_rate == DEFAULT.trace_rate
    assert tracer.update({"trace_level": None}) == DEFAULT
    assert not tracer.on


def test_a_trace_tells_when_what_happened(caplog: pytest.LogCaptureFixture) -> None:
    tracer = Tracer()
    tracer.update({**ON, "trace_rate": "1"})
    with caplog.at_level(logging.INFO):
        tracer.see(usage_record(arrived_at_us=10, queue_us=2, compute_us=3, total_us=9))
        tracer.see(usage_record(arrived_at_us=10, queue_us=2, batch_size=0, compute_us=0))
    executed, not_executed = (
        json.loads(event.getMessage().removeprefix("trace ")) for event in caplog.records
    )
    assert executed["timestamps"] == [
        {"name": "REQUEST_START", "ns": 10_000},
        {"name": "QUEUE_START", "ns": 10_000},
        {"name": "COMPUTE_START", "ns": 12_000},
        {"name": "COMPUTE_END", "ns": 15_000},
        {"name": "REQUEST_END", "ns": 19_000},
    ]
    names = [stamp["name"] for stamp in not_executed["timestamps"]]
    assert names == ["REQUEST_START", "QUEUE_START", "REQUEST_END"]


@given(st.integers(1, 50), st.integers(-1, 20), st.integers(0, 300))
def test_as_many_are_traced_as_rate_and_count_say(rate: int, count: int, requests: int) -> None:
    tracer = Tracer()
    tracer.update({**ON, "trace_rate": str(rate), "trace_count": str(count)})
    events = Events()
    logger = logging.getLogger("inference_node.metering.tracer")
    logger.addHandler(events)
    logger.setLevel(logging.INFO)
    try:
        for _ in range(requests):
            tracer.see(usage_record())
    finally:
        logger.removeHandler(events)
        logger.setLevel(logging.NOTSET)
    due = requests // rate
    assert events.count == (due if count < 0 else min(due, count))


@pytest.mark.parametrize(
    ("body", "changes"),
    [
        (b"", {}),
        (b"{}", {}),
        (b'{"trace_level": ["TIMESTAMPS"]}', ON),
        (b'{"trace_level": "TIMESTAMPS"}', ON),
        (b'{"trace_level": ["OFF", "TIMESTAMPS"]}', ON),
        (
            b'{"trace_level": ["OFF"], "trace_rate": 7}',
            {"trace_level": ("OFF",), "trace_rate": "7"},
        ),
        (b'{"trace_level": null, "trace_count": "-1"}', {"trace_level": None, "trace_count": "-1"}),
        (b'{"trace_file": "", "log_frequency": "0"}', {}),
    ],
)
def test_an_update_says_what_it_changes(body: bytes, changes: dict[str, Any]) -> None:
    assert decode_trace_update(body) == changes


@pytest.mark.parametrize(
    "body",
    [
        b'{"trace_level": ["TENSORS"]}',
        b'{"trace_level": []}',
        b'{"trace_rate": "0"}',
        b'{"trace_rate": 0}',
        b'{"trace_rate": "1.5"}',
        b'{"trace_rate": "12345678901234567890"}',
        b'{"trace_count": "-2"}',
        b'{"trace_file": "/etc/passwd"}',
        b'{"log_frequency": "100"}',
        b'{"trace_mode": "opentelemetry"}',
        b'{"trace_rate": "1"',
        b"[]",
        b"\xff",
    ],
)
def test_an_update_that_does_not_fit_is_refused(body: bytes) -> None:
    with pytest.raises(InvalidRequestError, match=r"trace settings do not fit: .*; accepted: tr"):
        decode_trace_update(body)


def test_settings_are_text_as_tritons_are() -> None:
    assert json.loads(encode_trace_settings(DEFAULT)) == {
        "trace_level": ["OFF"],
        "trace_rate": "1000",
        "trace_count": "-1",
        "log_frequency": "0",
        "trace_file": "",
    }
