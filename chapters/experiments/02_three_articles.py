"""The LSTM models of articles B, C and D at equal cost, over five seeds.

    python chapters/experiments/02_three_articles.py

Each has the article's layers. B predicts after every word of a story. C and D predict
once, after the last word of a window: here the beginning of a story, cut at random and
padded on the left to the same length, so that a row costs the LSTM the same. D's words
arrive as vectors that somebody else has chosen; here they are drawn at random and stay.
All three are scored on every word of the same test stories. Writes
chapters/results/02_three_articles.json. Takes half an hour on one core.

`--calibrate` measures the seconds of a training step, the models alternating.
"""

import argparse
import json
import pathlib
import time

import keras
import numpy as np
from keras import layers

from lmkit import stories
from lmkit.files import write_atomic
from lmkit.metrics import token_losses

RESULTS = pathlib.Path(__file__).parents[1] / "results" / "02_three_articles.json"
SEEDS = range(5)
SETTINGS = {
    "TRAIN_STORIES": 18_000,
    "TEST_STORIES": 100,
    "BATCH_SIZE": 32,
    "EMBED_DIM": 64,
    "UNITS": 128,
    "LEARNING_RATE": 1.6e-2,  # for each of B, C and D the best of four or five, seed 0
}
# Steps that cost about the same seconds (see --calibrate). "C, D's start" is C with word
# vectors that begin as D's do, and are learned.
STEPS = {"B": 1_000, "C": 1_250, "D": 1_450, "C, D's start": 1_250}


def article_b(vocab_size, embed_dim, units):
    """Ids to a probability after every word."""
    inputs = keras.Input(shape=(None,))
    embedded = layers.Embedding(input_dim=vocab_size, output_dim=embed_dim)(inputs)
    states = layers.LSTM(units=units, return_sequences=True)(embedded)
    return keras.Model(inputs, layers.Dense(units=vocab_size, activation="softmax")(states))


def article_c(vocab_size, embed_dim, units, start="uniform"):
    """Ids to one probability, after the last word."""
    return keras.Sequential(
        [
            layers.Embedding(vocab_size, embed_dim, embeddings_initializer=start),
            layers.LSTM(units=units),
            layers.Dense(units=vocab_size, activation="softmax"),
        ]
    )


def article_d(vocab_size, embed_dim, units):
    """Vectors to one probability, after the last word."""
    inputs = keras.Input(shape=(None, embed_dim))
    state = layers.LSTM(units)(inputs)
    return keras.Model(inputs, layers.Dense(vocab_size, activation="softmax")(state))


def article_c_large(vocab_size, embed_dim, units):
    """C, its vectors as large as D's at the start: 1 instead of about 0.03, root mean square."""
    return article_c(vocab_size, embed_dim, units, keras.initializers.RandomNormal(stddev=1.0))


BUILD = {"B": article_b, "C": article_c, "D": article_d, "C, D's start": article_c_large}


def beginnings(rows, chosen, ends):
    """Row `chosen[i]` up to its word number `ends[i]`, padded on the left, and the next word."""
    length = rows.shape[1] - 1
    places = np.arange(length) - (length - 1 - ends)[:, None]  # where each word comes from
    windows = np.where(places >= 0, rows[chosen[:, None], np.maximum(places, 0)], 0)
    return windows, rows[chosen, ends + 1]


