"""lmkit.decoding.sampling: by hand, by frequency, against sorting everything."""

import numpy as np
import pytest

from lmkit.decoding import generate, keep_likely, sample_token

LOGITS = np.log([0.5, 0.25, 0.125, 0.125])


def shares(logits, temperature, count=20_000):
    rng = np.random.default_rng(1)
    tokens = [sample_token(logits, temperature, rng) for _ in range(count)]
    return np.bincount(tokens, minlength=len(logits)) / count


class Fixed(np.random.Generator):
    """Always draws the same number."""

    def __init__(self, number):
        super().__init__(np.random.PCG64(0))
        self.number = number

    def random(self):
        return self.number


@pytest.mark.parametrize(
    ("temperature", "expected"),
    [
        (1.0, [0.5, 0.25, 0.125, 0.125]),
        (0.5, np.array([16, 4, 1, 1]) / 22),  # p squared, 1/4 1/16 1/64 1/64, scaled to 1
        (1e9, [0.25] * 4),
    ],
)
def test_tokens_are_drawn_as_often_as_they_should(temperature, expected):
    # A share of 20,000 draws has a standard deviation of at most 0.0036.
    np.testing.assert_allclose(shares(LOGITS, temperature), expected, atol=5 * 0.0036)


def test_drawn_where_a_point_falls_on_the_stick():
    # The pieces end at 0.5, 0.75, 0.875 and 1. The same point, the same token.
    points = np.random.default_rng(3).random(100)
    rng = np.random.default_rng(3)
    drawn = [sample_token(LOGITS, 1.0, rng) for _ in points]
    assert drawn == [sum(point >= end for end in (0.5, 0.75, 0.875)) for point in points]


def test_temperature_zero_is_the_first_of_the_most_probable():
    assert sample_token([1.0, 3.0, 3.0, -np.inf], temperature=0) == 1
    assert sample_token(np.array([-5, -4], dtype="int8"), 0.0, None) == 1
    assert sample_token([1.0, 3.0, 2.0], 0, top_k=1, top_p=0.1) == 1


def test_tiny_temperature_is_nearly_zero():
    rng = np.random.default_rng(0)
    for temperature in (1e-3, 1e-300, 5e-324):
        assert sample_token([1.0, 3.0, 2.0], temperature, rng) == 1


def test_impossible_tokens_never_come():
    logits = np.array([-np.inf, 0.0, -np.inf, 1e-9, -np.inf])
    assert shares(logits, 1.0)[[0, 2, 4]].sum() == 0
    assert sample_token(logits, 1.0, Fixed(0.0)) == 1
    assert sample_token(logits, 1.0, Fixed(np.nextafter(1, 0))) == 3


def test_adding_a_number_to_all_logits_changes_nothing():
    plain, up, down = (
        [sample_token(LOGITS + shift, 1.0, rng) for _ in range(20)]
        for shift, rng in ((shift, np.random.default_rng(2)) for shift in (0, 1e4, -1e4))
    )
    assert plain == up == down


@pytest.mark.parametrize("temperature", [-1, -1e-9, float("nan"), float("inf"), "1", None, True])
def test_bad_temperatures(temperature):
    rng = np.random.default_rng(0)
    for call in (
        lambda: sample_token(LOGITS, temperature, rng),
        lambda: generate(lambda ids: LOGITS, [1], 3, temperature),
    ):
        with pytest.raises(ValueError, match=r"temperature must be .*0.*, got"):
            call()


@pytest.mark.parametrize(
    ("logits", "message"),
    [
        ([], "not empty, got shape"),
        (3.0, r"one row \(vocab,\), not empty, got shape \(\)"),
        ([[0.0, 1.0]], r"got shape \(1, 2\)"),
        ([0.0, float("nan")], "logit 1 is nan"),
        ([float("inf"), 0.0], "logit 0 is inf"),
        ([-np.inf, float("nan")], "logit 1 is nan"),
        ([-np.inf, -np.inf], "no token is possible"),
    ],
)
@pytest.mark.parametrize("temperature", [0, 1])
def test_bad_logits(logits, message, temperature):
    with pytest.raises(ValueError, match=message):
        sample_token(logits, temperature, np.random.default_rng(0))
    with pytest.raises(ValueError, match=message):
        generate(lambda ids: logits, [0], 3, temperature)


@pytest.mark.parametrize("rng", [None, 7, np.random, np.random.RandomState(0)])
def test_bad_generators(rng):
    with pytest.raises(TypeError, match=r"np.random.default_rng\(seed\), got"):
        sample_token(LOGITS, 1.0, rng)


def test_top_k_by_hand():
    inf = float("inf")
    assert keep_likely([1.0, 3.0, 2.0, 0.0], top_k=2).tolist() == [-inf, 3, 2, -inf]
    assert keep_likely([1.0, 1.0, 1.0], top_k=2).tolist() == [1, 1, -inf]  # the first of equals
    assert keep_likely([1.0, 3.0], top_k=2).tolist() == [1, 3]


