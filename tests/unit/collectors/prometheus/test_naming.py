"""Names fit the store, and distinct labels keep distinct names."""

import re
import uuid
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.prometheus.naming import boot_id, host_of, node_id, without_port
from usage.record import NodeId, Uuid

NODE_ID = re.compile(get_args(NodeId)[1].pattern)
UUID = re.compile(get_args(Uuid)[1].pattern)

names = st.one_of(
    st.text(min_size=1, max_size=90),
    st.text("ab.-_:/0123456789", min_size=1, max_size=8),
    st.from_regex(r"[a-b.-]{1,4}[:_][0-9]{1,5}", fullmatch=True),
)
parts = st.lists(names, min_size=1, max_size=3).map(tuple)
pairs = st.integers(1, 3).flatmap(
    lambda size: st.tuples(*[st.lists(names, min_size=size, max_size=size).map(tuple)] * 2)
)


@given(parts)
def test_every_name_is_one_of_a_node(of: tuple[str, ...]) -> None:
    assert NODE_ID.fullmatch(node_id(of))


@given(pairs)
def test_distinct_values_of_the_same_labels_have_distinct_names(
    pair: tuple[tuple[str, ...], tuple[str, ...]],
) -> None:
    one, other = pair
    assert (node_id(one) == node_id(other)) == (one == other)


@pytest.mark.parametrize(
    ("of", "name"),
    [
        (("gpu-1",), "gpu-1"),
        (("gpu-1:8002",), "gpu-1_8002"),
        (("10.0.0.5:8002",), "10.0.0.5_8002"),
        (("shop", "bert", "0"), "shop.bert.0"),
        (("shop", "bert.v2", "0"), "shop.bert.v2.0_"),
        (("my_node",), "my-node_"),
        (("[::1]:9090",), "1-9090_"),
        (("x" * 65,), "x" * 47 + "_"),
    ],
)
def test_names_are_as_readable_as_they_can_be(of: tuple[str, ...], name: str) -> None:
    assert re.fullmatch(re.escape(name) + ("[0-9a-f]{16}" if name[-1] == "_" else ""), node_id(of))


@pytest.mark.parametrize(
    ("instance", "host"),
    [
        ("gpu-1:8002", "gpu-1"),
        ("gpu-1", "gpu-1"),
        ("[fe80::1]:8002", "fe80::1"),
        ("fe80::1", "fe80::1"),
        ("http://gpu-1:8002/metrics", "http://gpu-1:8002/metrics"),
    ],
)
def test_the_port_of_an_instance_can_be_left_out(instance: str, host: str) -> None:
    assert without_port(instance) == host


def test_exporters_of_one_machine_have_their_host_in_common() -> None:
    assert host_of(node_id(("gpu-1:8002",))) == host_of(node_id(("gpu-1:9400",))) == "gpu-1"


def test_a_boot_is_the_same_for_ever_and_each_source_has_its_own() -> None:
    first = boot_id("triton", "gpu-1")
    assert first == "7926967c-d084-53c0-8a1e-eb1c62453073"
    assert UUID.fullmatch(first)
    assert first == boot_id("triton", "gpu-1")
    assert uuid.UUID(first).version == 5
    assert len({first, boot_id("dcgm", "gpu-1"), boot_id("triton", "gpu-2")}) == 3
