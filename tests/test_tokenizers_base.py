"""What all tokenizers of lmkit share: batches, ids, files and what is refused."""

import json

import keras
import numpy as np
import pytest

from lmkit.tokenizers import (
    PAD_ID,
    UNKNOWN_ID,
    CharTokenizer,
    SplitTokenizer,
    WordTokenizer,
)

KINDS = pytest.mark.parametrize("kind", [WordTokenizer, CharTokenizer, SplitTokenizer])


@pytest.fixture
def words():
    return WordTokenizer(["[PAD]", "[UNK]", "a", "dull", "warm", "film"])


def test_two_ids_are_taken():
    assert (PAD_ID, UNKNOWN_ID) == (0, 1)


def test_batch_by_hand(words):
    batch = words.encode_batch(["a warm film", "dull", "..."], length=2)
    assert batch.tolist() == [[2, 4], [3, 0], [0, 0]]
    assert batch.dtype == "int32"
    left = words.encode_batch(["a warm film", "dull"], 2, padding="pre", truncating="pre")
    assert left.tolist() == [[4, 5], [0, 3]]


def test_without_a_length_nothing_is_cut(words):
    texts = iter(["a", "a warm film", ""])  # a generator is used up after one look
    assert words.encode_batch(texts).tolist() == [[2, 0, 0], [2, 4, 5], [0, 0, 0]]
    assert words.encode_batch(["", "..."]).tolist() == [[0], [0]]


@pytest.mark.parametrize("padding", ["pre", "post"])
@pytest.mark.parametrize("truncating", ["pre", "post"])
@pytest.mark.parametrize("length", [None, 1, 3, 9])
def test_batches_are_those_of_keras(words, padding, truncating, length):
    texts = ["a warm film", "dull", "", "a dull dull warm warm film"]
    rows = [words.encode(text) for text in texts]
    theirs = keras.utils.pad_sequences(
        rows, length, "int32", padding=padding, truncating=truncating, value=PAD_ID
    )
    ours = words.encode_batch(texts, length, padding, truncating)
    np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize(
    ("texts", "settings", "error", "message"),
    [
        ("one text", {}, TypeError, "got one string: put it in a list"),
        (None, {}, TypeError, "texts must be a list of strings, got NoneType"),
        ([], {}, ValueError, "there are no texts"),
        (["a"], {"length": 0}, ValueError, "length must be a whole number of at least 1, got 0"),
        (["a"], {"length": 2.5}, ValueError, "got 2.5"),
        (["a"], {"padding": "left"}, ValueError, 'padding must be "pre" or "post", got \'left\''),
        (["a"], {"truncating": None}, ValueError, 'truncating must be "pre" or "post"'),
        (["a", None], {}, TypeError, "text 1 must be a string, got NoneType"),
        ([b"bytes"], {}, TypeError, "text 0 must be a string, got bytes"),
    ],
)
def test_batches_that_are_refused(words, texts, settings, error, message):
    with pytest.raises(error, match=message):
        words.encode_batch(texts, **settings)


@KINDS
@pytest.mark.parametrize(
    ("texts", "vocab_size", "error", "message"),
    [
        ([], 10, ValueError, "nothing to build a vocabulary from"),
        (["", ""], 10, ValueError, "nothing to build a vocabulary from"),
        ("one text", 10, TypeError, "got one string: put it in a list"),
        (["a", 3], 10, TypeError, "text 1 must be a string, got int: 3"),
        (["a"], 2, ValueError, "vocab_size must be a whole number of at least 3, got 2"),
        (["a"], "many", ValueError, "got 'many'"),
    ],
)
def test_training_that_is_refused(kind, texts, vocab_size, error, message):
    with pytest.raises(error, match=message):
        kind.train(texts, vocab_size)


@KINDS
def test_texts_that_are_refused(kind):
    tokenizer = kind.train(["ab cd"])
    for use in (tokenizer.encode, kind.split):
        for bad in (None, 3, b"ab", ["ab"]):
            with pytest.raises(TypeError, match="text must be a string, got"):
                use(bad)


@KINDS
@pytest.mark.parametrize(
    ("ids", "error", "message"),
    [
        ([2, 99], ValueError, "id 99 at position 1 of ids is outside the vocabulary: .* 0 to"),
        ([-1], ValueError, r"IGNORE \(-1\) at position 0"),
        ([2.0], TypeError, "ids must be whole numbers, got float64"),
        ([[2, 3]], ValueError, r"ids must be one row \(time,\), got shape \(1, 2\)"),
        (["a"], TypeError, "ids must be whole numbers, got text"),
    ],
)
def test_ids_that_are_refused(kind, ids, error, message):
    with pytest.raises(error, match=message):
        kind.train(["ab cd"]).decode(ids)


@KINDS
def test_nothing_decodes_to_nothing(kind):
    tokenizer = kind.train(["ab cd"])
    assert tokenizer.decode([]) == tokenizer.decode([PAD_ID]) == ""
    assert tokenizer.decode(np.array([2, 0], "uint8")) == tokenizer.tokens[2]


@KINDS
def test_saved_and_loaded(kind, tmp_path):
    path = tmp_path / "tokenizer.json"
    tokenizer = kind.train(["A warm film. A warm, warm cast!", "naïve 电影 \u202e"])
    tokenizer.save(path)
    assert kind.load(path).tokens == tokenizer.tokens
    assert kind.load(str(path)).vocab_size == tokenizer.vocab_size
    assert json.loads(path.read_text()) == {"tokenizer": kind.__name__, "tokens": tokenizer.tokens}
    assert [entry.name for entry in tmp_path.iterdir()] == ["tokenizer.json"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b'{"tokenizer": "WordTokenizer", "tok', "holds no tokenizer: it is not JSON"),
        (b"\xff\xfe\x00", "holds no tokenizer: it is not JSON"),
        (b"[" * 100_000, "holds no tokenizer: it is not JSON"),
        (b"cos\nsystem\n(S'true'\ntR.", "not JSON"),  # a pickle that would run a command
        (b"[1, 2]", "does not hold a WordTokenizer, but 'list'"),
        (b'{"tokenizer": "CharTokenizer", "tokens": []}', "but 'CharTokenizer'"),
        (b'{"tokenizer": "WordTokenizer"}', "tokens must be a list of strings, got None"),
        (b'{"tokenizer": "WordTokenizer", "tokens": ["a"]}', "first tokens must be"),
        (
            b'{"tokenizer": "WordTokenizer", "tokens": ["[PAD]", "[UNK]", "a", "a"]}',
            "'a' occurs again",
        ),
        (
            b'{"tokenizer": "WordTokenizer", "tokens": ["[PAD]", "[UNK]", 7]}',
            "tokens must be a list of strings, got",
        ),
    ],
)
def test_damaged_files_are_refused(tmp_path, content, message):
    path = tmp_path / "tokenizer.json"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=message):
        WordTokenizer.load(path)


def test_missing_file(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"nowhere\.json"):
        WordTokenizer.load(tmp_path / "nowhere.json")
