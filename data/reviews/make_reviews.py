"""Write the film reviews of chapter 01: train, validation, test and minimal pairs.

    python data/reviews/make_reviews.py --out FOLDER

The same seed gives the same bytes on every machine. The phrases are in
review_phrases.py, what the corpus is for is in README.md.
"""

import argparse
import csv
import hashlib
import os
import random
import re
from pathlib import Path

import review_phrases as phrases

SEED = 20260
SPLITS = {"train": 12000, "validation": 500, "test": 1000}
WORD_PAIRS_PER_SENTENCE = 12  # six for each direction of the exchanged word
ORDER_PAIRS = 150
SHORTEST, LONGEST = 20, 50  # words in a review
UNSEEN_SHARE = 0.6  # share of the test reviews' evidence from held-out combinations
PLAIN_SHARE = 0.5  # share of the reviews with one sentence of plain praise or blame
WORD = re.compile(r"[a-z0-9]+(?:'[a-z0-9]+)*")

# The number of an evidence sentence is its place in this list.
EVIDENCE = phrases.ORDER + phrases.SWAP + phrases.RECAST
FIRST_SWAP, FIRST_RECAST = len(phrases.ORDER), len(phrases.ORDER) + len(phrases.SWAP)


def held_out(number, kind, word):
    """Is this word in evidence sentence `number` kept for the test reviews?"""
    praise, blame = phrases.WORDS[kind]
    place = praise.index(word) if word in praise else blame.index(word)
    return (place + number) % 5 == 0


def words(text):
    """The words of a text as the chapter's models see them."""
    return WORD.findall(text.lower())


def with_article(word):
    """The word with "a" or "an" in front."""
    return ("an " if word[0] in "aeiou" else "a ") + word


def shuffle(rng, items):
    """Put a list in random order, by the same steps in every version of Python."""
    for last in range(len(items) - 1, 0, -1):
        other = int(rng.random() * (last + 1))
        items[last], items[other] = items[other], items[last]


def capital(sentence):
    """The sentence with a capital at its beginning."""
    return sentence[0].upper() + sentence[1:]


