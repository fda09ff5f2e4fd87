"""Is this notebook ready to hand in? Compares it with the released one.

    python check_notebook.py RELEASED.ipynb MINE.ipynb
    python check_notebook.py RELEASED.ipynb MINE.ipynb --repair REPAIRED.ipynb

Finds what a grader stumbles over: a file that is no notebook, graded cells that are missing,
doubled or changed, and cells that lost the names (metadata) by which they are graded. It says how
to repair each, and `--repair` does it: your answers and your own cells are kept. It runs nothing
and does not say whether the answers are right; the checks in the notebook do. It needs Python and
nbformat, which comes with Jupyter; it stands in one file, so you can copy it anywhere.
"""

import argparse
import ast
import copy
import difflib
import json
import pathlib
import re
import sys
import warnings
from typing import NamedTuple

import nbformat

LARGE = 10_000_000  # bytes; hand-in pages often refuse more
ALIKE = 0.6  # from here on two texts count as one text and its changed form


class Finding(NamedTuple):
    """What is wrong with a notebook.

    Attributes:
        kind: one word: file, missing, doubled, changed, stripped, foreign.
        where: the cell's grade_id; empty for the file itself.
        message: what is wrong.
        repair: what to do about it.
    """

    kind: str
    where: str
    message: str
    repair: str


class NotANotebook(Exception):  # noqa: N818  # a sentence, not an error of ours
    """The file cannot be read as a notebook; `finding` says why."""

    def __init__(self, message, repair):
        super().__init__(message)
        self.finding = Finding("file", "", message, repair)


AGAIN = "Save it again in Jupyter, or in Colab: File, Download, Download .ipynb."


def read_notebook(path):
    """Reads a notebook.

    Raises:
        NotANotebook: if the file is none; the exception says what it is instead.
    """
    path = pathlib.Path(path)
    if not path.is_file():
        raise NotANotebook(f"there is no file {path.name}", "Check the name and the folder.")
    text = path.read_bytes().decode("utf-8", errors="replace").lstrip("\ufeff")
    if not text.strip():
        raise NotANotebook("the file is empty", AGAIN)
    if text.lstrip().startswith("<"):
        raise NotANotebook("the file is a web page, not a notebook", AGAIN)
    try:
        data = json.loads(text)
    except (ValueError, RecursionError) as error:
        merged = re.search(r"^(<{7}|>{7})", text, re.MULTILINE)
        why = "git left its conflict marks in it" if merged else str(error)
        raise NotANotebook(f"the file is damaged or no notebook: {why}", AGAIN) from None
    if not (isinstance(data, dict) and isinstance(data.get("cells"), list)):
        raise NotANotebook("the file is JSON but holds no cells", AGAIN)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # cells without ids get some
            notebook = nbformat.reads(json.dumps(data), as_version=4)
            notebook.nbformat_minor = max(notebook.nbformat_minor, 5)
            _fresh_ids(notebook)
            nbformat.validate(notebook)
    except Exception as error:
        why = str(error).splitlines()[0]
        raise NotANotebook(f"the notebook breaks Jupyter's format: {why}", AGAIN) from None
    return notebook


def grade_id(cell):
    """The cell's name in nbgrader's metadata, "" if it has none."""
    data = cell.metadata.get("nbgrader")
    name = data.get("grade_id") if isinstance(data, dict) else ""
    return name if isinstance(name, str) else ""


def graded_cells(notebook):
    """The cells with a name, in order: grade_id -> cell."""
    return {grade_id(cell): cell for cell in notebook.cells if grade_id(cell)}


def is_answer(cell):
    """Whether students write into this cell."""
    return cell.metadata["nbgrader"].get("solution", False)


def same_text(first, second):
    """Whether two cells hold the same text, blanks at line ends aside."""
    lines = (
        [line.rstrip() for line in cell.source.strip().splitlines()] for cell in (first, second)
    )
    return next(lines) == next(lines)


def defined_names(cell):
    """The functions and classes that a code cell defines at its left edge."""
    return set(re.findall(r"^(?:def|class) (\w+)", cell.source, re.MULTILINE))


