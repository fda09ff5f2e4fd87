"""Any text as pieces of bytes, learned from texts: byte-pair encoding as GPT-2 has it."""

import itertools
import re
from collections import Counter
from collections.abc import Iterable

from lmkit import _arguments
from lmkit.files import write_atomic
from lmkit.tokenizers._byte_level import (
    ORDER,
    letters,
    read_gpt2,
    read_json,
    split,
    vocabulary,
    whole,
    written,
)
from lmkit.tokenizers._merging import Words, learn

_BYTES = [bytes([byte]) for byte in ORDER]  # the pieces to start from; a merge adds one
_PLACES = bytes(map(ORDER.index, range(256)))  # of each byte among them


class BytePairTokenizer:
    """A text as pieces of its UTF-8 bytes; no text is unknown, and none is changed.

    A text is first split by GPT-2's rule, into words with the space before them, numbers,
    punctuation and white space. In each word, pairs of pieces are merged in the order in which
    they were learned. Merges and ids are those of the `tokenizers` library: special tokens,
    then the 256 bytes in GPT-2's order, then the merges.

    Args:
        merges: pairs of bytes, in the order in which they were learned.
        special_tokens: names for ids that no text gives; or a dict from names to ids, if they
            are not the first ones.

    Example:
        >>> tokenizer = BytePairTokenizer.train(["low lower lowest"], vocab_size=259)
        >>> tokenizer.merges
        [(b'l', b'o'), (b'lo', b'w'), (b' ', b'low')]
        >>> tokenizer.encode("low low")
        [257, 258]
        >>> tokenizer.decode([257, 258])
        'low low'

    Source: Sennrich, Haddow and Birch, 2016; Radford et al., 2019.
    """

    def __init__(self, merges, special_tokens=()):
        made = list(_BYTES)
        places = {piece: place for place, piece in enumerate(made)}
        self.merges, joined = [], {}
        for number, (first, second) in enumerate(_checked(merges)):
            for piece in (first, second):
                if piece not in places:
                    raise ValueError(f"merge {number} takes {piece!r}, which nothing makes before")
            new = first + second
            if new in places:
                raise ValueError(f"merge {number} makes {new!r}, which is there already")
            # The place of a piece is also its rank: pieces of later merges stand later.
            joined[places[first], places[second]] = places[new] = len(made)
            made.append(new)
            self.merges.append((first, second))
        self.special_tokens = _special_ids(special_tokens, made)
        names, rest = {index: token for token, index in self.special_tokens.items()}, iter(made)
        self.pieces = [
            names[index].encode() if index in names else next(rest)
            for index in range(len(made) + len(names))
        ]
        ids = [index for index in range(len(self.pieces)) if index not in names]
        self._words = Words(joined, _PLACES, ids, made)

    @classmethod
    def train(cls, texts, vocab_size=512, special_tokens=()):
        """Learns which pairs to merge: again and again the most frequent one.

        Of equally frequent pairs, the one with the lowest ids is merged.

        Args:
            texts: strings. Nothing is merged across the end of one.
            vocab_size: how many ids at most, special tokens included. There are fewer if every
                word has become one piece.
            special_tokens: names for ids that no text gives.

        Returns:
            The tokenizer.
        """
        special_tokens = list(_special_ids(special_tokens, _BYTES))
        least = 256 + len(special_tokens)  # every byte has an id, so that nothing is unknown
        size = _arguments.whole("vocab_size", vocab_size, least=least)
        counts = Counter()
        for number, text in enumerate(_arguments.texts(texts)):
            counts.update(split(whole(text, f"text {number}")))
        if not counts:
            raise ValueError("the texts hold nothing to build a vocabulary from")
        words = {word.encode().translate(_PLACES): count for word, count in counts.items()}
        return cls(learn(words, size - least, list(_BYTES)), special_tokens)

    @staticmethod
    def split(text):
        """Splits a text into the strings in which pairs are merged; joined, they give the text.

        Args:
            text: a string.

        Example:
            >>> BytePairTokenizer.split("It isn't 100%  sure.")
            ['It', ' isn', "'t", ' 100', '%', ' ', ' sure', '.']
        """
        return split(_arguments.text(text))

    def encode(self, text, allow_special=False):
        """Looks up the ids of a text's pieces.

        Args:
            text: a string.
            allow_special: False takes the name of a special token in the text for text, as it
                must be where strangers write it; True gives its id.

        Returns:
            A list of ids.
        """
        whole(_arguments.text(text))
        if not _arguments.flag("allow_special", allow_special) or not self.special_tokens:
            return self._encode(text)
        # Longest first: one name may begin with another.
        names = sorted(self.special_tokens, key=len, reverse=True)
        ids = []
        for number, part in enumerate(re.split(f"({'|'.join(map(re.escape, names))})", text)):
            ids += [self.special_tokens[part]] if number % 2 else self._encode(part)
        return ids

    def _encode(self, text):
        return list(itertools.chain.from_iterable(map(self._words.__getitem__, split(text))))

    def decode(self, ids):
        """Joins the bytes of a row of ids into a text.

        Args:
            ids: one row of ids, which may be empty. Special tokens become their names; bytes
                that are no UTF-8, such as half a character, become U+FFFD.

        Example:
            >>> BytePairTokenizer([]).decode([39, 72])
            'Hi'
        """
        ids = _arguments.ids("ids", ids, 1, len(self), empty=True)
        return b"".join(map(self.pieces.__getitem__, ids.tolist())).decode(errors="replace")

    def __len__(self):
        return len(self.pieces)

    @property
    def vocab_size(self):
        """How many ids there are."""
        return len(self.pieces)

    def save(self, path):
        """Writes the tokenizer as JSON, which the `tokenizers` library reads.

        Args:
            path: the file, usually with the ending `.json`.
        """
        write_atomic(path, written(self.pieces, self.merges, self.special_tokens))

    @classmethod
    def load(cls, path):
        """Reads a tokenizer that `save` or the `tokenizers` library wrote.

        Args:
            path: the file; if it holds something else, or splits texts by other rules than
                GPT-2's, the ValueError says what.

        Returns:
            The tokenizer.
        """
        return cls._read(path, *read_json(path))

    @classmethod
    def from_gpt2(cls, vocab_path, merges_path, special_tokens=("<|endoftext|>",)):
        """Reads a tokenizer from two files, as GPT-2 has them.

        Args:
            vocab_path: `vocab.json` (or `encoder.json`): the ids of pieces and special tokens.
            merges_path: `merges.txt` (or `vocab.bpe`): two pieces in each line.
            special_tokens: which names in the vocabulary are special tokens.

        Returns:
            The tokenizer.
        """
        return cls._read(vocab_path, *read_gpt2(vocab_path, merges_path, special_tokens))

    @classmethod
    def _read(cls, path, merges, special_tokens, vocab):
        try:
            tokenizer = cls(merges, special_tokens)
        except (TypeError, ValueError) as error:
            raise ValueError(f"{path} is damaged: {error}") from None
        names = vocabulary(tokenizer.pieces, tokenizer.special_tokens)
        # The library keeps special tokens that came after training out of the vocabulary.
        found = tokenizer.special_tokens | vocab
        for name in names | found:
            if names.get(name) != found.get(name):
                wanted = f"the merges give {name!r} the id {names.get(name)}"
                raise ValueError(f"{path} is damaged: {wanted}, not {found.get(name)!r:.60}")
        return tokenizer


