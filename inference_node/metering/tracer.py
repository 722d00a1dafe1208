"""Traces of single requests, in the log, for as long as somebody wants to see them."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass

from msgspec import structs

from inference_node.protocol.trace import TraceSettings, encode_trace
from usage import UsageRecord

logger = logging.getLogger(__name__)

Changes = Mapping[str, object]

DEFAULT = TraceSettings()


@dataclass(slots=True)
class _Sampling:
    """Takes every `rate`-th request, `left` more of them; -1 for no limit."""

    rate: int
    left: int
    seen: int = 0

    def takes_next(self) -> bool:
        self.seen += 1
        if self.left == 0 or self.seen % self.rate:
            return False
        self.left -= self.left > 0
        return True


class Tracer:
    """Logs a trace of some of the requests whose records it sees. `on` is whether it looks at them
    at all: a setting of the node, or of a model, which counts its requests by itself."""

    def __init__(self) -> None:
        self.on = False
        self._changes: dict[str | None, dict[str, object]] = {None: {}}  # None: the node's
        self._sampling: dict[str | None, _Sampling | None] = {None: None}

    def settings(self, model: str | None = None) -> TraceSettings:
        """Return what holds for `model` now, or for the node; its count is what is left of it."""
        own = model if model in self._changes else None
        settings = structs.replace(DEFAULT, **(self._changes[None] | self._changes[own]))
        sampling = self._sampling[own]
        if sampling is not None:
            settings = structs.replace(settings, trace_count=str(sampling.left))
        return settings

    def update(self, changes: Changes, model: str | None = None) -> TraceSettings:
        """Change settings of `model`, or of the node; a value of None takes back what was changed,
        and no change at all of a model takes back all of it. Returns what holds then."""
        if model is not None and not changes:
            self._changes.pop(model, None)
            self._sampling.pop(model, None)
        else:
            own = self._changes.setdefault(model, {})
            own |= changes
            for name in [name for name, value in own.items() if value is None]:
                del own[name]
            # What holds for the node may hold for models, too: all of them count from here.
            for changed in self._changes if model is None else [model]:
                self._begin(changed)
        self.on = any(self._sampling.values())
        return self.settings(model)

    def see(self, record: UsageRecord) -> None:
        """Log the trace of a request, if it is its turn."""
        own = record.model if record.model in self._sampling else None
        sampling = self._sampling[own]
        if sampling is not None and sampling.takes_next():
            logger.info("trace %s", encode_trace(record).decode())

    def _begin(self, model: str | None) -> None:
        settings = structs.replace(DEFAULT, **(self._changes[None] | self._changes[model]))
        self._sampling[model] = None
        if "TIMESTAMPS" in settings.trace_level:
            self._sampling[model] = _Sampling(int(settings.trace_rate), int(settings.trace_count))
