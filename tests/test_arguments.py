"""lmkit._arguments: what passes, what is refused, and in which words."""

from fractions import Fraction

import numpy as np
import pytest

from lmkit import _arguments

NAN, INF = float("nan"), float("inf")


def refused(check, *arguments, **settings):
    """The kind and the words of an error, which must come."""
    with pytest.raises((TypeError, ValueError)) as caught:
        check(*arguments, **settings)
    return caught.type, str(caught.value)


# Numbers.


@pytest.mark.parametrize("value", [3, np.int64(3), np.uint8(3), 10**30])
def test_whole_numbers_become_ints(value):
    found = _arguments.whole("size", value)
    assert type(found) is int and found == value


@pytest.mark.parametrize(
    ("value", "shown"),
    [(2, "2"), (-1, "-1"), (3.0, "3.0"), ("3", "'3'"), (True, "True"), (None, "None"),
     (np.True_, "True"), (np.int8(-3), "-3"), (np.array(5), "array(5)"), (NAN, "nan")],
)  # fmt: skip
def test_what_is_no_whole_number(value, shown):
    words = f"size must be a whole number of at least 3, got {shown}"
    assert refused(_arguments.whole, "size", value, least=3) == (ValueError, words)


def test_true_is_no_number():
    words = "seed must be a whole number of at least 0, got True"
    assert refused(_arguments.whole, "seed", True, least=0) == (ValueError, words)
    words = "x must be a finite number, got True"
    assert refused(_arguments.real, "x", True) == (ValueError, words)


def test_whole_numbers_up_to_a_limit():
    assert _arguments.whole("top_k", 6, most=6) == 6
    words = "top_k must be a whole number of at least 1 and at most 6, got 7"
    assert refused(_arguments.whole, "top_k", 7, most=6) == (ValueError, words)


@pytest.mark.parametrize("value", [0, 0.5, np.float32(0.5), np.int64(0), Fraction(1, 2)])
def test_real_numbers_become_floats(value):
    found = _arguments.real("dropout", value, least=0, below=1)
    assert type(found) is float and found == value


@pytest.mark.parametrize(
    ("value", "limits", "wanted"),
    [
        (1, {"least": 0, "below": 1}, "at least 0 and below 1, got 1"),
        (-0.1, {"least": 0, "below": 1}, "at least 0 and below 1, got -0.1"),
        (0, {"above": 0, "most": 1}, "above 0 and at most 1, got 0"),
        (np.float32(1.5), {"above": 0, "most": 1}, "above 0 and at most 1, got 1.5"),
        ("1", {"least": 0}, "at least 0, got '1'"),
        (True, {"least": 0}, "at least 0, got True"),
        (None, {}, "a finite number, got None"),
        (1j, {}, "a finite number, got 1j"),
        (NAN, {}, "a finite number, got nan"),
        (NAN, {"least": 0}, "a finite number and at least 0, got nan"),
        (INF, {"least": 0}, "a finite number and at least 0, got inf"),
        (-INF, {"most": 0}, "a finite number and at most 0, got -inf"),
    ],
)
def test_what_is_no_real_number(value, limits, wanted):
    assert refused(_arguments.real, "x", value, **limits) == (ValueError, f"x must be {wanted}")


@pytest.mark.parametrize("value", ["max", None, ["last"], np.array(["last", "mean"]), 0])
def test_one_of_a_few(value):
    assert _arguments.choice("readout", "mean", ["last", "mean"]) == "mean"
    kind, words = refused(_arguments.choice, "readout", value, ["last", "mean"])
    assert kind is ValueError and words.startswith('readout must be "last" or "mean", got ')


def test_one_of_three():
    kind, words = refused(_arguments.choice, "cell", "rnn", ["lstm", "gru", "simple"])
    assert kind is ValueError
    assert words == 'cell must be "lstm", "gru" or "simple", got \'rnn\''


@pytest.mark.parametrize("value", ["no", 0, 1, None, [True]])
def test_switches(value):
    assert _arguments.flag("causal", np.True_) is True
    assert _arguments.flag("causal", False) is False
    words = f"causal must be True or False, got {value!r}"
    assert refused(_arguments.flag, "causal", value) == (ValueError, words)


# Arrays and ids.


def test_arrays():
    ml_dtypes = pytest.importorskip("ml_dtypes", reason="it comes with TensorFlow and JAX")
    assert _arguments.array("x", [1, 2], "float64").dtype == "float64"
    assert _arguments.array("x", np.ones(2, ml_dtypes.bfloat16), "float64").tolist() == [1, 1]
    same = np.ones(2)
    assert _arguments.array("x", same) is same


