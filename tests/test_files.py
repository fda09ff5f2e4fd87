"""lmkit.files: writing that leaves no half, checksums, downloads from a server that fails."""

import errno
import hashlib
import io
import os
import socket
import stat
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest

from lmkit import files
from lmkit.files import Remote, check_sha256, download, locate, save_model, sha256, write_atomic

POSIX = pytest.mark.skipif(os.name != "posix", reason="needs POSIX limits or permissions")
# Published by NIST: the checksum of nothing and that of the three letters abc.
NIST = {
    b"": "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    b"abc": "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
}


# Writing.


@pytest.mark.parametrize(
    ("data", "stored"),
    [
        ("", b""),
        ("a\r\nb\n", b"a\r\nb\n"),
        ("\u00e9\u4f60", b"\xc3\xa9\xe4\xbd\xa0"),
        (b"\x00\xff", b"\x00\xff"),
    ],
)
def test_write_stores_exactly_these_bytes(tmp_path, data, stored):
    write_atomic(tmp_path / "file", data)
    assert (tmp_path / "file").read_bytes() == stored
    assert os.listdir(tmp_path) == ["file"]


def test_write_replaces_and_takes_a_path_as_text(tmp_path):
    path = str(tmp_path / "file")
    write_atomic(path, "a longer old text")
    write_atomic(path, "new")
    assert Path(path).read_text() == "new"
    assert os.listdir(tmp_path) == ["file"]


@POSIX
def test_written_files_have_ordinary_permissions(tmp_path):
    (tmp_path / "ordinary").write_text("x")
    write_atomic(tmp_path / "ours", "x")
    mode = [stat.S_IMODE((tmp_path / name).stat().st_mode) for name in ("ordinary", "ours")]
    assert mode[0] == mode[1]


def test_a_reader_never_sees_a_half(tmp_path):
    path = tmp_path / "file"
    contents = {b"a" * 300_000, b"b" * 500_000}
    write_atomic(path, b"a" * 300_000)
    seen, done = set(), threading.Event()

    def read():
        while not done.is_set():
            seen.add(path.read_bytes())

    reader = threading.Thread(target=read)
    reader.start()
    try:
        for _ in range(20):
            for content in sorted(contents):
                write_atomic(path, content)
    finally:
        done.set()
        reader.join()
    assert seen and seen <= contents


@pytest.mark.parametrize("data", [None, 3, ["a"], bytearray(b"a")])
def test_write_refuses_other_types(tmp_path, data):
    with pytest.raises(TypeError, match=f"str or bytes, got {type(data).__name__}"):
        write_atomic(tmp_path / "file", data)
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize(
    ("number", "kind", "advice"),
    [
        (errno.ENOSPC, OSError, "disk is full"),
        (errno.EACCES, PermissionError, "folder of your own"),
        (errno.EROFS, OSError, "read-only"),
        (errno.EIO, OSError, "another place"),
    ],
)
@pytest.mark.parametrize("step", ["open", "write", "fsync", "replace"])
def test_a_failed_write_keeps_the_old_file(tmp_path, monkeypatch, step, number, kind, advice):
    path = tmp_path / "model.json"
    path.write_text("old")

    def fail(*_, **__):
        raise OSError(number, os.strerror(number))

    class Full(io.FileIO):
        write = fail

    if step in ("open", "write"):
        replacement = fail if step == "open" else Full
        monkeypatch.setattr(files, "open", replacement, raising=False)
    else:
        monkeypatch.setattr(files.os, step, fail)
    with pytest.raises(kind, match=r"could not write .*model\.json.*unchanged") as caught:
        write_atomic(path, "new")
    assert caught.value.errno == number
    assert advice in str(caught.value)
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["model.json"]


