"""Why chapter 01's network fails without a mask: how many zeros follow the text?

    python chapters/experiments/01_padding.py

The same network without a mask, on rows that differ only in the zeros after the last
word: as many after every review, or a number that depends on the review's length.
Writes chapters/results/01_padding.json. Takes about ten minutes on two cores.
"""

import json
import pathlib

import keras
import numpy as np

from lmkit import datasets
from lmkit.files import write_atomic
from lmkit.models import rnn_classifier
from lmkit.tokenizers import WordTokenizer

RESULTS = pathlib.Path(__file__).parents[1] / "results" / "01_padding.json"
SEEDS = range(5)
LONGEST = 50  # words in the longest review
EPOCHS, BATCH_SIZE, LEARNING_RATE = 5, 64, 2e-3  # the chapter's


def zeros_after(tokenizer, texts, count):
    """Rows with exactly `count` zeros after the last word; the others stand in front."""
    ids = tokenizer.encode_batch(texts, LONGEST, padding="pre")
    return np.pad(ids, ((0, 0), (0, count)))


ROWS = {
    "always 10 zeros": lambda tokenizer, texts: zeros_after(tokenizer, texts, 10),
    "0 to 30 zeros, by length": lambda tokenizer, texts: tokenizer.encode_batch(texts, LONGEST),
    "always 50 zeros": lambda tokenizer, texts: zeros_after(tokenizer, texts, 50),
}


def best_accuracy(rows, seed, tokenizer, train, validation):
    """The best validation accuracy of any epoch."""
    keras.utils.clear_session()
    keras.utils.set_random_seed(seed)
    model = rnn_classifier(tokenizer.vocab_size, mask_zero=False)
    optimizer = keras.optimizers.Adam(LEARNING_RATE)
    model.compile(optimizer, "binary_crossentropy", metrics=["accuracy"], jit_compile=True)
    (texts, labels), (other_texts, other_labels) = train, validation
    history = model.fit(
        rows(tokenizer, texts),
        labels,
        batch_size=BATCH_SIZE,
        epochs=EPOCHS,
        validation_data=(rows(tokenizer, other_texts), other_labels),
        verbose=0,
    )
    return round(max(history.history["val_accuracy"]), 4)


def main():
    """Trains on every kind of rows with every seed and writes the table."""
    train, validation = (datasets.load_reviews(split) for split in ("train", "validation"))
    tokenizer = WordTokenizer.train(train[0])
    results = {}
    for name, rows in ROWS.items():
        results[name] = []
        for seed in SEEDS:
            results[name].append(best_accuracy(rows, seed, tokenizer, train, validation))
            print(name, seed, results[name][-1], flush=True)
    write_atomic(RESULTS, json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()
