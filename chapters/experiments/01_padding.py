"""Why does chapter 01's network fail without a mask? How many zeros follow the text decides.

    python chapters/experiments/01_padding.py       # one command line for all: see runner.py

The same network without a mask, on rows that differ only in the zeros after the last word: as
many after every review, or a number that depends on the review's length. Takes about ten
minutes on two cores.
"""

from typing import NamedTuple

import keras
import numpy as np
from runner import Experiment, Fit, compile_classifier, main

from lmkit import datasets
from lmkit.models import rnn_classifier
from lmkit.tokenizers import WordTokenizer

SETTINGS = {
    "LONGEST": 50,  # words in the longest review
    "EPOCHS": 5,
    "BATCH_SIZE": 64,
    "LEARNING_RATE": 2e-3,
}


class Variant(NamedTuple):
    """How many zeros follow the last word; None: as many as the row has left."""

    zeros: int | None


# The same number for every review, short and long: is it the number, or that it varies?
VARIANTS = {
    "always 10 zeros": Variant(10),
    "0 to 30 zeros, by length": Variant(None),
    "always 50 zeros": Variant(50),
}


class Data(NamedTuple):
    """Reviews, `(texts, labels)` each, and the tokenizer of the training reviews."""

    train: tuple
    validation: tuple
    tokenizer: WordTokenizer


def load():
    """The course's own reviews."""
    train, validation = (datasets.load_reviews(split) for split in ("train", "validation"))
    return Data(train, validation, WordTokenizer.train(train[0]))


def encode(variant, tokenizer, texts):
    """Rows of ids with the variant's zeros after the last word."""
    if variant.zeros is None:
        return tokenizer.encode_batch(texts, SETTINGS["LONGEST"])
    # All other zeros stand in front, where the network reads them before any word.
    ids = tokenizer.encode_batch(texts, SETTINGS["LONGEST"], padding="pre")
    return np.pad(ids, ((0, 0), (0, variant.zeros)))


def build(variant, data, seed):
    """The chapter's network without a mask."""
    model = rnn_classifier(data.tokenizer.vocab_size, mask_zero=False)
    train, validation = (
        (encode(variant, data.tokenizer, texts), labels)
        for texts, labels in (data.train, data.validation)
    )
    options = {"validation_data": validation}
    fit = Fit(*train, SETTINGS["BATCH_SIZE"], SETTINGS["EPOCHS"], options)
    return compile_classifier(model, fit, keras.optimizers.Adam(SETTINGS["LEARNING_RATE"]))


def measure(model, variant, data, history):
    """The best validation accuracy of any epoch."""
    return max(history["val_accuracy"])  # generous: even so, two of the three learn nothing


EXPERIMENT = Experiment(
    "01_padding", SETTINGS, VARIANTS, load, build, measure,
    header=lambda data: {},  # chapter 01 draws all that the file holds
    as_lists=True,
)  # fmt: skip

if __name__ == "__main__":
    main(EXPERIMENT)
