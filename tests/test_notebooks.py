"""The stored notebooks: one clean run, nothing that does not belong, names that exist.

nbval runs the notebooks; this file reads what is stored in them.
"""

import ast
import base64
import importlib
import json
import pathlib
import re

import pytest

ROOT = pathlib.Path(__file__).parents[1]
NOTEBOOKS = sorted(
    [*ROOT.glob("chapters/*.ipynb"), *ROOT.glob("chapters/solutions/*.ipynb")],
    key=lambda path: path.name,
)
LIMIT = 600_000  # bytes a notebook
MARKERS = {"NBVAL_CHECK_OUTPUT", "NBVAL_IGNORE_OUTPUT", "NBVAL_SKIP"}


def code_cells(notebook):
    return [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]


def source(cell):
    return "".join(cell["source"])


def outputs(notebook):
    return [output for cell in code_cells(notebook) for output in cell["outputs"]]


def python(cell):
    """The cell's syntax tree, IPython's magic lines left out."""
    lines = source(cell).splitlines()
    indented = [re.sub(r"^(\s*)[%!].*", r"\1pass", line) for line in lines]
    return ast.parse("\n".join(indented))


# Every check takes a notebook (a dictionary) and yields what is wrong with it.


def not_one_clean_run(notebook):
    counts = [cell["execution_count"] for cell in code_cells(notebook)]
    if counts != list(range(1, len(counts) + 1)):
        yield f"execution counts are {counts}"


def errors_and_stderr(notebook):
    for output in outputs(notebook):
        if output["output_type"] == "error":
            yield f"a stored error: {output['ename']}"
        if output.get("name") == "stderr":
            yield f"stored stderr: {''.join(output['text'])[:80]}"


def local_paths(notebook):
    pattern = r"(?:/(?:home|root|tmp|work|Users|content)/|[A-Z]:\\\\)[\w./-]*"
    stored = json.dumps([outputs(notebook), [source(cell) for cell in notebook["cells"]]])
    yield from (f"a local path: {path}" for path in re.findall(pattern, stored))


def widgets(notebook):
    if "widgets" in notebook["metadata"]:
        yield "widget state in the metadata"
    for output in outputs(notebook):
        yield from (kind for kind in output.get("data", {}) if "widget" in kind)


def control_characters(notebook):
    for output in outputs(notebook):
        text = "".join(output.get("text", ""))
        if re.search(r"[\x00-\x08\x0b-\x1f\x7f]", text):
            yield f"control characters: {text[:60]!r}"


def plots_without_png(notebook):
    for cell in code_cells(notebook):
        drawn = any("image/png" in output.get("data", {}) for output in cell["outputs"])
        if re.search(r"plt\.show\(|plots\.plot_|\.subplots\(", source(cell)) and not drawn:
            yield f"no figure below: {source(cell)[:60]!r}"


def broken_pngs(notebook):
    for output in outputs(notebook):
        png = output.get("data", {}).get("image/png")
        if png and not base64.b64decode(png).startswith(b"\x89PNG\r\n"):
            yield "a figure that is not a PNG"


def unread_figures(notebook):
    """A figure needs the sentence that reads it, in the markdown cell after it."""
    for cell, after in zip(notebook["cells"], [*notebook["cells"][1:], None], strict=True):
        drawn = any("image/png" in output.get("data", {}) for output in cell.get("outputs", []))
        if drawn and (after is None or after["cell_type"] != "markdown"):
            yield f"nobody reads the figure of: {source(cell)[:60]!r}"


def misspelt_markers(notebook):
    for cell in code_cells(notebook):
        for line in source(cell).splitlines():
            if re.search(r"nbval", line, re.IGNORECASE) and line[2:] not in MARKERS:
                yield f"nbval does not know this marker: {line!r}"


def long_cells(notebook):
    for cell in code_cells(notebook):
        count = len([line for line in source(cell).splitlines() if line.strip()])
        if count > 30:
            yield f"{count} lines: {source(cell)[:60]!r}"


def lmkit_uses(notebook):
    """Pairs of a module of lmkit and a name that the notebook takes from it."""
    aliases, uses = {}, set()
    for cell in code_cells(notebook):
        for node in ast.walk(python(cell)):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("lmkit"):
                for alias in node.names:
                    uses.add((node.module, alias.name))
                    aliases[alias.asname or alias.name] = f"{node.module}.{alias.name}"
            elif isinstance(node, ast.Attribute) and getattr(node.value, "id", None) in aliases:
                uses.add((aliases[node.value.id], node.attr))
    return uses


