"""Checkpoints as files: one line with a checksum, then an .npz that holds no pickles."""

import hashlib
import io
import json
import os
import warnings
import zipfile
from pathlib import Path

import numpy as np

from lmkit.files import write_atomic

_FORMAT = "lmkit checkpoint 1"
_KEPT = 2  # the last one may be damaged


class CheckpointFolder:
    """The checkpoints of one run.

    Args:
        folder: where they are; it is made if it is missing.
        identity: which run it is, a dictionary of texts.
    """

    def __init__(self, folder, identity):
        if not isinstance(folder, str | os.PathLike) or not os.fspath(folder):
            raise ValueError(f"backup_dir must be the path of a folder, got {folder!r}")
        self.path, self.identity = Path(folder), identity
        if self.path.exists() and not self.path.is_dir():
            raise ValueError(f"backup_dir must be a folder, {folder} is a file")
        self.path.mkdir(parents=True, exist_ok=True)
        for half in self.path.glob(".*.tmp"):  # left by write_atomic when it was killed
            half.unlink()

    def save(self, position, state):
        """Writes a checkpoint and removes all but the last two.

        Args:
            position: the number of batches so far.
            state: what `pack` takes.
        """
        path = self.path / f"{position:012}.checkpoint"
        write_atomic(path, pack({"identity": self.identity, "state": state}))
        for old in self._files()[:-_KEPT]:
            old.unlink()

    def load(self):
        """Reads the last whole checkpoint; warns of a damaged one and removes it.

        Returns:
            What `save` was given, or None where there is no checkpoint.

        Raises: ValueError if it belongs to another run, or none is whole.
        """
        damaged = []
        for path in reversed(self._files()):
            try:
                found = unpack(path.read_bytes())
            except ValueError as error:
                damaged.append((path, error))
                continue
            self._compare(found["identity"])
            for other, error in damaged:
                warnings.warn(f"{other} {error}; {path.name} is used instead", stacklevel=4)
                other.unlink()
            return found["state"]
        if damaged:
            found = "; ".join(f"{path} {error}" for path, error in damaged)
            raise ValueError(f"no checkpoint is whole: {found}. Delete the folder to begin again")
        return None

    def _files(self):
        return sorted(self.path.glob("*.checkpoint"))

    def _compare(self, found):
        pairs = ((name, found.get(name), mine) for name, mine in self.identity.items())
        differ = [f"{name} {other}, not {mine}" for name, other, mine in pairs if other != mine]
        if differ:
            raise ValueError(
                f"{self.path} holds another run: {'; '.join(differ)}. Name another folder, or "
                "delete this one to begin again"
            )


def pack(value):
    """Makes the bytes of a checkpoint: a line with the checksum, then arrays, the first JSON.

    Args:
        value: a number, a text, None, an array, or lists, tuples and dictionaries of them.

    Returns:
        The bytes.

    Raises: TypeError if anything else is in it; the message says where.

    Example:
        >>> unpack(pack({"loss": [1.25, None]}))
        {'loss': [1.25, None]}
    """
    arrays, file = [], io.BytesIO()
    text = json.dumps(_encode(value, arrays, ""))
    # No objects are among them, so nothing is pickled. NumPy 2.1 would take
    # `allow_pickle=False` for one more array.
    np.savez(file, np.frombuffer(text.encode(), "uint8"), *arrays)
    content = file.getvalue()
    return _head(content) + b"\n" + content


def unpack(data):
    """Reads what `pack` was given.

    Args:
        data: the bytes.

    Returns:
        The value.

    Raises: ValueError if they are not whole; the message says why.

    Example:
        >>> unpack(pack((1, 2.5)))
        (1, 2.5)
    """
    head, _, content = data.partition(b"\n")
    if not data:
        raise ValueError("is empty")
    if not head.startswith(_FORMAT.encode()):
        raise ValueError(f"is damaged or no checkpoint: it does not begin with {_FORMAT!r}")
    if head != _head(content):
        raise ValueError(f"is damaged: its {len(content):,} bytes do not fit their checksum")
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as file:
            text, *arrays = (file[f"arr_{number}"] for number in range(len(file.files)))
        return _decode(json.loads(text.tobytes()), arrays)
    except (zipfile.BadZipFile, KeyError, IndexError, TypeError, EOFError, ValueError) as error:
        raise ValueError(f"is no checkpoint, though its checksum fits ({error})") from error


def _head(content):
    return f"{_FORMAT} {hashlib.sha256(content).hexdigest()}".encode()


def _encode(value, arrays, where):
    """Writes plain JSON: lists, tuples and dictionaries carry their kind, arrays a number."""
    if isinstance(value, np.ndarray | np.generic) and value.dtype.kind in "biufcUS":
        arrays.append(np.asarray(value))
        return {"array": len(arrays) - 1, "scalar": isinstance(value, np.generic)}
    if value is None or type(value) in (bool, int, float, str):
        return value
    if type(value) in (list, tuple):
        items = [_encode(item, arrays, f"{where}[{n}]") for n, item in enumerate(value)]
        return {type(value).__name__: items}
    if isinstance(value, dict):
        pairs = value.items()
        coded = [[_encode(k, arrays, where), _encode(v, arrays, f"{where}/{k}")] for k, v in pairs]
        return {"dict": coded}
    raise TypeError(f"cannot keep {where[1:]}: {type(value).__name__}")


def _decode(value, arrays):
    if not isinstance(value, dict):
        return value
    if "array" in value:
        array = arrays[value["array"]]
        return array[()] if value["scalar"] else array
    ((kind, items),) = value.items()
    if kind == "dict":
        return {_decode(key, arrays): _decode(item, arrays) for key, item in items}
    return {"list": list, "tuple": tuple}[kind](_decode(item, arrays) for item in items)
