"""Disks that fill up, folders that refuse, files that were cut or altered: for real.

tests/test_files.py tries each step of `write_atomic` with errors that are thrown in; here the
system itself refuses, in a child process, and everything that lmkit saves and loads is cut
and altered at every place.
"""

import gzip
import io
import json
import os
import re
import subprocess
import sys
import tarfile
import warnings
import zipfile

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lmkit import datasets
from lmkit.datasets.imdb import read_imdb
from lmkit.models import RecurrentLM
from lmkit.tokenizers import CharTokenizer

POSIX = pytest.mark.skipif(os.name != "posix", reason="needs POSIX limits or permissions")
LIMIT = 20_000  # bytes a file may have where the disk is full
SERVER = """
import http.server, threading

class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", "100000")
        self.end_headers()
        self.wfile.write(b"x" * 100_000)
    def log_message(self, *_):
        pass

server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
threading.Thread(target=server.serve_forever, daemon=True).start()
"""
WRITERS = {
    "a tokenizer": """
from lmkit.tokenizers import SplitTokenizer
words = " ".join(f"word{number}" for number in range(5_000))
def write(): SplitTokenizer.train([words]).save("file.keras")
""",
    "results": """
from lmkit.files import write_atomic
def write(): write_atomic("file.keras", "x" * 100_000)
""",
    "a download": SERVER
    + """
import hashlib, os, pathlib
os.environ["no_proxy"] = "127.0.0.1"
from lmkit.files import Remote, download
import keras
url = f"http://127.0.0.1:{server.server_port}/"
checksum = hashlib.sha256(b"x" * 100_000).hexdigest()
remote = Remote("file.keras", url, 100_000, checksum, "LMKIT_TEST")
def write(): download(remote, pathlib.Path("."))
""",
    "a model": """
from lmkit.files import save_model
from lmkit.models import RecurrentLM
model = RecurrentLM(vocab_size=999, embed_dim=9, units=9)
def write(): save_model(model, "file.keras")
""",
}


def run_in(folder, program):
    """What a child process with that working folder prints."""
    child = subprocess.run(
        [sys.executable, "-c", program], cwd=folder, capture_output=True, text=True, timeout=300
    )
    assert child.returncode == 0, child.stderr
    return child.stdout


def refused_then_accepted(folder, what, refuse, accept):
    """The message of the first try; after the second the file must be there, and whole."""
    (folder / "file.keras").write_text("old")
    printed = run_in(
        folder,
        f"{WRITERS[what]}\n{refuse}\nimport contextlib, io\n"
        "try:\n    with contextlib.redirect_stdout(io.StringIO()): write()\n"
        "except OSError as error: print(error)\n"
        "import os; print(sorted(os.listdir('.')), open('file.keras').read())\n"
        f"{accept}\nwith contextlib.redirect_stdout(io.StringIO()): write()\n"
        "print(sorted(os.listdir('.')), os.path.getsize('file.keras'))",
    )
    *message, after, then = printed.strip().splitlines()
    assert after == "['file.keras'] old"
    assert re.fullmatch(r"\['file\.keras'\] \d{5,}", then)
    return " ".join(message)


@POSIX
@pytest.mark.parametrize("what", WRITERS)
def test_a_full_disk_keeps_the_old_file_and_the_next_try_works(tmp_path, what):
    refuse = (
        "import resource; soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)\n"
        f"resource.setrlimit(resource.RLIMIT_FSIZE, ({LIMIT}, hard))"
    )
    accept = "resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))"
    message = refused_then_accepted(tmp_path, what, refuse, accept)
    assert "File too large" in message
    assert re.search(r"could not (write|download)", message)


@POSIX
@pytest.mark.parametrize("what", WRITERS)
def test_a_folder_that_may_not_be_written(tmp_path, what):
    # The administrator may write everywhere: the child takes off that right for the first try.
    # It stands in its folder already, so nothing above the folder matters.
    refuse = "import os; user = os.geteuid(); os.chmod('.', 0o555)\nif user == 0: os.seteuid(65534)"
    accept = "os.seteuid(user); os.chmod('.', 0o755)"
    message = refused_then_accepted(tmp_path, what, refuse, accept)
    assert "Permission denied" in message
    assert re.search(r"could not (write|download)", message)


@pytest.mark.skipif(sys.platform != "linux", reason="needs /dev/full")
def test_the_device_that_is_always_full():
    # open() succeeds there, every write fails: the error is that of a full disk.
    with pytest.raises(OSError, match="No space left on device"), open("/dev/full", "wb") as file:
        file.write(b"x")


# Everything that is loaded, cut at every place.


def model():
    keras.utils.set_random_seed(0)
    return RecurrentLM(vocab_size=9, embed_dim=2, units=3)


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """One file of every kind that the course saves, as bytes."""
    folder = tmp_path_factory.mktemp("saved")
    model().save(folder / "model.keras")
    model().save_weights(folder / "model.weights.h5")
    CharTokenizer.train(["a warm film"]).save(folder / "tokenizer.json")
    (folder / "results.json").write_text(json.dumps({"seeds": [0, 1], "test": [0.5, 0.75]}))
    return {path.name: path.read_bytes() for path in folder.iterdir()}


LOADERS = {
    "model.keras": lambda path: keras.models.load_model(path),
    "model.weights.h5": lambda path: model().load_weights(path),
    "tokenizer.json": lambda path: CharTokenizer.load(path),
    "results.json": lambda path: datasets.load_results("results", path.parent),
}
# Keras reports a file that is no archive as one that it did not find, h5py as one without a
# signature; both name what is wrong with the file, lmkit's own loaders name the file as well.
REFUSALS = {
    "model.keras": r"model\.keras|not a zip file",
    "model.weights.h5": r"Unable to (synchronously )?open file",
    "tokenizer.json": r"tokenizer\.json holds no tokenizer",
    "results.json": r"results\.json is not JSON \(truncated or altered\)",
}


