"""lmkit.decoding.compiled: by hand with a fake model, drawing against NumPy's."""

import keras
import numpy as np
import pytest
from keras import ops

from lmkit.backend import compile_function
from lmkit.decoding import generate, generate_batch, keep_likely
from lmkit.decoding.compiled import _stages, draw_tokens, sizes
from lmkit.decoding.sampling import pick
from lmkit.models import RecurrentLM, TransformerLM

VOCAB = 11


class CountsUp:
    """After any id the next one, after the last of them 0."""

    def __init__(self, height=50.0, max_length=16):
        self.vocab_size, self.max_length, self.height = VOCAB, max_length, height

    def start(self, batch, length, padding=None):
        return {"read": ops.zeros((), "int32"), "last": ops.zeros(batch, "int32")}

    def step(self, ids, state):
        logits = self.height * ops.one_hot((ids + 1) % VOCAB, VOCAB)
        return logits, {"read": state["read"] + ids.shape[1], "last": ops.cast(ids[:, -1], "int32")}


def test_by_hand():
    model = CountsUp()
    assert generate_batch(model, [[2], [5, 9]], 4) == [[2, 3, 4, 5, 6], [5, 9, 10, 0, 1, 2]]
    assert generate_batch(model, [[2], [5, 9]], 4, stop=10) == [[2, 3, 4, 5, 6], [5, 9, 10]]
    # The prompt's own stop does not count; several ids may end a text.
    assert generate_batch(model, [[9], [9, 10]], 4, stop=[10, 1]) == [[9, 10], [9, 10, 0, 1]]


@pytest.mark.parametrize("height", [float("nan"), float("inf")])
@pytest.mark.parametrize("temperature", [0, 1.0])
def test_logits_without_probabilities_are_refused(height, temperature):
    with pytest.raises(ValueError, match="logits are NaN or infinite"):
        generate(CountsUp(height), [2], 3, temperature)


def test_the_last_position_is_used():
    model = CountsUp(max_length=16)
    assert len(generate(model, [1], 16)) == 17  # the last id is written, not read
    assert generate(model, [1] * 16, 1) == [*[1] * 16, 2]


@pytest.mark.parametrize(
    ("limit", "prompt", "length", "expected"),
    [
        (None, 1, 1, (1, 1)),
        (None, 5, 20, (8, 32)),
        (256, 8, 248, (8, 249)),
        (24, 5, 20, (5, 20)),
        (24, 24, 1, (24, 1)),
    ],
)
def test_sizes_fit_into_the_model(limit, prompt, length, expected):
    model = CountsUp(max_length=limit)
    assert sizes(model, prompt, length) == expected
    width, steps = expected
    assert width >= prompt
    assert steps >= length
    assert limit is None or width + steps - 1 <= limit


@pytest.mark.parametrize(("top_k", "top_p"), [(None, None), (5, None), (None, 0.9), (6, 0.7)])
def test_drawing_is_that_of_numpy(rng, top_k, top_p):
    logits = rng.normal(size=(200, VOCAB)).astype("float32") * 3
    logits[::3] = np.round(logits[::3])  # equal ones
    points = rng.random(200)
    shifted = ops.array((logits - logits.max(axis=-1, keepdims=True)) / np.float32(0.8))
    limit = None if top_k is None else (8, top_k)
    ids, fine = draw_tokens(shifted, ops.array(points.astype("float32")), limit, top_p)
    assert ops.convert_to_numpy(fine).all()
    drawn = [pick(row.astype("float64"), point, 0.8, top_k, top_p)
             for row, point in zip(logits, points, strict=True)]  # fmt: skip
    # float32 against float64: a point within 1e-6 of a border is not among these.
    assert ops.convert_to_numpy(ids).tolist() == drawn


def test_a_point_just_below_one_takes_the_last_possible_token():
    below = ops.array([1 - 2.0**-24], "float32")
    for logits in ([0.0, 0.0, 0.0], [0.0, -3.0, -1.25], [-1.0, 0.0, -np.inf]):
        ids, _ = draw_tokens(ops.array([logits], "float32"), below)
        assert int(ids[0]) == max(np.flatnonzero(np.isfinite(logits)))


def test_dropped_tokens_are_never_drawn(rng):
    logits = rng.normal(size=12)
    logits -= logits.max()
    kept = set(np.flatnonzero(np.isfinite(keep_likely(logits, 4, 0.8))).tolist())
    points = np.linspace(0, 1 - 2.0**-24, 500, dtype="float32")
    ids, _ = draw_tokens(ops.array(np.tile(logits, (500, 1)), "float32"), ops.array(points),
                         (4, 4), 0.8)  # fmt: skip
    assert set(ops.convert_to_numpy(ids).tolist()) == kept


def test_one_compilation_serves_many_lengths(monkeypatch):
    keras.utils.set_random_seed(0)
    sizes_ = {"embed_dim": 8, "num_heads": 2, "ff_dim": 8, "num_layers": 1}
    made = []
    for model in (
        RecurrentLM(vocab_size=9, embed_dim=2, units=3),
        TransformerLM(vocab_size=9, max_length=64, **sizes_),
    ):
        made.clear()

        def counted(function, variables):
            made.append(function)
            return compile_function(function, variables)

        monkeypatch.setattr("lmkit.backend.compile_function", counted)
        for prompt, length, temperature in (
            ([1, 2, 3], 9, 1.0),
            ([5] * 4, 16, 0.3),
            ([1] * 3, 10, 2),
        ):
            generate(model, prompt, length, temperature)
        assert len(made) == 1
        generate(model, [1, 2, 3], 9, top_k=2)  # another function
        generate(model, [1, 2, 3], 9, 0.5)
        assert len(made) == 2


def test_a_growing_cache_writes_the_same_texts(monkeypatch):
    keras.utils.set_random_seed(0)
    model = TransformerLM(
        vocab_size=9, max_length=48, embed_dim=8, num_heads=2, ff_dim=8, num_layers=1
    )
    model.set_weights([weights * 20 for weights in model.get_weights()])
    prompts = [[1], [2, 3, 4], [5] * 15]  # rounded up to 16 slots, so 48 in all
    assert _stages(model, 1, 16, 48) == [48]
    assert _stages(model, 1000, 16, 48) == [24, 36, 48]  # 12 slots would not hold the prompts
    assert _stages(RecurrentLM(vocab_size=9, embed_dim=2, units=3), 1000, 16, 48) == [48]
    single = [
        generate_batch(model, prompts, length, seed=3, stop=stop)
        for length, stop in ((30, 7), (20, 7))
    ]
    ends = []

    def stages(model, batch, width, total):
        ends.append(total)
        return [width + 1, total - 9, total]

    monkeypatch.setattr("lmkit.decoding.compiled._stages", stages)
    again = TransformerLM.from_config(model.get_config())
    again.set_weights(model.get_weights())
    for n, (length, stop) in enumerate(((30, 7), (20, 7))):
        assert generate_batch(again, prompts, length, seed=3, stop=stop) == single[n]
    assert ends


def test_quantized_weights_are_compiled_again():
    keras.utils.set_random_seed(0)
    model = RecurrentLM(vocab_size=9, embed_dim=8, units=8)
    model(np.ones((1, 2), "int32"))
    model.set_weights([weights * 5 for weights in model.get_weights()])
    generate(model, [1], 5)
    model.quantize("int8")
    again = generate(lambda ids: ops.convert_to_numpy(model(np.array([ids])))[0, -1], [1], 20)
    assert generate(model, [1], 20) == again
