"""GPT-2's rules: how a text is split, and bytes as letters in files.

The files are those of the `tokenizers` library (JSON), and GPT-2's own two.
"""

import functools
import json
import re
from pathlib import Path

# In a file, a piece has a visible letter for each byte: bytes that are visible in Latin-1 stand
# for themselves, the others take the letters from U+0100 on. The ids of the bytes follow the
# letters, so they are not in the order of the bytes.
_VISIBLE = [*range(33, 127), *range(161, 173), *range(174, 256)]
ORDER = bytes(_VISIBLE + sorted(set(range(256)) - set(_VISIBLE)))
_LETTERS = {byte: chr(byte if n < 188 else 256 + n - 188) for n, byte in enumerate(ORDER)}
_BYTES = {letter: byte for byte, letter in _LETTERS.items()}
# The parts of a file that decide about ids, and what they are for GPT-2's rules. Left out, they
# are the same; and null, False and an empty text mean the same.
_SPLITS = {"type": "ByteLevel", "add_prefix_space": False, "use_regex": True}
_WHOLE = {"normalizer": None, "truncation": None, "padding": None}
_MODEL = {
    "type": "BPE", "dropout": None, "unk_token": None, "continuing_subword_prefix": None,
    "end_of_word_suffix": None, "fuse_unk": False, "byte_fallback": False, "ignore_merges": False,
}  # fmt: skip
_TOKEN = {"single_word": False, "lstrip": False, "rstrip": False}


def split(text):
    """Splits a text into what is merged by itself: words, numbers, punctuation, white space.

    Args:
        text: a string.

    Returns:
        A list of strings.
    """
    if text.isascii():
        return _pattern("").findall(text)
    # Such as ½ and Ⅻ: to Python's \\w and \\d neither letters nor digits.
    rare = {c for c in set(text) if c.isalnum() and not c.isalpha() and not c.isdecimal()}
    return _pattern("".join(sorted(rare))).findall(text)


def whole(text, name="text"):
    """Checks that all characters of a text have bytes, and returns it.

    Args:
        text: a string.
        name: what it is called in the message.
    """
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise ValueError(
            f"{name} holds half a character, {text[error.start]!r} at position {error.start} "
            "(a lone surrogate), which has no bytes: take it out"
        ) from None
    return text


@functools.lru_cache(maxsize=64)
def _pattern(rare):
    r"""Compiles GPT-2's rule, which is written for a library that knows Unicode's classes.

    '(?:[sdmt]|ll|ve|re)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+

    Python's \w is exactly L, N and the underscore, its \d the decimal digits. A class of all
    other numbers would make it twenty times slower, so it holds those of the text.
    """
    # To Python, U+001C to U+001F are white space; to Unicode they are not.
    space, other = r"[^\S\x1c-\x1f]", r"(?:[^\s\w]|[_\x1c-\x1f])"
    return re.compile(
        rf"'(?:[sdmt]|ll|ve|re)| ?[^\W\d_{rare}]+| ?[\d{rare}]+| ?{other}+"
        rf"|{space}+(?![\S\x1c-\x1f])|{space}+"
    )


def letters(piece):
    """Writes a piece with a letter for each byte.

    Args:
        piece: bytes.

    Example:
        >>> letters(" né".encode())
        'ĠnÃ©'
    """
    return "".join(map(_LETTERS.__getitem__, piece))


def written(pieces, merges, special_tokens):
    """Writes a tokenizer as the library does.

    Args:
        pieces: the bytes of every id.
        merges: pairs of bytes.
        special_tokens: a dict from token to id.

    Returns:
        The text of the file.
    """
    tokens = [
        {"id": index, "content": token, **_TOKEN, "normalized": False, "special": True}
        for token, index in sorted(special_tokens.items(), key=lambda pair: pair[1])
    ]
    joined = [[letters(first), letters(second)] for first, second in merges]
    model = _MODEL | {"vocab": vocabulary(pieces, special_tokens), "merges": joined}
    before = _SPLITS | {"trim_offsets": True}
    record = {"version": "1.0", **_WHOLE, "added_tokens": tokens, "pre_tokenizer": before}
    decoder = before | {"add_prefix_space": True}  # as the library has it, without effect
    record |= {"post_processor": None, "decoder": decoder, "model": model}
    return json.dumps(record, indent=2, ensure_ascii=False) + "\n"