@pytest.mark.parametrize(
    "values",
    [[[1], [2, 3]], ["a"], "abc", "3", b"3", None, {1: 2}, [2**70], np.array(["a"], object),
     np.array([1, 2], object), [1j], [np.datetime64("2026-01-01")]],
)  # fmt: skip
@pytest.mark.parametrize("dtype", [None, "float64"])
def test_what_is_no_array_of_numbers(values, dtype):
    kind, words = refused(_arguments.array, "scores", values, dtype)
    assert kind is ValueError
    assert words.startswith("scores must be numbers in rows of one length, got ")


@pytest.mark.parametrize("values", [[[5, 2, 0]], np.array([[5, 2, 0]], "uint8")])
def test_ids_become_int32(values):
    found = _arguments.ids("ids", values, 2, 6)
    assert found.dtype == "int32" and found.tolist() == [[5, 2, 0]]


@pytest.mark.parametrize(
    ("values", "ndim", "kind", "words"),
    [
        ("film", 1, TypeError, "ids must be whole numbers, got text: encode it first"),
        (b"film", 1, TypeError, "ids must be whole numbers, got text: encode it first"),
        ([["a", "b"]], 2, TypeError, "ids must be whole numbers, got text: encode it first"),
        ([2.0], 1, TypeError, "ids must be whole numbers, got float64"),
        ([True], 1, TypeError, "ids must be whole numbers, got bool"),
        ([[1, 2], [3]], 2, ValueError, "ids must be numbers in rows of one length, got [[1"),
        ([], 1, ValueError, "ids is empty: give at least one id"),
        (np.zeros((0, 3), int), 2, ValueError, "ids is empty: give at least one id"),
        (5, 1, ValueError, "ids must be one row (time,), got shape ()"),
        ([[1, 2]], 1, ValueError, "ids must be one row (time,), got shape (1, 2)"),
        ([1, 2], 2, ValueError, "ids must be (batch, time), got shape (2,)"),
        ([[1, 2], [3, 6]], 2, ValueError,
         "id 6 in row 1, column 1 of ids is outside the vocabulary: ids run from 0 to 5"),
        ([1, -2], 1, ValueError,
         "id -2 at position 1 of ids is outside the vocabulary: ids run from 0 to 5"),
        ([2**40], 1, ValueError, "id 1099511627776 at position 0 of ids is outside"),
        ([2**64 - 1], 1, ValueError, "id 18446744073709551615 at position 0 of ids is outside"),
        ([1, -1], 1, ValueError,
         "IGNORE (-1) at position 1 of ids: IGNORE belongs in targets, not in inputs"),
        ([[1, -1]], 2, ValueError, "IGNORE (-1) in row 0, column 1 of ids: IGNORE belongs"),
    ],
)  # fmt: skip
def test_what_are_no_ids(values, ndim, kind, words):
    found = refused(_arguments.ids, "ids", values, ndim, 6)
    assert found[0] is kind and found[1].startswith(words)


def test_ids_of_a_vocabulary_that_nobody_knows():
    assert _arguments.ids("ids", [2**31 - 1], 1).tolist() == [2**31 - 1]
    kind, words = refused(_arguments.ids, "ids", [2**31], 1)
    assert kind is ValueError and words.endswith("ids run from 0 to 2147483647")


def test_no_word_where_that_is_allowed():
    assert _arguments.ids("ids", [3, -1], 1, 6, ignore=True).tolist() == [3, -1]
    assert refused(_arguments.ids, "ids", [3, -1], 1, 6)[0] is ValueError
    kind, words = refused(_arguments.ids, "ids", [3, -2], 1, 6, ignore=True)
    assert kind is ValueError and "ids run from 0 to 5, or are IGNORE (-1)" in words


def test_no_ids_where_that_is_allowed():
    assert _arguments.ids("ids", [], 1, 6, empty=True).tolist() == []
    assert refused(_arguments.ids, "ids", [[]], 1, 6, empty=True)[0] is ValueError
    assert refused(_arguments.ids, "ids", "", 1, 6, empty=True)[0] is TypeError


@pytest.mark.parametrize("dtype", ["int8", "uint8", "int16", "int32", "uint32", "int64", "uint64"])
@pytest.mark.parametrize("vocab_size", [3, 2**8, 2**31, 2**40, 2**70])
def test_slices_of_every_type_beside_every_vocabulary(dtype, vocab_size):
    # NumPy 2.1.3 crashes where a slice meets a number that its type cannot hold.
    most = min(np.iinfo(dtype).max, 2**63 - 1)
    values = [0, 2, 3, most] if dtype[0] == "u" else [0, 2, 3, most, -2]
    for number in values:
        ids = np.array([[number] * 2] * 1_000, dtype)[:, :-1]
        if 0 <= number < min(vocab_size, 2**31):
            assert (_arguments.ids("ids", ids, 2, vocab_size) == number).all()
        else:
            assert f"id {number} in row 0" in refused(_arguments.ids, "ids", ids, 2, vocab_size)[1]


