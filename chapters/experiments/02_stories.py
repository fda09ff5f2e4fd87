"""How far from the floor? SimpleRNN, GRU and LSTM on stories, at equal cost, over five seeds.

    python chapters/experiments/02_stories.py

Trains every model with every seed on the same stories and writes, after every run,
chapters/results/02_stories.json: the gap to the floor, where it comes from (kind and
distance of what a word depends on), and how much of a loss's gradient reaches a word
further back. An interrupted script goes on where it stopped. The LSTM of seed 0 is stored
as chapters/results/02_lstm.weights.h5, which chapter 03 loads. Takes an hour on one core.

`--calibrate` measures the seconds of a training step, the models alternating.
"""

import argparse
import json
import pathlib
import time
from typing import NamedTuple

import keras
import numpy as np
from keras import ops

from lmkit import stories
from lmkit.backend import value_and_gradients
from lmkit.callbacks import EpochReport, GapToFloor
from lmkit.files import write_atomic
from lmkit.metrics import token_losses
from lmkit.models import compile_lm, lstm_lm

FOLDER = pathlib.Path(__file__).parents[1] / "results"
RESULTS, WEIGHTS = FOLDER / "02_stories.json", FOLDER / "02_lstm.weights.h5"
SEEDS = range(5)
SETTINGS = {
    "TRAIN_STORIES": 18_000,
    "TEST_STORIES": 1_000,
    "BATCH_SIZE": 32,
    "EMBED_DIM": 64,
    "UNITS": 128,
    "WARMUP": 100,  # steps in which the learning rate grows from 0
    "BETA_2": 0.98,  # how slowly Adam forgets the size of past gradients
}


class Variant(NamedTuple):
    """A model, how often it reads the stories, and where its learning rate begins.

    The passes are chosen so that all cost about the same seconds (see --calibrate), the
    rate is the best of two or three tried with seed 0.
    """

    cell: str
    passes: int
    learning_rate: float
    gate_bias: float | None = None


MODELS = {
    "simple": Variant("simple", 8, 2e-3),
    "lstm": Variant("lstm", 4, 8e-3),
    "gru": Variant("gru", 5, 8e-3),
    "gru, open": Variant("gru", 5, 8e-3, gate_bias=3.0),
    "lstm, half open": Variant("lstm", 4, 8e-3, gate_bias=0.0),
}

KINDS = ("free", "local", "middle", "long")
DISTANCES = (0, 1, 3, 6, 10, 20, 40, 80)  # a bucket reaches to the next number
BACK = 72  # how far back the gradient is followed


def load():
    """Rows of training and test stories, and the test stories' texts."""
    train = stories.sample_stories(SETTINGS["TRAIN_STORIES"], seed=1)
    test = stories.sample_stories(SETTINGS["TEST_STORIES"], seed=2)
    return stories.encode(train), stories.encode(test), test


def build(variant):
    """A model with the course's sizes."""
    sizes = {"embed_dim": SETTINGS["EMBED_DIM"], "units": SETTINGS["UNITS"]}
    vocab_size = stories.tokenizer().vocab_size
    return lstm_lm(vocab_size, **sizes, cell=variant.cell, gate_bias=variant.gate_bias)


def prepare(model, learning_rate, steps):
    """Compiles a model with the course's settings."""
    return compile_lm(model, learning_rate, steps, SETTINGS["WARMUP"], SETTINGS["BETA_2"])


def floors(texts):
    """-log p_true of every token of every story, one row after the other."""
    return -np.concatenate([stories.log_probabilities(text) for text in texts])


def where_the_gap_is(model, rows, texts):
    """The loss above the floor by kind and by distance of what the token depends on."""
    losses = token_losses(model.predict(rows[:, :-1], batch_size=250, verbose=0), rows[:, 1:])
    excess = losses[rows[:, 1:] != 0] - floors(texts)
    kinds, distances = map(np.concatenate, zip(*map(stories.token_kinds, texts), strict=True))
    buckets = np.digitize(distances, DISTANCES) - 1
    return {
        "gap": excess.mean(),
        # These four add up to the gap.
        "kinds": {kind: excess[kinds == kind].sum() / len(excess) for kind in KINDS},
        # These are means of the tokens of each bucket that depend on something.
        "distances": [
            excess[chosen].mean()
            for chosen in ((buckets == b) for b in range(1, len(DISTANCES) - 1))
        ],
        "tokens": [int((buckets == b).sum()) for b in range(1, len(DISTANCES) - 1)],
    }


