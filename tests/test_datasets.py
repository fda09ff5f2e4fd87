"""lmkit.datasets: shipped reviews, IMDB as folder and archive, Shakespeare, Python's texts."""

import ast
import collections
import gzip
import hashlib
import importlib.util
import io
import re
import sys
import tarfile
import types
import unicodedata
from pathlib import Path

import numpy as np
import pytest

from lmkit import datasets, files
from lmkit.datasets import (
    ReviewPair,
    load_docstrings,
    load_imdb,
    load_libreoffice_help,
    load_python_docs,
    load_review_pairs,
    load_reviews,
    load_tiny_shakespeare,
    read_lines,
    read_text,
)
from lmkit.datasets.imdb import IMDB, read_imdb
from lmkit.datasets.shipped import shipped_folder
from lmkit.datasets.text import TINY_SHAKESPEARE

SHARED = Path(__file__).parents[2] / "shared" / "data"
SPLITS = ("train", "validation", "test")


@pytest.fixture(autouse=True)
def no_local_settings(monkeypatch, tmp_path):
    for name in ("LMKIT_IMDB", "LMKIT_SHAKESPEARE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("LMKIT_CACHE", str(tmp_path / "cache"))


def shared(name):
    if not (SHARED / name).exists():
        pytest.skip(f"no development copy of {name}; it does not belong to the course's files")
    return SHARED / name


def test_nothing_heavy_is_imported_at_the_top():
    paths = [Path(files.__file__), *Path(datasets.__file__).parent.glob("*.py")]
    for path in paths:
        modules = set()
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.Import):
                modules |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                modules.add(node.module)
        others = {name for name in modules if name.split(".")[0] not in sys.stdlib_module_names}
        assert {name.split(".")[0] for name in others} <= {"numpy", "lmkit"}
        assert not modules & {"socket", "urllib", "http", "ssl"}


# Reviews.

TRAIN = 'label,text\n1,"A quiet film, and a good one."\n0,"They call it ""fun""; it is not."\n'
PAIRS = "kind,positive,negative\nnegation,not bad at all,not good at all\n"


def make_reviews(folder, **files):
    """Write CSV files and their SHA256SUMS."""
    lines = []
    for name, text in files.items():
        data = text.encode("utf-8") if isinstance(text, str) else text
        (folder / f"{name}.csv").write_bytes(data)
        lines.append(f"{hashlib.sha256(data).hexdigest()}  {name}.csv\n")
    (folder / "SHA256SUMS").write_text("".join(lines))
    return folder


@pytest.mark.parametrize("split", SPLITS)
def test_reviews_by_hand(tmp_path, split):
    texts, labels = load_reviews(split, make_reviews(tmp_path, **{split: TRAIN}))
    assert texts == ["A quiet film, and a good one.", 'They call it "fun"; it is not.']
    assert labels.dtype == np.int32 and labels.tolist() == [1, 0]


def test_pairs_by_hand(tmp_path):
    pairs = load_review_pairs(str(make_reviews(tmp_path, pairs=PAIRS)))
    assert pairs == [ReviewPair("negation", "not bad at all", "not good at all")]
    assert pairs[0].kind == "negation" and pairs[0].positive == "not bad at all"


def test_reviews_agree_with_numpys_parser(tmp_path):
    rng = np.random.default_rng(0)
    pieces = ["film", " ", ",", '"', "\u00e9", "\u4f60", "'", ";"]
    texts = ["x" + "".join(rng.choice(pieces, 12)) for _ in range(200)]
    rows = ['{},"{}"\n'.format(i % 2, text.replace('"', '""')) for i, text in enumerate(texts)]
    folder = make_reviews(tmp_path, test="label,text\n" + "".join(rows))
    expected = reference_table(folder / "test.csv")
    found, labels = load_reviews("test", folder)
    assert found == texts == expected[:, 1].tolist()
    assert labels.tolist() == expected[:, 0].astype(int).tolist()


def reference_table(path):
    form = {"delimiter": ",", "quotechar": '"', "comments": None, "encoding": "utf-8"}
    return np.loadtxt(path, dtype=object, skiprows=1, ndmin=2, **form)


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_line_break_in_quotes_belongs_to_the_text(tmp_path, end):
    folder = make_reviews(tmp_path, train=f'label,text\n1,"two{end}lines"\n')
    assert load_reviews("train", folder)[0] == [f"two{end}lines"]


def test_checksums_written_in_binary_mode(tmp_path):
    sums = make_reviews(tmp_path, train=TRAIN) / "SHA256SUMS"
    sums.write_text(sums.read_text().replace("  ", " *"))
    assert len(load_reviews("train", tmp_path)[0]) == 2