def test_rows_of_any_lengths():
    found = _arguments.rows("prompt", [[1, 2], np.array([3]), (4,)], 6)
    assert [row.tolist() for row in found] == [[1, 2], [3], [4]]
    assert [row.tolist() for row in _arguments.rows("row", np.ones((2, 1), int))] == [[1], [1]]
    assert all(row.dtype == "int32" for row in found)


@pytest.mark.parametrize(
    ("values", "kind", "words"),
    [
        ("Once", TypeError, "prompts must be a list of rows of ids, got str"),
        (None, TypeError, "prompts must be a list of rows of ids, got NoneType"),
        ([], ValueError, "there are no prompts: give at least one"),
        ([[1], []], ValueError, "prompt 1 is empty: give at least one id"),
        ([1, 2], ValueError, "prompt 0 must be one row (time,), got shape ()"),
        ([[1], [2, 6]], ValueError, "id 6 at position 1 of prompt 1 is outside the vocabulary"),
        (["Once"], TypeError, "prompt 0 must be whole numbers, got text: encode it first"),
    ],
)
def test_what_are_no_rows(values, kind, words):
    found = refused(_arguments.rows, "prompt", values, 6)
    assert found[0] is kind and found[1].startswith(words)


def test_targets_may_be_ignored():
    found = _arguments.targets([[5, _arguments.IGNORE]], (1, 2), 6)
    assert found.dtype == "int32" and found.tolist() == [[5, -1]]


@pytest.mark.parametrize(
    ("values", "kind", "words"),
    [
        ([[5]], ValueError, "targets must have shape (1, 2), one per position, got (1, 1)"),
        ([[5, 6]], ValueError,
         "id 6 in row 0, column 1 of targets is outside the vocabulary: ids run from 0 to 5, or "
         "are IGNORE (-1)"),
        ([[5, -2]], ValueError, "id -2 in row 0, column 1 of targets"),
        ([[5.0, 1.0]], TypeError, "targets must be whole numbers, got float64"),
        ([["a", "b"]], TypeError, "targets must be whole numbers, got text: encode it first"),
    ],
)  # fmt: skip
def test_what_are_no_targets(values, kind, words):
    found = refused(_arguments.targets, values, (1, 2), 6)
    assert found[0] is kind and found[1].startswith(words)


# Texts, labels, random numbers.


def test_texts_become_a_list():
    assert _arguments.texts(iter(["a", "b"])) == ["a", "b"]
    assert _arguments.texts(np.array(["a", "b"])) == ["a", "b"]
    assert _arguments.texts([]) == []  # whether that is enough is for the caller to say
    assert _arguments.text("a") == "a"


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ("a film", "texts must be a list of strings, got one string: put it in a list"),
        (None, "texts must be a list of strings, got NoneType"),
        (["a", 3], "text 1 must be a string, got int: 3"),
        ([b"a"], "text 0 must be a string, got bytes: b'a'"),
    ],
)
def test_what_are_no_texts(values, words):
    assert refused(_arguments.texts, values) == (TypeError, words)
    words = "text must be a string, got NoneType: None"
    assert refused(_arguments.text, None) == (TypeError, words)


def test_labels():
    assert _arguments.labels("labels", [0, 1.0, True]).tolist() == [0, 1, 1]
    assert _arguments.labels("labels", np.array([True, False])).dtype == "int32"


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ([0, 1, 2], "labels must be 0 or 1, got 2 at position 2"),
        ([0, -1], "labels must be 0 or 1, got -1 at position 1"),
        ([0.5, 1], "labels must be 0 or 1, got 0.5 at position 0"),
        ([NAN], "labels must be 0 or 1, got nan at position 0"),
        (["good"], "labels must be numbers in rows of one length, got ['good']"),
        (np.array(["good"], object), "labels must be numbers in rows of one length, got array("),
        ([[0, 1]], "labels must be one row (n,), not empty, got shape (1, 2)"),
        ([], "labels must be one row (n,), not empty, got shape (0,)"),
    ],
)
def test_what_are_no_labels(values, words):
    kind, found = refused(_arguments.labels, "labels", values)
    assert kind is ValueError and found.startswith(words)


@pytest.mark.parametrize("value", [0, None, np.random])
def test_sources_of_random_numbers(value):
    rng = np.random.default_rng(0)
    assert _arguments.generator(rng) is rng
    kind, words = refused(_arguments.generator, value)
    assert kind is TypeError and words.startswith("rng must be np.random.default_rng(seed), got ")


def test_long_values_are_shown_in_part():
    _, words = refused(_arguments.array, "x", ["a" * 1_000])
    assert len(words) < 120
