"""The review as PDF, drawn by WeasyPrint from the same HTML.

WeasyPrint needs a library of the operating system, Pango, which pip does not bring. Without it
everything but the PDF works.
"""

import contextlib
import io
import warnings
from enum import StrEnum
from typing import Any

from PIL import ImageFile

from reports.errors import ReportError
from reports.weekly.html import to_html
from reports.weekly.review import WeeklyReview

TO_INSTALL = (
    "PDF needs the library Pango, which is not on this machine; install it "
    "(Debian, Ubuntu: apt-get install libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0; "
    "macOS: brew install pango), or write .html instead"
)


class Paper(StrEnum):
    """What a PDF is to be printed on."""

    A4 = "a4"
    LETTER = "letter"


class PdfError(ReportError):
    """A PDF cannot be made on this machine; the message says what to install."""


def to_pdf(review: WeeklyReview, paper: Paper = Paper.A4) -> bytes:
    """Return `review` as PDF: the same bytes for the same review on the same machine.

    Raises PdfError where a library of the operating system is missing.
    """
    weasyprint = _weasyprint()
    document = weasyprint.HTML(string=to_html(review), url_fetcher=_fetch_nothing)
    sheet = weasyprint.CSS(string=f"@page {{ size: {paper.value} }}")
    made: bytes = document.write_pdf(
        stylesheets=[sheet], pdf_tags=True, pdf_identifier=str(review.week).encode()
    )
    return made


def pdf_trouble() -> str | None:
    """Return why no PDF can be made on this machine, None where one can."""
    try:
        _weasyprint()
    except PdfError as error:
        return str(error)
    return None


def _weasyprint() -> Any:
    # What it prints where a library is missing would stand in the way of the one sentence.
    with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            import weasyprint
        except OSError as error:
            raise PdfError(TO_INSTALL) from error
    # It makes Pillow accept images that are cut off, for everybody in this process.
    ImageFile.LOAD_TRUNCATED_IMAGES = False
    return weasyprint


def _fetch_nothing(url: str) -> Any:
    raise ValueError(f"the review asks for {url}; accepted: nothing outside of it")
