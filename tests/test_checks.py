"""lmkit.checks: what passes, what fails, and what the message says."""

import numpy as np
import pytest
from keras import ops

from lmkit import checks
from lmkit.models import TransformerLM, bag_of_words_classifier, lstm_lm, rnn_classifier


def test_close_prints_the_largest_difference(capsys):
    checks.assert_close([1.0, 2.0], [1.0, 2.25], tolerance=0.5, what="two numbers")
    expected = "two numbers: shape (2,), largest difference 2.5e-01 (allowed 5e-01)\n"
    assert capsys.readouterr().out == expected


def test_close_takes_tensors_and_keeps_float64():
    checks.assert_close(ops.ones((2, 2)), np.ones((2, 2)))
    with pytest.raises(AssertionError, match=r"largest difference 1\.0e-12"):
        checks.assert_close(np.array([1 + 1e-12]), np.array([1.0]), tolerance=1e-13)


@pytest.mark.parametrize(
    ("actual", "expected", "message"),
    [
        ([1.0, 2.0], [1.0, 2.1], r"at \(1,\): 2.0 instead of 2.1"),
        ([1.0, 2.0], [1.0], r"shape \(2,\), expected \(1,\)"),
        ([float("nan")], [0.0], "nan"),
        ([0.0], [float("nan")], "nan"),
    ],
)
def test_close_fails(actual, expected, message):
    with pytest.raises(AssertionError, match=message):
        checks.assert_close(np.array(actual), np.array(expected))


def test_padding_ignored_tells_models_apart(rng):
    ids = rng.integers(2, 50, size=(3, 7))
    checks.assert_padding_ignored(rnn_classifier(50, 4, 5), ids)
    checks.assert_padding_ignored(bag_of_words_classifier(50), ids)
    with pytest.raises(AssertionError, match="20 more columns of padding"):
        checks.assert_padding_ignored(rnn_classifier(50, 4, 5, mask_zero=False), ids)


def test_good_ids_pass():
    ids = checks.check_ids(np.array([[5, 2, 0]], dtype="int64"), vocab_size=6)
    assert ids.dtype == "int32"
    assert ids.tolist() == [[5, 2, 0]]


@pytest.mark.parametrize(
    ("ids", "error", "message"),
    [
        ([[1, 6]], ValueError, "id 6 in row 0, column 1 is outside the vocabulary: .* 0 to 5"),
        ([[1, 2], [-1, 2]], ValueError, "id -1 in row 1, column 0"),
        ([[1.0, 2.0]], TypeError, "whole numbers, got float64"),
        ([["a"]], TypeError, "whole numbers, got text: encode it first"),
        ([[True, False]], TypeError, "whole numbers, got bool"),
        ([1, 2, 3], ValueError, r"a batch \(batch, time\), not empty, got shape \(3,\)"),
        (np.zeros((0, 4), dtype=int), ValueError, "not empty"),
        ([[1, 2], [0, 0]], ValueError, "row 1 is all padding"),
    ],
)
def test_ids_that_are_refused(ids, error, message):
    with pytest.raises(error, match=message):
        checks.check_ids(ids, vocab_size=6)


@pytest.mark.parametrize("dtype", ["int8", "uint8", "int16", "int32", "uint32", "int64", "uint64"])
@pytest.mark.parametrize("vocab_size", [3, 2**8, 2**31, 2**40, 2**70])
def test_slices_of_every_type_beside_every_vocabulary(dtype, vocab_size):
    # NumPy 2.1.3 crashes where a slice meets a number that its type cannot hold.
    most = min(np.iinfo(dtype).max, 2**63 - 1)
    values = [0, 2, 3, most] if dtype[0] == "u" else [0, 2, 3, most, -1]
    ids = np.array([[value] * 2 for value in values] * 1_000, dtype)[:, :-1]
    expected = [not 0 <= value < vocab_size for value in values] * 1_000
    assert checks.outside_vocabulary(ids, vocab_size).ravel().tolist() == expected


