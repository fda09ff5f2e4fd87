"""Chapter 01's results over several seeds: with a mask, without, and a bag of words.

    python chapters/experiments/01_rnn_classifier.py

Writes chapters/results/01_rnn_classifier.json; the chapter reads and asserts it. The
settings are the chapter's, which checks that they are.
"""

import json
import pathlib
import time

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


def load():
    """Ids and labels of the splits, and the ids of both sides of the minimal pairs."""
    texts, labels = zip(
        *(datasets.load_reviews(split) for split in ("train", "validation", "test")), strict=True
    )
    tokenizer = WordTokenizer.train(texts[0])
    splits = [tokenizer.encode_batch(split, SETTINGS["LENGTH"]) for split in texts]
    pairs = {}
    for kind in ("order", "word"):
        chosen = [pair for pair in datasets.load_review_pairs() if pair.kind == kind]
        sides = [pair.positive for pair in chosen], [pair.negative for pair in chosen]
        pairs[kind] = [tokenizer.encode_batch(side, SETTINGS["LENGTH"]) for side in sides]
    return tokenizer.vocab_size, list(zip(splits, labels, strict=True)), pairs


def train(model, splits, learning_rate, epochs, seed):
    """Trains as the chapter does; the epoch is chosen on the validation split."""
    optimizer = keras.optimizers.Adam(learning_rate)
    model.compile(optimizer, "binary_crossentropy", metrics=["accuracy"], jit_compile=True)
    started = time.perf_counter()
    stop = keras.callbacks.EarlyStopping(patience=2, restore_best_weights=True)
    history = model.fit(
        *splits[0],
        batch_size=SETTINGS["BATCH_SIZE"],
        epochs=epochs,
        validation_data=splits[1],
        callbacks=[stop],
        verbose=0,
    )
    return len(history.epoch), time.perf_counter() - started


def measure(model, splits, pairs):
    """Accuracy on the test split and on both kinds of minimal pairs."""
    found = {"test": model.evaluate(*splits[2], verbose=0)[1]}
    for kind, sides in pairs.items():
        scores = [model.predict(ids, verbose=0)[:, 0] for ids in sides]
        found[kind] = pair_accuracy(*scores, tolerance=1e-6)
    return found


def main():
    """Trains every variant with every seed and writes the table."""
    vocab_size, splits, pairs = load()
    sizes = {"embed_dim": SETTINGS["EMBED_DIM"], "units": SETTINGS["UNITS"]}
    rate, epochs = SETTINGS["LEARNING_RATE"], SETTINGS["EPOCHS"]
    variants = {
        "masked": (lambda: rnn_classifier(vocab_size, **sizes), rate, epochs),
        "unmasked": (lambda: rnn_classifier(vocab_size, mask_zero=False, **sizes), rate, 3),
        "bag": (lambda: bag_of_words_classifier(vocab_size), 0.01, 30),
    }
    results = {"settings": SETTINGS, "seeds": list(SEEDS), "versions": {"keras": keras.__version__}}
    for name, (build, learning_rate, most) in variants.items():
        rows = []
        for seed in SEEDS:
            keras.utils.clear_session()  # or every model slows the next one down
            keras.utils.set_random_seed(seed)
            model = build()
            ran, seconds = train(model, splits, learning_rate, most, seed)
            rows.append({**measure(model, splits, pairs), "epochs": ran, "seconds": seconds})
            print(name, seed, {key: round(value, 3) for key, value in rows[-1].items()}, flush=True)
        results[name] = {key: [round(row[key], 4) for row in rows] for key in rows[0]}
    write_atomic(RESULTS, json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()
