"""Who charges, by what names, on which account."""

import pytest

from costs.focus import FocusError, is_subcategory
from costs.focus.provider import parse_providers, provider_of
from costs.focus.regions import REGION_NAMES
from costs.focus.text import is_plain

AWS = '[[provider]]\ncloud = "aws"\naccount_id = "acct-1"\naccount_name = "Production"\n'


@pytest.mark.parametrize("cloud", ["aws", "gcp", "azure", "on-prem", "Z\u00fcrich", "1", "null"])
def test_every_cloud_has_names_that_a_file_may_hold(cloud: str) -> None:
    found = provider_of(cloud)
    services = (
        found.compute, found.network, found.object_storage, found.block_storage, found.cache
    )  # fmt: skip
    for text in (found.name, found.account_id, found.account_name, *(s.name for s in services)):
        assert text.isascii()
        assert is_plain(text)
    assert len({service.name for service in services}) == len(services)
    assert all(is_subcategory(s.subcategory, s.category) for s in services)
    assert found.storage("block_ssd") == found.block_storage
    assert found.storage("object_standard") == found.object_storage


def test_names_of_regions_are_ascii_and_no_placeholders() -> None:
    assert all(name.isascii() and is_plain(name) for name in REGION_NAMES.values())


def test_what_the_file_declares_wins_over_what_is_known() -> None:
    found = parse_providers(AWS + 'name = "AWS Reseller"\n', "finance.toml")
    assert (found["aws"].name, found["aws"].account_id) == ("AWS Reseller", "acct-1")
    assert found["aws"].compute.name == "Amazon Elastic Compute Cloud"
    assert found["aws"].sub_account_id is None
    assert parse_providers("", "finance.toml") == {}


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (AWS + AWS, "provider 'aws' occurs twice"),
        (AWS.replace("acct-1", "123456789012"), "account_id is '123456789012'"),
        (AWS.replace("Production", "Z\u00fcrich"), "account_name is 'Z\u00fcrich'"),
        (AWS.replace("Production", " padded "), "account_name is ' padded '"),
        (AWS.replace("Production", "null"), "account_name is 'null'"),
        (AWS + 'sub_account_name = "Inference"\n', "both or neither"),
        (AWS + 'colour = "blue"\n', "colour"),
        ("[[provider", "finance.toml: "),
        ('provider = "aws"', "finance.toml: "),
    ],
)
def test_a_file_that_would_break_a_finance_file_is_refused(text: str, complaint: str) -> None:
    with pytest.raises(FocusError) as refused:
        parse_providers(text, "finance.toml")
    assert complaint in str(refused.value)
