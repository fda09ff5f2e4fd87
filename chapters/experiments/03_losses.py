"""What does a mistaken loss cost? One small LSTM, three losses, the same training, five seeds.

    python chapters/experiments/03_losses.py

The three losses differ in one thing: what they take the model's outputs for. Writes, after
every run, chapters/results/03_losses.json. Takes about five minutes on one core. Run it on
the TensorFlow backend: what Keras makes of outputs that are no probabilities depends on it.
"""

import json
import pathlib

import keras
import numpy as np
from keras import ops

from lmkit import stories
from lmkit.callbacks import EpochReport
from lmkit.files import write_atomic
from lmkit.metrics import token_losses
from lmkit.models import lstm_lm

RESULTS = pathlib.Path(__file__).parents[1] / "results" / "03_losses.json"
SEEDS = range(5)
SETTINGS = {
    "TRAIN_STORIES": 960,
    "TEST_STORIES": 300,
    "EMBED_DIM": 64,
    "UNITS": 64,
    "BATCH_SIZE": 32,
    "EPOCHS": 10,
    "LEARNING_RATE": 5e-3,
}
from_logits = keras.losses.SparseCategoricalCrossentropy(from_logits=True, ignore_class=0)
article_e = keras.losses.SparseCategoricalCrossentropy(ignore_class=0)


def softmax_twice(targets, logits):
    """The loss that takes probabilities for logits."""
    # Times 1: TensorFlow's Keras would find the logits behind a softmax, and use them.
    return from_logits(targets, ops.softmax(logits) * 1.0)


def as_trained(name, logits):
    """Logits whose softmax is the distribution that a loss trained: what the loss saw."""
    if name == "article E":
        return np.log(np.clip(logits.astype("float64"), 1e-7, 1 - 1e-7))
    if name == "softmax twice":
        weights = np.exp(logits - logits.max(axis=-1, keepdims=True))
        return weights / weights.sum(axis=-1, keepdims=True)
    return logits


LOSSES = {"from logits": from_logits, "article E": article_e, "softmax twice": softmax_twice}


def measure(name, logits, targets):
    """Losses in nats a token, and the share of tokens that are guessed rightly."""
    counts = targets != 0
    return {
        "read as softmax": token_losses(logits, targets)[counts].mean(),
        "read as trained": token_losses(as_trained(name, logits), targets)[counts].mean(),
        "accuracy": (logits.argmax(axis=-1) == targets)[counts].mean(),
    }


def run(name, seed, train, test):
    """Trains one model and measures it on held-out stories."""
    keras.utils.clear_session()
    keras.utils.set_random_seed(seed)
    vocab_size = stories.tokenizer().vocab_size
    model = lstm_lm(vocab_size, SETTINGS["EMBED_DIM"], SETTINGS["UNITS"])
    model.compile(keras.optimizers.Adam(SETTINGS["LEARNING_RATE"]), LOSSES[name], jit_compile=True)
    first = model.evaluate(test[:, :-1], test[:, 1:], batch_size=len(test), verbose=0)
    history = model.fit(
        train[:, :-1],
        train[:, 1:],
        batch_size=SETTINGS["BATCH_SIZE"],
        epochs=SETTINGS["EPOCHS"],
        verbose=0,
        callbacks=[EpochReport()],
    )
    found = measure(name, model.predict(test[:, :-1], verbose=0), test[:, 1:])
    found |= {"before training": first, "reported": history.history["loss"][-1]}
    return {measured: float(f"{value:.4g}") for measured, value in found.items()}


def main():
    """Trains with every loss and every seed and writes the table."""
    train = stories.encode(stories.sample_stories(SETTINGS["TRAIN_STORIES"], seed=3))
    test = stories.encode(stories.sample_stories(SETTINGS["TEST_STORIES"], seed=4))
    results = {"settings": SETTINGS}
    for name in LOSSES:
        runs = [run(name, seed, train, test) for seed in SEEDS]
        results[name] = {measured: [found[measured] for found in runs] for measured in runs[0]}
        print(name, results[name], flush=True)
        write_atomic(RESULTS, json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()
