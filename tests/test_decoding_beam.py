"""lmkit.decoding.beam: against every text there is, models against plain functions."""

import keras
import numpy as np
import pytest
from keras import ops

from lmkit.backend import compile_function
from lmkit.decoding import beam_search, generate
from lmkit.models import RecurrentLM, TransformerLM


def table(rng, size=4):
    """A plain function with logits of its own after every context."""
    known = {}
    return lambda ids: known.setdefault(tuple(ids), rng.normal(size=size) * 2)


def all_texts(next_logits, length, stops, size=4):
    """Every text after [0], its log p, by brute force."""
    texts, done = [([0], 0.0)], []
    for _ in range(length):
        longer = []
        for ids, total in texts:
            logits = next_logits(ids)
            logp = logits - np.log(np.exp(logits).sum())
            longer += [([*ids, token], total + logp[token]) for token in range(size)]
        done += [text for text in longer if text[0][-1] in stops]
        texts = [text for text in longer if text[0][-1] not in stops]
    return done + texts


@pytest.mark.parametrize("stop", [None, 3, [1, 3]])
@pytest.mark.parametrize("power", [0.0, 0.7, 1.0])
def test_a_wide_beam_finds_the_best_texts(rng, stop, power):
    next_logits, stops = table(rng), np.atleast_1d([] if stop is None else stop).tolist()
    texts = all_texts(next_logits, 3, stops)
    expected = sorted((logp / (len(ids) - 1) ** power for ids, logp in texts), reverse=True)
    found = beam_search(next_logits, [0], 3, 64, stop, power, return_all=True)
    np.testing.assert_allclose([score for _, score in found], expected[: len(found)], atol=1e-12)
    assert len(found) == min(64, len(texts))
    assert beam_search(next_logits, [0], 3, 64, stop, power) == found[0]
    scores = {tuple(ids): logp / (len(ids) - 1) ** power for ids, logp in texts}
    for ids, score in found:
        assert scores[tuple(ids)] == pytest.approx(score, abs=1e-12)


def test_a_beam_of_one_is_greedy(rng):
    next_logits = table(rng)
    assert beam_search(next_logits, [0], 6, width=1)[0] == generate(next_logits, [0], 6, 0)


def test_an_ended_text_is_kept_though_others_go_on():
    def next_logits(ids):  # stopping at once is probable; going on leads to ever less
        return np.log([0.3, 0.1, 0.6]) if len(ids) == 1 else np.log([0.4, 0.4, 0.2])

    ids, score = beam_search(next_logits, [0], 4, width=2, stop=2)
    assert ids == [0, 2]
    assert score == pytest.approx(np.log(0.6))


def test_an_ended_text_leaves_its_place():
    # With width 2, [0, 2] ends at once. If it kept a place, only 0 would go on, and the best
    # text, which begins with 1, would be lost.
    def next_logits(ids):
        first = {1: [0.35, 0.25, 0.4], 2: [0.5, 0.3, 0.2]}
        if len(ids) == 2 and ids[1] == 1:
            return np.log([0.98, 0.01, 0.01])
        return np.log(first.get(len(ids), [0.4, 0.3, 0.3]))

    (ids, score), *_ = beam_search(next_logits, [0], 2, 2, stop=2, length_power=1, return_all=True)
    assert ids == [0, 1, 0]
    assert score == pytest.approx(np.log(0.25 * 0.98) / 2)


def test_impossible_tokens_never_fill_a_beam():
    def only_one(ids):
        return np.array([-np.inf, 0.0, -np.inf])

    assert beam_search(only_one, [1], 3, width=5, return_all=True) == [([1, 1, 1, 1], 0.0)]


@pytest.fixture(scope="module", params=["lstm", "transformer"])
def model(request):
    keras.utils.set_random_seed(3)
    if request.param == "transformer":
        sizes = {"embed_dim": 8, "num_heads": 2, "ff_dim": 12, "num_layers": 2}
        made = TransformerLM(vocab_size=12, max_length=12, **sizes)
    else:
        made = RecurrentLM(vocab_size=12, embed_dim=6, units=7)
    made(np.ones((1, 3), "int32"))
    rng = np.random.default_rng(0)
    made.set_weights([rng.normal(size=w.shape) * 0.6 for w in made.get_weights()])
    return made


def reads_again(model):
    """The plain function: the whole text, or as much of its end as the model reads."""
    width = model.max_length or 40
    read = compile_function(lambda ids: model(ids), model.variables)  # one shape, so it is fast

    def next_logits(ids):
        ids = ids[-width:]
        padded = np.zeros((1, width), "int32")
        padded[0, : len(ids)] = ids
        return ops.convert_to_numpy(read(padded))[0, len(ids) - 1]

    return next_logits


@pytest.mark.parametrize(
    ("length", "width", "stop"),
    [(1, 1, None), (7, 4, None), (7, 4, [2, 5]), (7, 13, 2), (20, 4, 2)],  # 20 outgrow 12 positions
)
def test_a_model_finds_what_a_plain_function_of_it_finds(model, length, width, stop):
    found = beam_search(model, [3, 1, 4], length, width, stop, return_all=True)
    again = beam_search(reads_again(model), [3, 1, 4], length, width, stop, return_all=True)
    assert [ids for ids, _ in found] == [ids for ids, _ in again]
    # float32's rounding, 6e-8 of logits below 10, on a mean per token.
    np.testing.assert_allclose([s for _, s in found], [s for _, s in again], atol=1e-5)


def test_a_step_per_token(model, monkeypatch):
    read, compiled_for = [], __import__("lmkit.backend").backend.compiled_for

    def spy(owner, name, function):
        compiled = compiled_for(owner, name, function)
        return lambda rows, ids, state: (read.append(ids.shape), compiled(rows, ids, state))[1]

    monkeypatch.setattr("lmkit.decoding.beam.compiled_for", spy)
    beam_search(model, [3, 1, 4], 9, width=4)
    assert read == [(1, 4)] + [(4, 1)] * 8  # the prompt, padded to 4, then one step per token


def test_bad_arguments():
    def two(ids):
        return [0.0, 1.0]

    for wrong in (0, -1, 1.5):
        with pytest.raises(ValueError, match="width must be a whole number of at least 1, got"):
            beam_search(two, [0], 3, width=wrong)
    for call, message in (
        (lambda: beam_search(two, [0], 0, 2), "length must be a whole number of at least 1"),
        (lambda: beam_search(two, [], 3, 2), "prompt"),
        (lambda: beam_search(two, [2], 3, 2), "id 2"),
        (lambda: beam_search(two, [0], 3, 2, stop=[1, 2]), "id 2"),
        (lambda: beam_search(two, [0], 3, 2, length_power=-1), "length_power"),
        (lambda: beam_search(two, [0], 3, 2, length_power=float("nan")), "length_power"),
        (lambda: beam_search(two, [0], 3, 2, return_all="yes"), "return_all"),
        (lambda: beam_search(lambda ids: [0.0, np.nan], [0], 3, 2), "logit 1 is nan"),
    ):
        with pytest.raises(ValueError, match=message):
            call()
