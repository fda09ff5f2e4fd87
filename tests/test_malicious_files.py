"""Texts, archives and arrays that were made to do harm: nothing in them is ever executed.

Each file would make a folder called `ran` if its code ran. That the harm is real is shown
first, with the same file and the protection taken off, wherever there is one to take off.
"""

import io
import json
import pickle
import tarfile

import numpy as np
import pytest
from harm import harmful_array, is_harmful, pickled

from lmkit import datasets
from lmkit.tokenizers import CharTokenizer, SplitTokenizer, WordTokenizer

TOKENIZERS = [WordTokenizer, CharTokenizer, SplitTokenizer]


# Tokenizers and results are JSON, and JSON can only be read.


@pytest.mark.parametrize("kind", TOKENIZERS)
@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_a_pickle_for_a_tokenizer(tmp_path, ran, kind, protocol):
    path = tmp_path / "tokenizer.json"
    path.write_bytes(pickled(ran, protocol))
    assert is_harmful(ran, lambda: pickle.loads(path.read_bytes()))
    with pytest.raises(ValueError, match=r"tokenizer\.json holds no tokenizer: it is not JSON"):
        kind.load(path)


@pytest.mark.parametrize("kind", TOKENIZERS)
def test_code_for_a_tokenizer(tmp_path, ran, kind):
    path = tmp_path / "tokenizer.json"
    path.write_text(f"__import__('os').mkdir({str(ran)!r})")
    assert is_harmful(ran, lambda: eval(path.read_text()))
    with pytest.raises(ValueError, match="it is not JSON"):
        kind.load(path)


@pytest.mark.parametrize("kind", TOKENIZERS)
@pytest.mark.parametrize(
    "record",
    [
        {"tokenizer": "os.system", "tokens": ["true"]},
        {"py/object": "os.system", "tokenizer": {"py/reduce": ["os.system"]}},
        {"tokenizer": ["CharTokenizer"], "tokens": []},
    ],
)
def test_names_of_functions_for_a_tokenizer(tmp_path, ran, kind, record):
    (tmp_path / "tokenizer.json").write_text(json.dumps(record))
    with pytest.raises(ValueError, match=f"does not hold a {kind.__name__}"):
        kind.load(tmp_path / "tokenizer.json")


def test_tokens_that_look_like_code_are_text(tmp_path, ran):
    code = f"__import__('os').mkdir({str(ran)!r})".replace(" ", "")
    tokenizer = SplitTokenizer.train([f"{code} ../../ran $(mkdir) {{0.__class__}} %s"])
    tokenizer.save(tmp_path / "tokenizer.json")
    again = SplitTokenizer.load(tmp_path / "tokenizer.json")
    assert again.decode(again.encode(code)) == code


@pytest.mark.parametrize("nested", ["[" * 200_000, '{"a":' * 200_000])
def test_brackets_nested_by_the_thousand(tmp_path, nested):
    for path in (tmp_path / "tokenizer.json", tmp_path / "results.json"):
        path.write_text(nested)
    with pytest.raises(ValueError, match="not JSON"):
        CharTokenizer.load(tmp_path / "tokenizer.json")
    with pytest.raises(ValueError, match="not JSON"):
        datasets.load_results("results", tmp_path)


# The archive of reviews is read, never unpacked.


@pytest.mark.parametrize("name", ["../ran/1_1.txt", "aclImdb/train/neg/../../../../work/ran/x"])
def test_an_archive_that_leaves_its_folder(tmp_path, ran, name, monkeypatch):
    path = tmp_path / "work" / "imdb.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        member = tarfile.TarInfo(name)
        member.size = 4
        archive.addfile(member, io.BytesIO(b"harm"))
    monkeypatch.chdir(tmp_path / "work")
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(ValueError, match="must hold 12,500 reviews each"):
        datasets.load_imdb("train", path)
    assert sorted(tmp_path.rglob("*")) == before


def test_a_review_that_is_a_link_to_a_secret(tmp_path, ran):
    (tmp_path / "secret").write_text("key")
    path = tmp_path / "imdb.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        member = tarfile.TarInfo("aclImdb/train/neg/0_1.txt")
        member.type, member.linkname = tarfile.SYMTYPE, str(tmp_path / "secret")
        archive.addfile(member)
    with pytest.raises(ValueError, match="is a link"):
        datasets.load_imdb("train", path)


# Arrays.


def test_a_pickle_inside_an_array_file(tmp_path, ran):
    (tmp_path / "arrays.npz").write_bytes(harmful_array(ran))

    def load(**options):
        with np.load(tmp_path / "arrays.npz", **options) as arrays:
            return arrays["array"]

    assert is_harmful(ran, lambda: load(allow_pickle=True))
    with pytest.raises(ValueError, match="Object arrays cannot be loaded"):
        load()


def test_nothing_of_the_course_unpickles_or_evaluates(root):
    """The doors of the test above are shut nowhere but here: nobody may open one."""
    doors = ("allow_pickle=True", "import pickle", "from pickle", "safe_mode=False", "marshal",
             "enable_unsafe_deserialization", "extractall", "yaml.load(", "eval(", "exec(",
             "os.system", "shell=True")  # fmt: skip
    files = [*root.glob("lmkit/**/*.py"), *root.glob("chapters/experiments/*.py")]
    files += root.glob("chapters/*.ipynb")
    found = [
        (path.name, door)
        for path in files
        for door in doors
        if door in path.read_text(encoding="utf-8")
    ]
    assert len(files) > 20 and found == []
