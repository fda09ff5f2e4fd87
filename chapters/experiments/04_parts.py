"""What is every part of a Transformer good for? Grown part by part, over five seeds.

    python chapters/experiments/04_parts.py         # one command line for all: see runner.py

Begins with a bigram model and adds one part at a time until it is chapter 04's Transformer,
then leaves out each part of the complete model. Every model reads half of the stories of
chapter 02 once, with the same learning rates. What is stored of each run: the loss, the gap to
the floor, and where it comes from. Takes half an hour on one core.
"""

import importlib
from typing import NamedTuple

import keras
from keras import layers, ops
from runner import Experiment, Fit, compile_language_model, main

from lmkit import stories
from lmkit.layers import attend, causal_mask, gelu, merge_heads, split_heads

recurrent = importlib.import_module("02_stories")  # a name that begins with a digit
SETTINGS = {
    "TRAIN_STORIES": 8_960,  # 280 full batches: another size would be compiled once more
    "TEST_STORIES": 1_000,
    "BATCH_SIZE": 32,
    "EMBED_DIM": 64,
    "FF_DIM": 256,
    "LEARNING_RATE": 4e-3,
    "WARMUP": 100,  # steps in which it grows from 0
}


class Variant(NamedTuple):
    """Which parts a model has."""

    heads: int = 4  # 0: no attention
    feed_forward: bool = True
    residual: bool = True
    norm: bool = True
    blocks: int = 2
    positions: bool = True
    tied: bool = False  # True: one table for reading and for writing, as in GPT-2 and in lmkit


BIGRAM = Variant(0, False, False, False, 1, positions=False)
FULL = Variant()
VARIANTS = {
    "bigram": BIGRAM,
    "one head": BIGRAM._replace(heads=1, positions=True),
    "four heads": BIGRAM._replace(heads=4, positions=True),
    "feed-forward": FULL._replace(residual=False, norm=False, blocks=1),
    "stacked": FULL._replace(residual=False, norm=False),  # twice the same
    "residual": FULL._replace(norm=False, blocks=1),
    "norm": FULL._replace(blocks=1),  # also the complete model without its second block
    "two blocks": FULL,
    "no feed-forward": FULL._replace(feed_forward=False),
    "no residual": FULL._replace(residual=False),
    "no norm": FULL._replace(norm=False),
    "no second head": FULL._replace(heads=1),
    "no positions": FULL._replace(positions=False),
    "tied": FULL._replace(tied=True),
}


class PartsLM(keras.Model):
    """A Transformer language model that may lack some of its parts.

    Args:
        vocab_size: how many different ids there are.
        max_length: how many ids a text may have.
        variant: which parts there are.
    """

    def __init__(self, vocab_size, max_length, variant):
        super().__init__()
        self.variant, channels = variant, SETTINGS["EMBED_DIM"]
        self.tokens = layers.ReversibleEmbedding(vocab_size, channels)
        if variant.positions:
            self.positions = layers.Embedding(max_length, channels)
        self.sublayers, self.norms = [], []
        for _ in range(variant.blocks):
            if variant.heads:
                self._append(Attention(channels, variant.heads))
            if variant.feed_forward:
                expand = layers.Dense(SETTINGS["FF_DIM"], gelu)
                self._append(keras.Sequential([expand, layers.Dense(channels)]))
        self.last_norm = self._norm()
        self.head = None if variant.tied else layers.Dense(vocab_size)

    def _append(self, sublayer):
        self.sublayers.append(sublayer)
        self.norms.append(self._norm())

    def _norm(self):
        return layers.LayerNormalization(epsilon=1e-5) if self.variant.norm else layers.Identity()

    def call(self, ids):
        """Reads whole texts `(batch, time)`, and returns logits `(batch, time, vocab)`."""
        x = self.tokens(ids)  # (B, T, C)
        if self.variant.positions:
            x = x + self.positions(ops.arange(ops.shape(ids)[1]))
        for norm, sublayer in zip(self.norms, self.sublayers, strict=True):
            change = sublayer(norm(x))
            x = x + change if self.variant.residual else change
        x = self.last_norm(x)
        return self.tokens(x, reverse=True) if self.variant.tied else self.head(x)  # (B, T, V)


class Attention(layers.Layer):
    """Causal attention. A single head needs no matrix that mixes heads.

    Args:
        channels: how many numbers stand for a word.
        heads: divides the channels.
    """

    def __init__(self, channels, heads):
        super().__init__()
        self.heads = heads
        self.query, self.key, self.value = (layers.Dense(channels) for _ in range(3))
        self.out = layers.Dense(channels) if heads > 1 else layers.Identity()

    def call(self, x):
        """Looks, and mixes what the heads have seen."""
        parts = (split_heads(layer(x), self.heads) for layer in (self.query, self.key, self.value))
        return self.out(merge_heads(attend(*parts, causal_mask(ops.shape(x)[1]))))


def load(settings=SETTINGS):
    """Chapter 02's stories."""
    return recurrent.load(settings)


def build(variant, data, seed):
    """A model with the parts of a variant, and one pass over the stories."""
    model = PartsLM(stories.tokenizer().vocab_size, data.train[0].shape[1], variant)
    fit = Fit(*data.train, SETTINGS["BATCH_SIZE"])
    return compile_language_model(model, fit, SETTINGS["LEARNING_RATE"], SETTINGS["WARMUP"])


def measure(model, variant, data, history):
    """The gap and its parts, and the loss itself."""
    found = recurrent.where_the_gap_is(model, data)
    return {"loss": found["gap"] + data.floors().mean(), **found}


EXPERIMENT = Experiment("04_parts", SETTINGS, VARIANTS, load, build, measure)

if __name__ == "__main__":
    main(EXPERIMENT)