@pytest.mark.parametrize("split", ["Train", "dev", "", None, 0, "pairs"])
def test_reviews_unknown_split(split):
    message = rf'"train", "validation" or "test", got {re.escape(repr(split))}'
    with pytest.raises(ValueError, match=message):
        load_reviews(split)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("label,text\n2,a film\n", r"train\.csv, line 2: the label must be 0 or 1, got '2'"),
        ("label,text\n1,a\n-1,b\n", r"line 3: the label must be 0 or 1, got '-1'"),
        ("label,text\npositive,a film\n", r"got 'positive'"),
        ("label,text\n1.0,a film\n", r"got '1\.0'"),
        ("label,text\n 1,a film\n", r"got ' 1'"),
        ("label,text\n\u0661,a film\n", r"must be 0 or 1"),  # the Arabic digit one
        ("label,text\n1,a, b\n", r"line 2: expected label,text; got \['1', 'a', ' b'\]"),
        ("label,text\n1\n", r"line 2: expected label,text; got \['1'\]"),
        ("label,text\n1,a\n\n0,b\n", r"line 3: expected label,text; got \[\]"),
        ("label,text\n1,  \n", r"line 2: expected label,text"),
        ('label,text\n1,"a film\n', r"train\.csv, after line 2: .*end of data"),
        ('label,text\n1,"a" film\n', r"after line \d: .*expected after"),
        ("text,label\na film,1\n", r"start with the line label,text; got text,label"),
        ("1,a film\n", r"start with the line label,text; got 1,a film"),
        ("", r"start with the line label,text; got an empty file"),
        (b"label,text\n1,\xff\n", r"train\.csv, after line .*utf-8"),
    ],
)
def test_reviews_bad_rows(tmp_path, content, message):
    with pytest.raises(ValueError, match=message):
        load_reviews("train", make_reviews(tmp_path, train=content))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("kind,positive\nnegation,a\n", r"start with the line kind,positive,negative; got kind,"),
        ("kind,positive,negative\nnegation,a\n", r"pairs\.csv, line 2: expected kind,positive"),
        ("kind,positive,negative\nnegation,a,\n", r"line 2: expected .*'negation', 'a', ''"),
    ],
)
def test_pairs_bad_rows(tmp_path, content, message):
    with pytest.raises(ValueError, match=message):
        load_review_pairs(make_reviews(tmp_path, pairs=content))


@pytest.mark.parametrize(
    "change",
    [
        lambda data: data[:-1],
        lambda data: data.replace(b"quiet", b"loud!"),
        lambda data: data.replace(b"\n", b"\r\n"),
        lambda data: b"",
    ],
)
def test_an_altered_file_is_refused(tmp_path, change):
    file = make_reviews(tmp_path, train=TRAIN) / "train.csv"
    file.write_bytes(change(file.read_bytes()))
    with pytest.raises(ValueError, match=r"train\.csv is not the expected file.*line endings"):
        load_reviews("train", tmp_path)


@pytest.mark.parametrize("name", ["train.csv", "SHA256SUMS"])
def test_a_missing_file_is_named(tmp_path, name):
    (make_reviews(tmp_path, train=TRAIN) / name).unlink()
    with pytest.raises(FileNotFoundError, match=rf"{re.escape(name)} is missing"):
        load_reviews("train", tmp_path)


@pytest.mark.parametrize(
    "sums",
    ["", "abc  train.csv\n", "\n\nnonsense\n", f"{'0' * 64}\n", f"{'0' * 64}  train.csv.old\n",
     f"{'0' * 64}  a/train.csv\n"],
)  # fmt: skip
def test_a_file_that_is_not_listed(tmp_path, sums):
    (make_reviews(tmp_path, train=TRAIN) / "SHA256SUMS").write_text(sums)
    with pytest.raises(ValueError, match=r"SHA256SUMS does not list train\.csv"):
        load_reviews("train", tmp_path)


def test_the_folder_of_a_wheel_and_of_a_checkout(tmp_path):
    package = tmp_path / "lmkit"
    beside, inside = tmp_path / "data" / "reviews", package / "data" / "reviews"
    package.mkdir()
    with pytest.raises(FileNotFoundError, match="install the course again") as caught:
        shipped_folder("data/reviews", "data/reviews", package)
    assert str(inside) in str(caught.value) and str(beside) in str(caught.value)
    beside.mkdir(parents=True)
    assert shipped_folder("data/reviews", "data/reviews", package) == beside
    inside.mkdir(parents=True)
    assert shipped_folder("data/reviews", "data/reviews", package) == inside


