"""lmkit.models.skip_gram: the loss by hand and pair by pair, its gradient, negatives, learning."""

import importlib.util

import keras
import numpy as np
import pytest

from lmkit.batches import packed
from lmkit.models import SkipGram
from lmkit.models.skip_gram import BLOCK, SHARED
from lmkit.vectors import cooccurrences


def make(vocab_size=6, embed_dim=3, *, only=None, rate=1.0, **more):
    """A model with plain gradient descent; `only` is the one word that negatives can be."""
    if only is not None:
        more["noise"] = np.eye(vocab_size)[only]
    model = SkipGram(vocab_size, embed_dim, **{"seed": 0, **more})
    model.compile(optimizer=keras.optimizers.SGD(rate))
    return model


def fill(model, rng):
    """Puts random numbers into both tables and returns them in float64."""
    shape = (model.vocab_size, model.embed_dim)
    tables = [rng.normal(size=shape).astype("float32") for _ in range(2)]
    model.inputs_table.assign(tables[0])
    model.outputs_table.assign(tables[1])
    return [table.astype("float64") for table in tables]


def tables_of(model):
    parts = (model.inputs_table, model.outputs_table)
    return [table.numpy().astype("float64") for table in parts]


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def slow(rows, u, w, window, negatives, noise):
    """word2vec's loss and gradients, pair by pair: the sum over the pairs, and their weight.

    Every pair counts as often as a window of random size 1 to `window` holds it, and its
    negatives are every word, as often as `noise` draws it.
    """
    loss, weight, du, dw = 0.0, 0.0, np.zeros_like(u), np.zeros_like(w)
    for row in rows:
        for place, i in enumerate(row):
            for size in range(1, window + 1):  # each has the chance 1 / window
                for other in range(max(0, place - size), min(len(row), place + size + 1)):
                    j = row[other]
                    if other == place or i < 0 or j < 0:
                        continue
                    share = 1 / window
                    loss -= share * np.log(sigmoid(u[i] @ w[j]))
                    wrong = share * (sigmoid(u[i] @ w[j]) - 1)
                    du[i] += wrong * w[j]
                    dw[j] += wrong * u[i]
                    for n, chance in enumerate(noise):
                        loss -= share * negatives * chance * np.log(sigmoid(-u[i] @ w[n]))
                        wrong = share * negatives * chance * sigmoid(u[i] @ w[n])
                        du[i] += wrong * w[n]
                        dw[n] += wrong * u[i]
                    weight += share
    return loss, weight, du, dw


def test_one_pair_by_hand():
    model = make(3, 1, window=1, negatives=2, only=2)
    model.inputs_table.assign([[0.5], [-1.0], [0.0]])
    model.outputs_table.assign([[2.0], [1.0], [-1.0]])
    # The words 0 and 1 are each other's only neighbor: two pairs. Word 0 scores 0.5 with word
    # 1 and -0.5 with the negative; word 1 scores -2 with word 0 and 1 with the negative.
    pairs = [(0.5, -0.5), (-2.0, 1.0)]
    expected = [-np.log(sigmoid(real)) - 2 * np.log(sigmoid(-drawn)) for real, drawn in pairs]
    found = model.evaluate(np.array([[0, 1]]), verbose=0)
    assert found == pytest.approx(np.mean(expected), abs=1e-6)
    model.fit(np.array([[0, 1]]), verbose=0)
    u, w = tables_of(model)
    # du_0 = (sigmoid(0.5) - 1) * 1 + 2 * sigmoid(-0.5) * -1, and so on, of the sum over pairs.
    assert u[0, 0] == pytest.approx(0.5 - (sigmoid(0.5) - 1) + 2 * sigmoid(-0.5), abs=1e-6)
    assert u[1, 0] == pytest.approx(-1 - 2 * (sigmoid(-2) - 1) + 2 * sigmoid(1), abs=1e-6)
    assert w[0, 0] == pytest.approx(2 + (sigmoid(-2) - 1), abs=1e-6)
    assert w[1, 0] == pytest.approx(1 - 0.5 * (sigmoid(0.5) - 1), abs=1e-6)
    assert w[2, 0] == pytest.approx(-1 - 2 * 0.5 * sigmoid(-0.5) + 2 * sigmoid(1), abs=1e-6)


