"""Chapter 01's results over several seeds: with and without a mask, and a bag of words.

    python chapters/experiments/01_rnn_classifier.py       # one command line for all: see runner.py

The chapter reads and asserts what this script measures. The settings are the chapter's, which
checks that they are. Takes ten minutes on two cores.
"""

from typing import NamedTuple

import keras
from runner import Experiment, Fit, compile_classifier, main

from lmkit import datasets
from lmkit.metrics import pair_accuracy
from lmkit.models import bag_of_words_classifier, rnn_classifier
from lmkit.tokenizers import WordTokenizer

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

    model: str = "rnn"
    mask_zero: bool = True
    padding: str = "post"
    optimizer: str = "Adam"
    learning_rate: float = SETTINGS["LEARNING_RATE"]
    batch_size: int = SETTINGS["BATCH_SIZE"]
    epochs: int = SETTINGS["EPOCHS"]
    patience: int = 2


VARIANTS = {
    "masked": Variant(),  # the chapter's own
    # Article A trains ten epochs whatever happens: nothing may be spared it.
    "unmasked, right": Variant(mask_zero=False, epochs=10, patience=10),
    "unmasked, left": Variant(mask_zero=False, padding="pre"),
    # The article names no learning rate, so it is Keras's.
    "masked, article's": Variant(
        optimizer="RMSprop", learning_rate=1e-3, batch_size=128, epochs=10, patience=10
    ),
    "bag": Variant("bag", learning_rate=0.01, epochs=30),
}


class Data(NamedTuple):
    """Reviews, `(texts, labels)` each, the minimal pairs by kind, and the tokenizer."""

    train: tuple
    validation: tuple
    test: tuple
    pairs: dict
    tokenizer: WordTokenizer

    def encode(self, variant, texts):
        """Rows of ids, padded on the variant's side."""
        return self.tokenizer.encode_batch(texts, SETTINGS["LENGTH"], padding=variant.padding)


def load():
    """The course's own reviews and the minimal pairs."""
    splits = [datasets.load_reviews(split) for split in ("train", "validation", "test")]
    # Two reviews with the same words in another order, or with one word exchanged.
    pairs = {"order": [], "word": []}
    for pair in datasets.load_review_pairs():
        pairs[pair.kind].append(pair)
    return Data(*splits, pairs, WordTokenizer.train(splits[0][0]))


def build(variant, data, seed):
    """A classifier, its optimizer and its early stopping."""
    vocab_size = data.tokenizer.vocab_size
    if variant.model == "bag":
        model = bag_of_words_classifier(vocab_size)
    else:
        sizes = {"embed_dim": SETTINGS["EMBED_DIM"], "units": SETTINGS["UNITS"]}
        model = rnn_classifier(vocab_size, **sizes, mask_zero=variant.mask_zero)
    (x, y), validation = (
        (data.encode(variant, texts), labels) for texts, labels in (data.train, data.validation)
    )
    # The best epoch is chosen on the validation reviews: the test reviews are used once.
    stop = keras.callbacks.EarlyStopping(patience=variant.patience, restore_best_weights=True)
    options = {"validation_data": validation, "callbacks": [stop]}
    # By name, because a variant is made of plain values that can be stored and compared.
    optimizer = getattr(keras.optimizers, variant.optimizer)(variant.learning_rate)
    fit = Fit(x, y, variant.batch_size, variant.epochs, options)
    return compile_classifier(model, fit, optimizer)


def measure(model, variant, data, history):
    """Accuracy on test reviews and minimal pairs."""
    texts, labels = data.test
    accuracy = model.evaluate(data.encode(variant, texts), labels, verbose=0)[1]
    # How many epochs early stopping has allowed.
    found = {"epochs": len(history["loss"]), "test": accuracy}
    for kind, pairs in data.pairs.items():
        sides = [pair.positive for pair in pairs], [pair.negative for pair in pairs]
        # (n, 1) probabilities of the positive side's class, as (n,).
        scores = [model.predict(data.encode(variant, side), verbose=0)[:, 0] for side in sides]
        # A bag of words scores both sides alike, but for rounding: that is half a point.
        found[kind] = pair_accuracy(*scores, tolerance=1e-6)
    return found


EXPERIMENT = Experiment(
    "01_rnn_classifier", SETTINGS, VARIANTS, load, build, measure, as_lists=True
)

if __name__ == "__main__":
    main(EXPERIMENT)
