"""What series of a window say, as facts: the whole way from raw samples to rows."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from collectors.prometheus.config import Source
from collectors.prometheus.gathering import OWN, Gathering
from collectors.prometheus.naming import Naming
from collectors.prometheus.node_samples import node_samples
from collectors.prometheus.preset import Preset
from collectors.prometheus.series import Series
from collectors.prometheus.target import START
from collectors.prometheus.usage_minutes import usage_minutes
from store import UsageMinute
from usage import NodeSample


@dataclass
class Facts:
    """Samples of machines and requests by minute; `own` are the instances that were left out
    because they are nodes of this product, which leave records."""

    samples: list[NodeSample] = field(default_factory=list)
    minutes: list[UsageMinute] = field(default_factory=list)
    own: set[str] = field(default_factory=set)

    def without(self, nodes: set[str]) -> "Facts":
        """Return the facts of all other nodes."""
        return Facts(
            [sample for sample in self.samples if sample.node_id not in nodes],
            [minute for minute in self.minutes if minute.node_id not in nodes],
            self.own,
        )


class FactMaker:
    """Makes the facts of `source`."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._preset = preset = source.combined_preset()
        self._naming = Naming(
            nodes=((source.node_label,),) if source.node_label else preset.nodes,
            models=(source.model_label,) if source.model_label else preset.models,
            versions=(source.version_label,) if source.version_label else preset.versions,
            renamed=source.nodes,
            per_host=source.one_node_per_host,
        )

    @property
    def selector(self) -> str:
        """The selector of PromQL that names all series that are needed."""
        return selector_of(self._preset, self._source.selector)

    def facts(self, series: Sequence[Series], after_us: int) -> Facts:
        """Return the facts of the time after `after_us`, from all samples of it and of the lookback
        before it.

        However time is cut into windows of whole minutes, their facts are the same in all, but for
        the cut of latencies into buckets, which is that of each minute.
        """
        source, preset, naming = self._source, self._preset, self._naming
        gathering = Gathering(series, after_us, source.lookback_s * 1_000_000, preset, naming)
        found = Facts(own=gathering.own)
        for node in gathering.nodes.values():
            found.samples += node_samples(node, after_us, source, preset, naming)
            found.minutes += usage_minutes(node, source, preset, naming)
        return found


def selector_of(preset: Preset, matchers: str) -> str:
    """Return the selector of all metrics that `preset` is about, restricted by `matchers`."""
    names = dict.fromkeys(meaning.metric for meaning in preset.meanings)
    more = matchers.strip().strip(",")
    return f'{{__name__=~"{"|".join((*names, START, OWN))}"{"," if more else ""}{more}}}'
