"""docs/costs.md shows a request's cost by hand: the program says the same, to the last digit."""

import re
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pytest

from costs import Sharing, Ticks, parse_resources, to_usd
from reports import Window, load_price_book, load_request_costs
from reports.costs import load_costs
from store import EVERYTHING, HOUR_US, MINUTE_US, Batch, By, commit
from tests.fixtures_usage import MONDAY_US, node_sample, usage_record

ROOT = Path(__file__).resolve().parents[2]
DOC = (ROOT / "docs/costs.md").read_text(encoding="utf-8")
WINDOW = Window("1 minute", MINUTE_US, MINUTE_US)


@pytest.fixture
def told(tmp_path: Path) -> dict[str, Ticks]:
    """What the program says, by the first column of the table."""
    database = tmp_path / "usage.duckdb"
    records = [
        usage_record(
            record_id=f"0198c0de-0000-7000-8000-00000000000{n}",
            seq=n,
            arrived_at_us=MONDAY_US + n,
            tenant=f"tenant-{n}",
            compute_us=8_000,
            batch_size=4,
            request_bytes=0,
            response_bytes=2_500,
        )
        for n in range(1, 5)
    ]
    sample = node_sample(
        sampled_at_us=MONDAY_US + MINUTE_US,
        interval_us=MINUTE_US,
        workers_ready=2,
        busy_us=8_000,
        region="us-east-1",
        instance_type="c7i.xlarge",
        purchase_option="on_demand",
    )
    commit(database, Batch(records, [sample]), now_us=1)
    book = load_price_book(ROOT / "data/prices")
    now_us = MONDAY_US + MINUTE_US
    found = load_costs(
        database, book, WINDOW, now_us, EVERYTHING, [By.TENANT], Sharing.PROPORTIONAL
    )
    assert found is not None
    one, *others = found.slices
    assert [other.cost for other in others] == [one.cost] * 3
    [listed, *_] = load_request_costs(database, book.machines, 1).rows
    assert listed.direct == one.compute
    return {
        "the machine, this minute": found.total.machine,
        "compute of the request": one.compute,
        "network of the request": one.network,
        "direct cost of the request": one.direct,
        "idle in this minute": found.total.idle,
        "fully loaded, proportional": one.cost,
    }


# The sums of the second column, done here with nothing of the program.
BY_HAND = {
    "the machine, this minute": Fraction("0.1785") / 60,
    "compute of the request": Fraction("0.1785") / 3_600_000,
    "network of the request": Fraction(2_500) * Fraction("0.09") / 10**9,
    "direct cost of the request": Fraction("0.1785") / 3_600_000
    + Fraction(2_500) * Fraction("0.09") / 10**9,
    "idle in this minute": Fraction("0.1785") / 60 - 4 * Fraction("0.1785") / 3_600_000,
    "fully loaded, proportional": Fraction("0.1785") / 60 / 4
    + Fraction(2_500) * Fraction("0.09") / 10**9,
}


def test_the_table_of_the_documentation_is_what_the_program_says(told: dict[str, Ticks]) -> None:
    rows = re.findall(
        r"^\| ([^|]+) \| [^|]+ \| (\d\.\d{12}) \| (\d\.\d{12}) \|$", DOC, re.MULTILINE
    )
    assert [name for name, _, _ in rows] == list(told)
    for name, by_hand, by_program in rows:
        assert Decimal(by_program) == to_usd(told[name])
        assert Decimal(by_hand) == round(
            Decimal(BY_HAND[name].numerator) / BY_HAND[name].denominator, 12
        )
        assert by_hand == by_program


def test_the_example_of_resources_is_accepted_as_it_stands() -> None:
    [example] = re.findall(r"```toml\n(.*?)```", DOC, re.DOTALL)
    declared = parse_resources(example, "docs/costs.md")
    assert declared.commitments[0].effective_micro_usd_per_hour == 112_400
    assert declared.commitments[0].to_us - declared.commitments[0].from_us == 365 * 24 * HOUR_US
    assert declared.storage[0].stored_bytes == 12_500_000_000
    assert declared.caches[0].micro_usd_per_hour == 68_000
    assert declared.archive is not None