def test_an_interrupted_write_keeps_the_old_file(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("old")

    def interrupt(_):
        raise KeyboardInterrupt

    monkeypatch.setattr(files.os, "fsync", interrupt)
    with pytest.raises(KeyboardInterrupt):
        write_atomic(tmp_path / "file", "new")
    assert (tmp_path / "file").read_text() == "old"
    assert os.listdir(tmp_path) == ["file"]


def test_write_into_a_missing_folder(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"missing.*folder does not exist: create it"):
        write_atomic(tmp_path / "missing" / "file", "x")


def test_write_onto_a_folder(tmp_path):
    (tmp_path / "folder").mkdir()
    with pytest.raises(OSError, match=r"could not write .*folder"):
        write_atomic(tmp_path / "folder", "x")
    assert os.listdir(tmp_path) == ["folder"]


@POSIX
def test_a_size_limit_of_the_system_keeps_the_old_file(tmp_path):
    (tmp_path / "file").write_text("old")
    program = (
        "import resource, sys; from lmkit.files import write_atomic\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))\n"
        "try: write_atomic(sys.argv[1], 'x' * 100_000)\n"
        "except OSError as error: print(error)"
    )
    command = [sys.executable, "-c", program, str(tmp_path / "file")]
    result = subprocess.run(
        command, capture_output=True, text=True, cwd=Path(files.__file__).parents[1]
    )
    assert "could not write" in result.stdout and "File too large" in result.stdout, result.stderr
    assert (tmp_path / "file").read_text() == "old"
    assert os.listdir(tmp_path) == ["file"]


# Models. A full disk and a folder that refuses are in tests/test_faults.py.


@pytest.fixture
def model():
    import keras

    made = keras.Sequential([keras.Input((2,)), keras.layers.Dense(3)])
    made.set_weights([np.arange(6.0).reshape(2, 3), np.ones(3)])
    return made


def test_a_saved_model_is_keras_own_and_replaces_the_old_one(model, tmp_path):
    import keras

    (tmp_path / "model.keras").write_text("old")
    save_model(model, str(tmp_path / "model.keras"))
    assert os.listdir(tmp_path) == ["model.keras"]
    loaded = keras.models.load_model(tmp_path / "model.keras")
    for array, expected in zip(loaded.get_weights(), model.get_weights(), strict=True):
        assert array.tolist() == expected.tolist()


@pytest.mark.parametrize(
    ("wrong", "path", "kind", "message"),
    [
        ("a model", "model.keras", TypeError, r"must be a keras\.Model, got str"),
        (None, "model.h5", ValueError, r"must end in \.keras, got .*model\.h5"),
        (None, "no/model.keras", FileNotFoundError, r"could not write .*model\.keras.*create it"),
    ],
)
def test_save_model_refuses(model, tmp_path, wrong, path, kind, message):
    with pytest.raises(kind, match=message):
        save_model(wrong or model, tmp_path / path)
    assert os.listdir(tmp_path) == []


def test_an_interrupted_save_keeps_the_old_model(model, tmp_path, monkeypatch):
    (tmp_path / "model.keras").write_text("old")

    def half(path):
        path.write_text("half")
        raise KeyboardInterrupt

    monkeypatch.setattr(model, "save", half)
    with pytest.raises(KeyboardInterrupt):
        save_model(model, tmp_path / "model.keras")
    assert os.listdir(tmp_path) == ["model.keras"]
    assert (tmp_path / "model.keras").read_text() == "old"


# Checksums.


@pytest.mark.parametrize("content", NIST)
def test_sha256_of_known_texts(tmp_path, content):
    (tmp_path / "file").write_bytes(content)
    assert sha256(tmp_path / "file") == NIST[content]
    check_sha256(tmp_path / "file", NIST[content].upper())


def test_sha256_of_more_than_one_block(tmp_path):
    content = bytes(range(256)) * 5_000
    (tmp_path / "file").write_bytes(content)
    assert sha256(str(tmp_path / "file")) == hashlib.sha256(content).hexdigest()


def test_check_names_file_found_expected_and_advice(tmp_path):
    (tmp_path / "letters.txt").write_bytes(b"abd")
    with pytest.raises(ValueError, match=r"letters\.txt .*truncated or altered") as caught:
        check_sha256(tmp_path / "letters.txt", NIST[b"abc"], "Ask for it.")
    for part in (hashlib.sha256(b"abd").hexdigest(), NIST[b"abc"], "Ask for it."):
        assert part in str(caught.value)


# Downloads.

CONTENT = bytes(range(256)) * 2_000  # 512,000 bytes


class Handler(BaseHTTPRequestHandler):
    """Answers well or badly, by the path that is asked for."""

    def do_GET(self):
        behavior = self.path.strip("/")
        self.server.asked.append(behavior)
        if behavior == "silent":
            self.server.over.wait(30)
        elif behavior == "missing":
            self.send_error(404)
        elif behavior == "moved":
            self.send_response(302)
            self.send_header("Location", "/good")
            self.end_headers()
        else:
            self.send_response(200)
            if behavior != "breaks_unannounced":
                self.send_header("Content-Length", str(len(CONTENT)))
            self.end_headers()
            self.send_body(behavior)

    def send_body(self, behavior):
        if behavior == "slow":
            for start in range(0, len(CONTENT), 10_000):
                self.wfile.write(CONTENT[start : start + 10_000])
                if self.server.over.wait(0.2):
                    return
        elif behavior == "stalls":
            self.wfile.write(CONTENT[:100_000])
            self.server.over.wait(30)
        elif behavior == "wrong":
            self.wfile.write(CONTENT[::-1])
        elif behavior.startswith("breaks"):
            self.wfile.write(CONTENT[:100_000])
        else:
            self.wfile.write(CONTENT)

    def log_message(self, *_):
        pass


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_):
        pass  # a client that gives up is what these tests are about


