"""Who is let in without a token: this machine, or everybody where somebody said so."""

from pathlib import Path

import pytest

from inference_node.access.policy import access_policy
from inference_node.access.tokens import Tokens
from inference_node.config import AccessConfig
from inference_node.errors import StartError

NODE_TOML = Path("deploy/node.toml")
ELSEWHERE = ["0.0.0.0", "::", "", "192.168.1.7", "example.org", "127.evil.org", "localhost.org"]


@pytest.mark.parametrize("host", ["127.0.0.1", "127.3.2.1", "::1", "[::1]", "localhost"])
def test_this_machine_needs_no_token(host: str) -> None:
    assert access_policy(AccessConfig(), host, NODE_TOML) is None


@pytest.mark.parametrize("host", ELSEWHERE)
def test_any_other_address_needs_tokens_or_a_word_that_it_needs_none(host: str) -> None:
    with pytest.raises(StartError) as refused:
        access_policy(AccessConfig(), host, NODE_TOML)
    message = str(refused.value)
    assert message.startswith("deploy/node.toml: listening on ")
    assert (host or "every address") in message
    assert "access.tokens_file" in message
    assert "access.allow_anonymous = true" in message
    assert "\n" not in message
    assert access_policy(AccessConfig(allow_anonymous=True), host, NODE_TOML) is None


def test_without_a_configuration_file_the_message_says_so() -> None:
    with pytest.raises(StartError, match=r"^the configuration: listening on 0\.0\.0\.0"):
        access_policy(AccessConfig(), "0.0.0.0", None)


def test_a_file_of_tokens_is_asked_for_on_this_machine_too(tmp_path: Path) -> None:
    path = tmp_path / "tokens.toml"
    path.touch()
    config = AccessConfig(tokens_file=str(path))
    for host in ("127.0.0.1", "0.0.0.0"):
        assert isinstance(access_policy(config, host, NODE_TOML), Tokens)


def test_a_missing_file_is_named_with_the_command_that_makes_it(tmp_path: Path) -> None:
    path = tmp_path / "tokens.toml"
    with pytest.raises(StartError) as refused:
        access_policy(AccessConfig(tokens_file=str(path)), "127.0.0.1", NODE_TOML)
    assert str(refused.value) == (
        f"deploy/node.toml: access.tokens_file {path}: no such file; "
        f"`python -m inference_node token --file {path} --tenant NAME` makes one"
    )


def test_tokens_for_all_and_no_tokens_at_once_are_refused(tmp_path: Path) -> None:
    config = AccessConfig(tokens_file=str(tmp_path / "tokens.toml"), allow_anonymous=True)
    with pytest.raises(StartError, match="contradict each other; remove one"):
        access_policy(config, "127.0.0.1", NODE_TOML)
