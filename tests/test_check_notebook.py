"""The checker that students run before they hand in."""

import copy
import importlib.util
import json
import pathlib
import subprocess
import sys

import nbformat
import pytest

ROOT = pathlib.Path(__file__).parents[1]
FOLDER = ROOT / "chapters" / "assignments"
RELEASED = FOLDER / "release" / "01_rnn_classifier" / "01_rnn_classifier.ipynb"

spec = importlib.util.spec_from_file_location("check_notebook", FOLDER / "check_notebook.py")
check_notebook = importlib.util.module_from_spec(spec)
spec.loader.exec_module(check_notebook)


@pytest.fixture
def released():
    return check_notebook.read_notebook(RELEASED)


@pytest.fixture
def mine(released):
    """The released notebook with two answers in it, and a cell of the student's own."""
    mine = copy.deepcopy(released)
    place(mine, "task_3_f_beta").source = "def f_beta(*arguments):\n    return 0.5\n"
    place(mine, "proof_4_sums").source = "The sum does not depend on the order."
    mine.cells.insert(7, nbformat.v4.new_code_cell("x = 1"))
    return mine


def place(notebook, name):
    (cell,) = [c for c in notebook.cells if check_notebook.grade_id(c) == name]
    return cell


def strip(notebook):
    for cell in notebook.cells:
        cell.metadata.clear()
    return notebook


def kinds(released, mine):
    return [(finding.kind, finding.where) for finding in check_notebook.findings(released, mine)]


def assert_repaired(released, mine):
    result = check_notebook.repaired(released, mine)
    nbformat.validate(result)
    assert not check_notebook.findings(released, result)
    assert list(check_notebook.graded_cells(result)) == list(check_notebook.graded_cells(released))
    return result


def test_a_notebook_with_answers_is_fine(released, mine):
    assert not kinds(released, mine)
    notes = list(check_notebook.notes(released, mine))
    assert "task_1_encode_and_pad: no answer yet" in notes
    assert not [note for note in notes if "f_beta" in note or "proof" in note]


def test_a_missing_check_is_found_and_put_back(released, mine):
    mine.cells.remove(place(mine, "check_2_mask"))
    assert kinds(released, mine) == [("missing", "check_2_mask")]
    result = assert_repaired(released, mine)
    assert [cell.source for cell in result.cells].count("x = 1") == 1


def test_a_missing_first_cell_is_put_before_its_checks(released, mine):
    mine.cells.remove(place(mine, "task_1_encode_and_pad"))
    assert kinds(released, mine) == [("missing", "task_1_encode_and_pad")]
    result = assert_repaired(released, mine)
    assert "NotImplementedError" in place(result, "task_1_encode_and_pad").source


def test_a_doubled_answer_keeps_the_one_that_was_worked_on(released, mine):
    stub = copy.deepcopy(place(released, "task_3_f_beta"))
    mine.cells.insert(mine.cells.index(place(mine, "task_3_f_beta")) + 1, stub)
    assert kinds(released, mine) == [("doubled", "task_3_f_beta")]
    (finding,) = check_notebook.findings(released, mine)
    assert "2 copies" in finding.message
    assert "delete" in finding.repair
    result = assert_repaired(released, mine)
    assert "return 0.5" in place(result, "task_3_f_beta").source
    assert len(result.cells) == len(mine.cells) - 1


def test_a_doubled_answer_that_differs_stays_as_an_ordinary_cell(released, mine):
    other = copy.deepcopy(place(mine, "task_3_f_beta"))
    other.source = "def f_beta(*arguments):\n    return 0.25\n"
    mine.cells.insert(mine.cells.index(place(mine, "task_3_f_beta")) + 1, other)
    result = assert_repaired(released, mine)
    assert "0.25" in place(result, "task_3_f_beta").source  # the last: the one that counted
    assert len(result.cells) == len(mine.cells)


def test_a_changed_check_is_found_and_restored(released, mine):
    place(mine, "check_3_value").source = "pass"
    assert kinds(released, mine) == [("changed", "check_3_value")]
    result = assert_repaired(released, mine)
    assert place(result, "check_3_value").source == place(released, "check_3_value").source


def test_a_changed_type_is_found_and_restored(released, mine):
    cell = place(mine, "task_3_f_beta")
    cell.cell_type = "raw"
    del cell["outputs"], cell["execution_count"]
    assert kinds(released, mine) == [("changed", "task_3_f_beta")]
    result = assert_repaired(released, mine)
    assert "return 0.5" in place(result, "task_3_f_beta").source


