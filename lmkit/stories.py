"""The story language: text with a known probability."""

import functools
import itertools
import operator
import random
from typing import NamedTuple

import numpy as np

from lmkit import _story_words as words

END = "[END]"
MIDDLE, LONG = 3, 20  # tokens back to the antecedent at which "middle" and "long" begin


class Grammar:
    def __init__(self, rules, slots, tables):
        self.slots, self.tables = slots, tables
        self.rules = {name: _compile(name, rule) for name, rule in rules.items()}
        readers = {name: [] for name in slots}
        for name, slot in slots.items():
            for link in ("differs", "of"):
                if link in slot:
                    readers[slot[link]].append((name, link))
        self.readers = readers
        self._splits = {}
        self._first = {}

    def candidates(self, slot, values):
        """The words that a slot can still be before it is first spoken of."""
        spec = self.slots[slot]
        differs, of = spec.get("differs"), spec.get("of")
        key = slot, values.get(differs), values.get(of)
        if key not in self._first:
            table = self.tables[spec["table"]]
            self._first[key] = tuple(
                word
                for word, forms in table.items()
                if (not differs or (word,) != values[differs])
                and (not of or (forms["of"],) == values[of])
            )
        return self._first[key]

    def split(self, slot, candidates, form):
        key = slot, candidates, form
        if key not in self._splits:
            table, groups = self.tables[self.slots[slot]["table"]], {}
            for word in candidates:
                token = table[word][form] if form else word
                groups[token] = (*groups.get(token, ()), word)
            options = {t: len(g) / len(candidates) for t, g in groups.items()}
            self._splits[key] = options, groups
        return self._splits[key]


SAY, SLOT, RULE, ALIAS = range(4)


def _compile(name, rule):
    total = sum(weight for weight, _ in rule)
    return [(weight / total, tuple(map(_item, text.split()))[::-1]) for weight, text in rule]


def _item(text):
    if text[0] == "{" and len(text) > 1:
        slot, _, form = text[1:-1].partition(".")
        return SLOT, slot, form
    if text[0] == "<" and len(text) > 1:
        return RULE, text[1:-1], None
    if "=" in text and len(text) > 1:
        return ALIAS, *text.split("=")
    return SAY, text, {text: 1.0}


class Walk:
    def __init__(self, grammar):
        self.grammar = grammar
        self.todo = [(RULE, "story", None)]
        self.values, self.alias, self.last = {}, {}, {}
        self.position = 0
        self.source = None
        self._look()

    def copy(self):
        twin = object.__new__(Walk)
        twin.__dict__.update(self.__dict__)
        twin.todo, twin.values = self.todo.copy(), self.values.copy()
        twin.alias, twin.last = self.alias.copy(), self.last.copy()
        return twin

    def _look(self):
        todo = self.todo
        while todo:
            kind, name, extra = todo[-1]
            if kind == SAY:
                self.options = extra
                return
            if kind == SLOT:
                self.options = self._split(name, extra)[0]
                return
            todo.pop()
            if kind == ALIAS:
                self.alias[name] = self.alias.get(extra, extra)
                continue
            alternatives = self.grammar.rules[name]
            if len(alternatives) == 1:
                todo.extend(alternatives[0][1])
                continue
            todo.append((kind, name, extra))
            self._branch(alternatives)
            return
        self.options = {}

    def _branch(self, alternatives):
        self.options, self.chosen = {}, {}
        for weight, items in alternatives:
            kind, name, extra = items[-1]
            head = {name: 1.0} if kind == SAY else self._split(name, extra)[0]
            for token, p in head.items():
                if token in self.options:
                    raise ValueError("ambiguous", token)
                self.options[token] = weight * p
                self.chosen[token] = items

    def _split(self, name, form):
        slot = self.alias.get(name, name)
        c = self.values.get(slot)
        if c is None:
            c = self.grammar.candidates(slot, self.values)
        return self.grammar.split(slot, c, form)

    def take(self, token):
        item = self.todo.pop()
        if item[0] == RULE:
            self.todo.extend(self.chosen[token])
            item = self.todo.pop()
            self.rule = True
        else:
            self.rule = False
        if item[0] == SLOT:
            slot = self.alias.get(item[1], item[1])
            groups = self._split(item[1], item[2])[1]
            self.source = self._antecedent(slot, item[2])
            self.values[slot] = groups[token]
            self.last[slot, item[2]] = self.position
        else:
            self.source = None
        self.position += 1
        self._look()

    def _antecedent(self, slot, form):
        """Position of the nearest mention that settles it."""
        known = self.values.get(slot)
        if known is None:
            of = self.grammar.slots[slot].get("of")
            return self.last[of, ""] if of else None
        if form and (slot, form) in self.last:
            return max(self.last[slot, form], self.last.get((slot, ""), -1))
        if (slot, "") in self.last:
            return self.last[slot, ""]
        return max(p for (s, f), p in self.last.items() if s == slot)

    def key(self):
        g = self.grammar
        out = []
        for slot, c in self.values.items():
            table = g.tables[g.slots[slot]["table"]]
            pending = [l for r, l in g.readers[slot] if len(self.values.get(r, ())) != 1]
            if len(c) == 1 and not pending:
                out.append((slot, None))
            elif "of" in pending:
                out.append((slot, c))
            else:
                out.append((slot, tuple(sorted(tuple(sorted(table[w].items())) for w in c))))
        return (
            tuple(self.todo_key()),
            tuple(sorted(self.alias.items())),
            tuple(sorted(out, key=repr)),
        )

    def todo_key(self):
        return [i[:2] if i[0] != SLOT else i for i in self.todo]


