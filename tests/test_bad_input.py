"""Every wrong input of tests/bad_input.py gets its message, and the page says which."""

import bad_input
import keras
import numpy as np
import pytest
from keras import ops

from lmkit.batches import IGNORE
from lmkit.decoding import generate
from lmkit.models import RecurrentLM, TransformerLM, rnn_classifier
from lmkit.training import lm_loss

ALL = [(title, *case) for title, cases in bad_input.CASES.items() for case in cases]


@pytest.fixture(scope="module")
def found():
    return bad_input.names()


@pytest.mark.parametrize(
    ("call", "kind", "words"),
    [case[2:] for case in ALL],
    ids=[f"{title}: {what}" for title, what, *_ in ALL],
)
def test_the_message_says_what_is_wrong(found, tmp_path, call, kind, words):
    raised, text = bad_input.message(call, found, tmp_path)
    assert raised is not None, f"{call} was accepted"
    assert issubclass(raised, kind), f"{raised.__name__}: {text}"
    assert words in text


def test_there_are_enough_cases_and_none_twice():
    calls = [call for _, _, call, _, _ in ALL]
    assert len(calls) == len(set(calls)) >= 40


def test_an_accepted_call_would_be_noticed(found, tmp_path):
    assert bad_input.message("words.encode('film')", found, tmp_path) == (None, "no error")


def test_the_page_is_in_step():
    assert bad_input.PAGE.read_text(encoding="utf-8") == bad_input.page(), (
        "write it again: python tests/bad_input.py"
    )


# What looks wrong and is right, or cannot raise.

SIZES = {
    RecurrentLM: {"vocab_size": 9, "embed_dim": 2, "units": 3},
    TransformerLM: {
        "vocab_size": 9, "max_length": 6, "embed_dim": 4, "num_heads": 2, "ff_dim": 8,
        "num_layers": 1,
    },
}  # fmt: skip


@pytest.mark.parametrize("kind", [np.int64, np.int32, np.uint8])
@pytest.mark.parametrize("model", SIZES, ids=lambda model: model.__name__)
def test_numpys_whole_numbers_are_sizes(model, kind, tmp_path):
    made = model(**{name: kind(size) for name, size in SIZES[model].items()})
    assert made(np.ones((1, 5), "int32")).shape == (1, 5, 9)
    assert type(made.vocab_size) is int
    # Keras writes sizes into a file as JSON, which knows no NumPy.
    made.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    assert again.get_config() == made.get_config()


def test_numpys_whole_numbers_are_sizes_of_a_classifier():
    model = rnn_classifier(np.int64(9), np.int64(2), np.int64(3))
    assert model(np.ones((1, 5), "int32")).shape == (1, 1)


@pytest.mark.parametrize("jit_compile", [False, True], ids=["", "XLA"])
@pytest.mark.parametrize("model", SIZES, ids=lambda model: model.__name__)
def test_an_input_outside_the_vocabulary_makes_the_loss_nan(model, jit_compile):
    made = model(**SIZES[model])
    made.compile("sgd", lm_loss(), jit_compile=jit_compile)
    weights, targets = made.get_weights(), np.array([[2, 3, 4]])
    for wrong in (9, 99, -1, 8):  # the last one is inside
        made.set_weights(weights)
        losses = made.fit(np.array([[1, wrong, 3]]), targets, verbose=0).history["loss"]
        assert np.isnan(losses).all() == (wrong != 8)


def test_a_whole_batch_of_ignored_targets_moves_nothing():
    made = RecurrentLM(**SIZES[RecurrentLM])
    made.compile("sgd", lm_loss(), jit_compile=True)
    before = made.get_weights()
    made.fit(np.ones((2, 3), "int32"), np.full((2, 3), IGNORE), verbose=0)
    for old, new in zip(before, made.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)


def test_no_ids_to_stop_at_are_none():
    model = RecurrentLM(**SIZES[RecurrentLM])
    assert generate(model, [1], 5, stop=[]) == generate(model, [1], 5)
    assert generate(model, np.array([1]), np.int64(5), stop=np.array([], int))[:1] == [1]


def test_a_model_goes_on_after_a_wrong_call():
    model = RecurrentLM(**SIZES[RecurrentLM])
    before = generate(model, [1, 2], 4)
    for wrong in ([9], [-1], []):
        with pytest.raises(ValueError):
            generate(model, wrong, 4)
    with pytest.raises(ValueError):
        model(ops.ones(3, "int32"))
    assert generate(model, [1, 2], 4) == before