@pytest.mark.parametrize("number", [2, -1, 3.0, "3", True, None])
def test_numbers_that_are_refused(number):
    checks.check_whole("size", 3, least=3)
    with pytest.raises(ValueError, match="size must be a whole number of at least 3, got"):
        checks.check_whole("size", number, least=3)


def test_good_labels_pass():
    assert checks.check_labels([0, 1.0, True]).tolist() == [0, 1, 1]


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ([0, 1, 2], "2.* at position 2 is not 0 or 1"),
        ([0, -1], "-1.* at position 1"),
        ([0.5, 1], "0.5.* at position 0"),
        ([float("nan")], "nan.* at position 0"),
        (["good"], "good.* at position 0"),
        ([[0, 1]], "one row"),
        ([], "not empty"),
    ],
)
def test_labels_that_are_refused(labels, message):
    with pytest.raises(ValueError, match=message):
        checks.check_labels(labels)


def test_shifted_targets_pass():
    inputs, targets = checks.check_shifted([[4, 7, 5], [3, 2, 0]], [[7, 5, 9], [2, 0, 0]])
    assert (inputs.tolist(), targets.tolist()) == ([[4, 7, 5], [3, 2, 0]], [[7, 5, 9], [2, 0, 0]])


@pytest.mark.parametrize(
    ("inputs", "targets", "error", "message"),
    [
        # Not shifted at all; shifted by two; shifted the wrong way; one row of two wrong.
        ([[4, 7, 5]], [[4, 7, 5]], ValueError, "row 0: the target at position 0 .* 7, got 4"),
        ([[4, 7, 5, 6]], [[5, 6, 1, 2]], ValueError, "position 0 must be .* 7, got 5"),
        ([[4, 7, 5]], [[9, 4, 7]], ValueError, "position 0 must be .* 7, got 9"),
        ([[1, 2, 3], [4, 5, 6]], [[2, 3, 9], [5, 7, 9]], ValueError, "row 1: .*position 1"),
        ([[1, 2, 3]], [[2, 3]], ValueError, r"inputs \(1, 3\) need one target each, got \(1, 2\)"),
        ([[1]], [[2]], ValueError, "rows of one id"),
        ([[1, 2]], [[2.0, 3.0]], TypeError, "whole numbers, got float64"),
    ],
)
def test_targets_that_are_not_shifted(inputs, targets, error, message):
    with pytest.raises(error, match=message):
        checks.check_shifted(inputs, targets)


def test_causal_tells_models_apart(rng, capsys):
    ids = rng.integers(1, 9, size=(2, 5))
    checks.assert_causal(lstm_lm(9, 4, 4), ids, vocab_size=9)
    checks.assert_causal(TransformerLM(9, 5, 4, 2, 8, 1), ids, vocab_size=9)
    assert capsys.readouterr().out == "5 positions: none sees a later id\n" * 2
    with pytest.raises(AssertionError, match="position 0 sees an id at position 1 or later"):
        checks.assert_causal(TransformerLM(9, 5, 4, 2, 8, 1, causal=False), ids, vocab_size=9)


def test_causal_finds_a_leak_of_one_step():
    def peeps(ids):  # says at every position what comes next; at position 3 alone
        said = np.zeros((*ids.shape, 9))
        said[:, 3] = np.eye(9)[ids[:, 4]]
        return said

    with pytest.raises(AssertionError, match="position 3 sees an id at position 4"):
        checks.assert_causal(peeps, [[1, 2, 3, 4, 5, 6]], vocab_size=9)


def test_causal_needs_something_later():
    with pytest.raises(ValueError, match="rows of 1 id: there is nothing later"):
        checks.assert_causal(lstm_lm(9, 4, 4), [[3]], vocab_size=9)
    with pytest.raises(ValueError, match="id 9 in row 0, column 1"):
        checks.assert_causal(lstm_lm(9, 4, 4), [[3, 9]], vocab_size=9)
