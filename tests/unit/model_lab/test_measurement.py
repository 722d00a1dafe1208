import shutil
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from model_lab.card import read_card
from model_lab.errors import CardError, ModelFileError
from model_lab.machine import describe_machine
from model_lab.measurement import BATCH_SIZES, TIMED_RUNS, measure, summarise
from model_lab.shelf import CARD, MODEL, VARIANTS, remeasure, version_folder


@pytest.fixture
def small_shelf(tmp_path: Path, shipped_models: Path, small_models: tuple[Path, Path]) -> Path:
    for version, model in zip(VARIANTS, small_models, strict=True):
        folder = version_folder(tmp_path, version)
        folder.mkdir(parents=True)
        shutil.copy(model, folder / MODEL)
        shutil.copy(version_folder(shipped_models, version) / CARD, folder / CARD)
    return tmp_path


def test_summary_is_median_and_95th_percentile_in_whole_microseconds() -> None:
    row = summarise(4, [microseconds * 1000 for microseconds in range(1, 102)])
    assert (row.median_compute_us, row.p95_compute_us) == (51, 96)
    assert row.median_per_request_us == 12.75


def test_every_model_is_measured_at_every_batch_size(small_models: tuple[Path, Path]) -> None:
    measured = measure({"1": small_models[0], "2": small_models[1]}, rounds=2)
    assert list(measured) == ["1", "2"]
    for performance in measured.values():
        assert tuple(row.batch_size for row in performance.latency) == BATCH_SIZES
        assert performance.repetitions == 2 * TIMED_RUNS
        assert performance.intra_op_threads == 1
    assert measured["1"].speed_up_over_fp32 == 1


def test_measuring_again_replaces_the_times_and_nothing_else(small_shelf: Path) -> None:
    paths = [version_folder(small_shelf, version) / CARD for version in VARIANTS]
    before = [read_card(path) for path in paths]
    today = datetime.now(UTC).date()
    remeasure(small_shelf, rounds=1)
    for path, old in zip(paths, before, strict=True):
        new = read_card(path)
        assert new.performance.repetitions == TIMED_RUNS
        assert new.performance.measured_at >= today
        assert msgspec.structs.replace(new, performance=old.performance) == old


def test_nothing_is_written_where_a_model_or_card_is_missing(small_shelf: Path) -> None:
    first = version_folder(small_shelf, "1") / CARD
    before = first.read_bytes()
    (version_folder(small_shelf, "2") / MODEL).unlink()
    with pytest.raises(ModelFileError, match="no such file"):
        remeasure(small_shelf, rounds=1)
    (version_folder(small_shelf, "2") / CARD).unlink()
    with pytest.raises(CardError, match="no such file"):
        remeasure(small_shelf, rounds=1)
    assert first.read_bytes() == before


def test_the_machine_is_described_by_its_processor_and_not_by_its_name(tmp_path: Path) -> None:
    cpu_info = tmp_path / "cpuinfo"
    cpu_info.write_text(
        "processor\t: 0\nmodel name\t: Example CPU\nflags\t\t: fpu avx2 avx512_vnni\n\n"
        "processor\t: 1\nmodel name\t: Example CPU\n"
    )
    machine = describe_machine(cpu_info)
    assert machine.cpu == "Example CPU"
    assert machine.cpu_features == ("avx2", "avx512_vnni")
    assert set(machine.__struct_fields__) == {
        "cpu",
        "cpu_features",
        "cores",
        "onnxruntime",
        "python",
    }


def test_a_machine_without_cpuinfo_is_described_all_the_same(tmp_path: Path) -> None:
    machine = describe_machine(tmp_path / "none")
    assert machine.cpu
    assert machine.cpu_features == ()
