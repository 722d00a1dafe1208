"""The example of rules over prices is one, and every column of a price file is documented."""

import re
from pathlib import Path

from costs import Catalogue, Machine, parse_overrides
from costs.price_file import COLUMNS as INSTANCES
from costs.prices import commitment, instance_type, interruption, latency, storage, transfer

DOCUMENT = (Path(__file__).parents[3] / "docs/prices.md").read_text()
SUMMER_2026_US = 1_782_864_000_000_000


def test_the_example_rules_are_accepted() -> None:
    (example,) = re.findall(r"```toml\n(.*?)```", DOCUMENT, re.DOTALL)
    rules = parse_overrides(example, "prices.toml")
    rack = Machine("own", "berlin", "dgx-a100", "on_demand")
    found = Catalogue([], rules).at(rack, SUMMER_2026_US)
    assert (found.micro_usd_per_hour, found.override) == (9_800_000, "rack 7")


def test_every_column_is_documented_in_order() -> None:
    text = " ".join(DOCUMENT.split())
    kinds = (instance_type, commitment, transfer, storage, latency, interruption)
    for columns in (INSTANCES, *(kind.COLUMNS for kind in kinds)):
        assert f"`{', '.join(columns)}`" in text
