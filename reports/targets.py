"""The promised quality of service, from `data/targets.toml`."""

import tomllib
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from reports.errors import ReportError

# A day: beyond it, and above all without a limit, it is no promise.
Milliseconds = Annotated[float, Meta(gt=0, le=86_400_000)]


class LatencyTargets(Struct, frozen=True, forbid_unknown_fields=True):
    """Upper limits for quantiles of the latency of successful requests, in milliseconds."""

    p50: Milliseconds
    p95: Milliseconds
    p99: Milliseconds


class Targets(Struct, frozen=True, forbid_unknown_fields=True):
    """What the service promises its users."""

    latency_ms: LatencyTargets


def load_targets(path: Path) -> Targets:
    """Return the targets in the TOML file `path`; raises ReportError when it is wrong."""
    try:
        return msgspec.convert(tomllib.loads(path.read_text(encoding="utf-8")), Targets)
    except OSError as error:
        raise ReportError(f"{path}: {error.strerror}; a targets file is required") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, msgspec.ValidationError) as error:
        raise ReportError(f"{path}: {error}") from error
