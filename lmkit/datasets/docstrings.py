"""Docstrings of the packages that the course needs anyway: technical English on every machine."""

import ast
import importlib.util
import sysconfig
import warnings
from pathlib import Path

from lmkit import _arguments

STDLIB = "standard library"
PACKAGES = (STDLIB, "numpy", "keras", "tensorflow", "matplotlib")
# Tests, packages installed below the standard library, and long lists of nothing but imports.
NOT_READ = {"test", "tests", "idle_test", "site-packages", "dist-packages", "_api", "_tf_keras"}
FEW, MANY, LONG = 4, 25, 20  # words: a first line has FEW to MANY, a body at least LONG
DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)


def load_docstrings(packages=PACKAGES):
    """Loads docstrings from the source files of installed packages, which are not imported.

    Kept are those with a first line of 4 to 25 words and a body of at least 20. The first of
    several with the same first line or body stays. That is 12,076 pairs and 1,508,000 words
    with TensorFlow 2.21, Keras 3.15 and NumPy 2.4. Other versions hold others, so print
    versions beside numbers. Reading takes 15 to 20 seconds.

    Args:
        packages: names of packages; "standard library" is Python's own.

    Returns:
        A list of pairs (first line, body), package after package, file by file.

    Example:
        >>> first_line, body = load_docstrings(["numpy"])[0]
    """
    if isinstance(packages, str):
        raise TypeError(f"packages must be a list of names, got one: put {packages!r} in a list")
    found, seen = [], set()
    for text in (text for name in packages for file in _files(name) for text in _read(file)):
        first, _, body = text.partition("\n")
        first, body = first.strip(), body.strip()
        fits = FEW <= len(first.split()) <= MANY and len(body.split()) >= LONG
        if fits and seen.isdisjoint((first, body)):
            seen |= {first, body}
            found.append((first, body))
    return found


def _files(package):
    """Lists a package's source files, in the same order on every machine."""
    _arguments.text(package, "a package's name")
    if package == STDLIB:
        folders = [sysconfig.get_path("stdlib")]
    else:
        spec = importlib.util.find_spec(package) if package.isidentifier() else None
        if spec is None or not spec.submodule_search_locations:
            raise ImportError(f"{package!r} is not installed, or is no package: leave it out")
        folders = spec.submodule_search_locations
    for folder in map(Path, folders):
        # Sorted by parts, because the separator between them differs between systems.
        for file in sorted(folder.rglob("*.py"), key=lambda file: file.parts):
            if NOT_READ.isdisjoint(file.relative_to(folder).parts):
                yield file


def _read(file):
    """Lists the docstrings of a source file, from top to bottom."""
    try:
        # What Python warns of, such as an old escape in a text, is not the reader's business.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            nodes = list(_statements(ast.parse(file.read_bytes())))
    except (SyntaxError, ValueError, RecursionError):  # templates, and files for another Python
        return []
    texts = [ast.get_docstring(node) for node in nodes if isinstance(node, DOCUMENTED)]
    return [text for text in texts if text]


def _statements(node):
    """Yields a statement and those inside it; `ast.walk` would visit every expression as well."""
    yield node
    for block in ("body", "orelse", "handlers", "finalbody"):
        for child in getattr(node, block, ()):
            yield from _statements(child)
