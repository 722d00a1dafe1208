"""One row of a finance file, typed; a field is a column, in the order of the columns."""

from decimal import Decimal

from msgspec import Struct


class Row(Struct, frozen=True, kw_only=True, gc=False):
    """A charge. Instants are microseconds UTC, amounts USD; None is an empty field.

    `tags` and `sku_price_details` are JSON texts. What only some rows have has a default.
    """

    availability_zone: str | None = None
    billed_cost: Decimal
    billing_account_id: str
    billing_account_name: str
    billing_account_type: str
    billing_currency: str
    billing_period_end: int
    billing_period_start: int
    capacity_reservation_id: str | None = None
    capacity_reservation_status: str | None = None
    charge_category: str
    charge_class: str | None = None
    charge_description: str
    charge_frequency: str
    charge_period_end: int
    charge_period_start: int
    commitment_discount_category: str | None = None
    commitment_discount_id: str | None = None
    commitment_discount_name: str | None = None
    commitment_discount_quantity: Decimal | None = None
    commitment_discount_status: str | None = None
    commitment_discount_type: str | None = None
    commitment_discount_unit: str | None = None
    consumed_quantity: Decimal | None = None
    consumed_unit: str | None = None
    contracted_cost: Decimal
    contracted_unit_price: Decimal | None = None
    effective_cost: Decimal
    invoice_id: str
    invoice_issuer_name: str
    list_cost: Decimal
    list_unit_price: Decimal | None = None
    pricing_category: str | None = None
    pricing_currency: str
    pricing_currency_contracted_unit_price: Decimal | None = None
    pricing_currency_effective_cost: Decimal
    pricing_currency_list_unit_price: Decimal | None = None
    pricing_quantity: Decimal | None = None
    pricing_unit: str | None = None
    provider_name: str
    publisher_name: str
    region_id: str | None = None
    region_name: str | None = None
    resource_id: str | None = None
    resource_name: str | None = None
    resource_type: str | None = None
    service_category: str
    service_name: str
    service_subcategory: str
    sku_id: str | None = None
    sku_meter: str | None = None
    sku_price_details: str | None = None
    sku_price_id: str | None = None
    sub_account_id: str | None = None
    sub_account_name: str | None = None
    sub_account_type: str | None = None
    tags: str | None = None
    x_allocation_method: str | None = None
    x_is_idle: bool | None = None
    x_model_name: str | None = None
    x_model_version: str | None = None
    x_request_count: int | None = None
    x_input_tokens: int | None = None
    x_output_tokens: int | None = None
    x_tenant: str | None = None
    x_outcome: str | None = None
    x_model_variant: str | None = None
    x_origin: str | None = None


def order_of(row: Row) -> tuple[object, ...]:
    """Return what rows of a file are sorted by."""
    return (
        row.charge_period_start,
        row.service_name,
        row.resource_id or "",
        row.charge_category,
        row.charge_description,
        row.tags or "",
    )
