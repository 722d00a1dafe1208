"""docs/metrics.md, the dashboard and the rules name the metrics that there are, and no others."""

import json
import re
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families

from tests.unit.inference_node.metering.full_node import FullNode, names

ROOT = Path(__file__).parents[4]
SUFFIXES = re.compile("_(bucket|sum|count)$")


def full_node() -> FullNode:
    node = FullNode()
    node.serve_a_minute()
    return node


def documented() -> dict[str, tuple[str, set[str]]]:
    """Return type and labels of each metric in the tables of the document."""
    text = (ROOT / "docs/metrics.md").read_text()
    rows = re.findall(r"^\| `(\w+)` \| (\w+) \| ([^|]*)\| [^|]+ \|$", text, re.MULTILINE)
    assert len(rows) == len({name for name, _, _ in rows}) > 0
    return {name: (kind, set(re.findall(r"\w+", labels))) for name, kind, labels in rows}


def test_the_document_names_every_metric_of_a_full_node_with_its_type() -> None:
    exposed = dict(line.split() for line in names(full_node().metrics))
    assert {name: kind for name, (kind, _) in documented().items()} == exposed


def test_the_document_names_their_labels() -> None:
    found: dict[str, set[str]] = {}
    text = full_node().metrics.expose()[0].decode()
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            name = sample.name
            if family.type == "histogram":
                name = SUFFIXES.sub("", name)
            found.setdefault(name, set()).update(set(sample.labels) - {"le"})
    assert {name: labels for name, (_, labels) in documented().items()} == found


def test_dashboard_and_rules_ask_for_nothing_that_is_not_there() -> None:
    rules = (ROOT / "deploy/prometheus/rules.yml").read_text()
    dashboard = (ROOT / "deploy/grafana/inference_node.json").read_text()
    recorded = set(re.findall(r"record: (\S+)", rules))
    prefixes = r"inference|request|usage|gpu|nv|cpu|process|model|instance|priority"
    asked = set(re.findall(rf"\b((?:{prefixes})[_:][\w:]+)", _expressions(dashboard) + rules))
    known = set(documented()) | recorded
    unknown = {name for name in asked if name not in known and SUFFIXES.sub("", name) not in known}
    # Names of jobs, groups and the like.
    assert unknown == {"inference_node_recording", "inference_node_alerts", "inference_node"}
    assert recorded & set(re.findall(r"[\w:]+", dashboard)), "the dashboard uses the rules"


def test_panels_of_the_dashboard_do_not_overlap_and_say_what_they_show() -> None:
    dashboard = json.loads((ROOT / "deploy/grafana/inference_node.json").read_text())
    taken: set[tuple[int, int]] = set()
    for panel in dashboard["panels"]:
        place = panel["gridPos"]
        cells = {
            (place["x"] + column, place["y"] + line)
            for column in range(place["w"])
            for line in range(place["h"])
        }
        assert not cells & taken, panel["title"]
        assert max(column for column, _ in cells) < 24, panel["title"]
        taken |= cells
        assert panel["type"] == "row" or panel["description"], panel["title"]
    numbers = [panel["id"] for panel in dashboard["panels"]]
    assert len(numbers) == len(set(numbers))


def _expressions(dashboard: str) -> str:
    panels = json.loads(dashboard)["panels"]
    return "\n".join(target["expr"] for panel in panels for target in panel.get("targets", []))
