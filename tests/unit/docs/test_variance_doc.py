"""The worked example of docs/variance.md is what the program says."""

from pathlib import Path

from costs import TICKS_PER_USD, split_usd
from costs.variance import Usage, explain_change, top_movers
from reports.variance import cause_words, line_words
from store import Key
from tests.tables import Table, table

TEXT = (Path(__file__).parents[3] / "docs/variance.md").read_text()
HOUR_US = 3_600_000_000


def usages(rows: Table, first: int) -> dict[Key, Usage]:
    found: dict[Key, Usage] = {}
    for row in rows:
        requests, busy, provided, usd = (int(n.replace(",", "")) for n in row[first : first + 4])
        usage = Usage(requests, busy * HOUR_US, provided * HOUR_US, usd * TICKS_PER_USD)
        found[row[0],] = usage
    return found


def test_the_bridge_of_the_example_is_that_of_the_program() -> None:
    facts, lines = table(TEXT, "model"), table(TEXT, "line", after="## Example")
    variance = explain_change(usages(facts, 1), usages(facts, 5))
    assert variance.before == 41 * TICKS_PER_USD
    assert variance.after == 50 * TICKS_PER_USD
    totals = split_usd(list(variance.lines.values()), 4)
    assert [(row[0], row[3]) for row in lines] == [
        (line, str(usd)) for line, usd in zip(variance.lines, totals, strict=True)
    ]
    for column, model in enumerate(("digits", "letters"), 1):
        (drivers,) = (row.drivers for row in variance.contributions if row.key == (model,))
        told = [row[column] for row in lines if row[column]]
        assert told == [str(usd) for usd in split_usd(list(drivers.values()), 4)]


def test_the_movers_of_the_example_are_told_in_the_words_of_the_program() -> None:
    facts = table(TEXT, "model")
    variance = explain_change(usages(facts, 1), usages(facts, 5))
    movers = top_movers(variance.contributions, 5)
    assert [mover.key for mover in movers] == [("digits",), ("faces",), ("stamps",)]
    told = " ".join(TEXT.split())
    for mover in movers:
        words = cause_words(mover).replace(" (", ", ").rstrip(")")
        assert f"{mover.key[0]} ({words})" in told


def test_every_line_of_the_program_is_explained() -> None:
    named = " ".join(row[0] for row in table(TEXT, "line"))
    for line in explain_change(usages([], 1), {}).lines:
        assert line_words(line) != line
    factors = ("volume", "mix", "work per request", "utilisation", "price")
    own_lines = ("new, retired", "zero traffic", "unused machines")
    for words in (*factors, *own_lines, "network, storage, cache, commitment"):
        assert words in named
