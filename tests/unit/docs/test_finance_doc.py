"""docs/finance.md says what the program does."""

import argparse
import re
from pathlib import Path

from costs.focus import COLUMNS, FOCUS_COLUMNS
from costs.focus.provider import parse_providers
from deploy.validate_focus import KNOWN, KNOWN_OF_COMMITMENTS
from reports.commands.finance import add_arguments
from reports.finance import IdleRule

TEXT = (Path(__file__).parents[3] / "docs/finance.md").read_text(encoding="utf-8")


def test_every_option_of_the_command_is_described() -> None:
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    options = {text for action in parser._actions for text in action.option_strings}
    assert options - {"-h", "--help"} == set(re.findall(r"--[a-z][a-z-]+", TEXT))


def test_every_column_of_ours_is_described() -> None:
    table = TEXT.split("| column of ours |")[1].split("\n\n")[0]
    own = [column.name for column in COLUMNS[len(FOCUS_COLUMNS) :]]
    assert sorted(re.findall(r"`(x_\w+)`", table)) == sorted(own)


def test_the_example_of_accounts_is_accepted() -> None:
    [example] = re.findall(r"```toml\n(.*?)```", TEXT, re.DOTALL)
    text = "\n".join(line.strip() for line in example.splitlines())
    found = parse_providers(text, "finance.toml")
    assert found["aws"].account_id == "acct-123456789012"
    assert found["aws"].sub_account_name == "Inference"


def test_every_rule_for_idle_time_is_one() -> None:
    row = next(line for line in TEXT.splitlines() if line.startswith("| `--idle`"))
    rules = re.findall(r"`([a-z]+(?::NAME)?)`", row)
    assert [str(IdleRule.parse(rule)) for rule in rules] == rules
    assert len(rules) == 4


def test_the_known_faults_of_the_validator_are_named() -> None:
    assert all(f"`{rule}`" in TEXT for rule in KNOWN | KNOWN_OF_COMMITMENTS)
