"""What the Data health page lists, as HTML: text of lines and names of nodes are never markup."""

from collections.abc import Sequence
from datetime import tzinfo
from html import escape

from reports import HealthReport, PriceAge
from reports.formatting import DASH, count, instant, span
from store import BootHealth, RejectedReason, StoredRejection

MOST_REASONS = 12
MOST_BOOTS = 20
LONGEST_LINE = 400
TIME = "%d %b %Y, %H:%M:%S"


def table_html(header: Sequence[str], rows: Sequence[Sequence[str]], empty: str) -> str:
    """Return a table of plain texts; the sentence `empty` where it has no row.

    Columns whose heading ends in a colon hold words, the others numbers.
    """
    if not rows:
        return f'<p class="status">{escape(empty)}</p>'
    words = [title.endswith(":") for title in header]
    heads = "".join(
        f'<th scope="col"{_class(word)}>{escape(title.rstrip(":"))}</th>'
        for title, word in zip(header, words, strict=True)
    )
    lines = "".join(
        "<tr>"
        + "".join(
            f"<td{_class(word)}>{escape(text)}</td>" for text, word in zip(row, words, strict=True)
        )
        + "</tr>"
        for row in rows
    )
    return (
        f'<div class="wide"><table class="facts"><thead><tr>{heads}</tr></thead>'
        f"<tbody>{lines}</tbody></table></div>"
    )


def reasons_html(reasons: Sequence[RejectedReason], zone: tzinfo) -> str:
    """Return why lines were rejected, most lines first."""
    rows = [
        (
            reason.reason,
            count(reason.lines),
            instant(reason.newest_at_us, zone).strftime(TIME),
            reason.newest_reason,
        )
        for reason in reasons[:MOST_REASONS]
    ]
    left = len(reasons) - len(rows)
    more = f'<p class="status">{count(left)} more reasons.</p>' if left else ""
    header = ("Reason:", "Lines", "Newest", "Its reason in full:")
    return table_html(header, rows, "No line was rejected.") + more


def rejections_html(rejections: Sequence[StoredRejection], zone: tzinfo) -> str:
    """Return the lines rejected last with where they stood."""
    rows = [
        (
            instant(line.rejected_at_us, zone).strftime(TIME),
            line.node_id,
            f"{line.boot_id}/{line.segment} at {count(line.byte_offset)}",
            line.reason,
            _cut(line.line),
        )
        for line in rejections
    ]
    header = ("Rejected:", "Node:", "Boot/segment, byte:", "Reason:", "Line:")
    return table_html(header, rows, "No line was rejected.")


def boots_html(report: HealthReport, zone: tzinfo) -> str:
    """Return the runs of nodes, those with a loss first, then the newest."""
    silent = {boot.boot_id for boot in report.silent}
    order = sorted(report.boots, key=lambda boot: not _lossy(boot))
    rows = [
        (
            boot.node_id,
            boot.boot_id,
            count(boot.records),
            count(boot.missing_before + boot.missing_within),
            count(boot.dropped),
            "" if boot.last_fact_us is None else instant(boot.last_fact_us, zone).strftime(TIME),
            _heard(boot, silent, report.now_us),
        )
        for boot in order[:MOST_BOOTS]
    ]
    left = len(order) - len(rows)
    more = f'<p class="status">{count(left)} more runs.</p>' if left else ""
    header = ("Node:", "Run:", "Records", "Missing", "Dropped", "Last fact", "Heard:")
    return table_html(header, rows, "No node was heard of yet.") + more


def prices_html(prices: Sequence[PriceAge]) -> str:
    """Return the machines of the window with the date of their price."""
    rows = [
        (
            str(price.machine),
            price.price.as_of if price.price else DASH,
            DASH if price.days is None else f"{count(price.days)} d",
            price.price.source if price.price else "no price is known: costs leave it out",
        )
        for price in prices
    ]
    return table_html(("Machine:", "As of", "Age", "Source:"), rows, "No machine ran.")


def _class(word: bool) -> str:
    return ' class="words"' if word else ""


def _lossy(boot: BootHealth) -> bool:
    return bool(boot.missing_before or boot.missing_within or boot.dropped)


def _heard(boot: BootHealth, silent: set[str], now_us: int) -> str:
    if boot.simulated:
        return "never: simulated"
    if boot.last_fact_us is None:
        return DASH
    age = f"{span(now_us - boot.last_fact_us)} ago"
    return f"{age}, silent" if boot.boot_id in silent else age


def _cut(line: str) -> str:
    return line if len(line) <= LONGEST_LINE else f"{line[:LONGEST_LINE]}..."
