"""The course's texts: shipped reviews, Python's own documentation, IMDB, tiny Shakespeare."""

import csv
import gzip
import importlib
import json
import platform
import re
import tarfile
import zlib
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import NamedTuple

import numpy as np

from lmkit.files import Remote, check_sha256, locate


class ReviewPair(NamedTuple):
    """Two reviews that differ only where the opinion turns."""

    kind: str
    positive: str
    negative: str


IMDB = Remote(
    name="aclImdb_v1.tar.gz",
    url="https://ai.stanford.edu/~amaas/data/sentiment/aclImdb_v1.tar.gz",
    size=84_125_825,
    sha256="c40f74a18d3b61f90feba1e17730e0d38e8b97c05fde7008942e91923d1658fe",
    variable="LMKIT_IMDB",
)
TINY_SHAKESPEARE = Remote(
    name="tinyshakespeare.txt",
    url="https://raw.githubusercontent.com/karpathy/char-rnn/master/data/tinyshakespeare/input.txt",
    size=1_115_394,
    sha256="86c4e6aa9db7c042ec79f339dcb96d42b0075e16b8fc2e86bf0ca57e2dc565ed",
    variable="LMKIT_SHAKESPEARE",
)


def load_reviews(split, folder=None):
    """Load the film reviews that ship with the course.

    Args:
        split: `"train"`, `"validation"` or `"test"`.
        folder: a folder with other files of the same form; by default the shipped one.

    Returns:
        The texts, and their labels as an int32 array of shape `(reviews,)`: 1 is positive.

    Raises:
        ValueError: for an unknown split, an altered file, or a row that is not `label,text`.
        FileNotFoundError: if the files are missing.

    Example:
        >>> texts, labels = load_reviews("train")

    Source: `data/reviews/README.md`
    """
    _check_split(split, ("train", "validation", "test"))
    texts, labels = [], []
    for line, (label, text) in _read_rows(f"{split}.csv", ("label", "text"), folder):
        if label not in ("0", "1"):
            raise ValueError(f"{split}.csv, line {line}: the label must be 0 or 1, got {label!r}")
        labels.append(int(label))
        texts.append(text)
    return texts, np.array(labels, dtype=np.int32)


def load_review_pairs(folder=None):
    """Load the pairs of reviews that nearly agree in words and differ in opinion.

    Args:
        folder: a folder with other files of the same form; by default the shipped one.

    Returns:
        A list of `ReviewPair(kind, positive, negative)`.

    Raises:
        ValueError: for an altered file or a row that is not `kind,positive,negative`.
        FileNotFoundError: if the files are missing.

    Example:
        >>> kinds = {pair.kind for pair in load_review_pairs()}

    Source: `data/reviews/README.md`
    """
    rows = _read_rows("pairs.csv", ReviewPair._fields, folder)
    return [ReviewPair(*row) for _, row in rows]


def load_imdb(split, path=None):
    """Load 25,000 IMDB film reviews: 12,500 negative ones, then 12,500 positive ones.

    The texts are as published, `<br />` tags included. Shuffle before training.

    Args:
        split: `"train"` or `"test"`.
        path: the extracted folder `aclImdb`, or the `.tar.gz` file. Without it: the
            environment variable LMKIT_IMDB, else the cache, else a download (84 MB).

    Returns:
        The texts, by label and number, and their int32 labels of shape `(25000,)`.

    Raises:
        ValueError: for an unknown split, an incomplete or unreadable copy, a wrong download.
        FileNotFoundError: if the given path does not exist.
        OSError: if the download fails.

    Example:
        >>> texts, labels = load_imdb("train", path="aclImdb_v1.tar.gz")

    Source: Maas et al. (2011), Learning Word Vectors for Sentiment Analysis.
    """
    _check_split(split, ("train", "test"))
    return _read_imdb(locate(IMDB, path), split, per_label=12_500)


