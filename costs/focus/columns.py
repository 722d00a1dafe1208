"""The columns of FOCUS 1.2 in their order, and ours after them: type, null rule, allowed values.

Source: the FinOps Open Cost and Usage Specification 1.2 (focus.finops.org), dataset CostAndUsage.
Ours begin with x_, as the specification asks of columns that are not its own.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

FOCUS_VERSION = "1.2"
# 12 decimals: a unit price of six times a quantity of six. 30 digits hold any bill.
PRECISION, SCALE = 30, 12


class Kind(StrEnum):
    """What a column holds; the value is the type that the metadata name."""

    DECIMAL = "Decimal"
    TEXT = "String"
    INSTANT = "Date/Time"
    JSON = "String (JSON)"
    BOOLEAN = "Boolean"
    INTEGER = "Integer"


@dataclass(frozen=True)
class Column:
    """A column: `null` says whether it may be empty, whatever the other columns say."""

    name: str
    kind: Kind = Kind.TEXT
    null: bool = True
    allowed: tuple[str, ...] = ()

    @property
    def field(self) -> str:
        """The attribute of a Row: x_IsIdle is x_is_idle."""
        begin = self.name.removeprefix("x_")
        words = "".join(f"_{c.lower()}" if c.isupper() else c for c in begin)
        return words.removeprefix("_") if begin == self.name else f"x{words}"


CHARGE_CATEGORIES = ("Usage", "Purchase", "Tax", "Credit", "Adjustment")
CHARGE_FREQUENCIES = ("One-Time", "Recurring", "Usage-Based")
PRICING_CATEGORIES = ("Standard", "Committed", "Dynamic", "Other")
USED, UNUSED = "Used", "Unused"

_D, _T, _I, _J = Kind.DECIMAL, Kind.TEXT, Kind.INSTANT, Kind.JSON

FOCUS_COLUMNS = (
    Column("AvailabilityZone"),
    Column("BilledCost", _D, null=False),
    Column("BillingAccountId", null=False),
    Column("BillingAccountName", null=False),
    Column("BillingAccountType", null=False),
    Column("BillingCurrency", null=False),
    Column("BillingPeriodEnd", _I, null=False),
    Column("BillingPeriodStart", _I, null=False),
    Column("CapacityReservationId"),
    Column("CapacityReservationStatus", allowed=(USED, UNUSED)),
    Column("ChargeCategory", _T, null=False, allowed=CHARGE_CATEGORIES),
    Column("ChargeClass", allowed=("Correction",)),
    Column("ChargeDescription", null=False),
    Column("ChargeFrequency", _T, null=False, allowed=CHARGE_FREQUENCIES),
    Column("ChargePeriodEnd", _I, null=False),
    Column("ChargePeriodStart", _I, null=False),
    Column("CommitmentDiscountCategory", allowed=("Spend", "Usage")),
    Column("CommitmentDiscountId"),
    Column("CommitmentDiscountName"),
    Column("CommitmentDiscountQuantity", _D),
    Column("CommitmentDiscountStatus", allowed=(USED, UNUSED)),
    Column("CommitmentDiscountType"),
    Column("CommitmentDiscountUnit"),
    Column("ConsumedQuantity", _D),
    Column("ConsumedUnit"),
    Column("ContractedCost", _D, null=False),
    Column("ContractedUnitPrice", _D),
    Column("EffectiveCost", _D, null=False),
    Column("InvoiceId", null=False),
    Column("InvoiceIssuerName", null=False),
    Column("ListCost", _D, null=False),
    Column("ListUnitPrice", _D),
    Column("PricingCategory", allowed=PRICING_CATEGORIES),
    Column("PricingCurrency", null=False),
    Column("PricingCurrencyContractedUnitPrice", _D),
    Column("PricingCurrencyEffectiveCost", _D, null=False),
    Column("PricingCurrencyListUnitPrice", _D),
    Column("PricingQuantity", _D),
    Column("PricingUnit"),
    Column("ProviderName", null=False),
    Column("PublisherName", null=False),
    Column("RegionId"),
    Column("RegionName"),
    Column("ResourceId"),
    Column("ResourceName"),
    Column("ResourceType"),
    Column("ServiceCategory", null=False),
    Column("ServiceName", null=False),
    Column("ServiceSubcategory", null=False),
    Column("SkuId"),
    Column("SkuMeter"),
    Column("SkuPriceDetails", _J),
    Column("SkuPriceId"),
    Column("SubAccountId"),
    Column("SubAccountName"),
    Column("SubAccountType"),
    Column("Tags", _J),
)
OWN_COLUMNS = (
    Column("x_AllocationMethod"),
    Column("x_IsIdle", Kind.BOOLEAN),
    Column("x_ModelName"),
    Column("x_ModelVersion"),
    Column("x_RequestCount", Kind.INTEGER),
    Column("x_InputTokens", Kind.INTEGER),
    Column("x_OutputTokens", Kind.INTEGER),
    Column("x_Tenant"),
    Column("x_Outcome", allowed=("ok", "failed")),
    Column("x_ModelVariant"),
    Column("x_Origin", allowed=("live", "replay", "simulated")),
)
COLUMNS = FOCUS_COLUMNS + OWN_COLUMNS
HEADER = tuple(column.name for column in COLUMNS)
BY_FIELD: Mapping[str, Column] = {column.field: column for column in COLUMNS}
