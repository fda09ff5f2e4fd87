"""The rules of a story language: what a sentence says, and what each slot's word can be."""

from typing import NamedTuple

from lmkit._arguments import real

END = "[END]"
# The kinds of items in a sentence. The first two say a token, the other two say nothing.
TOKEN, SLOT, RULE, ALIAS = range(4)


class Item(NamedTuple):
    """One piece of a sentence."""

    kind: int
    name: str
    detail: str = ""  # the form of a slot's word, or the slot that an alias stands for


class Grammar:
    """The one table behind sampling, scoring and entropy.

    Args:
        rules: a dict from a rule's name to its `(weight, sentence)` pairs; "story" is the
            start. lmkit/stories/english.txt says how a sentence is written. Alternatives
            must begin with different tokens, so that the first token tells which it is.
        slots: a dict from a slot's name to `{"table": ...}`, where needed with
            `"differs": slot` (not that slot's word) or `"of": slot` (only words whose
            form "of" is that slot's word). A slot's word is drawn uniformly, once.
        tables: a dict from a table's name to `{word: {form: token, ...}, ...}`.

    Raises: ValueError for rules, slots or tables that do not exist.

    Example:
        >>> from lmkit.stories import next_token_distribution
        >>> coin = {"coin": {"heads": {}, "tails": {}}}
        >>> rules = {"story": [(1, "It shows {side} . [END]")]}
        >>> toy = Grammar(rules, {"side": {"table": "coin"}}, coin)
        >>> next_token_distribution("It shows", toy)
        {'heads': 0.5, 'tails': 0.5}
    """

    def __init__(self, rules, slots, tables):
        missing = {slot["table"] for slot in slots.values()} - set(tables)
        if missing:
            raise ValueError(f"a slot draws from {min(missing)!r}, but there is no such table")
        self.words_of = {name: tables[slot["table"]] for name, slot in slots.items()}
        self.links = {name: (slot.get("differs"), slot.get("of")) for name, slot in slots.items()}
        self.rules = {name: _compile(rule) for name, rule in rules.items()}
        items = [item for rule in self.rules.values() for _, row in rule for item in row]
        # Stories share these dicts by the thousand: nobody changes one.
        self.certain = {item.name: {item.name: 1.0} for item in items if item.kind == TOKEN}
        self.targets = {name: [name] for name in slots}  # the slots that a name can mean
        for kind, name, slot in items:
            if kind == ALIAS:
                self.targets.setdefault(name, []).append(slot)
        self._check(items)
        self.readers = self._readers()
        self._candidates, self._forms = {}, {}  # computed once: the combinations are few

    def _check(self, items):
        known = {SLOT: self.targets, RULE: self.rules}
        for kind, name, _ in items:
            if name not in known.get(kind, (name,)):
                raise ValueError(f"a sentence uses {name!r}, but there is no such slot or rule")
        for name, rule in self.rules.items():
            # A choice inside a choice would hide which tokens an alternative begins with.
            if len(rule) > 1 and any(row[-1].kind not in (TOKEN, SLOT) for _, row in rule):
                raise ValueError(f"rule {name!r}: an alternative must begin with a word or a slot")

    def _readers(self):
        """For each slot, the slots whose words depend on it: `(slot, on the very word)`."""
        owners = {of for _, of in self.links.values()}
        readers = {name: [] for name in self.links}
        for reader, (differs, of) in self.links.items():
            # Excluding either of two words with the same forms leaves tables that look alike,
            # unless a third slot's words belong to the word itself.
            readers.get(differs, []).append((reader, reader in owners))
            readers.get(of, []).append((reader, True))
        return readers

    def candidates(self, slot, values):
        """The words that a slot can be before any of its forms has been said.

        `values` maps each slot said so far to the words that it can still be.
        """
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
        """What is said for a slot: each token's probability, and the words it leaves open."""
        key = slot, candidates, form
        if key not in self._forms:
            left = {}
            for word in candidates:
                token = self.words_of[slot][word][form] if form else word
                # Words can share a form: after the measure word 只, kite and cup are open.
                left.setdefault(token, []).append(word)
            chances = {token: len(words) / len(candidates) for token, words in left.items()}
            self._forms[key] = chances, {token: tuple(words) for token, words in left.items()}
        return self._forms[key]

    def vocabulary(self):
        """All tokens that a story can hold, sorted."""
        tokens = set(self.certain)
        for item in (item for rule in self.rules.values() for _, row in rule for item in row):
            for slot in self.targets[item.name] if item.kind == SLOT else ():
                table = self.words_of[slot]
                tokens.update(table[word][item.detail] if item.detail else word for word in table)
        return sorted(tokens)


def _compile(rule):
    """A rule's alternatives with their probabilities."""
    total = sum(real("the weight of a sentence", weight, above=0) for weight, _ in rule)
    # The items are reversed: a derivation is a stack, and its next item lies on top.
    return [(weight / total, tuple(map(_item, row.split()[::-1]))) for weight, row in rule]


def _item(text):
    if text[0] == "{":
        slot, _, form = text[1:-1].partition(".")
        return Item(SLOT, slot, form)
    if text[0] == "<":
        return Item(RULE, text[1:-1])
    if "=" in text:
        return Item(ALIAS, *text.split("="))
    return Item(TOKEN, text)
