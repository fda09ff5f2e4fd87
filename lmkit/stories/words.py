"""The two languages of the stories; english.txt and chinese.txt hold their words and sentences."""

from pathlib import Path

from lmkit.stories.grammar import Grammar

# Both languages fill the same slots from tables of the same size in the same order. A story
# therefore has the same entropy in both, and the same choices tell it in either.
PLAIN = ("weather", "day", "color", "thing", "worth", "move", "place", "food")
SLOTS = {name: {"table": name} for name in PLAIN} | {
    "hero": {"table": "name"},
    "friend": {"table": "name", "differs": "hero"},  # nobody goes for a walk with herself
    "sight": {"table": "sight", "of": "place"},  # no seals on the farm
}


def _read(name):
    """The grammar in a text file, which says itself how it is written."""
    rules, tables = {}, {}
    for line in (Path(__file__).parent / name).read_text(encoding="utf-8").splitlines():
        head, _, body = line.partition(": ")
        match head.split():
            case ["rule", rule, weight]:
                rules.setdefault(rule, []).append((int(weight), body))
            case ["table", table, *forms]:
                # A long table has several lines, and its words keep their order: the draws
                # of a seed depend on it.
                for word, *own in map(str.split, body.split(",")):
                    tables.setdefault(table, {})[word] = dict(zip(forms, own, strict=True))
    return Grammar(rules, SLOTS, tables)


LANGUAGES = {"en": _read("english.txt"), "zh": _read("chinese.txt")}


def find_grammar(language):
    """The grammar of a language.

    Args:
        language: "en", "zh", or the caller's own `Grammar`.
    """
    if isinstance(language, Grammar):
        return language
    # A list cannot be hashed, so `in` alone would raise an error about hashing.
    if not isinstance(language, str) or language not in LANGUAGES:
        raise ValueError(f'language must be "en", "zh" or a Grammar, got {language!r}')
    return LANGUAGES[language]
