"""The picture of where money goes keeps names as they are."""

from fractions import Fraction

from costs import TICKS_PER_USD
from dashboard.charts.cost_flows import MOST_NAMES, OTHERS, cost_flows
from reports.costs import Flow, Stage

USD = Fraction(TICKS_PER_USD)


def test_names_are_texts_and_no_markup() -> None:
    flow = Flow((Stage.MODEL, "digits"), (Stage.TENANT, '<a href="x">&'), USD)
    [sankey] = cost_flows([flow]).data
    assert sankey.node.label[1] == "&lt;a href=&quot;x&quot;&gt;&amp;  1.00"


def test_the_smallest_of_many_are_one_node_and_no_money_is_lost() -> None:
    flows = [
        Flow((Stage.MODEL, "digits"), (Stage.TENANT, f"tenant-{n}"), n * USD)
        for n in range(1, MOST_NAMES + 3)
    ]
    [sankey] = cost_flows(flows).data
    assert len(sankey.node.label) == 1 + MOST_NAMES
    assert sum(sankey.link.value) == sum(range(1, MOST_NAMES + 3))
    # Of ten, the seven largest have a node; one, two and three dollars are of others.
    assert f"{OTHERS}  6.00" in sankey.node.label


def test_a_model_says_what_was_paid_for_it_and_not_what_was_saved() -> None:
    flows = [
        Flow((Stage.BECAME, "used"), (Stage.MODEL, "digits"), 2 * USD),
        Flow((Stage.MODEL, "digits"), (Stage.TENANT, "shop"), 2 * USD),
        Flow((Stage.BECAME, "saved by caches"), (Stage.MODEL, "digits"), 5 * USD, saved=True),
    ]
    [sankey] = cost_flows(flows).data
    assert set(sankey.node.label) == {
        "used  2.00",
        "digits  2.00",
        "shop  2.00",
        "saved by caches  5.00",
    }


def test_no_flow_is_an_empty_picture() -> None:
    [sankey] = cost_flows([]).data
    assert list(sankey.link.value) == []
