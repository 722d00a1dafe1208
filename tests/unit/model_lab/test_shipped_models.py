"""What the cards claim and the product relies on, checked on the files in data/."""

import tomllib
from itertools import pairwise
from pathlib import Path

import numpy as np
import onnx
import pytest

from model_lab.card import Card, read_card
from model_lab.classifier import Classifier
from model_lab.config import render_config
from model_lab.digits import load_split
from model_lab.measurement import BATCH_SIZES
from model_lab.sample import Digits, read_sample, to_input
from model_lab.shelf import CARD, CONFIG, MODEL, VARIANTS, version_folder

VERSIONS = tuple(VARIANTS)
REQUIRED_ACCURACY = 0.97
REQUIRED_PER_REQUEST_RATIO = 1 / 3
REQUIRED_SPEED_UP = 2.0
TOTAL_BYTES = 40_000_000


@pytest.fixture(scope="module")
def classifiers(shipped_models: Path) -> dict[str, Classifier]:
    return {
        version: Classifier(version_folder(shipped_models, version) / MODEL) for version in VERSIONS
    }


@pytest.fixture(scope="module")
def cards(shipped_models: Path) -> dict[str, Card]:
    return {
        version: read_card(version_folder(shipped_models, version) / CARD) for version in VERSIONS
    }


@pytest.fixture(scope="module")
def unseen(shipped_sample: Path) -> Digits:
    return read_sample(shipped_sample)


def test_both_versions_classify_at_least_97_percent_of_unseen_digits(
    classifiers: dict[str, Classifier], unseen: Digits
) -> None:
    for version in VERSIONS:
        assert classifiers[version].accuracy(unseen) >= REQUIRED_ACCURACY


def test_each_card_states_the_accuracy_that_its_model_reaches(
    classifiers: dict[str, Classifier], cards: dict[str, Card], unseen: Digits
) -> None:
    validation = load_split(cards["1"].split.seed).validation
    for version in VERSIONS:
        quality = cards[version].quality
        assert quality.test_accuracy == round(classifiers[version].accuracy(unseen), 4)
        assert quality.validation_accuracy == round(classifiers[version].accuracy(validation), 4)


def test_each_card_states_how_often_its_model_agrees_with_fp32(
    classifiers: dict[str, Classifier], cards: dict[str, Card], unseen: Digits
) -> None:
    reference = classifiers["1"].classify(unseen.images)
    for version in VERSIONS:
        agreeing = classifiers[version].classify(unseen.images) == reference
        assert cards[version].quality.agreement_with_fp32 == round(float(agreeing.mean()), 4)


def test_each_card_states_the_size_of_its_file(
    shipped_models: Path, cards: dict[str, Card]
) -> None:
    for version in VERSIONS:
        size = (version_folder(shipped_models, version) / MODEL).stat().st_size
        assert cards[version].quality.file_bytes == size


def test_both_files_together_stay_below_40_megabytes(cards: dict[str, Card]) -> None:
    assert sum(card.quality.file_bytes for card in cards.values()) <= TOTAL_BYTES


def test_each_card_names_the_version_and_variant_of_its_folder(cards: dict[str, Card]) -> None:
    assert {version: card.variant for version, card in cards.items()} == VARIANTS
    assert {version: card.version for version, card in cards.items()} == {"1": "1", "2": "2"}


def test_the_parameter_count_on_the_cards_follows_from_the_widths(cards: dict[str, Card]) -> None:
    for card in cards.values():
        pairs = pairwise(card.architecture.widths)
        assert card.architecture.parameters == sum((a + 1) * b for a, b in pairs)


def test_a_request_in_a_full_batch_took_at_most_a_third_of_a_single_one(
    cards: dict[str, Card],
) -> None:
    for card in cards.values():
        assert card.performance.per_request_ratio <= REQUIRED_PER_REQUEST_RATIO


