"""What headers say of who asks, and what they are refused for."""

import pytest

from inference_node.access.caller import NOBODY, Caller, read_caller
from inference_node.access.tokens import Identity
from inference_node.errors import ForbiddenError, InvalidRequestError, RequestError

SEARCH = Identity("search")


class Head:
    """The headers of a request."""

    def __init__(self, headers: dict[str, str]) -> None:
        self._headers = headers

    def header(self, name: str) -> str | None:
        value = self._headers.get(name)
        return None if value is None else value.strip()


def read(identity: Identity | None = None, /, **headers: str) -> tuple[Caller, RequestError | None]:
    named = {f"x-{name.replace('_', '-')}": value for name, value in headers.items()}
    return read_caller(Head(named), identity)


def refused(identity: Identity | None = None, /, **headers: str) -> tuple[Caller, str]:
    caller, error = read(identity, **headers)
    assert isinstance(error, InvalidRequestError)
    return caller, str(error)


def test_without_headers_the_caller_is_nobody_in_particular() -> None:
    assert read() == (NOBODY, None)
    assert Caller("default", "normal", {}, "live", None, None, admin=True) == NOBODY


def test_every_header_is_on_the_caller() -> None:
    caller, error = read(
        tenant="shop",
        priority="high",
        labels="team=search, project = ranking ,empty=",
        origin="replay",
        client_region="eu-west-1",
        split_key="user 17",
    )
    assert error is None
    assert caller == Caller(
        "shop",
        "high",
        {"team": "search", "project": "ranking", "empty": ""},
        "replay",
        "eu-west-1",
        "user 17",
        admin=True,
    )


def test_an_administrator_is_one_by_the_token_alone() -> None:
    operator = Identity("operators", admin=True)
    assert read(operator) == (Caller("operators", admin=True), None)
    assert read(operator, priority="high")[0].admin
    assert not read(SEARCH, priority="high")[0].admin


def test_empty_headers_say_nothing() -> None:
    empty = dict.fromkeys(
        ("tenant", "priority", "labels", "origin", "client_region", "split_key"), " "
    )
    assert read(**empty) == (NOBODY, None)
    assert read(**{**empty, "priority": "high"}) == (Caller(priority="high", admin=True), None)


def test_eight_labels_and_names_of_128_characters_are_accepted() -> None:
    caller, error = read(
        tenant="t" * 128,
        split_key="k" * 128,
        labels=",".join(f"{n}{'k' * 127}={'v' * 128}" for n in range(8)),
    )
    assert error is None
    assert len(caller.labels) == 8


@pytest.mark.parametrize(
    ("header", "value", "complaint"),
    [
        ("priority", "urgent", "x-priority is 'urgent'; accepted: high, normal, batch"),
        ("priority", "HIGH", "x-priority is 'HIGH'; accepted: high, normal, batch"),
        ("origin", "simulated", "x-origin is 'simulated'; accepted: live, replay"),
        ("tenant", "t" * 129, "x-tenant has 129 characters; accepted: at most 128"),
        ("client_region", "r" * 129, "x-client-region has 129 characters; accepted: at most 128"),
        ("split_key", "k" * 129, "x-split-key has 129 characters; accepted: at most 128"),
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
    caller, error = refused(**{header: value})
    assert error.startswith(complaint)
    assert "; x-" not in error
    assert caller == NOBODY


def test_a_wrong_header_does_not_take_the_others_with_it() -> None:
    caller, error = refused(tenant="shop", priority="urgent", labels="team=search", origin="?")
    assert "x-priority is" in error
    assert "x-origin is" in error
    assert caller == Caller("shop", "normal", {"team": "search"}, "live", None, admin=True)


def test_a_complaint_about_a_long_header_is_short() -> None:
    _, error = refused(priority="p" * 50_000)
    assert len(error) < 300


def test_the_tenant_of_a_token_needs_no_header_and_may_be_repeated_in_one() -> None:
    assert read(SEARCH) == (Caller("search"), None)
    assert read(SEARCH, tenant="search", priority="high") == (
        Caller("search", priority="high"),
        None,
    )
    assert read(SEARCH, split_key="user 17") == (Caller("search", split_key="user 17"), None)


@pytest.mark.parametrize("tenant", ["shop", "SEARCH", "search2", "s" * 50_000])
def test_who_claims_to_be_another_tenant_is_refused_and_recorded_as_who_they_are(
    tenant: str,
) -> None:
    caller, error = read(SEARCH, tenant=tenant, labels="team=a", priority="urgent")
    assert isinstance(error, ForbiddenError)
    assert str(error).startswith("x-tenant is 's" if tenant[0] == "s" else "x-tenant is ")
    assert str(error).endswith("the token's own, 'search'")
    assert len(str(error)) < 300
    assert caller == Caller("search", labels={"team": "a"})
