"""What headers say of who asks, and what they are refused for."""

import pytest

from inference_node.access.caller import NOBODY, Caller, read_caller
from inference_node.http.messages import Request
from tests.unit.inference_node.asgi import nothing_more, scope


def read(**headers: str) -> tuple[Caller, list[str]]:
    pairs = {f"x-{name.replace('_', '-')}": value for name, value in headers.items()}
    return read_caller(Request(scope("POST", "/predict", pairs), nothing_more))


def test_without_headers_the_caller_is_nobody_in_particular() -> None:
    assert read() == (NOBODY, [])
    assert Caller("default", "normal", {}, "live", None) == NOBODY


def test_every_header_is_on_the_caller() -> None:
    caller, complaints = read(
        tenant="shop",
        priority="high",
        labels="team=search, project = ranking ,empty=",
        origin="replay",
        client_region="eu-west-1",
    )
    assert complaints == []
    assert caller == Caller(
        "shop",
        "high",
        {"team": "search", "project": "ranking", "empty": ""},
        "replay",
        "eu-west-1",
    )


def test_empty_headers_say_nothing() -> None:
    assert read(tenant=" ", priority="", labels="", origin="", client_region="") == (NOBODY, [])


def test_eight_labels_and_names_of_128_characters_are_accepted() -> None:
    caller, complaints = read(
        tenant="t" * 128, labels=",".join(f"{n}{'k' * 127}={'v' * 128}" for n in range(8))
    )
    assert complaints == []
    assert len(caller.labels) == 8


@pytest.mark.parametrize(
    ("header", "value", "complaint"),
    [
        ("priority", "urgent", "x-priority is 'urgent'; accepted: high, normal, batch"),
        ("priority", "HIGH", "x-priority is 'HIGH'; accepted: high, normal, batch"),
        ("origin", "simulated", "x-origin is 'simulated'; accepted: live, replay"),
        ("tenant", "t" * 129, "x-tenant has 129 characters; accepted: at most 128"),
        ("client_region", "r" * 129, "x-client-region has 129 characters; accepted: at most 128"),
        ("labels", "team", "x-labels is 'team'; accepted: at most 8 pairs"),
        ("labels", "=value", "x-labels is '=value'; accepted"),
        ("labels", "a=1,,b=2", "x-labels is 'a=1,,b=2'; accepted"),
        ("labels", ",".join(f"k{n}=v" for n in range(9)), "x-labels is 'k0=v,"),
        ("labels", f"k={'v' * 129}", "x-labels is 'k=vvv"),
    ],
)
def test_a_header_that_cannot_be_used_is_named_with_what_is_accepted(
    header: str, value: str, complaint: str
) -> None:
    caller, complaints = read(**{header: value})
    assert len(complaints) == 1
    assert complaints[0].startswith(complaint)
    assert caller == NOBODY


def test_a_wrong_header_does_not_take_the_others_with_it() -> None:
    caller, complaints = read(tenant="shop", priority="urgent", labels="team=search", origin="?")
    assert len(complaints) == 2
    assert caller == Caller("shop", "normal", {"team": "search"}, "live", None)


def test_a_complaint_about_a_long_header_is_short() -> None:
    _, [complaint] = read(priority="p" * 50_000)
    assert len(complaint) < 300