def likeness(released, cell, before_released, before):
    """How much a nameless cell looks like a released one, from 0 to 1."""
    if released.cell_type != cell.cell_type:
        return 0.0
    if is_answer(released):
        if defined_names(released) & defined_names(cell):
            return 1.0
        follows = before is not None and before_released is not None
        follows = follows and released.cell_type == "markdown"
        return 0.9 if follows and same_text(before_released, before) else 0.0
    matcher = difflib.SequenceMatcher(None, released.source, cell.source, autojunk=False)
    return matcher.ratio() if matcher.quick_ratio() >= ALIKE else 0.0


def find_nameless(released, mine, taken):
    """For each released cell whose name is nowhere in `mine`: the cell that lost it."""
    names = graded_cells(released)
    present = {grade_id(cell) for cell in mine.cells}
    found = {}
    for number, cell in enumerate(released.cells):
        name = grade_id(cell)
        if not name or name in present:
            continue
        before_released = released.cells[number - 1] if number else None
        scores = [
            (likeness(cell, other, before_released, mine.cells[i - 1] if i else None), -i)
            for i, other in enumerate(mine.cells)
            if i not in taken and grade_id(other) not in names
        ]
        score, place = max(scores, default=(0.0, 0))
        if score >= ALIKE:
            found[name] = -place
            taken.add(-place)
    return found


def choose(released, mine, places):
    """Of several cells with one name the one to grade: the last that was worked on."""
    if not is_answer(released):
        return places[0]
    changed = [place for place in places if not same_text(mine.cells[place], released)]
    return changed[-1] if changed else places[0]


def match(released, mine):
    """Which cell of `mine` is which released one: grade_id -> place; and the doubled ones."""
    places, doubled = {}, {}
    for name, cell in graded_cells(released).items():
        same = [i for i, other in enumerate(mine.cells) if grade_id(other) == name]
        if same:
            places[name] = choose(cell, mine, same)
        if len(same) > 1:
            doubled[name] = [i for i in same if i != places[name]]
    taken = set(places.values()) | {i for rest in doubled.values() for i in rest}
    return places | find_nameless(released, mine, taken), doubled


def findings(released, mine):
    """Everything that is wrong with `mine`, in the order of the released notebook."""
    names = graded_cells(released)
    places, doubled = match(released, mine)
    if not places:
        text = "this is another notebook: it holds none of the assignment's cells"
        return [Finding("foreign", "", text, "Hand in the notebook of this assignment.")]
    return [
        finding
        for name, cell in names.items()
        for finding in _about(name, cell, mine, places.get(name), doubled.get(name, []))
    ]


def _about(name, cell, mine, place, others):
    kind = "answer cell" if is_answer(cell) else "cell"
    if place is None:
        text = f"this {kind} is missing"
        yield Finding("missing", name, text, "Copy it from the released notebook to its place.")
        return
    if others:
        text = f"this {kind} is there {len(others) + 1} times; cell {place + 1} would be graded"
        yield Finding("doubled", name, text, "Keep one and delete the others.")
    if grade_id(mine.cells[place]) != name:
        text = f"cell {place + 1} has lost the name by which it is graded"
        repair = "Put your answer into a fresh copy of the released notebook."
        yield Finding("stripped", name, text, repair)
    elif mine.cells[place].cell_type != cell.cell_type:
        text = f"cell {place + 1} was a {cell.cell_type} cell"
        yield Finding("changed", name, text, f"Make it a {cell.cell_type} cell again.")
    if not is_answer(cell) and not same_text(mine.cells[place], cell):
        text = f"cell {place + 1} was changed; only the answer cells are yours to change"
        yield Finding("changed", name, text, "Copy its text from the released notebook.")


def notes(released, mine):
    """What is no fault of the file but worth a look: no answer yet, code that is no Python."""
    places, _ = match(released, mine)
    for name, cell in graded_cells(released).items():
        if not is_answer(cell) or name not in places:
            continue
        answer = mine.cells[places[name]]
        if same_text(answer, cell):
            yield f"{name}: no answer yet"
        elif cell.cell_type == "code":
            try:
                ast.parse(re.sub(r"^(\s*)[%!].*", r"\1pass", answer.source, flags=re.MULTILINE))
            except (SyntaxError, ValueError) as error:
                yield f"{name}: Python cannot read it: {error}"


