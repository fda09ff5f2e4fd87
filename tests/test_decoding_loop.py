"""lmkit.decoding.loop: plain functions by hand, language models against reading everything."""

import threading

import keras
import numpy as np
import pytest
from keras import layers, ops

from lmkit.backend import compile_function
from lmkit.decoding import generate, generate_batch
from lmkit.models import RecurrentLM, TransformerLM, rnn_classifier

PROMPTS = [[3, 4, 5, 6], [7], [8, 2, 9]]


def counts_up(ids):
    """The next id is the last one plus 1, nothing else is possible."""
    return np.where(np.arange(10) == ids[-1] + 1, 0.0, -np.inf)


@pytest.mark.parametrize("temperature", [0, 1.0, 2.0])
def test_generate_by_hand(temperature):
    assert generate(counts_up, [4, 2], 3, temperature) == [4, 2, 3, 4, 5]
    assert generate(counts_up, [2], 100, temperature, stop=5) == [2, 3, 4, 5]
    assert generate(counts_up, [2], 100, temperature, stop=[8, 5]) == [2, 3, 4, 5]
    assert generate(counts_up, [2], 3, temperature, stop=[]) == [2, 3, 4, 5]
    assert generate(counts_up, [2, 5], 2, temperature, stop=5) == [2, 5, 6, 7]  # new ones stop it
    assert generate(counts_up, (np.int32(2),), 1, temperature) == [2, 3]
    assert generate(counts_up, np.array([2]), 1, temperature, stop=np.int64(3)) == [2, 3]


def test_a_function_is_asked_with_all_ids_so_far():
    asked = []

    def spy(ids):
        asked.append(list(ids))
        ids.clear()  # the function's own copy
        return np.zeros(4)

    ids = generate(spy, [3], 4)
    assert asked == [ids[:length] for length in (1, 2, 3, 4)]


def test_same_seed_same_text():
    texts = [generate(lambda ids: np.zeros(9), [0], 30, seed=seed) for seed in (5, 5, 6)]
    assert texts[0] == texts[1] != texts[2]
    prompt = [0]
    generate(lambda ids: np.zeros(9), prompt, 3)
    assert prompt == [0]


def test_filters_are_used():
    def flat(ids):
        return np.array([0.0, 1.0, 0.9])

    assert set(generate(flat, [0], 30, seed=1, top_k=2)[1:]) == {1, 2}
    assert set(generate(flat, [0], 30, seed=1, top_p=0.3)[1:]) == {1}
    assert generate(flat, [0], length=3, temperature=0, top_k=1) == [0, 1, 1, 1]


@pytest.fixture(scope="module", params=["lstm", "gru", "simple", "transformer"])
def model(request):
    """Language models over 20 ids, far from even, so that the draws differ."""
    keras.utils.set_random_seed(3)
    if request.param == "transformer":
        sizes = {"embed_dim": 8, "num_heads": 2, "ff_dim": 12, "num_layers": 2}
        made = TransformerLM(vocab_size=20, max_length=24, **sizes)
    else:
        made = RecurrentLM(vocab_size=20, embed_dim=6, units=7, cell=request.param, dropout=0.3)
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


# The compiled loop and the plain function differ by float32's rounding. A point falls within
# 1e-6 of one of 19 borders once in 26,000 draws; these are about a hundred, with fixed seeds.
@pytest.mark.parametrize(
    "arguments",
    [
        {"temperature": 0},
        {"temperature": 1.0, "seed": 5},
        {"temperature": 1.5, "top_p": 0.8, "seed": 2},
        {"temperature": 1.0, "top_k": 6, "top_p": 0.7, "stop": [5, 11]},
        {"temperature": 1e-300},
    ],
)
def test_a_model_writes_what_a_plain_function_of_it_writes(model, arguments):
    again = generate_batch(reads_again(model), PROMPTS, 19, **arguments)
    assert generate_batch(model, PROMPTS, 19, **arguments) == again


def test_the_other_texts_change_nothing(model):
    together = generate_batch(model, PROMPTS, 12, seed=8)
    alone = [generate(model, prompt, 12, seed=8 + n) for n, prompt in enumerate(PROMPTS)]
    assert together == alone
    assert len({tuple(ids) for ids in generate_batch(model, [[4]] * 5, 12)}) == 5


def test_new_weights_answer_at_once(model):
    before, kept = generate(model, [4], 12, temperature=0), model.get_weights()
    model.set_weights([weights[::-1] for weights in kept])
    try:
        after = generate(model, [4], 12, temperature=0)
        again = generate(reads_again(model), [4], 12, temperature=0)
    finally:
        model.set_weights(kept)
    assert after == again != before
    assert generate(model, [4], 12, temperature=0) == before


def test_an_answer_after_fit_is_that_of_the_new_weights():
    keras.utils.set_random_seed(0)
    model = RecurrentLM(vocab_size=9, embed_dim=4, units=6)
    model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    model.optimizer.learning_rate = 0.5
    rows, texts = np.tile([[1, 2, 3, 4]], (8, 1)), []
    for _ in range(3):
        texts.append(generate(model, [1], 12, seed=1))
        assert texts[-1] == generate(reads_again(model), [1], 12, seed=1)
        model.fit(rows, np.roll(rows, -1, axis=1), epochs=3, verbose=0)
    assert texts[0] != texts[1]


