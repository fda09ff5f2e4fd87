"""Grading a class. What runs nbgrader takes minutes and is marked slow: `pytest -m slow`."""

import copy
import csv
import pathlib
import subprocess
import sys

import nbformat
import pytest

ROOT = pathlib.Path(__file__).parents[1]
FOLDER = ROOT / "chapters" / "assignments"
sys.path.insert(0, str(FOLDER))

import grade_class
import grading

# With --dist=loadgroup one worker grades the class, and the tests look at what came out.
pytestmark = pytest.mark.xdist_group("the class")
NAME = "01_rnn_classifier"
RELEASED, SOURCE = grading.read(NAME, "release"), grading.read(NAME)
TASKS = {task: checks for task, checks in grading.answers(SOURCE).items() if checks}
POINTS = {
    grading.grade_id(cell): cell.metadata.nbgrader.points
    for cell in SOURCE.cells
    if cell.metadata.get("nbgrader", {}).get("grade")
}
BY_HAND = {name: points for name, points in POINTS.items() if name.startswith("proof_")}
AUTOMATIC = sum(POINTS.values()) - sum(BY_HAND.values())
SOLUTIONS = {
    grading.grade_id(cell): cell.source
    for cell in SOURCE.cells
    if cell.metadata.get("nbgrader", {}).get("solution")
}
# Right for the beta of every test in the repository, but not for others.
LEARNED_BY_HEART = SOLUTIONS["task_3_f_beta"].replace(
    "weight = beta**2", "weight = {1: 1, 2: 4, 0.5: 0.25, 3: 9}.get(beta, 0)"
)
PRIVATE = '''
TESTS = {
    "check_3_value": """
got = f_beta(labels, probabilities, 0.5, 4)
assert abs(got - 51 / 84) < 1e-9, f"beta 4: {got}, expected 51/84"
""",
}
'''
LOOP = "def train_classifier(texts, labels):\n    while True:\n        pass"


def answered(answers, before=RELEASED):
    """The released notebook with these answers."""
    notebook = copy.deepcopy(before)
    for cell in notebook.cells:
        cell.source = answers.get(grading.grade_id(cell), cell.source)
    return notebook


def tampered():
    notebook = answered(dict.fromkeys(POINTS.keys() - BY_HAND.keys(), "pass"))
    for cell in notebook.cells:
        if cell.metadata.get("nbgrader", {}).get("grade"):
            cell.metadata.nbgrader.points = 100
    return notebook


def stripped():
    notebook = answered(SOLUTIONS)
    for cell in notebook.cells:
        cell.metadata.clear()
    return notebook


def mutant(mistake):
    (found,) = [m for m in grading.load_mutants(NAME) if m.mistake == mistake]
    return {found.task: found.code}


def first_mutants():
    mutants = grading.load_mutants(NAME)
    return {m.task: m for m in reversed(mutants) if not m.hidden}


def the_class():
    """Names and notebooks; one name has a blank, one begins like a formula."""
    partly = {"task_1_encode_and_pad": SOLUTIONS["task_1_encode_and_pad"]}
    partly |= mutant("the mask is ignored") | {"task_3_f_beta": LEARNED_BY_HEART}
    dying = answered(SOLUTIONS)
    dying.cells.append(nbformat.v4.new_code_cell("import os\nos._exit(1)"))
    return {
        "=right": answered(SOLUTIONS),
        "empty": RELEASED,
        "partly right": answered(partly),
        "wrong": answered({task: m.code for task, m in first_mutants().items()}),
        "infinite loop": answered(SOLUTIONS | {"task_6_train_classifier": LOOP}),
        "tampered": tampered(),
        "stripped": stripped(),
        "dying": dying,
    }


def hand_in(folder, student, notebook, name=NAME):
    place = folder / student / NAME / f"{name}.ipynb"
    place.parent.mkdir(parents=True)
    if isinstance(notebook, str):
        place.write_text(notebook)
    else:
        nbformat.write(notebook, place)


