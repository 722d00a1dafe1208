"""What to ask which Prometheus server for, `--config prometheus.toml`."""

import re
import tomllib
from datetime import date, datetime
from pathlib import Path
from typing import Annotated, Any, get_args

import msgspec
from msgspec import Meta, Struct

from collectors.http_address import split_address
from collectors.prometheus.preset import Preset
from collectors.prometheus.presets import combined
from usage import Pool, PurchaseOption
from usage.record import EARLIEST_US, LATEST_US, Labels, Name, NodeId

MINUTE_S = 60
DAY_S = 86_400

_CHOICES = {"purchase_option": get_args(PurchaseOption), "pool": get_args(Pool)}


class ConfigError(Exception):
    """A configuration cannot be used; the message names file, field, value and what is accepted."""


class Machine(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What each machine of a source is billed as. The default has no price."""

    cloud: Name = "unknown"
    region: Name = "unknown"
    instance_type: Name = "unknown"
    purchase_option: PurchaseOption = "on_demand"


class Source(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One thing to ask of one server.

    `selector` are label matchers of PromQL, which every series must meet. `start` is where to begin
    when nothing of this source is stored yet. A NodeSample is at most as fine as `step_s`;
    `chunk_s` is asked for at once; a minute is taken `settle_s` after its end; across a gap longer
    than `lookback_s` nothing is known. `workers` is how many requests a node executes at once, for
    what its exporter tells of that. `node_label`, `model_label` and `version_label` take the place
    of the preset's labels; `nodes` gives nodes another id, by the value of their label; with
    `one_node_per_host` ports are left out of it. `without_spool` confirms, for our own nodes, that
    nobody collects the records they leave.
    """

    name: NodeId
    url: str
    preset: str | list[str]
    selector: str = ""
    start: str = "now"
    step_s: Annotated[int, Meta(ge=1, le=60)] = 15
    chunk_s: Annotated[int, Meta(ge=MINUTE_S, le=DAY_S)] = 3600
    settle_s: Annotated[int, Meta(ge=0, le=3600)] = 30
    lookback_s: Annotated[int, Meta(ge=2, le=DAY_S)] = 300
    timeout_s: Annotated[float, Meta(ge=0.1, le=600)] = 30.0
    token_file: str | None = None
    tls_verify: bool = True
    ca_file: str | None = None
    machine: Machine = Machine()
    tenant: Name = "unknown"
    labels: Labels = {}
    pool: Pool | None = None
    workers: Annotated[int, Meta(ge=1, le=1_000_000)] | None = None
    node_label: Name | None = None
    model_label: Name | None = None
    version_label: Name | None = None
    nodes: dict[str, NodeId] = {}
    one_node_per_host: bool = False
    without_spool: bool = False

    def __post_init__(self) -> None:
        try:
            split_address(self.url)
        except ValueError as error:
            raise ValueError(f"url is {error} (a token goes into token_file)") from None
        preset = self.combined_preset()
        if preset.needs_selector and not self.selector.strip():
            raise ValueError(
                f"selector is empty; accepted with preset {preset.name}: label matchers that name "
                "the servers meant, since others have its metrics, too"
            )
        if preset.own and not self.without_spool:
            raise ValueError(
                f"without_spool is false; accepted with preset {preset.name}: true, to confirm "
                "that nobody collects the spool of these nodes, or all would count twice"
            )
        if MINUTE_S % self.step_s:
            raise ValueError(f"step_s is {self.step_s}; accepted: what divides a minute")
        if self.chunk_s % MINUTE_S:
            raise ValueError(f"chunk_s is {self.chunk_s}; accepted: whole minutes, like 3600")
        self.start_us()

    def combined_preset(self) -> Preset:
        """Return the preset, or what several are together."""
        return combined([self.preset] if isinstance(self.preset, str) else self.preset)

    def start_us(self) -> int | None:
        """Return the instant to begin at, None for the time of the first contact."""
        if self.start == "now":
            return None
        accepted = 'accepted: "now", or a time with its zone like 2026-01-01T00:00:00Z'
        try:
            instant = datetime.fromisoformat(self.start)
        except ValueError:
            raise ValueError(f"start is {self.start!r}; {accepted}") from None
        if instant.tzinfo is None:
            raise ValueError(f"start is {self.start!r}; {accepted}")
        start_us = int(instant.timestamp()) * 1_000_000
        if not EARLIEST_US <= start_us <= LATEST_US:
            raise ValueError(f"start is {self.start!r}; accepted: from 2000 to 2100")
        return start_us


class Config(Struct, frozen=True, forbid_unknown_fields=True):
    """All sources, each with a name of its own."""

    source: Annotated[list[Source], Meta(min_length=1)]

    def __post_init__(self) -> None:
        names = [source.name for source in self.source]
        for name in names:
            if names.count(name) > 1:
                raise ValueError(f"name is {name!r} twice; accepted: a name of its own each")


def read_config(path: Path) -> Config:
    """Return the configuration in the file `path`. Raises ConfigError."""
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}") from error
    # ValueError: no UTF-8, no TOML, or a number of more digits than Python reads.
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"{path}: {' '.join(str(error).split())}") from error
    sources = raw.get("source")
    for source in sources if isinstance(sources, list) else ():
        if isinstance(source, dict) and isinstance(source.get("start"), date):
            source["start"] = source["start"].isoformat()
    try:
        return msgspec.convert(raw, Config)
    except msgspec.ValidationError as error:
        raise ConfigError(f"{path}: {_explained(str(error), raw)}") from error


def _explained(message: str, raw: dict[str, Any]) -> str:
    """Return msgspec's `message` with the name of the source, the value and what is accepted."""
    said, _, path = message.partition(" - at `$")
    names: list[str] = []
    value: Any = raw
    source = ""
    for field, number in re.findall(r"\.([^.\[\]`]+)|\[(\d+)\]", path):
        value = value.get(field) if field else value[int(number)]
        if field:
            names.append(field)
        elif names == ["source"] and isinstance(value, dict):
            source, names = f"source {value.get('name', int(number) + 1)!r}: ", []
    where = ".".join(names)
    unknown = re.fullmatch("Object contains unknown field `(.*)`", said)
    if unknown:
        kind: type[Struct] = Machine if names else Source if source else Config
        fields = ", ".join(kind.__struct_fields__)
        return f"{source}{f'{where}.' if where else ''}{unknown[1]} is unknown; accepted: {fields}"
    if said.startswith("Invalid enum value") and names[-1] in _CHOICES:
        said = ", ".join(_CHOICES[names[-1]])
    elif not said.startswith("Expected"):
        return f"{source}{f'{where}: ' if where else ''}{said[0].lower()}{said[1:]}"
    # Neither what may hold a password, nor a whole table.
    hidden = names == ["url"] or isinstance(value, dict | list)
    shown = " has a wrong value" if hidden else f" is {value!r:.100}"
    return f"{source}{where}{shown}; accepted: {said.removeprefix('Expected ')}"
