"""Files that are whole or not there: atomic writing, SHA-256 checks, downloads."""

import errno
import hashlib
import io
import os
import secrets
import time
from contextlib import contextmanager, redirect_stdout, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

_ADVICE = {
    errno.ENOSPC: "The disk is full: free some space and try again.",
    errno.EDQUOT: "Your disk quota is used up: free some space and try again.",
    errno.EACCES: "You may not write there: choose a folder that is yours.",
    errno.EPERM: "You may not write there: choose a folder that is yours.",
    errno.EROFS: "That folder is read-only: choose another one.",
    errno.ENOENT: "The folder does not exist: create it first.",
}


def write_atomic(path, data):
    """Writes a file so that a reader sees the old content or the new one, never a half.

    Args:
        path: where to write; the folder must exist. An existing file is replaced.
        data: the content; text is stored as UTF-8 with its line endings as they are.

    Raises: OSError if writing fails: an older file stays as it was, nothing half-written remains.

    Example:
        >>> write_atomic("results.json", '{"loss": 1.25}')
    """
    if not isinstance(data, str | bytes):
        raise TypeError(f"data must be str or bytes, got {type(data).__name__}")
    content = data.encode("utf-8") if isinstance(data, str) else data
    path = Path(path)
    # The same folder, because os.replace is atomic only within one file system. A plain open
    # instead of tempfile, whose files only their owner may read.
    temporary = path.parent / f".{secrets.token_hex(8)}.tmp"
    try:
        with open(temporary, "xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())  # on the disk before the name points to it
        os.replace(temporary, path)
    except BaseException as error:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise _explained(error, path) from error
        raise


def _explained(error, path):
    """The same error with the path that was meant; OSError picks the subclass by the number."""
    advice = _ADVICE.get(error.errno, "Choose another place and try again.")
    reason = error.strerror or str(error)
    text = f"could not write {path}: {reason}. {advice} An older file there is unchanged."
    return OSError(error.errno or errno.EIO, text)


def save_model(model, path):
    """Saves a model like `model.save`, but the older file stays until the new one is whole.

    Args:
        model: a `keras.Model`.
        path: where to save it; ends in `.keras`, and its folder must exist. The folder needs
            room for both models, the memory for one more.

    Raises: OSError if saving fails: an older model stays as it was, nothing half-written remains.

    Example:
        >>> save_model(model, "model.keras")
    """
    import keras  # here, because reading a local file should not wait for Keras

    if not isinstance(model, keras.Model):
        raise TypeError(f"model must be a keras.Model, got {type(model).__name__}")
    path = Path(path)
    if path.suffix != ".keras":
        raise ValueError(f"a model's path must end in .keras, got {path}")
    try:
        with TemporaryDirectory(prefix=".saving-", dir=path.parent) as scratch:
            part = Path(scratch) / path.name
            model.save(part)
            content = part.read_bytes()
    except OSError as error:
        raise _explained(error, path) from error
    write_atomic(path, content)


def sha256(path):
    """Computes the SHA-256 checksum of a file: 64 hexadecimal digits in lower case.

    Args:
        path: the file.

    Example:
        >>> sha256("empty.txt")
        'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'
    """
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def check_sha256(path, expected, advice="Fetch the file again."):
    """Refuses a file whose SHA-256 checksum is not the expected one.

    Args:
        path: the file.
        expected: 64 hexadecimal digits.
        advice: what the reader of the message should do about it.

    Raises: ValueError if the checksum differs; the message names file, found and expected.

    Example:
        >>> check_sha256("empty.txt", "e3b0c44298fc1c149afbf4c8996fb924"
        ...                           "27ae41e4649b934ca495991b7852b855")
    """
    found = sha256(path)
    if found != expected.lower():
        raise ValueError(
            f"{path} is not the expected file (truncated or altered): its SHA-256 is {found}, "
            f"expected {expected}. {advice}"
        )


class Remote(NamedTuple):
    """A file on the web: its name in the cache, how to recognise it, how to replace it."""

    name: str
    url: str
    size: int  # bytes
    sha256: str
    variable: str  # the environment variable that may name a local copy


def locate(remote, path=None):
    """Finds a public file: a local copy if one is named, else the cache, else a download.

    Args:
        remote: the file.
        path: a local copy, file or folder, which is returned unread. Without it: the one that
            the environment variable `remote.variable` names, else the cache (LMKIT_CACHE, by
            default `~/.cache/lmkit`), else a download into the cache.

    Returns:
        Where the file is; in the cache it was verified.

    Raises: FileNotFoundError for a local copy that is not there, OSError if the download fails.

    Example:
        >>> file = locate(TINY_SHAKESPEARE)
    """
    given = path or os.environ.get(remote.variable)
    if given:
        local = Path(given).expanduser()
        if not local.exists():
            source = "path" if path else f"the environment variable {remote.variable}"
            raise FileNotFoundError(f"{source} names {local}, which does not exist")
        return local
    cache = Path(os.environ.get("LMKIT_CACHE") or "~/.cache/lmkit").expanduser()
    kept = cache / remote.name
    if kept.is_file() and sha256(kept) == remote.sha256:
        return kept
    return download(remote, cache)


def download(remote, cache, timeout=30, deadline=1800):
    """Fetches a file with `keras.utils.get_file`, so that the cache holds it whole or not at all.

    Args:
        remote: the file.
        cache: the folder to put it into.
        timeout: seconds to wait for a server that is silent.
        deadline: seconds for everything, seen at every 8 KB that arrive.

    Returns:
        The path in the cache.

    Raises: ValueError for other content, OSError if server or disk refuse, or are too slow.

    Example:
        >>> file = download(TINY_SHAKESPEARE, Path("cache"))
    """
    import keras  # here, because reading a local file should not wait for Keras

    print(f"Downloading {remote.name} ({remote.size / 1e6:.0f} MB) from {remote.url}")
    try:
        cache.mkdir(parents=True, exist_ok=True)
        # get_file writes to the final name and leaves a wrong file there, hence the scratch folder.
        with TemporaryDirectory(prefix="download-", dir=cache) as scratch:
            with _socket_timeout(timeout), redirect_stdout(_QuietUntil(deadline)):
                part = keras.utils.get_file(
                    remote.name, remote.url, cache_dir=scratch, cache_subdir=""
                )
            if sha256(part) != remote.sha256:
                raise ValueError(
                    f"{os.path.getsize(part):,} bytes came with SHA-256 {sha256(part)}, expected "
                    f"{remote.size:,} bytes with {remote.sha256}"
                )
            os.replace(part, cache / remote.name)
    except Exception as error:  # get_file raises bare Exceptions
        kind = ValueError if isinstance(error, ValueError) else OSError
        raise kind(
            f"could not download {remote.url} into {cache}: {error or type(error).__name__}. "
            "Nothing half-written was kept. Try again, or fetch the file by hand and give its "
            f"place as path=... or in the environment variable {remote.variable} (another cache "
            "folder: LMKIT_CACHE)."
        ) from error
    return cache / remote.name


@contextmanager
def _socket_timeout(seconds):
    # get_file has no timeout of its own; this one holds for every wait for the server.
    import socket

    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(seconds)
    try:
        yield
    finally:
        socket.setdefaulttimeout(before)


class _QuietUntil(io.StringIO):
    """Takes Keras's progress bar in place of the screen and, at each step of it, sees the time.

    The bar moves with every 8 KB, so this ends a download that is slow but never silent.
    """

    def __init__(self, seconds):
        super().__init__()
        self.seconds, self.start = seconds, time.monotonic()

    def write(self, text):
        if time.monotonic() - self.start > self.seconds:
            raise TimeoutError(f"not complete after {self.seconds:g} seconds")
        return len(text)
