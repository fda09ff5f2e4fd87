"""Where do Chinese words end? Five methods on the stories and on LibreOffice's help, five seeds.

    python chapters/experiments/05b_words_in_chinese.py  # one command line for all: see runner.py

The stories carry their words. A run leaves out some of them: it removes every training clause
in which one of them occurs, so neither the dictionary nor the tags know them. The help pages
carry no words. There jieba's cut takes their place, and a run counts in some of the training
paragraphs only. The file of results holds jieba's cut, so that nobody needs jieba to use it;
where jieba is installed (0.42.1 made the stored file), it is computed anew. Takes three minutes.
"""

import math
import random
import re
from collections import Counter
from itertools import chain, pairwise
from types import SimpleNamespace
from typing import NamedTuple

import numpy as np
from runner import Experiment, Fit, main

from lmkit import stories
from lmkit.datasets import load_libreoffice_help, load_results
from lmkit.tokenizers import segment

NAME = "05b_words_in_chinese"
SETTINGS = {
    "TRAIN_STORIES": 500,
    "TEST_STORIES": 200,
    "TEST_SEED": 1000,  # training stories are drawn with the run's seed
    "ADDED": 1,  # to each count of the tags: a character that training never showed
    "JIEBA": "0.42.1",
}
LONGEST = 16  # characters of the longest word in jieba's dictionary
HAN = re.compile("[\u4e00-\u9fff]+")  # punctuation, digits and letters end a clause
# The words that a story can do without: what its tables list, not what its sentences say.
TABLES = "weather", "day", "color", "thing", "place", "sight", "food", "worth", "move"


class Variant(NamedTuple):
    """What is cut, and what the training part lacks."""

    text: str
    left_out: float | None = None  # share of the words in the tables, stories
    paragraphs: int | None = None  # how many are counted, help


VARIANTS = {
    f"stories, {share:.0%} left out": Variant("stories", left_out=share)
    for share in (0.0, 0.1, 0.2, 0.4)
} | {
    f"help, {number} paragraphs": Variant("help", paragraphs=number)
    for number in (30, 100, 300, 1000, 3000)
}


# The texts, as clauses: lists of words without punctuation between them.


def story_clauses(count, seed):
    """The clauses of Chinese stories with their true words."""
    for story in stories.sample_stories(count, seed, language="zh"):
        clause = []
        for word in story.split():
            if HAN.fullmatch(word):
                clause.append(word)
            elif clause:
                yield clause
                clause = []


def held_out_stories():
    """The held-out stories' clauses."""
    return list(story_clauses(SETTINGS["TEST_STORIES"], SETTINGS["TEST_SEED"]))


def paragraphs(split):
    """Each help paragraph's runs of Chinese characters."""
    return [HAN.findall(pair.chinese) for pair in load_libreoffice_help(split)]


def with_jieba():
    """What jieba says: where its words end, and what its dictionary is worth to each method."""
    try:
        import jieba
    except ModuleNotFoundError:
        stored = load_results(NAME)
        return {key: stored[key] for key in JIEBA_PARTS}
    if jieba.__version__ != SETTINGS["JIEBA"]:
        raise ValueError(f"jieba {SETTINGS['JIEBA']} made the results, not {jieba.__version__}")
    jieba.setLogLevel("ERROR")
    jieba.initialize()
    texts = {split: list(chain(*paragraphs(split))) for split in ("train", "held_out")}
    texts["stories"] = ["".join(clause) for clause in held_out_stories()]
    cuts = {name: [list(jieba.cut(text)) for text in part] for name, part in texts.items()}
    lengths = {
        name: "".join(str(len(word)) for clause in part for word in clause)
        for name, part in cuts.items()
    }
    words = {word: count for word, count in jieba.dt.FREQ.items() if count}
    found = ambiguous(texts["train"] + texts["held_out"], words, jieba.cut)
    return dict(
        zip(JIEBA_PARTS, (lengths, dictionary_alone(cuts["held_out"], words), found), strict=True)
    )


JIEBA_PARTS = "word lengths", "jieba's dictionary", "ambiguous"


