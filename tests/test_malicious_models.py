"""Models and weights that were made to do harm. Keras protects: these tests watch that it does.

Each file would make a folder called `ran` if its code ran.
"""

import contextlib
import json
import pickle
import sys
import tempfile
import zipfile

import h5py
import keras
import numpy as np
import pytest
from harm import harmful_array, is_harmful, pickled


def plain_model():
    """A language model of Keras's own layers: their configuration is where harm can hide."""
    ids = keras.Input((None,), dtype="int32")
    x = keras.layers.Embedding(9, 2)(ids)
    x = keras.layers.LSTM(3, return_sequences=True)(x)
    return keras.Model(ids, keras.layers.Dense(9)(x))


def change_model(source, target, change=None, add=(), drop=()):
    """A `.keras` file with another configuration, and with members added or dropped."""
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w") as new:
        for name in set(old.namelist()) - set(drop):
            data = old.read(name)
            if name == "config.json" and change:
                config = json.loads(data)
                data = json.dumps(change(config) or config).encode()
            new.writestr(name, data)
        for name, data in add:
            new.writestr(name, data)


@pytest.fixture
def good(tmp_path):
    """A harmless model as a `.keras` file."""
    path = tmp_path / "good.keras"
    plain_model().save(path)
    return path


@pytest.fixture
def evil(tmp_path):
    return tmp_path / "evil.keras"


def dense(config):
    """The configuration of a model's last layer."""
    return next(layer for layer in config["config"]["layers"] if layer["class_name"] == "Dense")


def harmful_model(ran):
    """A model whose Lambda layer makes the folder whenever it is called."""
    model = keras.Sequential([keras.Input((2,))])
    # The path stands in the code itself: a stored function keeps nothing else.
    code = f"lambda x: (__import__('os').makedirs({str(ran)!r}, exist_ok=True), x)[1]"
    model.add(keras.layers.Lambda(eval(code)))
    ran.rmdir()  # building the model called it: the harm is real
    return model


def test_a_model_with_code_of_its_own(evil, ran):
    harmful_model(ran).save(evil)
    with pytest.raises(ValueError, match=r"(?s)Lambda.*(unsafe|arbitrary code|safe_mode)"):
        keras.models.load_model(evil)
    assert is_harmful(ran, lambda: keras.models.load_model(evil, safe_mode=False))


def test_a_model_in_the_old_format_with_code_of_its_own(tmp_path, ran):
    harmful_model(ran).save(tmp_path / "evil.h5")
    with pytest.raises(ValueError, match=r"(?s)Lambda.*(unsafe|arbitrary code|safe_mode)"):
        keras.models.load_model(tmp_path / "evil.h5")


def system(command):
    return {
        "module": "os",
        "class_name": "system",
        "config": {"command": command},
        "registered_name": None,
    }


def test_a_model_that_names_a_function_of_the_system(good, evil, ran):
    change_model(good, evil, lambda config: system(f"mkdir {ran}"))
    with pytest.raises((TypeError, ValueError), match="system"):
        keras.models.load_model(evil)


@pytest.mark.parametrize("module", ["os", "builtins", "posix", "subprocess"])
def test_a_layer_that_names_a_function_of_the_system(good, evil, ran, module):
    def change(config):
        dense(config)["config"]["activation"] = {
            "module": module,
            "class_name": "function",
            "config": "system",
            "registered_name": "system",
        }

    change_model(good, evil, change)
    with pytest.raises((TypeError, ValueError), match=r"(?s)system"):
        keras.models.load_model(evil)


def test_a_model_that_names_a_module_beside_it(good, evil, ran, monkeypatch):
    (evil.parent / "harmful_module.py").write_text(
        f"import os\nos.mkdir({str(ran)!r})\nclass Harm: pass\n"
    )
    monkeypatch.syspath_prepend(evil.parent)

    def change(config):
        dense(config).update(module="harmful_module", class_name="Harm", registered_name=None)

    change_model(good, evil, change)
    with pytest.raises((TypeError, ValueError), match=r"(?s)Harm"):
        keras.models.load_model(evil)
    assert "harmful_module" not in sys.modules


def test_a_model_whose_weights_are_a_pickle(good, evil, ran):
    weights = ("model.weights.npz", harmful_array(ran))
    change_model(good, evil, add=[weights], drop=["model.weights.h5"])
    with pytest.raises(ValueError, match=r"(?s)could not be loaded|Object arrays"):
        keras.models.load_model(evil)


@pytest.mark.parametrize("name", ["../ran/x", "assets/../../ran/x"])
@pytest.mark.filterwarnings("ignore:Skipping invalid path")
def test_a_model_that_leaves_its_folder(good, evil, ran, name, monkeypatch):
    change_model(good, evil, add=[("assets/x", b"fine"), (name, b"harm")])
    monkeypatch.setattr(tempfile, "tempdir", str(good.parent / "work"))  # Keras unpacks there
    before = sorted(good.parent.rglob("*"))
    # To refuse it would be right, too. Keras 3.13 stumbles over its own warning.
    with contextlib.suppress(ValueError, AttributeError):
        keras.models.load_model(evil)
    # Keras 3.13 then leaves its temporary folder behind, without what would have left it.
    new = [path for path in good.parent.rglob("*") if path not in before]
    places = [path.relative_to(good.parent).as_posix() for path in new]
    assert [place for place in places if not place.startswith("work/tmp")] == []
    assert b"harm" not in [path.read_bytes() for path in new if path.is_file()]


@pytest.mark.parametrize("name", ["evil.keras", "evil.weights.h5", "evil.h5"])
def test_a_pickle_for_a_model(tmp_path, ran, name):
    path = tmp_path / name
    path.write_bytes(pickled(ran))
    assert is_harmful(ran, lambda: pickle.loads(path.read_bytes()))
    with pytest.raises((ValueError, OSError)):
        if name == "evil.weights.h5":
            plain_model().load_weights(path)
        else:
            keras.models.load_model(path)


def tampered(path, change):
    """A model's weights whose first table was changed by `change(group, name)`."""
    plain_model().save_weights(path)
    with h5py.File(path, "r+") as file:
        group = file["layers/embedding/vars"]
        del group["0"]
        change(group)


def test_weights_that_are_pickled_bytes(tmp_path, ran):
    path, data = tmp_path / "evil.weights.h5", pickled(ran)
    tampered(path, lambda group: group.create_dataset("0", data=np.void(data)))
    with pytest.raises((ValueError, TypeError)):
        plain_model().load_weights(path)


def test_weights_that_are_a_file_of_the_readers(tmp_path, ran):
    secret = tmp_path / "secret"
    secret.write_bytes(b"\x01" * 72)  # as many bytes as the table has: 9 x 2 float32
    path = tmp_path / "evil.weights.h5"

    def change(group):
        outside = [(str(secret).encode(), 0, 72)]
        group.create_dataset("0", shape=(9, 2), dtype="float32", external=outside)

    tampered(path, change)
    model = plain_model()
    with pytest.raises(ValueError, match=r"(?i)extern"):
        model.load_weights(path)
