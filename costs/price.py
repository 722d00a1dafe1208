"""What a machine costs from an instant on."""

from dataclasses import dataclass

PURCHASE_OPTIONS = ("on_demand", "spot", "reserved")


@dataclass(frozen=True, order=True)
class Machine:
    """What a provider sells by the hour: the key of a price."""

    cloud: str
    region: str
    instance_type: str
    purchase_option: str

    def __str__(self) -> str:
        option = self.purchase_option.replace("_", "-")
        return f"{self.cloud} {self.instance_type} in {self.region}, {option}"


@dataclass(frozen=True)
class Price:
    """What a machine costs from an instant on, and where the figure is from.

    `valid_from_us` is None for a price without a known beginning. `override` names the rule of the
    user that made this price of the list price `list_micro_usd_per_hour`, which is None where the
    list has none; a list price has neither.
    """

    machine: Machine
    micro_usd_per_hour: int
    valid_from_us: int | None
    as_of: str
    source: str
    list_micro_usd_per_hour: int | None = None
    override: str | None = None


class PriceMissingError(LookupError):
    """The catalogue has no price for something at an instant."""
