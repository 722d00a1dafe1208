"""The Prometheus collector on a known past: each increase once, whatever is killed or broken."""

import json
import random
import signal
import subprocess
import threading
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from collectors.prometheus.client import PrometheusClient
from collectors.prometheus.config import Source
from collectors.prometheus.errors import PrometheusError
from collectors.prometheus.puller import Puller
from collectors.prometheus.storage import Storage
from store import Batch, commit
from tests.fixtures_usage import BOOT_ID, node_sample, usage_record
from tests.integration.collector_process import WAIT_S, query, run, running
from tests.integration.node_process import until
from tests.integration.prometheus_history import IDLE, RETENTION, History
from tests.integration.prometheus_process import Prometheus, running_server
from tests.unit.collectors.prometheus.counter_truth import LOOKBACK_US, SECOND_US, Scrape, watched
from tests.unit.collectors.prometheus.scripted_server import Reply, scripted
from usage import SpoolWriter, encode_line

MINUTE_US = 60 * SECOND_US
# The past ends half an hour ago, so that every minute of it is closed.
BEGIN_US = (int(time.time()) - 6 * 3600) // 60 * MINUTE_US
ROUGH_MINUTES = 90
QUICK_SCRAPES = 14_400
END_US = BEGIN_US + QUICK_SCRAPES * SECOND_US + 60 * MINUTE_US
METRIC = "nv_inference_request_success"
INSTANCES = [f"gpu-{number}:8002" for number in range(4)]


@dataclass
class Past:
    """What a server keeps, and what is true of it: (instant, increase) and scrapes by instance."""

    prometheus: Prometheus
    truth: dict[str, list[tuple[int, int]]] = field(default_factory=dict)
    scrapes: dict[str, list[int]] = field(default_factory=dict)

    def requests(self) -> Counter[tuple[str, int]]:
        """Return the requests of the rough job by node and minute, all of them."""
        found: Counter[tuple[str, int]] = Counter()
        for instance, increases in self.truth.items():
            for at_us, amount in increases:
                minute_us = (at_us - 1) // MINUTE_US * MINUTE_US
                found[instance.replace(":", "_"), minute_us] += amount
        return found


