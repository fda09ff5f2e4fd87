"""Imports run one way, nothing private is borrowed, and `import lmkit` is cheap."""

import ast
import json
import pathlib
import re
import subprocess
import sys

import pytest

import lmkit

ROOT = pathlib.Path(__file__).parents[1]
MODULES = {
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path
    for path in (ROOT / "lmkit").rglob("*.py")
}
# The arrows: what each part of the package may import besides itself and `_arguments`.
# `models`, `callbacks` and `plots` are on no list: nothing imports them.
MAY_IMPORT = {
    "_arguments": set(),
    "backend": set(),
    "batches": set(),
    "callbacks": {"batches", "metrics"},
    "checkpoints": {"backend", "files"},
    "checks": {"backend"},
    "datasets": {"files"},
    "decoding": {"backend"},  # a model's two methods, never its class
    "files": set(),
    "layers": set(),
    "metrics": {"backend", "batches"},
    "models": {"layers", "vectors"},
    "ngrams": set(),
    "plots": {"datasets"},  # where shipped drawings are
    "stories": {"batches", "ngrams", "tokenizers"},
    "tokenizers": {"files"},
    "training": {"batches"},
    "vectors": {"batches"},
}


def imported(source):
    """The modules and names that a source text imports, wherever in it the import stands."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = "." * node.level + (node.module or "")
            yield base
            yield from (f"{base}.{alias.name}" for alias in node.names)


def arrows(modules=MODULES):
    """Which of lmkit's modules imports which."""
    return {
        name: {other for other in imported(path.read_text(encoding="utf-8")) if other in modules}
        - {"lmkit", name}
        for name, path in modules.items()
    }


def part(module):
    """The part of the package that a module belongs to: "layers" for lmkit.layers.attention."""
    return f"{module}.".split(".")[1]


def forbidden(graph, allowed=MAY_IMPORT):
    """Pairs of modules of which the first must not import the second."""
    for name, others in graph.items():
        for other in others:
            fine = {part(name), "_arguments", *allowed.get(part(name), ())}
            if name != "lmkit" and part(other) not in fine:
                yield name, other


def is_open(full, name):
    """Whether the module `name` may import what stands at the dotted path `full`.

    `_arguments`, as a module, belongs to the whole package; a module with an underscore that
    a package holds belongs to that package; no other name with an underscore is imported.
    """
    steps = full.split(".")
    for number, step in enumerate(steps):
        home, thing = ".".join(steps[:number]), ".".join(steps[: number + 1])
        inside = home != "lmkit" and f"{name}.".startswith(f"{home}.")
        if step[0] == "_" and thing != "lmkit._arguments" and not (thing in MODULES and inside):
            return False
    return True


def borrowed(name, source):
    """Private names of lmkit's other modules that a source text imports or reaches for."""
    tree, aliases = ast.parse(source), set()
    for full in imported(source):
        if full.split(".")[0] == "lmkit":
            aliases |= {full, full.rpartition(".")[2]}
            if not is_open(full, name):
                yield full
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and re.match("_(?!_)", node.attr):
            owner = ast.unparse(node.value)
            if owner in aliases - {"lmkit"}:
                yield f"{owner}.{node.attr}"


def circle(graph):
    """A list of modules that leads back to its first one, or None."""

    def visit(name, trail):
        if name in trail:
            return [*trail[trail.index(name) :], name]
        return next(filter(None, (visit(other, [*trail, name]) for other in graph[name])), None)

    return next(filter(None, (visit(name, []) for name in graph)), None)


def test_arrows_are_found():
    assert "lmkit.files" in arrows()["lmkit.datasets.text"]
    assert "lmkit.layers.recurrent" in arrows()["lmkit.layers"]
    assert {part(name) for name in MODULES} - {""} == MAY_IMPORT.keys()


def test_no_circle():
    assert circle(arrows()) is None


def test_a_circle_would_be_found():
    assert circle({"a": {"b"}, "b": {"c"}, "c": {"b"}}) == ["b", "c", "b"]


def test_imports_run_one_way():
    assert list(forbidden(arrows())) == []


