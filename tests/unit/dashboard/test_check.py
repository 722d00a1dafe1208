"""Checks in words: a verdict over all of them, and one each."""

from dashboard.check import Check, checks_html, verdict_html
from dashboard.health_tables import table_html

GOOD = Check("rejected", "Rejected lines", "0", True, "Every line was valid.")
BAD = Check("nodes", "Nodes <heard>", "1 of 2", False, "Silent: <b>.")
NEUTRAL = Check("storage", "Database file", "1 MiB", None, "Just so.")


def test_all_good_is_said_in_one_word() -> None:
    html = verdict_html([GOOD, NEUTRAL])
    assert '<span class="promise met">Good</span>' in html
    assert "missed" not in html


def test_what_is_to_be_looked_at_is_named_on_top() -> None:
    html = verdict_html([GOOD, BAD])
    assert '<span class="promise missed">Look at this</span>Nodes &lt;heard&gt;.' in html


def test_each_check_has_a_verdict_in_words_or_none() -> None:
    html = checks_html([GOOD, BAD, NEUTRAL])
    assert html.count(">good</span>") == 1
    assert html.count(">look at this</span>") == 1
    assert html.count("<article") == 3


def test_text_of_a_check_is_never_markup() -> None:
    html = checks_html([BAD])
    assert "<b>" not in html
    assert "Silent: &lt;b&gt;." in html


def test_a_table_escapes_every_cell_and_says_when_it_is_empty() -> None:
    html = table_html(("Line:", "Count"), [("<script>", "1")], "None.")
    assert "&lt;script&gt;" in html
    assert "<script>" not in html
    assert '<td class="words">' in html
    assert "<td>1</td>" in html
    assert table_html(("Line:",), [], "None & nothing.") == (
        '<p class="status">None &amp; nothing.</p>'
    )