CASES = [
    (2, 7, 1),
    (3, 20, 2),
    (1, 2 * BLOCK + 5, 5),
    (2, BLOCK, 3),
    (1, BLOCK + 8, BLOCK + 2),
    (2, 1, 2),
]


@pytest.mark.parametrize(("batch", "time", "window"), CASES)
def test_equals_word2vec_pair_by_pair(batch, time, window, rng):
    # With one possible negative nothing is random: loss and gradients are exact.
    model = make(window=window, negatives=4, only=3, rate=0.25)
    u, w = fill(model, rng)
    rows = rng.integers(-1, 6, (batch, time))
    rows[0, 0] = 2
    loss, weight, du, dw = slow(rows, u, w, window, 4, np.eye(6)[3])
    found = model.fit(rows, verbose=0).history["loss"][0]
    assert found == pytest.approx(loss / max(weight, 1e-6), rel=1e-5)
    after = tables_of(model)
    np.testing.assert_allclose(after[0], u - 0.25 * du, rtol=1e-4, atol=2e-5 * (1 + weight))
    np.testing.assert_allclose(after[1], w - 0.25 * dw, rtol=1e-4, atol=2e-5 * (1 + weight))


def test_shared_negatives_have_the_expectation_of_word2vecs_own(rng):
    # A block's words meet the same few negatives. Each is drawn with the chances of `noise`, so
    # the mean over many draws is word2vec's gradient, in which every word is a negative as
    # often as `noise` says.
    noise = np.array([4.0, 1, 0, 2, 2, 1])
    model = make(window=2, negatives=3, noise=noise)
    u, w = fill(model, rng)
    rows = rng.integers(0, 6, (2, 9))
    loss, weight, du, dw = slow(rows, u, w, 2, 3, noise / noise.sum())
    losses, steps = [], []
    for _ in range(400):
        model.inputs_table.assign(u)
        model.outputs_table.assign(w)
        model.reset_metrics()  # Keras 3.13 returns the mean over all batches so far
        losses.append(float(model.train_on_batch(rows)))
        steps.append(np.array([u, w]) - tables_of(model))
    for found, expected in ((losses, loss / weight), (steps, np.array([du, dw]))):
        error = np.std(found, axis=0) / np.sqrt(len(found))  # of a mean of so many draws
        assert (np.abs(np.mean(found, axis=0) - expected) <= 5 * error + 1e-4).all()
    assert np.std(losses) > 0


def test_negatives_come_as_often_as_noise_says():
    noise = np.array([1.0, 0, 5, 2, 0, 0])
    model = make(noise=noise)
    drawn = keras.ops.convert_to_numpy(model._negatives(np.zeros((3_000, 4), "int32")))
    assert drawn.shape == (3_000, SHARED)
    found, expected = np.bincount(drawn.ravel(), minlength=6) / drawn.size, noise / noise.sum()
    assert (found[expected == 0] == 0).all()
    error = np.sqrt(expected * (1 - expected) / drawn.size)
    assert (np.abs(found - expected) <= 5 * error).all()
    # Blocks draw for themselves, and so do calls.
    assert len({row.tobytes() for row in drawn}) > 2_900
    assert (keras.ops.convert_to_numpy(model._negatives(np.zeros((3_000, 4)))) != drawn).any()


def test_a_gap_keeps_texts_apart(rng):
    texts = [rng.integers(0, 6, n).tolist() for n in (5, 9, 3)]
    steps = []
    # In one row with gaps, and in rows of their own.
    for rows in (packed(texts, 24, gap=2), packed(texts[:1], 9, 2), packed(texts[1:], 18, 2)):
        model = make(window=2, only=1)
        u, w = fill(model, np.random.default_rng(1))
        model.fit(rows, verbose=0)
        steps.append(np.array([u, w]) - tables_of(model))
    np.testing.assert_allclose(steps[0], steps[1] + steps[2], atol=1e-4)