def test_an_import_the_other_way_would_be_found():
    graph = {
        "lmkit.decoding.loop": {"lmkit._arguments", "lmkit.backend", "lmkit.decoding.sampling"},
        "lmkit.decoding.beam": {"lmkit.models.gpt", "lmkit.layers"},
        "lmkit.metrics.losses": {"lmkit.callbacks"},
    }
    assert set(forbidden(graph)) == {
        ("lmkit.decoding.beam", "lmkit.models.gpt"),
        ("lmkit.decoding.beam", "lmkit.layers"),
        ("lmkit.metrics.losses", "lmkit.callbacks"),
    }


@pytest.mark.parametrize("top", ["models", "callbacks", "plots"])
def test_nothing_imports_the_top(top):
    for name, others in arrows().items():
        if part(name) not in (top, ""):
            assert [other for other in others if part(other) == top] == [], name


def test_no_private_name_is_borrowed():
    for name, path in MODULES.items():
        assert list(borrowed(name, path.read_text(encoding="utf-8"))) == [], name


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("from lmkit._arguments import whole", []),
        ("from lmkit import _arguments\n_arguments.whole('n', 1)", []),
        ("from lmkit.tokenizers._base import Tokenizer", []),
        ("from lmkit._arguments import _limits", ["lmkit._arguments._limits"]),
        ("from lmkit.metrics.losses import _mean", ["lmkit.metrics.losses._mean"]),
        ("from lmkit.tokenizers.words import _split", ["lmkit.tokenizers.words._split"]),
        ("import lmkit.checkpoints._state", ["lmkit.checkpoints._state"]),
        ("from lmkit import metrics\nmetrics._mean()", ["metrics._mean"]),
        ("import lmkit.metrics\nlmkit.metrics._mean()", ["lmkit.metrics._mean"]),
        ("import keras\nkeras._x, self._y", []),
    ],
)
def test_borrowing_would_be_found(source, found, monkeypatch):
    for name in ("lmkit.tokenizers._base", "lmkit.checkpoints._state"):
        monkeypatch.setitem(MODULES, name, None)
    assert list(borrowed("lmkit.tokenizers.characters", source)) == found


def test_only_public_keras():
    for name, path in MODULES.items():
        others = list(imported(path.read_text(encoding="utf-8")))
        assert not [other for other in others if other.startswith("keras.src")], name
        assert not [other for other in others if other.startswith(".")], f"{name}: say lmkit. ..."
        if name != "lmkit.backend":
            framework = {"tensorflow", "jax", "torch"}
            assert not [other for other in others if other.split(".")[0] in framework], name


def loaded_after(statement):
    code = f"{statement}; import sys, json; print(json.dumps(sorted(sys.modules)))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return {name.split(".")[0] for name in json.loads(run.stdout.splitlines()[-1])}


def test_import_lmkit_loads_nothing_but_itself():
    extra = loaded_after("import lmkit") - loaded_after("pass")
    assert extra - sys.stdlib_module_names == {"lmkit"}


def test_texts_need_no_keras():
    """Stories, tokenizers and files start in a moment: they load NumPy at most."""
    statement = "from lmkit import files, stories, tokenizers; stories.tokenizer()"
    statement += "; stories.sample_stories(1, 0)"
    extra = loaded_after(statement) - loaded_after("import numpy")
    assert extra - sys.stdlib_module_names == {"lmkit"}


def test_all_modules_but_plots_load_nothing_beyond_keras():
    names = ", ".join(name for name in lmkit.__all__ if name != "plots")
    extra = loaded_after(f"from lmkit import {names}") - loaded_after("import keras")
    assert extra - sys.stdlib_module_names == {"lmkit"}


def test_modules_are_found_by_their_name():
    assert lmkit.layers.SimpleRNN.__name__ == "SimpleRNN"
    assert set(lmkit.__all__) <= set(dir(lmkit))
    with pytest.raises(AttributeError, match="has no attribute 'nothing'; it has backend, "):
        lmkit.nothing  # noqa: B018


def test_every_module_is_listed():
    public = {part(name) for name in MODULES} - {""}
    assert {name for name in public if name[0] != "_"} == set(lmkit.__all__)


def test_packages_list_what_they_export():
    for name in lmkit.__all__:
        module = getattr(lmkit, name)
        for public in getattr(module, "__all__", ()):
            assert hasattr(module, public), f"lmkit.{name} lists {public} and lacks it"
        if hasattr(module, "__path__"):
            assert module.__all__, f"lmkit.{name} lists nothing"
