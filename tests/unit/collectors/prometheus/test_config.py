"""A configuration is typed; what is wrong is told with file, field, value and what is accepted."""

import re
from pathlib import Path

import pytest

from collectors.prometheus.config import ConfigError, Source, read_config
from collectors.prometheus.presets import PRESETS

ROOT = Path(__file__).parents[4]

MINIMAL = 'name = "gpu"\nurl = "http://127.0.0.1:9090"\npreset = "triton"\n'


def read(folder: Path, text: str) -> list[Source]:
    path = folder / "prometheus.toml"
    path.write_text(text)
    return read_config(path).source


def complaint(folder: Path, text: str) -> str:
    with pytest.raises(ConfigError) as caught:
        read(folder, text)
    message = str(caught.value)
    assert "\n" not in message
    return message.removeprefix(f"{folder / 'prometheus.toml'}: ")


def test_name_address_and_preset_are_enough(tmp_path: Path) -> None:
    [source] = read(tmp_path, f"[[source]]\n{MINIMAL}")
    assert (source.step_s, source.start_us(), source.combined_preset().name) == (15, None, "triton")


def test_a_start_may_be_text_or_toml_time(tmp_path: Path) -> None:
    for start in ('"2025-11-03T14:00:00Z"', "2025-11-03T15:00:00+01:00", "2025-11-03 14:00:00Z"):
        [source] = read(tmp_path, f"[[source]]\n{MINIMAL}start = {start}\n")
        assert source.start_us() == 1_762_178_400_000_000


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "object missing required field `source`"),
        ("source = 3", "source is 3; accepted: `array`, got `int`"),
        ("source = []", "source has a wrong value; accepted: `array` of length >= 1"),
        ("x = 1\n" + f"[[source]]\n{MINIMAL}", "x is unknown; accepted: source"),
        ("x = = 1", "Invalid value (at line 1, column 5)"),
        ('[[source]]\nname = "a"', "source 'a': object missing required field `url`"),
        (f"[[source]]\n{MINIMAL}[[source]]\n{MINIMAL}", "name is 'gpu' twice; accepted: a name of"),
    ],
)
def test_a_wrong_file_is_told_in_a_line(tmp_path: Path, text: str, said: str) -> None:
    assert complaint(tmp_path, text).startswith(said)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("stepp_s = 5", "stepp_s is unknown; accepted: name, url, preset,"),
        ('step_s = "5"', "step_s is '5'; accepted: `int`, got `str`"),
        ("step_s = 0", "step_s is 0; accepted: `int` >= 1"),
        ("step_s = 7", "step_s is 7; accepted: what divides a minute"),
        ("chunk_s = 90", "chunk_s is 90; accepted: whole minutes, like 3600"),
        ("lookback_s = 1", "lookback_s is 1; accepted: `int` >= 2"),
        ('start = "yesterday"', "start is 'yesterday'; accepted: \"now\", or a time with its zone"),
        ("start = 2026-01-01", "start is '2026-01-01'; accepted: \"now\", or a time with its zone"),
        ("start = 2026-01-01T00:00:00", "start is '2026-01-01T00:00:00'; accepted: \"now\", or"),
        ("start = 1999-01-01T00:00:00Z", "start is '1999-01-01T00:00:00+00:00'; accepted: from 20"),
        ('pool = "tpu"', "pool is 'tpu'; accepted: cpu, gpu"),
        ("labels = {team = 1}", "labels has a wrong value; accepted: `str`, got `int`"),
        ('nodes = {"a:1" = "_"}', "nodes has a wrong value; accepted: `str` matching regex"),
        (
            "[source.machine]\nx = 1",
            "machine.x is unknown; accepted: cloud, region, instance_type,",
        ),
        (
            '[source.machine]\npurchase_option = "free"',
            "machine.purchase_option is 'free'; accepted: on_demand, spot, reserved",
        ),
    ],
)
def test_a_wrong_value_is_told_with_what_is_accepted(tmp_path: Path, line: str, said: str) -> None:
    told = complaint(tmp_path, f"[[source]]\n{MINIMAL}{line}\n")
    assert told.startswith(f"source 'gpu': {said}"), told


@pytest.mark.parametrize(
    ("preset", "said"),
    [
        ('"nagios"', "preset is 'nagios'; accepted: inference_node, triton, vllm,"),
        ("[]", "preset is []; accepted: at least one"),
        ('["dcgm", "dcgm"]', "preset is ['dcgm', 'dcgm']; accepted: at least one, and each once"),
        ('["triton", "vllm"]', "preset is ['triton', 'vllm']; accepted: at most one that counts"),
        ('["dcgm", "kube_state"]', "preset is ['dcgm', 'kube_state']; accepted: one that counts"),
        ('"kserve"', "selector is empty; accepted with preset kserve: label matchers"),
        ('"kube_state"', "selector is empty; accepted with preset kube_state: label matchers"),
        ('"inference_node"', "without_spool is false; accepted with preset inference_node: true"),
    ],
)
def test_a_preset_that_would_mislead_is_refused(tmp_path: Path, preset: str, said: str) -> None:
    text = f"[[source]]\n{MINIMAL}".replace('"triton"', preset)
    assert complaint(tmp_path, text).startswith(f"source 'gpu': {said}")


def test_an_address_with_a_password_is_refused_and_not_repeated(tmp_path: Path) -> None:
    for url in (
        "http://me:secret@host", "http://host?token=secret", "ftp://secret", "//secret:x",
        "http://host:secret", "http://[secret]", "http://me:[secret]@host", "http://me:secret℀@host",
    ):  # fmt: skip
        text = f"[[source]]\n{MINIMAL}".replace("http://127.0.0.1:9090", url)
        said = complaint(tmp_path, text)
        assert "secret" not in said
        assert said.startswith("source 'gpu': url is no address; accepted: http://host:port")


def test_a_missing_file_is_told_in_a_line(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"nothing\.toml: No such file or directory$"):
        read_config(tmp_path / "nothing.toml")


def test_the_documented_configuration_is_accepted_and_has_every_field(tmp_path: Path) -> None:
    text = (ROOT / "docs/prometheus.md").read_text()
    [example] = re.findall(r"```toml\n(.*?)```", text, re.DOTALL)
    [source] = read(tmp_path, example)
    assert source.machine.instance_type == "g5.xlarge"
    assert source.nodes == {"10.0.0.5:8002": "gpu-5"}
    missing = [name for name in Source.__struct_fields__ if not re.search(rf"\b{name}\b", text)]
    assert missing == []


def test_every_preset_is_documented() -> None:
    text = (ROOT / "docs/prometheus.md").read_text()
    assert set(re.findall(r"^\| `(\w+)` \|", text, re.MULTILINE)) == set(PRESETS)
