"""Bits per character on real prose: chapter 02's model on Python's documentation, five seeds.

    python chapters/experiments/02b_python_docs.py       # one command line for all: see runner.py

Every paragraph is kept once, the last tenth is held out, and only then are windows cut. Takes
twenty minutes on two cores. The text differs a little between Python versions; runs.json says
with which one a run was made.
"""

from typing import NamedTuple

import keras
import numpy as np
from runner import Experiment, Fit, compile_language_model, main

from lmkit.batches import IGNORE, windows
from lmkit.datasets import load_python_docs
from lmkit.metrics import score_tokens
from lmkit.models import RecurrentLM
from lmkit.tokenizers import CharTokenizer
from lmkit.training import lm_loss

SETTINGS = {
    "WINDOW": 128,
    "BATCH_SIZE": 32,
    "EMBED_DIM": 64,
    "UNITS": 256,
    "PASSES": 10,
    "LEARNING_RATE": 8e-3,
}
VARIANTS = {"runs": None}  # one model only, under the name by which chapter 02b finds it
RATES = (0.0, 0.1, 0.3, 1.0)  # of the model that learns on while it is tested; 0 learns nothing


class Data(NamedTuple):
    """The ids `(characters,)` of the training and the held-out text."""

    train: np.ndarray
    held_out: np.ndarray
    vocab_size: int


def split():
    """The two texts: paragraphs that occur once, split at nine tenths."""
    # A paragraph on both sides of the split would be recited, not predicted.
    text = "\n\n".join(dict.fromkeys(load_python_docs().split("\n\n")))
    cut = text.index("\n\n", len(text) * 9 // 10)
    return text[:cut], text[cut:]


def load():
    """The two texts as ids; the characters are those of the training text."""
    train, held_out = split()
    tokenizer = CharTokenizer.train([train])
    ids = (np.array(tokenizer.encode(text)) for text in (train, held_out))
    return Data(*ids, tokenizer.vocab_size)


def build(variant, data, seed):
    """A model with the notebook's sizes, and its training."""
    sizes = {"embed_dim": SETTINGS["EMBED_DIM"], "units": SETTINGS["UNITS"]}
    model = RecurrentLM(vocab_size=data.vocab_size, **sizes)
    rows = windows(data.train, SETTINGS["WINDOW"])  # (N, 128) inputs and targets
    fit = Fit(*rows, SETTINGS["BATCH_SIZE"], SETTINGS["PASSES"])
    # XLA makes a step of this LSTM 1.5 times as long.
    return compile_language_model(model, fit, SETTINGS["LEARNING_RATE"], xla=False)


def bits(model, inputs, targets):
    """Bits per character."""
    losses = score_tokens(model, inputs, targets)
    return losses[targets != IGNORE].mean() / np.log(2)


def bits_while_learning(model, inputs, targets):
    """Bits per character of windows that are predicted first and learned from afterwards.

    A dict from each rate to the bits on the first third, on which a rate may be chosen, and
    on the rest.
    """
    start, found = model.get_weights(), {}  # every rate begins with the trained model
    characters, third = (targets != IGNORE).sum(axis=1), len(inputs) // 3
    model.compile(keras.optimizers.SGD(0.1, global_clipnorm=1.0), lm_loss(), jit_compile=False)
    for rate in RATES:
        model.optimizer.learning_rate = rate
        nats = []
        for row in zip(inputs[:, None], targets[:, None], strict=True):
            model.reset_metrics()  # some versions of Keras average over the calls
            # The loss that comes back is that of the weights before the step.
            nats.append(float(model.train_on_batch(*row, return_dict=True)["loss"]))
        model.set_weights(start)
        parts = (slice(third), slice(third, None))
        # The last window is not full: a mean over windows would count its characters too much.
        found[str(rate)] = [
            np.average(nats[part], weights=characters[part]) / np.log(2) for part in parts
        ]
    return found


def measure(model, variant, data, history):
    """Bits on both texts, the held-out one read in three ways."""
    held_out = windows(data.held_out, SETTINGS["WINDOW"])
    return {
        "training": bits(model, *windows(data.train, SETTINGS["WINDOW"])),
        "held out, windows": bits(model, *held_out),
        # Read as one text: the state is carried from the first character to the last.
        "held out, one row": bits(model, *windows(data.held_out, len(data.held_out) - 1)),
        # The last, because it compiles the model anew.
        "held out, learning on": bits_while_learning(model, *held_out),
    }


EXPERIMENT = Experiment("02b_python_docs", SETTINGS, VARIANTS, load, build, measure)

if __name__ == "__main__":
    main(EXPERIMENT)