def test_results_are_read_and_listed(tmp_path):
    (tmp_path / "01_chapter.json").write_text('{"seeds": [0, 1], "test": [0.5, 0.75]}')
    assert datasets.load_results("01_chapter", tmp_path)["test"] == [0.5, 0.75]
    with pytest.raises(FileNotFoundError, match=r"no results '02_chapter.json' .* are: 01_chapter"):
        datasets.load_results("02_chapter", tmp_path)


def test_results_files_are_found_by_their_whole_name(tmp_path):
    for name in ("b.weights.h5", "a.weights.h5", "a.json"):
        (tmp_path / name).write_text("{}")
    (tmp_path / "c.weights.h5").mkdir()
    assert datasets.results_file("a.weights.h5", tmp_path) == tmp_path / "a.weights.h5"
    with pytest.raises(FileNotFoundError, match=r"are: a\.weights\.h5, b\.weights\.h5$"):
        datasets.results_file("c.weights.h5", tmp_path)
    with pytest.raises(FileNotFoundError, match="there are: none"):
        datasets.results_file("a.png", tmp_path)


@pytest.mark.parametrize("split", SPLITS)
def test_shipped_reviews(split):
    texts, labels = load_reviews(split)
    folder = shipped_folder("data/reviews", "data/reviews")
    expected = reference_table(folder / f"{split}.csv")
    assert texts == expected[:, 1].tolist()
    assert labels.tolist() == expected[:, 0].astype(int).tolist()
    assert len(texts) == len(labels) >= 100
    assert 0.4 <= labels.mean() <= 0.6


def test_shipped_splits_share_no_review():
    where = collections.defaultdict(set)
    for split in SPLITS:
        for text in load_reviews(split)[0]:
            where[text].add(split)
    assert [text for text, splits in where.items() if len(splits) > 1] == []


def test_shipped_pairs():
    pairs = load_review_pairs()
    assert pairs and all(pair.positive != pair.negative for pair in pairs)


# LibreOffice's help.

HELP = 'page,id,english,chinese\nw/a,par_id1,"Choose ""Open"", then OK.",选择「打开」。\n'


@pytest.mark.parametrize("split", ["train", "held_out"])
def test_help_by_hand(tmp_path, split):
    (pair,) = load_libreoffice_help(split, make_reviews(tmp_path, **{split: HELP}))
    assert pair == ("w/a", "par_id1", 'Choose "Open", then OK.', "选择「打开」。")
    assert (pair.page, pair.id) == pair[:2] and (pair.english, pair.chinese) == pair[2:]


def test_help_refuses_what_it_cannot_read(tmp_path):
    with pytest.raises(ValueError, match='split must be "train" or "held_out", got'):
        load_libreoffice_help("test")
    with pytest.raises(ValueError, match="must start with the line page,id,english,chinese"):
        load_libreoffice_help("train", make_reviews(tmp_path, train=TRAIN))
    (tmp_path / "train.csv").write_text(HELP, encoding="utf-8")
    with pytest.raises(ValueError, match="SHA-256"):
        load_libreoffice_help("train", tmp_path)


def test_shipped_help_is_what_its_card_says():
    folder = shipped_folder("data/libreoffice_help", "data/libreoffice_help")
    card = (folder / "README.md").read_text(encoding="utf-8")
    tables = {split: load_libreoffice_help(split) for split in ("train", "held_out")}
    for split, pairs in tables.items():
        texts = ["".join(pair.english for pair in pairs), "".join(pair.chinese for pair in pairs)]
        sizes = [f"{len(text):,} characters, {len(text.encode()):,} bytes" for text in texts]
        words = sum(len(pair.english.split()) for pair in pairs)
        pages = len({pair.page for pair in pairs})
        counts = f"{len(pairs):,} | {pages} | {sizes[0]}, {words:,} words | {sizes[1]}"
        assert f"| `{split}.csv` | {counts} |" in card
        for text in (text for pair in pairs for text in pair[2:]):
            assert unicodedata.is_normalized("NFC", text) and text == " ".join(text.split())
            assert not any(unicodedata.category(char) in ("Cc", "Cf") for char in text)
    train, held_out = tables.values()
    for column in ("page", "english", "chinese"):
        ours, theirs = ({getattr(pair, column) for pair in part} for part in (train, held_out))
        assert not ours & theirs
        assert column == "page" or len(ours) == len(train)
    assert len({pair[:2] for pair in train}) == len(train)


