"""Files that were made to do harm: nothing in them is ever executed, nothing is overwritten.

Each file would make a folder called `ran` if its code ran. That the harm is real is shown
first, with the same file and the protection taken off, wherever there is one to take off.
"""

import io
import json
import os
import pickle
import sys
import tarfile
import zipfile

import h5py
import keras
import numpy as np
import pytest

from lmkit import datasets
from lmkit.models import lstm_lm
from lmkit.tokenizers import CharTokenizer, SplitTokenizer, WordTokenizer

TOKENIZERS = [WordTokenizer, CharTokenizer, SplitTokenizer]


class Harm:
    """What a pickle does when it is read: it makes the folder."""

    def __init__(self, path):
        self.path = str(path)

    def __reduce__(self):
        return os.mkdir, (self.path,)


@pytest.fixture
def ran(tmp_path):
    """The folder that harm would make. After the test it must not be there."""
    (tmp_path / "work").mkdir()
    path = tmp_path / "work" / "ran"
    yield path
    assert not path.exists(), "code from a file ran"


def is_harmful(ran, load):
    """Shows that the file runs code where nothing protects, and cleans up."""
    load()
    harmful = ran.exists()
    if harmful:
        ran.rmdir()
    return harmful


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
    lstm_lm(9, 2, 3).save(path)
    return path


@pytest.fixture
def evil(tmp_path):
    return tmp_path / "evil.keras"


def dense(config):
    """The configuration of a model's last layer."""
    return next(layer for layer in config["config"]["layers"] if layer["class_name"] == "Dense")


# Tokenizers and results are JSON, and JSON can only be read.


@pytest.mark.parametrize("kind", TOKENIZERS)
@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_a_pickle_for_a_tokenizer(tmp_path, ran, kind, protocol):
    path = tmp_path / "tokenizer.json"
    path.write_bytes(pickle.dumps(Harm(ran), protocol))
    assert is_harmful(ran, lambda: pickle.loads(path.read_bytes()))
    with pytest.raises(ValueError, match=r"tokenizer\.json holds no tokenizer: it is not JSON"):
        kind.load(path)


@pytest.mark.parametrize("kind", TOKENIZERS)
def test_code_for_a_tokenizer(tmp_path, ran, kind):
    path = tmp_path / "tokenizer.json"
    path.write_text(f"__import__('os').mkdir({str(ran)!r})")
    assert is_harmful(ran, lambda: eval(path.read_text()))
    with pytest.raises(ValueError, match="it is not JSON"):
        kind.load(path)


@pytest.mark.parametrize("kind", TOKENIZERS)
@pytest.mark.parametrize(
    "record",
    [
        {"tokenizer": "os.system", "tokens": ["true"]},
        {"py/object": "os.system", "tokenizer": {"py/reduce": ["os.system"]}},
        {"tokenizer": ["CharTokenizer"], "tokens": []},
    ],
)
def test_names_of_functions_for_a_tokenizer(tmp_path, ran, kind, record):
    (tmp_path / "tokenizer.json").write_text(json.dumps(record))
    with pytest.raises(ValueError, match=f"does not hold a {kind.__name__}"):
        kind.load(tmp_path / "tokenizer.json")


def test_tokens_that_look_like_code_are_text(tmp_path, ran):
    code = f"__import__('os').mkdir({str(ran)!r})".replace(" ", "")
    tokenizer = SplitTokenizer.train([f"{code} ../../ran $(mkdir) {{0.__class__}} %s"])
    tokenizer.save(tmp_path / "tokenizer.json")
    again = SplitTokenizer.load(tmp_path / "tokenizer.json")
    assert again.decode(again.encode(code)) == code


@pytest.mark.parametrize("nested", ["[" * 200_000, '{"a":' * 200_000])
def test_brackets_nested_by_the_thousand(tmp_path, nested):
    for path in (tmp_path / "tokenizer.json", tmp_path / "results.json"):
        path.write_text(nested)
    with pytest.raises(ValueError, match="not JSON"):
        CharTokenizer.load(tmp_path / "tokenizer.json")
    with pytest.raises(ValueError, match="not JSON"):
        datasets.load_results("results", tmp_path)


# The archive of reviews is read, never unpacked.


@pytest.mark.parametrize("name", ["../ran/1_1.txt", "aclImdb/train/neg/../../../../work/ran/x"])
def test_an_archive_that_leaves_its_folder(tmp_path, ran, name, monkeypatch):
    path = tmp_path / "work" / "imdb.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        member = tarfile.TarInfo(name)
        member.size = 4
        archive.addfile(member, io.BytesIO(b"harm"))
    monkeypatch.chdir(tmp_path / "work")
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(ValueError, match="leaves the folder"):
        datasets.load_imdb("train", path)
    assert sorted(tmp_path.rglob("*")) == before


def test_a_review_that_is_a_link_to_a_secret(tmp_path, ran):
    (tmp_path / "secret").write_text("key")
    path = tmp_path / "imdb.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        member = tarfile.TarInfo("aclImdb/train/neg/0_1.txt")
        member.type, member.linkname = tarfile.SYMTYPE, str(tmp_path / "secret")
        archive.addfile(member)
    with pytest.raises(ValueError, match="is a link"):
        datasets.load_imdb("train", path)


