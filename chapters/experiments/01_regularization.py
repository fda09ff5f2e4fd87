"""Does regularization help? An LSTM on 2,000 of chapter 01's reviews, one label in ten wrong.

    python chapters/experiments/01_regularization.py       # one command line for all: see runner.py

Wrong labels cannot be learned from the text, only by heart: so memorizing shows, and costs
accuracy on other reviews. Every run goes to its last epoch and is tested after each, so that
stopping earlier can be read from the same run. Takes about three minutes on two cores.
"""

from typing import NamedTuple

import keras
import numpy as np
from runner import Experiment, Fit, main

from lmkit import datasets
from lmkit.tokenizers import WordTokenizer

SETTINGS = {
    "REVIEWS": 2_000,
    "WRONG": 200,  # of the training labels; those of validation and test stay right
    "LAST_WORDS": 20,  # of a review, where most of the verdict is: half the time of all 50
    "EMBED_DIM": 64,
    "UNITS": 32,
    "BATCH_SIZE": 100,
    "LEARNING_RATE": 7e-3,
    "EPOCHS": 20,
}


class Variant(NamedTuple):
    """The share of numbers that dropout sets to zero in training."""

    dropout: float


VARIANTS = {"plain": Variant(0.0), "dropout": Variant(0.5)}


class Data(NamedTuple):
    """Ids and labels of the three parts."""

    train: tuple
    validation: tuple
    test: tuple
    vocab_size: int


def load():
    """The reviews' last words, as ids; every tenth training label is turned around."""
    parts = [datasets.load_reviews(split) for split in ("train", "validation", "test")]
    tokenizer = WordTokenizer.train(parts[0][0])
    length = SETTINGS["LAST_WORDS"]
    parts = [
        (tokenizer.encode_batch(texts, length, truncating="pre"), labels) for texts, labels in parts
    ]
    ids, labels = (part[: SETTINGS["REVIEWS"]].copy() for part in parts[0])
    wrong = np.random.default_rng(0).permutation(len(labels))[: SETTINGS["WRONG"]]
    labels[wrong] = 1 - labels[wrong]
    return Data((ids, labels), *parts[1:], tokenizer.vocab_size)


class TestedEveryEpoch(keras.callbacks.Callback):
    """Adds the loss and the accuracy on the test reviews to the logs."""

    def __init__(self, test):
        super().__init__()
        self.test = test

    def on_epoch_end(self, epoch, logs=None):
        """Nothing is chosen by these numbers."""
        loss, accuracy = self.model.evaluate(*self.test, batch_size=500, verbose=0)
        logs |= {"test_loss": loss, "test_accuracy": accuracy}


def build(variant, data, seed):
    """Embedding, LSTM, sigmoid, with dropout before the last two."""
    model = keras.Sequential(
        [
            keras.Input((SETTINGS["LAST_WORDS"],), dtype="int32"),
            keras.layers.Embedding(data.vocab_size, SETTINGS["EMBED_DIM"], mask_zero=True),
            keras.layers.Dropout(variant.dropout),
            keras.layers.LSTM(SETTINGS["UNITS"]),
            keras.layers.Dropout(variant.dropout),
            keras.layers.Dense(1, activation="sigmoid"),
        ]
    )
    adam = keras.optimizers.Adam(SETTINGS["LEARNING_RATE"])
    model.compile(adam, "binary_crossentropy", metrics=["accuracy"], jit_compile=False)
    options = {
        "validation_data": data.validation,
        "validation_batch_size": 500,
        "callbacks": [TestedEveryEpoch(data.test)],
    }
    return model, Fit(*data.train, SETTINGS["BATCH_SIZE"], SETTINGS["EPOCHS"], options)


def measure(model, variant, data, history):
    """The course of the run, and the test reviews at its best epoch and at its end."""
    best = int(np.argmin(history["val_loss"]))
    found = {"by_epoch": history}
    for name, epoch in (("stopped", best), ("end", len(history["loss"]) - 1)):
        loss, accuracy = history["test_loss"][epoch], history["test_accuracy"][epoch]
        found[name] = {"epoch": epoch + 1, "test_loss": loss, "test_accuracy": accuracy}
    return found


EXPERIMENT = Experiment("01_regularization", SETTINGS, VARIANTS, load, build, measure)

if __name__ == "__main__":
    main(EXPERIMENT)
