"""Grading a class. What runs nbgrader takes minutes and is marked slow: `pytest -m slow`."""

import copy
import csv
import json
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


def moved():
    """All answers are right, but one was dragged below its checks."""
    notebook = answered(SOLUTIONS)
    names = [grading.grade_id(cell) for cell in notebook.cells]
    answer = notebook.cells.pop(names.index("task_3_f_beta"))
    notebook.cells.insert(names.index("check_3_empty"), answer)  # one cell fewer is above it now
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
    talking = "print('x' * 40_000_000)\n" + SOLUTIONS["task_3_f_beta"]
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
        "moved": moved(),
        "talkative": answered(SOLUTIONS | {"task_3_f_beta": talking}),
        "dying": dying,
    }


def hand_in(folder, student, notebook, name=f"{NAME}/{NAME}.ipynb"):
    place = folder / student / name
    place.parent.mkdir(parents=True, exist_ok=True)
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
    hand_in(folder / "submitted", "twice", RELEASED)
    hand_in(folder / "submitted", "twice", answered(SOLUTIONS), f"{NAME}/{NAME} (1).ipynb")
    hand_in(folder / "submitted", "__MACOSX", "", f"{NAME}/._{NAME}.ipynb")
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
    names = {*the_class(), "unparsable", "absent", "twice"} - {"=right"} | {"'=right"}
    assert set(table) == names


@pytest.mark.slow
@pytest.mark.parametrize("student", ["'=right", "stripped", "moved", "twice", "talkative"])
def test_right_answers_get_all_points(graded, student):
    _, table, _ = graded
    assert points(table, student) == FULL | {"total": AUTOMATIC}
    for task, row in table[student].items():
        assert float(row["max_points"]) == (FULL | BY_HAND | {"total": sum(POINTS.values())})[task]
    for name in BY_HAND:
        assert table[student][name]["message"] == "to be graded by hand"
        assert name in table[student]["total"]["message"]
    message = table[student]["total"]["message"]
    assert ("repaired: stripped: " in message) == (student == "stripped")
    assert ("repaired: moved: task_3_f_beta" in message) == (student == "moved")
    twice = f"graded {NAME}/{NAME} (1).ipynb with {len(SOLUTIONS)} answers"
    assert (twice in message) == (student == "twice")
    assert ("output cut: task_3_f_beta" in message) == (student == "talkative")


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
        ("unparsable", "damaged or not a notebook"),
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
        assert student == "dying" or page.stat().st_size < 2_000_000
    page = (folder / "graded" / "feedback" / "talkative" / f"{NAME}.html").read_text()
    assert "the grader cut 39,980,001 more characters" in page
    assert files(folder / "submitted") == handed_in
    text = (folder / "graded" / "feedback" / "wrong" / f"{NAME}.html").read_text()
    assert "the zeros are on the right" in text


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


def test_systems_folders_are_not_students(job):
    for name in ("ada", "__MACOSX", ".ipynb_checkpoints"):
        (job.submitted / name).mkdir()
    assert list(grade_class.students(job)) == ["ada"]


# Which file is graded. Here "ada" hands in several, and the names say what is in them.
UNTOUCHED, PART = RELEASED, answered({"task_3_f_beta": SOLUTIONS["task_3_f_beta"]})
DONE = answered(SOLUTIONS)
OTHER = answered({"task_3_f_beta": LEARNED_BY_HEART})
SECOND = grading.read("02_lstm_language_model", "release")


def submission(job):
    return grade_class.submission(job, "ada", RELEASED)


def graded_text(job):
    return [cell.source for cell in submission(job)[0].cells]


def texts(notebook):
    return [cell.source for cell in notebook.cells]


@pytest.mark.parametrize(
    "name",
    [
        f"{NAME}/{NAME} (1).ipynb",  # a browser that downloads it again
        f"{NAME}/{NAME}-Copy1.ipynb",  # Jupyter's Duplicate
        f"{NAME}/{NAME} copy.ipynb",  # macOS
        f"{NAME}/{NAME}-1.ipynb",
        f"{NAME}/Kopie von {NAME}.ipynb",
        f"{NAME}/{NAME}/{NAME}.ipynb",  # a downloaded folder
        f"{NAME}/{NAME}.IPYNB",
        f"{NAME}.ipynb",  # beside the folder
        "Downloads/finished.ipynb",
    ],
)
def test_the_finished_notebook_counts_and_not_the_untouched_one(job, name):
    hand_in(job.submitted, "ada", UNTOUCHED)
    hand_in(job.submitted, "ada", DONE, name)
    notebook, note = submission(job)
    assert texts(notebook) == texts(DONE)
    assert note == f"graded {name} with {len(SOLUTIONS)} answers, not {NAME}/{NAME}.ipynb"


