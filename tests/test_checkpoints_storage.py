"""lmkit.checkpoints.storage: values come back with the same bits, damage is noticed."""

import collections
import hashlib
import io
import secrets

import numpy as np
import pytest

from lmkit.checkpoints.storage import CheckpointFolder, pack, unpack

PLAIN = [
    None, True, -3, 10**30, 0.1, -0.0, float("inf"), "文\udc80", [], (), {}, (1, [2, (3,)]),
    {1: "a", "b": (None,), (1, 2): {}}, {"list": [1]}, {"array": 0}, {"dict": {"tuple": ()}},
]  # fmt: skip
ARRAYS = [np.arange(3), np.zeros((2, 0), "float32"), np.array(True), np.float32(0.1), np.array("a")]


@pytest.mark.parametrize("value", PLAIN, ids=repr)
def test_plain_values_come_back(value):
    found = unpack(pack(value))
    assert repr(found) == repr(value)  # tells lists from tuples, and 0.0 from -0.0


@pytest.mark.parametrize("value", ARRAYS, ids=repr)
def test_arrays_come_back(value):
    found = unpack(pack({"x": [value]}))["x"][0]
    assert (type(found), found.dtype, found.shape) == (type(value), value.dtype, value.shape)
    assert found.tobytes() == value.tobytes()


def test_the_same_value_makes_the_same_bytes():
    assert pack([1, {"a": np.arange(3)}]) == pack([1, {"a": np.arange(3)}])
    assert pack([1, {"a": np.arange(3)}]) != pack([1, {"a": np.array([0, 1, 3])}])


def test_a_type_that_numpy_does_not_know():
    import ml_dtypes

    value = np.array([1.5, -2.0], ml_dtypes.bfloat16)
    found = unpack(pack([value]))[0]
    assert (found.dtype, found.tolist()) == ("float32", [1.5, -2.0])


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({"a": [1, {2}]}, r"a\[1\] \(set\) cannot be stored"),
        ({"a": collections.Counter("aab")}, r"a \(Counter\) cannot"),  # 0 for what is missing
        ({"a": np.array([None])}, r"a \(ndarray\) cannot"),
    ],
)
def test_another_value_is_refused(value, message):
    with pytest.raises(TypeError, match=message):
        pack(value)


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
    head = f"lmkit checkpoint 2 {hashlib.sha256(content).hexdigest()}\n".encode()
    with pytest.raises(ValueError, match="allow_pickle=False"):
        unpack(head + content)


@pytest.mark.parametrize("content", [b"", b"no zip", b"PK\x05\x06" + bytes(18)])
def test_a_right_checksum_of_something_else(content):
    head = f"lmkit checkpoint 2 {hashlib.sha256(content).hexdigest()}\n".encode()
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


def test_only_what_lmkit_left_is_removed(tmp_path):
    """The folder may be one that the reader keeps other things in."""
    theirs = [".mine.tmp", "a.tmp", "best.checkpoint"]
    for name in theirs:
        (tmp_path / name).touch()
    for _ in range(2):
        (tmp_path / f".{secrets.token_hex(8)}.tmp").touch()  # as a killed write_atomic leaves it
    folder = CheckpointFolder(tmp_path, {})
    for position in range(3):
        folder.save(position, {})
    found = sorted(path.name for path in tmp_path.iterdir())
    assert found == sorted([*theirs, "000000000001.checkpoint", "000000000002.checkpoint"])


def test_a_damaged_checkpoint_does_not_count_as_one_of_the_two(tmp_path):
    folder = CheckpointFolder(tmp_path, {})
    for position in (4, 8):
        folder.save(position, {"at": position})
    (tmp_path / "000000000008.checkpoint").write_bytes(b"")
    with pytest.warns(
        UserWarning, match=r"8\.checkpoint is empty; 0+4\.checkpoint is used instead"
    ):
        assert folder.load() == {"at": 4}
    folder.save(6, {"at": 6})
    assert [int(path.stem) for path in sorted(tmp_path.iterdir())] == [4, 6]
