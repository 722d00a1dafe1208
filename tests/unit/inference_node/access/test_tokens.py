"""Bearer tokens: who is let in, who is not, and how soon a change of the file counts."""

import logging
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference_node.access.tokens import Identity, Tokens
from inference_node.access.tokens_file import digest_of, new_token
from inference_node.errors import ForbiddenError, StartError, UnauthorizedError

# 2026-06-01 00:00:00 UTC.
JUNE_US = 1_780_272_000_000_000
SECOND_US = 1_000_000
NOBODY_ID = 65_534


class Hands:
    """A clock that goes where a test puts it."""

    now_us = JUNE_US

    def __call__(self) -> int:
        return self.now_us


@pytest.fixture
def clock() -> Hands:
    return Hands()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "tokens.toml"


def entry(token: str, number: int = 1, more: str = "", tenant: str = "search") -> str:
    return (
        f'[[tokens]]\nid = "t{number}"\ntenant = "{tenant}"\nsha256 = "{digest_of(token).hex()}"\n'
        f"created_at = 2026-01-31T12:00:00Z\n{more}\n"
    )


def write(path: Path, *entries: str) -> None:
    """Replace the file, which makes it another one, whatever the clock of its folder says."""
    fresh = path.with_suffix(".new")
    fresh.write_text("".join(entries))
    fresh.chmod(0o600)
    fresh.replace(path)


def refusal(tokens: Tokens, header: str | None) -> str:
    with pytest.raises(UnauthorizedError) as refused:
        tokens.authenticate(header)
    return str(refused.value)


def test_each_token_stands_for_its_own_tenant_and_rights(path: Path, clock: Hands) -> None:
    plain, admin, narrow = new_token(), new_token(), new_token()
    write(
        path,
        entry(plain, 1),
        entry(admin, 2, "admin = true", tenant="operators"),
        entry(narrow, 3, 'models = ["digits", "faces"]'),
    )
    tokens = Tokens(path, clock)
    assert tokens.authenticate(f"Bearer {plain}") == Identity("search", False, "t1")
    assert tokens.authenticate(f"bearer   {admin} ") == Identity("operators", True, "t2")
    found = tokens.authenticate(f"BEARER {narrow}")
    assert found == Identity("search", False, "t3", frozenset({"digits", "faces"}))


def test_what_an_identity_may_not_do_is_forbidden() -> None:
    narrow = Identity("search", False, "t3", frozenset({"digits"}))
    narrow.require_model("digits")
    with pytest.raises(ForbiddenError, match="may not ask model 'faces'"):
        narrow.require_model("faces")
    with pytest.raises(ForbiddenError, match="it takes an administrator's"):
        narrow.require_admin()
    Identity("search").require_model("whatever")
    Identity("operators", admin=True).require_admin()


# The same in each process that runs these tests: it is a part of their names.
TOKEN = "icn_" + "aB3-_x9" * 6 + "Z"


@pytest.mark.parametrize(
    "header",
    [
        None, "", " ", "Bearer", "Bearer ", "Bearer    ", "Basic dXNlcjpwdw==", TOKEN,
        f"Token {TOKEN}", f"Bearer{TOKEN}", f"Bearer\t{TOKEN}", f"Bearer {TOKEN[:-1]}",
        f"Bearer {TOKEN}x", f"Bearer {TOKEN} x", f"Bearer {TOKEN.lower()}", f"Bearer, {TOKEN}",
        f"Bearer {TOKEN}\xe9", "Bearer \xe9\xff", "Bearer " + "x" * 1_000_000, " " * 1_000_000,
        f"Bearer {digest_of(TOKEN).hex()}", f"Bearer {' ' * 600}{TOKEN}", "Bearer \ud800",
    ],
)  # fmt: skip
def test_any_other_header_is_refused_and_not_repeated(
    path: Path, clock: Hands, header: str | None
) -> None:
    write(path, entry(TOKEN))
    message = refusal(Tokens(path, clock), header)
    assert message.endswith("header authorization with Bearer and a token that this node knows")
    assert TOKEN not in message
    assert len(message) < 200


@given(st.text())
def test_no_text_at_all_is_let_in_or_does_harm(
    tmp_path_factory: pytest.TempPathFactory, text: str
) -> None:
    path = tmp_path_factory.getbasetemp() / "any_text.toml"
    write(path, entry(TOKEN))
    tokens = Tokens(path)
    for header in (text, f"Bearer {text}"):
        refusal(tokens, header)


def test_a_token_is_good_until_the_instant_it_expires(path: Path, clock: Hands) -> None:
    write(path, entry(TOKEN, more="expires_at = 2026-06-01T02:00:00+02:00"))
    tokens = Tokens(path, clock)
    assert "expired" in refusal(tokens, f"Bearer {TOKEN}")
    clock.now_us = JUNE_US - 1
    assert tokens.authenticate(f"Bearer {TOKEN}").token_id == "t1"