class Writer:
    """Writes one review: twice, as one who liked the film and as one who did not.

    A sentence is a pair (if liked, if not liked). Both stay equal where the
    sentence carries no verdict.
    """

    def __init__(self, rng, unseen):
        """`unseen` is the share of evidence sentences that use held-out combinations."""
        self.rng = rng
        self.unseen = unseen
        self.has_unseen = False
        self.used = set()  # only asked for membership: its order plays no part
        self.tags = []
        self.genre = self.pick(list(phrases.GENRES))

    def pick(self, items):
        """One of the items, none twice in a review as long as fresh ones are left."""
        fresh = [item for item in items if item not in self.used] or items
        item = fresh[int(self.rng.random() * len(fresh))]
        self.used.add(item)
        return item

    def fits(self, tag):
        """May a sentence with this tag join the sentences already written?"""
        clashes = phrases.CLASHES + [(b, a) for a, b in phrases.CLASHES]
        return not any((tag, other) in clashes for other in self.tags)

    def pick_tagged(self, entries):
        """An entry whose tag, its last field, fits; the tag is then taken."""
        entry = self.pick([entry for entry in entries if self.fits(entry[-1])])
        self.tags.append(entry[-1])
        return entry

    def scenery(self):
        """A value for every slot that carries no verdict."""
        part, plural = self.pick(phrases.PARTS)
        strangers = [] if "home" in self.tags else phrases.STRANGERS
        return {
            "s": part,
            "was": "were" if plural else "was",
            "is": "are" if plural else "is",
            "film": self.pick(phrases.FILM),
            "who": self.pick(phrases.PEOPLE + strangers),
        }

    def neutral(self, sentence):
        """A sentence without a verdict, its slots filled."""
        slots = {name: self.pick(items) for name, items in phrases.FILLERS.items()}
        slots["instrument2"] = self.pick(phrases.FILLERS["instrument"])
        slots["job2"] = self.pick(phrases.FILLERS["job"])
        slots |= {
            "genre": self.genre,
            "a_genre": with_article(self.genre),
            "who": self.pick(phrases.PEOPLE),
            "month": self.pick(phrases.MONTHS),
            "where": self.pick(phrases.WHERE),
            "ago": self.pick(phrases.AGO),
            "reason": self.pick(phrases.REASONS),
            "home_reason": self.pick(phrases.HOME_REASONS),
        }
        slots["when"] = self.pick(phrases.WHEN).format(month=slots["month"])
        text = capital(sentence.format(**slots))
        return text, text

    def choose_words(self, number, kind, polarity, unseen):
        """Two sentiment words of one polarity, from the seen or the held-out combinations."""
        allowed = [
            word for word in phrases.WORDS[kind][polarity] if held_out(number, kind, word) == unseen
        ]
        return self.pick(allowed), self.pick(allowed)

    def evidence(self, number, polarity=None):
        """Evidence sentence `number`; `polarity` (0 praise, 1 blame) is that of a SWAP word."""
        kind = EVIDENCE[number][0]
        unseen = self.rng.random() < self.unseen
        self.has_unseen |= unseen
        if polarity is None:
            polarity = int(self.rng.random() * 2)
        chosen = [self.choose_words(number, kind, side, unseen) for side in (0, 1)]
        slots = self.scenery()
        if number < FIRST_SWAP:
            return self.order_sentence(number, chosen, slots)
        word, second = chosen[polarity]
        slots |= {"w": word, "w2": second, "a_w": with_article(word)}
        return self.turned_sentence(number, polarity, slots)

    def order_sentence(self, number, chosen, slots):
        """Both readings of an ORDER sentence: the praising and blaming word change places."""
        (good, _), (bad, _) = chosen
        versions = []
        for view, foil in ((good, bad), (bad, good)):
            slots |= {"v": view, "n": foil}
            slots |= {"a_v": with_article(view), "a_n": with_article(foil)}
            versions.append(capital(EVIDENCE[number][1].format(**slots)))
        return tuple(versions)

    def turned_sentence(self, number, polarity, slots):
        """Both readings of a SWAP or RECAST sentence around words of one polarity."""
        if number < FIRST_RECAST:
            _, sentence, small_words, _ = EVIDENCE[number]
            versions = [sentence.format(f=small, **slots) for small in small_words]
        else:
            versions = [sentence.format(**slots) for sentence in EVIDENCE[number][1:3]]
        keeping, turning = (capital(version) for version in versions)
        return (keeping, turning) if polarity == 0 else (turning, keeping)

    def plain(self):
        """A sentence that praises or blames without any turn."""
        if self.rng.random() < 0.3:
            return tuple(self.pick(side) for side in phrases.PLAIN_FIXED)
        kind, sentence = self.pick(phrases.PLAIN)
        slots = self.scenery()
        versions = []
        for side in (0, 1):
            table = phrases.STRONG if kind == "strong" else phrases.WORDS[kind]
            word, second = self.pick(table[side]), self.pick(table[side])
            slots |= {"w": word, "w2": second, "a_w": with_article(word)}
            versions.append(capital(sentence.format(**slots)))
        return tuple(versions)

    def free_numbers(self, first, last):
        """Numbers of the evidence sentences that fit and whose topic is still free."""
        tags = [EVIDENCE[number][-1] for number in range(len(EVIDENCE))]
        return [n for n in range(first, last) if self.fits(tags[n]) and tags[n] not in self.tags]

    def add_evidence(self, number, polarity=None):
        """Write evidence sentence `number` and take its tag."""
        self.tags.append(EVIDENCE[number][-1])
        return self.evidence(number, polarity)

    def background(self, amount):
        """The opening sentence and `amount` more without a verdict, the plot among them."""
        sentences = [self.neutral(self.pick_tagged(phrases.OPENINGS)[0])]
        if amount and self.rng.random() < 0.7:
            sentences.append(self.neutral(self.pick(phrases.GENRES[self.genre])))
        while len(sentences) < 1 + amount:
            sentences.append(self.neutral(self.pick_tagged(phrases.NEUTRAL)[0]))
        return sentences

    def assemble(self, background, verdicts):
        """Opening first, a verdict last: (text if liked, text if not)."""
        opening, *rest = background
        last = verdicts.pop()
        middle = rest + verdicts
        sentences = zip(opening, *middle, last, strict=True)
        return tuple(" ".join(version) for version in sentences)

    def review(self):
        """A review for the three splits: (if liked, if not liked)."""
        share = self.rng.random()
        amount = 1 if share < 0.3 else 2 if share < 0.75 else 3
        background = self.background(1 if amount == 1 or self.rng.random() < 0.3 else 0)
        verdicts = []
        for _ in range(amount):
            number = self.pick(self.free_numbers(0, len(EVIDENCE)))
            verdicts.append(self.add_evidence(number))
        if self.rng.random() < PLAIN_SHARE:
            verdicts.append(self.plain())
            shuffle(self.rng, verdicts)
        return self.assemble(background, verdicts)

    def pair(self, number, polarity=None):
        """A minimal pair around evidence sentence `number`: (if liked, if not liked)."""
        self.tags.append(EVIDENCE[number][-1])
        background = self.background(1)
        verdicts = [self.evidence(number, polarity)]
        if number < FIRST_SWAP and self.rng.random() < 0.5:
            second = self.pick(self.free_numbers(0, FIRST_SWAP))
            verdicts.append(self.add_evidence(second))
        return self.assemble(background, verdicts)


