"""The LSTM models of articles B, C and D at equal cost, over five seeds.

    python chapters/experiments/02_three_articles.py       # one command line for all: see runner.py

Each has the article's layers. B predicts after every word of a story. C and D predict once,
after the last word of a window: here the beginning of a story, cut at random and padded on the
left to the same length, so that a row costs the LSTM the same. D's words arrive as vectors that
somebody else has chosen; here they are drawn at random and never learned. All three are scored
on every word of the same test stories. Takes half an hour on one core.
"""

import math
from typing import NamedTuple

import keras
import numpy as np
from keras import layers
from runner import Experiment, Fit, compile_language_model, main

from lmkit import stories
from lmkit.batches import IGNORE, next_tokens
from lmkit.metrics import token_losses

SETTINGS = {
    "TRAIN_STORIES": 18_000,
    "TEST_STORIES": 100,
    "BATCH_SIZE": 32,
    "EMBED_DIM": 64,
    "UNITS": 128,
    "LEARNING_RATE": 1.6e-2,  # for each of B, C and D the best of four or five, seed 0
}


class Variant(NamedTuple):
    """An article's model, and so many steps that all cost about the same (see --calibrate)."""

    steps: int
    every_word: bool = False  # a prediction after every word, or one after the last
    learned: bool = True  # the word vectors
    spread: float | None = None  # their standard deviation at the start; None: Keras's 0.03


VARIANTS = {
    "B": Variant(1_000, every_word=True),
    "C": Variant(1_350),
    "D": Variant(1_550, learned=False, spread=1.0),
    "C, D's start": Variant(1_350, spread=1.0),  # do D's vectors help, or only their size?
}


class Data(NamedTuple):
    """Training and test stories, `(inputs, targets)` each, and the test stories' texts."""

    train: tuple
    test: tuple
    texts: list


def load():
    """The stories of seeds 1 and 2."""
    train = stories.sample_stories(SETTINGS["TRAIN_STORIES"], seed=1)
    texts = stories.sample_stories(SETTINGS["TEST_STORIES"], seed=2)
    return Data(next_tokens(stories.encode(train)), next_tokens(stories.encode(texts)), texts)


def header(data):
    """Beside the settings: the steps, and the losses to compare with."""
    steps = {name: variant.steps for name, variant in VARIANTS.items()}
    train = stories.sample_stories(SETTINGS["TRAIN_STORIES"], seed=1)
    lines = stories.reference_losses(train, data.texts)
    lines = {name: round(loss, 4) for name, loss in lines.items()}
    return {"settings": SETTINGS, "steps": steps, "lines": lines}


def beginnings(inputs, targets, story, place):
    """Stories up to a place each, padded on the left, and the words that come there.

    Args:
        inputs: ids `(stories, T)`, as `targets`.
        targets: the next word at every place.
        story: which ones `(n,)`.
        place: where each ends `(n,)`.

    Returns:
        Windows `(n, T)` that end with the id at `place`, and the targets `(n,)` there.
    """
    length = inputs.shape[1]
    # Every window ends at its place, so the beginning of a story moves to the right.
    source = np.arange(length) - (length - 1 - place)[:, None]  # where each id comes from
    windows = np.where(source >= 0, inputs[story[:, None], np.maximum(source, 0)], 0)
    return windows, targets[story, place]


def rows(variant, data, rng):
    """As many rows as the steps read, in random order, every story about equally often."""
    inputs, targets = data.train
    count = variant.steps * SETTINGS["BATCH_SIZE"]
    rounds = math.ceil(count / len(inputs))
    story = np.concatenate([rng.permutation(len(inputs)) for _ in range(rounds)])[:count]
    if variant.every_word:
        return inputs[story], targets[story]
    words = (targets[story] != IGNORE).sum(axis=1)
    return beginnings(inputs, targets, story, rng.integers(0, words))


def build(variant, data, seed):
    """The article's layers, and their training."""
    spread = variant.spread
    start = "uniform" if spread is None else keras.initializers.RandomNormal(stddev=spread)
    model = keras.Sequential(
        [
            layers.Embedding(
                stories.tokenizer().vocab_size,
                SETTINGS["EMBED_DIM"],
                embeddings_initializer=start,
                trainable=variant.learned,  # article D reads vectors: a table nobody changes
            ),
            layers.LSTM(SETTINGS["UNITS"], return_sequences=variant.every_word),
            layers.Dense(stories.tokenizer().vocab_size, activation="softmax"),
        ]
    )
    read = rows(variant, data, np.random.default_rng(seed))
    fit = Fit(*read, SETTINGS["BATCH_SIZE"], options={"shuffle": False})
    # The articles' models end in a softmax. Their one-hot targets would give the same loss,
    # but not fit into memory.
    loss = keras.losses.SparseCategoricalCrossentropy(ignore_class=IGNORE)
    rate = SETTINGS["LEARNING_RATE"]
    return compile_language_model(model, fit, rate, loss=loss, xla=False)  # as in 02_stories.py


def measure(model, variant, data, history):
    """The mean -log p of every word of the test stories."""
    inputs, targets = data.test
    if not variant.every_word:
        inputs, targets = beginnings(inputs, targets, *np.nonzero(targets != IGNORE))
    probabilities = model.predict(inputs, batch_size=256, verbose=0)
    losses = token_losses(np.log(np.maximum(probabilities, 1e-30)), targets)
    return {"loss": losses[targets != IGNORE].mean()}


def contenders(data):
    """The three articles' models."""
    return {name: build(VARIANTS[name], data, 0) for name in "BCD"}


EXPERIMENT = Experiment(
    "02_three_articles", SETTINGS, VARIANTS, load, build, measure,
    contenders=contenders, header=header,
)  # fmt: skip

if __name__ == "__main__":
    main(EXPERIMENT)