def test_the_step_is_that_of_the_sum_and_the_value_that_of_the_mean(rng):
    rows = rng.integers(0, 6, (1, 12))
    one, two = make(only=1), make(only=1)
    for model in (one, two):
        u, w = fill(model, np.random.default_rng(1))
    losses = [
        one.fit(rows, verbose=0).history["loss"][0],
        two.fit(np.tile(rows, (4, 1)), verbose=0).history["loss"][0],
    ]
    assert losses[0] == pytest.approx(losses[1], rel=1e-5)
    for before, once, four in zip((u, w), tables_of(one), tables_of(two), strict=True):
        np.testing.assert_allclose(4 * (once - before), four - before, atol=1e-3)


def test_it_starts_as_word2vec_does():
    model = SkipGram(50, 4, negatives=7, seed=0)
    u, w = tables_of(model)
    assert (w == 0).all() and np.abs(u).max() <= 0.5 / 4 and np.abs(u).max() > 0.9 * 0.5 / 4
    model.compile()
    rows = np.arange(50)[None]
    assert model.evaluate(rows, verbose=0) == pytest.approx(8 * np.log(2), rel=1e-5)


def test_rows_without_a_pair_change_nothing():
    model = make(window=1)
    before = tables_of(model)
    rows = np.array([[3, -1, 2, -1]])
    assert model.fit(rows, verbose=0).history["loss"] == [0.0]
    assert all((a == b).all() for a, b in zip(before, tables_of(model), strict=True))


def test_a_seed_gives_the_same_model(rng):
    rows = rng.integers(0, 6, (4, 10))
    found = []
    for seed in (3, 3, 4):
        model = make(seed=seed)
        model.fit(rows, shuffle=False, verbose=0)
        found.append(tables_of(model)[0])
    assert (found[0] == found[1]).all() and (found[0] != found[2]).any()


def test_saved_and_loaded(tmp_path, rng):
    model = make(window=2, negatives=3, only=4)
    fill(model, rng)
    rows = rng.integers(0, 6, (2, 9))
    expected = model.evaluate(rows, verbose=0)
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    assert again.evaluate(rows, verbose=0) == pytest.approx(expected, rel=1e-6)  # noise as well
    assert (again.window, again.negatives, again.seed) == (2, 3, 0)


def test_vectors_are_the_inputs_table(rng):
    model = make(3, 2)
    u, _ = fill(model, rng)
    vectors = model.vectors(["a", "b", "c"])
    assert (vectors.table == u).all() and vectors["b"].tolist() == u[1].tolist()
    assert (keras.ops.convert_to_numpy(model(np.array([[2, 0]])))[0] == u[[2, 0]]).all()
    with pytest.raises(ValueError, match=r"table must have shape \(2, D\)"):
        model.vectors(["a", "b"])


def chain(rng, length=40_000):
    """A running text of 8 words, each with two likely followers."""
    step = 0.02 + np.eye(8)[(np.arange(8) + 1) % 8] + 0.5 * np.eye(8)[(np.arange(8) + 3) % 8]
    ends = np.cumsum(step / step.sum(axis=1, keepdims=True), axis=1)
    words = [0]
    for chance in rng.random(length - 1):
        words.append(min(7, int(np.searchsorted(ends[words[-1]], chance))))
    return np.array(words)


