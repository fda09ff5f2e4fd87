"""Chapter 01's classifiers on the 50,000 real IMDB reviews, over several seeds.

    python chapters/experiments/01_imdb.py PATH        # the folder aclImdb or its tarball
    python chapters/experiments/01_imdb.py download    # 84 MB

Writes chapters/results/01_imdb.json after every run, so that an interrupted script
goes on where it stopped. Takes about an hour on two cores. The vocabulary comes from the
training part alone, the epoch is chosen on 2,500 reviews held out from it, and the test
reviews are used once, at the end.
"""

import argparse
import json
import pathlib
import time

import keras
import numpy as np

from lmkit import datasets
from lmkit.callbacks import EpochReport
from lmkit.files import write_atomic
from lmkit.models import bag_of_words_classifier, rnn_classifier
from lmkit.tokenizers import WordTokenizer

RESULTS = pathlib.Path(__file__).parents[1] / "results" / "01_imdb.json"
SEEDS = range(3)
VOCAB_SIZE = 10_000
VALIDATION = 2_500
PAIR_BUCKETS = 2**18  # pairs of neighbouring words share this many numbers


def article_a():
    """The layers of article A, its optimizer and its 100 words; padded on the left."""
    return rnn_classifier(VOCAB_SIZE, mask_zero=False), keras.optimizers.RMSprop(1e-3)


def mean_of_states():
    """The variant of notebook 01b: masked, and reading out all states."""
    model = rnn_classifier(VOCAB_SIZE, readout="mean", dropout=0.5)
    return model, keras.optimizers.Adam(1e-3, clipnorm=1.0)


def bag_of_words():
    """Logistic regression on word counts."""
    return bag_of_words_classifier(VOCAB_SIZE), keras.optimizers.Adam(2e-3)


def bag_of_word_pairs():
    """Logistic regression on counts of words and of pairs of neighbouring words."""
    return bag_of_words_classifier(VOCAB_SIZE + PAIR_BUCKETS), keras.optimizers.Adam(2e-3)


def with_pairs(ids):
    """Ids `(n, time)` followed by an id for each pair of neighbours, `(n, 2 time - 1)`.

    There are far more pairs than numbers for them, so several share one, by chance.
    """
    left, right = ids[:, :-1].astype("int64"), ids[:, 1:]
    pairs = VOCAB_SIZE + (left * 31_337 + right) % PAIR_BUCKETS
    return np.concatenate([ids, np.where(right != 0, pairs, 0)], axis=1).astype("int32")


# Name: model, words per review, side of the padding, batch size, epochs, patience. Article A
# trains ten epochs whatever happens; all of them are recorded, and the best one is tested.
VARIANTS = {
    "bag of words, last 100 words": (bag_of_words, 100, "post", 128, 30, 2),
    "bag of words, whole reviews": (bag_of_words, 2500, "post", 128, 30, 2),
    "words and word pairs, whole reviews": (bag_of_word_pairs, 2500, "post", 128, 30, 2),
    "article A's model, last 100 words": (article_a, 100, "pre", 128, 10, 10),
    "mean of all states, last 250 words": (mean_of_states, 250, "post", 128, 4, 1),
}


def load(path):
    """Texts and labels of the training, validation and test part."""
    source = None if path == "download" else path
    (texts, labels), test = (datasets.load_imdb(split, source) for split in ("train", "test"))
    order = np.random.default_rng(0).permutation(len(texts))
    parts = [order[VALIDATION:], order[:VALIDATION]]
    parts = [([texts[i] for i in part], labels[part]) for part in parts] + [test]
    return [([text.replace("<br />", " ") for text in texts], labels) for texts, labels in parts]


def run(variant, seed, parts, tokenizer):
    """Trains one variant with one seed; its test accuracy, epochs and seconds."""
    build, length, padding, batch_size, epochs, patience = VARIANTS[variant]
    encoded = [
        [tokenizer.encode_batch(texts, length, padding=padding, truncating="pre"), labels]
        for texts, labels in parts
    ]
    if build is bag_of_word_pairs:
        encoded = [[with_pairs(ids), labels] for ids, labels in encoded]
    keras.utils.clear_session()
    keras.utils.set_random_seed(seed)
    model, optimizer = build()
    model.compile(optimizer, "binary_crossentropy", metrics=["accuracy"], jit_compile=True)
    stop = keras.callbacks.EarlyStopping(
        "val_accuracy", patience=patience, restore_best_weights=True
    )
    started = time.perf_counter()
    history = model.fit(
        *encoded[0],
        batch_size=batch_size,
        epochs=epochs,
        validation_data=encoded[1],
        verbose=0,
        callbacks=[EpochReport(), stop],
    )
    seconds = time.perf_counter() - started
    by_epoch = {
        name: [round(value, 4) for value in history.history[name]]
        for name in ("accuracy", "val_accuracy", "loss", "val_loss")
    }
    return {
        "test": round(model.evaluate(*encoded[2], batch_size=256, verbose=0)[1], 4),
        "seconds": round(seconds),
        "by_epoch": by_epoch,
    }


def main():
    """Runs what the results file does not hold yet."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("path", help="the folder aclImdb, its tarball, or: download")
    parts = load(parser.parse_args().path)
    tokenizer = WordTokenizer.train(parts[0][0], VOCAB_SIZE)
    results = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    for variant in VARIANTS:
        for seed in SEEDS:
            if str(seed) not in results.setdefault(variant, {}):
                print(f"{variant}, seed {seed}")
                results[variant][str(seed)] = run(variant, seed, parts, tokenizer)
                print(results[variant][str(seed)], flush=True)
                write_atomic(RESULTS, json.dumps(results, indent=1) + "\n")
    results = {variant: results[variant] for variant in VARIANTS}  # in this order
    write_atomic(RESULTS, json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()
