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
import pathlib
from typing import NamedTuple

import keras
import numpy as np
from keras import ops
from story_runs import load, seconds_a_step, store, train_on

from lmkit import stories
from lmkit.backend import value_and_gradients
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

CALIBRATED = ("simple", "gru", "lstm")
BACK = 72  # how far back the gradient is followed


def build(variant):
    """A model with the course's sizes."""
    sizes = {"embed_dim": SETTINGS["EMBED_DIM"], "units": SETTINGS["UNITS"]}
    vocab_size = stories.tokenizer().vocab_size
    return lstm_lm(vocab_size, **sizes, cell=variant.cell, gate_bias=variant.gate_bias)


def prepare(model, learning_rate, steps):
    """Compiles a model with the course's settings."""
    return compile_lm(model, learning_rate, steps, SETTINGS["WARMUP"], SETTINGS["BETA_2"])


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
    found |= train_on(model, variant.passes, train, test, texts, SETTINGS["BATCH_SIZE"])
    found["gradient after"] = gradient_back(model, test[:100], texts[:100])
    return found, model


def main():
    """Runs what the results file does not hold yet."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--calibrate", action="store_true", help="measure the seconds of a step")
    parser.add_argument("--only", nargs="*", default=list(MODELS), help="names of models")
    arguments = parser.parse_args()
    train, test, texts = load(SETTINGS)
    if arguments.calibrate:
        models = {name: prepare(build(MODELS[name]), 1e-3, 10_000) for name in CALIBRATED}
        batches = {name: (model, SETTINGS["BATCH_SIZE"]) for name, model in models.items()}
        seconds = seconds_a_step(batches, train)
        return store(RESULTS, SETTINGS, **{"seconds a step": seconds})
    for seed in SEEDS:
        for name in arguments.only:
            if str(seed) in store(RESULTS, SETTINGS).get(name, {}):
                continue
            print(f"{name}, seed {seed}", flush=True)
            found, model = run(MODELS[name], seed, train, test, texts)
            store(RESULTS, SETTINGS, **{name: {str(seed): found}})
            if (name, seed) == ("lstm", 0):
                keras.Model(model.input, model.output).save_weights(WEIGHTS)  # no optimizer


if __name__ == "__main__":
    main()