@pytest.fixture(scope="module")
def graded(tmp_path_factory):
    """A class's folder, its table as student -> task -> row, and what had been handed in."""
    folder = tmp_path_factory.mktemp("class")
    (folder / "private").mkdir()
    (folder / "private" / f"{NAME}.py").write_text(PRIVATE)
    for student, notebook in the_class().items():
        hand_in(folder / "submitted", student, notebook)
    hand_in(folder / "submitted", "unparsable", '{"cells": [')
    (folder / "submitted" / "absent").mkdir()
    handed_in = files(folder / "submitted")
    command = [sys.executable, FOLDER / "grade_class.py", NAME, "submitted", "graded"]
    command += ["--private", "private", "--seconds", "25"]
    run = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr[-2000:]
    print(run.stdout)
    with open(folder / "graded" / f"grades_{NAME}.csv", encoding="utf-8-sig") as file:
        rows = list(csv.DictReader(file))
    table = {row["student"]: {} for row in rows}
    for row in rows:
        table[row["student"]][row["task"]] = row
    return folder, table, handed_in


def files(folder):
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def points(table, student):
    return {task: float(row["points"]) for task, row in table[student].items() if row["points"]}


FULL = {task: sum(POINTS[check] for check in checks) for task, checks in TASKS.items()}


@pytest.mark.slow
def test_nobody_is_left_out(graded):
    _, table, _ = graded
    names = {*the_class(), "unparsable", "absent"} - {"=right"} | {"'=right"}
    assert set(table) == names


@pytest.mark.slow
@pytest.mark.parametrize("student", ["'=right", "stripped"])
def test_right_answers_get_all_points(graded, student):
    _, table, _ = graded
    assert points(table, student) == FULL | {"total": AUTOMATIC}
    for task, row in table[student].items():
        assert float(row["max_points"]) == (FULL | BY_HAND | {"total": sum(POINTS.values())})[task]
    for name in BY_HAND:
        assert table[student][name]["message"] == "to be graded by hand"
        assert name in table[student]["total"]["message"]
    repaired = "repaired: stripped: " in table[student]["total"]["message"]
    assert repaired == (student == "stripped")


@pytest.mark.slow
def test_no_answer_gets_nothing(graded):
    _, table, _ = graded
    assert points(table, "empty") == dict.fromkeys([*TASKS, *BY_HAND, "total"], 0)
    assert {table["empty"][task]["message"] for task in [*TASKS, *BY_HAND]} == {"no answer"}


@pytest.mark.slow
def test_each_check_counts_for_itself_and_private_tests_count(graded):
    _, table, _ = graded
    assert points(table, "partly right") == dict.fromkeys([*TASKS, *BY_HAND], 0) | {
        "task_1_encode_and_pad": 4,
        "task_2_read_states": 3,
        "task_3_f_beta": 3,
        "total": 10,
    }
    row = table["partly right"]
    assert "is the mask ignored" in row["task_2_read_states"]["message"]
    assert "beta 4" in row["task_3_f_beta"]["message"]


@pytest.mark.slow
def test_wrong_answers_are_told_what_is_wrong(graded):
    _, table, _ = graded
    for task, wrong in first_mutants().items():
        assert wrong.hint in table["wrong"][task]["message"]
        assert points(table, "wrong")[task] <= FULL[task] - POINTS[wrong.killed_by]


@pytest.mark.slow
def test_an_infinite_loop_costs_its_own_task_only(graded):
    _, table, _ = graded
    lost = {"task_6_train_classifier": 0, "total": AUTOMATIC - FULL["task_6_train_classifier"]}
    assert points(table, "infinite loop") == FULL | lost
    row = table["infinite loop"]["task_6_train_classifier"]
    assert row["message"] == "took longer than 25 seconds"


@pytest.mark.slow
def test_tampered_checks_are_restored(graded):
    _, table, _ = graded
    assert points(table, "tampered")["total"] == 0
    total = table["tampered"]["total"]
    assert float(total["max_points"]) == sum(POINTS.values())
    assert "repaired: changed: check_1_pad, " in total["message"]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("student", "why"),
    [
        ("unparsable", "damaged or no notebook"),
        ("absent", f"there is no {NAME}/{NAME}.ipynb"),
        ("dying", "DeadKernelError"),
    ],
)
def test_what_cannot_be_graded_says_why(graded, student, why):
    _, table, _ = graded
    (row,) = table[student].values()
    assert (row["task"], row["points"]) == ("total", "")
    assert row["message"].startswith("not graded: ")
    assert why in row["message"]


@pytest.mark.slow
def test_each_graded_student_gets_feedback_and_submissions_stay(graded):
    folder, _, handed_in = graded
    for student in the_class():
        page = folder / "graded" / "feedback" / student / f"{NAME}.html"
        assert page.is_file() == (student != "dying")
    assert files(folder / "submitted") == handed_in
    text = (folder / "graded" / "feedback" / "wrong" / f"{NAME}.html").read_text()
    assert "the zeros stand on the right" in text