def dictionary_alone(clauses, words):
    """How well each method agrees with jieba's cut if it uses jieba's own dictionary."""
    # In one call, which looks through the whole dictionary once. No word contains a line end.
    whole = "\0".join(segment("\n".join(map("".join, clauses)), words)).split("\0\n\0")
    best = {cut.replace("\0", ""): cut.split("\0") for cut in whole}
    methods = {
        "longest forwards": lambda text: longest_match(text, words, LONGEST),
        "longest backwards": lambda text: longest_match_backwards(text, words, LONGEST),
        "best path": best.get,
    }
    known = [word in words for clause in clauses for word in clause]
    found = {"words": len(words), "unknown": 1 - sum(known) / len(known)}
    return found | {name: scores(cut, clauses, words) for name, cut in methods.items()}


def ambiguous(texts, words, cut, most=16):
    """The stretches on which the two longest matches disagree most often.

    Each with how often it occurs, the two ways, and jieba's.
    """
    counts = Counter()
    for text in texts:
        ways = longest_match(text, words, LONGEST), longest_match_backwards(text, words, LONGEST)
        ends = [{0, *(end for _, end in spans(way))} for way in ways]
        for start, end in pairwise(sorted(ends[0] & ends[1])):
            if any(start < place < end for place in ends[0] | ends[1]):
                counts[text[start:end]] += 1
    return {
        text: [
            count,
            "|".join(longest_match(text, words, LONGEST)),
            "|".join(longest_match_backwards(text, words, LONGEST)),
            "|".join(cut(text)),
        ]
        for text, count in counts.most_common(most)
    }


def help_clauses(split, lengths):
    """The clauses of each help paragraph, cut where `lengths` says."""
    sizes = map(int, lengths)
    for runs in paragraphs(split):
        clauses = []
        for run in runs:
            clause, start = [], 0
            while start < len(run):
                clause.append(run[start : start + next(sizes)])
                start += len(clause[-1])
            clauses.append(clause)
        yield clauses


# The methods: each takes a text and gives a list of words.


def longest_match(text, words, longest):
    """Takes the longest word that begins where the last one ended."""
    found, start = [], 0
    while start < len(text):
        ends = range(min(start + longest, len(text)), start + 1, -1)
        end = next((end for end in ends if text[start:end] in words), start + 1)
        found.append(text[start:end])
        start = end
    return found


def longest_match_backwards(text, words, longest):
    """The same from the end."""
    found, end = [], len(text)
    while end:
        starts = range(max(end - longest, 0), end - 1)
        start = next((start for start in starts if text[start:end] in words), end - 1)
        found.append(text[start:end])
        end = start
    return found[::-1]


TAGS = "BMES"
LEGAL = {"B": "ME", "M": "ME", "E": "BS", "S": "BS"}  # what can follow


def tags_of(words):
    """A tag for every character: begin, middle, end of a word, or single."""
    return "".join("S" if len(w) == 1 else "B" + "M" * (len(w) - 2) + "E" for w in words)


class TagModel:
    """A hidden Markov model: a tag depends on the tag before, a character on its tag."""

    def __init__(self, clauses):
        moves, emitted = Counter(), {tag: Counter() for tag in TAGS}
        for clause in clauses:
            tags = tags_of(clause)
            moves.update(pairwise("^" + tags))  # ^: the beginning
            for char, tag in zip("".join(clause), tags, strict=True):
                emitted[tag][char] += 1
        legal = [("^", "B"), ("^", "S")] + [(tag, to) for tag in TAGS for to in LEGAL[tag]]
        totals = Counter()
        for pair in legal:
            totals[pair[0]] += moves[pair] + 1  # so that nothing legal is impossible
        self.moves = {pair: math.log((moves[pair] + 1) / totals[pair[0]]) for pair in legal}
        known, added = set().union(*emitted.values()), SETTINGS["ADDED"]
        self.emits, self.unknown = {}, {}
        for tag, counts in emitted.items():
            total = counts.total() + added * (len(known) + 1)  # one more: any other character
            self.emits[tag] = {c: math.log((counts[c] + added) / total) for c in known}
            self.unknown[tag] = math.log(added / total)

    def cut(self, text):
        """The most probable tags (Viterbi), as words."""
        best = {"^": (0.0, "")}
        for char in text:
            found = {}
            for (tag, to), step in self.moves.items():
                if tag in best:
                    emit = self.emits[to].get(char, self.unknown[to])
                    score = best[tag][0] + step + emit
                    if to not in found or score > found[to][0]:
                        found[to] = score, best[tag][1] + to
            best = found
        tags = max(best[tag] for tag in "ES" if tag in best)[1]
        words, start = [], 0
        for end, tag in enumerate(tags, 1):
            if tag in "ES":
                words.append(text[start:end])
                start = end
        return words


