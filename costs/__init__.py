"""Exact prices and cost arithmetic, without clock or I/O."""

from costs.allocation import (
    BusyTime,
    Cost,
    MachineTime,
    direct_cost,
    machine_cost,
)
from costs.components import Components
from costs.money import TICKS_PER_USD, Ticks, split_usd, to_usd
from costs.price import Catalogue, Machine, Price, PriceMissingError
from costs.price_file import PriceFileError, format_prices, parse_prices
from costs.resources import Commitment, ResourceError, Resources, parse_resources
from costs.sharing import Shares, Sharing, share_out
from costs.standing import (
    AtRest,
    CommitmentUse,
    cache_cost,
    commitment_use,
    storage_cost,
)
from costs.transfer import BytePrice, Transfer, transfer_cost

__all__ = [
    "TICKS_PER_USD",
    "AtRest",
    "BusyTime",
    "BytePrice",
    "Catalogue",
    "Commitment",
    "CommitmentUse",
    "Components",
    "Cost",
    "Machine",
    "MachineTime",
    "Price",
    "PriceFileError",
    "PriceMissingError",
    "ResourceError",
    "Resources",
    "Shares",
    "Sharing",
    "Ticks",
    "Transfer",
    "cache_cost",
    "commitment_use",
    "direct_cost",
    "format_prices",
    "machine_cost",
    "parse_prices",
    "parse_resources",
    "share_out",
    "split_usd",
    "storage_cost",
    "to_usd",
    "transfer_cost",
]
