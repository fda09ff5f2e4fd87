"""What the tokenizers share: a list of tokens, padding, files."""

import json
from collections import Counter
from pathlib import Path

import numpy as np

from lmkit import _arguments
from lmkit.files import write_atomic

SPECIAL = ["[PAD]", "[UNK]"]
PAD_ID, UNKNOWN_ID = 0, 1


class Tokenizer:
    """A list of tokens, each at the index that is its id; subclasses say how to split a text."""

    _BETWEEN = " "  # what `decode` writes between two tokens

    def __init__(self, tokens):
        _check(tokens)
        self.tokens = tokens
        # Without the first two: a text that contains "[PAD]" does not mean padding.
        self._ids = {token: index for index, token in enumerate(tokens[2:], start=2)}

    @property
    def vocab_size(self):
        """How many ids there are, those for padding and unknown tokens included."""
        return len(self.tokens)

    @classmethod
    def _count(cls, texts, vocab_size):
        """Counts the tokens of the texts a vocabulary is made from."""
        _arguments.whole("vocab_size", vocab_size, least=3)  # padding, unknown and one token
        counts = Counter()
        for text in _arguments.texts(texts):
            counts.update(cls.split(text))
        if not counts:  # a vocabulary of nothing would turn every text into unknown tokens
            raise ValueError("the texts hold nothing to build a vocabulary from")
        for token in SPECIAL:  # it would have two ids
            if token in counts:
                raise ValueError(f"the texts hold {token!r}, which is reserved: take it out")
        return counts

    def encode_batch(self, texts, length=None, padding="post", truncating="post"):
        """Encodes texts into one array: short texts are padded, long ones are cut.

        Args:
            texts: a list of strings, at least one.
            length: ids per row; None for the length of the longest text, so that none is cut.
            padding: "post" pads on the right, "pre" on the left.
            truncating: "post" cuts off the end of a text, "pre" its beginning.

        Returns:
            An int32 array `(texts, length)`.

        Example:
            >>> from lmkit.tokenizers import WordTokenizer
            >>> tokenizer = WordTokenizer.train(["a warm film"])
            >>> tokenizer.encode_batch(["warm film", "a"], length=3).tolist()
            [[4, 3, 0], [2, 0, 0]]
        """
        for name, side in {"padding": padding, "truncating": truncating}.items():
            _arguments.choice(name, side, ["pre", "post"])
        rows = [self.encode(text) for text in _arguments.texts(texts)]
        if not rows:
            raise ValueError("there are no texts: give at least one")
        # A model cannot read rows of no ids, so texts without a token get one id of padding.
        longest = max(1, *map(len, rows))
        length = longest if length is None else _arguments.whole("length", length)
        batch = np.full((len(rows), length), PAD_ID, "int32")
        for line, ids in zip(batch, rows, strict=True):
            ids = ids[:length] if truncating == "post" else ids[-length:]
            start = 0 if padding == "post" else length - len(ids)
            line[start : start + len(ids)] = ids
        return batch

    def decode(self, ids):
        """Joins the tokens of a row of ids into a text, without the padding.

        Args:
            ids: one row of ids, which may be empty.

        Example:
            >>> from lmkit.tokenizers import WordTokenizer
            >>> WordTokenizer.train(["a warm film"]).decode([4, 3, 0])
            'warm film'
        """
        ids = _arguments.ids("ids", ids, 1, self.vocab_size, empty=True)
        return self._BETWEEN.join(self.tokens[index] for index in ids if index != PAD_ID)

    def save(self, path):
        """Writes the tokenizer as JSON; an interrupted write leaves an older file intact.

        Args:
            path: the file, usually with the ending `.json`.
        """
        record = {"tokenizer": type(self).__name__, "tokens": self.tokens}
        write_atomic(path, json.dumps(record, indent=0) + "\n")

    @classmethod
    def load(cls, path):
        """Reads a tokenizer that `save` wrote.

        Args:
            path: the file; if it holds something else, the ValueError says what.

        Returns:
            The tokenizer.
        """
        try:
            record = json.loads(Path(path).read_text(encoding="utf-8"))
        # Not UTF-8, not JSON, or thousands of nested brackets.
        except (ValueError, RecursionError) as error:
            raise ValueError(f"{path} holds no tokenizer: it is not JSON ({error})") from None
        # The ids of one kind mean other tokens in another, and nothing would fail.
        kind = record.get("tokenizer") if isinstance(record, dict) else type(record).__name__
        if not isinstance(record, dict) or kind != cls.__name__:
            raise ValueError(f"{path} does not hold a {cls.__name__}, but {kind!r}")
        return cls(record.get("tokens"))


def _check(tokens):
    """Refuses a list that is not a vocabulary; it may come from anybody's file."""
    if not isinstance(tokens, list) or not all(isinstance(token, str) for token in tokens):
        raise ValueError(f"tokens must be a list of strings, got {tokens!r:.60}")
    if tokens[:2] != SPECIAL:
        raise ValueError(f"the first tokens must be '[PAD]' and '[UNK]', got {tokens[:2]}")
    if len(set(tokens)) < len(tokens):
        token = Counter(tokens).most_common(1)[0][0]
        raise ValueError(f"every token must be in the vocabulary once, {token!r} occurs again")
