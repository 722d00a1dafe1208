"""The node's log on stderr: one line per event, whatever the event quotes.

What clients send gets into messages, so nothing in one can break a line, move a terminal's cursor
or fake a second event, and what looks like a secret is not written.
"""

import json
import logging
import math
import re
import sys
from datetime import UTC, datetime

from inference_node.access.tokens_file import PREFIX
from inference_node.config import LoggingConfig
from inference_node.errors import InvalidRequestError
from inference_node.protocol.log_settings import LogSettings

# Of one message or field; a traceback is a few thousand characters.
LONGEST_TEXT = 32_768
LONGEST_PASSWORD = 2_048

# Control characters, and what else ends a line for some reader; lone surrogates have no UTF-8.
_BREAKING = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_BEARER = re.compile(r"""(?i)\b(bearer(?:\s|%20)+)(?!tokens?\b)[^\s"'<>,;]+""")
_OWN_TOKEN = re.compile(PREFIX + r"[A-Za-z0-9_-]{16,}")
# Up to the last @ of the word: a password may hold one that nobody encoded.
_URL_PASSWORD = re.compile(rf"(://[^\s/?#@:]{{0,256}}:)\S{{1,{LONGEST_PASSWORD}}}@")

_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
_FIELDS = frozenset({"ts", "level", "logger", "exception", "stack"})


def configure_logging(config: LoggingConfig) -> "Log":
    """Write the log of the whole process to stderr as `config` says, from now on."""
    root = logging.getLogger()
    for handler in root.handlers[:]:
        if isinstance(handler, _StderrHandler):
            root.removeHandler(handler)
    log = Log(config)
    root.addHandler(log.handler)
    log.change(log.settings)
    return log


class _StderrHandler(logging.StreamHandler):  # type: ignore[type-arg]
    """Told from the handlers that others put on the root logger."""


class Log:
    """The log of the process. What of it is written can change while the process runs."""

    def __init__(self, config: LoggingConfig) -> None:
        self.handler = _StderrHandler(sys.stderr)
        self.handler.addFilter(self._is_written)
        self._text = TextLines() if config.format == "text" else None
        self.handler.setFormatter(self._text or JsonLines())
        least = logging.getLevelNamesMapping()[config.level.upper()]
        self._settings = LogSettings(
            log_info=least <= logging.INFO,
            log_warning=least <= logging.WARNING,
            log_verbose_level=int(least <= logging.DEBUG),
            log_format="default" if self._text else "ISO8601",
        )

    @property
    def settings(self) -> LogSettings:
        """What of the log is written."""
        return self._settings

    def change(self, settings: LogSettings) -> None:
        """Write what `settings` say from now on. Raises InvalidRequestError for a time format that
        the log cannot have."""
        if self._text is not None:
            self._text.iso8601 = settings.log_format == "ISO8601"
        elif settings.log_format != "ISO8601":
            raise InvalidRequestError(
                f"log_format is {settings.log_format!r}; accepted: ISO8601, since the log is JSON"
            )
        self._settings = settings
        # What nobody wants is not even made.
        verbose = settings.log_verbose_level > 0
        logging.getLogger().setLevel(logging.DEBUG if verbose else logging.INFO)

    def _is_written(self, record: logging.LogRecord) -> bool:
        settings = self._settings
        if record.levelno >= logging.ERROR:
            return settings.log_error
        if record.levelno >= logging.WARNING:
            return settings.log_warning
        if record.levelno >= logging.INFO:
            return settings.log_info
        return settings.log_verbose_level > 0


class TextLines(logging.Formatter):
    """Time, level and message; a traceback follows in the same line, its newlines escaped.

    The time is local, or with `iso8601` as in lines of JSON.
    """

    iso8601 = False

    def format(self, record: logging.LogRecord) -> str:
        """Return `record` as one line."""
        text = "\n".join([_message(record), *_exceptions(self, record).values()])
        at = _rfc3339(record) if self.iso8601 else self.formatTime(record)
        return f"{at} {record.levelname} node: {harmless(text)}"


class JsonLines(logging.Formatter):
    """An object per event: ts (RFC 3339, UTC), level, logger, message, and what is in `extra`.

    A traceback is one string, `exception`. A field of `extra` that has the name of one of these is
    left out; a value that JSON has no type for is its `str`.
    """

    def format(self, record: logging.LogRecord) -> str:
        """Return `record` as one line of ASCII."""
        event: dict[str, object] = {
            "ts": _rfc3339(record),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": masked(_message(record)),
        }
        for name, value in vars(record).items():
            if name not in _STANDARD and name not in _FIELDS:
                event[name] = _plain(value)
        event |= {name: masked(text) for name, text in _exceptions(self, record).items()}
        return json.dumps(event)


def masked(text: str) -> str:
    """Return `text`, cut at LONGEST_TEXT, with stars for bearer tokens and passwords in URLs."""
    if len(text) > LONGEST_TEXT:
        text = f"{text[:LONGEST_TEXT]}... ({len(text)} characters)"
    text = _OWN_TOKEN.sub("***", _BEARER.sub(r"\1***", text))
    return _URL_PASSWORD.sub(r"\1***@", text)


def harmless(text: str) -> str:
    """Return `text` masked, and every character that could break a line as its escape."""
    return _BREAKING.sub(lambda found: _escape(found[0]), masked(text))


def _escape(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")


def _rfc3339(record: logging.LogRecord) -> str:
    return datetime.fromtimestamp(record.created, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _message(record: logging.LogRecord) -> str:
    try:
        return record.getMessage()
    except Exception:  # a defect in a call must not cost the event, nor a traceback on stderr
        given = record.args if isinstance(record.args, tuple) else (record.args,)
        return " ".join(map(str, (record.msg, *given)))


def _exceptions(formatter: logging.Formatter, record: logging.LogRecord) -> dict[str, str]:
    found = {}
    if record.exc_info:
        found["exception"] = formatter.formatException(record.exc_info)
    elif record.exc_text:
        found["exception"] = record.exc_text
    if record.stack_info:
        found["stack"] = record.stack_info
    return found


def _plain(value: object) -> object:
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, float) and math.isfinite(value):
        return value
    return masked(str(value))
