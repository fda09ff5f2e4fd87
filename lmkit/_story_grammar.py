"""The machine of the story language (lmkit/stories.py): it knows nothing of any language.

`Grammar` holds the rules, `_Telling` is a story on its way through them.
"""

import numpy as np

END = "[END]"
_SAY, _SLOT, _RULE, _RENAME = range(4)  # an item of a sentence; the first two say a token


class Grammar:
    """The one table behind sampling, scoring and entropy.

    Args:
        rules: a dict from a rule's name to its `(weight, sentence)` pairs; "story" is the
            start. lmkit/_story_words.py says how a sentence is written. Alternatives
            must begin with different tokens, so that the first token tells which it is.
        slots: a dict from a slot's name to `{"table": ...}`, if need be with
            `"differs": slot` (not that slot's word) or `"of": slot` (only words whose
            form "of" is that slot's word). A slot's word is drawn uniformly, once.
        tables: a dict from a table's name to `{word: {form: token, ...}, ...}`.

    Raises:
        ValueError: if a sentence names a rule or slot that does not exist, or an
            alternative does not begin with a word or a slot.

    Example:
        >>> from lmkit.stories import next_token_distribution
        >>> coin = {"coin": {"heads": {}, "tails": {}}}
        >>> rules = {"story": [(1, "It shows {side} . [END]")]}
        >>> toy = Grammar(rules, {"side": {"table": "coin"}}, coin)
        >>> next_token_distribution("It shows", toy)
        {'heads': 0.5, 'tails': 0.5}
    """

    def __init__(self, rules, slots, tables):
        self.words_of = {name: tables[slot["table"]] for name, slot in slots.items()}
        self.rules = {name: _compile(rule) for name, rule in rules.items()}
        self.links = {name: (slot.get("differs"), slot.get("of")) for name, slot in slots.items()}
        # Which slots a slot's word matters for, and whether the very word does or only its
        # forms: the entropy needs to know.
        owners = {of for _, of in self.links.values()}
        self.readers = {name: [] for name in slots}
        for reader, (differs, of) in self.links.items():
            self.readers.get(differs, []).append((reader, reader in owners))
            self.readers.get(of, []).append((reader, True))
        items = [item for rule in self.rules.values() for _, row in rule for item in row]
        self.certain = {name: {name: 1.0} for kind, name, _ in items if kind == _SAY}
        self.targets = {name: [name] for name in slots}
        for kind, name, target in items:
            if kind == _RENAME:
                self.targets.setdefault(name, []).append(target)
        self._check(items)
        self._candidates, self._forms = {}, {}

    def _check(self, items):
        known = {_SLOT: self.targets, _RULE: self.rules}
        for kind, name, _ in items:
            if name not in known.get(kind, (name,)):
                raise ValueError(f"a sentence uses {name!r}, but no slot or rule is called so")
        for name, rule in self.rules.items():
            if len(rule) > 1 and any(row[-1][0] not in (_SAY, _SLOT) for _, row in rule):
                raise ValueError(f"rule {name!r}: an alternative must begin with a word or a slot")

    def candidates(self, slot, values):
        """The words that a slot can be, as long as the story has not spoken of it."""
        differs, of = self.links[slot]
        key = slot, values.get(differs), values.get(of)
        if key not in self._candidates:
            for other in (differs, of):
                if other and len(values.get(other, ())) != 1:
                    raise ValueError(f"{slot!r} is said before {other!r}, on which it depends")
            self._candidates[key] = tuple(
                word
                for word, forms in self.words_of[slot].items()
                if not (differs and (word,) == values[differs])
                and not (of and (forms["of"],) != values[of])
            )
        return self._candidates[key]

    def forms(self, slot, candidates, form):
        """What is said for a slot: probability of each token, and the words it leaves."""
        key = slot, candidates, form
        if key not in self._forms:
            left = {}
            for word in candidates:
                token = self.words_of[slot][word][form] if form else word
                left.setdefault(token, []).append(word)
            chances = {token: len(row) / len(candidates) for token, row in left.items()}
            self._forms[key] = chances, {token: tuple(row) for token, row in left.items()}
        return self._forms[key]


def _compile(rule):
    """The alternatives with their probabilities; items stand last first, to be popped."""
    total = sum(weight for weight, _ in rule)
    return [(weight / total, [_item(text) for text in row.split()][::-1]) for weight, row in rule]


def _item(text):
    if text[0] == "{":
        slot, _, form = text[1:-1].partition(".")
        return _SLOT, slot, form
    if text[0] == "<":
        return _RULE, text[1:-1], None
    if "=" in text:
        return _RENAME, *text.split("=")
    return _SAY, text, None