@pytest.fixture(scope="module")
def past(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Past]:
    """Rough: counters with restarts, gaps, garbage. Quick: more than a range query takes."""
    folder = tmp_path_factory.mktemp("past")
    rng, history = random.Random(11), History()
    truth, scrapes = {}, {}
    for number, instance in enumerate(INSTANCES):
        tells_start = number % 2 == 0
        seen = watched(
            list(rough(rng)), tells_start=tells_start, begin_us=BEGIN_US + 7_000_000 * number
        )
        labels = {"job": "rough", "instance": instance, "model": "bert", "version": "1"}
        times_ms = [at_us // 1000 for at_us in seen.series.times_us]
        values = [rng.choice(("NaN", "+Inf")) if v is None else v for v in seen.series.values]
        history.add(METRIC, zip(times_ms, values, strict=True), **labels)
        if tells_start:
            told = [(at_us // 1000, f"{us / 1e6:.3f}") for at_us, us in seen.started_us.items()]
            history.add("process_start_time_seconds", told, job="rough", instance=instance)
        truth[instance], scrapes[instance] = seen.truth, list(seen.series.times_us)
    quick = [(BEGIN_US // 1000 + 1000 * n + 781, n * n) for n in range(QUICK_SCRAPES)]
    history.add(METRIC, quick, job="quick", instance="quick:1", model="bert", version="1")
    history.write(folder)
    with running_server(folder, IDLE, RETENTION) as prometheus:
        yield Past(prometheus, truth, scrapes)


def rough(rng: random.Random) -> Iterator[Scrape]:
    left_us = ROUGH_MINUTES * MINUTE_US
    while left_us > 0:
        after_us = rng.choice((15_000_000,) * 30 + (LOOKBACK_US, LOOKBACK_US + 1000, 2_000_000))
        after_us += rng.randrange(-20, 20) * 1000 if after_us == 15_000_000 else 0
        left_us -= after_us
        yield Scrape(after_us, rng.randrange(50), rng.random() < 0.1, rng.random() > 0.05)


def requests(database: Path) -> Counter[tuple[str, int]]:
    """Return what is stored, by node and minute."""
    rows = query(
        database,
        "SELECT node_id, minute_us, sum(requests)::BIGINT FROM usage_minute "
        "JOIN dimension_set USING (dimension_id) WHERE source = 'metrics' GROUP BY ALL",
    )
    return Counter({(node, minute_us): count for node, minute_us, count in rows})


def everything(database: Path) -> tuple[list[tuple[Any, ...]], ...]:
    """Return all that a source leaves, apart from numbers of rows."""
    return (
        query(database, "FROM node_sample ORDER BY ALL"),
        query(database, "FROM node_minute ORDER BY ALL"),
        query(
            database,
            "SELECT minute_us, node_id, boot_id, model, status, usage_minute.* EXCLUDE "
            "(minute_us, dimension_id) FROM usage_minute JOIN dimension_set USING (dimension_id) "
            "ORDER BY ALL",
        ),
        query(database, "SELECT * EXCLUDE (samples) FROM boot ORDER BY ALL"),
    )


def source(url: str, **overrides: Any) -> Source:
    fields: dict[str, Any] = {
        "name": "triton",
        "url": url,
        "preset": "triton",
        "selector": 'job="rough"',
        "start": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(BEGIN_US // SECOND_US)),
    }
    return Source(**{**fields, **overrides})


@contextmanager
def pulling(
    of: Source, database: Path, now_us: Callable[[], int] = lambda: END_US
) -> Iterator[Puller]:
    with (
        closing(Storage(database, lambda: time.time_ns() // 1000)) as storage,
        closing(PrometheusClient(of.url, timeout_s=of.timeout_s)) as client,
    ):
        yield Puller(of, client, storage, now_us)


def pull_all(puller: Puller) -> None:
    while puller.pull():
        pass


def config(folder: Path, **fields: Any) -> Path:
    """Write a configuration of one source; values as in JSON, which is TOML here."""
    path = folder / "prometheus.toml"
    of = {"name": "triton", "preset": "triton", **fields}
    lines = [f"{name} = {json.dumps(value)}" for name, value in of.items()]
    path.write_text("\n".join(["[[source]]", *lines, ""]))
    return path


def paths(folder: Path) -> tuple[str | Path, ...]:
    return "--config", folder / "prometheus.toml", "--database", folder / "db.duckdb"


def once(folder: Path) -> "subprocess.CompletedProcess[str]":
    return run("prometheus", *paths(folder), "--once")


def following(folder: Path) -> AbstractContextManager["subprocess.Popen[str]"]:
    return running("prometheus", *paths(folder), "--interval", "0.05")


@pytest.mark.parametrize("chunk_s", [600, 86_400])
def test_every_increase_is_stored_once_in_the_minute_of_its_later_sample(
    past: Past, tmp_path: Path, chunk_s: int
) -> None:
    database = tmp_path / "db.duckdb"
    with pulling(source(past.prometheus.url, chunk_s=chunk_s), database) as puller:
        pull_all(puller)
        pull_all(puller)
    assert requests(database) == past.requests()
    assert query(database, "FROM source_position") == [("prometheus:triton", END_US - MINUTE_US)]


def test_samples_are_exact_to_the_millisecond_and_leave_holes_where_nothing_is_known(
    past: Past, tmp_path: Path
) -> None:
    database = tmp_path / "db.duckdb"
    with pulling(source(past.prometheus.url, step_s=1), database) as puller:
        pull_all(puller)
    for instance, scrapes in past.scrapes.items():
        expected = [
            (at_us, at_us - before_us)
            for before_us, at_us in pairwise(scrapes)
            if at_us - before_us <= LOOKBACK_US
        ]
        name = instance.replace(":", "_")
        columns = "SELECT sampled_at_us, interval_us FROM node_sample"
        rows = query(database, f"{columns} WHERE node_id = '{name}' ORDER BY ALL")
        # The first may begin with its process.
        assert [row for row in rows if row[0] != scrapes[0]] == expected


def test_a_chunk_may_have_more_samples_than_a_range_query_gives(past: Past, tmp_path: Path) -> None:
    parameters = f"start={BEGIN_US // 10**6}&end={END_US // 10**6}&step=1"
    with pytest.raises(urllib.error.HTTPError, match="400") as refused:
        urllib.request.urlopen(f"{past.prometheus.url}/api/v1/query_range?query=up&{parameters}")
    assert b"11,000 points" in refused.value.read()
    refused.value.close()
    of = source(past.prometheus.url, selector='job="quick"', chunk_s=86_400, step_s=60)
    with pulling(of, tmp_path / "db.duckdb") as puller:
        pull_all(puller)
    assert sum(requests(tmp_path / "db.duckdb").values()) == (QUICK_SCRAPES - 1) ** 2
    [(uptime_us,)] = query(
        tmp_path / "db.duckdb", "SELECT sum(interval_us)::BIGINT FROM node_sample"
    )
    assert uptime_us == (QUICK_SCRAPES - 1) * SECOND_US


def test_what_a_server_finds_too_much_is_asked_for_in_pieces(
    past: Past, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    def answer(path: str) -> Reply:
        found = forwarded(past, path)
        if len(found.body) > 9_000:
            error = {"status": "error", "error": "query processing would load too many samples"}
            return Reply(json.dumps(error).encode(), 422)
        return found

    with (
        scripted(answer) as server,
        pulling(source(server.url, chunk_s=86_400), tmp_path / "db.duckdb") as puller,
    ):
        pull_all(puller)
    assert "status 422: query processing would load too many samples; asking for" in caplog.text
    assert requests(tmp_path / "db.duckdb") == past.requests()


def forwarded(past: Past, path: str) -> Reply:
    with urllib.request.urlopen(past.prometheus.url + path, timeout=WAIT_S) as found:
        return Reply(found.read())


def test_minutes_come_as_they_are_closed_and_settled(past: Past, tmp_path: Path) -> None:
    database = tmp_path / "db.duckdb"
    clock = {"us": BEGIN_US + 31 * SECOND_US}
    of = source(past.prometheus.url, settle_s=30)
    with pulling(of, database, lambda: clock["us"]) as puller:
        for second in range(89, ROUGH_MINUTES * 10, 61):
            clock["us"] = BEGIN_US + second * SECOND_US
            pull_all(puller)
            closed_us = BEGIN_US + (second - 30) // 60 * MINUTE_US
            found = requests(database) if database.exists() else Counter()
            expected = {key: n for key, n in past.requests().items() if key[1] < closed_us}
            assert found == expected


def test_from_now_on_means_from_the_first_contact(past: Past, tmp_path: Path) -> None:
    database = tmp_path / "db.duckdb"
    now_us = BEGIN_US + 30 * MINUTE_US + 10 * SECOND_US
    of = source(past.prometheus.url, start="now")
    for moments in ([now_us], [now_us + 20 * MINUTE_US]):
        with pulling(of, database, moments.pop) as puller:
            pull_all(puller)
    from_us, to_us = BEGIN_US + 29 * MINUTE_US, BEGIN_US + 49 * MINUTE_US
    expected = {key: n for key, n in past.requests().items() if from_us <= key[1] < to_us}
    assert requests(database) == expected


def test_a_puller_that_was_overtaken_goes_on_from_where_the_other_is(
    past: Past, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    database, of = tmp_path / "db.duckdb", source(past.prometheus.url, chunk_s=600)
    with pulling(of, database) as one, pulling(of, database) as other:
        rng = random.Random(3)
        more = {id(one): True, id(other): True}
        while any(more.values()):
            puller = rng.choice((one, other))
            more[id(puller)] = puller.pull()
    assert "stored up to" in caplog.text
    assert "reading the position again" in caplog.text
    assert requests(database) == past.requests()


def test_a_server_that_misbehaves_delays_and_loses_nothing(past: Past, tmp_path: Path) -> None:
    rng, database = random.Random(5), tmp_path / "db.duckdb"

    def soon() -> int:
        return BEGIN_US + (ROUGH_MINUTES + 20) * MINUTE_US

    def answer(path: str) -> Reply:
        found = forwarded(past, path)
        return rng.choice(
            (
                *(found,) * 12,
                Reply(b'{"error": "server is shutting down"}', 503),
                Reply(b"<html>Bad Gateway</html>", 502),
                Reply(found.body[: len(found.body) // 2]),
                Reply(found.body, claimed=len(found.body) + 1),
                Reply(b'{"status": "success", "data": {"result": [{"metric": 1}]}}'),
                Reply(found.body.replace(b"{", b'{"warnings": ["a store is down"],', 1)),
                Reply(found.body, drip_s=0.05),
                Reply(hang_up=True),
            )
        )

    told, done = [], False
    with (
        scripted(answer) as server,
        pulling(source(server.url, chunk_s=300, timeout_s=0.2), database, soon) as puller,
    ):
        while not done:
            try:
                done = not puller.pull()
            except PrometheusError as error:
                told.append(str(error))
                done = False
    assert requests(database) == past.requests()
    assert len(set(told)) >= 5
    assert not any("\n" in words for words in told)


def test_machines_that_a_spool_tells_of_are_left_out_and_the_others_are_not(
    past: Past, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    database = tmp_path / "db.duckdb"
    at_us = BEGIN_US + 3 * MINUTE_US
    samples = [
        node_sample(node_id="gpu-1", sampled_at_us=at_us, interval_us=5 * SECOND_US),
        node_sample(node_id="gpu-1", sampled_at_us=at_us + 80 * MINUTE_US),
        # Of another time: the machine was measured in another way then.
        node_sample(node_id="gpu-2", sampled_at_us=BEGIN_US - 30 * MINUTE_US),
    ]
    commit(database, Batch(samples=samples), now_us=at_us)
    with pulling(source(past.prometheus.url), database) as puller:
        pull_all(puller)
    expected = {key: n for key, n in past.requests().items() if key[0] != "gpu-1_8002"}
    assert requests(database) == expected
    assert caplog.text.count("gpu-1_8002 is on a machine that node gpu-1") == 1
    # A second source of the same machines is one report too many, too.
    with pulling(source(past.prometheus.url, name="again"), database) as puller:
        pull_all(puller)
        assert (puller.minutes, puller.samples) == (0, 0)


def test_a_puller_killed_at_any_moment_loses_nothing_and_repeats_nothing(
    past: Past, tmp_path: Path
) -> None:
    rng = random.Random(1)
    whole = tmp_path / "whole.duckdb"
    with pulling(source(past.prometheus.url), whole) as puller:
        pull_all(puller)
    asked = threading.Semaphore(0)

    def answer(path: str) -> Reply:
        asked.release()
        return forwarded(past, path)

    kills = 0
    with scripted(answer) as server:
        of = source(server.url, chunk_s=240)
        config(tmp_path, url=of.url, start=of.start, selector=of.selector, chunk_s=of.chunk_s)
        while kills < 5:
            with following(tmp_path) as process:
                for _ in range(rng.randint(2, 6)):
                    assert asked.acquire(timeout=WAIT_S)
                # Somewhere between this answer, its commit and the next question.
                give_up_at = time.perf_counter() + rng.uniform(0, 0.25)
                while time.perf_counter() < give_up_at:
                    pass
                process.kill()
                kills += 1
                process.wait(WAIT_S)
            while asked.acquire(blocking=False):
                pass
        stored = query(tmp_path / "db.duckdb", "SELECT position FROM source_position")
        assert BEGIN_US < stored[0][0] < BEGIN_US + ROUGH_MINUTES * MINUTE_US
        config(tmp_path, url=of.url, start=of.start, selector=of.selector)
        finished = once(tmp_path)
        assert finished.returncode == 0, finished.stderr
    assert everything(tmp_path / "db.duckdb") == everything(whole)
    assert requests(tmp_path / "db.duckdb") == past.requests()


def test_it_runs_beside_the_collector_of_the_spool_and_beside_no_other_of_its_source(
    past: Past, tmp_path: Path
) -> None:
    of = source(past.prometheus.url)
    config(tmp_path, url=of.url, start=of.start, selector=of.selector, chunk_s=600)
    database, spool = tmp_path / "db.duckdb", tmp_path / "spool"
    arguments = ("--spool", spool, "--database", database, "--interval", "0.05")
    with running("run", *arguments) as collector:
        out = SpoolWriter(spool, "node-1", BOOT_ID)
        with following(tmp_path) as puller:
            written = 0

            def is_done() -> bool:
                nonlocal written
                written += 1
                now_us = time.time_ns() // 1000
                out.append(encode_line(usage_record(seq=written, arrived_at_us=now_us)))
                return database.exists() and bool(
                    query(
                        database,
                        "SELECT position FROM source_position "
                        f"WHERE position > {BEGIN_US + ROUGH_MINUTES * MINUTE_US}",
                    )
                )

            until(is_done)
            second = once(tmp_path)
            assert second.returncode == 1
            assert second.stderr == (
                f"{database}: another process pulls source 'triton' into it already "
                f"(process {puller.pid})\n"
            )
            puller.send_signal(signal.SIGTERM)
            printed, complaints = puller.communicate(timeout=WAIT_S)
            assert (puller.returncode, "Traceback" in complaints) == (0, False), complaints
            assert json.loads(printed)["minutes"] > 0
        out.close()
        collector.send_signal(signal.SIGTERM)
        printed, complaints = collector.communicate(timeout=WAIT_S)
        assert collector.returncode == 0, complaints
    assert json.loads(printed)["records"] == written
    assert query(database, "SELECT count(*) FROM usage_record") == [(written,)]
    assert requests(database) == past.requests()


def test_once_tells_in_a_line_what_is_wrong(tmp_path: Path) -> None:
    replies = {"/401/": Reply(b"", 401), "/html/": Reply(b"<html>")}
    with scripted(lambda path: replies[path[: path.index("api")]]) as server:
        secret = tmp_path / "token"
        secret.write_text("s3cr3t")
        for path, said in (
            ("401", "triton: status 401: Unauthorized\n"),
            ("html", "triton: no JSON; accepted: an answer of Prometheus' HTTP API\n"),
        ):
            config(tmp_path, url=f"{server.url}/{path}", token_file=str(secret))
            finished = once(tmp_path)
            assert (finished.returncode, finished.stdout) == (1, '{"minutes":0,"samples":0}\n')
            assert finished.stderr.endswith(said)
            assert "s3cr3t" not in finished.stderr
    config(tmp_path, url="http://127.0.0.1:1", preset="nagios")
    finished = once(tmp_path)
    assert (finished.returncode, finished.stdout) == (1, "")
    assert f"{tmp_path}/prometheus.toml: source 'triton': preset is 'nagios'; " in finished.stderr


def test_a_follower_waits_for_a_server_that_is_down_and_stops_at_once_when_told_to(
    past: Past, tmp_path: Path
) -> None:
    down, silent = threading.Event(), threading.Event()
    hanging = threading.Event()

    def answer(path: str) -> Reply:
        if silent.is_set():
            hanging.set()
            return Reply(b"{" * 10**6, drip_s=0.1)
        down.set()
        return (
            Reply(b'{"error": "starting"}', 503) if len(server.asked) < 3 else forwarded(past, path)
        )

    with scripted(answer) as server:
        config(tmp_path, url=server.url, start="now", timeout_s=600)
        with following(tmp_path) as process:
            until(lambda: len(server.asked) >= 4)
            silent.set()
            assert hanging.wait(WAIT_S)
            process.send_signal(signal.SIGTERM)
            printed, logged = process.communicate(timeout=WAIT_S)
    assert (process.returncode, printed) == (0, '{"minutes":0,"samples":0}\n')
    assert logged.count("triton: status 503: starting; trying again") == 1
    assert logged.count("triton: works again") == 1
    assert "Traceback" not in logged
