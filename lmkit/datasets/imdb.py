"""IMDB's film reviews: 25,000 to train with and as many to test with, loaded on request."""

import gzip
import re
import tarfile
import zlib

import numpy as np

from lmkit import _arguments
from lmkit.files import Remote, locate

IMDB = Remote(
    name="aclImdb_v1.tar.gz",
    url="https://ai.stanford.edu/~amaas/data/sentiment/aclImdb_v1.tar.gz",
    size=84_125_825,
    sha256="c40f74a18d3b61f90feba1e17730e0d38e8b97c05fde7008942e91923d1658fe",
    variable="LMKIT_IMDB",
)


def load_imdb(split, path=None):
    """Loads 25,000 IMDB film reviews, sorted by label: shuffle them before training.

    Args:
        split: `"train"` or `"test"`.
        path: the folder `aclImdb` or the `.tar.gz`; else LMKIT_IMDB, the cache, a download.

    Returns:
        The texts as published, and their int32 labels `(25000,)`; 1 is positive.

    Source: Maas et al., 2011.
    """
    _arguments.choice("split", split, ["train", "test"])
    return read_imdb(locate(IMDB, path), split, per_label=12_500)


def read_imdb(path, split, per_label):
    """Reads one split.

    Args:
        path: the folder or the archive.
        split: as for `load_imdb`.
        per_label: how many reviews each label must have; the tests read smaller corpora.

    Returns:
        As `load_imdb`.
    """
    found = {"neg": {}, "pos": {}}
    # 200_8.txt is review 200 with 8 stars. The rest is skipped: vocabularies, .DS_Store.
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
    # A damaged copy would otherwise be a smaller corpus, with other results.
    counts = {label: len(reviews) for label, reviews in found.items()}
    if set(counts.values()) != {per_label}:
        raise ValueError(
            f"{path} is incomplete: {split}/neg and {split}/pos must hold {per_label:,} reviews "
            f"each (names like 200_8.txt), found {counts['neg']:,} and {counts['pos']:,}"
        )
    # By number, because folders and archives list their files in any order.
    texts = [found[label][number] for label in ("neg", "pos") for number in sorted(found[label])]
    return texts, np.repeat(np.array([0, 1], dtype=np.int32), per_label)


def _folder_members(path, form):
    root = path / "aclImdb" if (path / "aclImdb").is_dir() else path
    for file in root.glob("*/*/*.txt"):
        name = file.relative_to(root).as_posix()  # the form that names in the archive have
        if form.fullmatch(name):
            yield name, file.read_bytes()


def _tarball_members(path, form):
    # The archive is read, never unpacked: whatever names it holds, it cannot write anywhere.
    decompress = open if path.suffix == ".tar" else gzip.open  # some browsers leave a .tar
    try:
        with decompress(path, "rb") as data, tarfile.open(fileobj=data, mode="r:") as archive:
            for member in archive:
                if not form.fullmatch(member.name):
                    continue
                if not member.isfile():  # a link could stand for another review
                    what = f"{member.name} is a link or a device"
                    raise ValueError(f"{path}: {what}; this is not IMDB")
                yield member.name, archive.extractfile(member).read()
            while data.read(1 << 20):
                pass  # to the very end, where gzip keeps its checksum
    except (tarfile.TarError, gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise ValueError(
            f"{path} is neither a folder nor a whole .tar.gz archive ({error}); fetch it again "
            f"from {IMDB.url}"
        ) from error
