"""Windows, masks, samplers and measures with any numbers."""

import itertools

import keras
import numpy as np
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from lmkit import _arguments
from lmkit.batches import IGNORE, next_tokens, windows
from lmkit.decoding import generate, keep_likely, sample_token
from lmkit.layers import attention_weights, causal_mask, padding_mask
from lmkit.metrics import (
    BitsPerCharacter,
    Perplexity,
    confusion_matrix,
    pair_accuracy,
    score_tokens,
    token_losses,
)
from lmkit.ngrams import ngram_probabilities

SOME = settings(max_examples=60, deadline=None)

# Windows and masks.


ANY_ID = st.integers(0, 2**31 - 1)


@SOME
@given(st.lists(ANY_ID, min_size=2, max_size=60), st.integers(1, 12), st.data())
def test_windows_put_together_are_the_text(ids, length, data):
    stride = data.draw(st.integers(1, length))
    inputs, targets = windows(ids, length, stride)
    assert targets[targets != IGNORE].tolist() == ids[1:]
    scored = targets != IGNORE
    # Where the next position is scored too, its input is this target.
    both = scored[:, :-1] & scored[:, 1:]
    assert (inputs[:, 1:][both] == targets[:, :-1][both]).all()
    assert inputs[0, 0] == ids[0]


@SOME
@given(st.lists(st.lists(ANY_ID, min_size=2, max_size=9), min_size=1, max_size=5), ANY_ID)
def test_rows_come_back_from_inputs_and_targets(rows, pad_id):
    inputs, targets = next_tokens(rows, pad_id=pad_id)
    scored = targets != IGNORE
    for row, one, other, real in zip(rows, inputs, targets, scored, strict=True):
        assert [*one[real], other[real][-1]] == row
        assert (one[~real] == pad_id).all()


IDS = st.integers(-(2**63), 2**64 - 1) | st.integers(-1, 12)


@SOME
@given(st.lists(st.lists(IDS, min_size=2, max_size=2), min_size=1, max_size=3))
def test_ids_are_kept_exactly_or_refused(rows):
    try:
        checked = _arguments.ids("ids", rows, 2, 10)
    except (TypeError, ValueError):
        assert not all(0 <= number < 10 for row in rows for number in row)
    else:
        assert checked.tolist() == rows and checked.max() < 10


@SOME
@given(st.integers(1, 7), st.lists(st.integers(0, 2), min_size=1, max_size=7))
def test_masks_say_what_may_be_seen(length, ids):
    may = keras.ops.convert_to_numpy(causal_mask(length))
    for who, whom in itertools.product(range(length), repeat=2):
        assert may[who, whom] == (whom <= who)
    padding = keras.ops.convert_to_numpy(padding_mask([ids]))
    assert padding.tolist() == [[[[number != 0 for number in ids]]]]


FLOATS = st.floats(-50, 50, width=32)


@SOME
@given(arrays("float32", (3, 4), elements=FLOATS), arrays("bool", (3, 3)))
def test_attention_is_a_distribution_over_what_may_be_seen(x, mask):
    mask = mask | np.eye(3, dtype=bool)  # each sees itself
    weights = keras.ops.convert_to_numpy(attention_weights(x, x, mask))
    # Three numbers that sum to 1, each rounded by at most 6e-8, and the division: 4 x 6e-8.
    assert np.abs(weights.sum(axis=-1) - 1).max() <= 2.4e-7
    assert (weights >= 0).all() and (weights[~mask] == 0).all()


# Samplers.

LOGITS = st.lists(st.floats(-700, 700) | st.just(-np.inf), min_size=1, max_size=8)


@SOME
@given(LOGITS, st.integers(1, 8), st.floats(1e-6, 1))
def test_what_is_kept_is_likeliest_and_enough(logits, top_k, top_p):
    assume(max(logits) > -np.inf and top_k <= len(logits))
    logits = np.array(logits)
    for kept in (keep_likely(logits, top_k=top_k), keep_likely(logits, top_p=top_p)):
        chosen = kept > -np.inf
        assert (kept[chosen] == logits[chosen]).all() and chosen[np.argmax(logits)]
        dropped = logits[~chosen]
        assert not dropped.size or dropped.max() <= kept[chosen].min()
    assert (keep_likely(logits, top_k=top_k) > -np.inf).sum() <= top_k
    chances = np.exp(logits - logits.max())
    # Eight additions, each rounded by at most 1.1e-16 of a sum below 1.
    assert chances[keep_likely(logits, top_p=top_p) > -np.inf].sum() >= (
        (top_p - 1e-15) * chances.sum()
    )


