"""What skip-gram with negative sampling finds on stories whose probabilities are known.

    python chapters/experiments/06_word_vectors.py    # one command line for all: see runner.py

Two tables are trained on pairs of neighboring words. Their products are compared with what the
grammar says they should become: the exact pointwise mutual information, minus ln of the number
of negatives. Five seeds, each with stories of its own. Takes a quarter of an hour on one core. The
learning rate is the better one of 0.03 and 0.1 at 64 numbers per word, seed 0.
"""

from typing import NamedTuple

import keras
import numpy as np
from keras import layers, ops
from runner import Experiment, Fit, compile_language_model, main

from lmkit import stories
from lmkit.stories.grammar import ALIAS, RULE, TOKEN, Item

SETTINGS = {
    "BATCH_SIZE": 4096,  # pairs
    "LEARNING_RATE": 0.03,
    "OFTEN": 20,  # pairs that occur at least so often in the training stories
    "RARE": 4,  # and pairs that occur, but at most so often
}


class Variant(NamedTuple):
    """The language, how far the window reaches on each side, and how the tables are trained."""

    embed_dim: int = 64
    negatives: int = 5
    stories: int = 1000
    passes: int = 4
    window: int = 2
    language: str = "en"


VARIANTS = {"base": Variant(), "chinese": Variant(language="zh")}
VARIANTS |= {f"dimension {size}": Variant(embed_dim=size) for size in (4, 8, 16, 32)}
VARIANTS |= {"negatives 1": Variant(negatives=1), "passes 1": Variant(passes=1)}
VARIANTS |= {"stories 100": Variant(stories=100, passes=40)}  # as many steps as the base
VARIANTS |= {  # as many pairs as the base: a wider window has more of them per story
    f"window 5, dimension {size}": Variant(size, stories=400, window=5)
    for size in (2, 4, 8, 16, 64)
}


class PairScores(keras.Model):
    """The chapter's model: a table for words, a table for contexts, a dot product."""

    def __init__(self, vocab_size, embed_dim):
        super().__init__()
        self.words = layers.Embedding(vocab_size, embed_dim)
        self.contexts = layers.Embedding(vocab_size, embed_dim)

    def call(self, rows):
        """Each row holds a word, then contexts to be scored."""
        return ops.sum(self.words(rows[:, :1]) * self.contexts(rows[:, 1:]), axis=-1)


def told(grammar, items):
    """All ways in which rules can go on: pairs of a probability and a row of items."""
    if not items:
        return [(1.0, [])]
    first, rest = items[0], items[1:]
    if first.kind != RULE:
        return [(p, [first, *row]) for p, row in told(grammar, rest)]
    return [
        (weight * p, row)
        for weight, reversed_items in grammar.rules[first.name]
        for p, row in told(grammar, [*reversed_items[::-1], *rest])
    ]


def draws(grammar):
    """For each slot, the equally likely outcomes of the draw that fills it, as dicts."""
    found = {}
    for slot, (differs, of) in grammar.links.items():
        table = grammar.words_of[slot]
        if differs:
            first = grammar.words_of[differs]
            both = [{differs: a, slot: b} for a in first for b in table if a != b]
            found |= {slot: both, differs: both}
        elif of:
            both = [{of: forms["of"], slot: word} for word, forms in table.items()]
            found |= {slot: both, of: both}
        else:
            found.setdefault(slot, [{slot: word} for word in table])
    return found


def exact_counts(language, window):
    """The expected number of times per story that two tokens stand close: an array (V, V)."""
    grammar, tokens = stories.LANGUAGES[language], stories.vocabulary(language)
    ids, filled = {token: number for number, token in enumerate(tokens)}, draws(grammar)

    def outcomes(item, aliases):
        if item.kind == TOKEN:
            return None, np.array([ids[item.name]])
        slot, form = aliases.get(item.name, item.name), item.detail
        table, draw = grammar.words_of[slot], filled[aliases.get(item.name, item.name)]
        said = [table[one[slot]][form] if form else one[slot] for one in draw]
        return id(draw), np.array([ids[token] for token in said])

    counts = np.zeros((len(tokens), len(tokens)))
    for probability, row in told(grammar, [Item(RULE, "story")]):
        aliases = {item.name: item.detail for item in row if item.kind == ALIAS}
        said = [outcomes(item, aliases) for item in row if item.kind != ALIAS]
        for at, (draw, first) in enumerate(said):
            for other, second in said[at + 1 : at + 1 + window]:
                if draw and draw == other:  # filled by the same draw: outcome by outcome
                    np.add.at(counts, (first, second), probability / len(first))
                else:  # independent: every outcome with every other
                    share = probability / len(first) / len(second)
                    np.add.at(counts, (first[:, None], second[None]), share)
    return counts + counts.T


def pairs_of(rows, window):
    """All pairs of a word and a context: an array (pairs, 2)."""
    pairs = []
    for row in rows:
        for distance in range(1, window + 1):
            # by-hand: pairs of neighbors, not inputs and targets
            left, right = row[:-distance], row[distance:]
            pairs += [np.stack([left, right], 1), np.stack([right, left], 1)]
    return np.concatenate(pairs)


def sample(variant, seed):
    """The pairs of a seed's own stories."""
    ids = {token: number for number, token in enumerate(stories.vocabulary(variant.language))}
    texts = stories.sample_stories(variant.stories, 100 + seed, variant.language)
    return pairs_of([np.array([ids[t] for t in text.split()]) for text in texts], variant.window)


