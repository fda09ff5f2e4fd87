"""lmkit.batches: rows by hand, every token a target exactly once, and refusals."""

import numpy as np
import pytest

from lmkit.batches import IGNORE, next_tokens, packed, pairs, random_windows, windows


def lists(*arrays):
    assert all(array.dtype == np.int32 for array in arrays)
    return [array.tolist() for array in arrays]


def test_next_tokens_by_hand():
    rows = [[7, 3, 8], np.array([7, 2]), (7, 4, 0, 1)]  # 0 is an id like any other
    inputs, targets = next_tokens(rows)
    assert lists(inputs, targets) == [
        [[7, 3, 0], [7, 0, 0], [7, 4, 0]],
        [[3, 8, -1], [2, -1, -1], [4, 0, 1]],
    ]
    assert IGNORE == -1
    inputs, targets = next_tokens(rows, length=4, pad_id=9)
    assert inputs[0].tolist() == [7, 3, 9, 9] and targets[0].tolist() == [3, 8, -1, -1]


def test_next_tokens_score_what_follows_in_every_row(rng):
    rows = [rng.integers(0, 9, length).tolist() for length in rng.integers(2, 12, 30)]
    inputs, targets = next_tokens(rows)
    for row, one, other in zip(rows, inputs, targets, strict=True):
        assert other[other != IGNORE].tolist() == row[1:]
        assert one[other != IGNORE].tolist() == row[:-1]


@pytest.mark.parametrize(
    ("rows", "settings", "error", "message"),
    [
        ([[1, 2], [3]], {}, ValueError, "row 1 has 1 id: nothing follows"),
        ([[1, 2], []], {}, ValueError, "row 1 is empty"),
        ([], {}, ValueError, "there are no rows"),
        ("hello", {}, TypeError, "rows must be a list of rows of ids, got str"),
        ([[1, IGNORE, 2]], {}, ValueError, r"IGNORE \(-1\) at position 1 of row 0"),
        ([[1, 2, 3, 4]], {"length": 2}, ValueError, "at least 3, for the longest row, got 2"),
        ([[1, 2]], {"length": 0}, ValueError, "length must be a whole number of at least 1"),
        ([[1, 2]], {"pad_id": IGNORE}, ValueError, "pad_id must be a whole number of at least 0"),
    ],
)
def test_next_tokens_refuse(rows, settings, error, message):
    with pytest.raises(error, match=message):
        next_tokens(rows, **settings)


def test_windows_by_hand():
    assert lists(*windows(np.arange(1, 9), 3)) == [  # 7 targets: 3 + 3 + 1
        [[1, 2, 3], [4, 5, 6], [7, 0, 0]],
        [[2, 3, 4], [5, 6, 7], [8, -1, -1]],
    ]
    assert lists(*windows(np.arange(1, 8), 3)) == [  # fits exactly: no padding
        [[1, 2, 3], [4, 5, 6]],
        [[2, 3, 4], [5, 6, 7]],
    ]
    # The second window sees 2 and 3 again, whose targets 3 and 4 the first one has scored.
    assert lists(*windows([1, 2, 3, 4, 5, 6], 3, stride=1, pad_id=9)) == [
        [[1, 2, 3], [2, 3, 4], [3, 4, 5]],
        [[2, 3, 4], [-1, -1, 5], [-1, -1, 6]],
    ]


def test_a_text_shorter_than_a_window_is_one_padded_row():
    assert lists(*windows([4, 2], 3, pad_id=9)) == [[[4, 9, 9]], [[2, -1, -1]]]
    assert lists(*windows([4, 2], 1)) == [[[4]], [[2]]]