GRAMMARS = {"en": Grammar(words.ENGLISH_RULES, words.ENGLISH_SLOTS, words.ENGLISH_TABLES)}
if hasattr(words, "CHINESE_RULES"):
    GRAMMARS["zh"] = Grammar(words.CHINESE_RULES, words.CHINESE_SLOTS, words.CHINESE_TABLES)


def sample_stories(count, seed, language="en"):
    grammar, rng = GRAMMARS[language], random.Random(seed)
    return [_sample(grammar, rng.random) for _ in range(count)]


def _sample(grammar, uniform):
    walk, tokens = Walk(grammar), []
    while walk.options:
        token = _pick(walk.options, uniform)
        tokens.append(token)
        walk.take(token)
    return " ".join(tokens)


def _pick(options, uniform):
    if len(options) > 1:
        left = uniform()
        for token, p in options.items():
            left -= p
            if left < 0:
                return token
    return next(reversed(options))


def log_probabilities(story, language="en"):
    walk, ps = Walk(GRAMMARS[language]), []
    for token in story.split():
        ps.append(walk.options[token])
        walk.take(token)
    return np.log(ps)


def token_kinds(story, language="en"):
    walk, kinds, distances = Walk(GRAMMARS[language]), [], []
    for token in story.split():
        n = len(walk.options)
        walk.take(token)
        if walk.source is None:
            kinds.append("free" if n > 1 else "local")
            distances.append(0)
        else:
            d = walk.position - 1 - walk.source
            distances.append(d)
            kinds.append("local" if d < MIDDLE else "middle" if d < LONG else "long")
    return kinds, np.array(distances)


def entropy(language="en"):
    memo = {}

    def visit(walk):
        if not walk.options:
            return 0.0, 0.0
        key = walk.key()
        if key not in memo:
            h = n = 0.0
            for token, p in walk.options.items():
                nxt = walk.copy()
                nxt.take(token)
                a, b = visit(nxt)
                h += p * (a - np.log(p))
                n += p * (b + 1)
            memo[key] = h, n
        return memo[key]

    h, n = visit(Walk(GRAMMARS[language]))
    return h, n, h / n, len(memo)


def vocabulary(language="en"):
    g = GRAMMARS[language]
    out = {}
    for rule in g.rules.values():
        for _, items in rule:
            for item in items[::-1]:
                if item[0] == SAY:
                    out[item[1]] = 1
                elif item[0] == SLOT and item[1] in g.slots:
                    t = g.tables[g.slots[item[1]]["table"]]
                    for w, f in t.items():
                        out[f[item[2]] if item[2] else w] = 1
    return list(out)