@pytest.mark.slow
def test_points_by_hand_reach_the_table(graded):
    from nbgrader.api import Gradebook

    folder, _, _ = graded
    (proof,) = BY_HAND
    with Gradebook(f"sqlite:///{folder / 'graded' / 'course' / 'gradebook.db'}") as gradebook:
        grade = gradebook.find_grade(proof, NAME, NAME, "_right")
        grade.manual_score, grade.needs_manual_grade = 3, False
        gradebook.db.commit()
    command = [sys.executable, FOLDER / "grade_class.py", NAME, "submitted", "graded", "--export"]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
    text = (folder / "graded" / f"grades_{NAME}.csv").read_text(encoding="utf-8-sig")
    assert f"'=right,{proof},3,4," in text
    assert f"'=right,total,{AUTOMATIC + 3},{sum(POINTS.values())}," in text


@pytest.fixture
def job(tmp_path):
    (tmp_path / "submitted").mkdir()
    return grade_class.Job(NAME, tmp_path / "submitted", tmp_path / "graded")


def test_private_tests_join_the_check_as_hidden_ones(job, tmp_path):
    (tmp_path / f"{NAME}.py").write_text(PRIVATE)
    notebook = grade_class.with_private_tests(grading.read(NAME), {"check_3_value": "assert 1"})
    (cell,) = [c for c in notebook.cells if grading.grade_id(c) == "check_3_value"]
    assert "assert 1" in cell.source
    assert "assert 1" not in grading.visible(cell.source)


@pytest.mark.parametrize("name", ["check_9_nothing", "task_3_f_beta"])
def test_private_tests_for_no_check_are_refused(name):
    with pytest.raises(SystemExit, match=f"no check '{name}'"):
        grade_class.with_private_tests(grading.read(NAME), {name: "assert True"})


def test_private_tests_that_the_model_solution_fails_are_refused(job, tmp_path):
    (tmp_path / f"{NAME}.py").write_text('TESTS = {"check_1_pad": "assert 1 == 2, \'mine\'"}')
    with pytest.raises(SystemExit, match=r"model solution fails check_1_pad: .*mine"):
        grade_class.source_notebook(job._replace(private=tmp_path))
    with pytest.raises(SystemExit, match="no private tests"):
        grade_class.source_notebook(job._replace(private=tmp_path / "elsewhere"))


def test_students_get_ids_that_differ(job):
    for name in ("Ada B", "Ada_B", "ada?b", "李雷", "韩梅", "[x]", ".hidden"):
        (job.submitted / name).mkdir()
    (job.submitted / "readme.txt").write_text("no student")
    ids = grade_class.students(job)
    assert set(ids) == {"Ada B", "Ada_B", "ada?b", "李雷", "韩梅", "[x]"}
    assert len(set(ids.values())) == 6
    assert all(set(value) <= set("abdx_") for value in ids.values())


def test_a_notebook_with_another_name_is_taken_if_it_is_the_only_one(job):
    hand_in(job.submitted, "ada", RELEASED, "Kopie von 01 (2)")
    assert grade_class.submission(job, "ada").stem == "Kopie von 01 (2)"
    (job.submitted / "ada" / NAME / "other.ipynb").write_text("")
    with pytest.raises(grade_class.CannotGrade, match="several notebooks"):
        grade_class.submission(job, "ada")


def test_a_command_that_hangs_is_ended_with_its_children(job, monkeypatch):
    job.course.mkdir(parents=True)
    child = f"import time; time.sleep(4); open({str(job.out / 'alive')!r}, 'w')"
    code = "import subprocess, sys, time\n"
    code += f"subprocess.Popen([sys.executable, '-c', {child!r}]); time.sleep(60)"
    (job.course / "nbgrader").mkdir()
    (job.course / "nbgrader" / "__init__.py").touch()  # or the installed package would be run
    (job.course / "nbgrader" / "__main__.py").write_text(code)
    with pytest.raises(grade_class.CannotGrade, match="stopped after 2 seconds"):
        grade_class.nbgrader(job, "anything", limit=2)
    subprocess.run([sys.executable, "-c", "import time; time.sleep(4)"])
    assert not (job.out / "alive").exists()
