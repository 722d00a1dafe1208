import argparse
import io
import itertools
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from inference_node.replay import report as replay_report
from inference_node.replay.arguments import WRONG_INPUT, add_replay_arguments, run_replay
from inference_node.replay.errors import ReplayInputError
from inference_node.replay.images import ReplayImages, load_images
from inference_node.replay.replay import ReplayOptions, _schedule, node_url
from inference_node.replay.report import Tally
from simulator import Workload

PIXELS = np.arange(3 * 32 * 32, dtype=np.uint32).astype(np.uint8).reshape(3, 32, 32)


def parsed(*options: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    add_replay_arguments(parser)
    return parser.parse_args(options)


@pytest.fixture
def images_path(tmp_path: Path) -> Path:
    path = tmp_path / "digits.npz"
    np.savez(path, images=PIXELS, labels=np.array([3, 1, 4]))
    return path


def test_images_become_png_files_with_the_same_pixels(images_path: Path) -> None:
    images = load_images(images_path)

    assert images.labels == ("3", "1", "4")
    for body, pixels in zip(images.bodies, PIXELS, strict=True):
        decoded = Image.open(io.BytesIO(body))
        assert (decoded.format, decoded.mode) == ("PNG", "L")
        assert np.array_equal(np.asarray(decoded), pixels)


@pytest.mark.parametrize(
    ("images", "labels", "named"),
    [
        (PIXELS.astype(np.float32), np.zeros(3, int), "images is 'float32 [3, 32, 32]'"),
        (PIXELS[:, :8], np.zeros(3, int), "images is 'uint8 [3, 8, 32]'"),
        (PIXELS[:0], np.zeros(0, int), "images is 'empty'"),
        (PIXELS, np.zeros(2, int), "labels is 'int64 [2]'"),
        (PIXELS, np.zeros(3), "labels is 'float64 [3]'"),
    ],
)
def test_arrays_that_are_no_images_are_refused(
    images: np.ndarray, labels: np.ndarray, named: str
) -> None:
    with pytest.raises(ReplayInputError, match="accepted") as raised:
        ReplayImages.encoded(images, labels)
    assert named in str(raised.value)


@pytest.mark.parametrize("content", [None, b"", b"not a zip", b"PK\x03\x04torn"])
def test_a_file_that_holds_no_arrays_is_refused(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "images.npz"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ReplayInputError, match=r"images\.npz"):
        load_images(path)


def test_a_file_with_one_array_or_with_pickled_objects_is_refused(tmp_path: Path) -> None:
    np.save(tmp_path / "lone.npy", PIXELS)
    np.savez(tmp_path / "half.npz", images=PIXELS)
    np.savez(tmp_path / "pickled.npz", images=PIXELS, labels=np.array([{}, {}, {}]))

    for name in ("lone.npy", "half.npz", "pickled.npz"):
        with pytest.raises(ReplayInputError, match=name):
            load_images(tmp_path / name)


def test_a_report_counts_every_scheduled_request_once_and_takes_latency_from_the_schedule() -> None:
    tally = Tally()
    tally.scheduled = 5
    for number in range(2):
        tally.send(due_s=1.0, sent_s=1.002)
        tally.answer(200, right=number == 0, due_s=1.0, sent_s=1.002, answered_s=1.010)
    tally.send(due_s=2.0, sent_s=2.0)
    tally.answer(503, right=False, due_s=2.0, sent_s=2.0, answered_s=9.0)
    tally.send(due_s=3.0, sent_s=3.0)
    tally.errors["timeout"] += 1
    tally.not_sent["refused"] += 1
    report = tally.report(duration_s=4.5, stopped=False)

    assert (report.requests_scheduled, report.requests_sent) == (5, 4)
    assert report.responses == {200: 2, 503: 1}
    assert report.errors == {"timeout": 1}
    assert report.not_sent == {"refused": 1}
    assert report.accuracy == 0.5
    assert report.latency_ms is not None
    assert report.latency_from_send_ms is not None
    assert report.latency_ms.p99 == pytest.approx(10)
    assert report.latency_from_send_ms.p99 == pytest.approx(8)
    assert report.send_lag_ms_p99 == pytest.approx(2)


def test_a_report_without_answers_has_no_latency_and_no_accuracy() -> None:
    report = Tally().report(duration_s=0.0, stopped=True)

    assert report.accuracy is None
    assert report.latency_ms is None
    assert report.send_lag_ms_p99 is None
    assert "(stopped)" in report.as_table()


def test_a_report_is_one_line_of_json() -> None:
    tally = Tally()
    tally.send(due_s=0.0, sent_s=0.0)
    tally.answer(200, right=True, due_s=0.0, sent_s=0.0, answered_s=0.25)
    line = tally.report(duration_s=1.0, stopped=False).as_json()

    assert "\n" not in line
    decoded = json.loads(line)
    assert decoded["responses"] == {"200": 1}
    assert decoded["latency_ms"] == {"p50": 250.0, "p95": 250.0, "p99": 250.0}


def test_percentiles_are_of_the_newest_samples(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replay_report, "NEWEST_SAMPLES", 10)
    tally = Tally()
    for answered_s in [100.0] * 10 + [1.0] * 10:
        tally.answer(200, right=True, due_s=0.0, sent_s=0.0, answered_s=answered_s)

    latency_ms = tally.report(duration_s=1.0, stopped=False).latency_ms
    assert latency_ms is not None
    assert latency_ms.p99 == 1000.0


@pytest.mark.parametrize(
    ("instants", "expected"),
    [
        ([1.0, 2.0, 3.0], [101.0, 102.0, 103.0, 105.5, 106.5, 107.5]),
        ([0.0], [100.0, 101.0, 102.0, 103.0, 104.0, 105.0]),
        ([0.0, 0.0], [100.0, 100.0, 101.0, 101.0, 102.0, 102.0]),
    ],
)
def test_a_repeated_workload_starts_over_one_mean_gap_after_its_last_arrival(
    instants: list[float], expected: list[float]
) -> None:
    schedule = _schedule(Workload.of(instants), ReplayOptions(repeat=True), started_s=100.0)
    assert [due_s for due_s, *_ in itertools.islice(schedule, 6)] == expected


def test_speed_compresses_the_schedule() -> None:
    schedule = _schedule(Workload.of([0.0, 3.0, 8.0]), ReplayOptions(speed=4.0), started_s=10.0)
    assert [due_s for due_s, *_ in schedule] == [10.0, 10.75, 12.0]


@pytest.mark.parametrize(
    "url", ["", "127.0.0.1:8000", "ftp://host", "http://", "http://h:99999", "http://a..b"]
)
def test_an_address_that_is_no_http_url_is_refused(url: str) -> None:
    with pytest.raises(ReplayInputError, match=r"accepted: an address such as http://"):
        node_url(url)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--url", "nowhere"], "--url is 'nowhere'; accepted: an address such as"),
        (["--model", " "], "--model is ' '; accepted: a name"),
        (["--version", ""], "--version is ''; accepted: a name"),
        (["--speed", "0"], "--speed is '0'; accepted: a number above 0"),
        (["--speed", "fast"], "--speed is 'fast'; accepted: a number above 0"),
        (["--images", "no.npz"], "--images is 'no.npz'; accepted: a readable .npz file"),
        (["--arrivals", "no.csv"], "--arrivals is 'no.csv'; accepted: a readable CSV file"),
        (["--process", "chaos"], "--process is 'chaos'; accepted: poisson, bursty, daily"),
        (["--process", "daily", "--arrivals", "a"], "--arrivals is 'a'; accepted: either this or"),
        (["--rate", "5"], "--rate is '5'; accepted: this option together with --process only"),
        (["--process", "poisson", "--rate", "0"], "--rate is 0.0; accepted: a finite number above"),
        (["--process", "poisson", "--rate", "x"], "--rate is 'x'; accepted: a finite number"),
        (["--process", "poisson", "--duration", "-1"], "--duration is -1.0; accepted: a finite"),
        (["--process", "poisson", "--rate", "1e9"], "--rate times --duration is 60000000000.0"),
        (["--process", "poisson", "--rate", "1e-9"], "--rate times --duration is 6"),
        (["--process", "poisson", "--seed", "-1"], "--seed is '-1'; accepted: a whole number"),
        (["--process", "poisson", "--zipf", "-1"], "--zipf is -1.0; accepted: a finite number, 0"),
        (["--process", "poisson", "--tenants", "a"], "--tenants is 'a'; accepted: names with"),
        (["--process", "poisson", "--tenants", "a=1,a=2"], "--tenants is 'a=1,a=2'; accepted:"),
        (["--process", "poisson", "--priorities", "low=1"], "--priorities is 'low'; accepted: hi"),
    ],
)
def test_a_wrong_option_is_one_line_that_names_it_its_value_and_what_is_accepted(
    options: list[str],
    message: str,
    images_path: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    arrivals = tmp_path / "arrivals.csv"
    arrivals.write_text("arrived_at_s\n0\n")
    given = ["--images", str(images_path), *options]
    if options[0] in ("--url", "--model"):
        given += ["--arrivals", str(arrivals)]

    assert run_replay(parsed(*given)) == WRONG_INPUT
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.count("\n") == 1
    assert captured.err.startswith(f"replay: {message}")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("arrived_at_s\n1\nsoon\n", ", line 3: arrived_at_s is 'soon'; accepted: a finite number"),
        ("arrived_at_s\n", " is 'empty'; accepted: at least one request"),
        ("arrived_at_s,items\n0,4\n", ": items is 4; accepted: 1, a request is one image"),
    ],
)
def test_a_wrong_file_of_arrivals_is_one_line_that_names_the_place(
    text: str,
    message: str,
    images_path: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    path = tmp_path / "arrivals.csv"
    path.write_text(text)

    given = parsed("--images", str(images_path), "--arrivals", str(path))
    assert run_replay(given) == WRONG_INPUT
    captured = capsys.readouterr()
    assert captured.err.count("\n") == 1
    assert captured.err.startswith(f"replay: --arrivals {path}{message}")


def test_a_file_of_images_that_are_none_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "digits.npz"
    np.savez(path, images=PIXELS.astype(np.int16), labels=np.array([3, 1, 4]))

    assert run_replay(parsed("--images", str(path))) == WRONG_INPUT
    assert capsys.readouterr().err == (
        f"replay: --images {path}: images is 'int16 [3, 32, 32]'; accepted: uint8 [n, 32, 32]\n"
    )
