"""lmkit.checks: what passes, what fails, and what the message says."""

import numpy as np
import pytest
from keras import ops

from lmkit import checks
from lmkit.models import RecurrentLM, TransformerLM, bag_of_words_classifier, rnn_classifier

INF, NAN = float("inf"), float("nan")
GPT = dict(vocab_size=9, max_length=5, embed_dim=4, num_heads=2, ff_dim=8, num_layers=1)


def test_close_prints_the_largest_difference(capsys):
    checks.assert_close([1.0, 2.0], [1.0, 2.25], tolerance=0.5, what="two numbers")
    expected = "two numbers: shape (2,), largest difference 2.5e-01 (allowed 5e-01)\n"
    assert capsys.readouterr().out == expected


def test_close_takes_tensors_and_keeps_float64():
    checks.assert_close(ops.ones((2, 2)), np.ones((2, 2)))
    checks.assert_close(ops.cast([1.5], "bfloat16"), [1.5], tolerance=0)
    with pytest.raises(AssertionError, match=r"largest difference 1\.0e-12"):
        checks.assert_close(np.array([1 + 1e-12]), np.array([1.0]), tolerance=1e-13)


@pytest.mark.parametrize(
    ("actual", "expected", "message"),
    [
        ([1.0, 2.0], [1.0, 2.1], r"at \(1,\): 2.0 instead of 2.1 \(allowed 1e-05\)"),
        ([[1.0], [2.0]], [[1.0], [2.1]], r"at \(1, 0\): 2.0 instead of 2.1"),
        ([1.0, 2.0], [1.0], r"shape \(2,\), expected \(1,\)"),
        ([NAN], [0.0], r"at \(0,\): nan instead of 0.0"),
        ([0.0], [NAN], r"at \(0,\): 0.0 instead of nan"),
        ([NAN], [NAN], "nan instead of nan"),
        ([1.0, INF], [1.0, -INF], r"difference inf at \(1,\): inf instead of -inf"),
        ([INF], [1e308], "inf instead of 1e[+]308"),
    ],
)
def test_close_fails(actual, expected, message):
    with pytest.raises(AssertionError, match=message):
        checks.assert_close(np.array(actual), np.array(expected))


@pytest.mark.filterwarnings("error")
def test_infinity_agrees_with_itself(capsys):
    checks.assert_close([INF, -INF, 1.0], [INF, -INF, 1.0], tolerance=0)
    assert "largest difference 0.0e+00" in capsys.readouterr().out


def test_numbers_that_differ_are_never_printed_alike():
    # 0.1 in float32 is 0.100000001490116: both would read 0.1 in their own precision.
    with pytest.raises(AssertionError, match=r"0\.10000000149011612 instead of 0\.1 "):
        checks.assert_close(np.array([0.1], "float32"), np.array([0.1]), tolerance=1e-12)


def test_close_compares_numbers_only():
    with pytest.raises(ValueError, match="loss must be numbers in rows of one length"):
        checks.assert_close(["0.5"], [0.5], what="loss")
    checks.assert_close([], [])  # nothing differs


def test_padding_ignored_tells_models_apart(rng):
    ids = rng.integers(2, 50, size=(3, 7))
    checks.assert_padding_ignored(rnn_classifier(50, 4, 5), ids)
    checks.assert_padding_ignored(bag_of_words_classifier(50), ids)
    with pytest.raises(AssertionError, match="3 more columns of padding"):
        checks.assert_padding_ignored(rnn_classifier(50, 4, 5, mask_zero=False), ids, extra=3)
    with pytest.raises(ValueError, match="extra must be a whole number of at least 1, got 0"):
        checks.assert_padding_ignored(bag_of_words_classifier(50), ids, extra=0)


def test_causal_tells_models_apart(rng, capsys):
    ids = rng.integers(0, 9, size=(2, 5))
    checks.assert_causal(RecurrentLM(vocab_size=9, embed_dim=4, units=4), ids)
    checks.assert_causal(TransformerLM(**GPT), ids)
    assert capsys.readouterr().out == "5 positions: none sees a later id\n" * 2
    with pytest.raises(AssertionError, match="position 0 sees an id at position 1 or later"):
        checks.assert_causal(TransformerLM(**GPT, causal=False), ids)


def peeps(ids):
    """Says at every position what comes next, at position 3 alone."""
    said = np.zeros((*ids.shape, 9))
    said[:, 3] = np.eye(9)[ids[:, 4]]
    return said


def test_causal_finds_a_leak_of_one_step():
    with pytest.raises(AssertionError, match="position 3 sees an id at position 4 or later"):
        checks.assert_causal(peeps, [[1, 2, 3, 4, 5, 6]], vocab_size=9)


@pytest.mark.parametrize("vocab_size", [2, 3, 9])
def test_causal_changes_every_later_id(vocab_size):
    # With two ids the old check replaced 1 by 1, and a model that reads on passed.
    for ids in ([[0, 0, 0, 0, 0]], [[1, 1, 1, 1, 1]], [[0, 1, 1, 0, 1]]):
        with pytest.raises(AssertionError, match="position 3 sees an id at position 4 or later"):
            checks.assert_causal(peeps, ids, vocab_size)


def test_causal_with_one_number_per_position():
    checks.assert_causal(lambda ids: ids.cumsum(axis=1), [[1, 2, 3]], vocab_size=9)
    with pytest.raises(AssertionError, match="position 0 sees"):
        checks.assert_causal(lambda ids: ids[:, ::-1], [[1, 2, 3]], vocab_size=9)


def test_causal_says_that_a_model_is_broken():
    def broken(ids):
        said = np.zeros((*ids.shape, 9))
        said[1, 2] = NAN
        return said

    with pytest.raises(AssertionError, match="the output is NaN in row 1 at position 2"):
        checks.assert_causal(broken, [[1, 2, 3], [4, 5, 6]], vocab_size=9)

    def impossible(ids):  # minus infinity is a logit like any other
        return np.full((*ids.shape, 9), -INF)

    checks.assert_causal(impossible, [[1, 2, 3]], vocab_size=9)


@pytest.mark.parametrize(
    ("ids", "vocab_size", "message"),
    [
        ([[3]], 9, "ids must have at least 2 columns, got 1: there is nothing later"),
        ([[3, 9]], 9, "id 9 in row 0, column 1 of ids is outside the vocabulary"),
        ([[0, 0]], 1, "vocab_size must be a whole number of at least 2, got 1"),
        ([[0, 0]], None, "vocab_size must be a whole number of at least 2, got None"),
        ([3, 4], 9, r"ids must be \(batch, time\)"),
    ],
)
def test_causal_refuses(ids, vocab_size, message):
    with pytest.raises(ValueError, match=message):
        checks.assert_causal(lambda ids: ids, ids, vocab_size)


def test_causal_needs_an_output_per_position():
    with pytest.raises(ValueError, match=r"a value per id, \(2, 3\), got \(2, 1\)"):
        checks.assert_causal(rnn_classifier(9, 2, 3), [[1, 2, 3], [4, 5, 6]], vocab_size=9)
