"""From text to ids and back: by word, by character, by what blanks separate.

Every tokenizer keeps two ids free: 0 for padding and 1 for what it does not know.
"""

import collections
import json
import pathlib
import re
from collections.abc import Iterable

import keras

from lmkit.checks import as_ids, check_whole, outside_vocabulary
from lmkit.files import write_atomic

PAD, UNKNOWN = "[PAD]", "[UNK]"
PAD_ID, UNKNOWN_ID = 0, 1


class _Tokenizer:
    """What the tokenizers share: a list of tokens, whose positions are the ids."""

    def __init__(self, tokens):
        _check_tokens(tokens)
        self.tokens = tokens
        # Without the first two: a text that holds "[PAD]" does not mean padding.
        self._ids = {token: index for index, token in enumerate(tokens[2:], start=2)}

    @property
    def vocab_size(self):
        """How many different ids there are, padding and unknown included."""
        return len(self.tokens)

    def encode_batch(self, texts, length, padding="post", truncating="post"):
        """Encodes texts into one array: short ones are padded with 0, long ones cut.

        Args:
            texts: a list of strings.
            length: ids a row.
            padding: "post" pads on the right, "pre" on the left.
            truncating: "post" cuts the end off, "pre" the beginning.

        Returns:
            An int32 array `(len(texts), length)`.

        Raises:
            TypeError: if `texts` is no list, or holds something else than strings.
            ValueError: if there are no texts, `length` is below 1, or a side is not "pre" or
                "post".

        Example:
            >>> tokenizer = WordTokenizer.train(["a warm film"])
            >>> tokenizer.encode_batch(["warm film", "a"], length=3).tolist()
            [[4, 3, 0], [2, 0, 0]]
        """
        _check_list(texts)
        check_whole("length", length)
        for name, side in (("padding", padding), ("truncating", truncating)):
            if side not in ("pre", "post"):
                raise ValueError(f'{name} must be "pre" (left) or "post" (right), got {side!r}')
        rows = [self.encode(text) for text in texts]
        if not rows:
            raise ValueError("texts is empty: there is nothing to encode")
        return keras.utils.pad_sequences(
            rows, length, "int32", padding=padding, truncating=truncating, value=PAD_ID
        )

    def save(self, path):
        """Writes the tokenizer as JSON; an interrupted write leaves the old file as it was.

        Args:
            path: the file, by habit with the ending `.json`.
        """
        record = {"tokenizer": type(self).__name__, "tokens": self.tokens}
        write_atomic(path, json.dumps(record, indent=0) + "\n")

    @classmethod
    def load(cls, path):
        """Reads a tokenizer that `save` wrote.

        Args:
            path: the file.

        Returns:
            The tokenizer.

        Raises:
            ValueError: if the file is not JSON, or of another kind of tokenizer.
        """
        try:
            record = json.loads(pathlib.Path(path).read_text(encoding="utf-8"))
        # Bytes that are not UTF-8, text that is not JSON; brackets nested by the thousand.
        except (ValueError, RecursionError) as error:
            raise ValueError(f"{path} holds no tokenizer: it is not JSON ({error})") from None
        if not isinstance(record, dict) or record.get("tokenizer") != cls.__name__:
            kind = record.get("tokenizer") if isinstance(record, dict) else type(record).__name__
            raise ValueError(f"{path} does not hold a {cls.__name__}, but: {kind!r}")
        return cls(record.get("tokens"))

    def decode(self, ids):
        """The text of ids: words with a blank between, or characters; padding is left out.

        Args:
            ids: one row of ids.

        Returns:
            A string.

        Raises:
            ValueError: for an id outside the vocabulary, or rows of different lengths.
            TypeError: if `ids` is not one row of whole numbers.

        Example:
            >>> WordTokenizer.train(["a warm film"]).decode([4, 3, 0])
            'warm film'
        """
        ids = as_ids(ids)
        if ids.ndim != 1 or (ids.size and ids.dtype.kind not in "iu"):
            raise TypeError(
                f"ids must be one row of whole numbers, got {ids.dtype} of shape {ids.shape}"
            )
        outside = ids[outside_vocabulary(ids, self.vocab_size)]
        if outside.size:
            raise ValueError(
                f"id {outside[0]} is outside the vocabulary: ids run from 0 to "
                f"{self.vocab_size - 1}"
            )
        return self._BETWEEN.join(self.tokens[index] for index in ids if index != PAD_ID)


