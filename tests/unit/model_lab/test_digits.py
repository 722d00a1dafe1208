import numpy as np

from model_lab.digits import Split, distort, load_digit_images, load_split
from model_lab.sample import Digits


def parts(split: Split) -> tuple[Digits, Digits, Digits]:
    return split.train, split.validation, split.test


def test_the_three_parts_share_no_image_and_leave_none_out() -> None:
    seen = [{image.tobytes() for image in part.images} for part in parts(load_split(7))]
    assert not seen[0] & seen[1]
    assert not seen[0] & seen[2]
    assert not seen[1] & seen[2]
    everything = {image.tobytes() for image in load_digit_images().images}
    assert seen[0] | seen[1] | seen[2] == everything
    assert sum(len(part) for part in parts(load_split(7))) == len(everything) == 1797


def test_the_same_seed_gives_the_same_parts_and_another_seed_gives_others() -> None:
    first, again, other = load_split(7), load_split(7), load_split(8)
    for one, two in zip(parts(first), parts(again), strict=True):
        np.testing.assert_array_equal(one.images, two.images)
        np.testing.assert_array_equal(one.labels, two.labels)
    assert not np.array_equal(first.test.images, other.test.images)


def test_every_part_holds_each_digit_in_its_share() -> None:
    shares = np.bincount(load_digit_images().labels, minlength=10) / 1797
    for part in parts(load_split(7)):
        counts = np.bincount(part.labels, minlength=10)
        np.testing.assert_allclose(counts, shares * len(part), atol=1)


def test_ink_is_bright_on_black_and_uses_the_whole_grey_range() -> None:
    images = load_digit_images().images
    assert (images.min(), images.max()) == (0, 255)
    assert images[:, 0, 0].mean() < 10


def test_distorting_by_nothing_changes_nothing() -> None:
    images = load_digit_images().images[:5]
    distorted = distort(images, np.random.default_rng(0), rotation_degrees=0, shift_pixels=0)
    np.testing.assert_array_equal(distorted, images)


def test_distorting_moves_ink_by_no_more_than_the_bound() -> None:
    dot = np.zeros((200, 32, 32), np.uint8)
    dot[:, 16, 16] = 255
    moved = distort(dot, np.random.default_rng(0), rotation_degrees=0, shift_pixels=2)
    rows, columns = np.nonzero(moved.any(axis=0))
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == (14, 18, 14, 18)
    assert (moved.reshape(200, -1).max(axis=1) == 255).all()
