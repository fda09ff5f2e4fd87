"""How far from the floor? SimpleRNN, GRU and LSTM on stories, at equal cost, over five seeds.

    python chapters/experiments/02_stories.py       # one command line for all: see runner.py

Every model trains on the same stories. What is stored of each run: the gap to the floor, where
it comes from (kind and distance of what a token depends on), and how much of a loss's gradient
reaches a word further back. The weights of the LSTM of seed 0 are those that chapter 03 loads.
Takes an hour on one core.
"""

from typing import NamedTuple

import numpy as np
from keras import ops
from runner import Experiment, Fit, compile_language_model, main

from lmkit import stories
from lmkit.backend import value_and_gradients
from lmkit.batches import IGNORE, next_tokens
from lmkit.callbacks import GapToFloor
from lmkit.metrics import score_tokens
from lmkit.models import RecurrentLM

SETTINGS = {
    "TRAIN_STORIES": 18_000,
    "TEST_STORIES": 1_000,
    "BATCH_SIZE": 32,
    "EMBED_DIM": 64,
    "UNITS": 128,
    "WARMUP": 100,  # steps in which the learning rate grows from 0
}


class Variant(NamedTuple):
    """A model, how often it reads the stories, and its largest learning rate.

    The passes are chosen so that all cost about the same seconds (see --calibrate), the
    rate is the best of two or three tried with seed 0.
    """

    cell: str
    passes: int
    learning_rate: float
    gate_bias: float | None = None


VARIANTS = {
    "simple": Variant("simple", 7, 2e-3),
    "lstm": Variant("lstm", 4, 8e-3),
    "gru": Variant("gru", 4, 8e-3),
    "gru, open": Variant("gru", 4, 8e-3, gate_bias=3.0),
    "lstm, half open": Variant("lstm", 4, 8e-3, gate_bias=0.0),
}
CONTENDERS = ("simple", "gru", "lstm")  # a bias costs nothing
KINDS = ("free", "local", "middle", "long")
DISTANCES = (1, 3, 6, 10, 20, 40, 80)  # a bucket reaches up to the next number
BACK = 72  # how far back the gradient is followed: beyond the first weekday of most stories


class Data(NamedTuple):
    """Training and test stories, `(inputs, targets)` each, and the texts of the test stories."""

    train: tuple
    test: tuple
    texts: list

    def first(self, count):
        """The same with so many test stories, for measures that take long."""
        return Data(self.train, tuple(part[:count] for part in self.test), self.texts[:count])

    def floors(self):
        """-log p of every token of the test stories, one story after the other."""
        return -np.concatenate([stories.log_probabilities(text) for text in self.texts])


def load(settings=SETTINGS):
    """The stories of seeds 1 and 2, which the chapters use too."""
    train = stories.encode(stories.sample_stories(settings["TRAIN_STORIES"], seed=1))
    texts = stories.sample_stories(settings["TEST_STORIES"], seed=2)
    test = stories.encode(texts)
    # One length for both, because a Transformer has so many positions.
    length = max(map(len, train + test)) - 1
    return Data(next_tokens(train, length), next_tokens(test, length), texts)


def fit_of(data, batch_size, passes):
    """So many passes over the training stories, with the gap to the floor after each."""
    gap = GapToFloor(*data.test, data.floors().mean())
    return Fit(*data.train, batch_size, passes, {"callbacks": [gap]})


def build(variant, data, seed):
    """A model with the course's sizes, and its training."""
    model = RecurrentLM(
        vocab_size=stories.tokenizer().vocab_size,
        embed_dim=SETTINGS["EMBED_DIM"],
        units=SETTINGS["UNITS"],
        cell=variant.cell,
        gate_bias=variant.gate_bias,
    )
    fit = fit_of(data, SETTINGS["BATCH_SIZE"], variant.passes)
    # XLA runs a recurrent loop word by word: a step of these LSTMs takes 1.2 times as long, of
    # SimpleRNN as well. The GRU, whose step has more small parts to join, gains by it.
    xla = variant.cell == "gru"
    return compile_language_model(model, fit, variant.learning_rate, SETTINGS["WARMUP"], xla=xla)


def where_the_gap_is(model, data):
    """The loss above the floor, by kind and by distance of what a token depends on."""
    inputs, targets = data.test
    losses = score_tokens(model, inputs, targets)
    excess = losses[targets != IGNORE] - data.floors()
    pairs = map(stories.token_kinds, data.texts)
    kinds, distances = map(np.concatenate, zip(*pairs, strict=True))
    buckets = np.digitize(distances, DISTANCES)  # 0 for tokens that depend on nothing
    chosen = [buckets == bucket for bucket in range(1, len(DISTANCES))]
    return {
        "gap": excess.mean(),
        # These four add up to the gap.
        "kinds": {kind: excess[kinds == kind].sum() / len(excess) for kind in KINDS},
        # These are means over the tokens of each bucket.
        "distances": [excess[which].mean() for which in chosen],
        "tokens": [which.sum() for which in chosen],
    }


def gradient_back(model, data):
    """|d loss at the last weekday / d embedding| of the words 0, 1, ... BACK tokens before.

    Mean over stories of the norm. The last weekday ("What a Monday !") repeats a word some 72
    tokens back, so a model can only learn it if this gradient does not vanish.
    """
    inputs, targets = data.test
    places = np.array([len(text.split()) - 3 for text in data.texts])  # of the weekday
    story = np.arange(len(inputs))

    def loss_at_the_weekday(embedded):
        states, *_ = model.recurrent(embedded)  # (B, T, U)
        logp = ops.log_softmax(model.head(states), axis=-1)  # (B, T, V)
        wanted = ops.one_hot(targets[story, places], model.vocab_size)[:, None]  # (B, 1, V)
        here = ops.one_hot(places, inputs.shape[1])[..., None]  # (B, T, 1)
        return -ops.sum(logp * wanted * here)

    _, (gradient,) = value_and_gradients(loss_at_the_weekday, model.embedding(inputs))
    norms = np.linalg.norm(ops.convert_to_numpy(gradient), axis=-1)  # (B, T)
    return [norms[story, places - back].mean() for back in range(BACK + 1)]


def before(model, variant, data):
    """What reaches back in the untrained model."""
    return {"gradient before": gradient_back(model, data.first(100))}


def measure(model, variant, data, history):
    """The gap and its parts, and what reaches back after the training."""
    after = {"gradient after": gradient_back(model, data.first(100))}
    return {"gaps": history["val_gap"], **where_the_gap_is(model, data), **after}


def contenders(data):
    """One model of each kind, whose steps have to cost what the passes say."""
    return {name: build(VARIANTS[name], data, 0) for name in CONTENDERS}


EXPERIMENT = Experiment(
    "02_stories", SETTINGS, VARIANTS, load, build, measure, before, contenders,
    weights={("lstm", 0): "02_lstm.weights.h5"},
)  # fmt: skip

if __name__ == "__main__":
    main(EXPERIMENT)
