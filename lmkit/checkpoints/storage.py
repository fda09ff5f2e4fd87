"""Checkpoints as files: one line with a checksum, then an .npz that holds no pickles."""

import hashlib
import io
import json
import os
import warnings
from pathlib import Path

import numpy as np

from lmkit.files import write_atomic

_FORMAT = "lmkit checkpoint 2"
_KEPT = 2  # the newest one may be damaged


class CheckpointFolder:
    """The checkpoints of one run.

    Args:
        folder: where they are; it is created if it is missing.
        identity: which run it is, a dictionary of texts.
    """

    def __init__(self, folder, identity):
        # An empty text would be the working directory, which holds other things.
        if not isinstance(folder, str | os.PathLike) or not os.fspath(folder):
            raise ValueError(f"backup_dir must be the path of a folder, got {folder!r}")
        self.path, self.identity = Path(folder), identity
        if self.path.is_file():
            raise ValueError(f"backup_dir must be a folder, {folder} is a file")
        self.path.mkdir(parents=True, exist_ok=True)
        # What write_atomic leaves when it is killed, and only that: the folder is the reader's.
        for part in self.path.glob(f".{'[0-9a-f]' * 16}.tmp*"):
            part.unlink()

    def save(self, position, state):
        """Writes a checkpoint and removes all but the newest two.

        Args:
            position: the number of batches so far.
            state: what `pack` takes.
        """
        path = self.path / f"{position:012}.checkpoint"
        write_atomic(path, pack({"identity": self.identity, "state": state}))
        for old in self._files()[:-_KEPT]:
            old.unlink()

    def load(self):
        """Reads the newest undamaged checkpoint; warns of a damaged one and removes it.

        Returns:
            What `save` was given, or None if there is no checkpoint.

        Raises: ValueError if it belongs to another run, or if all of them are damaged.
        """
        damaged = {}
        for path in reversed(self._files()):
            try:
                found = unpack(path.read_bytes())
            except ValueError as error:
                damaged[path] = f"{path} {error}"
                continue
            self._compare(found["identity"])
            for other, reason in damaged.items():
                # Four levels up is the reader's own line, the call of fit_with_backup.
                warnings.warn(f"{reason}; {path.name} is used instead", stacklevel=4)
                other.unlink()  # or it would count as one of the two that are kept
            return found["state"]
        if damaged:
            reasons = "; ".join(damaged.values())
            raise ValueError(
                f"no checkpoint is complete: {reasons}. Delete the folder to start over"
            )
        return None

    def _files(self):
        return sorted(self.path.glob(f"{'[0-9]' * 12}.checkpoint"))

    def _compare(self, found):
        pairs = ((name, found.get(name), mine) for name, mine in self.identity.items())
        # Every difference, so that the reader sees at once what to change back.
        differ = [f"{name} {other}, not {mine}" for name, other, mine in pairs if other != mine]
        if differ:
            raise ValueError(
                f"{self.path} holds another run: {'; '.join(differ)}. Name another folder, or "
                "delete this one to start over"
            )


def pack(value):
    """Makes the bytes of a checkpoint: a line with the checksum, then arrays, the first JSON.

    Args:
        value: a number, a text, None, an array, or lists, tuples and dictionaries of them.

    Returns:
        The bytes, the same ones for the same value.

    Raises: TypeError for anything else in it; the message says where.

    Example:
        >>> unpack(pack({"loss": [1.25, None]}))
        {'loss': [1.25, None]}
    """
    arrays, file = [], io.BytesIO()
    text = json.dumps(_encode(value, arrays, ""))
    # Nothing is pickled, because no array holds objects. (NumPy 2.1 would take
    # `allow_pickle=False` for the name of another array.)
    np.savez(file, np.frombuffer(text.encode(), "uint8"), *arrays)
    content = file.getvalue()
    return _head(content) + b"\n" + content


def unpack(data):
    """Reads what `pack` was given.

    Args:
        data: the bytes.

    Returns:
        The value.

    Raises: ValueError if they are damaged; the message says how.

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
            text, *arrays = (file[name] for name in file.files)
        return json.loads(text.tobytes(), object_hook=lambda coded: _decode(coded, arrays))
    except Exception as error:  # a file made on purpose can go wrong in every way
        raise ValueError(f"is no checkpoint, though its checksum fits ({error})") from error


def _head(content):
    return f"{_FORMAT} {hashlib.sha256(content).hexdigest()}".encode()


def _encode(value, arrays, where):
    """Writes what JSON does not know as a dictionary with one key, which says what it is."""
    if getattr(value, "dtype", None) == "bfloat16":
        value = value.astype("float32")  # a type that .npz does not know; every value is kept
    if isinstance(value, np.ndarray | np.generic) and value.dtype.kind in "biufcUS":
        arrays.append(value)  # its number is its place in the .npz
        return {"array" if isinstance(value, np.ndarray) else "scalar": len(arrays) - 1}
    if value is None or type(value) in (bool, int, float, str):
        return value
    if type(value) in (list, tuple):
        items = [_encode(item, arrays, f"{where}[{n}]") for n, item in enumerate(value)]
        return items if type(value) is list else {"tuple": items}
    if type(value) is dict:  # as pairs, because JSON would turn its keys into texts
        pairs = value.items()
        return {
            "dict": [
                [_encode(k, arrays, where), _encode(v, arrays, f"{where}/{k}")] for k, v in pairs
            ]
        }
    raise TypeError(f"{where[1:]} ({type(value).__name__}) cannot be stored")


def _decode(coded, arrays):
    ((kind, content),) = coded.items()
    if kind in ("array", "scalar"):
        return arrays[content] if kind == "array" else arrays[content][()]
    return {"tuple": tuple, "dict": dict}[kind](content)
