"""Words of a language that writes no spaces, by a dictionary."""

import math
from collections.abc import Mapping
from numbers import Integral

from lmkit import _arguments


def segment(text, counts):
    """Cuts a text into words so that the product of their probabilities is largest.

    A word's probability is its share of all counts. A character that is no word may stand
    alone, as if it had been counted once.

    Args:
        text: a string. Give a long text at once: every call looks through the whole dictionary.
        counts: a dict from words to how often each was counted.

    Returns:
        A list of strings, which joined give the text.

    Example:
        >>> counts = {"研究": 60, "研究生": 20, "生命": 40, "命": 10, "起源": 10}
        >>> segment("研究生命起源", counts)  # the longest first word would be 研究生
        ['研究', '生命', '起源']
    """
    length, longest = len(_arguments.text(text)), _longest(counts)
    total = math.log(sum(counts.values()))
    # From the end: the best score of what follows a position, and where its first word ends.
    scores, ends = [0.0] * (length + 1), [0] * length
    for start in range(length - 1, -1, -1):
        found = [(math.log(counts.get(text[start], 1)) - total + scores[start + 1], start + 1)]
        for end in range(start + 2, min(start + longest, length) + 1):
            if count := counts.get(text[start:end]):
                found.append((math.log(count) - total + scores[end], end))
        scores[start], ends[start] = max(found)  # of equal scores, the longer word's
    words, start = [], 0
    while start < length:
        words.append(text[start : ends[start]])
        start = ends[start]
    return words


def _longest(counts):
    """Checks a dictionary and returns the length of its longest word."""
    if not isinstance(counts, Mapping):
        raise TypeError(f"counts must be a dict from words to counts, got {type(counts).__name__}")
    if not counts:
        raise ValueError("counts is empty: give at least one word")
    # By kinds: a dictionary of 350,000 words is looked through in each call.
    kinds = set(map(type, counts.values()))
    whole = all(issubclass(kind, Integral) and kind is not bool for kind in kinds)
    if set(map(type, counts)) != {str} or "" in counts or not whole or min(counts.values()) < 1:
        for word, count in counts.items():
            if not _arguments.text(word, "a word of counts"):
                raise ValueError("a word of counts is empty: take it out")
            _arguments.whole(f"the count of {word!r}", count)
    return max(map(len, counts))