def best_path_then_tags(text, counts, tag_model):
    """The best path; where it leaves characters that are no words, the tags decide."""
    found, left = [], ""
    for word in [*segment(text, counts), None]:
        if word and len(word) == 1 and word not in counts:
            left += word
            continue
        if left:
            found += tag_model.cut(left)
            left = ""
        if word:
            found.append(word)
    return found


# What a run counts and measures.


class Segmenters:
    """All methods, fitted by counting: what `runner.run` takes for a model."""

    def fit(self, clauses, _, **options):
        """Counts words and tags. `options` are those of Keras's `fit`, and unused."""
        self.counts = Counter(word for clause in clauses for word in clause)
        self.longest = max(map(len, self.counts))
        self.tags = TagModel(clauses)
        return SimpleNamespace(history={})

    def count_params(self):
        """The words of the dictionary."""
        return len(self.counts)

    def methods(self):
        """Names, and functions from a text to a list of words."""
        return {
            "characters": list,
            "longest forwards": lambda text: longest_match(text, self.counts, self.longest),
            "longest backwards": lambda text: longest_match_backwards(
                text, self.counts, self.longest
            ),
            "best path": lambda text: segment(text, self.counts),
            "tags": self.tags.cut,
            "best path, then tags": lambda text: best_path_then_tags(text, self.counts, self.tags),
        }


def spans(words):
    """A pair of positions for each word, where it begins and ends."""
    ends = np.cumsum([0, *map(len, words)])
    return list(pairwise(ends.tolist()))


def scores(cut, clauses, known):
    """Precision, recall and F1 of words; recall of those the dictionary lacks and has."""
    right = made = true = 0
    found, there = Counter(), Counter()
    for clause in clauses:
        gold, ours = spans(clause), set(spans(cut("".join(clause))))
        made += len(ours)
        true += len(gold)
        for word, span in zip(clause, gold, strict=True):
            right += span in ours
            found[word in known] += span in ours
            there[word in known] += 1
    precision, recall = right / made, right / true
    f1 = 2 * precision * recall / (precision + recall) if right else 0.0
    parts = {
        f"recall of {name}": found[key] / there[key] if there[key] else None
        for name, key in (("unknown", False), ("known", True))
    }
    return {"precision": precision, "recall": recall, "f1": f1, **parts}


def load():
    """Both test sets, the help's training paragraphs, and what jieba says."""
    jieba_says = with_jieba()
    lengths = jieba_says["word lengths"]
    help_test = [clause for row in help_clauses("held_out", lengths["held_out"]) for clause in row]
    tests = {
        "stories": held_out_stories(),
        "help": help_test,
    }
    return {
        "jieba": jieba_says,
        "tests": tests,
        "help": list(help_clauses("train", lengths["train"])),
    }


def training_clauses(variant, data, seed):
    """What a run counts: stories without the words left out, or some of the paragraphs."""
    draw = random.Random(seed)
    if variant.text == "help":
        chosen = draw.sample(data["help"], variant.paragraphs)
        return [clause for paragraph in chosen for clause in paragraph]
    grammar = stories.LANGUAGES["zh"]
    words = sorted({word for table in TABLES for word in grammar.words_of[table]})
    gone = set(draw.sample(words, round(variant.left_out * len(words))))
    clauses = story_clauses(SETTINGS["TRAIN_STORIES"], seed)
    return [clause for clause in clauses if not gone & set(clause)]


def build(variant, data, seed):
    """The methods, and the clauses that they count; one batch, since counting has no steps."""
    clauses = training_clauses(variant, data, seed)
    return Segmenters(), Fit(clauses, np.zeros(len(clauses)), batch_size=len(clauses))


def measure(model, variant, data, history):
    """Every method's scores on the held-out clauses, and the share of unknown words."""
    clauses = data["tests"][variant.text]
    words = [word for clause in clauses for word in clause]
    found = {"unknown": sum(word not in model.counts for word in words) / len(words)}
    for name, cut in model.methods().items():
        found[name] = scores(cut, clauses, model.counts)
    return found


def header(data):
    """What the file holds first: the settings, and what jieba says."""
    return {"settings": SETTINGS, **data["jieba"]}


EXPERIMENT = Experiment(NAME, SETTINGS, VARIANTS, load, build, measure, header=header)

if __name__ == "__main__":
    main(EXPERIMENT)