def load_tiny_shakespeare(path=None):
    """Load tiny Shakespeare: 1,115,394 characters of his plays.

    Args:
        path: a local copy. Without it: the environment variable LMKIT_SHAKESPEARE, else the
            cache, else a download (1 MB).

    Returns:
        The text.

    Raises:
        ValueError: if the file is not exactly the published one.
        FileNotFoundError: if the given path does not exist.
        OSError: if the download fails.

    Example:
        >>> load_tiny_shakespeare()[:14]
        'First Citizen:'

    Source: Karpathy (2015), char-rnn.
    """
    file = locate(TINY_SHAKESPEARE, path)
    if file.is_dir():
        raise ValueError(f"{file} is a folder; path must name the text file itself")
    advice = f"An editor or git may have rewritten its line endings; see {TINY_SHAKESPEARE.url}"
    check_sha256(file, TINY_SHAKESPEARE.sha256, advice)
    return file.read_bytes().decode("utf-8")


def load_python_docs():
    """Load the texts behind Python's `help()`: technical English that every Python carries.

    They differ a little between versions (465,000 characters in 3.11, 511,000 in 3.13), so
    print `platform.python_version()` beside any number that rests on them.

    Returns:
        The topics in alphabetical order of their names, one blank line between two.

    Raises:
        ImportError: if this Python came without them.

    Example:
        >>> load_python_docs().startswith('The "assert" statement')
        True

    Source: `pydoc_data.topics` in the standard library.
    """
    try:
        topics = importlib.import_module("pydoc_data.topics").topics
    except (ImportError, AttributeError) as error:
        raise ImportError(
            f"Python {platform.python_version()} came without pydoc_data.topics (some Linux "
            "packages leave it out); use Python from python.org, conda or Colab"
        ) from error
    return "\n\n".join(topics[name].strip("\n") for name in sorted(topics)) + "\n"


