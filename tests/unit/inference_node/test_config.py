"""`node.toml`: defaults, and one line that names file and field for everything wrong."""

from pathlib import Path

import pytest

from inference_node.config import (
    MachineConfig,
    ModelOverride,
    NodeConfig,
    PoolConfig,
    load_node_config,
)
from inference_node.errors import StartError

ROOT = Path(__file__).parents[3]


def load(tmp_path: Path, text: str | bytes) -> NodeConfig:
    path = tmp_path / "node.toml"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return load_node_config(path)


def test_without_a_file_everything_has_its_default() -> None:
    config = load_node_config(None)
    assert config == NodeConfig()
    assert config.node_id == "node-1"
    assert config.machine.instance_type == "unknown"


def test_an_empty_file_is_all_defaults(tmp_path: Path) -> None:
    assert load(tmp_path, "") == NodeConfig()


def test_what_the_file_says_holds_and_the_rest_keeps_its_default(tmp_path: Path) -> None:
    config = load(
        tmp_path,
        """
        node_id = "edge-7.eu"
        machine = { cloud = "aws", region = "eu-central-1", instance_type = "c7i.large" }
        [pools.cpu]
        workers = 3
        [serving]
        default_model = "digits"
        [metering]
        sample_interval_seconds = 10
        [models.digits.batching]
        max_queue_delay_microseconds = 0
        """,
    )
    assert config.node_id == "edge-7.eu"
    assert config.machine == MachineConfig(
        cloud="aws", region="eu-central-1", instance_type="c7i.large", purchase_option="on_demand"
    )
    assert config.pools == {"cpu": PoolConfig(workers=3)}
    assert config.metering.sample_interval_seconds == 10.0
    assert config.models == {"digits": ModelOverride(batching={"max_queue_delay_microseconds": 0})}


def test_the_configuration_of_the_demo_is_valid() -> None:
    assert load_node_config(ROOT / "deploy" / "demo_node.toml").machine.cloud != "unknown"


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ("nope = 1", "`nope`"),
        ("[serving]\nwokers = 1", "`$.serving`"),
        ("[serving]\n'wo\\nkers' = 1", "`$.serving`"),
        ('[serving]\n"wo\\nkers" = 1', "`$.serving`"),
        ("[pools.cpu]\nworkers = 0", "`$.pools[...].workers`"),
        ("[pools.cpu]\nworkers = 257", "`$.pools[...].workers`"),
        ("[pools.cpu]\nworkers = '2'", "`$.pools[...].workers`"),
        ("[pools.cpu]\nworkers = 1.5", "`$.pools[...].workers`"),
        ("[pools.cpu]\nworkers = true", "`$.pools[...].workers`"),
        ("[serving]\nmax_body_bytes = 0", "`$.serving.max_body_bytes`"),
        ("[serving]\nmax_queue_size = -1", "`$.serving.max_queue_size`"),
        ("serving = 3", "`$.serving`"),
        ("node_id = ''", "`$.node_id`"),
        ("node_id = '../../etc'", "`$.node_id`"),
        ("node_id = 'a/b'", "`$.node_id`"),
        ("node_id = 7", "`$.node_id`"),
        ("[machine]\npurchase_option = 'leased'", "`$.machine.purchase_option`"),
        ("[machine]\ncloud = ''", "`$.machine.cloud`"),
        ("[metering]\nsample_interval_seconds = 0", "`$.metering.sample_interval_seconds`"),
        ("[metering]\nsample_interval_seconds = 1e-9", "`$.metering.sample_interval_seconds`"),
        ("[metering]\nsample_interval_seconds = nan", "`$.metering.sample_interval_seconds`"),
        ("[metering]\nsample_interval_seconds = inf", "`$.metering.sample_interval_seconds`"),
        ("[metering]\nflush_interval_milliseconds = 0", "`$.metering.flush_interval_milliseconds`"),
        ("[metering]\nfsync = 'yes'", "`$.metering.fsync`"),
        ("pools = {}", "`$.pools`"),
        ("[[rules]]\npriority = 'high'", "`pool`"),
        ("[models.m]\nbatch = 1", "`$.models[...]`"),
        ("[serving", "end of document"),
        ("workers == 2", "line 1"),
        ("a = 1\na = 2", "Cannot overwrite a value"),
        (b"node_id = '\xff'", "utf-8"),
        ("x = " + "[" * 5000, "recursion"),
        ("x = " + "9" * 5000, "digits"),
    ],
    ids=lambda value: repr(value)[:50],
)
def test_one_line_names_the_file_and_the_field(
    tmp_path: Path, text: str | bytes, field: str
) -> None:
    with pytest.raises(StartError) as refused:
        load(tmp_path, text)
    message = str(refused.value)
    assert message.startswith(f"{tmp_path / 'node.toml'}: ")
    assert field in message
    assert "\n" not in message


@pytest.mark.parametrize("name", ["absent.toml", "."])
def test_a_file_that_cannot_be_read_is_named_with_the_systems_reason(
    tmp_path: Path, name: str
) -> None:
    with pytest.raises(StartError, match=r"No such file|Is a directory"):
        load_node_config(tmp_path / name)