def test_products_approach_the_shifted_information(rng):
    # Levy and Goldberg: with noise as the words' shares, u_i . w_j = PMI(i, j) - log(negatives),
    # if the vectors are wide enough to hold any matrix.
    text, negatives = chain(rng), 2
    shares = np.bincount(text) / len(text)
    model = SkipGram(8, 8, window=1, negatives=negatives, noise=shares, seed=0)
    model.compile(optimizer=keras.optimizers.Adagrad(0.3))
    rows = text.reshape(-1, 200)
    model.fit(rows, batch_size=20, epochs=12, verbose=0)
    joint = cooccurrences(rows, 8, window=1)
    joint = joint / joint.sum()
    shifted = np.log(joint / np.outer(shares, shares)) - np.log(negatives)
    u, w = tables_of(model)
    assert np.corrcoef((u @ w.T).ravel(), shifted.ravel())[0, 1] > 0.99
    assert np.sqrt(np.mean(joint * (u @ w.T - shifted) ** 2 / joint.mean())) < 0.2


def test_finds_the_neighbors_that_gensim_finds(rng):
    if importlib.util.find_spec("gensim") is None:
        pytest.skip("gensim is not installed; it is one of the tests' extras")
    from gensim.models import Word2Vec

    # Five groups of eight words; a text stays within a group, but for a common word.
    texts = [8 * rng.integers(0, 5) + rng.integers(0, 8, 30) for _ in range(600)]
    texts = [np.where(rng.random(30) < 0.2, 40, text) for text in texts]
    counts = np.bincount(np.concatenate(texts))
    model = SkipGram(41, 16, window=3, noise=counts**0.75, seed=0)
    model.compile(optimizer=keras.optimizers.Adagrad(0.1))
    model.fit(packed(texts, 128, 3), batch_size=4, epochs=5, verbose=0)
    words = [str(n) for n in range(41)]
    theirs = Word2Vec(
        [[words[n] for n in text] for text in texts], vector_size=16, window=3, sg=1,
        min_count=1, sample=0, seed=0, workers=1, epochs=5,
    ).wv  # fmt: skip
    ours = model.vectors(words)
    for number in range(40):
        group = {words[n] for n in range(40) if n // 8 == number // 8}
        for found in (ours.nearest(words[number], 7), theirs.most_similar(words[number], topn=7)):
            assert {word for word, _ in found} <= group


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"window": 0}, "window must be a whole number of at least 1, got 0"),
        ({"negatives": 0}, "negatives must be a whole number of at least 1, got 0"),
        ({"vocab_size": 2.5}, "vocab_size must be a whole number of at least 1, got 2.5"),
        ({"embed_dim": True}, "embed_dim must be a whole number"),
        ({"noise": [1, 2]}, r"noise must have shape \(6,\), one number for each word, got \(2,\)"),
        ({"noise": [1, 2, 3, 4, 5, -1]}, "noise must be finite, nowhere below 0"),
        ({"noise": [1, 2, 3, 4, 5, np.nan]}, "noise must be finite"),
        ({"noise": np.zeros(6)}, "not 0 everywhere"),
    ],
)
def test_bad_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        SkipGram(**{"vocab_size": 6, **arguments})


@pytest.mark.parametrize(
    ("rows", "kind", "message"),
    [
        ([[0, 6]], ValueError, "id 6 in row 0, column 1 of rows is outside the vocabulary"),
        ([[0, -2]], ValueError, r"id -2 in row 0.*or are IGNORE \(-1\)"),
        ([0, 1], ValueError, r"rows must be \(batch, time\), got shape \(2,\)"),
        ([[0.0, 1.0]], TypeError, "rows must be whole numbers, got float64"),
        ([["a", "b"]], TypeError, "encode it first"),
        ([[-1, -1]], ValueError, "rows hold no word"),
        ([[]], ValueError, "rows is empty"),
    ],
)
@pytest.mark.parametrize("form", [np.array, list])
def test_bad_rows(rows, kind, message, form):
    with pytest.raises(kind, match=message):
        make().fit(form(rows), verbose=0)


@pytest.mark.parametrize("wrong", [6, -2])
def test_an_id_outside_that_nobody_checked_is_not_overlooked(wrong):
    # `evaluate`, a dataset and compiled code cannot raise.
    assert np.isnan(make().evaluate(np.array([[0, wrong, 1]]), verbose=0))
