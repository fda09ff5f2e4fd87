"""Files that are complete or not there: atomic writing, SHA-256 checksums, downloads."""

import errno
import hashlib
import os
import secrets
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

_ADVICE = {
    errno.ENOSPC: "The disk is full: free some space and try again.",
    errno.EDQUOT: "Your disk quota is used up: free some space and try again.",
    errno.EACCES: "You may not write there: choose a folder of your own.",
    errno.EPERM: "You may not write there: choose a folder of your own.",
    errno.EROFS: "That folder is read-only: choose another one.",
    errno.ENOENT: "The folder does not exist: create it first.",
}


def write_atomic(path, data):
    """Writes a file so that a reader sees all of the old content or all of the new.

    Args:
        path: where to write; the folder must exist. An existing file is replaced.
        data: the content; text is stored as UTF-8 with its line endings as they are.

    Raises: OSError if writing fails; an older file stays as it was, and nothing is left over.

    Example:
        >>> write_atomic("results.json", '{"loss": 1.25}')
    """
    if not isinstance(data, str | bytes):
        raise TypeError(f"data must be str or bytes, got {type(data).__name__}")
    content = data.encode("utf-8") if isinstance(data, str) else data
    with _explained(path), _replacing(path) as temporary, open(temporary, "wb") as file:
        file.write(content)


def save_model(model, path):
    """Saves a model like `model.save`, but keeps the older file until the new one is complete.

    Args:
        model: a `keras.Model`.
        path: where to save it; ends in `.keras`, and its folder must exist, with room for both.

    Raises: OSError if saving fails; an older model stays as it was, and nothing is left over.

    Example:
        >>> save_model(model, "model.keras")
    """
    import keras  # here, because reading a local file should not wait for Keras

    if not isinstance(model, keras.Model):
        raise TypeError(f"model must be a keras.Model, got {type(model).__name__}")
    if Path(path).suffix != ".keras":
        raise ValueError(f"a model's path must end in .keras, got {path}")
    with _explained(path), _replacing(path) as temporary:
        model.save(temporary)


@contextmanager
def _replacing(path):
    """Yields the path of a file to write, which takes the place of `path` when it is complete."""
    path = Path(path)
    # In the same folder, because os.replace is atomic only within one file system. Not one of
    # tempfile's, which only their owner may read. Keras wants the suffix.
    temporary = path.with_name(f".{secrets.token_hex(8)}.tmp{path.suffix}")
    try:
        yield temporary
        # On the disk before the name points to it: a power cut may come between the two.
        with open(temporary, "rb+") as file:
            os.fsync(file.fileno())
        os.replace(temporary, path)
    finally:
        with suppress(OSError):  # there is none after os.replace
            temporary.unlink()


@contextmanager
def _explained(path):
    """Names the path that was meant, and what to do; the temporary one tells a reader nothing."""
    try:
        yield
    except OSError as error:
        advice = _ADVICE.get(error.errno, "Choose another place and try again.")
        what = f"could not write {path}: {error.strerror or error}. {advice}"
        # The number decides which subclass this makes: FileNotFoundError, PermissionError.
        number = error.errno or errno.EIO
        raise OSError(number, f"{what} An older file there is unchanged.") from error


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
    """A file on the web: its name in the cache, how to recognize it, how to replace it."""

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
    # Read again every time: a disk may fail, and another program may have written there.
    if kept.is_file() and sha256(kept) == remote.sha256:
        return kept
    return download(remote, cache)


def download(remote, cache, timeout=30, deadline=1800):
    """Downloads a file into a folder, so that the folder holds it complete or not at all.

    Args:
        remote: the file.
        cache: the folder; it is created if it is missing.
        timeout: seconds to wait for a server that is silent.
        deadline: seconds for everything, looked at for every 8 KB that arrive.

    Returns:
        The path in the folder.

    Raises: ValueError for other content, OSError if server or disk refuse, or are too slow.

    Example:
        >>> file = download(TINY_SHAKESPEARE, Path("cache"))
    """
    # keras.utils.get_file waits forever and writes under the final name.
    from urllib.request import urlopen  # here, because a local file needs no network

    print(f"Downloading {remote.name} ({remote.size / 1e6:.0f} MB) from {remote.url}")
    end = time.monotonic() + deadline
    try:
        cache.mkdir(parents=True, exist_ok=True)
        with _replacing(cache / remote.name) as part:
            with urlopen(remote.url, timeout=timeout) as answer, open(part, "wb") as file:
                while block := answer.read(1 << 13):
                    file.write(block)
                    # The timeout is for silence alone: a server may be slow for hours.
                    if time.monotonic() > end:
                        raise TimeoutError(f"not complete after {deadline:g} seconds")
            if (found := sha256(part)) != remote.sha256:
                raise ValueError(
                    f"{part.stat().st_size:,} bytes came with SHA-256 {found}, expected "
                    f"{remote.size:,} bytes with {remote.sha256}"
                )
    except Exception as error:  # the disk's, the server's, and those of the protocol
        kind = ValueError if isinstance(error, ValueError) else OSError
        raise kind(
            f"could not download {remote.url} into {cache}: {error or type(error).__name__}. "
            "Nothing half-written was kept. Try again, or fetch the file by hand and give its "
            f"place as path=... or in the environment variable {remote.variable} (another cache "
            "folder: LMKIT_CACHE)."
        ) from error
    return cache / remote.name
