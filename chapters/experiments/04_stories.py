"""How far from the floor? The Transformer on stories, at the LSTM's cost, over five seeds.

    python chapters/experiments/04_stories.py       # one command line for all: see runner.py

Trains chapter 04's model, the same without positions and the same without the causal mask, on
the stories of chapter 02. What is stored of each run: the gap to the floor, where it comes
from, where every head looks, and what is lost without that head. The weights of the
Transformer of seed 0 are those whose heads chapter 04 reads. Takes half an hour on one core.
"""

import importlib
from typing import NamedTuple

import numpy as np
from keras import ops
from runner import Experiment, compile_language_model, main

from lmkit import stories
from lmkit.models import TransformerLM

recurrent = importlib.import_module("02_stories")  # a name that begins with a digit
DISTANCES = recurrent.DISTANCES
SETTINGS = {
    "TRAIN_STORIES": 18_000,
    "TEST_STORIES": 1_000,
    "BATCH_SIZE": 32,
    "EMBED_DIM": 64,
    "NUM_HEADS": 4,
    "FF_DIM": 256,
    "NUM_LAYERS": 2,
    # The LSTM's. Tried from 2e-3 to 8e-3: lower ones learn the rest as well, but fewer seeds
    # learn to look for the weekday. With this one, two of five do.
    "LEARNING_RATE": 8e-3,
    "WARMUP": 200,  # steps in which it grows from 0
}


class Variant(NamedTuple):
    """A model and how often it reads the stories.

    Four passes cost what chapter 02's LSTM costs (see --calibrate).
    """

    passes: int = 4
    causal: bool = True
    positions: bool = True


VARIANTS = {
    "transformer": Variant(),
    "no positions": Variant(positions=False),
    "no mask": Variant(passes=1, causal=False),  # it reads the answers, and learns to at once
}


def load(settings=SETTINGS):
    """Chapter 02's stories."""
    return recurrent.load(settings)


def build(variant, data, seed):
    """A model with the chapter's sizes, and its training."""
    model = TransformerLM(
        vocab_size=stories.tokenizer().vocab_size,
        max_length=data.train[0].shape[1],
        embed_dim=SETTINGS["EMBED_DIM"],
        num_heads=SETTINGS["NUM_HEADS"],
        ff_dim=SETTINGS["FF_DIM"],
        num_layers=SETTINGS["NUM_LAYERS"],
        causal=variant.causal,
    )
    if not variant.positions:
        model.positions.embeddings.assign(ops.zeros(model.positions.embeddings.shape))
        model.positions.trainable = False
    fit = recurrent.fit_of(data, SETTINGS["BATCH_SIZE"], variant.passes)
    return compile_language_model(model, fit, SETTINGS["LEARNING_RATE"], SETTINGS["WARMUP"])


def looks_back(model, data):
    """The weight that every head gives to the word on which the next one depends.

    Means over the words of each bucket of distances, [block][head][bucket].
    """
    _, distances = zip(*map(stories.token_kinds, data.texts), strict=True)
    story = np.repeat(np.arange(len(distances)), [len(row) for row in distances])
    word = np.concatenate([np.arange(len(row)) for row in distances])
    distances = np.concatenate(distances)
    buckets = np.digitize(distances, DISTANCES)  # 0, which is left out, where nothing is said
    # Word w of a story is predicted at position w. The row begins with [END], so the word that
    # stands `distance` before it is read at position w + 1 - distance.
    looked_at = word + 1 - np.maximum(distances, 1)
    looks = []
    for weights in model.attention_weights(data.test[0]):
        seen = ops.convert_to_numpy(weights)[story, :, word, looked_at]  # (words, H)
        means = [seen[buckets == bucket].mean(axis=0) for bucket in range(1, len(DISTANCES))]
        looks.append(np.transpose(means))  # (H, buckets)
    return looks


def without_heads(model, data):
    """The excess by distance when one head's contribution is nothing, [block][head][bucket]."""
    found = []
    for block in model.blocks:
        kernel = block.attention.out.kernel  # (C, C), a head's channels are rows of it
        kept = ops.convert_to_numpy(kernel).copy()
        found.append([])
        for channels in np.split(np.arange(len(kept)), SETTINGS["NUM_HEADS"]):
            silenced = kept.copy()
            silenced[channels] = 0
            kernel.assign(silenced)
            found[-1].append(recurrent.where_the_gap_is(model, data)["distances"])
        kernel.assign(kept)
    return found


def measure(model, variant, data, history):
    """The gap and its parts; of the chapter's model also what its heads do."""
    found = {"gaps": history["val_gap"], **recurrent.where_the_gap_is(model, data)}
    if variant == VARIANTS["transformer"]:
        few = data.first(200)
        found |= {"looks": looks_back(model, few), "without": without_heads(model, few)}
    return found


def contenders(data):
    """The Transformer beside chapter 02's LSTM."""
    lstm = recurrent.build(recurrent.VARIANTS["lstm"], data, 0)
    return {"lstm": lstm, "transformer": build(VARIANTS["transformer"], data, 0)}


EXPERIMENT = Experiment(
    "04_stories", SETTINGS, VARIANTS, load, build, measure, contenders=contenders,
    weights={("transformer", 0): "04_transformer.weights.h5"},
)  # fmt: skip

if __name__ == "__main__":
    main(EXPERIMENT)
