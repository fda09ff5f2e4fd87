"""The film reviews of chapter 01: reproducible, balanced, and fair to nobody's word list."""

import collections
import csv
import hashlib
import importlib.util
import random
import re
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).resolve().parents[1] / "data" / "reviews"
TABLES = ("pairs.csv", "test.csv", "train.csv", "validation.csv")
TOKENS = r"[a-z0-9]+(?:'[a-z0-9]+)*"


def load(name):
    """A module from data/reviews, loaded from its file."""
    spec = importlib.util.spec_from_file_location(name, FOLDER / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def script():
    sys.path.insert(0, str(FOLDER))  # make_reviews imports its phrases from there
    yield load("make_reviews")
    sys.path.remove(str(FOLDER))


def rows(name):
    with (FOLDER / name).open(encoding="ascii", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def splits():
    return {name: rows(f"{name}.csv") for name in ("train", "validation", "test")}


@pytest.fixture(scope="module")
def pairs():
    return rows("pairs.csv")


def words(text):
    return re.findall(TOKENS, text.lower())


def test_script_reproduces_every_byte(script, tmp_path):
    script.main(["--out", str(tmp_path)])
    for name in (*TABLES, "SHA256SUMS"):
        assert (tmp_path / name).read_bytes() == (FOLDER / name).read_bytes(), name
    assert sorted(path.name for path in tmp_path.iterdir()) == ["SHA256SUMS", *TABLES]


def test_checksums_agree():
    lines = (FOLDER / "SHA256SUMS").read_text(encoding="ascii").splitlines()
    listed = dict(reversed(line.split("  ")) for line in lines)
    assert sorted(listed) == list(TABLES)
    for name, digest in listed.items():
        assert hashlib.sha256((FOLDER / name).read_bytes()).hexdigest() == digest


def test_counts_balance_and_length(splits):
    for name, count in (("train", 12000), ("validation", 500), ("test", 1000)):
        labels = collections.Counter(row["label"] for row in splits[name])
        assert labels == {"0": count // 2, "1": count // 2}
        assert all(20 <= len(words(row["text"])) <= 50 for row in splits[name])


def test_sentences_are_well_formed(splits, pairs):
    texts = [row["text"] for name in splits for row in splits[name]]
    texts += [row[side] for row in pairs for side in ("positive", "negative")]
    for text in texts:
        assert re.fullmatch(r"[A-Z][A-Za-z0-9 ,;:.!']*[.!]", text)
        assert not re.search(r"\b[Aa] [aeio]|\b[Aa]n (?!hour)[^aeiou]", text)
        assert not re.search(r" [,.;!]|  |[.!] [a-z]", text)
        assert not re.search(r"\b(\w+) \1\b", text.lower())
        assert 3 <= len(re.findall(r"[.!]", text)) <= 6


def test_no_text_twice(splits, pairs):
    texts = [row["text"] for name in splits for row in splits[name]]
    texts += [row[side] for row in pairs for side in ("positive", "negative")]
    assert len(set(texts)) == len(texts)


def test_every_word_occurs_in_training(splits, pairs):
    known = {word for row in splits["train"] for word in words(row["text"])}
    assert 800 <= len(known) <= 1800
    texts = [row["text"] for name in ("validation", "test") for row in splits[name]]
    texts += [row[side] for row in pairs for side in ("positive", "negative")]
    assert known.issuperset(word for text in texts for word in words(text))


def test_order_pairs_hold_the_same_words(pairs):
    order = [row for row in pairs if row["kind"] == "order"]
    assert len(order) >= 100
    for row in order:
        positive, negative = words(row["positive"]), words(row["negative"])
        assert positive != negative
        assert sorted(positive) == sorted(negative)
        assert 20 <= len(positive) <= 50


def exchanged(row):
    """The words that differ in a pair: [(word in the negative text, in the positive text)]."""
    both = zip(words(row["negative"]), words(row["positive"]), strict=True)
    return [(before, after) for before, after in both if before != after]


def test_word_pairs_differ_in_one_word_and_balance(pairs):
    word_pairs = [row for row in pairs if row["kind"] == "word"]
    assert len(word_pairs) >= 100
    assert all(len(exchanged(row)) == 1 for row in word_pairs)
    assert all(20 <= len(words(row["positive"])) <= 50 for row in word_pairs)
    swaps = collections.Counter(exchanged(row)[0] for row in word_pairs)
    assert all(swaps[before, after] == swaps[after, before] for before, after in swaps)


def alternatives(items):
    return "(?:" + "|".join(re.escape(item) for item in items) + ")"


def evidence_patterns(script):
    """(number, kind, regular expression whose groups are the sentiment words)."""
    phrases = script.phrases
    slots = {
        "s": alternatives([text for text, _ in phrases.PARTS]),
        "film": alternatives(phrases.FILM),
        "who": alternatives(phrases.PEOPLE + phrases.STRANGERS),
        "was": "(?:was|were)",
        "is": "(?:is|are)",
    }
    for name in ("v", "n", "w", "w2"):
        slots[name] = "([a-z]+)"
        slots[f"a_{name}"] = "an? ([a-z]+)"
    found = []
    for number, entry in enumerate(script.EVIDENCE):
        sentences = entry[1:3] if number >= script.FIRST_RECAST else entry[1:2]
        small = entry[2] if script.FIRST_SWAP <= number < script.FIRST_RECAST else ()
        for sentence in sentences:
            pattern = sentence.format(f=alternatives(small), **slots)
            found.append((number, entry[0], re.compile(pattern, re.IGNORECASE)))
    return found


def held_out_combinations(script, texts):
    """Held-out pairs (sentence number, word) in the texts, and matches per sentence number."""
    patterns = evidence_patterns(script)
    counts = collections.Counter(
        sentence for text in texts for sentence in re.split(r"(?<=[.!]) ", text)
    )
    found, matched = collections.Counter(), collections.Counter()
    for sentence, times in counts.items():
        for number, kind, pattern in patterns:
            match = pattern.fullmatch(sentence)
            for word in match.groups() if match else ():
                word = word.lower()
                if any(word in side for side in script.phrases.WORDS[kind]):
                    matched[number] += times
                    if script.held_out(number, kind, word):
                        found[number, word] += times
    return found, matched


def test_held_out_combinations_are_new_in_the_test(script, splits, pairs):
    for name in ("train", "validation"):
        found, matched = held_out_combinations(script, [row["text"] for row in splits[name]])
        assert not found
        assert len(matched) == len(script.EVIDENCE)  # the search does see every sentence
    for row in splits["test"]:
        assert held_out_combinations(script, [row["text"]])[0], row["text"]
    for row in pairs:
        assert held_out_combinations(script, [row["positive"]])[0], row["positive"]


def right_by_score(pairs, kind, weights):
    """Share of pairs that a sum of word weights ranks rightly; a tie is not right."""
    chosen = [row for row in pairs if row["kind"] == kind]
    differences = []
    for row in chosen:
        change = collections.Counter(words(row["positive"]))
        change.subtract(words(row["negative"]))
        differences.append(sum(count * weights[word] for word, count in change.items() if count))
    return sum(difference > 0 for difference in differences) / len(chosen)


def test_no_word_weights_solve_the_pairs(splits, pairs):
    rng = random.Random(1)
    known = sorted({word for row in splits["train"] for word in words(row["text"])})
    for _ in range(20):
        weights = {word: rng.uniform(-1, 1) for word in known}
        assert right_by_score(pairs, "order", weights) == 0
        assert right_by_score(pairs, "word", weights) <= 0.5


def test_logistic_regression_on_words_stays_low(splits, pairs):
    sklearn_text = pytest.importorskip(
        "sklearn.feature_extraction.text", reason="needs scikit-learn for the bag of words"
    )
    from sklearn.linear_model import LogisticRegression

    counter = sklearn_text.CountVectorizer(token_pattern=TOKENS)
    train = counter.fit_transform(row["text"] for row in splits["train"])
    model = LogisticRegression(max_iter=300).fit(train, [row["label"] for row in splits["train"]])
    test = counter.transform(row["text"] for row in splits["test"])
    accuracy = model.score(test, [row["label"] for row in splits["test"]])
    assert 0.62 <= accuracy <= 0.80
    weights = dict(zip(counter.get_feature_names_out(), model.coef_[0], strict=True))
    assert right_by_score(pairs, "order", weights) == 0
    assert right_by_score(pairs, "word", weights) <= 0.5
