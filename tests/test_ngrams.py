"""lmkit.ngrams: counts by hand, probabilities that sum to 1, and a slow reference."""

import numpy as np
import pytest

from lmkit.ngrams import ngram_probabilities

TRAIN = [[0, 1, 0, 2], [0, 0]]


def test_unigram_by_hand():
    # Six tokens: 0 four times, 1 and 2 once; one imaginary observation shared by three ids.
    found = ngram_probabilities(TRAIN, [[0, 1, 2]], 1, vocab_size=3)
    np.testing.assert_allclose(found, [(4 + 1 / 3) / 7, (1 + 1 / 3) / 7, (1 + 1 / 3) / 7])


def test_bigram_by_hand():
    q = (4 + 1 / 3) / 7  # what the unigram says about 0
    # Two rows begin with 0. After 0 came 1, 2 and 0; after 1 came 0; after 2 nothing.
    found = ngram_probabilities(TRAIN, [[0, 0], [1, 0], [2, 0]], 2, vocab_size=3)
    np.testing.assert_allclose(found[[0, 1]], [(2 + q) / 3, (1 + q) / 4])
    np.testing.assert_allclose(found[[3, 5]], [(1 + q) / 2, q])


def test_an_id_never_seen_and_a_context_never_seen():
    # Beyond all that was counted, and before it: both are zero times, not the nearest one.
    found = ngram_probabilities([[1, 1]], [[0], [1], [2]], 1, vocab_size=3)
    np.testing.assert_allclose(found, [1 / 9, (2 + 1 / 3) / 3, 1 / 9])


def slow(train, test, order, vocab_size):
    """The same formula, one token at a time, with Python's own counting."""

    def count(piece):
        rows = [(vocab_size,) * (order - 1) + tuple(row) for row in train]
        ends = [row[: end + 1] for row in rows for end in range(order - 1, len(row))]
        return sum(end[len(end) - len(piece) :] == piece for end in ends)

    def before(context):
        rows = [(vocab_size,) * (order - 1) + tuple(row) for row in train]
        starts = [row[:end] for row in rows for end in range(order - 1, len(row))]
        return sum(start[len(start) - len(context) :] == context for start in starts)

    found = []
    for row in test:
        row = (vocab_size,) * (order - 1) + tuple(row)
        for end in range(order - 1, len(row)):
            chance = 1 / vocab_size
            for length in range(order):
                context = row[end - length : end]
                chance = (count((*context, row[end])) + chance) / (before(context) + 1)
            found.append(chance)
    return found


@pytest.mark.parametrize("order", [1, 2, 3, 4])
def test_equals_counting_one_by_one(order, rng):
    train, test = ([rng.integers(0, 4, n).tolist() for n in lengths] for lengths in ([9, 1], [7]))
    found = ngram_probabilities(train, test, order, vocab_size=4)
    np.testing.assert_allclose(found, slow(train, test, order, 4), rtol=1e-12)


@pytest.mark.parametrize("order", [1, 2, 3])
def test_sums_to_one_after_every_context(order, rng):
    train = [rng.integers(0, 4, 30) for _ in range(3)]
    for context in ([], [3], [0, 1], [1, 1]):
        rows = [[*context, token] for token in range(4)]
        last = ngram_probabilities(train, rows, order, 4).reshape(4, -1)[:, -1]
        assert last.sum() == pytest.approx(1, abs=1e-12)


def test_more_text_brings_the_bigram_to_the_truth(rng):
    truth = np.array([[0.7, 0.2, 0.1], [0.1, 0.1, 0.8], [0.3, 0.4, 0.3]])
    row = [0]
    for point in rng.random(50_000):
        row.append(int(np.searchsorted(truth[row[-1]].cumsum(), point)))
    found = ngram_probabilities([row], [[i, j] for i in range(3) for j in range(3)], 2, 3)[1::2]
    # Standard error of a share is at most sqrt(0.25 / 10,000 visits) = 0.005; four of them.
    np.testing.assert_allclose(found.reshape(3, 3), truth, atol=0.02)


@pytest.mark.parametrize(
    ("train", "test", "order", "vocab_size", "message"),
    [
        ([[0]], [[0]], 0, 3, "order must be"),
        ([[0]], [[0]], 2, 0, "vocab_size must be"),
        ([[0]], [[0]], 20, 100, "order 20 is too long"),
        ([], [[0]], 1, 3, "there are no train rows: give at least one"),
        ([[0]], [[]], 1, 3, "test row 0 is empty: give at least one id"),
        ([[0], [3]], [[0]], 1, 3, "id 3 at position 0 of train row 1 is outside the vocabulary"),
        ([[0]], [[-1]], 1, 3, "at position 0 of test row 0"),
        ([[[0, 1]]], [[0]], 1, 3, "one row"),
    ],
)
def test_bad_input(train, test, order, vocab_size, message):
    with pytest.raises(ValueError, match=message):
        ngram_probabilities(train, test, order, vocab_size)


def test_rows_must_hold_whole_numbers():
    with pytest.raises(TypeError, match="train row 0 must be whole numbers, got float64"):
        ngram_probabilities([[0.5]], [[0]], 1, 3)
    with pytest.raises(TypeError, match="train rows must be a list of rows of ids, got NoneType"):
        ngram_probabilities(None, [[0]], 1, 3)
