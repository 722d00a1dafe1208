"""The example of declared resources in docs/costs.md is one, and means what it says."""

import re
from datetime import UTC, datetime
from pathlib import Path

from costs import parse_resources

TEXT = (Path(__file__).parents[3] / "docs/costs.md").read_text(encoding="utf-8")


def test_the_example_of_resources_is_accepted_to_the_cent() -> None:
    [example] = re.findall(r"```toml\n(.*?)```", TEXT, re.DOTALL)
    declared = parse_resources(example, "resources.toml")
    [commitment], [kept], [cache] = declared.commitments, declared.storage, declared.caches
    assert (commitment.micro_usd_per_hour, commitment.upfront_micro_usd) == (112_400, 0)
    assert commitment.to_us == int(datetime(2027, 1, 1, tzinfo=UTC).timestamp()) * 1_000_000
    assert (kept.stored_bytes, kept.micro_usd_per_gb_month) == (12_500_000_000, 20_000)
    assert cache.micro_usd_per_hour == 68_000
    assert declared.archive is not None
    assert declared.egress_to == "internet"
