"""Every assignment under chapters/assignments: solution, release, wrong solutions, format."""

import ast
import importlib.util
import json
import pathlib
import sys

import pytest

ROOT = pathlib.Path(__file__).parents[1]
FOLDER = ROOT / "chapters" / "assignments"
sys.path.insert(0, str(FOLDER))

grading = pytest.importorskip("grading")  # needs nbformat

NAMES = grading.assignments()
MUTANTS = {name: grading.load_mutants(name) for name in NAMES}
EACH_MUTANT = [
    pytest.param(name, mutant, id=f"{name}-{mutant.task}-{number}")
    for name in NAMES
    for number, mutant in enumerate(MUTANTS[name])
]
every_assignment = pytest.mark.parametrize("name", NAMES)
needs_nbgrader = pytest.mark.skipif(
    importlib.util.find_spec("nbgrader") is None, reason="nbgrader is not installed"
)


def coding_tasks(name):
    return {task: checks for task, checks in grading.answers(grading.read(name)).items() if checks}


def of_task(name, task):
    return [mutant for mutant in MUTANTS[name] if mutant.task == task]


def nbgrader(cell):
    return cell.metadata.get("nbgrader", {})


def test_there_are_assignments():
    assert NAMES
    assert [path.stem for path in sorted(FOLDER.glob("mutants/[0-9]*.py"))] == NAMES


@every_assignment
def test_the_solution_passes_every_cell(name):
    outcomes = grading.run(grading.read(name))
    assert not grading.failed(outcomes)
    assert {check for checks in coding_tasks(name).values() for check in checks} <= set(outcomes)


@every_assignment
def test_the_release_fails_every_check(name):
    outcomes = grading.run(grading.read(name, "release"))
    for task, checks in coding_tasks(name).items():
        assert all(outcomes[check].message for check in checks), task


@pytest.mark.parametrize(("name", "mutant"), EACH_MUTANT)
def test_each_mutant_meets_its_check(name, mutant):
    assert mutant.task in coding_tasks(name)
    assert mutant.killed_by in coding_tasks(name)[mutant.task]
    verdict = grading.try_mutant(grading.read(name), mutant)
    assert not grading.what_is_wrong(mutant, verdict)


@every_assignment
def test_each_task_has_four_mutants_and_each_check_a_victim(name):
    for task, checks in coding_tasks(name).items():
        mine = of_task(name, task)
        assert len({mutant.code for mutant in mine}) >= 4, task
        victims = {mutant.killed_by for mutant in mine if not mutant.hidden}
        assert victims == set(checks), task


@every_assignment
def test_a_task_that_trains_a_keras_model_has_six_mutants_and_more(name):
    trains = [t for t in coding_tasks(name) if any("fit_" in m.code for m in of_task(name, t))]
    trains = [t for t in trains if any(".compile(" in m.code for m in of_task(name, t))]
    assert len(trains) == (name != "03_softmax_cross_entropy")
    assert all(len({mutant.code for mutant in of_task(name, task)}) >= 6 for task in trains)


@every_assignment
def test_the_broken_function_fails_every_check(name):
    """A bug hunt in which a check already passes would not need all repairs."""
    notebook = grading.read(name)
    given = {grading.grade_id(c): c.source for c in notebook.cells if "_broken(" in c.source}
    for cell, code in given.items():
        number = grading.task_of(cell.replace("given_", "task_"))
        (task,) = [task for task in coding_tasks(name) if grading.task_of(task) == number]
        outcomes = grading.run(notebook, {task: code.replace("_broken(", "(")}, number)
        for check in coding_tasks(name)[task]:
            assert outcomes[check].message, check
            assert not outcomes[check].hidden, check
    assert len(given) == 1


@every_assignment
def test_the_points_are_the_announced_ones(name):
    points = [nbgrader(cell).get("points", 0) for cell in grading.read(name).cells]
    announced = {"01_rnn_classifier": 34, "03_softmax_cross_entropy": 32}.get(name, 36)
    assert sum(points) == announced
    assert f"{announced} points" in grading.read(name).cells[0].source


@every_assignment
def test_the_notebook_has_the_agreed_format(name):
    notebook = grading.read(name)
    names = [grading.grade_id(cell) for cell in notebook.cells if nbgrader(cell)]
    assert len(names) == len(set(names))
    tasks = coding_tasks(name)
    proofs = [cell for cell in notebook.cells if grading.grade_id(cell).startswith("proof_")]
    assert 5 <= len(tasks) + len(proofs) <= 8
    assert len(proofs) >= 1
    assert all(cell.cell_type == "markdown" and nbgrader(cell)["grade"] for cell in proofs)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            assert not cell.outputs
            assert cell.execution_count is None
            lines = [line for line in cell.source.splitlines() if line.strip()]
            assert len(lines) <= 30, cell.source[:60]


@every_assignment
def test_cells_are_graded_and_locked_as_their_names_say(name):
    for cell in grading.read(name).cells:
        kind, data = grading.grade_id(cell).split("_")[0], nbgrader(cell)
        if not kind:
            continue
        assert data["schema_version"] == 3
        flags = {flag: data[flag] for flag in ("grade", "solution", "locked")}
        assert flags == {
            "task": {"grade": False, "solution": True, "locked": False},
            "check": {"grade": True, "solution": False, "locked": True},
            "proof": {"grade": True, "solution": True, "locked": False},
        }.get(kind, {"grade": False, "solution": False, "locked": True}), grading.grade_id(cell)
        assert not data["grade"] or data["points"] > 0
        assert not data["solution"] or grading.SOLUTION.search(cell.source)


@every_assignment
def test_no_check_ends_in_a_value(name):
    """nbgrader would take a number below a check for its points."""
    for cell in grading.read(name).cells:
        if grading.grade_id(cell).startswith("check_"):
            last = ast.parse(cell.source).body[-1]
            called = isinstance(last, ast.Expr) and isinstance(last.value, ast.Call)
            assert not isinstance(last, ast.Expr) or (
                called
                and ast.unparse(last.value.func).startswith(("checks.assert_", "expect", "print"))
            ), ast.unparse(last)


@needs_nbgrader
def test_the_release_is_in_step_with_the_source(tmp_path):
    grading.release(NAMES, tmp_path)
    for name in NAMES:
        fresh, stored = (
            (folder / "release" / name / f"{name}.ipynb").read_text(encoding="utf-8")
            for folder in (tmp_path, FOLDER)
        )
        assert json.loads(fresh) == json.loads(stored), (
            f"{name}: run python chapters/assignments/grading.py --release"
        )


def secret_lines(notebook):
    """Lines of solutions and hidden tests that stand nowhere else in the notebook."""
    inside, outside = set(), set()
    for cell in notebook.cells:
        rest = grading.HIDDEN.sub("", grading.SOLUTION.sub("", cell.source))
        outside |= {line.strip() for line in rest.splitlines()}
        inside |= {line.strip() for line in cell.source.splitlines()} - {
            line.strip() for line in rest.splitlines()
        }
    return {line for line in inside - outside if len(line) > 12}


@every_assignment
def test_the_release_holds_no_solution_and_no_hidden_test(name):
    released = grading.read(name, "release")
    text = "\n".join(cell.source for cell in released.cells)
    for word in ("BEGIN SOLUTION", "END SOLUTION", "HIDDEN TEST"):
        assert word not in text
    secrets = secret_lines(grading.read(name))
    assert secrets
    lines = {line.strip() for line in text.splitlines()}
    assert not secrets & lines