@pytest.mark.parametrize("keep", [0.0, 0.1, 0.5, 0.9, 0.999])
@pytest.mark.parametrize("name", LOADERS)
def test_a_file_that_was_cut_is_refused(saved, tmp_path, name, keep):
    content = saved[name].rstrip(b"\n")
    (tmp_path / name).write_bytes(content[: min(int(keep * len(content)), len(content) - 1)])
    with pytest.raises((ValueError, OSError), match=REFUSALS[name]):
        LOADERS[name](tmp_path / name)


@pytest.mark.parametrize("name", LOADERS)
def test_a_file_that_is_not_there_is_named(tmp_path, name):
    with pytest.raises((ValueError, OSError), match=re.escape(name)):
        LOADERS[name](tmp_path / name)


@pytest.mark.parametrize("name", LOADERS)
def test_the_whole_file_is_loaded(saved, tmp_path, name):
    (tmp_path / name).write_bytes(saved[name])
    LOADERS[name](tmp_path / name)
    assert (tmp_path / name).read_bytes() == saved[name]


@pytest.mark.skipif(
    tuple(map(int, keras.__version__.split(".")[:2])) < (3, 15),
    reason="Keras before 3.15 reads weights on when their checksum in the zip file is wrong",
)
def test_altered_weights_in_a_model_are_noticed(saved, tmp_path):
    data = bytearray(saved["model.keras"])
    with zipfile.ZipFile(io.BytesIO(saved["model.keras"])) as archive:
        member = archive.getinfo("model.weights.h5")
    data[member.header_offset + member.file_size // 2] ^= 0xFF
    (tmp_path / "model.keras").write_bytes(data)
    with pytest.raises(zipfile.BadZipFile, match=r"Bad CRC-32 for file 'model\.weights\.h5'"):
        LOADERS["model.keras"](tmp_path / "model.keras")


def test_weights_of_another_size_are_refused_and_change_nothing_silently(saved, tmp_path):
    (tmp_path / "model.weights.h5").write_bytes(saved["model.weights.h5"])
    with pytest.raises(ValueError, match="could not be loaded"):
        RecurrentLM(vocab_size=10, embed_dim=2, units=3).load_weights(tmp_path / "model.weights.h5")


@POSIX
def test_keras_alone_loses_the_old_model_on_a_full_disk(tmp_path):
    # It writes in place, hence save_model. What is left is never loaded as a model.
    model().save(tmp_path / "model.keras")
    program = (
        "import resource; from lmkit.models import RecurrentLM; import keras\n"
        f"resource.setrlimit(resource.RLIMIT_FSIZE, ({LIMIT}, {LIMIT}))\n"
        "try: RecurrentLM(vocab_size=999, embed_dim=9, units=9).save('model.keras')\n"
        "except OSError as error: print('refused:', error)"
    )
    assert "refused: [Errno 27] File too large" in run_in(tmp_path, program)
    with pytest.raises(ValueError, match=r"model\.keras"):
        keras.models.load_model(tmp_path / "model.keras")


# The archive of reviews, altered anywhere: the right reviews or a reason, never others.

REVIEWS = {f"{label}/{n}_{n}.txt": f"{label} {n}" for label in ("neg", "pos") for n in (0, 1)}


def archive():
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:") as tar:
        for name, text in REVIEWS.items():
            member = tarfile.TarInfo(f"aclImdb/train/{name}")
            member.size = len(text)
            tar.addfile(member, io.BytesIO(text.encode()))
    return buffer.getvalue()


ARCHIVE = archive()
CHANGES = st.lists(
    st.tuples(st.integers(0, 4 * 1024 + 600), st.integers(1, 255)), min_size=1, max_size=6
)


@settings(max_examples=150, deadline=None)
@given(CHANGES, st.sampled_from(["headers", "gzip"]))
def test_an_altered_archive_is_refused_with_a_reason(tmp_path_factory, changes, where):
    data = bytearray(ARCHIVE if where == "headers" else gzip.compress(ARCHIVE, mtime=0))
    for place, change in changes:
        data[place % len(data)] ^= change
    content = bytes(data) if where == "gzip" else gzip.compress(data, mtime=0)
    path = tmp_path_factory.mktemp("altered") / "imdb.tar.gz"
    path.write_bytes(content)
    try:
        texts, _ = read_imdb(path, "train", per_label=2)
    except ValueError as error:
        assert str(path) in str(error)
    else:
        # Inside gzip every change of a text is seen; a text changed before packing is a text.
        assert len(texts) == 4
        assert where == "headers" or texts == list(REVIEWS.values())


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=300), st.sampled_from(["train.csv", "SHA256SUMS"]))
def test_shipped_reviews_altered_in_any_way_are_refused(tmp_path_factory, content, name):
    folder = tmp_path_factory.mktemp("reviews")
    (folder / "train.csv").write_bytes(b"label,text\n1,good\n")
    (folder / "SHA256SUMS").write_bytes(b"0" * 64 + b"  train.csv\n")
    (folder / name).write_bytes(content)
    with pytest.raises(ValueError, match=r"train\.csv"), warnings.catch_warnings():
        warnings.simplefilter("error")
        datasets.load_reviews("train", folder)


def test_a_results_file_of_another_coding_is_named(tmp_path):
    (tmp_path / "results.json").write_bytes(np.arange(256, dtype="uint8").tobytes())
    with pytest.raises(ValueError, match=r"results\.json is not JSON \(truncated or altered\)"):
        datasets.load_results("results", tmp_path)
