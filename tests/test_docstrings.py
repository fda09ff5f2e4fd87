"""Every public name says what it does, its sources can be looked up, its examples are true."""

import doctest
import importlib
import inspect
import pathlib
import re

import pytest

ROOT = pathlib.Path(__file__).parents[1]
MODULES = sorted(
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
    for path in (ROOT / "lmkit").rglob("*.py")
)
# Examples that need a trained model, a network or files of the reader's.
NOT_RUN = {
    "lmkit.callbacks.EpochReport": "needs a model and data of the reader's",
    "lmkit.callbacks.GapToFloor": "needs a model and data of the reader's",
    "lmkit.checkpoints.fit.fit_with_backup": "needs a model and data of the reader's",
    "lmkit.datasets.imdb.load_imdb": "needs the corpus",
    "lmkit.datasets.text.read_text": "needs a file of the reader's",
    "lmkit.datasets.text.read_lines": "needs a file of the reader's",
    "lmkit.files.save_model": "needs a model of the reader's",
    "lmkit.files.write_atomic": "writes into the reader's folder",
    "lmkit.files.sha256": "needs a file of the reader's",
    "lmkit.files.check_sha256": "needs a file of the reader's",
    "lmkit.files.locate": "needs the network",
    "lmkit.files.download": "needs the network",
}


def public(module):
    """Names and objects that a module defines itself."""
    for name, value in vars(module).items():
        mine = getattr(value, "__module__", None) == module.__name__
        if name[0] != "_" and mine and (inspect.isfunction(value) or inspect.isclass(value)):
            yield f"{module.__name__}.{name}", value


PUBLIC = dict(pair for name in MODULES for pair in public(importlib.import_module(name)))


@pytest.mark.parametrize("name", PUBLIC)
def test_public_names_are_described(name):
    text = inspect.getdoc(PUBLIC[name])
    assert text, f"{name} has no docstring"
    assert text.splitlines()[0].endswith("."), "the first line is one sentence"
    parameters = [p for p in inspect.signature(PUBLIC[name]).parameters if p not in ("self", "cls")]
    if inspect.isfunction(PUBLIC[name]) and parameters:
        for parameter in parameters:
            # Alone, or as one of several: "W, U, b: the weights".
            described = re.search(rf"^ +[\w*, ]*\b{parameter}(?:, [*\w]+)*:", text, flags=re.M)
            assert described, f"{name} does not describe {parameter}"


def sections(text):
    """The lines of each section of a docstring, by its name; the text before them is ""."""
    found, name = {"": []}, ""
    for line in text.splitlines():
        head = re.match(
            r"(Args|Call arguments|Returns|Raises|Example|Source|Attributes):(.*)", line
        )
        if head:
            name = head[1]
            found[name] = [head[2].strip()] if head[2].strip() else []
        elif line.strip():
            found[name].append(line.strip())
    return found


def against_the_form(text):
    """What a docstring has that the course's docstrings have not."""
    found = sections(text)
    if len(found.get("Raises", [])) > 1:
        yield "Raises takes one line at most"
    source = " ".join(found.get("Source", []))
    if re.search(r"\b[Aa]rticles? [A-E]\b|chapters?\b|\.ipynb", source) or "Built by hand" in text:
        yield "the source is a paper or a book that can be looked up"


@pytest.mark.parametrize("name", PUBLIC)
def test_docstrings_have_the_form(name):
    assert list(against_the_form(inspect.getdoc(PUBLIC[name]))) == []


@pytest.mark.parametrize(
    "text",
    [
        "One.\n\nRaises:\n    TypeError: a.\n    ValueError: b.",
        "One.\n\nSource: article E (004); Vaswani et al., 2017.",
        "One.\n\nSource: chapters/04_transformer_language_model.ipynb",
        "One.\n\nBuilt by hand in: somewhere",
    ],
)
def test_another_form_would_be_found(text):
    assert list(against_the_form(text))
    fine = "One.\n\nRaises: ValueError for a.\n\nSource: Vaswani et al., 2017."
    assert list(against_the_form(fine)) == []


def test_examples_not_run_exist():
    assert set(NOT_RUN) <= set(PUBLIC)


@pytest.mark.parametrize("name", MODULES)
def test_examples_are_true(name):
    module = importlib.import_module(name)
    flags = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
    runner = doctest.DocTestRunner(optionflags=flags, verbose=False)
    report = []
    for test in doctest.DocTestFinder(recurse=True).find(module, name):
        if test.name not in NOT_RUN:
            runner.run(test, out=report.append)
    assert runner.failures == 0, "".join(report)
