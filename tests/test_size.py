"""The package stays small: lengths of files, bodies and docstrings, comments, tests beside it.

Everything is counted on the syntax tree by tests/benchmarks/sizes.py, which measures other
people's packages in the same way.
"""

import importlib.util
import pathlib

import pytest

ROOT = pathlib.Path(__file__).parents[1]
PACKAGE = ROOT / "lmkit"
FILE, BODY, DOCSTRING = 250, 30, 10  # lines; a docstring may have its body's and ten more
# The rebuild reached 2,750; what later chapters need comes on top: byte-pair tokenizers,
# segmentation and the help corpus 400, word vectors and docstrings 250. At the end, with all
# fourteen chapters, it is 4,200.
BUDGET = 3_400
COMMENTS = 12  # per 100 lines of code, over the whole package
# What a package's __init__ defines itself is tested where the package is; the loaders share
# their fixtures.
ELSEWHERE = {
    "lmkit/__init__.py": "test_imports.py",
    # What a byte-pair tokenizer is made of is tested with it.
    "lmkit/tokenizers/_byte_level.py": "test_tokenizers_bpe.py",
    "lmkit/tokenizers/_merging.py": "test_tokenizers_bpe.py",
    **{f"lmkit/datasets/{name}.py": "test_datasets.py"
       for name in ("docstrings", "help", "imdb", "results", "reviews", "shipped", "text")},
}  # fmt: skip


