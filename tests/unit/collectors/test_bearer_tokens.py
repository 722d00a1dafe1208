"""Who shows a token of the file is let in, and nobody else."""

from pathlib import Path

import pytest

from collectors.receiving.bearer_tokens import BearerTokens, TokenFileError, read_token_file


@pytest.mark.parametrize("header", ["Bearer alpha", "bearer beta", "BEARER  beta "])
def test_each_token_lets_in(header: str) -> None:
    assert BearerTokens(["alpha", "beta"]).allow(header)


@pytest.mark.parametrize(
    "header",
    [None, "", "Bearer", "Bearer ", "alpha", "Basic alpha", "Bearer alph", "Bearer alphabeta",
     "Bearer \udcff", "Bearer alpha" + " " * 600 + "x", "Bearer Alpha"],
)  # fmt: skip
def test_nothing_else_lets_in(header: str | None) -> None:
    assert not BearerTokens(["alpha", "beta"]).allow(header)


def test_a_file_has_a_token_per_line_and_empty_lines_mean_nothing(tmp_path: Path) -> None:
    file = tmp_path / "tokens"
    file.write_text("\nalpha\n\n  beta \r\n")
    file.chmod(0o600)
    assert read_token_file(file) == ["alpha", "beta"]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "no token in it"),
        (b"\n \n", "no token in it"),
        (b"fine\nsecret word\n", "line 2"),
        (b"secret\x00\n", "line 1"),
        (b"s" * 257, "line 1"),
        ("sëcret\n".encode(), "not ASCII"),
        (None, "No such file"),
    ],
)
def test_a_file_that_cannot_be_used_is_named_with_the_reason_and_no_token(
    tmp_path: Path, content: bytes | None, reason: str
) -> None:
    file = tmp_path / "tokens"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(TokenFileError, match=reason) as caught:
        read_token_file(file)
    assert str(file) in str(caught.value)
    assert "secret" not in str(caught.value)


def test_a_file_that_everybody_can_read_is_told_of(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file = tmp_path / "tokens"
    file.write_text("secret\n")
    file.chmod(0o600)
    read_token_file(file)
    assert caplog.messages == []
    file.chmod(0o644)
    read_token_file(file)
    assert caplog.messages == [f"{file}: every user can read or change it; chmod 600 it"]
