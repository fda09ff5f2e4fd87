"""Prejudice planted in the stories, measured, removed, and what remains; and IMDB beside them.

    LMKIT_IMDB=PATH python chapters/experiments/06c_bias_and_maps.py

We keep or throw away stories of the grammar, so that what girls get, are told and do differs
from what boys do, by a known amount. Word vectors are rows of positive PMI (no training), or
skip-gram's. WEAT measures the prejudice, a projection removes it from the test, exchanged names
remove it from the text. Five seeds, each with stories of its own. "IMDB" trains skip-gram on the
texts of 50,000 reviews; leave it out with --only. One command line for all scripts:
see runner.py. Takes about twenty minutes on one core.
"""

import functools
import itertools
import re
from collections import Counter
from typing import NamedTuple

import keras
import numpy as np
from keras.utils import normalize  # rows of length 1; a row of zeros stays one
from runner import Experiment, Fit, main

from lmkit import datasets, stories
from lmkit.batches import packed
from lmkit.models import SkipGram
from lmkit.vectors import cooccurrences, subsample

GIRLS = ["Mia", "Anna", "Lily", "Emma", "Zoe"]
BOYS = ["Tom", "Ben", "Max", "Leo", "Sam"]
HERS = {
    "thing": ["doll", "cup", "book", "scarf"],
    "worth": ["lovely", "pretty", "precious", "light", "special", "new"],
    "move": ["danced", "skipped", "hopped", "walked"],
}
HIS = {
    "thing": ["ball", "drum", "kite", "hat"],
    "worth": ["strong", "heavy", "useful", "funny", "old", "rare"],
    "move": ["ran", "rode", "marched", "hurried"],
}
SWAPPED = dict(zip(GIRLS + BOYS, BOYS + GIRLS, strict=True)) | {"her": "his", "his": "her"}
# The word lists of Caliskan, Bryson and Narayanan (2017).
IMDB_LISTS = {
    "family": "home parents children family cousins marriage wedding relatives",
    "career": "executive management professional corporation salary office business career",
    "her": "amy joan lisa sarah diana kate ann donna",
    "his": "john paul mike kevin steve greg jeff bill",
    "female terms": "female woman girl sister she her hers daughter",
    "male terms": "male man boy brother he him his son",
}
# Pairs that differ in gender by meaning. Their words are no prejudice, so nothing removes it.
PAIRS = (
    "she he, her him, herself himself, woman man, women men, girl boy, girls boys, female male, "
    "mother father, daughter son, sister brother, wife husband, actress actor, queen king, "
    "lady gentleman, aunt uncle, princess prince, girlfriend boyfriend, mom dad, hers his"
)
GENDERED = (
    "actresses actors females males mothers fathers daughters sons sisters brothers wives husbands "
    "queens kings ladies gentlemen aunts uncles princesses princes grandmother grandfather grandma "
    "grandpa niece nephew guy guys gal gals chick chicks dude dudes fella lad lads bloke blokes "
    "lesbian lesbians mum mommy daddy mama papa widow widower bride groom bachelor "
    "heroine heroines hero waitress waiter businessman businessmen businesswoman housewife "
    "housewives maid maids nun nuns priest priests monk witch witches goddess countess duchess "
    "duke lord lords sir madam maiden maternal pregnant pregnancy feminine feminist feminists "
    "masculine womanizer manly macho maternity schoolgirl schoolgirls cowboy cowboys gunman "
    "policeman policemen fireman mr mrs ms miss"
)

SETTINGS = {
    "WINDOW": 5,
    "EMBED_DIM": 64,
    "NEGATIVES": 5,
    "ROW": 512,
    "BATCH_SIZE": 16,
    "LEARNING_RATE": 0.1,
    "EPOCHS": {"stories": 40, "IMDB": 3},
    "CONTROLS": 200,  # corpora without any prejudice
    "IMDB_LEAST": 30,  # how often a word must occur in the reviews
    "IMDB_COMMON": 100,  # and how often one of which we ask the leaning
    "LEANING": 250,  # words of either leaning
    "NEIGHBORS": 5,
}


class Variant(NamedTuple):
    """What is planted in how many stories, what is done against it, and which vectors."""

    strength: float = 0.5
    stories: int = 1000
    planted: str = "all"  # or one class of words
    swapped: bool = False  # every story again with the names exchanged
    method: str = "counts"
    corpus: str = "stories"