@SOME
@given(LOGITS, st.floats(0, 1e6), st.integers(0, 2**32))
def test_nothing_impossible_is_drawn(logits, temperature, seed):
    assume(max(logits) > -np.inf)
    token = sample_token(logits, temperature, np.random.default_rng(seed))
    assert logits[token] > -np.inf
    assert token == sample_token(logits, temperature, np.random.default_rng(seed))


@SOME
@given(st.lists(st.floats(), max_size=6), st.floats())
def test_a_token_is_drawn_or_a_reason_is_given(logits, temperature):
    try:
        token = sample_token(logits, temperature, np.random.default_rng(0))
    except ValueError as error:
        assert "logit" in str(error) or "temperature must be" in str(error)
    else:
        assert 0 <= token < len(logits)


@SOME
@given(st.lists(st.integers(0, 5), min_size=1, max_size=5), st.integers(1, 9), st.integers(0, 99))
def test_a_text_goes_on_from_its_prompt(prompt, length, seed):
    text = generate(lambda ids: np.arange(6.0), prompt, length, seed=seed, stop=5)
    assert text[: len(prompt)] == prompt
    added = text[len(prompt) :]
    assert len(added) == length or (5 in added and added.index(5) == len(added) - 1)


# Measures.

BATCHES = st.tuples(
    arrays("float32", (2, 3, 4), elements=FLOATS),
    arrays("int32", (2, 3), elements=st.integers(IGNORE, 3)),
)


@SOME
@given(BATCHES)
def test_measures_agree_with_each_other(batch):
    logits, targets = batch
    losses = token_losses(logits, targets)
    assert losses.shape == targets.shape and (losses >= 0).all()
    assert not losses[targets == IGNORE].any()
    # float32: losses of at most 102, each off by a few roundings of 102 (6e-6 each).
    scores = score_tokens(lambda ids: logits, np.zeros((2, 3), int), targets)
    np.testing.assert_allclose(scores, losses, atol=5e-5)
    perplexity, bits = Perplexity(), BitsPerCharacter()
    for metric in (perplexity, bits):
        metric.update_state(targets, logits)
    counted = np.count_nonzero(targets != IGNORE)
    mean = losses.sum() / counted if counted else 0.0
    # The mean of six such losses.
    assert abs(float(bits.result()) * np.log(2) - mean) <= 5e-5
    expected = np.exp(mean) if counted else 0.0
    assert float(perplexity.result()) == pytest.approx(expected, rel=1e-4, abs=1e-12)


@SOME
@given(st.lists(st.tuples(st.integers(0, 1), st.integers(0, 1)), min_size=1))
def test_a_confusion_matrix_counts_everyone_once(pairs):
    labels, predictions = zip(*pairs, strict=True)
    matrix = confusion_matrix(labels, predictions)
    assert matrix.sum() == len(pairs)
    assert matrix.tolist() == [[pairs.count((i, j)) for j in (0, 1)] for i in (0, 1)]


NUMBERS = st.floats(allow_nan=False)


@SOME
@given(st.lists(st.tuples(NUMBERS, NUMBERS), min_size=1))
@example([(np.inf, np.inf)])
def test_pairs_the_other_way_round(pairs):
    first, second = zip(*pairs, strict=True)
    with np.errstate(over="ignore", invalid="ignore"):
        share = pair_accuracy(first, second)
        # Sums of halves are exact; the division by n is rounded once in each: 2 x 1.1e-16.
        assert abs(share + pair_accuracy(second, first) - 1) <= 2.3e-16
    assert share == sum((a > b) + (a == b) / 2 for a, b in pairs) / len(pairs)


@SOME
@given(
    st.lists(st.lists(st.integers(0, 3), min_size=1, max_size=9), min_size=1, max_size=4),
    st.lists(st.integers(0, 3), max_size=3),
    st.integers(1, 4),
)
def test_counted_probabilities_sum_to_one(rows, before, order):
    tests = [[*before, token] for token in range(4)]
    chances = ngram_probabilities(rows, tests, order, 4).reshape(4, -1)[:, -1]
    # At most four orders, each a sum of four quotients: 16 roundings of 1.1e-16.
    assert abs(chances.sum() - 1) <= 1.8e-15 and (chances > 0).all()