@pytest.fixture
def server(monkeypatch):
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    with Server(("127.0.0.1", 0), Handler) as server:
        server.asked, server.over = [], threading.Event()
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        yield server
        server.over.set()
        server.shutdown()
        thread.join()


def remote_at(port, behavior="good"):
    return Remote(
        name="corpus.bin",
        url=f"http://127.0.0.1:{port}/{behavior}",
        size=len(CONTENT),
        sha256=hashlib.sha256(CONTENT).hexdigest(),
        variable="LMKIT_TEST_CORPUS",
    )


def assert_next_try_works(server, cache):
    assert [*cache.iterdir()] == []
    path = download(remote_at(server.server_port), cache)
    assert path.read_bytes() == CONTENT
    assert os.listdir(cache) == ["corpus.bin"]


@pytest.mark.parametrize("behavior", ["good", "moved"])
def test_download_prints_one_plain_line(server, tmp_path, capsys, behavior):
    remote = remote_at(server.server_port, behavior)
    path = download(remote, tmp_path / "new" / "cache")
    assert path.read_bytes() == CONTENT
    assert os.listdir(tmp_path / "new" / "cache") == ["corpus.bin"]
    assert capsys.readouterr().out == f"Downloading corpus.bin (1 MB) from {remote.url}\n"


@pytest.mark.parametrize(
    ("behavior", "kind", "reason"),
    [
        ("silent", OSError, "timed out"),
        ("stalls", OSError, "timed out"),
        ("breaks", ValueError, "100,000 bytes came .* expected 512,000 bytes"),
        ("breaks_unannounced", ValueError, "100,000 bytes came .* expected 512,000 bytes"),
        ("wrong", ValueError, "512,000 bytes came with SHA-256"),
        ("missing", OSError, "404: Not Found"),
    ],
)
def test_a_failed_download_leaves_nothing(server, tmp_path, behavior, kind, reason):
    remote = remote_at(server.server_port, behavior)
    with pytest.raises(kind, match=reason) as caught:
        download(remote, tmp_path, timeout=0.5)
    for part in (remote.url, "path=", "LMKIT_TEST_CORPUS", "LMKIT_CACHE"):
        assert part in str(caught.value)
    assert_next_try_works(server, tmp_path)