def repaired(released, mine):
    """A copy of `mine` that can be graded: names and checks as released, the answers kept."""
    result, names = copy.deepcopy(mine), graded_cells(released)
    places, doubled = match(released, mine)
    cells = result.cells
    for name, place in places.items():
        _restore(cells[place], names[name])
    chosen = {place: name for name, place in places.items()}
    unwanted = set()
    for name, others in doubled.items():
        for place in others:
            if not is_answer(names[name]) or same_text(cells[place], names[name]):
                unwanted.add(place)
    for place, cell in enumerate(cells):
        if place not in chosen:
            for key in ("nbgrader", "deletable", "editable"):
                cell.metadata.pop(key, None)
    result.cells = [cell for place, cell in enumerate(cells) if place not in unwanted]
    _insert_missing(result, released, set(places))
    _fresh_ids(result)
    return result


def _restore(cell, released):
    if cell.cell_type != released.cell_type:
        cell.cell_type = released.cell_type
        for key in ("outputs", "execution_count"):
            cell.pop(key, None)
        if released.cell_type == "code":
            cell.update(outputs=[], execution_count=None)
        else:
            cell.setdefault("attachments", {})
    for key in ("nbgrader", "deletable", "editable"):
        cell.metadata.pop(key, None)
        if key in released.metadata:
            cell.metadata[key] = copy.deepcopy(released.metadata[key])
    if not is_answer(released):
        cell.source = released.source


def _insert_missing(result, released, present):
    """Puts each missing cell behind the graded cell that it follows in the released notebook."""
    before = None
    for name, cell in graded_cells(released).items():
        if name not in present:
            order = [grade_id(other) for other in result.cells]
            place = order.index(before) + 1 if before else 0
            if before is None:  # the first: ahead of the next one that is there
                later = [order.index(n) for n in graded_cells(released) if n in present]
                place = min(later, default=len(order))
            result.cells.insert(place, copy.deepcopy(cell))
        before = name


def _fresh_ids(notebook):
    seen = set()
    for number, cell in enumerate(notebook.cells):
        if cell.get("id") in seen or not cell.get("id"):
            cell["id"] = f"repaired-{number}"
        seen.add(cell["id"])


def report(released, path):
    """Prints what is wrong with the notebook at `path`; returns it, None if it is no notebook."""
    try:
        mine = read_notebook(path)
        found = findings(released, mine)
    except NotANotebook as error:
        mine, found = None, [error.finding]
    if not found:
        print(f"{path.name}: nothing is missing, doubled or changed")
    for number, finding in enumerate(found, start=1):
        where = f"{finding.where}: " if finding.where else ""
        print(f"{number}. {where}{finding.message}\n   {finding.repair}")
    for note in notes(released, mine) if mine else []:
        print(f"note: {note}")
    if path.is_file() and path.stat().st_size > LARGE:
        print(f"note: {path.stat().st_size / 1e6:.0f} MB; clear the outputs before you hand in")
    return mine, found


def main(arguments=None):
    """Reads the command line; the exit code is 0 if the notebook can be handed in."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("released", type=pathlib.Path, help="the notebook that you were given")
    parser.add_argument("mine", type=pathlib.Path, help="the notebook to hand in")
    parser.add_argument("--repair", type=pathlib.Path, help="write a repaired copy there")
    options = parser.parse_args(arguments)
    try:
        released = read_notebook(options.released)
    except NotANotebook as error:
        parser.error(f"{options.released.name}: {error}")
    mine, found = report(released, options.mine)
    if found and options.repair and mine and found[0].kind != "foreign":
        if options.repair.exists():
            parser.error(f"{options.repair} exists already; name another file")
        text = nbformat.writes(repaired(released, mine)) + "\n"
        options.repair.write_text(text, encoding="utf-8")
        print(f"repaired: {options.repair}; open it, run all cells, and hand it in")
        return 0
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
