"""What stop word lists cost a classifier and a language model, over five seeds.

    LMKIT_IMDB=PATH python chapters/experiments/05c_stop_words.py

PATH is the folder aclImdb or its tarball (see 01_imdb.py); only the variants that begin with
"IMDB" need it. The list is scikit-learn's, with which the tests come. Chapter 01's network reads
the course's reviews without the words of the list; bags of words, and of words and pairs, read
the last 250 words of the IMDB reviews; a small Transformer reads stories with and without them.
One command line for all scripts: see runner.py. Takes half an hour on one core.
"""

import functools
import importlib
from collections import Counter
from typing import NamedTuple

import keras
import numpy as np
from runner import Experiment, Fit, compile_classifier, compile_language_model, main
from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS

from lmkit import datasets, decoding, stories
from lmkit.batches import IGNORE, next_tokens
from lmkit.metrics import pair_accuracy, score_tokens
from lmkit.models import TransformerLM, bag_of_words_classifier, rnn_classifier
from lmkit.tokenizers import WordTokenizer

imdb = importlib.import_module("01_imdb")  # a name that begins with a digit
NEGATIONS = set("no not never nor neither none nobody nothing nowhere cannot without".split())
LISTS = {
    "nothing": frozenset(),
    "the list": ENGLISH_STOP_WORDS,
    "the list without negations": ENGLISH_STOP_WORDS - NEGATIONS,
}
SETTINGS = {
    "REVIEW_WORDS": 40,  # no review keeps more when the list is removed
    "REVIEW_EPOCHS": 15,  # three times as many as chapter 01's; the best one is kept
    "IMDB_WORDS": 250,  # the last ones, counted before the removal
    "IMDB_EPOCHS": 6,
    "TRAIN_STORIES": 4_000,
    "TEST_STORIES": 500,
    "PASSES": 4,
    "LEARNING_RATE": 4e-3,
}


class Variant(NamedTuple):
    """What is read, by which model, and what is removed from it."""

    corpus: str
    model: str
    removed: str


VARIANTS = {
    f"{corpus}, {model}, {removed}": Variant(corpus, model, removed)
    for corpus, model, lists in (
        ("stories", "transformer", ("nothing", "the list")),
        ("reviews", "network", ("the list", "the list without negations")),
        ("IMDB", "words", LISTS),
        ("IMDB", "words and pairs", LISTS),
    )
    for removed in lists
}


def without(text, removed):
    """A text's words, in lower case and without punctuation, but for those of a list."""
    return " ".join(word for word in WordTokenizer.split(text) if word not in LISTS[removed])


def story_without(story, removed):
    """A story without the words of a list; punctuation stays."""
    return " ".join(word for word in story.split() if word.lower() not in LISTS[removed])


@functools.cache
def reviews(removed):
    """The course's reviews, `(texts, labels)` for training, validation and test."""
    parts = [datasets.load_reviews(split) for split in ("train", "validation", "test")]
    return [([without(text, removed) for text in texts], labels) for texts, labels in parts]


@functools.cache
def imdb_reviews(removed):
    """IMDB's reviews likewise: 01_imdb's three parts."""
    return [
        ([" ".join(word for word in words if word not in LISTS[removed]) for words in part], labels)
        for part, labels in imdb_words()
    ]


@functools.cache
def imdb_words():
    """The last words of each IMDB review, `(lists of words, labels)` for 01_imdb's three parts."""
    last = slice(-SETTINGS["IMDB_WORDS"], None)
    parts = imdb.load()[:3]
    return [([WordTokenizer.split(text)[last] for text in texts], y) for texts, y in parts]


@functools.cache
def encoded(corpus, removed, length):
    """Rows of ids and labels for each part, and the tokenizer of the training part."""
    parts = (reviews if corpus == "reviews" else imdb_reviews)(removed)
    tokenizer = WordTokenizer.train(parts[0][0], imdb.SETTINGS["VOCAB_SIZE"])
    rows = [(tokenizer.encode_batch(texts, length, truncating="pre"), y) for texts, y in parts]
    return rows, tokenizer