class _Telling:
    """A story on its way: `options` is what can come next, `take` goes on by one token."""

    def __init__(self, grammar):
        self.grammar = grammar
        self.todo = [(_RULE, "story", None)]  # items still to be said, last first
        self.values = {}  # slot -> the words it can still be
        self.names = {}  # another name of a slot -> the slot
        self.mentions = {}  # (slot, form) -> where it was said last
        self.position = 0
        self._look()

    def copy(self):
        twin = object.__new__(_Telling)
        twin.__dict__.update(self.__dict__)
        for name in ("todo", "values", "names", "mentions"):
            setattr(twin, name, getattr(self, name).copy())
        return twin

    def _look(self):
        """Finds the next item that says something, and what it can say."""
        todo, rules = self.todo, self.grammar.rules
        while todo:
            kind, name, extra = todo[-1]
            if kind == _SAY:
                self.options = self.grammar.certain[name]
                return
            if kind == _SLOT:
                self.options, self.left = self._forms(name, extra)
                return
            if kind == _RULE and len(rules[name]) > 1:
                self.options = self._branch(name)
                return
            todo.pop()
            if kind == _RENAME:
                self.names[name] = extra
            else:
                todo += rules[name][0][1]
        self.options = {}

    def _forms(self, name, form):
        slot = self.names.get(name, name)
        candidates = self.values.get(slot) or self.grammar.candidates(slot, self.values)
        return self.grammar.forms(slot, candidates, form)

    def _branch(self, rule):
        options, self.branches, self.left = {}, {}, {}
        for weight, items in self.grammar.rules[rule]:
            kind, name, form = items[-1]
            chances, left = self._forms(name, form) if kind == _SLOT else ({name: 1.0}, {})
            for token, chance in chances.items():
                if token in options:
                    raise ValueError(f"two alternatives begin with {token!r}: it must tell which")
                options[token], self.branches[token] = weight * chance, items
            self.left |= left
        return options

    def item(self, token):
        """The item that says the token."""
        return self.branches[token][-1] if self.todo[-1][0] == _RULE else self.todo[-1]

    def take(self, token):
        kind, name, form = self.todo.pop()
        if kind == _RULE:
            self.todo += self.branches[token]
            kind, name, form = self.todo.pop()
        if kind == _SLOT:
            slot = self.names.get(name, name)
            self.values[slot] = self.left[token]
            self.mentions[slot, form] = self.position
        self.position += 1
        self._look()

    def antecedent(self, token):
        """Where the last token stands that tells what this one is, or narrows it; else None."""
        kind, name, form = self.item(token)
        slot = self.names.get(name, name)
        if kind != _SLOT:
            return None
        # The word or form itself, else the word it belongs to, else another form of it.
        said = [self.mentions.get(key) for key in ((slot, form), (slot, ""))]
        owner = self.mentions.get((self.grammar.links[slot][1], ""))
        other = [at for (name, _), at in self.mentions.items() if name == slot]
        told = [at for at in said if at is not None] or [owner] * (owner is not None) or other
        return max(told, default=None)

    def key(self):
        """All of the state that can still change a probability, and nothing else.

        Two words with the same forms can be exchanged without changing any probability,
        except where another slot's words belong to them.
        """
        state, readers = [], self.grammar.readers
        settled = {slot for slot, left in self.values.items() if len(left) == 1}
        for slot, left in self.values.items():
            exact = [very for reader, very in readers[slot] if reader not in settled]
            table = self.grammar.words_of[slot]
            if not any(exact):
                left = tuple(sorted(str(sorted(table[word].items())) for word in left))
            state.append((slot, left if exact or slot not in settled else "told"))
        return tuple(self.todo), frozenset(self.names.items()), frozenset(state)


def _follow(text, telling):
    for token in _split(text):
        if token not in telling.options:
            where = f"position {telling.position}: {token!r} does not belong there"
            raise ValueError(f"outside the story language at {where}; {_could_be(telling.options)}")
        yield token, telling
        telling.take(token)


def _split(story):
    if not isinstance(story, str):
        raise TypeError(f"a story must be a string, got {type(story).__name__}: {story!r:.60}")
    return story.split()


def _could_be(options):
    if not options:
        return f"the story was over with {END}"
    some = ", ".join(repr(token) for token in list(options)[:5])
    return f"{some}{', ...' if len(options) > 5 else ''} could have come"


def _rest(telling, known):
    """Expected -log p and expected number of tokens of the rest of a story."""
    if not telling.options:
        return 0.0, 0.0
    key = telling.key()
    if key not in known:
        nats = tokens = 0.0
        for token, probability in telling.options.items():
            after = telling.copy()
            after.take(token)
            rest = _rest(after, known)
            nats += probability * (rest[0] - float(np.log(probability)))
            tokens += probability * (rest[1] + 1)
        known[key] = nats, tokens
    return known[key]