# Arrays.


def harmful_array(ran):
    buffer = io.BytesIO()
    np.savez(buffer, array=np.array([Harm(ran)], dtype=object))
    return buffer.getvalue()


def test_a_pickle_inside_an_array_file(tmp_path, ran):
    (tmp_path / "arrays.npz").write_bytes(harmful_array(ran))

    def load(**options):
        with np.load(tmp_path / "arrays.npz", **options) as arrays:
            return arrays["array"]

    assert is_harmful(ran, lambda: load(allow_pickle=True))
    with pytest.raises(ValueError, match="Object arrays cannot be loaded"):
        load()


def test_nothing_of_the_course_unpickles_or_evaluates(root):
    """The doors of the test above are shut nowhere but here: nobody may open one."""
    doors = ("allow_pickle", "import pickle", "from pickle", "safe_mode=False", "marshal",
             "enable_unsafe_deserialization", "extractall", "yaml.load(", "eval(", "exec(",
             "os.system", "shell=True")  # fmt: skip
    files = [*root.glob("lmkit/**/*.py"), *root.glob("chapters/experiments/*.py")]
    files += root.glob("chapters/*.ipynb")
    found = [
        (path.name, door)
        for path in files
        for door in doors
        if door in path.read_text(encoding="utf-8")
    ]
    assert len(files) > 20 and found == []


# Models. load_model's own protection is what the course relies on: these tests watch it.


def make_folder(x, path):
    os.mkdir(path)
    return x


def test_a_model_with_code_of_its_own(evil, ran):
    model = keras.Sequential([keras.Input((2,)), keras.layers.Lambda(lambda x: x)])
    model.save(evil)
    # The code of the lambda, exchanged for code that does harm when the model is called.
    path = str(ran)
    harm = keras.Sequential([keras.Input((2,))])
    layer = keras.layers.Lambda(eval(f"lambda x: (__import__('os').mkdir({path!r}), x)[1]"))
    harm.add(layer)
    ran.rmdir()  # building the model called it once: the harm is real
    harm.save(evil)
    with pytest.raises(ValueError, match=r"(?s)Lambda.*(unsafe|arbitrary code|safe_mode)"):
        keras.models.load_model(evil)
    assert is_harmful(ran, lambda: keras.models.load_model(evil, safe_mode=False))


def test_a_model_in_the_old_format_with_code_of_its_own(tmp_path, ran):
    harm = keras.Sequential([keras.Input((2,))])
    harm.add(keras.layers.Lambda(eval(f"lambda x: (__import__('os').mkdir({str(ran)!r}), x)[1]")))
    ran.rmdir()
    harm.save(tmp_path / "evil.h5")
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


@pytest.mark.parametrize("name", ["../work/ran/x", "assets/../../work/ran/x"])
@pytest.mark.filterwarnings("ignore:Skipping invalid path")
def test_a_model_that_leaves_its_folder(good, evil, ran, name, monkeypatch):
    change_model(good, evil, add=[(name, b"harm")])
    monkeypatch.chdir(good.parent / "work")
    before = sorted(good.parent.rglob("*"))
    try:
        keras.models.load_model(evil)
    except ValueError:
        pass  # refused is as well
    assert sorted(good.parent.rglob("*")) == before


@pytest.mark.parametrize("name", ["evil.keras", "evil.weights.h5", "evil.h5"])
def test_a_pickle_for_a_model(tmp_path, ran, name):
    path = tmp_path / name
    path.write_bytes(pickle.dumps(Harm(ran)))
    assert is_harmful(ran, lambda: pickle.loads(path.read_bytes()))
    with pytest.raises((ValueError, OSError)):
        if name == "evil.weights.h5":
            lstm_lm(9, 2, 3).load_weights(path)
        else:
            keras.models.load_model(path)


def tampered(path, change):
    """A model's weights whose first table was changed by `change(group, name)`."""
    lstm_lm(9, 2, 3).save_weights(path)
    with h5py.File(path, "r+") as file:
        group = file["layers/embedding/vars"]
        del group["0"]
        change(group)


def test_weights_that_are_pickled_bytes(tmp_path, ran):
    path, data = tmp_path / "evil.weights.h5", pickle.dumps(Harm(ran))
    tampered(path, lambda group: group.create_dataset("0", data=np.void(data)))
    with pytest.raises((ValueError, TypeError)):
        lstm_lm(9, 2, 3).load_weights(path)


def test_weights_that_are_a_file_of_the_readers(tmp_path, ran):
    secret = tmp_path / "secret"
    secret.write_bytes(b"\x01" * 72)  # as many bytes as the table has: 9 x 2 float32
    path = tmp_path / "evil.weights.h5"

    def change(group):
        outside = [(str(secret).encode(), 0, 72)]
        group.create_dataset("0", shape=(9, 2), dtype="float32", external=outside)

    tampered(path, change)
    model = lstm_lm(9, 2, 3)
    with pytest.raises(ValueError, match=r"(?i)extern"):
        model.load_weights(path)