def test_help_pages_are_cleaned_as_the_card_says():
    folder = shipped_folder("data/libreoffice_help", "data/libreoffice_help")
    spec = importlib.util.spec_from_file_location("make_help", folder / "make_libreoffice_help.py")
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    parser = script.Paragraphs()
    parser.feed(
        '<p id="par_id1">Press <span><span class="MAC"><b>Command</b></span><span>Ctrl</span>'
        '</span>\u00a0&lt; <img src="x"> .</p><p>no id</p><h1 id="hd_id2">Re\u0301\nsume</h1>'
    )
    assert parser.found == {"par_id1": "Press Ctrl <.", "hd_id2": "R\u00e9 sume"}
    assert script.clean("\u70b9\u51fb \u300c OK\u300d \u3002") == "\u70b9\u51fb\u300cOK\u300d\u3002"
    assert script.translated("Open the file.", "\u6253\u5f00 A \u6587\u4ef6\u3002")
    assert not script.translated("Open", "Open") and not script.translated("\u597d", "\u597d")
    assert script.broken("\u5180\x9b\u5efa") and not script.broken("\u521b\u5efa")


# IMDB. A tiny corpus with numbers that sort differently as text and as numbers.

TINY = {
    "train/neg/0_3.txt": "neg zero<br /><br />end",
    "train/neg/2_1.txt": "neg two\r\nline",
    "train/neg/10_4.txt": "neg ten",
    "train/pos/0_9.txt": "pos z\u00e9ro",
    "train/pos/9_7.txt": "pos nine",
    "train/pos/11_10.txt": "pos eleven",
    "train/unsup/0_0.txt": "unlabelled",
    "train/urls_pos.txt": "http://...",
    "train/pos/.DS_Store": "\x00",
    "train/pos/._0_9.txt": "\x00",
    "test/neg/0_2.txt": "test neg",
    "test/pos/0_10.txt": "test pos",
    "README": "read me",
}
TINY_TRAIN = [
    "neg zero<br /><br />end",
    "neg two\r\nline",
    "neg ten",
    "pos z\u00e9ro",
    "pos nine",
    "pos eleven",
]


def make_folder(root, files):
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(text if isinstance(text, bytes) else text.encode("utf-8"))
    return root


