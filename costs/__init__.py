"""Exact prices and cost arithmetic, without clock or I/O."""

from costs.allocation import (
    BusyTime,
    Cost,
    MachineTime,
    direct_cost,
    machine_cost,
)
from costs.catalogue import Catalogue
from costs.components import Components
from costs.money import TICKS_PER_USD, Ticks, split_usd, to_usd
from costs.price import Machine, Price, PriceMissingError
from costs.price_book import PriceBook
from costs.price_file import format_prices, parse_prices
from costs.prices.commitment import CommitmentOffer
from costs.prices.instance_type import InstanceType
from costs.prices.interruption import Interruption
from costs.prices.latency import RegionLatency
from costs.prices.override import Overrides
from costs.prices.override_file import parse_overrides
from costs.prices.storage import StoragePrice
from costs.prices.table import PriceFileError
from costs.prices.transfer import TransferPrice
from costs.resource_file import parse_resources
from costs.resources import Commitment, Resources
from costs.sharing import Shares, Sharing, share_idle
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
    "CommitmentOffer",
    "CommitmentUse",
    "Components",
    "Cost",
    "InstanceType",
    "Interruption",
    "Machine",
    "MachineTime",
    "Overrides",
    "Price",
    "PriceBook",
    "PriceFileError",
    "PriceMissingError",
    "RegionLatency",
    "Resources",
    "Shares",
    "Sharing",
    "StoragePrice",
    "Ticks",
    "Transfer",
    "TransferPrice",
    "cache_cost",
    "commitment_use",
    "direct_cost",
    "format_prices",
    "machine_cost",
    "parse_overrides",
    "parse_prices",
    "parse_resources",
    "share_idle",
    "split_usd",
    "storage_cost",
    "to_usd",
    "transfer_cost",
]
