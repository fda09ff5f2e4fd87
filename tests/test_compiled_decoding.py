"""lmkit.compiled_decoding: by hand with a fake model, against the loop in Python."""

import keras
import numpy as np
import pytest
from keras import ops

from lmkit.compiled_decoding import CompiledDecoder, pick
from lmkit.decoding import TransformerDecoder, generate_batch, sample_token
from lmkit.models import TransformerLM, lstm_lm

VOCAB = 11
PROMPTS = [[4], [1, 2, 3, 4, 5], [7, 7]]


class CountsUp:
    """After any id the next one, after the last of them 0; its cache holds what was read."""

    built, variables = True, []

    def __init__(self, height=50.0, max_length=16):
        self.sizes, self.height = {"vocab_size": VOCAB, "max_length": max_length}, height

    def new_cache(self, batch, length=None):
        return [(ops.zeros((batch, 1)), ops.zeros((batch, 1)))]

    def step(self, ids, positions, cache):
        logits = self.height * ops.one_hot((ids + 1) % VOCAB, VOCAB)
        return logits, cache


@pytest.fixture(scope="module")
def model():
    keras.utils.set_random_seed(3)
    made = TransformerLM(VOCAB, 24, embed_dim=8, num_heads=2, ff_dim=16, num_layers=2)
    made.build((None, None))
    for weight in made.trainable_variables:  # far from even, so that the draws differ
        if len(weight.shape) == 2:
            weight.assign(20 * weight)
    return made


@pytest.fixture(scope="module")
def decoder(model):
    return CompiledDecoder(model)


def test_by_hand():
    decoder = CompiledDecoder(CountsUp())
    assert decoder([[2], [5, 9]], 4) == [[2, 3, 4, 5, 6], [5, 9, 10, 0, 1, 2]]
    assert decoder([[2], [5, 9]], 4, stop=10) == [[2, 3, 4, 5, 6], [5, 9, 10]]
    assert decoder([[9], [9, 10]], 4, stop=10) == [[9, 10], [9, 10, 0, 1, 2, 3]]  # new ones stop


@pytest.mark.parametrize(
    "arguments",
    [
        {"temperature": 0},
        {"temperature": 1.0, "seed": 5},
        {"temperature": 0.7, "top_k": 3},
        {"temperature": 1.5, "top_p": 0.8, "seed": 2},
        {"temperature": 1.0, "top_k": 6, "top_p": 0.7, "stop": 5},
        {"temperature": 1e-300},
        {"temperature": 0, "top_k": 4, "top_p": 0.5},
    ],
)
def test_the_texts_are_those_of_the_loop_in_python(model, decoder, arguments):
    # 57 draws; a point falls within 1e-6 of one of the 10 borders once in 1,700 such texts.
    expected = generate_batch(TransformerDecoder(model).batch, PROMPTS, 19, **arguments)
    assert decoder(PROMPTS, 19, **arguments) == expected


def test_who_else_is_there_changes_nothing(decoder):
    together = decoder(PROMPTS, 12, seed=8)
    assert together == [decoder([prompt], 12, seed=8 + n)[0] for n, prompt in enumerate(PROMPTS)]
    assert len({tuple(ids) for ids in decoder([[4]] * 5, 12)}) == 5  # each text has its own seed


def test_changed_weights_are_used(model):
    decoder, kernel = CompiledDecoder(model), model.tokens.embeddings
    before, kept = decoder([[4]], 12, temperature=0), ops.convert_to_numpy(kernel).copy()
    kernel.assign(kept[::-1])
    try:
        after = decoder([[4]], 12, temperature=0)
        expected = generate_batch(TransformerDecoder(model).batch, [[4]], 12, temperature=0)
    finally:
        kernel.assign(kept)
    assert after == expected != before


def test_pick_is_sample_token(rng):
    logits = rng.normal(size=(200, VOCAB)).astype("float32") * 3
    points = rng.random(200)
    ids, fine = pick(ops.array(logits), ops.array(points.astype("float32")), 0.8, 5, 0.9)
    assert ops.convert_to_numpy(fine).all()
    drawn = [
        sample_token(row, 0.8, fixed(point), top_k=5, top_p=0.9)
        for row, point in zip(logits, points, strict=True)
    ]
    assert ops.convert_to_numpy(ids).tolist() == drawn


def fixed(point):
    """A generator that draws this number."""

    class Generator(np.random.Generator):
        def random(self):
            return point

    return Generator(np.random.PCG64(0))


def test_a_point_just_below_one_takes_the_last_possible_token():
    below = ops.array([1 - 2.0**-24], "float32")
    for logits in ([0.0, 0.0, 0.0], [5.0, -3.0, 1.25], [0.0, 1.0, -np.inf]):
        ids, _ = pick(ops.array([logits], "float32"), below, 1.0, 3, 1.0)
        assert int(ids[0]) == max(np.flatnonzero(np.isfinite(logits)))


@pytest.mark.parametrize("height", [float("nan"), float("inf")])
def test_a_model_that_says_nonsense_is_named(height):
    with pytest.raises(ValueError, match="logits are NaN or infinite"):
        CompiledDecoder(CountsUp(height))([[2]], 3)


@pytest.mark.parametrize(
    ("prompts", "arguments", "error", "message"),
    [
        ([], {}, ValueError, "there are no prompts"),
        ([[]], {}, ValueError, "the prompt is empty"),
        ([[1.5]], {}, TypeError, "one row of whole numbers"),
        ([[VOCAB]], {}, ValueError, "id 11 at position 0 is outside the vocabulary"),
        ([[1]], {"stop": 11}, ValueError, "outside the vocabulary"),
        ([[1]], {"length": 0}, ValueError, "length"),
        ([[1]], {"temperature": -1}, ValueError, "temperature must be a number of at least 0"),
        ([[1]], {"top_k": 12}, ValueError, "at most the vocabulary's 11, got 12"),
        ([[1]], {"top_p": 0.0}, ValueError, "top_p must be above 0"),
        ([[1] * 14], {}, ValueError, "14 ids and 3 are to follow.* at most 16"),
    ],
)
def test_calls_that_are_refused(prompts, arguments, error, message):
    with pytest.raises(error, match=message):
        CompiledDecoder(CountsUp())(prompts, **{"length": 3, **arguments})


def test_the_context_may_be_filled_to_the_last_position(model, decoder):
    assert len(decoder([[1] * 5], 19)[0]) == 24
    full = decoder([[1] * 23], 1, temperature=0)
    assert full == generate_batch(TransformerDecoder(model).batch, [[1] * 23], 1, temperature=0)


def test_models_that_cannot_be_decoded():
    with pytest.raises(TypeError, match="has no cache: give a TransformerLM"):
        CompiledDecoder(lstm_lm(VOCAB))