def load_results(name, folder=None):
    """Load what a script of `chapters/experiments` measured over several seeds.

    Args:
        name: the file's name without its ending, such as `"01_rnn_classifier"`.
        folder: where the files are; by default the shipped ones.

    Returns:
        The JSON file's content, a dictionary.

    Raises:
        FileNotFoundError: if there are no such results; the message lists those that are.
        ValueError: if the file is not JSON.

    Example:
        >>> results = load_results("01_rnn_classifier")
    """
    file = results_file(f"{name}.json", folder)
    try:
        return json.loads(file.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise ValueError(
            f"{file} is not JSON (truncated or altered): {error}; fetch it again"
        ) from None


def results_file(name, folder=None):
    """Find a file that a script of `chapters/experiments` wrote, such as a model's weights.

    Args:
        name: the file's name, such as `"02_lstm.weights.h5"`.
        folder: where the files are; by default the shipped ones.

    Returns:
        Its `Path`.

    Raises:
        FileNotFoundError: if there is no such file; the message lists those that are.

    Example:
        >>> results_file("01_rnn_classifier.json").name
        '01_rnn_classifier.json'
    """
    folder = Path(folder) if folder else _shipped_folder("results", "chapters/results")
    file = folder / name
    if not file.is_file():
        # Names with the same ending: weights among weights, numbers among numbers.
        alike = (path for path in folder.glob(f"*{file.suffix}") if path.is_file())
        known = ", ".join(sorted(path.name for path in alike))
        raise FileNotFoundError(f"no results {name!r} in {folder}; there are: {known or 'none'}")
    return file


# Shipped files.


def _check_split(split, known):
    if split not in known:
        raise ValueError(f"split must be one of {', '.join(known)}; got {split!r}")


def _shipped_folder(in_wheel, in_checkout, package=Path(__file__).parent):
    """An installed wheel carries its files inside the package, a checkout beside it."""
    places = [package / in_wheel, package.parent / in_checkout]
    for place in places:
        if place.is_dir():
            return place
    raise FileNotFoundError(
        f"nothing shipped in {places[0]} or {places[1]}; install the course again"
    )


def _read_rows(name, columns, folder):
    """Check one CSV file and return its rows as `(line number, fields)`."""
    folder = Path(folder) if folder else _shipped_folder("data/reviews", "data/reviews")
    _check_listed(folder, name)
    # newline="": a line break inside quotes belongs to the text.
    with open(folder / name, encoding="utf-8", newline="") as file:
        reader = csv.reader(file, strict=True)
        try:
            rows = [(reader.line_num, row) for row in reader]
        except (csv.Error, UnicodeDecodeError) as error:
            raise ValueError(f"{name}, after line {reader.line_num}: {error}") from error
    if not rows or tuple(rows[0][1]) != columns:
        found = ",".join(rows[0][1]) if rows else "an empty file"
        raise ValueError(f"{name} must start with the line {','.join(columns)}; got {found}")
    for line, row in rows[1:]:
        if len(row) != len(columns) or not all(field.strip() for field in row):
            raise ValueError(f"{name}, line {line}: expected {','.join(columns)}; got {row}")
    return rows[1:]


def _check_listed(folder, name):
    """Compare a file with its line in SHA256SUMS (the form that `sha256sum` writes)."""
    sums = folder / "SHA256SUMS"
    for file in (sums, folder / name):
        if not file.is_file():
            raise FileNotFoundError(f"{file} is missing; it ships with the course: fetch it again")
    # A star before the name marks binary mode.
    pattern = re.compile(r"([0-9a-f]{64}) [ *](.+)")
    found = map(pattern.fullmatch, sums.read_text(encoding="utf-8", errors="replace").splitlines())
    listed = {match[2]: match[1] for match in found if match}
    if name not in listed:
        raise ValueError(f"{sums} does not list {name}; it lists {sorted(listed)}")
    advice = "Fetch it again; on Windows, git may have rewritten the line endings (LF is right)."
    check_sha256(folder / name, listed[name], advice)


# IMDB.


def _read_imdb(path, split, per_label):
    """Read one split; `per_label` is how many reviews each label must have."""
    found = {"neg": {}, "pos": {}}
    # 200_8.txt is review 200 with 8 stars. Other names (.DS_Store, vocabularies) are passed over.
    form = re.compile(rf"(?:\./)?(?:[^/]+/)?{split}/(neg|pos)/(\d+)_\d+\.txt")
    read = _folder_members if path.is_dir() else _tarball_members
    for name, data in read(path, form):
        label, number = form.fullmatch(name).groups()
        if int(number) in found[label]:
            raise ValueError(f"{path} holds review {number} of {split}/{label} twice")
        try:
            found[label][int(number)] = data.decode("utf-8")
        except UnicodeDecodeError as error:
            raise ValueError(f"{path}: {name} is not UTF-8 text ({error})") from error
    counts = {label: len(reviews) for label, reviews in found.items()}
    if set(counts.values()) != {per_label}:
        raise ValueError(
            f"{path} is incomplete: {split}/neg and {split}/pos must hold {per_label:,} reviews "
            f"each (names like 200_8.txt), found {counts['neg']:,} and {counts['pos']:,}"
        )
    texts = [found[label][number] for label in ("neg", "pos") for number in sorted(found[label])]
    return texts, np.repeat(np.array([0, 1], dtype=np.int32), per_label)


def _folder_members(path, form):
    root = path / "aclImdb" if (path / "aclImdb").is_dir() else path
    for file in root.glob("*/*/*.txt"):
        name = file.relative_to(root).as_posix()
        if form.fullmatch(name):
            yield name, file.read_bytes()


def _tarball_members(path, form):
    # Members are read, never unpacked: no archive can write anywhere.
    decompress = open if path.suffix == ".tar" else gzip.open  # some browsers leave a .tar
    try:
        with decompress(path, "rb") as data, tarfile.open(fileobj=data, mode="r:") as archive:
            for member in archive:
                _refuse_unsafe(path, member)
                if form.fullmatch(member.name):
                    yield member.name, archive.extractfile(member).read()
            while data.read(1 << 20):
                pass  # gzip's checksum stands at the very end
    except (tarfile.TarError, gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise ValueError(
            f"{path} is neither a folder nor a whole .tar.gz archive ({error}); fetch it again "
            f"from {IMDB.url}"
        ) from error


def _refuse_unsafe(path, member):
    name = member.name
    if name.startswith(("/", "\\")) or PureWindowsPath(name).drive:
        raise ValueError(f"{path}: member {name!r} has an absolute path; this is not IMDB")
    if ".." in PurePosixPath(name.replace("\\", "/")).parts:
        raise ValueError(f"{path}: member {name!r} leaves the folder; this is not IMDB")
    if not (member.isfile() or member.isdir()):
        raise ValueError(f"{path}: member {name!r} is a link or a device; this is not IMDB")