def test_the_only_notebook_counts_whatever_its_name_is(job):
    hand_in(job.submitted, "ada", DONE)
    assert submission(job)[1] == ""
    (job.submitted / "ada" / NAME / f"{NAME}.ipynb").unlink()
    hand_in(job.submitted, "ada", DONE, f"{NAME}/Kopie von 01 (2).ipynb")
    assert submission(job)[1] == f"graded {NAME}/Kopie von 01 (2).ipynb"
    assert graded_text(job) == texts(DONE)


def test_of_two_stages_of_one_work_the_later_counts(job):
    hand_in(job.submitted, "ada", PART)
    hand_in(job.submitted, "ada", DONE, f"{NAME}/{NAME} (1).ipynb")
    assert graded_text(job) == texts(DONE)


def test_of_equal_notebooks_the_agreed_one_counts(job):
    hand_in(job.submitted, "ada", DONE)
    hand_in(job.submitted, "ada", DONE, f"{NAME}/{NAME} (1).ipynb")
    assert submission(job)[1].startswith(
        f"graded {NAME}/{NAME}.ipynb with {len(SOLUTIONS)} answers"
    )


def test_different_answers_are_a_question_to_the_student(job):
    hand_in(job.submitted, "ada", DONE)
    hand_in(job.submitted, "ada", OTHER, f"{NAME}/{NAME} (1).ipynb")
    with pytest.raises(grade_class.CannotGrade, match=r"\(1\).ipynb have different answers: keep"):
        submission(job)


@pytest.mark.parametrize(
    "name",
    [
        f"{NAME}/._{NAME}.ipynb",
        f"__MACOSX/{NAME}/._{NAME}.ipynb",
        f"{NAME}/.ipynb_checkpoints/{NAME}-checkpoint.ipynb",
    ],
)
def test_what_systems_write_beside_a_notebook_does_not_count(job, name):
    hand_in(job.submitted, "ada", DONE)
    hand_in(job.submitted, "ada", OTHER if "checkpoint" in name else "\x00\x05\x16\x07", name)
    assert submission(job) == (check_notebook_read(job), "")
    (job.submitted / "ada" / NAME / f"{NAME}.ipynb").unlink()
    with pytest.raises(grade_class.CannotGrade, match=f"there is no {NAME}/{NAME}.ipynb$"):
        submission(job)


def check_notebook_read(job):
    return grade_class.check_notebook.read_notebook(job.submitted / "ada" / NAME / f"{NAME}.ipynb")


def test_other_assignments_in_the_folder_do_not_count(job):
    second = "02_lstm_language_model"
    hand_in(job.submitted, "ada", SECOND, f"{second}/{second}.ipynb")
    hand_in(job.submitted, "ada", "", f"{second}/empty.ipynb")
    with pytest.raises(grade_class.CannotGrade, match=f"there is no {NAME}/{NAME}.ipynb, only"):
        submission(job)
    hand_in(job.submitted, "ada", DONE)
    assert submission(job)[1] == ""


@pytest.mark.parametrize(
    ("notebook", "why"), [(SECOND, "different notebook"), ("{", "damaged"), ("", "is empty")]
)
def test_a_file_that_is_not_the_notebook_says_so(job, notebook, why):
    hand_in(job.submitted, "ada", notebook)
    with pytest.raises(grade_class.CannotGrade, match=f"{NAME}/{NAME}.ipynb: .*{why}"):
        submission(job)


def test_a_damaged_notebook_beside_an_untouched_one_is_not_passed_over(job):
    hand_in(job.submitted, "ada", "{", f"{NAME}/{NAME} (1).ipynb")
    hand_in(job.submitted, "ada", UNTOUCHED)
    with pytest.raises(grade_class.CannotGrade, match="damaged"):
        submission(job)
    hand_in(job.submitted, "ada", DONE)
    assert submission(job)[1].endswith(
        f"with {len(SOLUTIONS)} answers, not {NAME}/{NAME} (1).ipynb"
    )


