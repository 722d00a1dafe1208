"""What keeps a node from starting is said in one line, and nothing else is."""

import socket
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.integration.node_process import failed_start, running_node
from tests.unit.inference_node import onnx_models
from tests.unit.inference_node.onnx_models import SCORES, save


@dataclass(frozen=True)
class Place:
    """A repository with one good model, a configuration, and a port that is taken."""

    folder: Path
    port: int

    @property
    def repository(self) -> Path:
        return self.folder / "models"

    @property
    def model(self) -> Path:
        return self.repository / "scores" / "1"

    @property
    def config(self) -> Path:
        return self.folder / "node.toml"

    def spoil_model_config(self, old: str, new: str) -> None:
        text = (self.model / "config.toml").read_text()
        assert old in text
        (self.model / "config.toml").write_text(text.replace(old, new))


Spoil = Callable[[Place], object]

# How it is spoilt; the file, below the folder, and the field that the one line must name.
WRONG: dict[str, tuple[Spoil, str, str]] = {
    "no repository": (
        lambda place: place.repository.rename(place.folder / "x"), "models", "no such folder",
    ),
    "empty repository": (
        lambda place: place.model.parent.rename(place.folder / "x"), "models", "holds no model",
    ),
    "no model file": (
        lambda place: (place.model / "model.onnx").unlink(), "models/scores/1/model.onnx",
        "No such file",
    ),
    "corrupt model file": (
        lambda place: (place.model / "model.onnx").write_bytes(b"\x08garbage" * 100),
        "models/scores/1/model.onnx", "not a usable ONNX model",
    ),
    "no model configuration": (
        lambda place: (place.model / "config.toml").unlink(), "models/scores/1/config.toml",
        "No such file",
    ),
    "corrupt model configuration": (
        lambda place: (place.model / "config.toml").write_bytes(b"variant = \xff"),
        "models/scores/1/config.toml", "utf-8",
    ),
    "missing field": (
        lambda place: place.spoil_model_config('variant = "fp32"', ""),
        "models/scores/1/config.toml", "`variant`",
    ),
    "output that does not exist": (
        lambda place: place.spoil_model_config('output = "scores"', 'output = "nope"'),
        "models/scores/1/config.toml", "classification.output 'nope'",
    ),
    "unknown key": (
        lambda place: place.config.write_text("[serving]\nwokers = 2"), "node.toml", "`wokers`",
    ),
    "wrong type": (
        lambda place: place.config.write_text("[pools.cpu]\nworkers = 'two'"), "node.toml",
        "`$.pools[...].workers`",
    ),
    "no TOML": (
        lambda place: place.config.write_text("serving: {}"), "node.toml", "line 1",
    ),
    "unknown model in the node's configuration": (
        lambda place: place.config.write_text("[models.nope]\ndefault_version = '1'"), "node.toml",
        "models.nope",
    ),
    "a GPU that is not there": (
        lambda place: place.config.write_text("[pools.fast]\ndevice = 'gpu'"), "node.toml",
        "pools.fast: device gpu cannot be used",
    ),
    "rule for a pool that is not there": (
        lambda place: place.config.write_text("[[rules]]\npool = 'fast'"), "node.toml",
        "pool of rule 1: no pool 'fast'",
    ),
    "no node configuration": (lambda place: place.config.unlink(), "node.toml", "No such file"),
    "port in use": (
        lambda place: (place.folder / "taken").touch(), "", "cannot listen on 127.0.0.1:",
    ),
}  # fmt: skip


@pytest.fixture(scope="module")
def ended(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, tuple[Place, str, int]]]:
    """Every wrong start, with its stderr and exit code; run side by side, they take a while."""

    def run(name: str) -> tuple[Place, str, int]:
        place = Place(tmp_path_factory.mktemp("place"), taken.getsockname()[1])
        save(place.repository, "scores", onnx_models.image_scores(), more=SCORES)
        place.config.write_text("")
        WRONG[name][0](place)
        process = failed_start(
            "--model-repository", str(place.repository),
            "--config", str(place.config),
            "--spool", str(place.folder / "spool"),
            "--port", str(place.port if (place.folder / "taken").exists() else 0),
        )  # fmt: skip
        assert process.stdout == ""
        assert not (place.folder / "spool").exists()
        return place, process.stderr, process.returncode

    with socket.socket() as taken, ThreadPoolExecutor(3) as pool:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        yield dict(zip(WRONG, pool.map(run, WRONG), strict=True))


@pytest.mark.parametrize("name", list(WRONG))
def test_one_line_on_stderr_names_the_file_and_the_field_and_the_exit_code_is_2(
    ended: dict[str, tuple[Place, str, int]], name: str
) -> None:
    place, stderr, code = ended[name]
    _, file, field = WRONG[name]
    assert code == 2
    assert stderr.endswith("\n")
    *log, line = stderr.splitlines()
    assert all(" INFO node: " in event for event in log)
    assert field in line
    assert line.startswith(str(place.folder / file) if file else f"{field}{place.port}: ")


def test_a_node_with_a_fixed_port_serves_on_it(tmp_path: Path) -> None:
    save(tmp_path / "models", "m", onnx_models.doubling())
    with running_node(tmp_path, tmp_path / "models") as node:
        assert node.port > 0
        assert node.ask("GET", "/v2/health/ready").status == 200
        second = failed_start(
            "--model-repository", str(tmp_path / "models"), "--port", str(node.port),
            "--spool", str(tmp_path / "other"),
        )  # fmt: skip
        assert second.returncode == 2
        assert "cannot listen on" in second.stderr
        assert node.ask("GET", "/v2/health/ready").status == 200


def test_a_model_that_refuses_the_warm_up_is_served_cold(tmp_path: Path) -> None:
    save(tmp_path / "models", "m", onnx_models.in_threes())
    with running_node(tmp_path, tmp_path / "models") as node:
        assert "m version 1 is served cold" in node.log()
        answer = node.infer("m", x=("FP32", [1, 3], [1, 2, 3]))
        assert answer.json["outputs"][0]["data"] == [1.0, 2.0, 3.0]


def test_the_warm_up_is_nobodys_request_and_no_busy_time(tmp_path: Path) -> None:
    save(tmp_path / "models", "m", onnx_models.slow())
    with running_node(tmp_path, tmp_path / "models") as node:
        assert node.stop() == 0
    assert node.records() == []
    assert {sample.busy_us for sample in node.samples()} == {0}
