"""A story on its way through a grammar, and what sampling, scoring and entropy make of it."""

import copy

import numpy as np

from lmkit._arguments import text as check_text
from lmkit.stories.grammar import ALIAS, END, RULE, SLOT, TOKEN, Item


class Derivation:
    """The state of an unfinished story: `options` can come next, `take` moves on by one token.

    Args:
        grammar: a `Grammar`.
    """

    def __init__(self, grammar):
        self.grammar = grammar
        # Tuples and dicts that are replaced, never changed: a shallow copy of the derivation
        # can go another way.
        self.stack = (Item(RULE, "story"),)  # what is still to be said, the next item last
        self.values = {}  # slot -> the words that it can still be
        self.aliases = {}  # another name of a slot -> the slot
        self.mentions = {}  # (slot, form) -> where that was said last
        self.position = 0
        self._find_options()

    def _find_options(self):
        """Expands rules until an item says something; `options` maps its tokens to chances."""
        rules = self.grammar.rules
        while self.stack:
            kind, name, detail = self.stack[-1]
            if kind == TOKEN:
                self.options = self.grammar.certain[name]
                return
            if kind == SLOT:
                self.options, self.left = self._forms(name, detail)
                return
            # A rule with alternatives stays on the stack: the next token decides.
            if kind == RULE and len(rules[name]) > 1:
                self.options = self._alternatives(name)
                return
            self.stack = self.stack[:-1]
            if kind == ALIAS:
                self.aliases = self.aliases | {name: detail}
            else:
                self.stack += rules[name][0][1]
        self.options = {}

    def _forms(self, name, form):
        slot = self.aliases.get(name, name)
        # A slot that was said before is limited to the words that fit all that was said.
        candidates = self.values.get(slot) or self.grammar.candidates(slot, self.values)
        return self.grammar.forms(slot, candidates, form)

    def _alternatives(self, rule):
        options, self.branches, self.left = {}, {}, {}
        for weight, items in self.grammar.rules[rule]:
            kind, name, form = items[-1]
            chances, left = self._forms(name, form) if kind == SLOT else ({name: 1.0}, {})
            for token, chance in chances.items():
                # Otherwise the probability of a story would be a sum over its derivations.
                if token in options:
                    raise ValueError(f"two alternatives begin with {token!r}: it must tell which")
                options[token], self.branches[token] = weight * chance, items
            self.left |= left
        return options

    def take(self, token):
        """Moves on by one token, one of the options."""
        item, self.stack = self.stack[-1], self.stack[:-1]
        if item.kind == RULE:
            *items, item = self.branches[token]
            self.stack += tuple(items)
        if item.kind == SLOT:
            slot = self.aliases.get(item.name, item.name)
            self.values = self.values | {slot: self.left[token]}
            self.mentions = self.mentions | {(slot, item.detail): self.position}
        self.position += 1
        self._find_options()

    def antecedent(self, token):
        """The position of the last token that determines or narrows this one, or None."""
        top = self.stack[-1]
        kind, name, form = self.branches[token][-1] if top.kind == RULE else top
        slot = self.aliases.get(name, name)
        if kind != SLOT:
            return None
        # If the word or the same form was said, the latest of them. Else the word that it
        # belongs to: a sight depends on its place, even where its likeness is said between.
        # Else the latest of its other forms.
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
            # Nothing depends on a word that is known and that no open slot reads.
            state.append((slot, left if exact or slot not in settled else "told"))
        return self.stack, frozenset(self.aliases.items()), frozenset(state)

    def rest(self, known):
        """Expected -log p and expected number of tokens of the rest of the story.

        `known` is a dict that fills up with the answers, one for each `key`.
        """
        if not self.options:
            return 0.0, 0.0
        key = self.key()
        if key not in known:
            nats = tokens = 0.0
            for token, probability in self.options.items():
                after = copy.copy(self)
                after.take(token)
                # The chain rule of entropy: this token's surprise, and what is left after it.
                rest = after.rest(known)
                nats += probability * (rest[0] - float(np.log(probability)))
                tokens += probability * (rest[1] + 1)
            known[key] = nats, tokens
        return known[key]


def follow(story, derivation):
    """Yields each token of a text just before the derivation takes it.

    Args:
        story: tokens with blanks between; a ValueError names the first that cannot come.
        derivation: a `Derivation`, which moves on token by token.
    """
    for token in check_text(story).split():
        if token not in derivation.options:
            where = f"position {derivation.position}: {token!r} does not belong there"
            raise ValueError(f"outside the story language at {where}; {expected(derivation)}")
        yield token
        derivation.take(token)


def expected(derivation):
    """What could have come next, in words for an error message.

    Args:
        derivation: a `Derivation`.
    """
    options = list(derivation.options)
    if not options:
        return f"the story was over with {END}"
    return f"{', '.join(map(repr, options[:5]))}{', ...' if len(options) > 5 else ''} could come"
