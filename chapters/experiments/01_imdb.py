"""Chapter 01's classifiers on the 50,000 real IMDB reviews, over several seeds.

    python chapters/experiments/01_imdb.py PATH        # the folder aclImdb or its tarball
    python chapters/experiments/01_imdb.py download    # 84 MB

Writes chapters/results/01_imdb.json after every run, so that an interrupted script
goes on where it stopped (it needs what it wrote to chapters/saved). Takes about an hour
on two cores. The vocabulary comes from the training part alone, the epoch is chosen on
2,500 reviews held out from it, and the test reviews are used once, at the end.
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

CHAPTERS = pathlib.Path(__file__).parents[1]
RESULTS = CHAPTERS / "results" / "01_imdb.json"
SAVED = CHAPTERS / "saved"  # what the models said, for `TOGETHER`; not kept in the repository
SEEDS = range(3)
VOCAB_SIZE = 10_000
VALIDATION = 2_500


def article_a():
    """The layers of article A, its optimizer and its 100 words; padded on the left."""
    return rnn_classifier(VOCAB_SIZE, mask_zero=False), keras.optimizers.RMSprop(1e-3)


def mean_of_states():
    """The variant that chapter 01 teaches: masked, and reading out all states."""
    model = rnn_classifier(VOCAB_SIZE, readout="mean", dropout=0.5)
    return model, keras.optimizers.Adam(1e-3, clipnorm=1.0)


def bag_of_words():
    """Logistic regression on word counts."""
    return bag_of_words_classifier(VOCAB_SIZE), keras.optimizers.Adam(2e-3)


# Name: model, words per review, side of the padding, batch size, epochs, patience. Article A
# trains ten epochs whatever happens; all of them are recorded, and the best one is tested.
VARIANTS = {
    "bag of words, last 100 words": (bag_of_words, 100, "post", 128, 30, 2),
    "bag of words, whole reviews": (bag_of_words, 2500, "post", 128, 30, 2),
    "article A's model, last 100 words": (article_a, 100, "pre", 128, 10, 10),
    "mean of all states, last 250 words": (mean_of_states, 250, "post", 128, 4, 1),
}
# The log-odds of these two added up: what words say, and what order adds.
TOGETHER = ("bag of words, whole reviews", "mean of all states, last 250 words")


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
        (tokenizer.encode_batch(texts, length, padding=padding, truncating="pre"), labels)
        for texts, labels in parts
    ]
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
    said = [model.predict(ids, batch_size=256, verbose=0)[:, 0] for ids, _ in encoded[1:]]
    np.savez(saved_file(variant, seed), validation=said[0], test=said[1])
    scores = accuracies([logits(probabilities) for probabilities in said], parts)
    by_epoch = {
        name: [round(value, 4) for value in history.history[name]]
        for name in ("accuracy", "val_accuracy", "loss", "val_loss")
    }
    return {**scores, "seconds": round(seconds), "by_epoch": by_epoch}


def run_together(seed, parts):
    """Adds up the log-odds that two trained models gave; nothing is trained."""
    files = [np.load(saved_file(variant, seed)) for variant in TOGETHER]
    return accuracies(
        [sum(logits(f[part]) for f in files) for part in ("validation", "test")], parts
    )


def saved_file(variant, seed):
    """Where the probabilities of a run are kept."""
    return SAVED / f"01_imdb_{list(VARIANTS).index(variant)}_{seed}.npz"


def logits(probabilities):
    """Probabilities as log-odds."""
    p = np.clip(probabilities.astype("float64"), 1e-7, 1 - 1e-7)
    return np.log(p / (1 - p))


def accuracies(scores, parts):
    """Accuracy on the validation and the test part; a score above 0 means liked."""
    names = ("validation", "test")
    return {
        name: round(float(np.mean((score > 0) == labels)), 4)
        for name, score, (_, labels) in zip(names, scores, parts[1:], strict=True)
    }


def main():
    """Runs what the results file does not hold yet."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("path", help="the folder aclImdb, its tarball, or: download")
    parts = load(parser.parse_args().path)
    tokenizer = WordTokenizer.train(parts[0][0], VOCAB_SIZE)
    results = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    SAVED.mkdir(exist_ok=True)
    for variant in VARIANTS:
        for seed in SEEDS:
            if str(seed) in results.setdefault(variant, {}) and saved_file(variant, seed).exists():
                continue
            print(f"{variant}, seed {seed}")
            results[variant][str(seed)] = run(variant, seed, parts, tokenizer)
            print(results[variant][str(seed)], flush=True)
            write_atomic(RESULTS, json.dumps(results, indent=1) + "\n")
    results["the last two together"] = {str(seed): run_together(seed, parts) for seed in SEEDS}
    write_atomic(RESULTS, json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()
