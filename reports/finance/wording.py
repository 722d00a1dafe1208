"""Names of tenants, models and machines as tags, descriptions and price details of rows."""

import json
from functools import lru_cache

from costs import PriceBook
from costs.focus import IDLE_APP, ascii_name, json_text
from store import Use

GIB = 2**30


@lru_cache(maxsize=65_536)
def tags_of(model: str | None, tenant: str, labels: str) -> str:
    """Return the tags of a row: model and tenant, and the labels of its requests, which win."""
    own = {} if model in (None, IDLE_APP) else {"app": model}
    return json_text({**own, "tenant": tenant, **json.loads(labels)})


@lru_cache(maxsize=65_536)
def idle_tags(tenant: str | None, labels: str = "{}") -> str:
    """Return the tags of idle time, with the tenant that bears it and labels where one does.

    A label called app gives way.
    """
    borne = {"tenant": tenant, **json.loads(labels)} if tenant else {}
    return json_text({**borne, "app": IDLE_APP})


def use_words(use: Use) -> str:
    """Return who used what, in words of ASCII."""
    return _use_words(use.model, use.model_version, use.variant, use.tenant, use.failed, use.origin)


@lru_cache(maxsize=65_536)
def _use_words(
    model: str | None,
    version: str | None,
    variant: str | None,
    tenant: str,
    failed: bool,
    origin: str,
) -> str:
    named = " ".join(
        ascii_name(part, kind)
        for part, kind in ((model, "model"), (version, "version"), (variant, "variant"))
        if part is not None
    )
    outcome = "failed requests" if failed else "requests"
    simulated = ", simulated" if origin == "simulated" else ""
    return f"{outcome} to {named or 'no model'} by {ascii_name(tenant, 'tenant')}{simulated}"


@lru_cache(maxsize=1_024)
def _details_text(vcpus: int, memory_bytes: int, accelerators: int, instance_type: str) -> str:
    found: dict[str, int | float | str | bool | None] = {
        "CoreCount": vcpus,
        "InstanceType": instance_type,
        "MemorySize": memory_bytes / GIB if memory_bytes % GIB else memory_bytes // GIB,
    }
    if accelerators:
        found["GpuCount"] = accelerators
    return json_text(found)


def price_details(book: PriceBook, cloud: str, instance_type: str) -> str:
    """Return what is known of a type of machine, as FOCUS names it."""
    known = book.instance_types.get((cloud, instance_type))
    if known is None:
        return json_text({"InstanceType": instance_type})
    return _details_text(
        known.vcpus, known.memory_bytes, known.accelerator_count, known.instance_type
    )