def test_a_slow_download_meets_the_deadline(server, tmp_path):
    start = time.monotonic()
    with pytest.raises(OSError, match="not complete after 1 seconds"):
        download(remote_at(server.server_port, "slow"), tmp_path, timeout=5, deadline=1)
    assert time.monotonic() - start < 5  # all of it would take ten
    assert_next_try_works(server, tmp_path)


def test_a_refused_connection(server, tmp_path):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(OSError, match=r"127\.0\.0\.1.*refused"):
        download(remote_at(port), tmp_path)
    assert_next_try_works(server, tmp_path)


@pytest.mark.parametrize("problem", [OSError(errno.ENOSPC, "No space left"), KeyboardInterrupt()])
def test_a_full_disk_or_an_interrupt_leaves_nothing(server, tmp_path, monkeypatch, problem):
    class Full(io.FileIO):
        def write(self, data):
            super().write(data[:100])
            raise problem

    kind, message = type(problem), "No space left" if problem.args else None
    with monkeypatch.context() as patch, pytest.raises(kind, match=message):
        patch.setattr(files, "open", Full, raising=False)
        download(remote_at(server.server_port), tmp_path)
    assert_next_try_works(server, tmp_path)


def test_a_cache_that_cannot_be_made(server, tmp_path):
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(OSError, match="LMKIT_CACHE"):
        download(remote_at(server.server_port), tmp_path / "file" / "cache")
    assert (tmp_path / "file").read_text() == "not a folder"


# Where a public file is found.


@pytest.fixture
def places(tmp_path, monkeypatch):
    monkeypatch.setenv("LMKIT_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("LMKIT_TEST_CORPUS", raising=False)
    for name in ("given", "named"):
        (tmp_path / name).write_text(name)
    return tmp_path


def test_locate_goes_path_then_variable_then_cache_then_web(server, places, monkeypatch):
    remote = remote_at(server.server_port)
    cached = places / "cache" / "corpus.bin"
    assert locate(remote) == cached and server.asked == ["good"]
    assert locate(remote) == cached and server.asked == ["good"]
    monkeypatch.setenv("LMKIT_TEST_CORPUS", str(places / "named"))
    assert locate(remote) == places / "named"
    assert locate(remote, str(places / "given")) == places / "given"
    monkeypatch.setenv("LMKIT_TEST_CORPUS", "")
    assert locate(remote) == cached and server.asked == ["good"]


def test_a_damaged_cache_is_fetched_again(server, places):
    remote = remote_at(server.server_port)
    locate(remote).write_bytes(CONTENT[:-1])
    assert locate(remote).read_bytes() == CONTENT
    assert server.asked == ["good", "good"]


def test_the_default_cache_is_in_the_home_folder(places, monkeypatch):
    monkeypatch.delenv("LMKIT_CACHE")
    monkeypatch.setenv("HOME", str(places))
    monkeypatch.setenv("USERPROFILE", str(places))
    kept = places / ".cache" / "lmkit" / "corpus.bin"
    kept.parent.mkdir(parents=True)
    kept.write_bytes(CONTENT)
    assert locate(remote_at(1)) == kept
    assert locate(remote_at(1), "~/given") == places / "given"


def test_locate_says_which_name_leads_nowhere(places, monkeypatch):
    with pytest.raises(FileNotFoundError, match=r"path names .*nothing, which does not exist"):
        locate(remote_at(1), places / "nothing")
    monkeypatch.setenv("LMKIT_TEST_CORPUS", str(places / "nothing"))
    with pytest.raises(FileNotFoundError, match=r"variable LMKIT_TEST_CORPUS names .*nothing"):
        locate(remote_at(1))
