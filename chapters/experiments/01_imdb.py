"""Chapter 01's classifiers on the 50,000 real IMDB reviews, over three seeds.

    LMKIT_IMDB=PATH python chapters/experiments/01_imdb.py

PATH is the folder aclImdb or its tarball; without it, 84 MB are downloaded. The vocabulary
comes from the training part alone, the epoch is chosen on 2,500 reviews held out from it, and
the test reviews are used once, at the end. One command line for all scripts: see runner.py.
Takes about an hour on two cores.
"""

from typing import NamedTuple

import keras
import numpy as np
from runner import Experiment, Fit, compile_classifier, main

from lmkit import datasets
from lmkit.models import bag_of_words_classifier, rnn_classifier
from lmkit.tokenizers import WordTokenizer

SETTINGS = {
    "VOCAB_SIZE": 10_000,
    "VALIDATION": 2_500,
    "PAIR_BUCKETS": 2**18,  # pairs of neighboring words share this many numbers
    "BATCH_SIZE": 128,
}


class Variant(NamedTuple):
    """A model, what it reads of a review, and its early stopping."""

    model: str
    length: int  # words per review, counted from its end
    padding: str
    epochs: int
    patience: int


VARIANTS = {
    "bag of words, last 100 words": Variant("bag", 100, "post", 30, 2),
    "bag of words, whole reviews": Variant("bag", 2500, "post", 30, 2),
    "words and word pairs, whole reviews": Variant("pairs", 2500, "post", 30, 2),
    # Article A trains ten epochs whatever happens. All of them are recorded, and the best
    # one is tested.
    "article A's model, last 100 words": Variant("article A", 100, "pre", 10, 10),
    "mean of all states, last 250 words": Variant("mean of states", 250, "post", 4, 1),
}


def model_of(variant):
    """A model and its optimizer."""
    vocab_size, adam = SETTINGS["VOCAB_SIZE"], keras.optimizers.Adam
    if variant.model == "article A":  # its layers, its optimizer, its 100 words
        return rnn_classifier(vocab_size, mask_zero=False), keras.optimizers.RMSprop(1e-3)
    if variant.model == "mean of states":  # the variant of notebook 01b
        model = rnn_classifier(vocab_size, readout="mean", dropout=0.5)
        return model, adam(1e-3, clipnorm=1.0)
    # Logistic regression on counts of words, or of words and pairs of neighbors.
    buckets = SETTINGS["PAIR_BUCKETS"] if variant.model == "pairs" else 0
    return bag_of_words_classifier(vocab_size + buckets), adam(2e-3)


def with_pairs(ids):
    """Ids `(n, T)` followed by an id for each pair of neighbors, `(n, 2 T - 1)`.

    There are far more pairs than numbers for them, so several share one, by chance.
    """
    neighbors = np.lib.stride_tricks.sliding_window_view(ids, 2, axis=1)  # (B, T - 1, 2)
    left, right = neighbors[..., 0].astype("int64"), neighbors[..., 1]  # int32 would overflow
    pairs = SETTINGS["VOCAB_SIZE"] + (left * 31_337 + right) % SETTINGS["PAIR_BUCKETS"]
    return np.concatenate([ids, np.where(right != 0, pairs, 0)], axis=1).astype("int32")


class Data(NamedTuple):
    """Reviews, `(texts, labels)` each, and the tokenizer of the training reviews."""

    train: tuple
    validation: tuple
    test: tuple
    tokenizer: WordTokenizer

    def encode(self, variant, part):
        """Rows of ids, and the labels."""
        texts, labels = part
        sides = {"padding": variant.padding, "truncating": "pre"}  # verdicts come at the end
        ids = self.tokenizer.encode_batch(texts, variant.length, **sides)
        return with_pairs(ids) if variant.model == "pairs" else ids, labels


def load():
    """The reviews without their line breaks, split into three parts."""
    (texts, labels), test = (datasets.load_imdb(split) for split in ("train", "test"))
    order = np.random.default_rng(0).permutation(len(texts))
    parts = [order[SETTINGS["VALIDATION"] :], order[: SETTINGS["VALIDATION"]]]
    parts = [([texts[i] for i in part], labels[part]) for part in parts] + [test]
    parts = [([text.replace("<br />", " ") for text in texts], labels) for texts, labels in parts]
    return Data(*parts, WordTokenizer.train(parts[0][0], SETTINGS["VOCAB_SIZE"]))


def build(variant, data, seed):
    """A classifier, its optimizer and its early stopping."""
    model, optimizer = model_of(variant)
    stop = keras.callbacks.EarlyStopping(
        "val_accuracy", patience=variant.patience, restore_best_weights=True
    )
    options = {"validation_data": data.encode(variant, data.validation), "callbacks": [stop]}
    x, y = data.encode(variant, data.train)
    fit = Fit(x, y, SETTINGS["BATCH_SIZE"], variant.epochs, options)
    return compile_classifier(model, fit, optimizer)


def measure(model, variant, data, history):
    """Accuracy on the test reviews, and the course of the training."""
    names = ("accuracy", "val_accuracy", "loss", "val_loss")
    accuracy = model.evaluate(*data.encode(variant, data.test), batch_size=256, verbose=0)[1]
    return {"test": accuracy, "by_epoch": {name: history[name] for name in names}}


EXPERIMENT = Experiment(
    "01_imdb", SETTINGS, VARIANTS, load, build, measure,
    header=lambda data: {},  # the chapters draw all that the file holds
    seeds=(0, 1, 2),
)  # fmt: skip

if __name__ == "__main__":
    main(EXPERIMENT)
