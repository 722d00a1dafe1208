"""The review as one HTML file: no script, nothing fetched, the same bytes for the same review."""

from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined, Template

from reports import palette
from reports.weekly import drawing
from reports.weekly.review import WeeklyReview
from reports.weekly.sheet import sheet_of

SIZE = {
    "column": drawing.COLUMN - drawing.GAP,
    "height": drawing.HEAD + drawing.COLUMNS_HEIGHT + drawing.FOOT,
    "font": drawing.FONT_PX,
}


def to_html(review: WeeklyReview) -> str:
    """Return `review` as an HTML document. Everything that comes from data is escaped."""
    return _template().render(sheet=sheet_of(review), size=SIZE, palette=palette)


@cache
def _template() -> Template:
    environment = Environment(
        loader=PackageLoader("reports.weekly"),
        autoescape=True,
        undefined=StrictUndefined,
        keep_trailing_newline=True,
    )
    return environment.get_template("review.html.jinja")
