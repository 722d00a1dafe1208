"""The SkyPilot catalogue: `vms.csv` of one cloud, a row for each zone.

Columns, in an order of each cloud's own: InstanceType, AcceleratorName, AcceleratorCount, vCPUs,
MemoryGiB, GpuInfo (a dictionary as Python writes it), Price, SpotPrice, Region, AvailabilityZone.
Source: github.com/skypilot-org/skypilot-catalog, and the programs that write it.
"""

import ast
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from fractions import Fraction

from costs.importers.csv_lines import named_rows
from costs.importers.found import Found, Origin
from costs.money import MICRO_USD_PER_USD
from costs.price import Machine
from costs.prices.instance_type import InstanceType, whole_mebibytes
from costs.prices.units import MIB, PerHour, exact

NEEDED = ("InstanceType", "Price", "SpotPrice", "Region")
ACCEPTED = "vms.csv of the SkyPilot catalogue"
LONGEST_INFO = 2_000
# The price of these is that of their CPUs and memory alone.
WITHOUT_GPU = {"gcp": re.compile(r"(a\d+x?|g[24])-")}
# A zone of a region, as opposed to a local zone that is listed under it.
ZONES = {"aws": r"{region}[a-z]", "gcp": r"{region}-[a-z]"}
# Accelerators of a type that the catalogue counts wrongly, as the provider's page has them.
ACCELERATORS = {("azure", "Standard_ND96isr_H100_v5"): 8}
# As this product calls them: the size tells apart what can hold a model.
NAMES = {"A100": "A100-40GB", "H100": "H100-80GB"}
UNREADABLE = "row is not readable"


@dataclass
class _Machine:
    """The prices of a type in a region over its zones."""

    on_demand: set[Fraction] = field(default_factory=set)
    spot: set[Fraction] = field(default_factory=set)


def parse_skypilot(lines: Iterable[str], name: str, cloud: str, as_of: str) -> Found:
    """Return the machines in `lines`; `name` is the file's name, spot that of the cheapest zone.

    The file says of no day on which it was written, hence `as_of`. Raises ImportFileError.
    """
    found = Found()
    origin = Origin(f"SkyPilot catalogue {cloud}/vms.csv", as_of)
    machines: dict[tuple[str, str], _Machine] = {}
    described: set[str] = set()
    for row in named_rows(lines, name, NEEDED, ACCEPTED):
        reason = _unwanted(row, cloud)
        if row is None or reason is not None:
            found.skip(reason or UNREADABLE)
            continue
        instance_type = row["InstanceType"]
        if instance_type not in described:
            described.add(instance_type)
            _describe(row, cloud, found, origin)
        _take(row, machines.setdefault((row["Region"], instance_type), _Machine()), found)
    for place, prices in machines.items():
        if len(prices.on_demand) > 1:
            found.skip("zones of a region differ on the on-demand price")
        elif prices.on_demand:
            hourly = PerHour(min(prices.on_demand) * MICRO_USD_PER_USD)
            found.add_price(Machine(cloud, *place, "on_demand"), hourly, None, origin)
        if prices.spot:
            hourly = PerHour(min(prices.spot) * MICRO_USD_PER_USD)
            found.add_price(Machine(cloud, *place, "spot"), hourly, None, origin)
    return found


def _unwanted(row: dict[str, str] | None, cloud: str) -> str | None:
    if row is None:
        return UNREADABLE
    if not row["InstanceType"]:
        return "price of an accelerator alone"
    if not row["Region"]:
        return "without region"
    zone, pattern = row.get("AvailabilityZone", ""), ZONES.get(cloud)
    if zone and pattern and not re.fullmatch(pattern.format(region=re.escape(row["Region"])), zone):
        return "in a local zone"
    without = WITHOUT_GPU.get(cloud)
    if without and without.match(row["InstanceType"]):
        return "price is without that of its GPUs"
    return None


def _take(row: dict[str, str], prices: _Machine, found: Found) -> None:
    on_demand, spot = _amount(row["Price"]), _amount(row["SpotPrice"])
    if on_demand is None:
        found.skip("no on-demand price")
    else:
        prices.on_demand.add(on_demand)
    if spot is None:
        found.skip("no spot price")
    elif on_demand is not None and spot in (on_demand, on_demand / 10):
        found.skip("spot price equals on-demand or a tenth of it: a placeholder")
    else:
        prices.spot.add(spot)


def _describe(row: dict[str, str], cloud: str, found: Found, origin: Origin) -> None:
    instance_type, accelerator = row["InstanceType"], row.get("AcceleratorName", "")
    vcpus, memory_gib = _amount(row.get("vCPUs", "")), _amount(row.get("MemoryGiB", ""))
    counted = _amount(row.get("AcceleratorCount", "")) if accelerator else None
    count = counted or Fraction(0)
    right = ACCELERATORS.get((cloud, instance_type))
    if right is not None and count != right:
        found.notes[f"{instance_type}: {count} accelerators corrected to {right}"] += 1
        count = Fraction(right)
    memory_bytes = 0 if memory_gib is None else whole_mebibytes(memory_gib)
    whole = vcpus is not None and vcpus.denominator == count.denominator == 1
    if vcpus is None or not memory_bytes or not whole or bool(accelerator) != (count > 0):
        found.skip("instance type: vCPUs, memory or accelerators are not whole")
        return
    found.instance_types.append(
        InstanceType(
            cloud,
            instance_type,
            int(vcpus),
            memory_bytes,
            NAMES.get(accelerator, accelerator) or None,
            int(count),
            _accelerator_memory(row.get("GpuInfo", "")) if accelerator else None,
            origin.as_of,
            origin.source,
        )
    )


def _accelerator_memory(info: str) -> int | None:
    """Return the memory of one accelerator in `info`, {'Gpus': [{'MemoryInfo': {...}}]}."""
    try:
        size = ast.literal_eval(info[:LONGEST_INFO])["Gpus"][0]["MemoryInfo"]["SizeInMiB"]
    except (ValueError, SyntaxError, KeyError, IndexError, TypeError):
        return None
    return size * MIB if isinstance(size, int) and size > 0 else None


def _amount(text: str) -> Fraction | None:
    """Return a number above zero, None for anything else."""
    try:
        return exact(text) or None
    except ValueError:
        return None