STRENGTHS, SIZES = (0, 0.125, 0.25, 0.5, 0.75, 1), (250, 1000, 4000)
VARIANTS = {
    f"strength {strength}, {size} stories": Variant(strength, size)
    for size in SIZES
    for strength in STRENGTHS
}
VARIANTS |= {
    f"{name}{', swapped' * swapped}": Variant(planted=planted, swapped=swapped, method=method)
    for name, planted, method in (
        ("all", "all", "counts"),
        ("adjectives only", "worth", "counts"),
        ("skip-gram", "all", "skip-gram"),
        ("skip-gram, adjectives only", "worth", "skip-gram"),
    )
    for swapped in (False, True)
}
VARIANTS |= {"skip-gram, strength 0": Variant(strength=0, method="skip-gram")}
VARIANTS |= {"IMDB": Variant(method="skip-gram", corpus="IMDB")}


# The laboratory: a prejudice that is known exactly.


def contradictions(tokens, classes):
    """How many planted words of a story contradict the prejudice about its hero."""
    hero = next(token for token in tokens if token in SWAPPED)  # the first name
    other = HIS if hero in GIRLS else HERS
    return len({word for name in classes for word in other[name]} & set(tokens))


def plant(strength, count, seed, classes=tuple(HERS)):
    """Draws stories and keeps those that contradict a prejudice more rarely."""
    keep, rng = (1 - strength) / (1 + strength), np.random.default_rng(seed)
    told = [story.split() for story in stories.sample_stories(10 * count, seed)]
    kept = [text for text in told if rng.random() < keep ** contradictions(text, classes)]
    if len(kept) < count:
        raise ValueError(f"only {len(kept)} of {len(told)} stories are kept: {count} are needed")
    return kept[:count]


def texts_of(variant, seed):
    """The stories of a seed, with their exchanged copies if the variant says so."""
    classes = tuple(HERS) if variant.planted == "all" else (variant.planted,)
    texts = plant(variant.strength, variant.stories, 1000 + seed, classes)
    if variant.swapped:
        texts += [[SWAPPED.get(token, token) for token in text] for text in texts]
    ids = {token: number for number, token in enumerate(stories.vocabulary())}
    return [[ids[token] for token in text] for text in texts]


def context_rows(texts, vocab_size):
    """Rows of positive PMI: a number for each context."""
    counts = cooccurrences(texts, vocab_size, SETTINGS["WINDOW"]).astype("float64")
    with np.errstate(divide="ignore", invalid="ignore"):
        expected = np.outer(counts.sum(axis=1), counts.sum(axis=0)) / counts.sum()
        return np.fmax(np.log(counts / expected), 0)


# The reviews.


class Reviews(NamedTuple):
    """IMDB's reviews as ids, their words, and how often each occurs."""

    texts: list
    words: list
    counts: list
    capital: list  # the share of a word's occurrences that begin with a capital


@functools.cache
def imdb():
    """Reads all labeled reviews; their labels are not used."""
    texts = [text for split in ("train", "test") for text in datasets.load_imdb(split)[0]]
    split = [re.findall(r"[A-Za-z]+", text.replace("<br />", " ")) for text in texts]
    counts = Counter(word.lower() for text in split for word in text)
    capital = Counter(word.lower() for text in split for word in text if word[0].isupper())
    words = [word for word, count in counts.most_common() if count >= SETTINGS["IMDB_LEAST"]]
    ids = {word: number for number, word in enumerate(words)}
    rows = [[ids[word.lower()] for word in text if word.lower() in ids] for text in split]
    share = [capital[word] / counts[word] for word in words]
    return Reviews(rows, words, [counts[word] for word in words], share)


# The models.


class Counted:
    """Rows of positive PMI, with what the runner needs of a model."""

    def __init__(self, texts, vocab_size):
        self.table, self.history = context_rows(texts, vocab_size), {}

    def count_params(self):
        """Nothing is learned."""
        return 0

    def fit(self, *_, **__):
        """Nothing is learned."""
        return self


def build(variant, data, seed):
    """Counted rows, or skip-gram and its rows of running text."""
    if variant.corpus == "IMDB":
        reviews = imdb()
        vocab_size, counts = len(reviews.words), np.array(reviews.counts)
        texts = subsample(reviews.texts, vocab_size, seed)
    else:
        texts, vocab_size = texts_of(variant, seed), len(stories.vocabulary())
        if variant.method == "counts":
            return Counted(texts, vocab_size), Fit(np.zeros(1), np.zeros(1), 1)
        counts = np.bincount(np.concatenate(texts), minlength=vocab_size)
    rows = packed(texts, SETTINGS["ROW"], gap=SETTINGS["WINDOW"])
    model = SkipGram(
        vocab_size, SETTINGS["EMBED_DIM"], SETTINGS["WINDOW"], SETTINGS["NEGATIVES"],
        noise=counts**0.75, seed=seed,
    )  # fmt: skip
    model.compile(keras.optimizers.Adagrad(SETTINGS["LEARNING_RATE"]))
    # The model needs no targets; the runner counts them.
    return model, Fit(rows, rows, SETTINGS["BATCH_SIZE"], SETTINGS["EPOCHS"][variant.corpus])


