import io
from pathlib import Path

import numpy as np
import pytest

from simulator import read_workload
from simulator.__main__ import main
from simulator.sample import DURATION_S, KEYS

SAMPLE = Path(__file__).parents[3] / "data" / "samples" / "arrivals.csv"


def test_the_sample_file_is_what_its_command_writes(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sample"]) == 0
    assert capsys.readouterr().out.encode() == SAMPLE.read_bytes()


def test_the_sample_is_what_its_description_says() -> None:
    raw = SAMPLE.read_bytes()
    workload = read_workload(raw)

    assert len(raw) < 400_000
    assert 8_500 < len(workload) < 9_500
    assert workload.arrived_at_s[-1] < DURATION_S
    assert np.array_equal(workload.arrived_at_s, workload.arrived_at_s.round(6))
    assert workload.key.max() < KEYS
    assert (workload.items == 1).all()
    assert set(workload.tenant.tolist()) == {"shop", "search", "lab"}
    assert set(workload.priority.tolist()) == {"high", "normal", "batch"}


def test_no_time_in_the_sample_has_more_than_six_decimals() -> None:
    lines = io.StringIO(SAMPLE.read_text()).readlines()[1:]
    decimals = [line.split(",")[0].partition(".")[2] for line in lines]
    assert max(len(digits) for digits in decimals) <= 6


def test_a_command_that_does_not_exist_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as raised:
        main(["nonsense"])
    assert raised.value.code == 2
    assert "invalid choice: 'nonsense'" in capsys.readouterr().err
