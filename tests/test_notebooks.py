"""The stored notebooks: one clean run, nothing that does not belong, names that exist.

nbval runs the notebooks; this file reads what is stored in them. What is said about code holds
for the course's scripts as well: nobody shifts, counts or names by hand what lmkit does once.
"""

import ast
import base64
import importlib
import inspect
import json
import pathlib
import re

import pytest

import lmkit

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
    """What learners import: what the packages list, and what the other modules define."""
    names = set()
    for name in lmkit.__all__:
        module = getattr(lmkit, name)
        mine = {key for key, value in vars(module).items() if is_defined_in(module, value)}
        names |= set(getattr(module, "__all__", mine))
    return {name for name in names if name[0] != "_"}


def is_defined_in(module, value):
    kind = inspect.isfunction(value) or inspect.isclass(value)
    return kind and value.__module__ == module.__name__


def defines_what_lmkit_exports(notebook):
    for name in definitions(notebook) & exported_names():
        yield f"defines {name}, which lmkit exports"


def definitions(notebook):
    """The functions and classes; every class may have its own `__init__` and `call`."""
    nodes = [node for cell in code_cells(notebook) for node in ast.walk(python(cell))]
    classes = [node for node in nodes if isinstance(node, ast.ClassDef)]
    methods = {id(part) for node in classes for part in node.body}
    defined = [node for node in nodes if isinstance(node, ast.FunctionDef | ast.ClassDef)]
    return {node.name for node in defined if id(node) not in methods}


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


@pytest.fixture(params=NOTEBOOKS, ids=lambda path: path.relative_to(ROOT / "chapters").as_posix())
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


# What is asked of code, in notebooks and scripts alike: pieces of source with their tags.

CODE = sorted(
    [
        *NOTEBOOKS,
        *ROOT.glob("chapters/assignments/*/*/*.ipynb"),
        *ROOT.glob("chapters/assignments/*.py"),
        *ROOT.glob("chapters/assignments/mutants/*.py"),
        *ROOT.glob("chapters/experiments/*.py"),
        *ROOT.glob("chapters/figures/*.py"),
    ]
)
# The tag of a cell that shifts a toy itself, to show what shifting is; in a script the comment
# `# by-hand: why` inside the function, say where neighbours are counted.
BY_HAND = "by-hand"
# Names of the package before it was rebuilt. MAINTAINING.md says what took their place.
OLD_NAMES = [
    "lstm_lm", "compile_lm", "RecurrentDecoder", "TransformerDecoder", "CompiledDecoder",
    "compiled_decoding", "LearnedPositions", "lmkit.windows", "cut_windows", "COLOURS",
    "check_shifted", "check_whole", "check_real", "check_ids_row", "check_prompts", "check_share",
    "check_temperature", "new_cache", "positions.table",
]  # fmt: skip


def pieces(path):
    """Pairs of a piece of source and its tags: a notebook's cells, a script's statements."""
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".py":
        segments = [ast.get_source_segment(text, node) for node in ast.parse(text).body]
        return [(part, [BY_HAND] if f"# {BY_HAND}: " in part else []) for part in segments]
    return [
        (source(cell), cell["metadata"].get("tags", []))
        for cell in json.loads(text)["cells"]
        if cell["cell_type"] == "code"
    ]


def parsed(text):
    return python({"source": [text]})