# The measurements.


def direction(table, first, second):
    """The mean vector of length 1 of some words, minus that of others."""
    rows = normalize(table)
    return rows[first].mean(axis=0) - rows[second].mean(axis=0)


def associations(table, words, first, second):
    """How much more alike words are to the first group than to the second, by the cosine."""
    return normalize(table)[words] @ direction(table, first, second)


def differences(values):
    """For every split of values into halves: the mean of the first minus that of the second."""
    half = len(values) // 2
    chosen = np.array(list(itertools.combinations(range(len(values)), half)))
    return (2 * values[chosen].sum(axis=1) - values.sum()) / half


def weat(first, second):
    """WEAT of the associations of two lists of words, with all splits, on one side."""
    values = np.concatenate([first, second])
    difference, spread = np.mean(first) - np.mean(second), values.std()
    found = {"difference": difference, "effect size": None, "p": 1.0}
    if spread > 1e-9:  # else the differences are rounding errors, and so is their ratio
        at_least = differences(values) >= difference - 1e-12
        found |= {"effect size": difference / spread, "p": np.mean(at_least)}
    return {name: value if value is None else float(value) for name, value in found.items()}


def project(table, direction, words):
    """Removes a direction from some rows."""
    unit_direction = direction / np.linalg.norm(direction)
    table = table.copy()
    table[words] -= np.outer(table[words] @ unit_direction, unit_direction)
    return table


def told_by_neighbors(table, groups):
    """Of how many words the nearest other word of their class is of their group."""
    rows, right = normalize(table), []
    for hers, his in groups:
        words, of = [*hers, *his], np.array([0] * len(hers) + [1] * len(his))
        cosines = rows[words] @ rows[words].T
        np.fill_diagonal(cosines, -np.inf)
        right += list(of == of[cosines.argmax(axis=1)])
    return float(np.mean(right))


def measure_stories(table, variant):
    """WEAT and neighbors before and after a projection, on the planted words."""
    ids = {token: number for number, token in enumerate(stories.vocabulary())}
    girls, boys = ([ids[name] for name in names] for names in (GIRLS, BOYS))
    hers, his = (
        {name: [ids[word] for word in words] for name, words in lists.items()}
        for lists in (HERS, HIS)
    )
    classes = list(HERS) if variant.planted == "all" else [variant.planted]
    groups = [(hers[name], his[name]) for name in classes]

    def test(rows, name, girls, boys):
        return weat(*(associations(rows, words[name], girls, boys) for words in (hers, his)))

    found = {name: test(table, name, girls, boys) for name in HERS}
    found["neighbors"] = told_by_neighbors(table, groups)
    names, ours = direction(table, girls, boys), direction(table, hers["worth"], his["worth"])
    lengths = np.linalg.norm(names) * np.linalg.norm(ours)
    found["cosine of the directions"] = float(names @ ours / lengths) if lengths > 1e-9 else None
    if variant.swapped and variant.method == "counts":
        return found  # there is no direction left that could be removed
    planted = [word for group in groups for words in group for word in words]
    without = project(table, names, planted)
    found["projected"] = {
        "worth": test(without, "worth", girls, boys),
        "neighbors": told_by_neighbors(without, groups),
    }
    without = project(table, direction(table, girls[:3], boys[:3]), planted)
    found["projected, other names"] = {
        "before": test(table, "worth", girls[3:], boys[3:]),
        "worth": test(without, "worth", girls[3:], boys[3:]),
    }
    return found


def leaning_words(table, reviews):
    """The most female and the most male of the words that have no gender by meaning."""
    rows, ids = normalize(table), {word: number for number, word in enumerate(reviews.words)}
    pairs = [pair.split() for pair in PAIRS.split(", ")]
    gender = np.mean([rows[ids[a]] - rows[ids[b]] for a, b in pairs], axis=0)
    gendered = {word for pair in pairs for word in pair} | set(GENDERED.split())
    asked = [
        number
        for number, word in enumerate(reviews.words)
        if reviews.counts[number] >= SETTINGS["IMDB_COMMON"]
        and reviews.capital[number] < 0.5  # the others are names
        and word not in gendered
        and len(word) > 2
    ]
    order = np.array(asked)[np.argsort(-rows[asked] @ gender)]
    return order[: SETTINGS["LEANING"]], order[::-1][: SETTINGS["LEANING"]], gender


