"""How far from the floor? The Transformer on stories, at the LSTM's cost, over five seeds.

    python chapters/experiments/04_stories.py

Trains chapter 04's model, the same without positions and the same without the causal mask,
with every seed on the stories of chapter 02, and writes, after every run,
chapters/results/04_stories.json: the gap to the floor, where it comes from, where every head
looks, and what is lost without it. An interrupted script goes on where it stopped. The
Transformer of seed 0 is stored as chapters/results/04_transformer.weights.h5, whose heads
chapter 04 reads. Takes half an hour on one core.

`--calibrate` measures the seconds of a training step beside the LSTM's, alternating.
"""

import argparse
import pathlib
from typing import NamedTuple

import keras
import numpy as np
from keras import ops
from story_runs import DISTANCES, load, seconds_a_step, store, train_on, where_the_gap_is

from lmkit import stories
from lmkit.models import TransformerLM, compile_lm, lstm_lm

FOLDER = pathlib.Path(__file__).parents[1] / "results"
RESULTS, WEIGHTS = FOLDER / "04_stories.json", FOLDER / "04_transformer.weights.h5"
SEEDS = range(5)
SETTINGS = {
    "TRAIN_STORIES": 18_000,
    "TEST_STORIES": 1_000,
    "BATCH_SIZE": 32,
    "EMBED_DIM": 64,
    "NUM_HEADS": 4,
    "FF_DIM": 256,
    "NUM_LAYERS": 2,
    # Tried from 2e-3 to 8e-3: lower ones learn the rest as well, but some seeds never learn
    # to look for the weekday. It is the LSTM's.
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


MODELS = {
    "transformer": Variant(),
    "no positions": Variant(positions=False),
    "no mask": Variant(passes=1, causal=False),
}


def build(variant, max_length):
    """A model with the chapter's sizes."""
    model = TransformerLM(
        vocab_size=stories.tokenizer().vocab_size,
        max_length=max_length,
        embed_dim=SETTINGS["EMBED_DIM"],
        num_heads=SETTINGS["NUM_HEADS"],
        ff_dim=SETTINGS["FF_DIM"],
        num_layers=SETTINGS["NUM_LAYERS"],
        causal=variant.causal,
    )
    model.build((None, max_length))
    if not variant.positions:
        model.positions.table.assign(np.zeros(model.positions.table.shape))
        model.positions.trainable = False
    return model


def prepare(model, steps):
    """Compiles a model with the course's settings."""
    return compile_lm(model, SETTINGS["LEARNING_RATE"], steps, SETTINGS["WARMUP"])


def run(variant, seed, train, test, texts):
    """Trains one model with one seed and measures it."""
    keras.utils.clear_session()
    keras.utils.set_random_seed(seed)
    model = build(variant, train.shape[1] - 1)
    steps = variant.passes * -(-len(train) // SETTINGS["BATCH_SIZE"])
    prepare(model, steps)
    found = {"parameters": model.count_params(), "steps": steps}
    found |= train_on(model, variant.passes, train, test, texts, SETTINGS["BATCH_SIZE"])
    if variant == MODELS["transformer"]:
        found["looks"] = looks_back(model, test[:200], texts[:200])
        found["without"] = without_heads(model, test[:200], texts[:200])
    return found, model


def looks_back(model, rows, texts):
    """The weight that every head gives to the word on which the next one depends.

    Means over the words of each bucket of distances, [block][head][bucket].
    """
    looks = []
    _, distances = zip(*map(stories.token_kinds, texts), strict=True)
    story = np.repeat(np.arange(len(texts)), [len(row) for row in distances])
    word = np.concatenate([np.arange(len(row)) for row in distances])
    distances = np.concatenate(distances)
    buckets = np.digitize(distances, DISTANCES) - 1
    looked_at = word + 1 - np.maximum(distances, 1)  # those with distance 0 are not counted
    for weights in model.attention_weights(rows[:, :-1]):
        weights = ops.convert_to_numpy(weights)  # (B, H, T, T)
        # Word w of a story is predicted at position w; the row begins with [END], so the
        # word that stands `distance` before it is read at position w + 1 - distance.
        seen = weights[story, :, word, looked_at]  # (words, H)
        means = [seen[buckets == b].mean(axis=0) for b in range(1, len(DISTANCES) - 1)]
        looks.append(np.transpose(means).tolist())  # [head][bucket]
    return looks


def without_heads(model, rows, texts):
    """The excess by distance when one head's contribution is nothing, [block][head][bucket]."""
    found = []
    for block in model.blocks:
        kernel = block.attention.out.kernel  # (C, C), a head's channels are rows of it
        kept = ops.convert_to_numpy(kernel).copy()
        heads = np.split(np.arange(len(kept)), block.attention.num_heads)
        found.append([])
        for channels in heads:
            silenced = kept.copy()
            silenced[channels] = 0
            kernel.assign(silenced)
            found[-1].append(where_the_gap_is(model, rows, texts)["distances"])
        kernel.assign(kept)
    return found


def main():
    """Runs what the results file does not hold yet."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--calibrate", action="store_true", help="measure the seconds of a step")
    parser.add_argument("--only", nargs="*", default=list(MODELS), help="names of models")
    arguments = parser.parse_args()
    train, test, texts = load(SETTINGS)
    if arguments.calibrate:
        models = {"lstm": lstm_lm(stories.tokenizer().vocab_size, embed_dim=64, units=128)}
        models["transformer"] = build(MODELS["transformer"], train.shape[1] - 1)
        batches = {
            name: (prepare(model, 10_000), SETTINGS["BATCH_SIZE"]) for name, model in models.items()
        }
        return store(RESULTS, SETTINGS, **{"seconds a step": seconds_a_step(batches, train)})
    for seed in SEEDS:
        for name in arguments.only:
            if str(seed) in store(RESULTS, SETTINGS).get(name, {}):
                continue
            print(f"{name}, seed {seed}", flush=True)
            found, model = run(MODELS[name], seed, train, test, texts)
            store(RESULTS, SETTINGS, **{name: {str(seed): found}})
            if (name, seed) == ("transformer", 0):
                keep = build(MODELS["transformer"], train.shape[1] - 1)  # no optimizer
                keep.set_weights(model.get_weights())
                keep.save_weights(WEIGHTS)


if __name__ == "__main__":
    main()
