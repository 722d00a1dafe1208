import numpy as np
import pytest

from model_lab.digits import load_split
from model_lab.network import Network, Recipe, train_network
from model_lab.sample import Digits

SMALL = Recipe(hidden=(24,), epochs=3, averaged_epochs=2)


@pytest.fixture(scope="module")
def few_digits() -> Digits:
    train = load_split(7).train
    return Digits(images=train.images[:200], labels=train.labels[:200])


def test_the_same_seed_trains_the_same_network(few_digits: Digits) -> None:
    first, again = (train_network(few_digits, 7, SMALL) for _ in range(2))
    for one, two in zip(
        (*first.weights, *first.biases), (*again.weights, *again.biases), strict=True
    ):
        np.testing.assert_array_equal(one, two)


def test_another_seed_trains_another_network(few_digits: Digits) -> None:
    first, other = (train_network(few_digits, seed, SMALL) for seed in (7, 8))
    assert not np.array_equal(first.weights[0], other.weights[0])


def test_a_network_has_the_widths_that_the_recipe_asks_for(few_digits: Digits) -> None:
    network = train_network(few_digits, 7, SMALL)
    assert network.widths == (1024, 24, 10)
    assert network.parameters == 1024 * 24 + 24 + 24 * 10 + 10
    assert {array.dtype for array in (*network.weights, *network.biases)} == {np.dtype(np.float32)}


def test_training_learns_digits_from_a_few_examples(few_digits: Digits) -> None:
    recipe = Recipe(hidden=(64,), epochs=30, averaged_epochs=4, learning_rate=1e-3)
    network: Network = train_network(few_digits, 7, recipe)
    values = few_digits.images.reshape(len(few_digits), -1) / np.float32(255)
    hidden = np.maximum(values @ network.weights[0] + network.biases[0], 0)
    guesses = (hidden @ network.weights[1] + network.biases[1]).argmax(axis=1)
    assert (guesses == few_digits.labels).mean() > 0.95


@pytest.mark.parametrize("averaged", [0, 4])
def test_averaging_over_no_or_too_many_epochs_is_refused(averaged: int) -> None:
    with pytest.raises(ValueError, match=f"averaged_epochs: {averaged}, accepted is 1..epochs"):
        Recipe(epochs=3, averaged_epochs=averaged)
