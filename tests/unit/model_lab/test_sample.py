from pathlib import Path

import numpy as np
import pytest

from model_lab.errors import SampleError
from model_lab.sample import Digits, read_sample, to_input, write_sample


def test_a_sample_reads_back_as_it_was_written(tmp_path: Path, random_digits: Digits) -> None:
    path = tmp_path / "new" / "digits.npz"
    write_sample(path, random_digits)
    again = read_sample(path)
    np.testing.assert_array_equal(again.images, random_digits.images)
    np.testing.assert_array_equal(again.labels, random_digits.labels)


def test_equal_digits_give_equal_bytes(tmp_path: Path, random_digits: Digits) -> None:
    write_sample(tmp_path / "one.npz", random_digits)
    write_sample(tmp_path / "two.npz", random_digits)
    assert (tmp_path / "one.npz").read_bytes() == (tmp_path / "two.npz").read_bytes()


def test_grey_bytes_become_values_from_0_to_1() -> None:
    images = np.zeros((2, 32, 32), np.uint8)
    images[1] = 255
    values = to_input(images)
    assert values.shape == (2, 1, 32, 32)
    assert values.dtype == np.float32
    assert (values[0].max(), values[1].min()) == (0.0, 1.0)


@pytest.mark.parametrize(
    ("images", "labels", "message"),
    [
        (np.zeros((1, 8, 8), np.uint8), np.zeros(1, np.uint8), r"images: shape \(1, 8, 8\)"),
        (np.zeros((1, 32, 32)), np.zeros(1, np.uint8), "images: dtype float64"),
        (np.zeros((1, 32, 32), np.uint8), np.zeros(1, np.int64), "labels: dtype int64"),
        (np.zeros((1, 32, 32), np.uint8), np.zeros(2, np.uint8), r"labels: shape \(2,\)"),
        (np.zeros((1, 32, 32), np.uint8), np.full(1, 10, np.uint8), "labels: value 10"),
    ],
)
def test_arrays_of_another_shape_or_type_are_refused_by_name(
    images: np.ndarray, labels: np.ndarray, message: str
) -> None:
    with pytest.raises(SampleError, match=message):
        Digits(images=images, labels=labels)


def test_a_file_that_holds_no_sample_is_refused_by_its_path(tmp_path: Path) -> None:
    missing = tmp_path / "missing.npz"
    text = tmp_path / "text.npz"
    text.write_text("not an archive")
    lone = tmp_path / "lone.npz"
    with lone.open("wb") as file:
        np.save(file, np.zeros(3))
    unlabelled = tmp_path / "unlabelled.npz"
    np.savez(unlabelled, images=np.zeros((1, 32, 32), np.uint8))
    small = tmp_path / "small.npz"
    np.savez(small, images=np.zeros((1, 8, 8), np.uint8), labels=np.zeros(1, np.uint8))
    for path in (missing, text, lone, unlabelled, small):
        with pytest.raises(SampleError, match=path.name):
            read_sample(path)