class WordTokenizer(_Tokenizer):
    """A text as its words: lower-cased, punctuation left out.

    `decode(encode(text))` gives back `" ".join(split(text))` where every word is
    known. Capitals, punctuation and the kind of blank are lost, on purpose. A combining mark
    counts as punctuation: an é that is written as e and an accent becomes e.

    Args:
        tokens: the vocabulary, `["[PAD]", "[UNK]", word, word, ...]`.

    Raises:
        ValueError: if the special tokens are missing or a token occurs twice.

    Example:
        >>> tokenizer = WordTokenizer.train(["A warm film.", "A dull film."])
        >>> tokenizer.encode("A splendid film!")  # 1 is the unknown word
        [2, 1, 3]
        >>> tokenizer.decode([2, 1, 3])
        'a [UNK] film'

    Built by hand in: chapters/01_rnn_classifier.ipynb
    """

    _BETWEEN = " "
    # Letters and digits of any script; an apostrophe inside keeps "didn't" one word.
    _WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")

    @classmethod
    def train(cls, texts, vocab_size=10_000):
        """Takes the most frequent words of the texts, the most frequent first.

        Args:
            texts: strings. Give the training texts alone: what the vocabulary has seen
                of the test texts makes their score too good.
            vocab_size: how many ids at most, padding and unknown included. Words of
                equal frequency are taken in alphabetical order.

        Returns:
            The tokenizer.

        Raises:
            ValueError: if the texts hold no word, or `vocab_size` is below 3.
        """
        counts = _counts(texts, vocab_size, cls.split)
        ordered = sorted(counts, key=lambda word: (-counts[word], word))
        return cls([PAD, UNKNOWN, *ordered[: vocab_size - 2]])

    @classmethod
    def split(cls, text):
        """The words of a text, lower-cased, in order.

        Args:
            text: a string.

        Returns:
            A list of strings.

        Example:
            >>> WordTokenizer.split("It wasn't dull, NOT at all!")
            ['it', "wasn't", 'dull', 'not', 'at', 'all']
        """
        _check_text(text)
        return cls._WORD.findall(text.lower())

    def encode(self, text):
        """The ids of the words of a text; an unknown word is 1.

        Args:
            text: a string. One without a word gives an empty list.

        Returns:
            A list of ids.

        Raises:
            TypeError: if `text` is not a string.
        """
        return [self._ids.get(word, UNKNOWN_ID) for word in self.split(text)]


class _ExactTokenizer(_Tokenizer):
    """What loses nothing unseen: the whole vocabulary of the texts, unknown tokens refused."""

    @classmethod
    def train(cls, texts, vocab_size=10_000):
        """Takes every token of the texts, in the order of Unicode.

        Args:
            texts: strings.
            vocab_size: the limit. Tokens beyond it would be lost, so it is an error if
                there are more.

        Returns:
            The tokenizer.

        Raises:
            ValueError: if the texts are empty, hold more different tokens than fit, or hold
                "[PAD]" or "[UNK]" as a token.
        """
        tokens = sorted(_counts(texts, vocab_size, cls._split))
        if len(tokens) + 2 > vocab_size:
            raise ValueError(
                f"the texts hold {len(tokens)} different {cls._KIND}s; with padding and "
                f"unknown that needs a vocab_size of {len(tokens) + 2}, got {vocab_size}"
            )
        return cls([PAD, UNKNOWN, *tokens])

    def encode(self, text):
        """The ids of the tokens of a text.

        Args:
            text: a string.

        Returns:
            A list of ids, one a token.

        Raises:
            TypeError: if `text` is not a string.
            ValueError: for a token outside the vocabulary; the message names it and its
                position.
        """
        _check_text(text)
        tokens = self._split(text)
        try:
            return [self._ids[token] for token in tokens]
        except KeyError as error:
            token = error.args[0]
        raise ValueError(
            f"{self._KIND} {token!r} at position {tokens.index(token)} is not among the "
            f"{self.vocab_size - 2} {self._KIND}s of the vocabulary"
        )