@pytest.mark.parametrize("size", [2, 3, 29, 30, 31])
@pytest.mark.parametrize("length", [1, 2, 7, 29, 40])
def test_every_token_but_the_first_is_a_target_once(size, length, rng):
    ids = rng.integers(0, 50, size)
    for stride in {1, (length + 1) // 2, length}:
        inputs, targets = windows(ids, length, stride)
        assert inputs.shape == targets.shape and inputs.shape[1] == length
        assert targets[targets != IGNORE].tolist() == ids[1:].tolist()  # in order, once each
        assert (targets != IGNORE).any(axis=1).all()  # no row for nothing
        for number, (row, wanted) in enumerate(zip(inputs, targets, strict=True)):
            start = number * stride
            real = ids[start : start + length][: size - 1 - start]
            assert row[: len(real)].tolist() == real.tolist() and not row[len(real) :].any()
            scored = np.flatnonzero(wanted != IGNORE)
            assert wanted[scored].tolist() == ids[start + scored + 1].tolist()


@pytest.mark.parametrize(
    ("ids", "length", "stride", "error", "message"),
    [
        ([1, 2, 3], 2, 3, ValueError, "stride must be .* at least 1 and at most 2, got 3"),
        ([1, 2, 3], 2, 0, ValueError, "stride must be a whole number of at least 1"),
        ([1, 2], 0, None, ValueError, "length must be a whole number of at least 1, got 0"),
        ([5], 2, None, ValueError, "ids must hold at least 2 ids, got 1"),
        ([], 2, None, ValueError, "ids is empty"),
        (np.ones((2, 3), int), 2, None, ValueError, r"one row \(time,\), got shape \(2, 3\)"),
        ([1, IGNORE], 2, None, ValueError, "IGNORE belongs in targets"),
        ([1.0, 2.0], 1, None, TypeError, "whole numbers, got float64"),
        ("hello", 2, None, TypeError, "got text: encode it first"),
    ],
)
def test_windows_refuse(ids, length, stride, error, message):
    with pytest.raises(error, match=message):
        windows(ids, length, stride)


def test_random_windows_are_pieces_of_the_text(rng):
    ids = np.arange(100, 140)
    inputs, targets = random_windows(ids, 7, 500, seed=3)
    assert inputs.shape == targets.shape == (500, 7) and inputs.dtype == np.int32
    assert (targets == inputs + 1).all() and (np.diff(inputs) == 1).all()
    # All 33 starts occur: one is missing with probability 33 (32/33)^500 = 7e-6.
    assert set(inputs[:, 0]) == set(range(100, 133))
    again, _ = random_windows(ids, 7, 500, seed=3)
    other, _ = random_windows(ids, 7, 500, seed=4)
    assert (again == inputs).all() and (other != inputs).any()


def test_random_windows_at_the_limit():
    assert lists(*random_windows([4, 2, 7], 2, 2, seed=0)) == [[[4, 2]] * 2, [[2, 7]] * 2]
    with pytest.raises(ValueError, match="ids must hold at least 4 ids, got 3"):
        random_windows([4, 2, 7], 3, 2, seed=0)
    with pytest.raises(ValueError, match="count must be a whole number of at least 1, got 0"):
        random_windows([4, 2, 7], 2, 0, seed=0)
    with pytest.raises(ValueError, match="seed must be a whole number of at least 0, got -1"):
        random_windows([4, 2, 7], 2, 1, seed=-1)


def test_pairs_by_hand():
    (sources, decoder), targets = pairs([[4, 5, 6], [7]], [[8], [9, 0]], start=1, pad_id=2)
    assert lists(sources, decoder, targets) == [
        [[4, 5, 6], [7, 2, 2]],
        [[1, 2], [1, 9]],
        [[8, -1], [9, 0]],
    ]


def test_pairs_refuse():
    with pytest.raises(ValueError, match="every source needs one target, got 2 and 1"):
        pairs([[4], [5]], [[6]], start=1)
    with pytest.raises(ValueError, match="target 0 is empty"):
        pairs([[4]], [[]], start=1)
    with pytest.raises(ValueError, match="start must be a whole number of at least 0, got None"):
        pairs([[4]], [[5]], start=None)


# Running text.


def test_packed_by_hand():
    found = packed([[5, 2, 7], [], [4, -1, 3], [6]], length=4, gap=2)
    # 5 2 7 . . | . . 4 -1 3 . . 6 . .: the empty text leaves its gap as well.
    assert found.tolist() == [[5, 2, 7, -1], [-1, -1, -1, 4], [-1, 3, -1, -1], [6, -1, -1, -1]]
    assert found.dtype == np.int32


@pytest.mark.parametrize(("length", "gap"), [(1, 0), (3, 1), (7, 2), (100, 5)])
def test_packed_keeps_every_id_and_texts_apart(length, gap, rng):
    rows = [rng.integers(0, 50, n) for n in (4, 1, 9, 2)]
    found = packed(rows, length, gap)
    assert found.shape[1] == length
    flat = found.ravel()
    assert flat[flat >= 0].tolist() == np.concatenate(rows).tolist()
    behind = 0
    for row in rows:
        assert flat[behind : behind + len(row)].tolist() == row.tolist()
        behind += len(row) + gap
    assert (flat[behind:] == IGNORE).all() and len(flat) - behind < length


@pytest.mark.parametrize(
    ("call", "kind", "message"),
    [
        (lambda: packed([], 4, 1), ValueError, "the rows hold no ids"),
        (lambda: packed([[]], 4, 0), ValueError, "the rows hold no ids"),
        (lambda: packed("film", 4, 1), TypeError, "list of rows of ids, got str"),
        (lambda: packed(None, 4, 1), TypeError, "list of rows of ids, got NoneType"),
        (lambda: packed([[1]], 0, 1), ValueError, "length must be a whole number of at least 1"),
        (lambda: packed([[1]], 4, -1), ValueError, "gap must be a whole number of at least 0"),
        (lambda: packed([[1], [9]], 4, 1, 9), ValueError, "id 9 at position 0 of row 1"),
        (lambda: packed([[1], [-2]], 4, 1), ValueError, "id -2 at position 0 of row 1"),
    ],
)
def test_packed_refuses(call, kind, message):
    with pytest.raises(kind, match=message):
        call()
