"""Chapter 01's results over several seeds: with and without a mask, and a bag of words.

    python chapters/experiments/01_rnn_classifier.py

Writes chapters/results/01_rnn_classifier.json; the chapter reads and asserts it. The
settings are the chapter's, which checks that they are.
"""

import json
import pathlib
import time
from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import keras

from lmkit import datasets
from lmkit.files import write_atomic
from lmkit.metrics import pair_accuracy
from lmkit.models import bag_of_words_classifier, rnn_classifier
from lmkit.tokenizers import WordTokenizer

RESULTS = pathlib.Path(__file__).parents[1] / "results" / "01_rnn_classifier.json"
SEEDS = range(5)
SETTINGS = {
    "LENGTH": 100,
    "EMBED_DIM": 64,
    "UNITS": 64,
    "BATCH_SIZE": 64,
    "EPOCHS": 5,
    "LEARNING_RATE": 2e-3,
}


class Variant(NamedTuple):
    """A model and how it is trained; `patience` is that of early stopping."""

    build: Callable
    optimizer: Callable
    batch_size: int = SETTINGS["BATCH_SIZE"]
    epochs: int = SETTINGS["EPOCHS"]
    patience: int = 2
    padding: str = "post"


def variants(vocab_size):
    """What is compared, by name."""
    adam = partial(keras.optimizers.Adam, SETTINGS["LEARNING_RATE"])
    rmsprop = keras.optimizers.RMSprop  # article A names no learning rate: Keras's 0.001
    sizes = {"embed_dim": SETTINGS["EMBED_DIM"], "units": SETTINGS["UNITS"]}
    rnn = partial(rnn_classifier, vocab_size, **sizes)
    bag = partial(bag_of_words_classifier, vocab_size)
    return {
        "masked": Variant(rnn, adam),
        "unmasked, right": Variant(partial(rnn, mask_zero=False), adam, epochs=10, patience=10),
        "unmasked, left": Variant(partial(rnn, mask_zero=False), adam, padding="pre"),
        "masked, article's": Variant(rnn, rmsprop, batch_size=128, epochs=10, patience=10),
        "bag": Variant(bag, partial(keras.optimizers.Adam, 0.01), epochs=30),
    }


def load():
    """The vocabulary's size, texts with labels of the splits, and the minimal pairs."""
    splits = [datasets.load_reviews(split) for split in ("train", "validation", "test")]
    pairs = {kind: [] for kind in ("order", "word")}
    for pair in datasets.load_review_pairs():
        pairs[pair.kind].append(pair)
    return WordTokenizer.train(splits[0][0]), splits, pairs


def run(variant, seed, tokenizer, splits, pairs):
    """Trains one variant with one seed and measures it on test reviews and pairs."""
    encode = partial(tokenizer.encode_batch, length=SETTINGS["LENGTH"], padding=variant.padding)
    train, validation, test = ((encode(texts), labels) for texts, labels in splits)
    keras.utils.clear_session()  # or every model slows the next one down
    keras.utils.set_random_seed(seed)
    model = variant.build()
    model.compile(
        variant.optimizer(), "binary_crossentropy", metrics=["accuracy"], jit_compile=True
    )
    stop = keras.callbacks.EarlyStopping(patience=variant.patience, restore_best_weights=True)
    started = time.perf_counter()
    history = model.fit(
        *train,
        batch_size=variant.batch_size,
        epochs=variant.epochs,
        validation_data=validation,
        callbacks=[stop],
        verbose=0,
    )
    found = {"epochs": len(history.epoch), "seconds": time.perf_counter() - started}
    found["test"] = model.evaluate(*test, verbose=0)[1]
    for kind, chosen in pairs.items():
        sides = [pair.positive for pair in chosen], [pair.negative for pair in chosen]
        scores = [model.predict(encode(side), verbose=0)[:, 0] for side in sides]
        found[kind] = pair_accuracy(*scores, tolerance=1e-6)
    return found


def main():
    """Trains every variant with every seed and writes the table."""
    tokenizer, splits, pairs = load()
    results = {"settings": SETTINGS, "seeds": list(SEEDS), "keras": keras.__version__}
    for name, variant in variants(tokenizer.vocab_size).items():
        rows = []
        for seed in SEEDS:
            rows.append(run(variant, seed, tokenizer, splits, pairs))
            print(name, seed, {key: round(value, 3) for key, value in rows[-1].items()}, flush=True)
        results[name] = {key: [round(row[key], 4) for row in rows] for key in rows[0]}
    write_atomic(RESULTS, json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()