@functools.cache
def story_rows(removed):
    """Training and test stories, `(inputs, targets)` each."""
    texts = [
        stories.sample_stories(SETTINGS["TRAIN_STORIES"], seed=1),
        stories.sample_stories(SETTINGS["TEST_STORIES"], seed=2),
    ]
    rows = [stories.encode([story_without(text, removed) for text in part]) for part in texts]
    length = max(map(len, rows[0] + rows[1])) - 1
    return [next_tokens(part, length) for part in rows]


def build(variant, data, seed):
    """A model and its training; every corpus is read when it is first needed."""
    builders = {"reviews": build_network, "IMDB": build_bag, "stories": build_transformer}
    return builders[variant.corpus](variant)


def build_network(variant):
    """Chapter 01's network and its optimizer, with more epochs: some seeds learn late."""
    (train, validation, _), tokenizer = encoded(*variant[::2], SETTINGS["REVIEW_WORDS"])
    model = rnn_classifier(tokenizer.vocab_size)
    best = keras.callbacks.EarlyStopping(
        patience=SETTINGS["REVIEW_EPOCHS"], restore_best_weights=True
    )
    options = {"validation_data": validation, "callbacks": [best]}
    fit = Fit(*train, 64, SETTINGS["REVIEW_EPOCHS"], options)
    # XLA does not pay for a recurrent loop on a CPU.
    model.compile(
        keras.optimizers.Adam(2e-3), "binary_crossentropy", metrics=["accuracy"], jit_compile=False
    )
    return model, fit


def imdb_rows(variant):
    """The three parts for a bag of words, or of words and pairs of neighbors."""
    rows, tokenizer = encoded(*variant[::2], SETTINGS["IMDB_WORDS"])
    if variant.model == "words":
        return rows, tokenizer.vocab_size
    size = imdb.SETTINGS["VOCAB_SIZE"] + imdb.SETTINGS["PAIR_BUCKETS"]
    return [(imdb.with_pairs(x), y) for x, y in rows], size


def build_bag(variant):
    """Notebook 01b's bags; the epoch is chosen on the validation reviews."""
    (train, validation, _), size = imdb_rows(variant)
    stop = keras.callbacks.EarlyStopping("val_accuracy", patience=2, restore_best_weights=True)
    options = {"validation_data": validation, "callbacks": [stop]}
    fit = Fit(*train, imdb.SETTINGS["BATCH_SIZE"], SETTINGS["IMDB_EPOCHS"], options)
    return compile_classifier(bag_of_words_classifier(size), fit, keras.optimizers.Adam(2e-3))


def build_transformer(variant):
    """A small Transformer: two blocks of width 64."""
    train, _ = story_rows(variant.removed)
    model = TransformerLM(
        vocab_size=stories.tokenizer().vocab_size,
        max_length=train[0].shape[1],
        embed_dim=64,
        num_heads=4,
        ff_dim=256,
        num_layers=2,
    )
    fit = Fit(*train, 32, SETTINGS["PASSES"])
    return compile_language_model(model, fit, SETTINGS["LEARNING_RATE"])


def measure(model, variant, data, history):
    """Accuracy of a classifier; of a language model what a word and what a story costs."""
    if variant.corpus == "stories":
        return measure_stories(model, variant)
    if variant.corpus == "IMDB":
        (*_, test), _ = imdb_rows(variant)
        return {"test": model.evaluate(*test, batch_size=256, verbose=0)[1]}
    (*_, test), _ = encoded(*variant[::2], SETTINGS["REVIEW_WORDS"])
    accuracy = model.evaluate(*test, batch_size=256, verbose=0)[1]
    return {"test": accuracy} | measure_pairs(model, variant)


