"""A real Prometheus reads a node, and finds what dashboard, rules and alerts ask for."""

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.fixtures_usage import usage_record
from tests.http_server import QuietHandler, serving
from tests.integration.node_process import ROOT, Node, running_node, until
from tests.integration.prometheus_process import (
    DEPLOY,
    Prometheus,
    promtool,
    running_prometheus,
)
from tests.unit.inference_node import onnx_models
from tests.unit.inference_node.metering.full_node import FullNode, SessionNumbers
from tests.unit.inference_node.onnx_models import save

CONFIG = """
[machine]
cloud = "aws"
region = "us-east-1"
instance_type = "c7i.xlarge"
purchase_option = "on_demand"
[metering]
sample_interval_seconds = 0.05
"""

# What a node without a GPU, without caches and in its first minute cannot have.
ONLY_OF_A_FULL_NODE = re.compile(
    r"\bgpu_|inference_(cost_per_request|on_behalf|cache_(bytes|entries|evictions|failures|dropped)"
    r'|model_load)|outcome=~"memory'
)


def expressions() -> list[str]:
    """Return every expression of the dashboard, its variables filled in for everything."""
    dashboard = json.loads((ROOT / "deploy/grafana/inference_node.json").read_text())
    found = [target["expr"] for panel in dashboard["panels"] for target in panel.get("targets", [])]
    found += [
        re.sub(r"^label_values\((.*), (\w+)\)$", r"count by (\2) (\1)", variable["definition"])
        for variable in dashboard["templating"]["list"]
        if variable["type"] == "query"
    ]
    for variable, text in (("$__rate_interval", "1m"), ("$model", ".*"), ("$instance", ".*")):
        found = [expression.replace(variable, text) for expression in found]
    return found


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    folder = tmp_path_factory.mktemp("node")
    save(folder / "repository", "doubling", onnx_models.doubling())
    with running_node(folder, folder / "repository", CONFIG) as node:
        yield node


@pytest.fixture(scope="module")
def prometheus_of_a_node(
    node: Node, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Prometheus]:
    with running_prometheus(
        tmp_path_factory.mktemp("prometheus"), f"127.0.0.1:{node.port}"
    ) as prometheus:
        yield prometheus


@contextmanager
def exposed_full_node() -> Iterator[int]:
    """Serve the metrics of a node with everything, busier at every scrape; yield the port."""
    node = FullNode()
    node.serve_a_minute(cache="memory")

    class Handler(QuietHandler):
        def answer(self) -> None:
            node.metrics.count(usage_record())
            node.metrics.count(usage_record(status=500, error="execution_failed"))
            sessions: SessionNumbers = node.sessions["m", "1", "cpu"]
            sessions.counts.loads += 1
            sessions.counts.load_us += 1000
            text, kind = node.metrics.expose(self.headers["accept"])
            self.send_response(200)
            self.send_header("content-type", kind)
            self.end_headers()
            self.wfile.write(text)

    with serving(Handler) as port:
        yield port


@pytest.fixture(scope="module")
def prometheus_of_a_full_node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    with (
        exposed_full_node() as port,
        running_prometheus(tmp_path_factory.mktemp("full"), f"127.0.0.1:{port}") as prometheus,
    ):
        yield prometheus


def wait_for_data(prometheus: Prometheus, expression: str, ask: Callable[[], object]) -> None:
    """Ask until `expression` has a value; a rate is one only of what goes on."""

    def look() -> list[Any]:
        ask()
        return prometheus.query(expression)

    try:
        until(look)
    except AssertionError:
        pytest.fail(f"no data: {expression}")


def test_the_configuration_and_the_rules_are_valid() -> None:
    for arguments in (
        ("check", "config", str(DEPLOY / "prometheus.yml")),
        ("check", "rules", str(DEPLOY / "rules.yml")),
    ):
        finished = promtool(*arguments)
        assert finished.returncode == 0, finished.stderr.decode()


def test_every_alert_fires_when_it_should_and_only_then() -> None:
    finished = promtool("test", "rules", str(DEPLOY / "rules_test.yml"))
    assert finished.returncode == 0, (finished.stdout + finished.stderr).decode()
    tested = (DEPLOY / "rules_test.yml").read_text()
    alerts = re.findall(r"- alert: (\w+)", (DEPLOY / "rules.yml").read_text())
    assert alerts
    for alert in alerts:
        assert re.search(rf"alertname: {alert}\n +exp_alerts:", tested), alert


def test_names_of_metrics_are_as_prometheus_wants_them_but_for_those_of_triton() -> None:
    node = FullNode()
    node.serve_a_minute()
    complaints = promtool("check", "metrics", given=node.metrics.expose()[0]).stderr.decode()
    assert "error while linting" not in complaints
    assert [line for line in complaints.splitlines() if not line.startswith("nv_")] == []


def test_a_node_that_was_asked_shows_what_dashboard_and_rules_ask_for(
    node: Node, prometheus_of_a_node: Prometheus
) -> None:
    prometheus = prometheus_of_a_node

    def ask() -> None:
        assert node.infer("doubling", x=("FP32", [1, 3], [1, 2, 3])).status == 200
        assert node.infer("doubling", x=("FP32", [1, 2], [1, 2])).status == 400

    ask()
    assert prometheus.target()["lastError"] == ""
    for expression in expressions():
        if ONLY_OF_A_FULL_NODE.search(expression):
            prometheus.query(expression)  # no error
        else:
            wait_for_data(prometheus, expression, ask)
    for name in ("request_latency_seconds_count", "inference_machine_cost_usd_total"):
        assert prometheus.query(name)
    assert prometheus.query("gpu_utilization_percent") == []


def test_a_node_with_everything_fills_every_panel(prometheus_of_a_full_node: Prometheus) -> None:
    for expression in expressions():
        wait_for_data(prometheus_of_a_full_node, expression, lambda: None)
    for name in ("inference_cost_per_request", "gpu_utilization_percent"):
        assert prometheus_of_a_full_node.query(name)


def test_every_rule_evaluates(prometheus_of_a_full_node: Prometheus) -> None:
    def all_evaluated() -> list[Any] | None:
        rules = prometheus_of_a_full_node.rules()
        return rules if all(rule["health"] != "unknown" for rule in rules) else None

    rules = until(all_evaluated)
    assert [rule for rule in rules if rule["health"] != "ok"] == []
    recorded = {rule["name"] for rule in rules if rule["type"] == "recording"}
    assert recorded
    for name in recorded:
        wait_for_data(prometheus_of_a_full_node, name, lambda: None)