def gradient_back(model, rows, texts):
    """|d loss at the last weekday / d embedding| of the words 0, 1, ... BACK tokens before.

    Mean over stories of the norm, float. The last weekday ("What a Monday !") repeats a
    word some 72 tokens back, so a model can only learn it if this does not vanish.
    """
    targets = np.array([len(text.split()) - 3 for text in texts])  # where the weekday stands
    embedding, *others = [layer for layer in model.layers if layer.name != "ids"]
    story = np.arange(len(rows))

    def loss_at_the_weekday(x):
        for layer in others:
            x = layer(x)
        logp = ops.log_softmax(x, axis=-1)  # (B, T, V)
        wanted = ops.one_hot(rows[story, targets + 1], logp.shape[-1])[:, None]  # (B, 1, V)
        here = ops.one_hot(targets, logp.shape[1])[..., None]  # (B, T, 1)
        return -ops.sum(logp * wanted * here)

    _, (gradient,) = value_and_gradients(loss_at_the_weekday, embedding(rows[:, :-1]))
    norms = np.linalg.norm(ops.convert_to_numpy(gradient), axis=-1)  # (B, T)
    return [norms[story, targets - back].mean() for back in range(BACK + 1)]


def run(variant, seed, train, test, texts):
    """Trains one model with one seed and measures it."""
    keras.utils.clear_session()
    keras.utils.set_random_seed(seed)
    model = build(variant)
    steps = variant.passes * -(-len(train) // SETTINGS["BATCH_SIZE"])
    found = {"parameters": model.count_params(), "steps": steps}
    found["gradient before"] = gradient_back(model, test[:100], texts[:100])
    prepare(model, variant.learning_rate, steps)
    started = time.perf_counter()
    history = model.fit(
        train[:, :-1],
        train[:, 1:],
        batch_size=SETTINGS["BATCH_SIZE"],
        epochs=variant.passes,
        verbose=0,
        callbacks=[GapToFloor(test, floors(texts).mean()), EpochReport()],
    )
    found["seconds"] = time.perf_counter() - started
    found["gaps"] = history.history["val_gap"]
    found |= where_the_gap_is(model, test, texts)
    found["gradient after"] = gradient_back(model, test[:100], texts[:100])
    return found, model


def calibrate(train):
    """Seconds of a training step, medians of five turns."""
    names = ("simple", "gru", "lstm")
    models = {name: prepare(build(MODELS[name]), 1e-3, 10_000) for name in names}
    seconds = {name: [] for name in names}
    for turn in range(6):
        for name, model in models.items():
            started = time.perf_counter()
            model.fit(train[:2048, :-1], train[:2048, 1:], batch_size=32, verbose=0)
            if turn:  # the first one compiles
                seconds[name].append((time.perf_counter() - started) / 64)
    return {name: float(np.median(values)) for name, values in seconds.items()}


def rounded(value):
    """Four significant digits, wherever a number stands."""
    if isinstance(value, dict):
        return {name: rounded(part) for name, part in value.items()}
    if isinstance(value, list):
        return [rounded(part) for part in value]
    return float(f"{value:.4g}") if isinstance(value, float | np.floating) else value


def store(**parts):
    """Adds to the results file, which another process may have changed meanwhile."""
    results = json.loads(RESULTS.read_text()) if RESULTS.exists() else {"settings": SETTINGS}
    for name, part in parts.items():
        results[name] = {**results.get(name, {}), **rounded(part)}
    write_atomic(RESULTS, json.dumps(results, indent=1) + "\n")
    return results


def main():
    """Runs what the results file does not hold yet."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--calibrate", action="store_true", help="measure the seconds of a step")
    parser.add_argument("--only", nargs="*", default=list(MODELS), help="names of models")
    arguments = parser.parse_args()
    train, test, texts = load()
    if arguments.calibrate:
        return store(**{"seconds a step": calibrate(train)})
    for seed in SEEDS:
        for name in arguments.only:
            if str(seed) in store().get(name, {}):
                continue
            print(f"{name}, seed {seed}", flush=True)
            found, model = run(MODELS[name], seed, train, test, texts)
            store(**{name: {str(seed): found}})
            if (name, seed) == ("lstm", 0):
                keras.Model(model.input, model.output).save_weights(WEIGHTS)  # no optimizer


if __name__ == "__main__":
    main()
