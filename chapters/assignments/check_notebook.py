"""Is this notebook ready to hand in? Compares it with the released one.

    python check_notebook.py RELEASED.ipynb MINE.ipynb
    python check_notebook.py RELEASED.ipynb MINE.ipynb --repair REPAIRED.ipynb

It finds what a grader stumbles over: a file that is not a notebook, graded cells that are missing,
duplicated, changed or moved, and cells that have lost the names (metadata) by which they are
graded. It says how to fix each of these, and `--repair` does it, keeping your answers and your own
cells. It runs nothing and does not say whether your answers are right; the checks in the notebook
do that. It is a single file that you can copy anywhere, and it needs only Python and nbformat,
which comes with Jupyter.
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
ALIKE = 0.6  # texts at least this similar count as one text before and after a change


class Finding(NamedTuple):
    """What is wrong with a notebook.

    Attributes:
        kind: one word: file, missing, doubled, changed, moved, stripped, foreign.
        where: the cell's grade_id; empty for the file itself.
        message: what is wrong.
        repair: how to fix it.
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
        NotANotebook: if the file is not one; the exception says what it is instead.
    """
    path = pathlib.Path(path)
    if not path.is_file():
        raise NotANotebook(f"there is no file {path.name}", "Check the name and the folder.")
    if path.name.startswith("._"):
        name = path.name[2:]
        text = f"{path.name} is a file that macOS writes beside {name}, not a notebook"
        raise NotANotebook(text, f"Hand in {name}.")
    data = _read_json(path.read_bytes().decode("utf-8", errors="replace").lstrip("\ufeff"))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # cells without ids get new ones
            notebook = nbformat.reads(json.dumps(data), as_version=4)
            notebook.nbformat_minor = max(notebook.nbformat_minor, 5)
            _fresh_ids(notebook)
            nbformat.validate(notebook)
    except Exception as error:
        why = str(error).splitlines()[0]
        raise NotANotebook(f"the notebook violates Jupyter's format: {why}", AGAIN) from None
    return notebook


def _read_json(text):
    if not text.strip():
        raise NotANotebook("the file is empty", AGAIN)
    if text.lstrip().startswith("<"):
        raise NotANotebook("the file is a web page, not a notebook", AGAIN)
    try:
        data = json.loads(text)
    except (ValueError, RecursionError) as error:
        merged = re.search(r"^(<{7}|>{7})", text, re.MULTILINE)
        why = "it contains git's conflict markers" if merged else str(error)
        raise NotANotebook(f"the file is damaged or not a notebook: {why}", AGAIN) from None
    if not (isinstance(data, dict) and isinstance(data.get("cells"), list)):
        raise NotANotebook("the file is JSON but has no cells", AGAIN)
    return data


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


def is_given(cell):
    """Whether students are given this cell to run and read, without points."""
    return not (is_answer(cell) or cell.metadata["nbgrader"].get("grade", False))


def plain_text(cell):
    """The cell's text without spaces at the ends of lines, which editors add and remove."""
    return "\n".join(line.rstrip() for line in cell.source.strip().splitlines())


def same_text(first, second):
    """Whether two cells hold the same text, apart from spaces at the ends of lines."""
    return plain_text(first) == plain_text(second)


def defined_names(cell):
    """The functions and classes that a code cell defines at its top level."""
    return set(re.findall(r"^(?:def|class) (\w+)", cell.source, re.MULTILINE))


def likeness(released, cell, above):
    """How similar a nameless cell is to a released one, from 0 to 1.

    Args:
        released: the released cell.
        cell: the nameless cell.
        above: pair of the released cell above `released` and the one above `cell`, or Nones.
    """
    if released.cell_type != cell.cell_type:
        return 0.0
    if is_answer(released):
        if defined_names(released) & defined_names(cell):
            return 1.0
        follows = released.cell_type == "markdown" and None not in above
        return 0.9 if follows and same_text(*above) else 0.0
    if same_text(released, cell):
        return 1.0
    # Words: letters would take a hundred times as long, and all code looks alike to them.
    words = (re.findall(r"\w+", one.source) for one in (cell, released))
    return difflib.SequenceMatcher(None, *words, autojunk=False).ratio()