def test_int8_was_at_least_twice_as_fast_as_fp32(cards: dict[str, Card]) -> None:
    assert cards["2"].performance.speed_up_over_fp32 >= REQUIRED_SPEED_UP


def test_recorded_ratios_follow_from_the_recorded_times(cards: dict[str, Card]) -> None:
    for card in cards.values():
        performance = card.performance
        rows = {row.batch_size: row for row in performance.latency}
        assert tuple(rows) == BATCH_SIZES
        per_request = rows[32].median_compute_us / 32 / rows[1].median_compute_us
        speed_up = cards["1"].performance.latency[0].median_compute_us / rows[1].median_compute_us
        assert performance.per_request_ratio == pytest.approx(per_request, abs=1e-3)
        assert performance.speed_up_over_fp32 == pytest.approx(speed_up, abs=1e-2)


def test_both_versions_were_measured_on_the_same_machine_on_the_same_day(
    cards: dict[str, Card],
) -> None:
    fp32, int8 = cards["1"].performance, cards["2"].performance
    assert (fp32.machine, fp32.measured_at) == (int8.machine, int8.measured_at)


def test_a_result_does_not_depend_on_what_else_is_in_the_batch(
    classifiers: dict[str, Classifier], unseen: Digits
) -> None:
    inputs = to_input(unseen.images[:64])
    # Full ink and no ink are the neighbours that would stretch a scale computed per batch.
    extremes = np.concatenate([np.ones_like(inputs[:1]), np.zeros_like(inputs[:1])])
    for classifier in classifiers.values():
        single = np.concatenate([classifier.run(image[np.newaxis]) for image in inputs])
        together = classifier.run(inputs)
        among_extremes = classifier.run(np.concatenate([extremes, inputs]))[2:]
        np.testing.assert_allclose(single, together, rtol=0, atol=1e-5)
        np.testing.assert_allclose(single, among_extremes, rtol=0, atol=1e-5)


def test_probabilities_add_up_to_one(classifiers: dict[str, Classifier], unseen: Digits) -> None:
    for classifier in classifiers.values():
        probabilities = classifier.run(to_input(unseen.images))
        assert probabilities.dtype == np.float32
        assert probabilities.shape == (len(unseen), 10)
        np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-5)


def test_both_versions_have_one_input_and_output_with_a_free_batch_dimension(
    shipped_models: Path,
) -> None:
    for version in VERSIONS:
        graph = onnx.load(version_folder(shipped_models, version) / MODEL).graph
        shapes = {
            value.name: [d.dim_param or d.dim_value for d in value.type.tensor_type.shape.dim]
            for value in (*graph.input, *graph.output)
        }
        assert shapes == {"image": ["batch", 1, 32, 32], "probabilities": ["batch", 10]}


def test_the_node_is_told_how_to_read_an_image_and_name_a_class(shipped_models: Path) -> None:
    for version, variant in VARIANTS.items():
        text = (version_folder(shipped_models, version) / CONFIG).read_text(encoding="utf-8")
        assert text == render_config(variant)
        assert tomllib.loads(text) == {
            "variant": variant,
            "batching": {"max_batch_size": 32, "max_queue_delay_microseconds": 0},
            "image": {
                "input": "image",
                "width": 32,
                "height": 32,
                "channels": 1,
                "scale": 0.00392156862745098,
            },
            "classification": {
                "output": "probabilities",
                "labels": ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"],
            },
        }


def test_the_shipped_sample_is_the_test_part_of_the_split(
    cards: dict[str, Card], unseen: Digits
) -> None:
    split = load_split(cards["1"].split.seed)
    np.testing.assert_array_equal(unseen.images, split.test.images)
    np.testing.assert_array_equal(unseen.labels, split.test.labels)
    sizes = cards["1"].split
    assert (sizes.train, sizes.validation, sizes.test) == (
        len(split.train),
        len(split.validation),
        len(split.test),
    )
