"""From a Prometheus server to the database: every closed minute of a source, exactly once.

The position of a source is the end of the last minute stored, and is stored with the facts before
it in one transaction. A minute is asked for when it is closed by both clocks, the server's and our
own, and a little time has passed, since scrapes take time. A query reaches back before the position
by the lookback, so that increases begin at the sample before: nothing else has to be remembered.
"""

import logging
from collections.abc import Callable

from collectors.prometheus.client import PrometheusClient
from collectors.prometheus.config import Source
from collectors.prometheus.double_count import reported_elsewhere
from collectors.prometheus.errors import TooMuchError
from collectors.prometheus.facts import FactMaker, Facts
from collectors.prometheus.storage import Storage
from store import MINUTE_US, PositionConflictError

logger = logging.getLogger(__name__)


class Puller:
    """Brings one source into `storage`, chunk by chunk.

    `now_us` is our own clock. `minutes` and `samples` count what was stored.
    """

    def __init__(
        self,
        source: Source,
        client: PrometheusClient,
        storage: Storage,
        now_us: Callable[[], int],
    ) -> None:
        self.source = source
        self.minutes = 0
        self.samples = 0
        self._client = client
        self._now_us = now_us
        self._storage = storage
        self._maker = FactMaker(source)
        self._chunk_us = source.chunk_s * 1_000_000
        # Where the database is (None: not yet known), where this is, and what was closed at the
        # last look. Of stretches without facts the end is not stored each time.
        self._stored_us: int | None = None
        self._reached_us = 0
        self._closed_us = 0
        self._warned: set[str] = set()

    def pull(self) -> bool:
        """Store the next chunk of closed minutes; return whether there are more of them.

        Nothing is lost when it fails: the server still has it. Raises PrometheusErrors and
        StoreErrors.
        """
        if self._reached_us >= self._closed_us:
            self._look()
        if self._reached_us >= self._closed_us:
            return False
        facts, end_us = self._next_chunk()
        if facts.samples or facts.minutes or end_us == self._closed_us:
            self._store(facts, end_us)
        else:
            self._reached_us = end_us
        return self._reached_us < self._closed_us

    def _look(self) -> None:
        """Find out which minutes are closed by now, and at first where to begin."""
        now_us = min(self._client.now_us(), self._now_us())
        closed_us = (now_us - self.source.settle_s * 1_000_000) // MINUTE_US * MINUTE_US
        if self._stored_us is None:
            self._read_position()
        if self._reached_us == 0:
            start_us = self.source.start_us()
            if start_us is None:
                self._store(Facts(), closed_us)
            else:
                self._reached_us = start_us // MINUTE_US * MINUTE_US
        self._closed_us = closed_us

    def _read_position(self) -> None:
        self._stored_us = self._reached_us = self._storage.position(self.source.name)

    def _next_chunk(self) -> tuple[Facts, int]:
        """Return the next facts and where they end: earlier than wanted where that is too much."""
        while True:
            end_us = min(self._reached_us + self._chunk_us, self._closed_us)
            try:
                facts = self._facts(end_us)
            except TooMuchError as error:
                if end_us - self._reached_us <= MINUTE_US:
                    raise
                half_us = (end_us - self._reached_us) // 2
                self._chunk_us = max(half_us // MINUTE_US, 1) * MINUTE_US
                name, chunk_s = self.source.name, self._chunk_us // 1_000_000
                logger.warning("%s: %s; asking for %d s at once", name, error, chunk_s)
            else:
                self._chunk_us = min(2 * self._chunk_us, self.source.chunk_s * 1_000_000)
                return facts, end_us

    def _facts(self, end_us: int) -> Facts:
        """Return the facts from where this is up to `end_us` that nothing else tells of."""
        after_us = self._reached_us
        series = self._client.samples(
            self._maker.selector, after_us - self.source.lookback_s * 1_000_000, end_us
        )
        facts = self._maker.facts(series, after_us)
        for instance in facts.own:
            self._warn_once(
                f"{instance} is a node of this product, whose records say more: left out; "
                "preset inference_node is for those whose spool nobody collects"
            )
        if not facts.samples and not facts.minutes:
            return facts
        boots = self._storage.boots()
        elsewhere = reported_elsewhere(facts, self.source.name, boots, after_us, end_us)
        for name, boot in elsewhere.items():
            self._warn_once(
                f"{name} is on a machine that node {boot.node_id} (boot {boot.boot_id}) reports: "
                "left out, or it would count twice; accepted: presets of one machine together in "
                "one source, another selector, or another id in [source.nodes] for another machine"
            )
        return facts.without(set(elsewhere))

    def _store(self, facts: Facts, end_us: int) -> None:
        assert self._stored_us is not None
        try:
            self._storage.commit(facts, self.source.name, self._stored_us, end_us)
        except PositionConflictError as error:
            logger.warning("%s; reading the position again", error)
            self._read_position()
            return
        self._stored_us = self._reached_us = end_us
        self.minutes += len(facts.minutes)
        self.samples += len(facts.samples)

    def _warn_once(self, message: str) -> None:
        if message not in self._warned:
            self._warned.add(message)
            logger.warning("%s: %s", self.source.name, message)