def load_sizes():
    path = ROOT / "tests" / "benchmarks" / "sizes.py"
    spec = importlib.util.spec_from_file_location("sizes", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


sizes = load_sizes()
SOURCES = {
    path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8")
    for path in sorted(PACKAGE.rglob("*.py"))
}

# Every check takes sources, a dict from a file's path to its text, and yields what is wrong.


def long_files(sources):
    for path, text in sources.items():
        if (lines := sizes.measure(text).lines) > FILE:
            yield f"{path} has {lines} lines: at most {FILE}"


def long_bodies(sources):
    for path, text in sources.items():
        for part in sizes.measure(text).parts:
            if part.kind == "function" and part.body > BODY:
                yield f"{path}:{part.line} {part.name}'s body has {part.body} lines: at most {BODY}"


def long_docstrings(sources):
    for path, text in sources.items():
        for part in sizes.measure(text).parts:
            if part.docstring > part.body + DOCSTRING:
                yield (
                    f"{path}:{part.line} the docstring of {part.name or 'the module'} has "
                    f"{part.docstring} lines, its body {part.body}: at most {DOCSTRING} more"
                )


def over_budget(sources):
    code = sum(sizes.measure(text).code for text in sources.values())
    if code > BUDGET:
        yield f"the package has {code} lines of code: at most {BUDGET}"


def too_few_comments(sources):
    measured = [sizes.measure(text) for text in sources.values()]
    comments, code = (sum(getattr(one, what) for one in measured) for what in ("comments", "code"))
    if 100 * comments < COMMENTS * code:
        share = 100 * comments / code
        yield f"{share:.1f} comments per 100 lines of code: at least {COMMENTS}"


def untested_modules(sources, tests=ROOT / "tests"):
    for path, text in sources.items():
        parts = [part.strip("_") for part in pathlib.Path(path).with_suffix("").parts[1:]]
        only_exports = parts[-1] == "init" and len(sizes.measure(text).parts) == 1
        name = ELSEWHERE.get(path, f"test_{'_'.join(parts)}.py")
        if not only_exports and not (tests / name).exists():
            yield f"{path} has no tests/{name}"


CHECKS = [
    long_files, long_bodies, long_docstrings, over_budget, too_few_comments, untested_modules,
]  # fmt: skip


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_the_package(check):
    assert list(check(SOURCES)) == []


def lines(count, line="x = 1"):
    return "\n".join([line] * count)


DOCUMENTED = '''def f(x):
    """One.

    {}
    """
    return x
'''
# One line above what is allowed, and what the check says about it.
BAD = {
    "long_files": (lines(251) + "\n", "has 251 lines: at most 250"),
    "long_bodies": (
        "class A:\n    def f(self):\n        '''One.'''\n" + lines(31, "        x = 1"),
        "m.py:3 A.f's body has 31 lines: at most 30",
    ),
    # The quotes with the first sentence, a blank, nine more, the quotes: twelve; the body is one.
    "long_docstrings": (
        DOCUMENTED.format(lines(9, "    more").strip()),
        "of f has 12 lines, its body 1: at most 10 more",
    ),
    "over_budget": (lines(BUDGET + 1) + "\n", f"has {BUDGET + 1} lines of code: at most {BUDGET}"),
    "too_few_comments": (
        lines(89) + "\n" + lines(11, "x = 1  # why") + "\n",
        "11.0 comments per 100 lines of code: at least 12",
    ),
    "untested_modules": ("def f():\n    pass\n", "lmkit/m.py has no tests/test_m.py"),
}
# The same with one line less.
GOOD = {
    "long_files": lines(250) + "\n",
    "long_bodies": "class A:\n    def f(self):\n        '''One.'''\n" + lines(30, "        x = 1"),
    "long_docstrings": DOCUMENTED.format(lines(8, "    more").strip()),
    "over_budget": lines(BUDGET) + "\n",
    "too_few_comments": lines(88) + "\n" + lines(12, "x = 1  # why") + "\n",
}


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_a_check_finds_what_it_is_for(check):
    bad, words = BAD[check.__name__]
    (found,) = check({"lmkit/m.py": bad})
    assert words in found
    if check is untested_modules:
        assert list(check({"lmkit/size.py": bad})) == []  # tests/test_size.py: this file
    else:
        assert list(check({"lmkit/m.py": GOOD[check.__name__]})) == []


def test_names_of_tests(tmp_path):
    (tmp_path / "test_layers_attention.py").touch()
    (tmp_path / "test_arguments.py").touch()
    code = "def f():\n    pass\n"
    fine = {
        "lmkit/layers/attention.py": code,
        "lmkit/_arguments.py": code,
        "lmkit/layers/__init__.py": "from lmkit.layers.attention import attend\n",
    }
    assert list(untested_modules(fine, tmp_path)) == []
    assert list(untested_modules({"lmkit/layers/__init__.py": code}, tmp_path))
    assert list(untested_modules({"lmkit/__init__.py": code}, tmp_path)) == [
        "lmkit/__init__.py has no tests/test_imports.py"
    ]


SOURCE = '''"""Two lines
of a docstring."""

import keras  # noqa: F401


class Model:
    """One line."""

    table = "# no comment"

    @property
    def size(self):
        """One line."""

        # Why.
        def inner(x):
            return x  # (B, T)

        return inner(
            3,
        )


if True:
    def late(): pass
'''


def test_every_kind_of_line_by_hand():
    found = sizes.measure(SOURCE)
    # Code: import, class, table, @property, def size, def inner, return x, return inner( 3, ),
    # if, def late. Blanks inside and the directive to the linter count nowhere.
    assert (found.lines, found.code, found.comments, found.docstrings) == (26, 12, 2, 4)
    assert [(part.name, part.kind, part.docstring, part.body) for part in found.parts] == [
        ("", "module", 2, 23),  # from the import in line 4 to line 26
        ("Model", "class", 1, 13),
        ("Model.size", "function", 1, 6),
        ("Model.size.inner", "function", 0, 1),
        ("late", "function", 0, 1),
    ]


def test_a_row_of_the_table_by_hand():
    measured = [sizes.measure(SOURCE), sizes.measure("x = 1\n")]
    # 27 lines, 13 of code, 2 comments, 4 of docstrings; bodies 6, 1 and 1.
    assert sizes.row("us", measured) == ["us", 2, "27", "13", "15", "15%", 3, "1", 6, "26"]
    assert sizes.table([["us"]]).splitlines()[2] == "| us |"


def test_tests_are_not_measured(tmp_path):
    for name in ("a.py", "test_a.py", "a_test.py", "latest.py"):
        (tmp_path / name).write_text("x = 1\n")
    assert [path.name for path in sizes.files(tmp_path)] == ["a.py", "latest.py"]
    assert sizes.files(tmp_path / "a.py") == [tmp_path / "a.py"]
