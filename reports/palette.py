"""Every colour of the pages and of the files that are read, and what it stands for.

The hues are those of Okabe and Ito ("Color Universal Design", 2008), which stay apart under every
common kind of colour blindness; their blue is lightened to serve a dark background too. Chart marks
serve both backgrounds, so each has a contrast of at least 3:1 with either; words come in a pair,
for the light and the dark background, at 4.5:1.
"""

from dataclasses import dataclass

BLUE = "#2C86C2"
VERMILLION = "#D55E00"
BLUISH_GREEN = "#009E73"
GREY = "#868E99"
PURPLE = "#B5609B"
OCHRE = "#A87B00"

DIRECT = BLUE
DIRECT_FILL = "rgba(44, 134, 194, 0.7)"
OTHERS = BLUISH_GREEN
OTHERS_FILL = "rgba(0, 158, 115, 0.45)"
IDLE = GREY
IDLE_FILL = "rgba(134, 142, 153, 0.25)"
P50 = BLUISH_GREEN
P95 = BLUE
P99 = VERMILLION
ALONE = BLUE
SHARED = BLUISH_GREEN
FAILED = VERMILLION
GRID = "rgba(134, 142, 153, 0.22)"

LIGHT_BACKGROUND = "#ffffff"
DARK_BACKGROUND = "#12161c"


@dataclass(frozen=True)
class Ink:
    """A colour of words: one for each background."""

    light: str
    dark: str

    @property
    def css(self) -> str:
        """The colour as CSS that follows the page's colour scheme."""
        return f"light-dark({self.light}, {self.dark})"


BETTER = Ink("#00734F", "#35C29A")
WORSE = Ink("#B34700", "#FF9A5C")
MUTED = Ink("#5C6773", "#9AA5B1")
