"""Where the money goes, as a Sankey diagram: bought, what became of it, model, tenant."""

from collections.abc import Mapping, Sequence
from html import escape

import plotly.graph_objects as go

from costs import TICKS_PER_USD
from dashboard.filter_words import value_words
from reports import palette
from reports.costs import Flow, Stage
from reports.costs.flows import FAILED, IDLE, SAVED, USED
from reports.formatting import usd

HEIGHT_PX = 360
MARGIN_PX = 10
PAD_PX = 14
# More names than that in a column are one "others": a line each would be no picture.
MOST_NAMES = 8
OTHERS = "others"
COLUMNS = {Stage.BOUGHT: 0.001, Stage.BECAME: 0.33, Stage.MODEL: 0.66, Stage.TENANT: 0.999}
FATES = {
    USED: palette.BLUE,
    FAILED: palette.VERMILLION,
    IDLE: palette.GREY,
    SAVED: palette.BLUISH_GREEN,
}
LINK = "rgba({}, {}, {}, 0.35)"

Node = tuple[Stage, str]
NOT_PAID: Node = (Stage.BECAME, SAVED)


def cost_flows(flows: Sequence[Flow]) -> go.Figure:
    """Return the flows in USD; what caches saved was not paid, and is drawn in green beside it.

    A node is as high as all that flows through it, and says how much of that was paid.
    """
    links = _links(flows)
    nodes = list(dict.fromkeys(node for pair in links for node in pair))
    place = {node: number for number, node in enumerate(nodes)}
    through = _through(nodes, links)
    paid = _through(nodes, {pair: cost for pair, cost in links.items() if pair[0] != NOT_PAID})
    paid[NOT_PAID] = through.get(NOT_PAID, 0.0)
    figure = go.Figure(
        go.Sankey(
            arrangement="snap",
            valueformat=",.4~r",
            valuesuffix=" USD",
            node={
                # Plotly takes a part of HTML in texts, and tenants name themselves.
                "label": [f"{escape(name)}  {usd(paid[stage, name])}" for stage, name in nodes],
                "x": [COLUMNS[stage] for stage, _ in nodes],
                "y": _middles(nodes, through),
                "color": [_color(node) for node in nodes],
                "pad": PAD_PX,
                "thickness": 14,
                "line": {"width": 0},
            },
            link={
                "source": [place[source] for source, _ in links],
                "target": [place[target] for _, target in links],
                "value": list(links.values()),
                "color": [_faint(_color(_fate(pair))) for pair in links],
            },
        )
    )
    figure.update_layout(
        height=HEIGHT_PX,
        margin={"l": 4, "r": 4, "t": MARGIN_PX, "b": MARGIN_PX},
        paper_bgcolor="rgba(0,0,0,0)",
    )
    return figure


def _links(flows: Sequence[Flow]) -> dict[tuple[Node, Node], float]:
    """Return USD by source and target; the smallest names of a column become one."""
    kept = {stage: _largest(flows, stage) for stage in COLUMNS}
    links: dict[tuple[Node, Node], float] = {}
    for flow in flows:
        pair = _node(flow.source, kept), _node(flow.target, kept)
        links[pair] = links.get(pair, 0.0) + float(flow.cost) / TICKS_PER_USD
    return links


def _through(nodes: Sequence[Node], links: Mapping[tuple[Node, Node], float]) -> dict[Node, float]:
    """Return what comes into each node, or leaves it, whichever is more."""
    into, out = dict.fromkeys(nodes, 0.0), dict.fromkeys(nodes, 0.0)
    for (source, target), cost in links.items():
        out[source] += cost
        into[target] += cost
    return {node: max(into[node], out[node]) for node in nodes}


def _largest(flows: Sequence[Flow], stage: Stage) -> set[str | None]:
    sizes: dict[str | None, float] = {}
    for flow in flows:
        for at, name in (flow.source, flow.target):
            if at is stage:
                sizes[name] = sizes.get(name, 0.0) + float(flow.cost)
    names = sorted(sizes, key=lambda name: -sizes[name])
    return set(names if len(names) <= MOST_NAMES else names[: MOST_NAMES - 1])


def _node(of: tuple[Stage, str | None], kept: dict[Stage, set[str | None]]) -> Node:
    stage, name = of
    return (stage, value_words(name)) if name in kept[stage] else (stage, OTHERS)


def _middles(nodes: Sequence[Node], through: dict[Node, float]) -> list[float]:
    """Return the middle of each node, 0 at the top to 1: largest first, what was not used last.

    All columns have one scale, at which the fullest of them has just room, gaps included.
    """
    columns = [[node for node in nodes if node[0] is stage] for stage in COLUMNS]
    gap = PAD_PX / (HEIGHT_PX - 2 * MARGIN_PX)
    scale = min(
        (1 - gap * (len(column) - 1)) / (sum(through[node] for node in column) or 1.0)
        for column in columns
    )
    middles: dict[Node, float] = {}
    for column in columns:
        top = 0.0
        for node in sorted(column, key=lambda node: (node[1] in (IDLE, SAVED), -through[node])):
            height = through[node] * scale
            middles[node] = min(0.999, max(0.001, top + height / 2))
            top += height + gap
    return [middles[node] for node in nodes]


def _fate(pair: tuple[Node, Node]) -> Node:
    """Return the node that gives a link its colour: what became of the money, where it is told."""
    return next((node for node in pair[::-1] if node[0] is Stage.BECAME), pair[0])


def _color(node: Node) -> str:
    return FATES.get(node[1], palette.BLUE) if node[0] is Stage.BECAME else palette.BLUE


def _faint(color: str) -> str:
    return LINK.format(*(int(color[place : place + 2], 16) for place in (1, 3, 5)))