def test_stripped_metadata_are_found_and_restored(released, mine):
    names = list(check_notebook.graded_cells(released))
    stripped = strip(copy.deepcopy(mine))
    assert kinds(released, stripped) == [("stripped", name) for name in names]
    result = assert_repaired(released, stripped)
    for name in names:
        assert place(result, name).source == place(mine, name).source


def test_a_changed_check_without_its_name_is_still_known(released, mine):
    place(mine, "check_3_value").source = place(mine, "check_3_value").source.replace("6 / 9", "1")
    found = kinds(released, strip(mine))
    assert ("changed", "check_3_value") in found
    assert ("stripped", "check_3_value") in found
    result = assert_repaired(released, mine)
    assert "6 / 9" in place(result, "check_3_value").source


def test_another_notebook_is_recognized(released):
    other = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("print(1)")])
    assert kinds(released, other) == [("foreign", "")]


@pytest.mark.parametrize("stripped", [False, True])
def test_another_assignment_is_foreign_though_its_setup_is_alike(released, stripped):
    for path in FOLDER.glob("release/*/*.ipynb"):
        other = check_notebook.read_notebook(path)
        found = kinds(released, strip(other) if stripped else other)
        assert (found == [("foreign", "")]) == (path != RELEASED), path.name


def test_code_that_is_not_python_is_noted(released, mine):
    place(mine, "task_3_f_beta").source = "def f_beta(:\n    pass"
    assert [n for n in check_notebook.notes(released, mine) if "not valid Python" in n]


def test_a_notebook_without_any_answer_may_be_the_wrong_file(released, mine):
    assert "is it the right file?" in next(check_notebook.notes(released, released))
    assert "is it the right file?" not in next(check_notebook.notes(released, mine))


# Cells that were dragged. Jupyter and Colab move a cell with one wrong movement of the mouse.


def drag(notebook, name, to):
    """Moves a cell so that it stands above the cell that is now at place `to`."""
    cell = place(notebook, name)
    above = notebook.cells[:to]
    notebook.cells = [
        *(other for other in above if other is not cell),
        cell,
        *(other for other in notebook.cells[to:] if other is not cell),
    ]
    return notebook


def test_an_answer_below_its_checks_is_found_and_moved_back(released, mine):
    below = mine.cells.index(place(mine, "check_3_empty")) + 1
    dragged = drag(copy.deepcopy(mine), "task_3_f_beta", below)
    (finding,) = check_notebook.findings(released, dragged)
    assert (finding.kind, finding.where) == ("moved", "task_3_f_beta")
    assert "below check_3_value, which must run after it" in finding.message
    statement = [cell.source.startswith("## Task 3") for cell in dragged.cells].index(True)
    assert f"just below cell {statement + 1} " in finding.repair
    result = assert_repaired(released, dragged)
    assert [cell.source for cell in result.cells] == [cell.source for cell in mine.cells]


def test_a_check_above_its_answer_is_found(released, mine):
    drag(mine, "check_2_order", mine.cells.index(place(mine, "task_2_read_states")))
    assert [kind for kind, _ in kinds(released, mine)] == ["moved"]
    assert_repaired(released, mine)


@pytest.mark.parametrize("stripped", [False, True])
def test_any_cell_that_was_dragged_to_an_end_is_moved_back(released, mine, stripped):
    order = [cell.source for cell in mine.cells if cell.source != "x = 1"]
    names = list(check_notebook.graded_cells(released))
    for name in names:
        for end, there in ((0, names[0]), (len(mine.cells), names[-1])):
            dragged = drag(copy.deepcopy(mine), name, end)
            if stripped and name.startswith("proof_"):
                continue  # a text without its name is known by the statement above it alone
            found = kinds(released, strip(dragged) if stripped else dragged)
            # Of two neighbors that have changed places, either may be called the moved one.
            moved = ["moved"] if name != there else []
            assert [kind for kind, _ in found if kind != "stripped"] == moved
            result = assert_repaired(released, dragged)
            if name != there:  # the first and the last may stand before or behind the text
                assert [c.source for c in result.cells if c.source != "x = 1"] == order


def test_two_tasks_that_changed_places_are_put_in_order(released, mine):
    cells = mine.cells
    third, fourth, fifth = (
        next(i for i, cell in enumerate(cells) if cell.source.startswith(f"## Task {number} "))
        for number in (3, 4, 5)
    )
    mine.cells = cells[:third] + cells[fourth:fifth] + cells[third:fourth] + cells[fifth:]
    assert kinds(released, mine) == [("moved", "proof_4_sums")]  # one cell, not the four of task 3
    assert "The sum does not" in place(assert_repaired(released, mine), "proof_4_sums").source


