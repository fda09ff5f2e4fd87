"""The film reviews that ship with the course, and pairs of them that nearly agree."""

from pathlib import Path
from typing import NamedTuple

import numpy as np

from lmkit import _arguments
from lmkit.datasets.shipped import read_rows, shipped_folder


class ReviewPair(NamedTuple):
    """Two reviews that differ only where the opinion turns."""

    kind: str
    positive: str
    negative: str


def load_reviews(split, folder=None):
    """Loads the film reviews that ship with the course.

    Args:
        split: `"train"`, `"validation"` or `"test"`.
        folder: a folder with other files of the same form; by default the shipped one.

    Returns:
        The texts, and their labels as an int32 array of shape `(reviews,)`: 1 is positive.

    Raises: ValueError for an unknown split or an altered file, FileNotFoundError for none.

    Example:
        >>> texts, labels = load_reviews("train")

    Source: `data/reviews/README.md`
    """
    _arguments.choice("split", split, ["train", "validation", "test"])
    # Line numbers, so that the reader of a message can find the row in an editor.
    texts, labels = [], []
    for line, (label, text) in _read_rows(f"{split}.csv", ("label", "text"), folder):
        if label not in ("0", "1"):  # as text: int() would take " 1" and other scripts' digits
            raise ValueError(f"{split}.csv, line {line}: the label must be 0 or 1, got {label!r}")
        labels.append(int(label))
        texts.append(text)
    return texts, np.array(labels, dtype=np.int32)


def load_review_pairs(folder=None):
    """Loads the pairs of reviews that nearly agree in words and differ in opinion.

    Args:
        folder: a folder with other files of the same form; by default the shipped one.

    Returns:
        A list of `ReviewPair(kind, positive, negative)`.

    Example:
        >>> kinds = {pair.kind for pair in load_review_pairs()}
    """
    rows = _read_rows("pairs.csv", ReviewPair._fields, folder)
    return [ReviewPair(*row) for _, row in rows]


def _read_rows(name, columns, folder):
    folder = Path(folder) if folder else shipped_folder("data/reviews", "data/reviews")
    return read_rows(folder, name, columns)
