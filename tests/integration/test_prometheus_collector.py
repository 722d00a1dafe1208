"""The Prometheus collector against a real Prometheus: every preset, and every increase once."""

import dataclasses
import json
import subprocess
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from store import quantile_us
from tests.integration.collector_process import query, run
from tests.integration.exporters import (
    EXPORTERS,
    STEP_MS,
    STEPS,
    Exporter,
    Row,
    configuration,
    serving,
)
from tests.integration.node_process import until
from tests.integration.prometheus_process import Prometheus, running_server

# Of the window that exporters fill: past, so that all of it is closed.
AGO_S = 900


def toml(url: str, **fields: Any) -> str:
    """Return one source; values are those of TOML, text in quotes."""
    lines = [f"{name} = {json.dumps(value)}" for name, value in ({"url": url} | fields).items()]
    return "\n".join(["[[source]]", *lines, ""])


def once(config: Path, database: Path) -> "subprocess.CompletedProcess[str]":
    return run("prometheus", "--once", "--config", config, "--database", database)


@dataclasses.dataclass
class Pulled:
    """What was stored of all exporters, by the name of their preset."""

    database: Path
    exporters: Mapping[str, Exporter]
    printed: str
    logged: str

    def samples(self, preset: str, columns: str) -> list[tuple[Any, ...]]:
        """Return columns of the samples of a source, by node and time."""
        nodes = self.nodes(preset)
        return query(
            self.database,
            f"SELECT {columns} FROM node_sample WHERE node_id IN {(*nodes, '')} "
            "ORDER BY node_id, sampled_at_us",
        )

    def minutes(self, preset: str, columns: str) -> list[tuple[Any, ...]]:
        """Return columns of the usage minutes of a source, with their dimensions."""
        return query(
            self.database,
            f"SELECT {columns} FROM usage_minute JOIN dimension_set USING (dimension_id) "
            f"WHERE node_id IN {(*self.nodes(preset), '')} ORDER BY ALL",
        )

    def nodes(self, preset: str) -> list[str]:
        """Return the names of the nodes of a source."""
        known = {
            "knative_pods": [f"shop.bert-00001.{number}" for number in range(3)],
            "kube_state": [f"shop.resnet.{number}" for number in range(2)],
            "dcgm": ["gpu-7"],
        }
        return known.get(preset, [f"{preset.replace('_', '-')}_8002"])


@pytest.fixture(scope="module")
def pulled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pulled]:
    folder = tmp_path_factory.mktemp("exporters")
    begin_ms = (int(time.time()) - AGO_S) // 60 * 60_000 + 781
    end_ms = begin_ms + STEPS * STEP_MS
    exporters = {name: kind(begin_ms, seed) for seed, (name, kind) in enumerate(EXPORTERS.items())}
    with (
        serving(exporters) as port,
        running_server(folder, configuration(port, list(exporters))) as prometheus,
    ):
        for name in exporters:
            until(partial(is_there, prometheus, name, end_ms))
        config = folder / "prometheus.toml"
        fields = {
            "start": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(begin_ms / 1000)),
            "settle_s": 0,
            "chunk_s": 420,
        }
        # Of Triton everything is asked for, our own nodes with its names included.
        more: dict[str, dict[str, Any]] = {
            "triton": {"workers": 4},
            "kserve": {"selector": 'job="kserve"'},
            "kube_state": {"selector": 'job=~"kube_.*"'},
            "inference_node": {"without_spool": True},
        }
        config.write_text(
            "".join(
                toml(prometheus.url, name=f"of-{name}", preset=name, **fields, **more.get(name, {}))
                for name in exporters
            )
        )
        database = folder / "usage.duckdb"
        finished = once(config, database)
        assert finished.returncode == 0, finished.stderr
        again = once(config, database)
        assert json.loads(again.stdout) == {"minutes": 0, "samples": 0}
        yield Pulled(database, exporters, finished.stdout, finished.stderr)


def is_there(prometheus: Prometheus, job: str, at_ms: int) -> bool:
    """Tell whether the scrape of `job` at `at_ms` is stored; it is so at once."""
    time_s = f"{at_ms / 1000:.3f}"
    selector = f'{{job="{job}"}}[1s]'
    return bool(prometheus.get("/api/v1/query", query=selector, time=time_s)["result"])


@pytest.mark.parametrize("preset", ["triton", "inference_node", "vllm", "kserve", "knative"])
def test_requests_are_those_of_the_exporter_minute_by_minute(pulled: Pulled, preset: str) -> None:
    stored: Counter[Row] = Counter()
    for *row, requests in pulled.minutes(
        preset, "minute_us, model, model_version, status, requests"
    ):
        stored[tuple(row)] += requests
    assert +stored == pulled.exporters[preset].truth