def columns(tree):
    """The slices of second axes in a syntax tree, such as ":-1" for `rows[:, :-1]`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Tuple):
            every, column = node.slice.elts[0], node.slice.elts[-1]
            if ast.unparse(every) in (":", "...") and isinstance(column, ast.Slice):
                yield ast.unparse(column)


def shifts_by_hand(pieces):
    for text, tags in pieces:
        if {":-1", "1:"} <= set(columns(parsed(text))) and BY_HAND not in tags:
            yield f"next_tokens or windows makes inputs and targets: {text[:60]!r}"


def counts_nonzero(node):
    return any(
        isinstance(one, ast.Call) and "count_nonzero" in ast.unparse(one.func)
        for one in ast.walk(node)
    )


def divides_by_nonzero(pieces):
    """A mean over "what is not 0" takes the id 0 for padding: `targets != IGNORE` says it."""
    counts = set()
    for text, _ in pieces:
        for node in ast.walk(parsed(text)):
            if isinstance(node, ast.Assign) and counts_nonzero(node.value):
                counts |= {ast.unparse(target) for target in node.targets}
            divides = isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div | ast.FloorDiv)
            if divides and (counts_nonzero(node.right) or ast.unparse(node.right) in counts):
                yield f"divided by a count of what is not 0: {ast.unparse(node)[:60]!r}"


def names_of_old(pieces):
    pattern = "|".join(rf"(?<!\w){re.escape(name)}(?!\w)" for name in OLD_NAMES)
    for text, _ in pieces:
        yield from (f"{name} is gone: see MAINTAINING.md" for name in re.findall(pattern, text))


AUDITS = [shifts_by_hand, divides_by_nonzero, names_of_old]


@pytest.mark.parametrize("audit", AUDITS, ids=lambda audit: audit.__name__)
@pytest.mark.parametrize("path", CODE, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_code(path, audit):
    assert list(audit(pieces(path))) == []


def test_prose_names_nothing_old():
    for path in [*NOTEBOOKS, *ROOT.glob("chapters/assignments/*/*/*.ipynb")]:
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        prose = [(source(cell), []) for cell in cells if cell["cell_type"] == "markdown"]
        assert list(names_of_old(prose)) == [], path.name


def test_old_names_stand_in_the_table_for_learners():
    page = (ROOT / "MAINTAINING.md").read_text(encoding="utf-8")
    for name in OLD_NAMES:
        assert re.search(rf"(?<!\w){re.escape(name)}(?!\w)", page), name


BAD_CODE = {
    "shifts_by_hand": [
        "model.fit(rows[:, :-1], rows[:, 1:])",
        "inputs = rows[:, :-1]\ntargets = rows[:, 1:]",
        "def f(rows):\n    return rows[..., :-1], rows[..., 1:]",
    ],
    "divides_by_nonzero": [
        "loss = losses.sum() / np.count_nonzero(targets)",
        "words = ops.count_nonzero(targets)\nprint(losses.sum() / words)",
        "loss = losses.sum() / (np.count_nonzero(targets) - 1)",
    ],
    "names_of_old": ["from lmkit.models import lstm_lm", "lmkit.windows.cut_windows([1], 1)"],
}
GOOD_CODE = [
    "inputs, targets = next_tokens(rows)",
    "pairs = list(zip(ids[:-1], ids[1:]))",  # counting neighbours shifts nothing
    "first, rest = x[:, 0], x[:, 1:]",
    "losses[targets != IGNORE].mean()",
    "share = np.count_nonzero(ids) / ids.size",
    "%matplotlib inline\nmodel = RecurrentLM(vocab_size=9)\nmy_lstm_lm = 1",
]


@pytest.mark.parametrize("audit", AUDITS, ids=lambda audit: audit.__name__)
def test_audit_finds_its_fault(audit):
    for text in BAD_CODE[audit.__name__]:
        assert list(audit([(text, [])])), text
    for text in GOOD_CODE:
        assert list(audit([(text, [])])) == [], text


def test_a_toy_is_shifted_by_hand(tmp_path):
    toy = BAD_CODE["shifts_by_hand"][0]
    assert list(shifts_by_hand([(toy, [BY_HAND])])) == []
    script = tmp_path / "01_toy.py"
    script.write_text("def f(x):\n    # by-hand: pairs\n    return x[:, :-1], x[:, 1:]\n")
    assert list(shifts_by_hand(pieces(script))) == []
    script.write_text(script.read_text().replace("by-hand", "how"))
    assert len(list(shifts_by_hand(pieces(script)))) == 1
    separate = [(line, []) for line in BAD_CODE["shifts_by_hand"][1].splitlines()]
    assert list(shifts_by_hand(separate)) == []  # in other cells: other things


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