def _checked(merges):
    """Yields pairs of bytes, and refuses what is none."""
    if not isinstance(merges, Iterable):
        raise TypeError(f"merges must be a list of pairs of bytes, got {type(merges).__name__}")
    for number, pair in enumerate(merges):
        try:
            first, second = pair
            fine = isinstance(first, bytes) and isinstance(second, bytes)
        except (TypeError, ValueError):
            fine = False
        if not fine:
            raise ValueError(f"merge {number} must be a pair of bytes, got {pair!r:.60}")
        yield first, second


def _special_ids(special_tokens, made):
    """Gives special tokens their ids: the first ones, unless they come with others."""
    if isinstance(special_tokens, str):
        raise TypeError(f"special_tokens must be a list of strings, got {special_tokens!r:.60}")
    tokens = _arguments.texts(special_tokens)
    ids = special_tokens.values() if isinstance(special_tokens, dict) else range(len(tokens))
    pieces, found = set(map(letters, made)), {}
    for token, index in zip(tokens, ids, strict=True):
        whole(token, "a special token")
        if not token or token in found or token in pieces:  # in a file, two would be one
            what = "is a piece" if token in pieces else "occurs again" if token else "is empty"
            raise ValueError(f"special token {token!r} {what}: choose another name")
        last = len(made) + len(tokens) - 1
        index = _arguments.whole(f"the id of {token!r}", index, 0, last)
        if index in found.values():
            raise ValueError(f"special token {token!r} has the id {index}, as another one has")
        found[token] = index
    return found
