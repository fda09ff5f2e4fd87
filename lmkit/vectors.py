"""Word vectors: how often words stand near each other, and what a table of vectors can be asked."""

import numpy as np

from lmkit import _arguments
from lmkit._arguments import IGNORE
from lmkit.batches import packed


def cooccurrences(texts, vocab_size, window=2):
    """Counts how often one word stands near another.

    Args:
        texts: rows of ids of any lengths, IGNORE (-1) where there is no word. Words of
            different texts are never near each other.
        vocab_size: how many different ids V there are.
        window: how many places apart two words may be, in either direction.

    Returns:
        An int32 array `(vocab, vocab)`: in row i and column j, how often j stood at most
        `window` places from i. It equals its transpose.

    Example:
        >>> cooccurrences([[0, 1, 2], [2, 0]], vocab_size=3, window=1).tolist()
        [[0, 1, 1], [1, 0, 1], [1, 1, 0]]
    """
    vocab_size = _arguments.whole("vocab_size", vocab_size)
    window = _arguments.whole("window", window)
    # All texts in one row. A gap as wide as the window keeps them apart. As int64, because the
    # number of a pair may be larger than int32 can hold.
    ids = packed(texts, 1, gap=window, vocab_size=vocab_size).ravel().astype("int64")  # (T,)
    counts = np.zeros(vocab_size * vocab_size, "int32")
    for distance in range(1, window + 1):
        left, right = ids[:-distance], ids[distance:]
        both = (left >= 0) & (right >= 0)
        np.add.at(counts, left[both] * vocab_size + right[both], 1)
    counts = counts.reshape(vocab_size, vocab_size)
    return counts + counts.T  # the words behind a word, and those before it


def subsample(texts, vocab_size, seed, threshold=1e-3):
    """Leaves out most occurrences of the commonest words, as word2vec does before each epoch.

    A word whose share of all words is f stays with probability
    `sqrt(threshold / f) + threshold / f`. Rare words always stay, and windows reach farther.

    Args:
        texts: rows of ids of any lengths; IGNORE (-1) is left out.
        vocab_size: how many different ids there are.
        seed: the same seed leaves out the same occurrences; take another one for every epoch.
        threshold: the smaller, the more is left out.

    Returns:
        A list of int32 arrays, one for each text; some may be empty.

    Example:
        >>> [row.tolist() for row in subsample([[0, 0, 1, 0], [0, 2, 0]], 3, 0, threshold=0.05)]
        [[0, 1, 0], [2]]

    Source: Mikolov et al., 2013; the formula is that of their program.
    """
    vocab_size = _arguments.whole("vocab_size", vocab_size)
    rng = np.random.default_rng(_arguments.whole("seed", seed, least=0))
    threshold = _arguments.real("threshold", threshold, above=0)
    texts = list(texts)
    ids = packed(texts, 1, gap=1, vocab_size=vocab_size)  # checks them
    counts = np.bincount(ids[ids >= 0], minlength=vocab_size)
    # A word that never occurs would divide by zero; nobody asks for its probability.
    ratios = threshold * counts.sum() / np.maximum(counts, 1)
    chances = np.sqrt(ratios) + ratios
    rows = [np.asarray(text, "int32") for text in texts]
    rows = [row[row != IGNORE] for row in rows]
    return [row[rng.random(len(row)) < chances[row]] for row in rows]