def test_an_archive_is_named(job):
    hand_in(job.submitted, "ada", "PK", f"{NAME}/mine.zip")
    with pytest.raises(grade_class.CannotGrade, match=f"only {NAME}/mine.zip"):
        submission(job)


def accepted(job, notebook):
    place = job.course / "release" / NAME / f"{NAME}.ipynb"
    place.parent.mkdir(parents=True)
    nbformat.write(RELEASED, place)
    hand_in(job.submitted, "ada", notebook)
    note = grade_class.accept(job, "ada", "ada")
    path = job.course / "submitted" / "ada" / NAME / f"{NAME}.ipynb"
    return note, nbformat.read(path, as_version=4)


def test_an_answer_below_its_checks_is_moved_back_and_gets_its_points(job):
    lost = {name: outcome.message for name, outcome in run(moved()).items() if outcome.message}
    assert set(lost) == set(TASKS["task_3_f_beta"])
    note, notebook = accepted(job, moved())
    assert note == "repaired: moved: task_3_f_beta"
    assert not grading.failed(run(notebook))


def run(notebook):
    """The outcomes of task 3's checks."""
    return grading.run(notebook, only_task="3", until="check_3_empty")


# What is shown of a cell's output.


def printed(*outputs):
    return nbformat.v4.new_code_cell("pass", outputs=list(outputs))


def stream(text, name="stdout"):
    return nbformat.v4.new_output("stream", name=name, text=text)


FIGURE = nbformat.v4.new_output("display_data", data={"image/png": "i" * 200_000})
ERROR = nbformat.v4.new_output(
    "error", ename="ValueError", evalue="e" * 10**7, traceback=["t" * 10**7] * 3
)


@pytest.mark.parametrize(
    "outputs",
    [
        [],
        [stream("a line\n" * 1_000), FIGURE],
        [nbformat.v4.new_output("error", ename="E", evalue="e", traceback=["a", "b"])],
    ],
)
def test_usual_output_stays_as_it_is(outputs):
    cell = printed(*copy.deepcopy(outputs))
    assert not grade_class.cut_outputs(cell)
    assert cell.outputs == outputs


@pytest.mark.parametrize(
    "outputs",
    [
        [stream("x" * 40_000_000)],
        [stream("x"), stream("y" * 10**6, "stderr"), stream("x" * 10**7)],
        [stream("x" * 1_000, name) for _ in range(2_000) for name in ("stdout", "stderr")],
        [nbformat.v4.new_output("execute_result", data={"text/plain": "x" * 10**7})],
        [nbformat.v4.new_output("display_data", data={"text/html": "<b>" * 10**7})],
        [FIGURE] * 100,
        [ERROR],
    ],
    ids=["line", "streams", "many", "value", "html", "figures", "error"],
)
def test_a_flood_of_output_is_cut_and_says_so(outputs):
    cell = printed(*copy.deepcopy(outputs))
    assert grade_class.cut_outputs(cell)
    # The outputs that fit, and an error's two texts with their notes.
    assert len(json.dumps(cell)) < grade_class.CELL + 3 * grade_class.TEXT
    assert "the grader cut" in str(cell.outputs)


@pytest.mark.parametrize("kind", ["stream", "value"])
def test_the_beginning_of_a_long_text_is_shown(kind):
    text = "x" * 40_000_000
    value = nbformat.v4.new_output("execute_result", data={"text/plain": text})
    cell = printed(stream(text) if kind == "stream" else value)
    assert grade_class.cut_outputs(cell)
    (output,) = cell.outputs
    shown = output.text if kind == "stream" else output.data["text/plain"]
    most = grade_class.TEXT
    assert shown == f"{text[:most]}\n[the grader cut {40_000_000 - most:,} more characters]\n"


def test_an_error_behind_a_flood_of_output_still_reaches_the_table():
    cell = printed(*[FIGURE] * 100, ERROR)
    assert grade_class.cut_outputs(cell)
    assert grade_class.error_of(cell, 30).startswith("ValueError: eee")


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