def held_out_accuracy(table, female, male, seed):
    """How often the majority of the nearest words of one half tells the leaning of the other."""
    words, of = np.concatenate([female, male]), np.repeat([0, 1], [len(female), len(male)])
    order = np.random.default_rng(seed).permutation(len(words))
    known, asked = np.array_split(order, 2)
    rows = normalize(table)[words]
    nearest = np.argsort(-rows[asked] @ rows[known].T, axis=1)[:, : SETTINGS["NEIGHBORS"]]
    return float(np.mean((of[known][nearest].mean(axis=1) > 0.5) == of[asked]))


def measure_reviews(table, reviews):
    """WEAT with the paper's lists; leaning words before and after a projection."""
    ids = {word: number for number, word in enumerate(reviews.words)}
    lists = {
        name: [ids[word] for word in words.split() if word in ids]
        for name, words in IMDB_LISTS.items()
    }

    def test(first, second, rows=table):
        topics = (lists["family"], lists["career"])
        return weat(*(associations(rows, words, lists[first], lists[second]) for words in topics))

    female, male, gender = leaning_words(table, reviews)
    without = project(table, gender, np.concatenate([female, male]))
    return {
        "names": test("her", "his"),
        "terms": test("female terms", "male terms"),
        "leaning female": [reviews.words[word] for word in female[:20]],
        "leaning male": [reviews.words[word] for word in male[:20]],
        "lean": [
            float(np.mean(normalize(rows)[words] @ gender / np.linalg.norm(gender)))
            for rows in (table, without)
            for words in (female, male)
        ],
        "neighbors": [held_out_accuracy(rows, female, male, 0) for rows in (table, without)],
    }


def measure(model, variant, data, history):
    """What the vectors of a corpus say."""
    table = model.table if variant.method == "counts" else model.inputs_table.numpy()
    table = table.astype("float64")
    if variant.corpus == "stories":
        return measure_stories(table, variant)
    return {"loss": history["loss"][-1]} | measure_reviews(table, imdb())


def controls():
    """WEAT on corpora without any prejudice: words of one class, and two classes as lists."""
    ids = {token: number for number, token in enumerate(stories.vocabulary())}
    words_of = stories.LANGUAGES["en"].words_of
    lists = {
        "one class": (HERS["worth"], HIS["worth"]),
        "two classes": (list(words_of["color"])[:6], list(words_of["weather"])[:6]),
    }
    found = {name: {"effect size": [], "p": []} for name in lists}
    leaning = {name: [] for name in lists}
    for seed in range(SETTINGS["CONTROLS"]):
        texts = [story.split() for story in stories.sample_stories(1000, 5000 + seed)]
        table = context_rows([[ids[token] for token in text] for text in texts], len(ids))
        names = [[ids[name] for name in group] for group in (GIRLS, BOYS)]
        for name, pair in lists.items():
            asked = [[ids[word] for word in words] for words in pair]
            leaning[name].append([associations(table, words, *names) for words in asked])
            test = weat(*leaning[name][-1])
            for key, values in found[name].items():
                values.append(float(f"{test[key]:.4g}"))
    for name, values in leaning.items():
        found[name] |= shared_accidents(np.array(values))
    return found


def shared_accidents(values):
    """Correlations over corpora of two words' associations, from values (corpora, 2, words)."""
    words = values.shape[2]
    table = np.corrcoef(values.reshape(len(values), -1), rowvar=False)  # (2 words, 2 words)
    same = np.kron(np.eye(2), np.ones((words, words))).astype(bool)
    means = table[same & ~np.eye(2 * words, dtype=bool)].mean(), table[~same].mean()
    names = ("correlation in a list", "correlation between lists")
    return {name: float(f"{mean:.4g}") for name, mean in zip(names, means, strict=True)}


def header(data):
    """Beside the settings: the word lists, and what the test says where there is nothing."""
    return {
        "settings": SETTINGS,
        "lists": {"girls": GIRLS, "boys": BOYS, "hers": HERS, "his": HIS},
        "IMDB lists": {name: words.split() for name, words in IMDB_LISTS.items()},
        "controls": controls(),
    }


EXPERIMENT = Experiment(
    "06c_bias_and_maps", SETTINGS, VARIANTS, dict, build, measure, header=header
)

if __name__ == "__main__":
    main(EXPERIMENT)