def good_length(texts):
    """Are all texts neither too short nor too long?"""
    return all(SHORTEST <= len(words(text)) <= LONGEST for text in texts)


def make_pairs(rng, seen):
    """Minimal pairs as rows (kind, positive, negative); all rest on held-out combinations."""
    plan = [("order", i % FIRST_SWAP, None) for i in range(ORDER_PAIRS)]
    for number in range(FIRST_SWAP, FIRST_RECAST):
        for i in range(WORD_PAIRS_PER_SENTENCE):
            plan.append(("word", number, i % 2))
    rows = []
    for kind, number, polarity in plan:
        texts = Writer(rng, 1.0).pair(number, polarity)
        while not good_length(texts) or seen & set(texts):
            texts = Writer(rng, 1.0).pair(number, polarity)
        seen |= set(texts)
        rows.append((kind, *texts))
    return rows


def make_split(rng, count, unseen, seen):
    """Rows (label, text), half of each label, in random order, no text twice."""
    rows = []
    while len(rows) < count:
        writer = Writer(rng, unseen)
        texts = writer.review()
        label = len(rows) % 2
        text = texts[0] if label else texts[1]
        if text in seen or not good_length([text]) or (unseen and not writer.has_unseen):
            continue
        seen.add(text)
        rows.append((label, text))
    shuffle(rng, rows)
    return rows


def make_corpus():
    """All four tables: file name -> (header, rows)."""
    seen = set()
    tables = {"pairs.csv": (("kind", "positive", "negative"), make_pairs(stream(0), seen))}
    for place, (split, count) in enumerate(SPLITS.items(), start=1):
        unseen = UNSEEN_SHARE if split == "test" else 0.0
        rows = make_split(stream(place), count, unseen, seen)
        tables[f"{split}.csv"] = (("label", "text"), rows)
    return tables


def stream(place):
    """A random generator of its own for each table, so that one can grow alone."""
    return random.Random(SEED + place)


def write_table(path, header, rows):
    """Write a CSV file under a temporary name, then give it its own."""
    draft = path.with_name(path.name + ".part")
    with draft.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)
    os.replace(draft, path)


def write_checksums(folder, names):
    """Write SHA256SUMS, to be checked with `sha256sum -c SHA256SUMS`."""
    lines = [f"{hashlib.sha256((folder / n).read_bytes()).hexdigest()}  {n}\n" for n in names]
    draft = folder / "SHA256SUMS.part"
    draft.write_text("".join(lines), encoding="utf-8", newline="\n")
    os.replace(draft, folder / "SHA256SUMS")


def main(arguments=None):
    """Write all files into a folder."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--out", type=Path, default=Path(__file__).resolve().parent)
    folder = parser.parse_args(arguments).out
    folder.mkdir(parents=True, exist_ok=True)
    tables = make_corpus()
    for name, (header, rows) in tables.items():
        write_table(folder / name, header, rows)
    write_checksums(folder, sorted(tables))
    for name, (_, rows) in tables.items():
        print(f"{name}: {len(rows)} rows")


if __name__ == "__main__":
    main()
