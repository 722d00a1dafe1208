"""The command that makes, lists and revokes tokens, and the file it leaves."""

import argparse
import contextlib
import io
import subprocess
import sys
import tomllib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from inference_node.access.token_command import add_token_arguments, run_token
from inference_node.access.tokens import Identity, Tokens
from inference_node.access.tokens_file import TokenEntry, changed_tokens_file, read_tokens_file
from inference_node.errors import StartError

ROOT = Path(__file__).parents[4]


@dataclass(frozen=True)
class Ended:
    returncode: int
    stdout: str
    stderr: str


def token(file: Path, *arguments: str) -> Ended:
    """Run the command as `__main__` does."""
    parser = argparse.ArgumentParser()
    add_token_arguments(parser)
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            code = run_token(parser.parse_args(["--file", str(file), *arguments]))
        except StartError as error:
            print(error, file=err)
            code = 2
    return Ended(code, out.getvalue(), err.getvalue())


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "tokens.toml"


def test_a_token_is_printed_once_and_only_its_hash_is_kept(file: Path) -> None:
    made = token(file, "--tenant", "search", "--admin", "--expires-days", "30", "--model", "digits")
    assert made.returncode == 0, made.stderr
    secret = made.stdout.removesuffix("\n")
    assert secret.startswith("icn_")
    assert len(secret) == 4 + 43
    assert secret.isprintable()
    text = file.read_text()
    assert secret not in text + made.stderr
    assert secret[4:] not in text
    assert file.stat().st_mode & 0o777 == 0o600
    assert list(file.parent.iterdir()) == [file]
    [entry] = read_tokens_file(file)
    assert entry.id in made.stderr
    assert abs(entry.created_at - datetime.now(UTC)) < timedelta(minutes=5)
    assert entry.expires_at == entry.created_at + timedelta(days=30)
    found = Tokens(file).authenticate(f"Bearer {secret}")
    assert found == Identity("search", True, entry.id, frozenset({"digits"}))
    assert tomllib.loads(text)["tokens"][0]["tenant"] == "search"


def test_the_command_line_knows_the_command(file: Path) -> None:
    command = [sys.executable, "-m", "inference_node", "token", "--file", str(file)]
    for arguments, code in ((["--tenant", "search"], 0), (["--revoke", "x"], 2), ([], 2)):
        ended = subprocess.run(
            [*command, *arguments], capture_output=True, text=True, cwd=ROOT, check=False
        )
        assert ended.returncode == code, ended.stderr
        assert "Traceback" not in ended.stderr
    assert len(read_tokens_file(file)) == 1


def test_listed_tokens_can_be_revoked_one_by_one(file: Path) -> None:
    first = token(file, "--tenant", "search").stdout.strip()
    second = token(file, "--tenant", "shop").stdout.strip()
    listed = token(file, "--list")
    assert listed.returncode == 0
    header, *lines = [line.split() for line in listed.stdout.splitlines()]
    assert header == ["id", "tenant", "created", "expires", "admin", "models"]
    assert [line[1] for line in lines] == ["search", "shop"]
    assert {tuple(line[3:]) for line in lines} == {("never", "no", "all")}
    assert first not in listed.stdout
    revoked = token(file, "--revoke", lines[0][0])
    assert (revoked.returncode, revoked.stdout) == (0, "")
    [left] = read_tokens_file(file)
    assert left.tenant == "shop"
    assert Tokens(file).authenticate(f"Bearer {second}").tenant == "shop"
    again = token(file, "--revoke", lines[0][0])
    assert again.returncode == 2
    assert f"there is no token '{lines[0][0]}'" in again.stderr


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (("--tenant", ""), "--tenant is ''"),
        (("--tenant", "a\nb"), "--tenant is 'a\\nb'"),
        (("--tenant", "t" * 129), "--tenant is 'ttt"),
        (("--tenant", "a", "--expires-days", "0"), "--expires-days is '0'"),
        (("--tenant", "a", "--expires-days", "9" * 5000), "--expires-days is '999"),
        (("--tenant", "a", "--model", " "), "--model is ' '"),
        (("--list", "--admin"), "--admin goes with --tenant"),
        (("--revoke", "x", "--expires-days", "3"), "--expires-days goes with --tenant"),
        (("--list",), "No such file"),
        (("--revoke", "x"), "No such file"),
    ],
)
def test_what_cannot_be_done_is_one_line_and_leaves_no_file(
    file: Path, arguments: tuple[str, ...], named: str
) -> None:
    ended = token(file, *arguments)
    assert (ended.returncode, ended.stdout) == (2, "")
    [line] = ended.stderr.splitlines()
    assert named in line
    assert len(line) < 500
    assert not list(file.parent.iterdir())


def test_a_file_that_is_broken_or_in_no_folder_is_left_alone(file: Path) -> None:
    file.write_text("[[tokens]]\nid = 3")
    ended = token(file, "--tenant", "a")
    assert ended.returncode == 2
    assert ended.stderr.startswith(f"{file}: ")
    assert ended.stderr.count("\n") == 1
    assert file.read_text() == "[[tokens]]\nid = 3"
    nowhere = token(file.parent / "nowhere" / "tokens.toml", "--tenant", "a")
    assert nowhere.returncode == 2
    assert "No such file or directory" in nowhere.stderr


def some_entry(number: int, **more: object) -> TokenEntry:
    at = datetime(2026, 1, 31, tzinfo=UTC)
    fields = {"id": f"t{number}", "tenant": "a", "sha256": f"{number:064x}", "created_at": at}
    return TokenEntry(**{**fields, **more})  # type: ignore[arg-type]


def test_changes_at_the_same_time_are_all_kept(file: Path) -> None:
    def add(number: int) -> None:
        with changed_tokens_file(file, create=True) as entries:
            entries.append(some_entry(number))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(add, range(40)))
    assert sorted(int(entry.id[1:]) for entry in read_tokens_file(file)) == list(range(40))
    assert list(file.parent.iterdir()) == [file]


def test_what_was_written_is_read_again_whatever_the_names(file: Path) -> None:
    odd = 'a"b\\c\x7f\x01\n\N{SNOWMAN}\N{GRINNING FACE}'
    at = datetime(2026, 1, 31, 1, 2, 3, 456, tzinfo=UTC)
    written = [
        some_entry(1, tenant=odd, models=[odd, "x"], created_at=at),
        some_entry(2, expires_at=at, admin=True, models=[]),
    ]
    with changed_tokens_file(file, create=True) as entries:
        entries += written
    assert read_tokens_file(file) == written


def test_a_failed_change_leaves_the_file_as_it_was(file: Path) -> None:
    with changed_tokens_file(file, create=True) as entries:
        entries.append(some_entry(1))
    before = file.read_bytes()
    with pytest.raises(StartError), changed_tokens_file(file) as entries:
        entries.append(some_entry(2))
        raise StartError("no")
    assert file.read_bytes() == before
    assert list(file.parent.iterdir()) == [file]


def test_a_link_to_the_file_stays_one(file: Path, tmp_path: Path) -> None:
    real = tmp_path / "real"
    real.mkdir()
    file.symlink_to(real / "tokens.toml")
    with changed_tokens_file(file, create=True) as entries:
        entries.append(some_entry(1))
    assert file.is_symlink()
    assert len(read_tokens_file(real / "tokens.toml")) == 1
    (tmp_path / "circle").symlink_to(tmp_path / "circle")
    with pytest.raises(StartError), changed_tokens_file(tmp_path / "circle"):
        pass
