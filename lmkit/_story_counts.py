"""Counting tokens after their contexts, for the reference lines of lmkit/stories.py."""

from collections import Counter

import numpy as np

from lmkit._story_grammar import _split


def _windows(stories, ids):
    """One row `(token before the last, last token, token)` for every token of the stories."""
    rows, page = [], len(ids)  # an id of its own for the empty page before a story
    for story in _check_list(stories):
        tokens = _split(story)
        unknown = [token for token in tokens if token not in ids]
        if unknown or not tokens:
            what = f"{unknown[0]!r} is not a token of the language" if unknown else "it is empty"
            raise ValueError(f"cannot count in the story {story!r:.60}: {what}")
        rows.append([page, page, *(ids[token] for token in tokens)])
    parts = [np.lib.stride_tricks.sliding_window_view(np.array(row), 3) for row in rows]
    return np.concatenate(parts)


def _count(train, test):
    """How often each row of `test` occurs among the rows of `train`."""
    base = (1 + max(part.max(initial=0) for part in (train, test))) ** np.arange(train.shape[1])
    found, counts = np.unique(train @ base, return_counts=True)
    table = Counter(dict(zip(found.tolist(), counts.tolist(), strict=True)))
    asked, back = np.unique(test @ base, return_inverse=True)
    return np.array([table[key] for key in asked.tolist()])[back]


def _check_list(stories):
    if isinstance(stories, str):
        raise TypeError("stories must be a list of strings, got one string: put it in a list")
    if not len(stories):
        raise ValueError("there are no stories: the list is empty")
    return stories
