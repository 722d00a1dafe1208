"""The review as PDF: the text of the HTML on paper, the same bytes every time."""

import dataclasses
import io
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from pypdf import PdfReader

from reports.weekly.headline import headline
from reports.weekly.pdf import Paper, pdf_trouble, to_pdf
from reports.weekly.review import WeeklyReview
from reports.weekly.tiles import WeeklyTiles
from tests.unit.reports.weekly.sample_review import ACTIONS, MOVERS, empty_week, first_week, review

A4, LETTER = (595, 842), (612, 792)

WITHOUT_PANGO = """
import cffi
real = cffi.FFI.dlopen
def dlopen(self, name, flags=0):
    if "pango" in str(name):
        raise OSError("cannot load library")
    return real(self, name, flags)
cffi.FFI.dlopen = dlopen
from reports.weekly.html import to_html
from reports.weekly.pdf import PdfError, to_pdf
from tests.unit.reports.weekly.sample_review import REVIEW
assert "1,234.50" in to_html(REVIEW)
try:
    to_pdf(REVIEW)
except PdfError as error:
    print(error)
"""


@pytest.fixture(autouse=True, scope="module")
def _pango() -> None:
    trouble = pdf_trouble()
    if trouble:
        if os.environ.get("CI"):
            pytest.fail(trouble)
        pytest.skip(trouble)


@pytest.fixture(scope="module")
def full() -> bytes:
    """Return the whole review on paper."""
    return to_pdf(review())


def words(pdf: bytes) -> str:
    text = " ".join(page.extract_text() for page in PdfReader(io.BytesIO(pdf)).pages)
    return re.sub(r"\s+", " ", text)


@pytest.mark.parametrize(
    "kind", [review(), first_week(), empty_week()], ids=("full", "first", "empty")
)
def test_the_paper_says_what_the_review_says_on_one_page(kind: WeeklyReview) -> None:
    pdf = to_pdf(kind)
    text = words(pdf)
    assert headline(kind) in text
    for tile in WeeklyTiles(kind).row():
        assert tile.value in text
        assert tile.change.amount in text
    for mover in kind.movers:
        assert mover.name in text
        assert mover.cause in text
    for action in kind.actions:
        assert f"{action.id} {action.title} {action.owner}" in text
    assert len(PdfReader(io.BytesIO(pdf)).pages) == 1


def test_the_amounts_of_the_bridge_are_on_paper(full: bytes) -> None:
    text = words(full)
    for line in ("Week before 1,100.00", "Price of machines +48.50", "This week 1,234.50"):
        assert line in text


def test_the_same_review_is_the_same_bytes_in_another_process(full: bytes) -> None:
    code = (
        "import sys; from reports.weekly.pdf import to_pdf; "
        "from tests.unit.reports.weekly.sample_review import REVIEW; "
        "sys.stdout.buffer.write(to_pdf(REVIEW))"
    )
    other = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    assert other.stdout == full == to_pdf(review())
    assert to_pdf(review(actions=ACTIONS[:1])) != other.stdout


def test_its_dates_are_those_of_the_week(full: bytes) -> None:
    metadata = PdfReader(io.BytesIO(full)).metadata
    assert metadata is not None
    assert metadata.title == "Weekly review 2026-W47"
    assert str(metadata["/CreationDate"]).startswith("D:20261123")
    assert str(metadata["/ModDate"]).startswith("D:20261123")


@pytest.mark.parametrize(("paper", "size"), [(Paper.A4, A4), (Paper.LETTER, LETTER)])
def test_it_is_for_either_paper(paper: Paper, size: tuple[int, int]) -> None:
    [page] = PdfReader(io.BytesIO(to_pdf(review(), paper))).pages
    assert (round(page.mediabox.width), round(page.mediabox.height)) == size


def test_a_review_with_more_than_a_page_holds_goes_on_on_the_next_one() -> None:
    many = tuple(dataclasses.replace(ACTIONS[0], id=n, title=f"Task {n}") for n in range(1, 90))
    pdf = to_pdf(review(actions=many, movers=MOVERS))
    assert len(PdfReader(io.BytesIO(pdf)).pages) > 1
    assert "Task 89" in words(pdf)


def test_without_the_library_one_sentence_says_what_to_install_and_html_works() -> None:
    root = Path(__file__).parents[4]
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_PANGO], capture_output=True, text=True, check=True, cwd=root
    )
    assert done.stdout.startswith("PDF needs the library Pango, which is not on this machine")
    assert done.stdout.count("\n") == 1
    assert done.stderr == ""