def vocabulary(pieces, special_tokens):
    """Names every id: a special token as it is, a piece by its letters.

    Args:
        pieces: the bytes of every id.
        special_tokens: a dict from token to id.

    Returns:
        A dict from names to ids.
    """
    names = {index: token for token, index in special_tokens.items()}
    return {names.get(index) or letters(piece): index for index, piece in enumerate(pieces)}


def read_json(path):
    """Reads a file of the library; one that GPT-2's rules cannot read is a ValueError.

    Args:
        path: the file.

    Returns:
        The merges, a dict from special tokens to ids, the vocabulary.
    """
    record = _record(path)
    model, before = _part(path, record, "model"), _part(path, record, "pre_tokenizer")
    for part, wanted in ((record, _WHOLE), (model, _MODEL), (before, _SPLITS)):
        _check(path, part, wanted)
    if record.get("post_processor"):  # such as one that adds [CLS]
        _check(path, _part(path, record, "post_processor"), {"type": "ByteLevel"})
    special_tokens, tokens = {}, record.get("added_tokens") or []
    for token in tokens if isinstance(tokens, list) else [tokens]:
        _check(path, token if isinstance(token, dict) else {}, _TOKEN | {"special": True})
        special_tokens[str(token.get("content"))] = token.get("id")
    return _merges(path, model.get("merges")), special_tokens, _part(path, model, "vocab")


def read_gpt2(vocab_path, merges_path, special_tokens):
    """Reads GPT-2's two files.

    Args:
        vocab_path: JSON, a dict from pieces to ids.
        merges_path: text, two pieces in each line.
        special_tokens: names, whose ids are in the vocabulary.

    Returns:
        As `read_json`.
    """
    vocab = _record(vocab_path)
    try:
        lines = Path(merges_path).read_text(encoding="utf-8").splitlines()
    except UnicodeDecodeError as error:
        raise ValueError(f"{merges_path} holds no merges: it is not UTF-8 ({error})") from None
    if lines and lines[0].startswith("#version"):
        del lines[0]
    # Named, not found: if lines of the merges were missing, their pieces would look special.
    special = {token: vocab.get(token) for token in special_tokens}
    return _merges(merges_path, lines), special, vocab


def _record(path):
    try:
        record = json.loads(Path(path).read_text(encoding="utf-8"))
    # Not UTF-8, not JSON, or thousands of nested brackets.
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{path} holds no tokenizer: it is not JSON ({error})") from None
    if not isinstance(record, dict):
        raise ValueError(f"{path} holds no tokenizer, but {type(record).__name__}")
    return record


def _part(path, record, name):
    part = record.get(name)
    if not isinstance(part, dict):
        raise ValueError(f"{path} holds no byte-level tokenizer: its {name} is {part!r:.60}")
    return part


def _check(path, part, wanted):
    for name, value in wanted.items():
        if (part.get(name, value) or None) != (value or None):
            raise ValueError(
                f"{path} does not split and merge as GPT-2 does: {name} must be {value!r}, "
                f"got {part.get(name)!r:.60}"
            )


def _merges(path, lines):
    """Reads pairs, in whose letters no space can stand: "a b" in older files, or ["a", "b"]."""
    merges = []
    for number, line in enumerate(lines if isinstance(lines, list) else [lines]):
        pair = line.split(" ") if isinstance(line, str) else line
        try:
            first, second = (bytes(map(_BYTES.__getitem__, part)) for part in pair)
        except (KeyError, TypeError, ValueError):
            message = f"{path}: merge {number} must be two pieces, got {line!r:.60}"
            raise ValueError(message) from None
        merges.append((first, second))
    return merges
