"""One line per event, whatever it quotes, and no secret in it."""

import json
import logging
import re
import subprocess
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference_node.config import LoggingConfig
from inference_node.errors import InvalidRequestError
from inference_node.log import JsonLines, Log, TextLines, configure_logging, masked
from inference_node.protocol.log_settings import LogSettings, updated

ROOT = Path(__file__).parents[3]
HOSTILE = [
    "a\nb", "a\r\nb", "a\x1b[2Jb", "a\x00b", "a\x85b", "a\u2028b\u2029", "a\x0bb\x0c", "a\ud800b",
    "\n2026-01-01 00:00:00,000 ERROR node: forged", '"}\n{"level": "error"', "%s %d %(x)s", "",
]  # fmt: skip


def record(message: str, *args: object, **more: Any) -> logging.LogRecord:
    extra = more.pop("extra", {})
    made = logging.LogRecord("node.part", logging.WARNING, "x.py", 1, message, args, None, **more)
    made.__dict__.update(extra)
    return made


def failure(message: str) -> Any:
    try:
        raise ValueError(message)  # noqa: TRY301 - for its traceback
    except ValueError:
        return sys.exc_info()


def raised(message: str, error: str) -> logging.LogRecord:
    made = record(message)
    made.exc_info = failure(error)
    return made


@pytest.mark.parametrize("text", HOSTILE)
def test_nothing_that_is_quoted_breaks_a_line(text: str) -> None:
    for formatter in (TextLines(), JsonLines()):
        for event in (
            record("request %s", text, extra={"request_id": text}),
            record(text),
            raised(text, text),
        ):
            line = formatter.format(event)
            assert line.splitlines() == [line]
            assert line.isprintable()
            line.encode("utf-8")


@given(st.text())
def test_any_text_is_one_line_and_comes_back_whole_from_json(text: str) -> None:
    assert len((TextLines().format(record("%s", text)) + "\n").splitlines()) == 1
    event = json.loads(JsonLines().format(record("%s", text, extra={"tenant": text})))
    assert event["message"] == event["tenant"] == masked(text)


def test_a_line_of_text_says_when_how_bad_and_what() -> None:
    line = TextLines().format(record("stopped; %d left", 3, extra={"request_id": "r"}))
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} WARNING node: stopped; 3 left", line)
    with_traceback = TextLines().format(raised("a defect", "no\nway"))
    assert r"a defect\nTraceback (most recent call last):\n" in with_traceback
    assert with_traceback.endswith(r"ValueError: no\nway")


def test_a_line_of_json_has_the_extra_fields_beside_its_own() -> None:
    event = record(
        "asked %s",
        "digits",
        extra={"request_id": "r-1", "items": 3, "share": 0.5, "cold": True, "tenant": None}
        | {"path": Path("/x"), "ratio": float("nan"), "level": "forged", "ts": "forged"},
    )
    event.created = 1_780_272_000.000123
    found = json.loads(JsonLines().format(event), parse_constant=lambda name: pytest.fail(name))
    assert found == {
        "ts": "2026-06-01T00:00:00.000123Z",
        "level": "warning",
        "logger": "node.part",
        "message": "asked digits",
        "request_id": "r-1",
        "items": 3,
        "share": 0.5,
        "cold": True,
        "tenant": None,
        "path": "/x",
        "ratio": "nan",
    }
    assert datetime.fromisoformat(found["ts"]).utcoffset() is not None


def test_an_exception_is_one_string_of_json() -> None:
    found = json.loads(JsonLines().format(raised("a defect", "no\nway")))
    assert found["exception"].startswith("Traceback (most recent call last):\n")
    assert found["exception"].endswith("ValueError: no\nway")
    assert found["message"] == "a defect"


# The same in each process that runs these tests: it is a part of their names.
TOKEN = "icn_" + "aB3-_x9" * 6 + "Z"


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        (f"authorization: Bearer {TOKEN}", TOKEN),
        (f"authorization: Bearer {TOKEN}", TOKEN[4:]),
        (f"token {TOKEN}!", TOKEN),
        ("b'bearer  s3cr3t'", "s3cr3t"),
        ("BEARER\ns3cr3t", "s3cr3t"),
        ("?authorization=Bearer%20s3cr3t", "s3cr3t"),
        ("redis://user:s3cr3t@cache:6379/0 is gone", "s3cr3t"),
        ("redis://:s3cr3t@cache:6379/0", "s3cr3t"),
        ("redis://u:a@s3cr3t@cache/0", "s3cr3t"),
        ("redis://u:a/s3cr3t@cache/0", "s3cr3t"),
        (f"https://u:{'p' * 2000}s3cr3t@host", "s3cr3t"),
    ],
)
def test_no_secret_reaches_a_line(text: str, secret: str) -> None:
    for formatter in (TextLines(), JsonLines()):
        for event in (record(text), record("%s", text), record("x", extra={"a": text})):
            assert secret not in formatter.format(event)
        made = record("at %d", text)  # a wrong call shows its arguments
        assert secret not in formatter.format(made)
        assert secret not in formatter.format(raised("x", text))


def test_what_is_no_secret_stays() -> None:
    for text in (
        "http://127.0.0.1:8000/v2/models/digits",
        "redis://cache:6379/0 is gone; mail ops@example.org",
        "header authorization with Bearer and a token",
        "a bearer token is needed",
        "icn_short",
    ):
        kept = text.replace("Bearer and", "Bearer ***") if "Bearer and" in text else text
        assert masked(text) == kept