def test_a_change_of_the_file_counts_within_a_second_and_is_looked_for_no_oftener(
    path: Path, clock: Hands
) -> None:
    other = new_token()
    write(path, entry(TOKEN))
    tokens = Tokens(path, clock)
    write(path, entry(other, 2))
    clock.now_us += SECOND_US - 1
    assert tokens.authenticate(f"Bearer {TOKEN}").token_id == "t1"
    clock.now_us += 1
    refusal(tokens, f"Bearer {TOKEN}")
    assert tokens.authenticate(f"Bearer {other}").token_id == "t2"
    write(path)
    clock.now_us -= 3_600 * SECOND_US
    refusal(tokens, f"Bearer {other}")


def test_a_file_that_breaks_changes_nothing_and_is_reported_once(
    path: Path, clock: Hands, caplog: pytest.LogCaptureFixture
) -> None:
    write(path, entry(TOKEN))
    tokens = Tokens(path, clock)
    breakages: list[Callable[[], object]] = [
        lambda: write(path, entry(TOKEN), "[[tokens]]\nid ="),
        lambda: write(path, entry(TOKEN), entry(TOKEN, 2)),
        lambda: path.unlink(),
        lambda: path.mkdir(),
    ]
    for number, break_it in enumerate(breakages, 1):
        break_it()
        for _ in range(3):
            clock.now_us += SECOND_US
            assert tokens.authenticate(f"Bearer {TOKEN}").token_id == "t1"
        errors = [r.getMessage() for r in caplog.records if r.levelno == logging.ERROR]
        assert len(errors) == number
        assert errors[-1].startswith(f"{path}: ")
        assert errors[-1].endswith("the tokens read before stay in force")
    path.rmdir()
    write(path, entry(new_token()))
    clock.now_us += SECOND_US
    refusal(tokens, f"Bearer {TOKEN}")


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("tokens = 3", "$.tokens"),
        ("[[tokens]]\nid = 1 2", "line 2"),
        (entry(TOKEN).replace("tenant", "tennant"), "`tennant`"),
        (entry(TOKEN, more='token = "secret"'), "token"),
        (entry(TOKEN).replace(digest_of(TOKEN).hex(), "abc"), "sha256"),
        (entry(TOKEN).replace(digest_of(TOKEN).hex(), digest_of(TOKEN).hex().upper()), "sha256"),
        (entry(TOKEN).replace(digest_of(TOKEN).hex(), digest_of(TOKEN).hex() + "\\n"), "sha256"),
        (entry(TOKEN).replace("12:00:00Z", "12:00:00"), "created_at"),
        (entry(TOKEN, more='admin = "yes"'), "admin"),
        (entry(TOKEN) + entry(TOKEN, 2), "tokens[1].sha256 is that of tokens[0]"),
        (entry(TOKEN) + entry(new_token()), "tokens[1].id is that of tokens[0]"),
        ("\xff", "utf-8"),
    ],
)
def test_a_file_that_is_broken_from_the_start_is_refused_by_file_and_field(
    path: Path, text: str, named: str
) -> None:
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(StartError) as refused:
        Tokens(path)
    message = str(refused.value)
    assert message.startswith(f"{path}: ")
    assert named in message
    assert "\n" not in message
    assert TOKEN not in message


def test_a_file_that_others_can_read_is_warned_of_once(
    path: Path, clock: Hands, caplog: pytest.LogCaptureFixture
) -> None:
    write(path, entry(TOKEN))
    tokens = Tokens(path, clock)
    assert not caplog.records
    for mode in (0o644, 0o666, 0o644):
        path.chmod(mode)
        clock.now_us += SECOND_US
        tokens.authenticate(f"Bearer {TOKEN}")
    [warning] = [record for record in caplog.records if record.levelno == logging.WARNING]
    assert warning.getMessage().startswith(f"{path}: its mode is 0644, so that every user")


@contextmanager
def somebody_else() -> Iterator[None]:
    """Root reads every file: be nobody for the block. Another user stays who it is."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(NOBODY_ID)
    try:
        yield
    finally:
        os.seteuid(0)


def test_a_file_whose_mode_is_put_right_is_read(clock: Hands) -> None:
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        path = Path(folder) / "tokens.toml"
        write(path, entry(TOKEN))
        tokens = Tokens(path, clock)
        other = new_token()
        write(path, entry(other))
        path.chmod(0)
        clock.now_us += SECOND_US
        with somebody_else():
            tokens.authenticate(f"Bearer {TOKEN}")
        path.chmod(0o644)
        clock.now_us += SECOND_US
        with somebody_else():
            tokens.authenticate(f"Bearer {other}")