def make_tarball(path, files, prefix="aclImdb/", members=()):
    with tarfile.open(path, "w:gz") as archive:
        for name, text in files.items():
            data = text if isinstance(text, bytes) else text.encode("utf-8")
            member = tarfile.TarInfo(prefix + name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
        for member in members:
            archive.addfile(member)
    return path


def make_source(tmp_path, form, files=TINY):
    if form == "folder":
        return make_folder(tmp_path / "aclImdb", files)
    if form == "renamed":
        return make_folder(tmp_path / "my copy", files)
    if form == "parent":
        return make_folder(tmp_path / "aclImdb", files).parent
    prefix = {"tarball": "aclImdb/", "dotted": "./aclImdb/", "bare": ""}[form]
    return make_tarball(tmp_path / "imdb.tar.gz", files, prefix)


FORMS = ["folder", "renamed", "parent", "tarball", "dotted", "bare"]


@pytest.mark.parametrize("form", FORMS)
def test_imdb_reads_every_form_alike(tmp_path, form):
    source = make_source(tmp_path, form)
    texts, labels = read_imdb(source, "train", per_label=3)
    assert texts == TINY_TRAIN
    assert labels.dtype == np.int32 and labels.tolist() == [0, 0, 0, 1, 1, 1]
    texts, labels = read_imdb(source, "test", per_label=1)
    assert texts == ["test neg", "test pos"] and labels.tolist() == [0, 1]


def test_imdb_archive_that_the_browser_has_unpacked(tmp_path):
    data = gzip.decompress(make_tarball(tmp_path / "imdb.tar.gz", TINY).read_bytes())
    (tmp_path / "imdb.tar").write_bytes(data)
    assert read_imdb(tmp_path / "imdb.tar", "train", per_label=3)[0] == TINY_TRAIN


@pytest.mark.parametrize("form", ["folder", "tarball"])
def test_imdb_order_does_not_depend_on_the_order_of_the_files(tmp_path, form):
    backwards = dict(reversed(TINY.items()))
    texts, _ = read_imdb(make_source(tmp_path, form, backwards), "train", per_label=3)
    assert texts == TINY_TRAIN


@pytest.mark.parametrize("form", ["folder", "tarball"])
def test_imdb_incomplete(tmp_path, form):
    files = {name: text for name, text in TINY.items() if name != "train/pos/9_7.txt"}
    source = make_source(tmp_path, form, files)
    message = r"incomplete: train/neg and train/pos must hold 3 reviews.* found 3 and 2"
    with pytest.raises(ValueError, match=message):
        read_imdb(source, "train", per_label=3)
    with pytest.raises(ValueError, match=r"must hold 12,500 reviews.* found 1 and 1"):
        load_imdb("test", source)


@pytest.mark.parametrize("form", ["folder", "tarball"])
@pytest.mark.parametrize(
    ("extra", "message"),
    [
        ({"train/neg/3_1.txt": "more", "train/pos/3_8.txt": "more"}, "found 4 and 4"),
        ({"train/neg/2_2.txt": "same number"}, "holds review 2 of train/neg twice"),
        ({"train/neg/2_1.txt": b"\xff\xfe"}, r"train/neg/2_1\.txt is not UTF-8"),
    ],
)
def test_imdb_wrong_members(tmp_path, form, extra, message):
    with pytest.raises(ValueError, match=message):
        read_imdb(make_source(tmp_path, form, TINY | extra), "train", per_label=3)


def test_imdb_empty_folder(tmp_path):
    with pytest.raises(ValueError, match=r"12,500 reviews each \(names like .* found 0 and 0"):
        load_imdb("train", tmp_path)


def unsafe_member(name, kind=tarfile.REGTYPE, target=""):
    member = tarfile.TarInfo(name)
    member.type, member.linkname = kind, target
    return member


@pytest.mark.parametrize(
    "kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE]
)
def test_imdb_refuses_a_link_or_a_device_for_a_review(tmp_path, kind):
    member = unsafe_member("aclImdb/train/pos/1_8.txt", kind, "aclImdb/train/pos/0_9.txt")
    source = make_tarball(tmp_path / "imdb.tar.gz", TINY, members=[member])
    with pytest.raises(ValueError, match=r"train/pos/1_8\.txt is a link or a device"):
        read_imdb(source, "train", per_label=4)


@pytest.mark.parametrize(
    "member",
    [
        unsafe_member("/etc/train/pos/1_8.txt"),
        unsafe_member("C:/evil.txt"),
        unsafe_member("\\evil.txt"),
        unsafe_member("aclImdb/../../train/pos/1_8.txt"),
        unsafe_member("aclImdb\\..\\..\\evil.txt"),
        unsafe_member("..", tarfile.DIRTYPE),
        unsafe_member("aclImdb/passwd", tarfile.SYMTYPE, "/etc/passwd"),
        unsafe_member("aclImdb/null", tarfile.CHRTYPE),
    ],
    ids=lambda member: member.name,
)
def test_imdb_skips_what_is_no_review_whatever_it_is_called(tmp_path, member):
    source = make_tarball(tmp_path / "imdb.tar.gz", TINY, members=[member])
    before = sorted(tmp_path.rglob("*"))
    assert read_imdb(source, "train", per_label=3)[0] == TINY_TRAIN
    assert sorted(tmp_path.rglob("*")) == before  # nothing is unpacked


@pytest.mark.parametrize("keep", [0, 5, 0.3, 0.6, 0.9])
def test_imdb_truncated_archive(tmp_path, keep):
    rng = np.random.default_rng(0)
    files = {name: rng.bytes(500).hex() for name in TINY}
    whole = make_tarball(tmp_path / "whole.tar.gz", files).read_bytes()
    part = tmp_path / "part.tar.gz"
    part.write_bytes(whole[: keep if isinstance(keep, int) else int(keep * len(whole))])
    with pytest.raises(ValueError, match=r"part\.tar\.gz is (incomplete|neither a folder nor)"):
        read_imdb(part, "train", per_label=3)


@pytest.mark.parametrize("level", [0, 9])
@pytest.mark.parametrize("size", [500, 300_000])  # damage between reviews and inside one
def test_imdb_archive_with_damage(tmp_path, size, level):
    rng = np.random.default_rng(0)
    files = {name: rng.bytes(size).hex() for name in TINY}
    whole = gzip.decompress(make_tarball(tmp_path / "imdb.tar.gz", files).read_bytes())
    data = bytearray(gzip.compress(whole, compresslevel=level))
    start, length = len(data) // 20, len(data) // 20
    data[start : start + length] = b"\xff" * length
    (tmp_path / "imdb.tar.gz").write_bytes(data)
    with pytest.raises(ValueError, match=r"neither a folder nor a whole \.tar\.gz"):
        read_imdb(tmp_path / "imdb.tar.gz", "train", per_label=3)


def test_imdb_archive_with_one_changed_letter(tmp_path):
    files = TINY | {"imdb.vocab": "word\n" * 100_000}  # gzip's checksum stands far behind
    data = gzip.decompress(make_tarball(tmp_path / "imdb.tar.gz", files).read_bytes())
    stored = gzip.compress(data, compresslevel=0)
    (tmp_path / "imdb.tar.gz").write_bytes(stored.replace(b"neg ten", b"neg tin"))
    with pytest.raises(ValueError, match=r"whole \.tar\.gz archive \(CRC check failed"):
        read_imdb(tmp_path / "imdb.tar.gz", "train", per_label=3)


def test_imdb_other_file(tmp_path):
    (tmp_path / "page.html").write_text("<html>" * 500)
    with pytest.raises(ValueError, match=r"page\.html is neither a folder nor .*ai\.stanford\.edu"):
        load_imdb("train", tmp_path / "page.html")


@pytest.mark.parametrize("split", ["validation", "unsup", "TRAIN", None, "../train"])
def test_imdb_unknown_split(split):
    with pytest.raises(ValueError, match=rf'"train" or "test", got {re.escape(repr(split))}'):
        load_imdb(split)


def test_imdb_given_path_does_not_exist(tmp_path, monkeypatch):
    with pytest.raises(FileNotFoundError, match=r"path names .*nothing, which does not exist"):
        load_imdb("train", tmp_path / "nothing")
    monkeypatch.setenv("LMKIT_IMDB", str(tmp_path / "nothing"))
    with pytest.raises(FileNotFoundError, match=r"variable LMKIT_IMDB names .*nothing"):
        load_imdb("train")


def test_imdb_download_is_pinned():
    # The line of TensorFlow Datasets' catalogue (imdb_reviews/checksums.tsv).
    line = "84125825 c40f74a18d3b61f90feba1e17730e0d38e8b97c05fde7008942e91923d1658fe"
    assert f"{IMDB.size} {IMDB.sha256}" == line
    assert IMDB.url == "https://ai.stanford.edu/~amaas/data/sentiment/aclImdb_v1.tar.gz"


def test_imdb_whole(monkeypatch):
    monkeypatch.setenv("LMKIT_IMDB", str(shared("aclImdb_v1_labelled.tar.gz")))
    # Bytes of text in the published corpus (Hugging Face's totals less 12 a review).
    for split, size in (("train", 33_132_823), ("test", 32_350_685)):
        texts, labels = load_imdb(split)
        assert len(texts) == 25_000
        assert labels.shape == (25_000,) and np.bincount(labels).tolist() == [12_500, 12_500]
        assert sum(len(text.encode("utf-8")) for text in texts) == size
        if split == "train":
            assert texts[0].startswith("Story of a man who has unnatural feelings for a pig.")
            assert texts[12_500].startswith("Bromwell High is a cartoon comedy.")


# Tiny Shakespeare.


def test_shakespeare_whole(monkeypatch):
    path = shared("tinyshakespeare.txt")
    plays = load_tiny_shakespeare(path)
    assert len(plays) == 1_115_394 and len(set(plays)) == 65
    assert plays.startswith("First Citizen:\nBefore we proceed any further, hear me speak.")
    monkeypatch.setenv("LMKIT_SHAKESPEARE", str(path))
    assert load_tiny_shakespeare() == plays


def pin(monkeypatch, data):
    """Let the loader expect these bytes, so that its path can be tried without the real file."""
    digest = hashlib.sha256(data).hexdigest()
    remote = TINY_SHAKESPEARE._replace(sha256=digest, url="http://127.0.0.1:1/none")
    monkeypatch.setattr("lmkit.datasets.text.TINY_SHAKESPEARE", remote)


def test_shakespeare_keeps_every_character(tmp_path, monkeypatch):
    data = "First\r\nSecond \u00e9\n".encode()
    pin(monkeypatch, data)
    (tmp_path / "text").write_bytes(data)
    assert load_tiny_shakespeare(str(tmp_path / "text")) == "First\r\nSecond \u00e9\n"
    cache = tmp_path / "cache"
    cache.mkdir()
    (cache / "tinyshakespeare.txt").write_bytes(data)
    assert load_tiny_shakespeare() == "First\r\nSecond \u00e9\n"


@pytest.mark.parametrize("content", [b"", b"First Citizen:\n", b"First Citizen:\r\n"])
def test_shakespeare_altered(tmp_path, content):
    (tmp_path / "text").write_bytes(content)
    with pytest.raises(ValueError, match=r"not the expected file.*86c4e6aa9db7.*line endings"):
        load_tiny_shakespeare(tmp_path / "text")


def test_shakespeare_path_is_a_folder_or_missing(tmp_path):
    with pytest.raises(ValueError, match="is a folder; path must name the text file"):
        load_tiny_shakespeare(tmp_path)
    with pytest.raises(FileNotFoundError, match=r"path names .*nothing"):
        load_tiny_shakespeare(tmp_path / "nothing")


def test_without_a_network_the_message_says_what_to_do(tmp_path, monkeypatch):
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    pin(monkeypatch, b"something")
    with pytest.raises(OSError, match=r"could not download .*LMKIT_SHAKESPEARE"):
        load_tiny_shakespeare()
    assert [*(tmp_path / "cache").iterdir()] == []


# Python's documentation.


def test_python_docs_of_this_python():
    text = load_python_docs()
    assert 400_000 < len(text) < 650_000
    assert text.startswith('The "assert" statement') and text.endswith("\n")
    topics = importlib.import_module("pydoc_data.topics").topics
    positions = [text.index(topics[name].strip("\n")) for name in sorted(topics)]
    assert positions[0] == 0
    assert sum(len(topic.strip("\n")) + 2 for topic in topics.values()) - 1 == len(text)


def test_python_docs_by_hand(monkeypatch):
    topics = {"b": "second\n\nmore\n", "a": "\nfirst\n", "B": "capitals first\n"}
    monkeypatch.setitem(sys.modules, "pydoc_data.topics", types.SimpleNamespace(topics=topics))
    assert load_python_docs() == "capitals first\n\nfirst\n\nsecond\n\nmore\n"


@pytest.mark.parametrize("module", [None, types.SimpleNamespace()])
def test_python_docs_missing(monkeypatch, module):
    monkeypatch.setitem(sys.modules, "pydoc_data.topics", module)
    version = re.escape(".".join(map(str, sys.version_info[:3])))
    with pytest.raises(ImportError, match=rf"Python {version}\S* came without pydoc_data"):
        load_python_docs()


# Docstrings.

LONG = " ".join(f"word{n}" for n in range(20))  # the fewest that a body must have


def documented(first, body=LONG, indent=""):
    quotes = '"' * 3
    return f"{indent}{quotes}{first}\n\n{indent}{body}\n{indent}{quotes}\n"


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A function that writes a package of the name `invented`, whose import would fail."""
    monkeypatch.syspath_prepend(tmp_path)
    importlib.invalidate_caches()

    def write(**sources):
        for name, source in {"__init__": "raise ImportError('imported')\n", **sources}.items():
            file = tmp_path / "invented" / f"{name.replace('.', '/')}.py"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(source if isinstance(source, bytes) else source.encode())
        return load_docstrings(["invented"])

    yield write
    assert "invented" not in sys.modules


def test_docstrings_by_hand(package):
    source = documented("About the whole module.") + "\n".join(
        [
            "class A:",
            documented("About a class here.", f"{LONG}\n\n    More  of it.", "    "),
            "    async def f(self):",
            documented("About one async method.", LONG + " method", "        "),
            "        def inner():",
            documented("About an inner function.", LONG + " inner", "            "),
            "try:\n    def g():",
            documented("About a tried function.", LONG + " tried", "        "),
            "except ImportError:\n    def g():",
            documented("About a caught function.", LONG + " caught", "        "),
            "else:\n    if 1:\n        pass\n    else:\n        def h():",
            documented("About the other branch.", LONG + " other", "            "),
            "x = lambda: 0",
            documented("No docstring at all.", LONG + " text"),
        ]
    )
    assert package(code=source) == [
        ("About the whole module.", LONG),
        ("About a class here.", f"{LONG}\n\nMore  of it."),
        ("About one async method.", LONG + " method"),
        ("About an inner function.", LONG + " inner"),
        ("About a tried function.", LONG + " tried"),
        ("About the other branch.", LONG + " other"),
        ("About a caught function.", LONG + " caught"),
    ]


@pytest.mark.parametrize(
    ("first", "body", "kept"),
    [
        ("Only three words.", LONG, False),
        ("Now there are four.", LONG, True),
        (" ".join(["word"] * 25), LONG, True),
        (" ".join(["word"] * 26), LONG, False),
        ("A body of nineteen.", LONG.removeprefix("word0 "), False),
    ],
)
def test_docstrings_of_the_right_length(package, first, body, kept):
    assert package(code=documented(first, body)) == ([(first, body)] if kept else [])


def test_docstrings_in_the_order_of_files_and_each_once(package):
    found = package(
        **{
            "b": documented("The second file here."),
            "a.z": documented("The first file here.", LONG + " a"),
            "c": documented("The second file here.", LONG + " again"),  # the same first line
            "d": documented("Another first line here."),  # the same body
            "tests.test_a": documented("A test of something.", LONG + " t"),
        }
    )
    assert found == [("The first file here.", LONG + " a"), ("The second file here.", LONG)]


@pytest.mark.parametrize(
    "broken", [b"def f(:\n", b"\0", b"# coding: klingon\n", b"x = '\xe9'\n", b"(" * 500]
)
def test_docstrings_of_a_file_that_cannot_be_read(package, broken):
    assert len(package(a=broken, b=documented("This one is fine."))) == 1


def test_docstrings_of_a_file_in_another_encoding(package):
    source = "# coding: latin-1\n" + documented("Zoë wrote this line.")
    assert package(a=source.encode("latin-1"))[0][0] == "Zoë wrote this line."


def test_docstrings_without_warnings(package, recwarn):
    assert len(package(a=documented("An old escape here.", LONG + r" \d"))) == 1
    assert not recwarn.list


def test_docstrings_of_numpy():
    found = load_docstrings(["numpy"])
    assert len(found) > 500 and sum(len(body.split()) for _, body in found) > 100_000
    first_lines, bodies = zip(*found, strict=True)
    assert len(set(first_lines)) == len(set(bodies)) == len(found)
    # As NumPy itself shows it.
    place = first_lines.index("Compute the weighted average along the specified axis.")
    assert np.average.__doc__.strip().startswith(first_lines[place])
    words = [text.split() for text in (np.average.__doc__, " ".join(found[place]))]
    assert words[0] == words[1]


@pytest.mark.parametrize(
    ("packages", "kind", "message"),
    [
        ("numpy", TypeError, "put 'numpy' in a list"),
        (["no_such_package"], ImportError, "'no_such_package' is not installed"),
        (["ast"], ImportError, "'ast' is not installed, or is no package"),
        (["../numpy"], ImportError, "'../numpy' is not installed"),
        ([3], TypeError, "a package's name must be a string, got int: 3"),
    ],
)
def test_docstrings_of_what_is_not_there(packages, kind, message):
    with pytest.raises(kind, match=message):
        load_docstrings(packages)


# A reader's own file.

SAME = "Zoë\n漢字\n\n end \n"


@pytest.mark.parametrize(
    ("data", "encoding"),
    [
        (SAME.encode(), "utf-8"),
        (("\ufeff" + SAME).replace("\n", "\r\n").encode(), "UTF8"),  # as Windows saves it
        (SAME.replace("\n", "\r").encode(), "utf-8"),  # as it was done on old Macs
        (SAME.encode("gb18030"), "gb18030"),
        (("\ufeff" + SAME).encode("gb18030"), "gb18030"),
        (SAME.encode("utf-16"), "utf-16"),
    ],
)
def test_a_file_of_the_readers_own(tmp_path, data, encoding):
    (tmp_path / "mine.txt").write_bytes(data)
    assert read_text(tmp_path / "mine.txt", encoding) == SAME
    assert read_lines(str(tmp_path / "mine.txt"), encoding) == ["Zoë", "漢字", " end "]


def test_a_line_ends_where_an_editor_ends_it(tmp_path):
    (tmp_path / "mine.txt").write_text("a\x0cb\u2028c\nd")  # str.splitlines would make four
    assert read_lines(tmp_path / "mine.txt") == ["a\x0cb\u2028c", "d"]


def test_a_file_in_the_home_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    (tmp_path / "mine.txt").write_text("a film")
    assert read_text("~/mine.txt") == "a film"


@pytest.mark.parametrize(
    ("data", "encoding", "message"),
    [
        ("漢字".encode("gbk"), "utf-8", 'byte 0x9d at position 0. Try encoding="gb18030"'),
        ("ab Zoë".encode("latin-1"), "utf-8", 'byte 0xeb at position 5.*"latin-1" for Western'),
        ("\ufeffab ".encode() + b"\xeb", "utf-8", "byte 0xeb at position 6"),  # 3 are the mark
        ("film".encode("utf-16"), "utf-8", r'byte 0x(ff|fe) at position 0.*"utf-16"'),
        (b"abc", "klingon", "no encoding 'klingon'"),
        (b" \n", "utf-8", r"mine\.txt holds no text"),
        ("\ufeff".encode(), "utf-8", r"mine\.txt holds no text"),
        (b"", "utf-8", r"mine\.txt holds no text"),
    ],
)
@pytest.mark.parametrize("read", [read_text, read_lines])
def test_a_file_that_cannot_be_read(tmp_path, read, data, encoding, message):
    (tmp_path / "mine.txt").write_bytes(data)
    with pytest.raises(ValueError, match=message):
        read(tmp_path / "mine.txt", encoding)


@pytest.mark.parametrize("read", [read_text, read_lines])
def test_a_folder_and_a_missing_file(tmp_path, read):
    with pytest.raises(ValueError, match=r"must name a text file, .* is a folder"):
        read(tmp_path)
    with pytest.raises(FileNotFoundError, match=r"none\.txt"):
        read(tmp_path / "none.txt")