def test_a_setup_cell_that_was_deleted_is_put_back(released, mine):
    mine.cells.remove(place(mine, "given_0_setup"))
    assert kinds(released, mine) == [("missing", "given_0_setup")]
    result = assert_repaired(released, mine)
    assert [check_notebook.grade_id(cell) for cell in result.cells].index("given_0_setup") == 2


def test_an_import_that_was_added_to_the_setup_is_kept(released, mine):
    setup = place(mine, "given_0_setup")
    setup.source += "\nimport itertools"
    assert kinds(released, mine) == [("changed", "given_0_setup")]
    result = assert_repaired(released, mine)
    at = result.cells.index(place(result, "given_0_setup"))
    assert result.cells[at].source == place(released, "given_0_setup").source
    assert result.cells[at + 1].source == setup.source
    assert not result.cells[at + 1].metadata


def test_a_changed_check_is_not_kept(released, mine):
    place(mine, "check_3_value").source = "pass"
    result = check_notebook.repaired(released, mine)
    assert "pass" not in [cell.source for cell in result.cells]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, "there is no file"),
        ("", "empty"),
        ("<!DOCTYPE html><html></html>", "web page"),
        ("print('hello')", "damaged or not a notebook"),
        ('{"cells": [', "damaged or not a notebook"),
        ('{\n<<<<<<< HEAD\n"cells": []', "conflict markers"),
        ("[]", "no cells"),
        ('{"cells": [1], "nbformat": 4, "nbformat_minor": 5, "metadata": {}}', "format"),
        ('{"cells": [], "nbformat": 9}', "format"),
        ("[" * 100_000, "damaged"),
    ],
)
def test_a_file_that_is_not_a_notebook(tmp_path, text, message):
    path = tmp_path / "mine.ipynb"
    if text is not None:
        path.write_text(text)
    with pytest.raises(check_notebook.NotANotebook, match=message) as error:
        check_notebook.read_notebook(path)
    assert error.value.finding.repair


def test_the_file_that_macos_writes_beside_a_notebook(tmp_path):
    path = tmp_path / "._mine.ipynb"
    path.write_bytes(b"\x00\x05\x16\x07\x00\x02\x00\x00Mac OS X")
    with pytest.raises(
        check_notebook.NotANotebook, match=r"macOS writes beside mine\.ipynb"
    ) as error:
        check_notebook.read_notebook(path)
    assert error.value.finding.repair == "Hand in mine.ipynb."


def test_bytes_that_are_not_text(tmp_path):
    path = tmp_path / "mine.ipynb"
    path.write_bytes(bytes(range(256)))
    with pytest.raises(check_notebook.NotANotebook):
        check_notebook.read_notebook(path)


def test_the_command_says_what_to_do_and_repairs(released, mine, tmp_path):
    place(mine, "check_3_value").source = "pass"
    path, target = tmp_path / "mine.ipynb", tmp_path / "repaired.ipynb"
    nbformat.write(mine, path)
    command = [sys.executable, FOLDER / "check_notebook.py", RELEASED, path]
    first = subprocess.run(command, capture_output=True, text=True)
    assert first.returncode == 1
    assert "1. check_3_value: cell " in first.stdout
    assert "Copy its text from the released notebook, " in first.stdout
    second = subprocess.run([*command, "--repair", target], capture_output=True, text=True)
    assert second.returncode == 0, second.stderr
    assert check_notebook.main([str(RELEASED), str(target)]) == 0
    again = subprocess.run([*command, "--repair", target], capture_output=True, text=True)
    assert again.returncode == 2
    assert "already exists" in again.stderr


def test_it_needs_nothing_but_nbformat():
    tree = (FOLDER / "check_notebook.py").read_text(encoding="utf-8").splitlines()
    imports = {
        line.split()[1].split(".")[0] for line in tree if line.startswith(("import", "from"))
    }
    assert imports - set(sys.stdlib_module_names) == {"nbformat"}


def test_every_release_passes_its_own_check():
    for path in FOLDER.glob("release/*/*.ipynb"):
        assert check_notebook.main([str(path), str(path)]) == 0
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        assert len(check_notebook.graded_cells(check_notebook.read_notebook(path))) < len(cells)