def find_nameless(released, mine, taken):
    """For each released cell whose name is not in `mine`: the place of the cell that lost it."""
    names = graded_cells(released)
    present = {grade_id(cell) for cell in mine.cells}
    found = {}
    for number, cell in enumerate(released.cells):
        name = grade_id(cell)
        if not name or name in present:
            continue
        above = released.cells[number - 1] if number else None
        score, place = 0.0, None
        for i, other in enumerate(mine.cells):
            if i not in taken and grade_id(other) not in names:
                alike = likeness(cell, other, (above, mine.cells[i - 1] if i else None))
                score, place = max((score, place), (alike, i), key=lambda pair: pair[0])
            if score == 1:
                break  # of equal ones the first
        if score >= ALIKE:
            found[name] = place
            taken.add(place)
    return found


def choose(released, mine, places):
    """Of several cells with the same name, the one to grade: the last that was worked on."""
    if not is_answer(released):
        return places[0]
    changed = [place for place in places if not same_text(mine.cells[place], released)]
    return changed[-1] if changed else places[0]


def match(released, mine):
    """Which cell of `mine` is which released one: grade_id -> place; and the duplicates."""
    places, doubled = {}, {}
    for name, cell in graded_cells(released).items():
        same = [i for i, other in enumerate(mine.cells) if grade_id(other) == name]
        if same:
            places[name] = choose(cell, mine, same)
        if len(same) > 1:
            doubled[name] = [i for i in same if i != places[name]]
    taken = set(places.values()) | {i for rest in doubled.values() for i in rest}
    return places | find_nameless(released, mine, taken), doubled


def strays(released, places):
    """The graded cells that have moved: what has to move so that the rest is in order again."""
    # The heaviest increasing chain stays. Where a cell and its neighbor have swapped places, the
    # answer cell counts as the one that moved, because only answer cells are the student's.
    chains = []
    for name, cell in graded_cells(released).items():
        if name in places:
            before = [chain for chain in chains if places[chain[1][-1]] < places[name]]
            weight, names = max(before, key=lambda chain: chain[0], default=(0, []))
            chains.append((weight + (1 if is_answer(cell) else 1.001), [*names, name]))
    _, stay = max(chains, key=lambda chain: chain[0], default=(0, []))
    return places.keys() - set(stay)


def place_above(released, name, places, cells):
    """The place of the cell below which a graded cell belongs, -1 for the top.

    That is the text that was released above it, if it still stands between the graded cells in
    `places` that come before and after; otherwise the one before.
    """
    order = [grade_id(cell) for cell in released.cells]
    number = order.index(name)
    low = max((places[other] for other in order[:number] if other in places), default=-1)
    high = min((places[other] for other in order[number:] if other in places), default=len(cells))
    for before in reversed(released.cells[:number]):
        if grade_id(before) in places:
            break
        for place in range(low + 1, high):
            if not grade_id(before) and same_text(cells[place], before):
                return place
    return low


def answers(released, mine):
    """What was written into the answer cells: grade_id -> text. Untouched cells are left out."""
    places, _ = match(released, mine)
    return {
        name: plain_text(mine.cells[places[name]])
        for name, cell in graded_cells(released).items()
        if is_answer(cell) and name in places and not same_text(mine.cells[places[name]], cell)
    }


def findings(released, mine):
    """Everything that is wrong with `mine`, in the order of the released notebook."""
    places, doubled = match(released, mine)
    # Other cells prove nothing: all assignments begin alike, and names of checks occur twice.
    if not any(is_answer(cell) for name, cell in graded_cells(released).items() if name in places):
        text = "this is a different notebook: it contains none of the assignment's answer cells"
        return [Finding("foreign", "", text, "Hand in the notebook of this assignment.")]
    moved = strays(released, places)
    found = []
    for name, cell in graded_cells(released).items():
        found += _about(name, cell, mine, places.get(name), doubled.get(name, []))
        if name in moved:
            found.append(_about_place(name, released, mine, places, moved))
    return found


def _about(name, cell, mine, place, others):
    kind = "answer cell" if is_answer(cell) else "cell"
    if place is None:
        text = f"this {kind} is missing"
        yield Finding("missing", name, text, "Copy it from the released notebook to its place.")
        return
    if others:
        text = (
            f"there are {len(others) + 1} copies of this {kind}; cell {place + 1} would be graded"
        )
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
        repair = "Copy its text from the released notebook, and put your own code into a new cell."
        yield Finding("changed", name, text, repair)


def _about_place(name, released, mine, places, moved):
    place, names = places[name], list(graded_cells(released))
    late = [n for n in names[names.index(name) :] if n in places and places[n] < place]
    text = f"cell {place + 1} has moved from its place"
    if late:
        text = f"cell {place + 1} is below {late[0]}, which must run after it"
    settled = {n: p for n, p in places.items() if n not in moved}
    above = place_above(released, name, settled, mine.cells)
    target = f"just below cell {above + 1}" if above >= 0 else "to the top"
    return Finding("moved", name, text, f"Move it {target} (cells are counted from the top).")


