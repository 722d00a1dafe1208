"""Exact prices and cost arithmetic, without clock or I/O."""

from costs.allocation import (
    BusyTime,
    Cost,
    MachineTime,
    direct_cost,
    machine_cost,
)
from costs.money import TICKS_PER_USD, Ticks, split_usd, to_usd
from costs.price import Catalogue, Machine, Price, PriceMissingError
from costs.price_file import PriceFileError, format_prices, parse_prices

__all__ = [
    "TICKS_PER_USD",
    "BusyTime",
    "Catalogue",
    "Cost",
    "Machine",
    "MachineTime",
    "Price",
    "PriceFileError",
    "PriceMissingError",
    "Ticks",
    "direct_cost",
    "format_prices",
    "machine_cost",
    "parse_prices",
    "split_usd",
    "to_usd",
]
