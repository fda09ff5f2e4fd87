"""Classifiers of IMDB reviews from 50 to 12,000 labels, with and without word vectors, five seeds.

    LMKIT_IMDB=PATH python chapters/experiments/06b_few_reviews.py

The vectors come from the texts of all 25,000 training reviews, without their labels: counts of
neighbors, positive PMI, singular value decomposition, as in chapter 06. No random number is in
them, so all seeds share them. A seed decides which reviews are labeled, and where the rest of a
model starts. All starts get the same number of steps, and nothing is chosen by their results.
One command line for all scripts: see runner.py. Takes about fifteen minutes on one core.
"""

import importlib
from typing import NamedTuple

import keras
import numpy as np
from runner import Experiment, Fit, main

from lmkit import datasets
from lmkit.models import rnn_classifier
from lmkit.tokenizers import WordTokenizer
from lmkit.training import warmup_cosine
from lmkit.vectors import cooccurrences

pmi_vectors = importlib.import_module("06b_vectors_from_real_text").pmi_vectors

SETTINGS = {
    "VOCAB_SIZE": 5_000,
    "WINDOW": 5,
    "EMBED_DIM": 64,
    "TEST": 5_000,
    "LENGTH": 100,  # words that the recurrent network reads: the last ones
    "BATCH_SIZE": 32,
    "EPOCHS": 4,  # with few reviews more, for as many steps as this:
    "STEPS": 300,
    "LEARNING_RATE": {"mean": 1e-2, "mean, fixed": 1e-1, "network": 1e-3},
    "SCALE": 5.0,  # the length of the vectors at the start
}


class Variant(NamedTuple):
    """A classifier, where its vectors start, and how many labeled reviews it gets."""

    model: str
    start: str
    reviews: int


SIZES = (50, 200, 800, 3_000, 12_000)
STARTS = ("random", "vectors", "vectors, fixed")
VARIANTS = {
    f"{model}, {start}, {size}": Variant(model, start, size)
    for model, starts, sizes in (("mean", STARTS, SIZES), ("network", STARTS[:2], (800,)))
    for start in starts
    for size in sizes
}


class Data(NamedTuple):
    """Ids of reviews, labels, and a table of vectors; id 0 is padding, 1 the unknown word."""

    train: tuple
    test: tuple
    vectors: np.ndarray


def load():
    """The reviews as ids, split, and vectors from the texts of the training part alone."""
    rng = np.random.default_rng(0)
    parts = []
    for split in ("train", "test"):
        texts, labels = datasets.load_imdb(split)
        order = rng.permutation(len(texts))
        parts.append(([texts[i].replace("<br />", " ") for i in order], labels[order]))
    (texts, labels), (test_texts, test_labels) = parts
    tokenizer = WordTokenizer.train(texts, SETTINGS["VOCAB_SIZE"])
    ids = [tokenizer.encode(text) for text in texts]
    test = [tokenizer.encode(text) for text in test_texts[: SETTINGS["TEST"]]]
    counts = cooccurrences(ids, SETTINGS["VOCAB_SIZE"], SETTINGS["WINDOW"])
    vectors = keras.utils.normalize(pmi_vectors(counts, SETTINGS["EMBED_DIM"]))
    return Data((ids, labels), (test, test_labels[: SETTINGS["TEST"]]), vectors)


def inputs(variant, texts):
    """For the mean: each word's share of a review. For the network: the last words."""
    if variant.model == "mean":
        rows = np.zeros((len(texts), SETTINGS["VOCAB_SIZE"]), "float32")
        for row, text in zip(rows, texts, strict=True):
            np.add.at(row, text, 1 / max(len(text), 1))
        return rows
    rows = np.zeros((len(texts), SETTINGS["LENGTH"]), "int32")
    for row, text in zip(rows, texts, strict=True):
        last = text[-SETTINGS["LENGTH"] :]
        row[: len(last)] = last
    return rows


def classifier(variant, vectors):
    """The mean of a review's vectors and a dense layer, or chapter 01's recurrent network."""
    vocab_size, size = vectors.shape
    if variant.model == "network":
        model = rnn_classifier(vocab_size, embed_dim=size, units=64, readout="mean", dropout=0.5)
        table = model.layers[1]
    else:
        # Shares of words times a table of vectors are the mean vector.
        even = keras.initializers.RandomUniform(-0.05, 0.05)  # as in an embedding
        table = keras.layers.Dense(size, use_bias=False, kernel_initializer=even)
        answer = keras.layers.Dense(1, activation="sigmoid")
        model = keras.Sequential([keras.Input((vocab_size,)), table, answer])
    if variant.start != "random":
        table.set_weights([SETTINGS["SCALE"] * vectors])
    table.trainable = variant.start != "vectors, fixed"
    return model


def build(variant, data, seed):
    """The classifier, the reviews that its seed draws, and as many steps for all starts."""
    texts, labels = data.train
    chosen = np.random.default_rng(seed).permutation(len(texts))[: variant.reviews]
    x, y = inputs(variant, [texts[i] for i in chosen]), labels[chosen]
    # Few reviews are repeated, which is faster than hundreds of short epochs.
    times = max(1, round(SETTINGS["STEPS"] * SETTINGS["BATCH_SIZE"] / len(x)))
    epochs = SETTINGS["EPOCHS"] if times < SETTINGS["EPOCHS"] else 1
    if epochs == 1:
        x, y = np.tile(x, (times, 1)), np.tile(y, times)
    fit = Fit(x, y, SETTINGS["BATCH_SIZE"], epochs)
    model = classifier(variant, data.vectors)
    name = variant.model + ", fixed" * (variant.start == "vectors, fixed")
    rate = warmup_cosine(SETTINGS["LEARNING_RATE"][name], fit.steps)
    adam = keras.optimizers.Adam(rate, beta_2=0.98, global_clipnorm=1.0)
    model.compile(adam, "binary_crossentropy", metrics=["accuracy"], jit_compile=False)
    return model, fit


def measure(model, variant, data, history):
    """Accuracy on the test reviews, and on the labeled ones in the last epoch."""
    texts, labels = data.test
    right = 0
    for first in range(0, len(texts), 1_000):  # a table of shares is large
        part = slice(first, first + 1_000)
        answers = model.predict(inputs(variant, texts[part]), batch_size=250, verbose=0)[:, 0]
        right += int(((answers > 0.5) == labels[part]).sum())
    return {"test": right / len(texts), "labeled": history["accuracy"][-1]}


EXPERIMENT = Experiment("06b_few_reviews", SETTINGS, VARIANTS, load, build, measure)

if __name__ == "__main__":
    main(EXPERIMENT)