def test_top_p_by_hand():
    kept = {}
    for top_p in (0.05, 0.49, 0.51, 0.8, 0.81, 1.0):
        logits = keep_likely(np.log([0.1, 0.5, 0.2, 0.2]), top_p=top_p)
        kept[top_p] = np.flatnonzero(logits > -np.inf).tolist()
    # 0.5 alone suffices for 0.49; at 0.51 the first of the two equal ones comes in, at 0.8
    # (0.7 is not enough) the other; 0.1 is needed above 0.9 only.
    assert kept == {
        0.05: [1],
        0.49: [1],
        0.51: [1, 2],
        0.8: [1, 2, 3],
        0.81: [1, 2, 3],
        1.0: [0, 1, 2, 3],
    }


def test_top_k_comes_before_top_p():
    # Of the two most probable, 0.4 and 0.3, the first has 4/7 of what is left: enough for 0.5.
    kept = np.isfinite(keep_likely(np.log([0.4, 0.3, 0.3]), top_k=2, top_p=0.5))
    assert kept.tolist() == [True, False, False]


def sorted_nucleus(logits, top_p):
    """Top-p as its definition says it: sort, add up, stop."""
    order = np.argsort(-logits, kind="stable")
    chances = np.exp(logits[order] - logits.max())
    before = np.cumsum(chances) - chances
    kept = np.zeros(len(logits), bool)
    kept[order[before < top_p * chances.sum()]] = True
    return kept


@pytest.mark.parametrize("spread", [1e-9, 0.01, 1.0, 8.0, 300.0])
@pytest.mark.parametrize("size", [1, 2, 7, 3000])
def test_top_p_is_that_of_sorting_everything(rng, spread, size):
    for top_p in (1e-9, 0.1, 0.5, 0.9, 0.999999):
        logits = rng.normal(size=size) * spread
        logits[rng.random(size) < 0.3] = logits[0]  # many equals
        logits[1:][rng.random(size - 1) < 0.2] = -np.inf
        kept = np.isfinite(keep_likely(logits, top_p=top_p))
        np.testing.assert_array_equal(kept, sorted_nucleus(logits, top_p))


def test_top_k_is_that_of_sorting_everything(rng):
    for _ in range(200):
        logits = rng.integers(0, 5, size=9).astype("float64")  # many equals
        top_k = int(rng.integers(1, 10))
        expected = sorted(np.argsort(-logits, kind="stable")[:top_k].tolist())
        assert np.flatnonzero(np.isfinite(keep_likely(logits, top_k))).tolist() == expected


def test_filters_keep_the_given_logits_and_never_drop_all(rng):
    for _ in range(200):
        logits = rng.normal(size=8) * 3
        before = logits.copy()
        top_k, top_p = int(rng.integers(1, 9)), float(rng.uniform(0.01, 1))
        kept = np.isfinite(keep_likely(logits, top_k, top_p))
        assert 1 <= kept.sum() <= top_k
        assert logits[kept].min() >= logits[~kept].max(initial=-np.inf)
        assert (keep_likely(logits, top_k, top_p)[kept] == logits[kept]).all()
        assert (logits == before).all()


def test_filtered_draws_share_the_probability_anew():
    rng = np.random.default_rng(0)
    logits = np.log([0.6, 0.2, 0.1, 0.1])
    drawn = np.bincount([sample_token(logits, 1.0, rng, top_k=2) for _ in range(4000)], minlength=4)
    # 3/4 and 1/4; four standard errors of a share of 4,000 draws: 4 sqrt(3/16/4000) = 0.027.
    assert drawn[0] / 4000 == pytest.approx(0.75, abs=0.027)
    assert drawn[2:].tolist() == [0, 0]


def test_temperature_comes_before_top_p():
    # At temperature 10 the shares 0.98 and 0.02 become about 0.6 and 0.4: 0.9 needs both.
    rng, logits = np.random.default_rng(0), np.log([0.98, 0.02])
    assert {sample_token(logits, 1.0, rng, top_p=0.9) for _ in range(300)} == {0}
    assert {sample_token(logits, 10.0, rng, top_p=0.9) for _ in range(300)} == {0, 1}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"top_k": 0}, "top_k must be .*, got 0"),
        ({"top_k": 2.0}, "top_k must be .*, got 2.0"),
        ({"top_k": 4}, "top_k must be .*3, got 4"),
        ({"top_p": 0.0}, "top_p must be above 0 and at most 1, got 0.0"),
        ({"top_p": 1.1}, "top_p must be above 0 and at most 1, got 1.1"),
        ({"top_p": float("nan")}, "top_p must be .*above 0"),
        ({"top_p": "0.9"}, "top_p must be above 0"),
    ],
)
@pytest.mark.parametrize("temperature", [0, 1.0])
def test_bad_filters(arguments, message, temperature):
    with pytest.raises(ValueError, match=message):
        sample_token([0.0, 1.0, 2.0], temperature, np.random.default_rng(0), **arguments)
    with pytest.raises(ValueError, match=message):
        generate(lambda ids: [0.0, 1.0, 2.0], [0], 3, temperature, **arguments)
