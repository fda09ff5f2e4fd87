"""What does a mistaken loss cost? One small LSTM, three losses, the same training, five seeds.

    python chapters/experiments/03_losses.py       # one command line for all: see runner.py

The three losses differ in one thing: what they take the model's outputs for. Takes about five
minutes on one core. Run it on the TensorFlow backend: what Keras makes of outputs that are not
probabilities depends on it.
"""

from typing import NamedTuple

import keras
import numpy as np
from keras import ops
from runner import Experiment, Fit, main

from lmkit import stories
from lmkit.batches import IGNORE, next_tokens
from lmkit.metrics import token_losses
from lmkit.models import RecurrentLM
from lmkit.training import lm_loss

SETTINGS = {
    "TRAIN_STORIES": 960,
    "TEST_STORIES": 300,
    "EMBED_DIM": 64,
    "UNITS": 64,
    "BATCH_SIZE": 32,
    "EPOCHS": 10,
    "LEARNING_RATE": 5e-3,
}


class Variant(NamedTuple):
    """What the loss takes the logits for: "logits", "probabilities", or "softmax" of them."""

    reads: str


# The names by which chapter 03 finds them.
VARIANTS = {
    "from logits": Variant("logits"),
    "article E": Variant("probabilities"),  # forgot from_logits=True
    "softmax twice": Variant("softmax"),
}
from_logits = lm_loss()


def softmax_twice(targets, logits):
    """The loss that takes probabilities for logits."""
    # Times 1: TensorFlow's Keras would find the logits behind a softmax, and use them.
    return from_logits(targets, ops.softmax(logits) * 1.0)


LOSSES = {
    "logits": from_logits,
    "probabilities": keras.losses.SparseCategoricalCrossentropy(ignore_class=IGNORE),
    "softmax": softmax_twice,
}


def as_trained(reads, logits):
    """Logits whose softmax is the distribution that a loss trained: what the loss saw."""
    if reads == "probabilities":
        # Keras clips to its epsilon before it takes logarithms and the softmax of them.
        return np.log(np.clip(logits.astype("float64"), 1e-7, 1 - 1e-7))
    if reads == "softmax":
        # The first softmax; the second one is that of whoever reads the result.
        weights = np.exp(logits - logits.max(axis=-1, keepdims=True))
        return weights / weights.sum(axis=-1, keepdims=True)
    return logits


def load():
    """Training and test stories, `(inputs, targets)` each."""
    counts = {3: SETTINGS["TRAIN_STORIES"], 4: SETTINGS["TEST_STORIES"]}  # by seed, as chapter 03
    texts = [stories.sample_stories(count, seed) for seed, count in counts.items()]
    return [next_tokens(stories.encode(part)) for part in texts]


def build(variant, data, seed):
    """Chapter 03's small LSTM, with one of the losses."""
    sizes = {"embed_dim": SETTINGS["EMBED_DIM"], "units": SETTINGS["UNITS"]}
    model = RecurrentLM(vocab_size=stories.tokenizer().vocab_size, **sizes)
    # The plainest training there is: schedule and clipping could hide what the loss does.
    optimizer = keras.optimizers.Adam(SETTINGS["LEARNING_RATE"])
    model.compile(optimizer, LOSSES[variant.reads], jit_compile=False)
    return model, Fit(*data[0], SETTINGS["BATCH_SIZE"], SETTINGS["EPOCHS"])


def before(model, variant, data):
    """The loss that the untrained model reports on the test stories."""
    inputs, targets = data[1]
    # In one batch: Keras's mean over batches weighs stories, not tokens.
    loss = model.evaluate(inputs, targets, batch_size=len(inputs), verbose=0)
    return {"before training": loss}


def read_as(reads, logits, targets):
    """Losses in nats per token, and the share of tokens that are guessed correctly."""
    scored = targets != IGNORE
    return {
        # As generate would use the model, and as its own loss has trained it.
        "read as softmax": token_losses(logits, targets)[scored].mean(),
        "read as trained": token_losses(as_trained(reads, logits), targets)[scored].mean(),
        "accuracy": (logits.argmax(axis=-1) == targets)[scored].mean(),
    }


def measure(model, variant, data, history):
    """What the loss reported last, and how good the model is on the test stories."""
    inputs, targets = data[1]
    found = read_as(variant.reads, model.predict(inputs, verbose=0), targets)
    return {**found, "reported": history["loss"][-1]}


EXPERIMENT = Experiment(
    "03_losses", SETTINGS, VARIANTS, load, build, measure, before, as_lists=True
)

if __name__ == "__main__":
    main(EXPERIMENT)