class WordVectors:
    """A table with a vector for each word, and the questions it can answer.

    Args:
        words: a list of strings, each once.
        table: `(words, D)`: row i is the vector of word i.

    Attributes:
        words: the list.
        table: the table, a float array.

    Example:
        >>> words = ["man", "king", "woman", "queen"]
        >>> vectors = WordVectors(words, [[1, 0], [1, 1], [2, 0], [2, 1]])
        >>> vectors["queen"].tolist(), "prince" in vectors, len(vectors)
        ([2.0, 1.0], False, 4)
        >>> round(vectors.similarity("king", "queen"), 3)
        0.949
        >>> vectors.nearest("king", count=1)[0][0], vectors.analogy("man", "king", "woman", 1)[0][0]
        ('queen', 'queen')
    """

    def __init__(self, words, table):
        self.words = _arguments.texts(words)
        table = _arguments.array("table", table)
        self.table = table if table.dtype.kind == "f" else table.astype("float32")  # (V, D)
        if self.table.ndim != 2 or len(self.table) != len(self.words) or not self.table.size:
            wanted = f"({len(self.words)}, D), one row for each word"
            raise ValueError(f"table must have shape {wanted}, got {self.table.shape}")
        wrong = np.flatnonzero(~np.isfinite(self.table).all(axis=1))
        if len(wrong):
            raise ValueError(f"the vector of {self.words[wrong[0]]!r} holds NaN or infinity")
        self._places = {word: place for place, word in enumerate(self.words)}
        if len(self._places) < len(self.words):
            twice = next(w for place, w in enumerate(self.words) if self._places[w] != place)
            raise ValueError(f"every word must be in the list once, {twice!r} occurs again")

    def __contains__(self, word):
        """Tells whether there is a vector for a word."""
        return word in self._places

    def __len__(self):
        """Tells how many words there are."""
        return len(self.words)

    def __getitem__(self, word):
        """Returns the vector of a word, `(D,)`."""
        return self.table[self._place(word)]

    def similarity(self, first, second):
        """Computes the cosine of the angle between two words' vectors, from -1 to 1."""
        return float(self._direction(first) @ self._direction(second))

    def nearest(self, word, count=10):
        """Lists the words whose vectors point most nearly in the same direction.

        Args:
            word: a word, which is left out of the list, or a vector `(D,)`.
            count: how many words, as far as there are so many.

        Returns: pairs (word, cosine), the nearest first.
        """
        left_out = [word] if isinstance(word, str) else []
        return self._nearest(self._direction(word), left_out, count)

    def analogy(self, first, second, third, count=5):
        """Lists answers to "`first` is to `second` as `third` is to ...".

        Args:
            first, second, third: three words. They are left out of the answers, though one
                of them is often the nearest.
            count: how many answers.

        Returns: pairs (word, cosine), the nearest first.

        Source: Mikolov et al., 2013: the direction of second - first + third.
        """
        a, b, c = (self._direction(word) for word in (first, second, third))
        target = self._direction(b - a + c)
        return self._nearest(target, [first, second, third], count)

    def rows(self, words):
        """Makes the table for an Embedding of other words.

        Args:
            words: strings, such as a tokenizer's tokens.

        Returns: `(words, D)`, with zeros where there is no vector.
        """
        words = _arguments.texts(words)
        table = np.zeros((len(words), self.table.shape[1]), self.table.dtype)
        for place, word in enumerate(words):
            if word in self:
                table[place] = self[word]
        return table

    def _place(self, word):
        if word not in self._places:
            raise KeyError(f"{_arguments.text(word, 'word')!r} is not among the {len(self)} words")
        return self._places[word]

    def _direction(self, word):
        """Returns the vector of length 1 in the direction of a word's vector, or of a vector."""
        if isinstance(word, str):
            vector = self[word]
        else:
            vector = _arguments.array("vector", word, "float64")
            if vector.shape != self.table.shape[1:]:
                raise ValueError(
                    f"vector must have shape {self.table.shape[1:]}, got {vector.shape}"
                )
        length = np.linalg.norm(vector.astype("float64"))
        if not length:
            name = repr(word) if isinstance(word, str) else "the question"
            raise ValueError(f"the vector of {name} is all zeros: it has no direction")
        return vector / length

    def _nearest(self, direction, left_out, count):
        count = _arguments.whole("count", count)
        lengths = np.linalg.norm(self.table, axis=1)  # (V,)
        cosines = self.table @ direction / np.where(lengths, lengths, 1)
        # Zeros have no direction, so they are no answer.
        cosines[lengths == 0] = cosines[[self._places[word] for word in left_out]] = -np.inf
        order = np.argsort(-cosines, kind="stable")[:count]
        found = [(self.words[place], float(cosines[place])) for place in order]
        return [(word, cosine) for word, cosine in found if cosine > -np.inf]
