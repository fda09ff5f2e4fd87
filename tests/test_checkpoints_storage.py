"""lmkit.checkpoints.storage: values come back with the same bits, damage is noticed."""

import hashlib
import io

import numpy as np
import pytest

from lmkit.checkpoints.storage import CheckpointFolder, pack, unpack

PLAIN = [
    None, True, -3, 10**30, 1.5, float("inf"), "文", [], (1, [2, (3,)]), {1: "a", "b": (None,)},
    {"list": [1]}, {"array": 0},
]  # fmt: skip
ARRAYS = [np.arange(3), np.zeros((2, 0), "float32"), np.array(True), np.float32(0.1), np.array("a")]


@pytest.mark.parametrize("value", PLAIN, ids=repr)
def test_plain_values_come_back(value):
    found = unpack(pack(value))
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize("value", ARRAYS, ids=repr)
def test_arrays_come_back(value):
    found = unpack(pack({"x": [value]}))["x"][0]
    assert (type(found), found.dtype, found.shape) == (type(value), value.dtype, value.shape)
    assert found.tobytes() == value.tobytes()


def test_every_flipped_bit_and_every_lost_byte_is_noticed():
    data = pack([1, np.arange(3)])
    for at in range(len(data)):
        flipped = bytearray(data)
        flipped[at] ^= 1 << at % 8
        for wrong in (bytes(flipped), data[:at]):
            with pytest.raises(ValueError, match=r"is (damaged|empty)"):
                unpack(wrong)
    with pytest.raises(ValueError, match="is damaged"):
        unpack(data + b"\0")


def test_nothing_is_unpickled():
    class Bomb:
        def __reduce__(self):
            return (pytest.fail, ("unpickled",))

    file = io.BytesIO()
    np.savez(file, np.array([Bomb()], dtype=object))
    content = file.getvalue()
    head = f"lmkit checkpoint 1 {hashlib.sha256(content).hexdigest()}\n".encode()
    with pytest.raises(ValueError, match="allow_pickle=False"):
        unpack(head + content)


@pytest.mark.parametrize("content", [b"", b"no zip", b"PK\x05\x06" + bytes(18)])
def test_a_right_checksum_of_something_else(content):
    head = f"lmkit checkpoint 1 {hashlib.sha256(content).hexdigest()}\n".encode()
    with pytest.raises(ValueError, match="is no checkpoint, though its checksum fits"):
        unpack(head + content)


def test_the_last_two_checkpoints_are_kept(tmp_path):
    folder = CheckpointFolder(tmp_path, {"run": "a"})
    assert folder.load() is None
    for position in (3, 10, 200):
        folder.save(position, {"at": position})
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "000000000010.checkpoint",
        "000000000200.checkpoint",
    ]
    assert CheckpointFolder(tmp_path, {"run": "a"}).load() == {"at": 200}
    with pytest.raises(ValueError, match="holds another run: run a, not b"):
        CheckpointFolder(tmp_path, {"run": "b"}).load()
