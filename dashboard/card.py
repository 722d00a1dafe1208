"""A chart in its frame: a heading, what it shows, and the picture."""

from collections.abc import Sequence
from dataclasses import dataclass

import plotly.graph_objects as go
import streamlit as st

from dashboard.style import CHART_CONFIG, section


@dataclass(frozen=True)
class Card:
    """A chart to draw; `alt` says to a screen reader what is drawn."""

    key: str
    title: str
    explanation: str
    figure: go.Figure
    alt: str


def draw_cards(key: str, cards: Sequence[Card], *, beside: int = 2) -> None:
    """Draw `cards`, `beside` in a row, below each other where there is no room."""
    with st.container(key=f"{key}-charts"):
        for place in range(0, len(cards), beside):
            for column, card in zip(
                st.columns(beside), cards[place : place + beside], strict=False
            ):
                with column, st.container(border=True, key=card.key, height="stretch"):
                    section(card.title, card.explanation)
                    st.plotly_chart(
                        card.figure, key=f"{card.key}-chart", config=CHART_CONFIG, alt=card.alt
                    )
