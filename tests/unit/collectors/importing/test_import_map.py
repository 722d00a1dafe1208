"""A map is taken whole, or refused with the field, its value and what is accepted."""

from pathlib import Path

import pytest

from collectors.importing.contract import COLUMN_FIELDS, CONSTANT_FIELDS, DEFAULTS
from collectors.importing.errors import MapError
from collectors.importing.import_map import ImportMap, read_map
from collectors.importing.preset import PRESETS
from usage import UsageRecord

TIME = '[time]\ncolumn = "t"\nformat = "rfc3339"\n'


def mapped(tmp_path: Path, text: str) -> ImportMap:
    path = tmp_path / "map.toml"
    path.write_text(text)
    return read_map(path)


def test_a_map_may_be_nothing_but_the_time(tmp_path: Path) -> None:
    found = mapped(tmp_path, TIME)
    assert (found.columns, found.constants, found.empty) == ({}, {}, [""])
    assert found.wanted == ("t",)


def test_every_column_is_wanted_once(tmp_path: Path) -> None:
    found = mapped(
        tmp_path,
        TIME + '[columns]\nmodel = "m"\nvariant = "m"\n[labels]\nteam = "x"\nwhen = "t"\n',
    )
    assert found.wanted == ("t", "m", "x")


def test_every_field_comes_from_the_map_a_default_or_the_import_itself() -> None:
    derived = {"schema", "record_id", "boot_id", "seq", "arrived_at_us", "node_id"}
    fields = set(UsageRecord.__struct_fields__)
    assert fields == derived | set(DEFAULTS) | {"total_us", "batch_size"}
    assert set(CONSTANT_FIELDS) == fields - derived - {"labels"} | {"node_id"}
    assert set(COLUMN_FIELDS) == set(CONSTANT_FIELDS) - {"node_id"}


def test_a_file_is_laid_over_a_preset_table_by_table(tmp_path: Path) -> None:
    path = tmp_path / "map.toml"
    path.write_text('[constants]\nmodel = "gpt"\n[columns]\noutput_tokens = "Out"\n')
    found = read_map(path, PRESETS["azure_llm"])
    assert found.constants == {"model": "gpt"}
    assert found.columns == {"input_tokens": "ContextTokens", "output_tokens": "Out"}
    assert found.time.column == "TIMESTAMP"


@pytest.mark.parametrize("preset", sorted(PRESETS))
def test_every_preset_is_a_map(preset: str) -> None:
    assert read_map(None, PRESETS[preset]).wanted


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "time is missing"),
        ("time = 3", "time is 3; accepted: a table"),
        ('[time]\ncolumn = "t"', "time.format is missing"),
        (
            TIME + 'zone = "UTC"',
            "time.zone is not known; accepted: column, format, marks, timezone",
        ),
        (TIME + 'marks = "begin"', "time.marks is 'begin'; accepted: arrival, end"),
        (TIME + 'timezone = "Mars/X"', "time.timezone is 'Mars/X', no time zone"),
        (
            TIME + "[colums]",
            "colums is not known; accepted: columns, constants, csv, empty, labels",
        ),
        (TIME + "[columns]\ntenant = 1", "columns.tenant is 1; accepted: text of 1 to 1024"),
        (
            TIME + '[columns]\nseq = "s"',
            "columns.seq is no field that is taken here; accepted: ori",
        ),
        (TIME + '[columns]\nnode_id = "n"', "columns.node_id is no field that is taken here"),
        (TIME + '[columns]\ntotal_us = "d"', "units.total_us is missing; accepted: s, ms, us, ns"),
        (TIME + '[units]\ntotal_us = "s"', "units.total_us is no field that is taken here"),
        (
            TIME + '[columns]\ntotal_us = "d"\n[units]\ntotal_us = "h"',
            "units.total_us is 'h'; accepted: ms, ns, s, us",
        ),
        (TIME + "[constants]\nstatus = 9", "constants.status is 9; accepted: a whole number from"),
        (TIME + '[constants]\nstatus = "200"', "constants.status is '200'; accepted: a whole"),
        (TIME + '[constants]\ncache = "hit"', "constants.cache is 'hit'; accepted: bypass, coal"),
        (TIME + '[constants]\nnode_id = "a/b"', "constants.node_id is 'a/b'; accepted: text of"),
        (TIME + '[constants]\nboot_id = "x"', "constants.boot_id is no field that is taken here"),
        (TIME + '[labels]\n"" = "c"', "a name in labels is ''; accepted: text of 1 to 128"),
        (
            TIME + "[labels]\n" + "".join(f'l{n} = "c"\n' for n in range(9)),
            "accepted: a table of at most 8",
        ),
        (TIME + '[values.cache]\nHIT = "memory"', "values.cache is no field that is taken here"),
        (TIME + '[csv]\ndelimiter = ";;"', "csv.delimiter is ';;'; accepted: text of 1 to 1 char"),
        (TIME + '[csv]\ndelimiter = "§"', "csv.delimiter is '§'; accepted: one ASCII character"),
        (TIME + '[csv]\nquote = ","', "csv.quote is ',', the delimiter"),
        (TIME + "[csv]\nheader = []", "csv.header is empty; accepted: a name for each column"),
        ("empty = 1\n" + TIME, "empty is 1; accepted: a list, each text"),
        ('[time]\ncolumn = "t"\nformat = "iso"', "time.format is 'iso'; accepted: rfc3339, unix_s"),
        (
            '[time]\ncolumn = "t"\nformat = "%Y-%m-%d %H:%M:%S"',
            "time.timezone is missing, and time.format is '%Y-%m-%d %H:%M:%S', which names no off",
        ),
        (
            '[time]\ncolumn = "t"\nformat = "unix_s"\ntimezone = "UTC"',
            "time.timezone is 'UTC', and time.format is 'unix_s', which needs none",
        ),
        ("[time", "Expected ']'"),
        ("x = " + "9" * 5_000, "limit"),
        ("a = " + "[" * 5_000, "recursion"),
    ],
)
def test_what_is_wrong_is_told_with_field_value_and_what_is_accepted(
    tmp_path: Path, text: str, words: str
) -> None:
    with pytest.raises(MapError) as told:
        mapped(tmp_path, text)
    message = str(told.value)
    assert message.startswith(str(tmp_path / "map.toml"))
    assert words in message
    assert "\n" not in message


def test_a_file_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    with pytest.raises(MapError, match="No such file"):
        read_map(tmp_path / "none.toml")
    (tmp_path / "latin.toml").write_bytes(b"a = '\xff'")
    with pytest.raises(MapError, match="utf-8"):
        read_map(tmp_path / "latin.toml")
    (tmp_path / "huge.toml").write_bytes(b"#" * (2**20 + 1))
    with pytest.raises(MapError, match="too large"):
        read_map(tmp_path / "huge.toml")