@pytest.mark.parametrize("preset", ["triton", "inference_node", "vllm", "kserve", "knative"])
def test_worker_time_is_that_of_the_exporter_for_requests_and_machines(
    pulled: Pulled, preset: str
) -> None:
    [(owned_us,)] = pulled.minutes(preset, "sum(item_us)::BIGINT")
    busy_us = sum(busy for (busy,) in pulled.samples(preset, "busy_us"))
    assert owned_us == busy_us == pulled.exporters[preset].worker_us


@pytest.mark.parametrize("preset", EXPORTERS)
def test_machines_are_up_from_the_first_scrape_to_the_last_without_gap_or_overlap(
    pulled: Pulled, preset: str
) -> None:
    exporter = pulled.exporters[preset]
    end_us = exporter.at_ms * 1000
    rows = pulled.samples(preset, "node_id, sampled_at_us, interval_us")
    assert {node for node, _, _ in rows} == set(pulled.nodes(preset))
    for name in pulled.nodes(preset):
        of = [(at_us, interval_us) for node, at_us, interval_us in rows if node == name]
        for (before_us, _), (at_us, interval_us) in pairwise(of):
            assert at_us - interval_us == before_us
        assert {interval_us for _, interval_us in of} == {STEP_MS * 1000}
        if preset not in ("knative_pods", "kube_state"):
            assert (len(of), of[-1][0]) == (STEPS, end_us)
    assert len(rows) == {"knative_pods": 9 * 2 + 20 * 3, "kube_state": 40 + 31}.get(preset, STEPS)


def test_what_triton_tells_of_its_machine(pulled: Pulled) -> None:
    columns = (
        "gpu_utilization, gpu_memory_bytes, gpu_power_w, cpu_utilization, memory_bytes, "
        "queue_depth, workers_ready"
    )
    assert set(pulled.samples("triton", columns)) == {(0.75, 2**31, 120.5, 0.125, 2**31, 4, 4)}
    outcomes = {cache for (cache,) in pulled.minutes("triton", "cache")}
    assert outcomes == {"memory", "miss", "bypass"}


def test_a_node_of_this_product_is_left_out_of_the_source_that_asks_for_triton(
    pulled: Pulled,
) -> None:
    assert "inference-node:8002 is a node of this product" in pulled.logged
    models = {model for (model,) in pulled.minutes("triton", "model")}
    assert models == {"bert", "resnet"}
    [row] = set(pulled.samples("inference_node", "workers_ready, queue_depth, gpu_power_w"))
    assert row == (4, 7, 70.5)


def test_latencies_of_vllm_are_within_its_buckets(pulled: Pulled) -> None:
    counts = dict(
        query(
            pulled.database,
            "SELECT bucket, sum(requests)::BIGINT FROM latency_minute "
            "JOIN dimension_set USING (dimension_id) WHERE node_id = 'vllm_8002' GROUP BY ALL",
        )
    )
    exporter = pulled.exporters["vllm"]
    seconds = sorted(exporter.seconds)  # type: ignore[attr-defined]
    assert sum(counts.values()) == len(seconds)
    for q in (0.5, 0.9, 0.99):
        exact = seconds[round(q * len(seconds)) - 1] * 1e6
        told = quantile_us(counts, q)
        assert told is not None
        assert exact / 2.1 <= told <= exact * 2.1
    [(total_us,)] = pulled.minutes("vllm", "sum(total_us)::BIGINT")
    assert total_us == sum(seconds) * 1e6
    [tokens] = pulled.minutes("vllm", "sum(input_tokens)::BIGINT, sum(output_tokens)::BIGINT")
    assert tokens == (300 * len(seconds), 100 * sum(seconds))


def test_what_others_tell_of_their_machines(pulled: Pulled) -> None:
    gpu = set(pulled.samples("dcgm", "gpu_utilization, gpu_memory_bytes, gpu_power_w"))
    assert gpu == {(0.6, 2000 * 2**20, 141.0)}
    assert set(pulled.samples("node_exporter", "cpu_utilization, memory_bytes")) == {
        (0.25, 3_000_000_000)
    }
    loading = Counter(pulled.samples("kube_state", "node_id, workers_loading"))
    assert loading[("shop.resnet.0", 1)] == 9
    assert loading[("shop.resnet.1", 0)] == loading[("shop.resnet.0", 0)] == 31


def test_what_was_stored_is_counted(pulled: Pulled) -> None:
    [(samples,)] = query(pulled.database, "SELECT count(*) FROM node_sample")
    assert json.loads(pulled.printed)["samples"] == samples
