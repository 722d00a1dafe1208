"""What the documents promise is what the program does."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import msgspec
import pytest

from inference_node.config import NodeConfig
from inference_node.models.config import ModelConfig

ROOT = Path(__file__).parents[3]
DOCUMENTS = sorted([ROOT / "README.md", *ROOT.glob("docs/**/*.md"), *ROOT.glob("data/*/*.md")])


def test_the_readme_fits_on_150_lines() -> None:
    assert len((ROOT / "README.md").read_text().splitlines()) <= 150


def test_the_commands_of_the_readme_are_those_that_ci_runs() -> None:
    readme, ci = (ROOT / "README.md").read_text(), (ROOT / ".ci/run").read_text()
    for command in ("make test", "make smoke"):
        assert f"\n{command}\n" in ci
        assert command in readme
    assert "make demo" in readme


def test_every_make_target_in_a_document_exists() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for document in DOCUMENTS:
        # Only as code: in a sentence "make" is a verb.
        named = re.findall(r"(?:`|^ *)make ([a-z]+)", document.read_text(), re.MULTILINE)
        assert set(named) <= targets, document


def _commands() -> list[tuple[str, ...]]:
    found = set()
    for document in DOCUMENTS:
        for module, words in re.findall(
            r"python -m ([a-z_]+)((?: [a-z]+\b)?)", document.read_text()
        ):
            found.add((module, *words.split()))
    return sorted(found)


@pytest.mark.parametrize("command", _commands(), ids=" ".join)
def test_every_command_in_a_document_exists(command: tuple[str, ...]) -> None:
    finished = subprocess.run(
        [sys.executable, "-m", *command, "--help"], cwd=ROOT, capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    assert finished.returncode == 0, finished.stderr


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_file_a_document_links_to_or_names_exists(document: Path) -> None:
    text = document.read_text()
    for link in re.findall(r"\]\(([^)#]+)\)", text):
        if not link.startswith("http"):
            assert (document.parent / link).exists(), link
    for name in re.findall(r"`((?:docs|tests|data|deploy|[a-z_]+)/[\w/.-]+\.\w+)`", text):
        if not name.startswith(("data/usage", "data/spool", "data/smoke")):
            assert (ROOT / name).exists() or (document.parent / name).exists(), name


def test_the_documented_configurations_are_accepted() -> None:
    node, model = re.findall(
        r"```toml\n(.*?)```", (ROOT / "docs/node_config.md").read_text(), re.DOTALL
    )
    documented = tomllib.loads(node)
    assert msgspec.convert(documented, NodeConfig).machine.instance_type == "c7i.xlarge"
    documented_model = tomllib.loads(model)
    assert msgspec.convert(documented_model, ModelConfig).variant == "fp32"
    defaults = msgspec.to_builtins(NodeConfig())
    model_defaults = msgspec.to_builtins(ModelConfig(variant="fp32"))
    assert documented.keys() == defaults.keys(), "every table is documented"
    assert documented_model.keys() == model_defaults.keys(), "every table is documented"
    for tables, keys in (
        (documented, ("serving", "metering", "machine", "cache", "access", "logging")),
        (documented_model, ("batching", "scaling", "response_cache")),
    ):
        known = defaults if tables is documented else model_defaults
        for table in keys:
            assert tables[table].keys() == known[table].keys(), "every key is documented"


def test_decisions_are_short() -> None:
    for page in (ROOT / "docs/decisions").glob("*.md"):
        assert len(page.read_text().splitlines()) <= 40, page.name