def batches(name, rows, steps, rng):
    """Inputs and targets of so many steps, and the table that turns ids into D's vectors."""
    count = steps * SETTINGS["BATCH_SIZE"]
    chosen = np.concatenate([rng.permutation(len(rows)) for _ in range(-(-count // len(rows)))])
    chosen = chosen[:count]
    if name == "B":
        return rows[chosen, :-1], rows[chosen, 1:]
    words = np.count_nonzero(rows[chosen], axis=1)
    return beginnings(rows, chosen, rng.integers(0, words - 1))


class Vectors(keras.utils.PyDataset):
    """D's inputs, a batch at a time: the vectors that stand for the ids."""

    def __init__(self, ids, targets, table):
        super().__init__()
        self.ids, self.targets, self.table = ids, targets, table

    def __len__(self):
        return -(-len(self.ids) // SETTINGS["BATCH_SIZE"])

    def __getitem__(self, index):
        part = slice(index * SETTINGS["BATCH_SIZE"], (index + 1) * SETTINGS["BATCH_SIZE"])
        return self.table[self.ids[part]], self.targets[part]


def fit(model, name, inputs, targets, table):
    """One pass over the inputs, in their order."""
    if name == "D":
        return model.fit(Vectors(inputs, targets, table), shuffle=False, verbose=0)
    size = SETTINGS["BATCH_SIZE"]
    return model.fit(inputs, targets, batch_size=size, shuffle=False, verbose=0)


def compiled(name, vocab_size):
    """The article's layers with Adam, its steps shrinking along a cosine."""
    model = BUILD[name](vocab_size, SETTINGS["EMBED_DIM"], SETTINGS["UNITS"])
    schedule = keras.optimizers.schedules.CosineDecay(SETTINGS["LEARNING_RATE"], STEPS[name])
    # Sparse targets: B's one-hot targets give the same loss and would not fit the memory.
    loss = keras.losses.SparseCategoricalCrossentropy()
    model.compile(keras.optimizers.Adam(schedule, clipnorm=1.0), loss, jit_compile=True)
    return model


def test_loss(model, name, rows, table):
    """The mean -log p of every word of the test stories."""
    if name == "B":
        inputs, targets = rows[:, :-1], rows[:, 1:]
    else:
        chosen, ends = np.nonzero(rows[:, 1:])
        inputs, targets = beginnings(rows, chosen, ends)
    inputs = table[inputs] if name == "D" else inputs
    probabilities = model.predict(inputs, batch_size=256, verbose=0)
    losses = token_losses(np.log(np.maximum(probabilities, 1e-30)), targets)
    return losses.sum() / np.count_nonzero(targets)


def run(name, seed, train, test):
    """Trains one article's model with one seed."""
    keras.utils.clear_session()
    keras.utils.set_random_seed(seed)
    rng = np.random.default_rng(seed)
    vocab_size = stories.tokenizer().vocab_size
    table = rng.normal(size=(vocab_size, SETTINGS["EMBED_DIM"])).astype("float32")
    table[0] = 0  # padding
    model = compiled(name, vocab_size)
    inputs, targets = batches(name, train, STEPS[name], rng)
    started = time.perf_counter()
    fit(model, name, inputs, targets, table)
    return {
        "loss": test_loss(model, name, test, table),
        "predictions": int(np.count_nonzero(targets)),
        "seconds": time.perf_counter() - started,
    }


def calibrate(train):
    """Seconds of a training step, medians of five turns."""
    rng, vocab_size = np.random.default_rng(0), stories.tokenizer().vocab_size
    table = rng.normal(size=(vocab_size, SETTINGS["EMBED_DIM"])).astype("float32")
    models = {name: compiled(name, vocab_size) for name in "BCD"}
    data = {name: batches(name, train, 64, rng) for name in models}
    seconds = {name: [] for name in models}
    for turn in range(6):
        for name, model in models.items():
            started = time.perf_counter()
            fit(model, name, *data[name], table)
            if turn:  # the first one compiles
                seconds[name].append((time.perf_counter() - started) / 64)
    return {name: float(f"{np.median(values):.3g}") for name, values in seconds.items()}


def main():
    """Runs what the results file does not hold yet."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--calibrate", action="store_true", help="measure the seconds of a step")
    train = stories.encode(stories.sample_stories(SETTINGS["TRAIN_STORIES"], seed=1))
    texts = stories.sample_stories(SETTINGS["TEST_STORIES"], seed=2)
    results = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    if parser.parse_args().calibrate:
        results["seconds a step"] = calibrate(train)
    else:
        results |= {"settings": SETTINGS, "steps": STEPS}
        lines = stories.reference_losses(stories.sample_stories(18_000, seed=1), texts)
        results["lines"] = {name: round(loss, 4) for name, loss in lines.items()}
        for name in STEPS:
            runs = results.setdefault(name, {})
            for seed in [seed for seed in SEEDS if str(seed) not in runs]:
                found = run(name, seed, train, stories.encode(texts))
                runs[str(seed)] = {key: float(f"{value:.6g}") for key, value in found.items()}
                print(name, seed, runs[str(seed)], flush=True)
                write_atomic(RESULTS, json.dumps(results, indent=1) + "\n")
    write_atomic(RESULTS, json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()
