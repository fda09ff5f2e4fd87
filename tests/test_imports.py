"""Imports run one way, without circles, and `import lmkit` is cheap."""

import ast
import json
import pathlib
import subprocess
import sys

import pytest

import lmkit

ROOT = pathlib.Path(__file__).parents[1]
MODULES = {
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path
    for path in (ROOT / "lmkit").rglob("*.py")
}


def imported(source):
    """The modules that a source text imports, wherever in it the import stands."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def arrows():
    """Which of lmkit's modules imports which."""
    return {
        name: {other for other in imported(path.read_text(encoding="utf-8")) if other in MODULES}
        - {"lmkit", name}
        for name, path in MODULES.items()
    }


def circle(graph):
    """A list of modules that leads back to its first one, or None."""

    def visit(name, trail):
        if name in trail:
            return [*trail[trail.index(name) :], name]
        return next(filter(None, (visit(other, [*trail, name]) for other in graph[name])), None)

    return next(filter(None, (visit(name, []) for name in graph)), None)


def test_arrows_are_found():
    assert "lmkit.files" in arrows()["lmkit.tokenizers"]
    assert "lmkit.layers.recurrent" in arrows()["lmkit.layers"]


def test_no_circle():
    assert circle(arrows()) is None


def test_a_circle_would_be_found():
    assert circle({"a": {"b"}, "b": {"c"}, "c": {"b"}}) == ["b", "c", "b"]


@pytest.mark.parametrize("top", ["lmkit.models", "lmkit.callbacks", "lmkit.plots"])
def test_nothing_imports_the_top(top):
    assert [name for name, others in arrows().items() if top in others] == []


def test_layers_import_layers_alone():
    for name, others in arrows().items():
        if name.startswith("lmkit.layers"):
            assert {other for other in others if not other.startswith("lmkit.layers")} == set()


def test_only_public_keras():
    for name, path in MODULES.items():
        others = list(imported(path.read_text(encoding="utf-8")))
        assert not [other for other in others if other.startswith("keras.src")]
        if name != "lmkit.backend":
            framework = {"tensorflow", "jax", "torch"}
            assert not [other for other in others if other.split(".")[0] in framework]


def loaded_after(statement):
    code = f"{statement}; import sys, json; print(json.dumps(sorted(sys.modules)))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return {name.split(".")[0] for name in json.loads(run.stdout.splitlines()[-1])}


def test_import_lmkit_loads_nothing_but_itself():
    extra = loaded_after("import lmkit") - loaded_after("pass")
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
    public = {name.split(".")[1] for name in MODULES if name.count(".") == 1}
    assert {name for name in public if name[0] != "_"} == set(lmkit.__all__)
