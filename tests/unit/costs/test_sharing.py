"""Who bears idle time, worked out by hand."""

from fractions import Fraction

import pytest

from costs import Sharing, Ticks, share_idle

# Of the cheap machines 60 are idle, of the dear ones 90; nobody used those that stand by.
IDLE: dict[str, Ticks] = {"cheap": 60, "dear": 90, "standby": 7}
DIRECT: dict[str, dict[str, Ticks]] = {
    "shop": {"cheap": 5},
    "search": {"cheap": 1, "dear": 3},
    "cached": {},
}


@pytest.mark.parametrize(
    ("rule", "borne", "apart"),
    [
        (Sharing.SEPARATE, {"shop": 0, "search": 0, "cached": 0}, 157),
        (Sharing.PROPORTIONAL, {"shop": 50, "search": 10 + 90, "cached": 0}, 7),
        (Sharing.EVEN, {"shop": 30, "search": 30 + 90, "cached": 0}, 7),
        (Sharing.OWNER, {"shop": 0, "search": 0, "cached": 0, "platform": 157}, 0),
    ],
)
def test_each_rule(rule: Sharing, borne: dict[str, int], apart: int) -> None:
    owner = "platform" if rule is Sharing.OWNER else None
    shares = share_idle(IDLE, DIRECT, rule, owner)
    assert (shares.of, shares.apart) == (borne, apart)


def test_an_owner_among_the_slices_bears_all_of_it() -> None:
    shares = share_idle(IDLE, DIRECT, Sharing.OWNER, "shop")
    assert shares.of == {"shop": 157, "search": 0, "cached": 0}


def test_thirds_of_a_tick_are_not_lost() -> None:
    direct = {name: {"cheap": Fraction(1, 3)} for name in ("a", "b", "c")}
    shares = share_idle({"cheap": 1}, direct, Sharing.PROPORTIONAL)
    assert shares.of == dict.fromkeys(direct, Fraction(1, 3))


def test_what_arrived_before_it_was_executed_is_taken_off_again() -> None:
    """More was caused on a day than machines ran: the rest is on the next day."""
    shares = share_idle({"cheap": -6}, {"a": {"cheap": 2}, "b": {"cheap": 1}}, Sharing.PROPORTIONAL)
    assert shares.of == {"a": -4, "b": -2}


@pytest.mark.parametrize("rule", [Sharing.PROPORTIONAL, Sharing.EVEN])
def test_machines_without_a_price_are_shared_as_nothing(rule: Sharing) -> None:
    shares = share_idle({"free": 0}, {"a": {"free": 0}}, rule)
    assert (shares.of, shares.apart) == ({"a": 0}, 0)


def test_what_makes_no_sense_is_refused() -> None:
    with pytest.raises(ValueError, match="owner is missing; accepted: who bears it"):
        share_idle(IDLE, DIRECT, Sharing.OWNER)
    with pytest.raises(ValueError, match="direct cost of 'a' is -1; accepted: 0 or more"):
        share_idle(IDLE, {"a": {"cheap": -1}}, Sharing.SEPARATE)
