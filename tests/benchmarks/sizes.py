"""Measures Python code: how long its files and functions are, and what the lines hold.

    python tests/benchmarks/sizes.py lmkit
    python tests/benchmarks/sizes.py lmkit keras_hub=PATH/keras_hub/src

Prints one markdown table with a row for each folder or file. Everything is counted on the
syntax tree and the tokens, so a string that looks like a comment is not one. Files named
test_*.py and *_test.py are left out.
"""

import argparse
import ast
import io
import pathlib
import re
import statistics
import tokenize
from typing import NamedTuple

HEAD = [
    "", "files", "lines", "code lines", "comments per 100 code lines", "docstrings",
    "functions", "median body", "longest body", "longest file",
]  # fmt: skip
# Directions to a tool explain nothing to a reader.
PRAGMA = re.compile(r"#\s*(noqa|fmt:|type:|pragma:|ruff:|pylint:|isort:)", re.IGNORECASE)
NOT_CODE = {
    tokenize.NL,
    tokenize.NEWLINE,
    tokenize.INDENT,
    tokenize.DEDENT,
    tokenize.ENDMARKER,
}
DEFINITIONS = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


class Part(NamedTuple):
    """A module, class or function, and how many lines it has.

    Attributes:
        name: with the names around it, such as "Model.call"; empty for the module.
        kind: "module", "class" or "function".
        docstring: lines of the docstring, 0 without one.
        body: lines from the first statement after the docstring to the last one. Blanks and
            comments between them count; decorators and arguments do not.
        line: where it begins.
    """

    name: str
    kind: str
    docstring: int
    body: int
    line: int


class File(NamedTuple):
    """What a source text holds.

    Attributes:
        lines: all lines.
        code: lines with something on them besides docstrings and comments.
        comments: comments, at the end of a line or alone, without directions to tools.
        docstrings: lines of docstrings.
        parts: the module, its classes and its functions, methods and inner ones included.
    """

    lines: int
    code: int
    comments: int
    docstrings: int
    parts: list


def docstring_of(node):
    """The statement that is a node's docstring, or None."""
    first = node.body[0] if node.body else None
    text = isinstance(first, ast.Expr) and getattr(first.value, "value", None)
    return first if isinstance(text, str) else None


def part_of(node, name, kind):
    """The `Part` that a node of the syntax tree is."""
    docstring = docstring_of(node)
    body = node.body[1:] if docstring else node.body
    if not body:
        return Part(name, kind, _length(docstring) if docstring else 0, 0, 1)
    top = min([body[0].lineno, *(one.lineno for one in getattr(body[0], "decorator_list", []))])
    lines = body[-1].end_lineno - top + 1
    return Part(name, kind, _length(docstring) if docstring else 0, lines, node.body[0].lineno)


def _length(node):
    return node.end_lineno - node.lineno + 1


def _inside(node):
    """The definitions in a node that no other definition holds."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, DEFINITIONS):
            yield child
        else:
            yield from _inside(child)


def _walk(node, name=""):
    for child in _inside(node):
        full = f"{name}.{child.name}" if name else child.name
        kind = "class" if isinstance(child, ast.ClassDef) else "function"
        yield child, part_of(child, full, kind)
        yield from _walk(child, full)


def measure(source):
    """Measures a source text.

    Args:
        source: the text of a Python file.

    Returns:
        A `File`.
    """
    tree = ast.parse(source)
    found = [(tree, part_of(tree, "", "module")), *_walk(tree)]
    docstrings = set()
    for node, _ in found:
        if statement := docstring_of(node):
            docstrings |= set(range(statement.lineno, statement.end_lineno + 1))
    code, comments = set(), 0
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            comments += not PRAGMA.match(token.string)
        elif token.type not in NOT_CODE:
            code |= set(range(token.start[0], token.end[0] + 1))
    parts = [part for _, part in found]
    return File(source.count("\n"), len(code - docstrings), comments, len(docstrings), parts)


def files(path):
    """The source files of a folder, without tests; a file is itself."""
    path = pathlib.Path(path)
    found = [path] if path.is_file() else sorted(path.rglob("*.py"))
    return [one for one in found if not re.search(r"^test_|_test\.py$", one.name)]


def row(name, measured):
    """One row of the table: the sums, medians and maxima over files that were measured."""
    bodies = [part.body for file in measured for part in file.parts if part.kind == "function"]
    lines, code, comments, docstrings = (
        sum(getattr(file, kind) for file in measured)
        for kind in ("lines", "code", "comments", "docstrings")
    )
    return [
        name,
        len(measured),
        f"{lines:,}",
        f"{code:,}",
        f"{100 * comments / max(code, 1):.0f}",
        f"{docstrings / max(lines, 1):.0%}",
        len(bodies),
        f"{statistics.median(bodies):.0f}" if bodies else "",
        max(bodies, default=""),
        f"{max(file.lines for file in measured):,}",
    ]


def table(rows):
    """A markdown table."""
    lines = [HEAD, ["---"] * len(HEAD), *rows]
    return "\n".join(f"| {' | '.join(map(str, line))} |" for line in lines)


def main():
    """Reads the command line and prints."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("places", nargs="+", metavar="[NAME=]PATH")
    rows = []
    for place in parser.parse_args().places:
        name, _, path = place.rpartition("=")
        texts = [file.read_text(encoding="utf-8") for file in files(path)]
        if not texts:
            parser.error(f"there is no Python file in {path}")
        rows.append(row(name or path, [measure(text) for text in texts]))
    print(table(rows))


if __name__ == "__main__":
    main()