def measure_pairs(model, variant):
    """Accuracy on chapter 01's minimal pairs: half a point if both sides score alike."""
    _, tokenizer = encoded(*variant[::2], SETTINGS["REVIEW_WORDS"])
    found = {}
    for kind in ("order", "word"):
        pairs = [pair for pair in datasets.load_review_pairs() if pair.kind == kind]
        scores = []
        for side in ("positive", "negative"):
            texts = [without(getattr(pair, side), variant.removed) for pair in pairs]
            ids = tokenizer.encode_batch(texts, SETTINGS["REVIEW_WORDS"])
            scores.append(model.predict(ids, verbose=0)[:, 0])
        found[kind] = pair_accuracy(*scores, tolerance=1e-6)
    return found


def measure_stories(model, variant):
    """Nats per word, bits per story, and what the model writes."""
    _, (inputs, targets) = story_rows(variant.removed)
    nats, words = score_tokens(model, inputs, targets).sum(), int((targets != IGNORE).sum())
    written = write(model)
    possible = [is_possible(text.split(), variant.removed) for text in written]
    return {
        "words per story": words / len(inputs),
        "nats per word": nats / words,
        "bits per story": nats / np.log(2) / len(inputs),
        "written": written[:3],
        "possible": sum(possible) / len(written),
    }


def write(model, count=20):
    """Texts drawn word by word, from the beginning to [END]."""
    tokenizer = stories.tokenizer()
    end = tokenizer.encode(stories.END)[0]
    rows = decoding.generate_batch(model, [[end]] * count, model.max_length - 1, stop=end)
    return [tokenizer.decode(row[1:]) for row in rows]


def is_possible(words, removed, told=""):
    """Tells whether some story of the grammar has just these words left after the removal."""
    for token in stories.next_token_distribution(told):
        rest = words
        if token.lower() not in LISTS[removed]:
            if words[:1] != [token]:
                continue
            if token == stories.END:  # nothing can follow it
                return len(words) == 1
            rest = words[1:]
        if is_possible(rest, removed, f"{told} {token}".strip()):
            return True
    return False


def exchanged_in_equal(pairs, removed):
    """Counts the two words that were exchanged in pairs that become equal: "always, never"."""
    counts = Counter()
    for pair in pairs:
        sides = pair.positive, pair.negative
        if len({without(side, removed) for side in sides}) == 1:
            both = zip(*map(WordTokenizer.split, sides), strict=True)
            counts[", ".join(sorted(next(words for words in both if words[0] != words[1])))] += 1
    return dict(sorted(counts.items()))


def header(data):
    """Beside the settings: what the list holds, and what it does to the course's texts."""
    pairs = [pair for pair in datasets.load_review_pairs() if pair.kind == "word"]
    equal = {name: exchanged_in_equal(pairs, name) for name in LISTS}
    texts, _ = datasets.load_reviews("train")
    words = [word for text in texts for word in WordTokenizer.split(text)]
    named = "not no never nor without cannot but more less what if from to cry bill system".split()
    missing = "wasn't didn't isn't hardly rarely".split()
    tokens = {word for story in stories.sample_stories(500, seed=1) for word in story.split()}
    return {
        "settings": SETTINGS,
        "library": {
            "words": len(ENGLISH_STOP_WORDS),
            "negations": sorted(NEGATIONS & ENGLISH_STOP_WORDS),
            "named": [word for word in named if word in ENGLISH_STOP_WORDS],
            "missing": [word for word in missing if word not in ENGLISH_STOP_WORDS],
            "in the stories": sorted(w for w in tokens if w.lower() in ENGLISH_STOP_WORDS),
            "share of the reviews": round(np.isin(words, list(ENGLISH_STOP_WORDS)).mean(), 4),
            "word pairs": len(pairs),
            "equal word pairs": {name: sum(found.values()) for name, found in equal.items()},
            "exchanged in them": equal,
        },
    }


EXPERIMENT = Experiment("05c_stop_words", SETTINGS, VARIANTS, dict, build, measure, header=header)

if __name__ == "__main__":
    main(EXPERIMENT)