def notes(released, mine):
    """What is not an error but worth a look: missing answers, code that is not Python."""
    written = answers(released, mine)
    if not written:
        yield "there is no answer in this notebook: is it the right file?"
    for name, cell in graded_cells(released).items():
        if is_answer(cell) and name not in written:
            yield f"{name}: no answer yet"
        elif is_answer(cell) and cell.cell_type == "code":
            try:
                ast.parse(re.sub(r"^(\s*)[%!].*", r"\1pass", written[name], flags=re.MULTILINE))
            except (SyntaxError, ValueError) as error:
                yield f"{name}: this is not valid Python: {error}"


def repaired(released, mine):
    """A copy of `mine` that can be graded: names, checks and order as released, answers kept."""
    result, names = copy.deepcopy(mine), graded_cells(released)
    places, doubled = match(released, mine)
    cells, chosen = result.cells, {place: name for name, place in places.items()}
    unwanted = {
        place
        for name, others in doubled.items()
        for place in others
        if not is_answer(names[name]) or same_text(cells[place], names[name])
    }
    for place, cell in enumerate(cells):
        if place in chosen:
            _restore(cell, names[chosen[place]])
        else:
            for key in ("nbgrader", "deletable", "editable"):
                cell.metadata.pop(key, None)
    result.cells = [cell for place, cell in enumerate(cells) if place not in unwanted]
    _settle(result, released, strays(released, places))
    _keep_own_code(result, released, {name: mine.cells[place] for name, place in places.items()})
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


def _settle(result, released, moved):
    """Puts the moved cells, and copies of the missing ones, below what was released above them."""
    own = {grade_id(cell): cell for cell in result.cells if grade_id(cell) in moved}
    result.cells = [cell for cell in result.cells if grade_id(cell) not in moved]
    for name, cell in graded_cells(released).items():
        places = {grade_id(c): place for place, c in enumerate(result.cells) if grade_id(c)}
        if name not in places:
            above = place_above(released, name, places, result.cells)
            result.cells.insert(above + 1, own.get(name) or copy.deepcopy(cell))


def _keep_own_code(result, released, mine):
    """Puts what was written into a given cell, say an import, into a cell of its own below it."""
    for name, cell in graded_cells(released).items():
        given = is_given(cell) and cell.cell_type == "code"
        if given and name in mine and not same_text(mine[name], cell):
            place = [grade_id(other) for other in result.cells].index(name)
            result.cells.insert(place + 1, nbformat.v4.new_code_cell(mine[name].source))


def _fresh_ids(notebook):
    seen = set()
    for number, cell in enumerate(notebook.cells):
        if cell.get("id") in seen or not cell.get("id"):
            cell["id"] = f"repaired-{number}"
        seen.add(cell["id"])


def report(released, path):
    """Prints what is wrong with the notebook at `path`; returns it (None if it is not one)."""
    try:
        mine = read_notebook(path)
        found = findings(released, mine)
    except NotANotebook as error:
        mine, found = None, [error.finding]
    if not found:
        print(f"{path.name}: nothing is missing, duplicated, changed or moved")
    for number, finding in enumerate(found, start=1):
        where = f"{finding.where}: " if finding.where else ""
        print(f"{number}. {where}{finding.message}\n   {finding.repair}")
    for note in notes(released, mine) if mine else []:
        print(f"note: {note}")
    if path.is_file() and path.stat().st_size > LARGE:
        print(f"note: {path.stat().st_size / 1e6:.0f} MB; clear the outputs before you hand it in")
    return mine, found


def main(arguments=None):
    """Reads the command line; the exit code is 0 if the notebook can be handed in."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("released", type=pathlib.Path, help="the notebook that you were given")
    parser.add_argument("mine", type=pathlib.Path, help="the notebook to hand in")
    parser.add_argument("--repair", type=pathlib.Path, help="where to write a repaired copy")
    options = parser.parse_args(arguments)
    try:
        released = read_notebook(options.released)
    except NotANotebook as error:
        parser.error(f"{options.released.name}: {error}")
    mine, found = report(released, options.mine)
    if found and options.repair and mine and found[0].kind != "foreign":
        if options.repair.exists():
            parser.error(f"{options.repair} already exists; name another file")
        text = nbformat.writes(repaired(released, mine)) + "\n"
        options.repair.write_text(text, encoding="utf-8")
        print(f"repaired: {options.repair}; open it, run all cells, and hand it in")
        return 0
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