def test_a_huge_message_is_cut_and_quickly_searched() -> None:
    for text in ("x" * 10_000_000, "://a:" * 1_000_000, "bearer " * 1_000_000):
        assert len(masked(text)) < 33_000


PROGRAM = """
import logging, sys
from inference_node.config import LoggingConfig
from inference_node.log import configure_logging
configure_logging(LoggingConfig())
configure_logging(LoggingConfig(format=sys.argv[1], level=sys.argv[2]))
for level in ("debug", "info", "warning", "error"):
    getattr(logging.getLogger("uvicorn.error"), level)("at %s", level, extra={"request_id": "r"})
logging.getLogger("x").error("%d", "wrong call")
"""


@pytest.mark.parametrize("form", ["text", "json"])
def test_the_whole_process_logs_as_configured_and_each_event_once(form: str) -> None:
    def lines(level: str) -> list[str]:
        ended = subprocess.run(
            [sys.executable, "-c", PROGRAM, form, level],
            capture_output=True, text=True, cwd=ROOT, check=True,
        )  # fmt: skip
        assert ended.stdout == ""
        return ended.stderr.splitlines()

    warning = lines("warning")
    assert len(warning) == 3
    assert len(lines("debug")) == 5
    if form == "json":
        events = [json.loads(line) for line in warning]
        assert [event["level"] for event in events] == ["warning", "error", "error"]
        assert events[0]["request_id"] == "r"
        assert "wrong call" in events[2]["message"]
    else:
        assert warning[0].endswith(" WARNING node: at warning")


LEVELS = """
import logging, sys
from inference_node.config import LoggingConfig
from inference_node.log import configure_logging
from inference_node.protocol.log_settings import LogSettings
log = configure_logging(LoggingConfig())
for settings in (
    LogSettings(log_info=False),
    LogSettings(log_warning=False, log_verbose_level=2),
    LogSettings(log_error=False, log_format="ISO8601"),
    log.settings,
):
    log.change(settings)
    for level in ("debug", "info", "warning", "error"):
        getattr(logging.getLogger("x"), level)("at %s", level)
"""


def test_each_level_is_switched_by_itself_while_the_process_runs() -> None:
    ended = subprocess.run(
        [sys.executable, "-c", LEVELS], capture_output=True, text=True, cwd=ROOT, check=True
    )
    lines = ended.stderr.splitlines()
    assert [line.rpartition(" ")[2] for line in lines] == [
        "warning", "error", "debug", "info", "error", "info", "warning", "info", "warning", "error",
    ]  # fmt: skip
    in_iso = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z [A-Z]+ node: at .*"
    assert [bool(re.fullmatch(in_iso, line)) for line in lines] == [
        place in (5, 6) for place in range(10)
    ]


@pytest.mark.parametrize(
    ("level", "written"),
    [
        ("debug", (True, True, 1)),
        ("info", (True, True, 0)),
        ("warning", (False, True, 0)),
        ("error", (False, False, 0)),
    ],
)
def test_settings_are_those_of_the_configuration_first(
    level: Any, written: tuple[bool, bool, int]
) -> None:
    for form, time_format in (("text", "default"), ("json", "ISO8601")):
        config = LoggingConfig(format=form, level=level)  # type: ignore[arg-type]
        settings = Log(config).settings
        found = (settings.log_info, settings.log_warning, settings.log_verbose_level)
        assert found == written
        assert settings.log_error
        assert (settings.log_format, settings.log_file) == (time_format, "")


def test_the_time_in_json_stays_what_it_is() -> None:
    log = Log(LoggingConfig(format="json"))
    with pytest.raises(InvalidRequestError, match="log_format is 'default'; accepted: ISO8601"):
        log.change(LogSettings(log_info=False))
    assert log.settings.log_info


@pytest.mark.parametrize(
    ("body", "complaint"),
    [
        (b'{"log_info": 1}', "Expected `bool`"),
        (b'{"log_verbose_level": -1}', "$.log_verbose_level"),
        (b'{"log_verbose_level": true}', "$.log_verbose_level"),
        (b'{"log_format": "json"}', "'json'"),
        (b'{"log_file": "/etc/passwd"}', "$.log_file"),
        (b'{"log_warnings": false}', "log_warnings"),
        (b'{"log_info": false', "truncated"),
        (b"[]", "Expected `object`"),
        (b"\xff", "log settings"),
    ],
)
def test_settings_that_do_not_fit_are_refused(body: bytes, complaint: str) -> None:
    with pytest.raises(InvalidRequestError, match="accepted: log_info") as refusal:
        updated(LogSettings(), body)
    assert complaint in str(refusal.value)


def test_an_update_changes_what_it_names() -> None:
    assert updated(LogSettings(log_info=False), b"") == LogSettings(log_info=False)
    changed = updated(LogSettings(log_info=False), b'{"log_verbose_level": 2, "log_file": ""}')
    assert changed == LogSettings(log_info=False, log_verbose_level=2)


def test_handlers_of_others_are_left_where_they_are() -> None:
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    try:
        configure_logging(LoggingConfig())
        configure_logging(LoggingConfig(format="json"))
        assert len(root.handlers) == len(before) + 1
        assert root.handlers[:-1] == before
    finally:
        root.handlers[:] = before
        root.setLevel(level)