class CharTokenizer(_ExactTokenizer):
    """A text as its characters (Unicode code points).

    `decode(encode(text)) == text` for every text that `encode` accepts; a text with
    a character that is not in the vocabulary is refused, so nothing is lost unseen.

    Args:
        tokens: the vocabulary, `["[PAD]", "[UNK]", character, character, ...]`.

    Raises:
        ValueError: if the special tokens are missing or a token occurs twice.

    Example:
        >>> tokenizer = CharTokenizer.train(["hello"])
        >>> tokenizer.encode("hole")
        [3, 5, 4, 2]
        >>> tokenizer.decode([3, 5, 4, 2])
        'hole'
    """

    _BETWEEN, _KIND, _split = "", "character", staticmethod(list)


class SplitTokenizer(_ExactTokenizer):
    """A text whose tokens have blanks between them, as the stories of lmkit/stories.py.

    Capitals and punctuation are kept: `decode(encode(text)) == text` for every text with
    single blanks that `encode` accepts. A token that is not in the vocabulary is refused.
    `SplitTokenizer(["[PAD]", "[UNK]", *stories.vocabulary()])` knows every story.

    Args:
        tokens: the vocabulary, `["[PAD]", "[UNK]", token, token, ...]`.

    Raises:
        ValueError: if the special tokens are missing or a token occurs twice.

    Example:
        >>> tokenizer = SplitTokenizer.train(["Mia ran to the lake . [END]"])
        >>> tokenizer.encode("the lake .")
        [7, 5, 2]
        >>> tokenizer.decode([7, 5, 2])
        'the lake .'
    """

    _BETWEEN, _KIND, _split = " ", "token", staticmethod(str.split)


def _counts(texts, vocab_size, split):
    """How often each token occurs, with the errors that both kinds of training share."""
    _check_list(texts)
    check_whole("vocab_size", vocab_size, least=3)  # padding, unknown and one token
    counts = collections.Counter()
    for text in texts:
        _check_text(text)
        counts.update(split(text))
    if not counts:
        raise ValueError("the texts hold nothing to build a vocabulary from")
    for token in (PAD, UNKNOWN):
        if token in counts:
            raise ValueError(f"the texts hold {token!r}, which stands for no text: take it out")
    return counts


def _check_list(texts):
    if isinstance(texts, str):
        raise TypeError("texts must be a list of strings, got one string: put it in a list")
    if not isinstance(texts, Iterable):
        raise TypeError(f"texts must be a list of strings, got {type(texts).__name__}")


def _check_text(text):
    if not isinstance(text, str):
        raise TypeError(f"a text must be a string, got {type(text).__name__}: {text!r:.60}")


def _check_tokens(tokens):
    if not isinstance(tokens, list):
        raise ValueError(f"tokens must be a list of strings, got {type(tokens).__name__}")
    if tokens[:2] != [PAD, UNKNOWN]:
        raise ValueError(f"the first tokens must be {PAD!r} and {UNKNOWN!r}, got {tokens[:2]}")
    if not all(isinstance(token, str) for token in tokens):
        raise ValueError("every token must be a string")
    if len(set(tokens)) < len(tokens):
        token = collections.Counter(tokens).most_common(1)[0][0]
        raise ValueError(f"every token must occur once in the vocabulary, {token!r} occurs again")