def exists(module, name):
    try:
        value = importlib.import_module(module)
    except ModuleNotFoundError:  # not a module but a class, say lmkit.tokenizers.WordTokenizer
        parent, _, member = module.rpartition(".")
        value = getattr(importlib.import_module(parent), member)
    return hasattr(value, name)


def names_that_lmkit_lacks(notebook):
    for module, name in sorted(lmkit_uses(notebook)):
        if not exists(module, name):
            yield f"{module} has no {name}"


def exported_names():
    names = set()
    for path in (ROOT / "lmkit").rglob("[!_]*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        names |= {
            node.name
            for node in tree.body
            if isinstance(node, ast.FunctionDef | ast.ClassDef) and node.name[0] != "_"
        }
    return names


def defines_what_lmkit_exports(notebook):
    for name in definitions(notebook) & exported_names():
        yield f"defines {name}, which lmkit exports"


def definitions(notebook):
    return {
        node.name
        for cell in code_cells(notebook)
        for node in ast.walk(python(cell))
        if isinstance(node, ast.FunctionDef | ast.ClassDef)
    }


def several_titles(notebook):
    text = "\n".join(source(cell) for cell in notebook["cells"] if cell["cell_type"] == "markdown")
    titles = re.findall(r"^# .*", re.sub(r"```.*?```", "", text, flags=re.DOTALL), re.MULTILINE)
    if len(titles) != 1:
        yield f"titles: {titles}"


CHECKS = [
    not_one_clean_run, errors_and_stderr, local_paths, widgets, control_characters,
    plots_without_png, broken_pngs, unread_figures, misspelt_markers, long_cells,
    names_that_lmkit_lacks, defines_what_lmkit_exports, several_titles,
]  # fmt: skip


@pytest.fixture(params=NOTEBOOKS, ids=lambda path: path.name)
def path(request):
    return request.param


def test_there_are_notebooks():
    assert "01_rnn_classifier.ipynb" in [path.name for path in NOTEBOOKS]


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_stored_notebook(path, check):
    assert list(check(json.loads(path.read_text(encoding="utf-8")))) == []


def test_size(path):
    assert path.stat().st_size <= LIMIT


def test_no_definition_stands_in_two_chapters():
    seen = {}
    for path in ROOT.glob("chapters/*.ipynb"):
        for name in definitions(json.loads(path.read_text(encoding="utf-8"))):
            assert seen.setdefault(name, path.name) == path.name, f"{name} stands in two chapters"


# Each check is shown a notebook with the fault that it is for, and one without.


def notebook(code="x = 1", after="Read.", metadata=None, **output):
    made = [{"output_type": "stream", "name": "stdout", "text": [], **output}] if output else []
    cell = {"cell_type": "code", "execution_count": 1, "source": code.splitlines(True)}
    return {
        "metadata": metadata or {},
        "cells": [
            {"cell_type": "markdown", "source": ["# One title"]},
            {**cell, "outputs": made},
            {"cell_type": "markdown", "source": [after]},
        ],
    }


PNG = base64.b64encode(b"\x89PNG\r\n\x1a\n").decode()
FAULTS = {
    "errors_and_stderr": notebook(output_type="error", ename="NameError"),
    "local_paths": notebook(text=["saved to /" + "home/me/model.keras"]),
    "widgets": notebook(output_type="display_data", data={"application/vnd.jupyter.widget": ""}),
    "control_characters": notebook(text=["10%\r20%\x08"]),
    "plots_without_png": notebook(code="plots.plot_history(history)"),
    "broken_pngs": notebook(output_type="display_data", data={"image/png": "R0lGODlh"}),
    "misspelt_markers": notebook(code="# nbval_check_output\n1 + 1"),
    "long_cells": notebook(code="x = 1\n" * 31),
    "names_that_lmkit_lacks": notebook(code="from lmkit import plots\nplots.plot_nothing()"),
    "defines_what_lmkit_exports": notebook(code="def assert_close(a, b):\n    pass"),
    "several_titles": notebook(after="# Another title"),
}


@pytest.mark.parametrize("name", FAULTS)
def test_check_finds_its_fault(name):
    check = next(check for check in CHECKS if check.__name__ == name)
    assert list(check(FAULTS[name]))
    assert list(check(notebook(text=["fine\n"]))) == []


def test_check_finds_cells_out_of_order_and_unread_figures():
    unordered = notebook()
    unordered["cells"][1]["execution_count"] = 7
    assert list(not_one_clean_run(unordered)) == ["execution counts are [7]"]
    figure = notebook(output_type="display_data", data={"image/png": PNG})
    assert list(unread_figures(figure)) == []
    del figure["cells"][2]
    assert len(list(unread_figures(figure))) == 1
