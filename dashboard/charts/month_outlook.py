"""A month day by day: what is spent, what is forecast, and the budget."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction

import plotly.graph_objects as go

from costs import TICKS_PER_USD, Ticks
from costs.forecast import DayCost, Forecast
from costs.month import start_us
from dashboard.charts.frame import framed, local
from reports import palette

BAND_FILL = "rgba(44, 134, 194, 0.22)"
HOVER = "%{y:,.2f} USD"


def month_outlook(
    forecast: Forecast, days: list[DayCost], usd_per_month: Decimal | None
) -> go.Figure:
    """Return cumulative USD over the days of the month (UTC): spent, then P50 with P10 to P90.

    A line stands at the end of each day, and at the instant up to which facts are stored.
    """
    month = forecast.month
    end = _end_of(month.end_day - timedelta(1))
    traces = [*_forecast(forecast), _spent(forecast, days)]
    if usd_per_month is not None:
        amount = float(usd_per_month)
        traces.append(
            go.Scatter(
                name="Budget, spent evenly",
                x=[_begin_of(month.first_day), end],
                y=[0.0, amount],
                mode="lines",
                line={"color": palette.GREY, "dash": "dot", "width": 1.5},
                hovertemplate=HOVER,
            )
        )
        traces.append(
            go.Scatter(
                name="Budget",
                x=[_begin_of(month.first_day), end],
                y=[amount, amount],
                mode="lines",
                line={"color": palette.VERMILLION, "dash": "dash", "width": 2},
                hovertemplate=HOVER,
            )
        )
    figure = framed(traces, y_title="USD since the month began")
    figure.update_xaxes(range=[_begin_of(month.first_day), end], hoverformat="%d %b, %H:%M UTC")
    figure.update_yaxes(rangemode="tozero")
    return figure


def _spent(forecast: Forecast, days: list[DayCost]) -> go.Scatter:
    own = sorted((d for d in days if d.day >= forecast.month.first_day), key=lambda d: d.day)
    # Where facts begin within the month, so does the line.
    x, y = [_begin_of(own[0].day if own else forecast.month.first_day)], [0.0]
    total: Ticks = Fraction(0)
    as_of = local(forecast.as_of_us, UTC)
    for day in own:
        total += day.ticks
        x.append(min(_end_of(day.day), as_of))
        y.append(float(total) / TICKS_PER_USD)
    return go.Scatter(
        name="Spent",
        x=x,
        y=y,
        mode="lines",
        line={"color": palette.BLUE, "width": 2.5},
        hovertemplate=HOVER,
    )


def _forecast(forecast: Forecast) -> list[go.Scatter]:
    if not forecast.path:
        return []
    spent = float(forecast.spent) / TICKS_PER_USD
    x = [local(forecast.as_of_us, UTC), *(_end_of(point.day) for point in forecast.path)]
    bands = [point.month_to_date for point in forecast.path]
    edges = [
        ("P10", [spent, *(band.low for band in bands)], None),
        ("P90", [spent, *(band.high for band in bands)], "tonexty"),
    ]
    traces = [
        go.Scatter(
            name=f"Forecast {name}",
            x=x,
            y=y,
            mode="lines",
            line={"color": palette.BLUE, "width": 0.5},
            fill=fill,
            fillcolor=BAND_FILL,
            showlegend=False,
            hovertemplate=HOVER,
        )
        for name, y, fill in edges
    ]
    mid = go.Scatter(
        name="Forecast P50, with P10 to P90",
        x=x,
        y=[spent, *(band.mid for band in bands)],
        mode="lines",
        line={"color": palette.BLUE, "dash": "dot", "width": 2},
        hovertemplate=HOVER,
    )
    return [*traces, mid]


def _begin_of(day: date) -> datetime:
    return local(start_us(day), UTC)


def _end_of(day: date) -> datetime:
    return _begin_of(day + timedelta(1))