def load():
    """Exact counts for each language and window, and room for the counts of the last sample."""
    kinds = {(variant.language, variant.window) for variant in VARIANTS.values()}
    return {kind: exact_counts(*kind) for kind in kinds}


def build(variant, data, seed):
    """The two tables, and every pair with its negatives, drawn as often as contexts occur."""
    tokens = len(stories.vocabulary(variant.language))
    pairs, rng = sample(variant, seed), np.random.default_rng(seed)
    data["seen"] = np.zeros((tokens, tokens))
    np.add.at(data["seen"], tuple(pairs.T), 1)
    noise = data["seen"].sum(0) / len(pairs)
    negatives = rng.choice(tokens, size=(len(pairs), variant.negatives), p=noise)
    rows = np.concatenate([pairs, negatives], axis=1).astype("int32")
    labels = np.zeros((len(rows), 1 + variant.negatives), "float32")
    labels[:, 0] = 1
    fit = Fit(rows, labels, SETTINGS["BATCH_SIZE"], variant.passes)
    loss = keras.losses.BinaryCrossentropy(from_logits=True)
    model = PairScores(tokens, variant.embed_dim)
    return compile_language_model(model, fit, SETTINGS["LEARNING_RATE"], loss=loss)


def pmi(counts):
    """Pointwise mutual information; -inf where a pair never occurs."""
    total = counts.sum()
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.log(counts * total / np.outer(counts.sum(1), counts.sum(0)))


def losses(counts, negatives, products):
    """The expected loss of a pair with its negatives, and the least that it can be."""
    true = counts / counts.sum()
    noise = negatives * np.outer(true.sum(1), true.sum(0))
    some = true > 0
    best = pmi(counts)[some] - np.log(negatives)
    loss = (true * np.logaddexp(0, -products) + noise * np.logaddexp(0, products)).sum()
    floor = (true[some] * np.logaddexp(0, -best) + noise[some] * np.logaddexp(0, best)).sum()
    return float(loss), float(floor)


def classes(language):
    """The class of each word that the grammar draws from a table."""
    found = {}
    for slot, table in stories.LANGUAGES[language].words_of.items():
        for word, forms in table.items():
            found[word] = "name" if slot in ("hero", "friend") else slot
            if "like" in forms:
                found[forms["like"]] = "like"
    return found


def same_class(table, language):
    """The share of words whose nearest word, by the cosine, is of the same class."""
    tokens, of = stories.vocabulary(language), classes(language)
    known = [number for number, token in enumerate(tokens) if token in of]
    rows = table[known] / np.maximum(np.linalg.norm(table[known], axis=1, keepdims=True), 1e-9)
    cosines = rows @ rows.T
    np.fill_diagonal(cosines, -np.inf)
    names = np.array([of[tokens[number]] for number in known])
    return float((names == names[cosines.argmax(1)]).mean())


def singular_table(counts, size):
    """As many numbers per word from the singular values of the positive PMI."""
    left, values, _ = np.linalg.svd(np.maximum(np.nan_to_num(pmi(counts), neginf=0), 0))
    return left[:, :size] * np.sqrt(values[:size])


def measure(model, variant, data, history):
    """How close the products come to the shifted PMI, and what the nearest words are."""
    exact, seen = data[variant.language, variant.window], data["seen"]
    words, contexts = (layer.get_weights()[0] for layer in (model.words, model.contexts))
    products = (words @ contexts.T).astype("float64")
    best, some = pmi(exact) - np.log(variant.negatives), exact > 0
    loss, floor = losses(exact, variant.negatives, products)
    found = {"loss": loss, "floor": floor, "impossible pairs": float(products[~some].mean())}
    often, rare = SETTINGS["OFTEN"], SETTINGS["RARE"]
    groups = {
        "possible": some,
        "often": seen >= often,
        "rare": (seen > 0) & (seen <= rare),
        "never seen": some & (seen == 0),
    }
    for name, group in groups.items():
        found[f"{name}: pairs"] = int(group.sum())
        if group.sum() > 2:
            found[f"{name}: correlation"] = np.corrcoef(products[group], best[group])[0, 1]
            found[f"{name}: error"] = np.abs(products - best)[group].mean()
            found[f"{name}: mean difference"] = (products - best)[group].mean()
    found["same class"] = same_class(words, variant.language)
    singular = singular_table(seen, variant.embed_dim)
    found["same class, singular values"] = same_class(singular, variant.language)
    return {name: round(float(value), 4) for name, value in found.items()}


def header(data):
    """The settings, and the exact counts of the English pairs, which the chapter reads."""
    tokens, counts = stories.vocabulary("en"), data["en", 2]
    expected = {}
    for first, second in zip(*np.nonzero(np.triu(counts)), strict=True):
        # Nine digits, because probabilities such as 1/720 would lose theirs with fewer.
        value = float(f"{counts[first, second]:.9g}")
        expected.setdefault(tokens[first], {})[tokens[second]] = value
    return {"settings": SETTINGS, "expected pairs per story": expected}


EXPERIMENT = Experiment("06_word_vectors", SETTINGS, VARIANTS, load, build, measure, header=header)

if __name__ == "__main__":
    main(EXPERIMENT)