def test_threads_do_not_disturb_each_other(model):
    alone = [generate(model, [4, 5], 15, seed=seed) for seed in range(12)]
    found = [None] * 12

    def write(seed):
        found[seed] = generate(model, [4, 5], 15, seed=seed)

    threads = [threading.Thread(target=write, args=(seed,)) for seed in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == alone


def test_an_interrupt_changes_nothing(model, monkeypatch):
    before = generate(model, [4, 5, 6], 10, seed=3)

    def interrupted(*arguments, **keywords):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("lmkit.decoding.compiled.compiled_for", interrupted)
        with pytest.raises(KeyboardInterrupt):
            generate(model, [4, 5, 6], 10, seed=3)
    assert generate(model, [4, 5, 6], 10, seed=3) == before


def test_a_text_may_outgrow_a_transformer():
    keras.utils.set_random_seed(1)
    sizes = {"embed_dim": 8, "num_heads": 2, "ff_dim": 12, "num_layers": 1}
    model = TransformerLM(vocab_size=20, max_length=6, **sizes)
    model(np.ones((1, 3), "int32"))
    model.set_weights([w * 8 for w in model.get_weights()])
    for prompt, length in (([3, 1], 5), ([3, 1], 6), ([3, 1], 20), ([*range(1, 10)], 4)):
        found = generate(model, prompt, length, seed=2)
        assert found == generate(reads_again(model), prompt, length, seed=2)
        assert len(found) == len(prompt) + length
    stop = generate(model, [3, 1], 20, seed=2)[9]  # it ends beyond the window
    found = generate(model, [3, 1], 20, seed=2, stop=stop)
    assert found == generate(reads_again(model), [3, 1], 20, seed=2, stop=stop)


@pytest.mark.parametrize(
    ("prompt", "error"),
    [
        ([], ValueError),
        (np.zeros((0,), int), ValueError),
        ([2, 10], ValueError),
        ([-1, 2], ValueError),
        ([2.0], TypeError),
        ([True], TypeError),
        ("12", TypeError),
        (None, (TypeError, ValueError)),
        ([[1, 2]], (TypeError, ValueError)),
    ],
)
def test_bad_prompts(prompt, error):
    model = RecurrentLM(vocab_size=10, embed_dim=2, units=3)
    for asked in (model, lambda ids: np.zeros(10)):
        with pytest.raises(error, match="prompt"):
            generate(asked, prompt, 3)
        with pytest.raises(error, match="prompt"):
            generate_batch(asked, [[3], prompt], 3)


def test_other_bad_arguments():
    model = RecurrentLM(vocab_size=10, embed_dim=2, units=3)
    for asked in (model, counts_up):
        for length in (0, -1, 2.5, True, None):
            with pytest.raises(ValueError, match="length must be a whole number of at least 1"):
                generate(asked, [1], length)
        with pytest.raises(ValueError, match="seed must be a whole number of at least 0"):
            generate(asked, [1], 3, seed=-1)
        for stop in (10, [2, 10], -1):
            with pytest.raises(ValueError, match=r"10|-1"):
                generate(asked, [1], 3, stop=stop)
        for stop in ("[END]", [2, "[END]"], 2.5):
            with pytest.raises(TypeError):
                generate(asked, [1], 3, stop=stop)
        for prompts in ([], "12", None, [1, 2]):
            with pytest.raises((TypeError, ValueError), match="prompt"):
                generate_batch(asked, prompts, 3)
    with pytest.raises(ValueError, match="no token is possible"):
        generate(counts_up, [8], 5)  # after 9 nothing can come


@pytest.mark.parametrize("asked", [None, 7, "model"])
def test_what_is_neither_a_model_nor_a_function(asked):
    with pytest.raises(TypeError, match="must be a language model or a function, got"):
        generate(asked, [1], 3)


def test_a_model_without_start_and_step_gets_advice():
    chain = [layers.Embedding(9, 4), layers.LSTM(5), layers.Dense(9)]
    for model in (keras.Sequential(chain), rnn_classifier(9, 2, 3)):
        with pytest.raises(TypeError, match=r"start and step.*RecurrentLM.*lambda ids: model"):
            generate(model, [1], 3)


def test_what_is_no_layer_is_not_dropped(rng):
    # A functional model with an operation in it goes through its own call, whole.
    ids = keras.Input((None,), dtype="int32")
    x = layers.Embedding(20, 6)(ids)
    x = x + layers.LSTM(6, return_sequences=True)(x)
    model = keras.Model(ids, layers.Dense(20)(x) / 0.1)
    model.set_weights([rng.normal(size=w.shape) * 0.5 for w in model.get_weights()])
    asked = []

    def function(ids):
        logits = ops.convert_to_numpy(model(np.array([ids])))[0, -1]
        asked.append(logits.argmax())
        return logits

    assert generate(function, [3, 4], 10, temperature=0)[2:] == asked
