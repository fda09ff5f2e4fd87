"""Grades a class: every submission of one assignment, with nbgrader, and writes a table.

    python chapters/assignments/grade_class.py 01_rnn_classifier submitted graded
    python chapters/assignments/grade_class.py 01_rnn_classifier submitted graded --private private

`submitted/STUDENT/01_rnn_classifier/01_rnn_classifier.ipynb` is read and left as it is. The
command writes into `graded`: `grades_01_rnn_classifier.csv` (student, task, points, max_points,
message), `feedback/STUDENT/01_rnn_classifier.html`, and `course`, an nbgrader course folder where
`nbgrader formgrader` shows what has to be graded by hand. Afterwards, `--export` writes the table
again with those points.

Students' code runs with your rights. README.md says how to put it into a container.
"""

import argparse
import copy
import csv
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import time
from typing import NamedTuple

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

import check_notebook
import grading
import nbformat

COLUMNS = ("student", "task", "points", "max_points", "message")
# A loop that prints makes any amount of output. Feedback shows this many characters of a text, and
# of a cell together; a figure has about 100,000.
TEXT, CELL = 20_000, 1_000_000


class CannotGrade(Exception):  # noqa: N818  # a sentence for the table, not an error of ours
    """Says why a submission was not graded."""


class Job(NamedTuple):
    """What one run of the command grades, where, and with which limits, in seconds."""

    name: str
    submitted: pathlib.Path
    out: pathlib.Path
    private: pathlib.Path | None = None
    seconds: int = 30
    total: int = 300

    @property
    def course(self):
        """The nbgrader course folder."""
        return self.out / "course"

    @property
    def notes(self):
        """The file with a note about each student's submission."""
        return self.out / f"notes_{self.name}.json"


def with_private_tests(notebook, tests):
    """Adds hidden tests to the source notebook: `tests` maps a grade_id to code."""
    cells = {grading.grade_id(cell): cell for cell in notebook.cells}
    for name, code in tests.items():
        if not name.startswith("check_") or name not in cells:
            raise SystemExit(f"private tests: the assignment has no check {name!r}")
        cells[name].source += f"\n### BEGIN HIDDEN TESTS\n{code.strip()}\n### END HIDDEN TESTS"
    return notebook


def source_notebook(job):
    """The source to grade with. The model solution must pass the private tests."""
    notebook = grading.read(job.name)
    path = job.private and job.private / f"{job.name}.py"
    if not path:
        return notebook
    if not path.is_file():
        raise SystemExit(f"there are no private tests in {path}")
    notebook = with_private_tests(notebook, grading.load_module(path).TESTS)
    for name, outcome in grading.failed(grading.run(notebook)).items():
        raise SystemExit(f"private tests: the model solution fails {name}: {outcome.message}")
    return notebook


def nbgrader(job, *arguments, limit=120):
    """Runs an nbgrader command in the course folder.

    Raises:
        CannotGrade: if it fails, or takes longer than `limit` seconds.
    """
    log = job.course / "nbgrader.log"
    command = [sys.executable, "-m", "nbgrader", *arguments]
    environment = os.environ | {
        "JUPYTER_CONFIG_DIR": str(job.course / "config"),  # not the teacher's own settings
        "PYTHONWARNINGS": "ignore",
        "TF_CPP_MIN_LOG_LEVEL": "3",
    }
    with open(log, "w", encoding="utf-8") as output:
        streams = {"stdin": subprocess.DEVNULL, "stdout": output, "stderr": subprocess.STDOUT}
        process = subprocess.Popen(command, cwd=job.course, env=environment, **streams)
        try:
            code = process.wait(limit)
        except subprocess.TimeoutExpired:
            raise CannotGrade(f"stopped after {limit} seconds in total") from None
        finally:
            end(process)
    if code:
        lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
        errors = [line for line in lines if re.search(r"\w*(Error|Exception)\b", line)]
        raise CannotGrade(f"nbgrader {arguments[0]}: {(errors or lines or ['?'])[-1].strip()}")


def end(process):
    """Ends a process that we started, and its children: kernels outlive their parents."""
    import psutil  # comes with ipykernel

    try:
        family = psutil.Process(process.pid).children(recursive=True)
    except psutil.NoSuchProcess:
        family = []
    if process.poll() is None:
        process.kill()
        process.wait()
    for child in family:
        try:
            child.kill()
        except psutil.NoSuchProcess:
            continue


def prepare(job):
    """Makes the course folder and lets nbgrader generate the assignment in it."""
    folder = job.course / "source" / job.name
    notebook = source_notebook(job)
    folder.mkdir(parents=True, exist_ok=True)
    nbformat.write(notebook, folder / f"{job.name}.ipynb")
    config = (HERE / "nbgrader_config.py").read_text(encoding="utf-8")
    config += f"\nc.Execute.timeout = {job.seconds}\n"
    (job.course / "nbgrader_config.py").write_text(config, encoding="utf-8")
    try:
        nbgrader(job, "generate_assignment", job.name, "--force")
    except CannotGrade as error:
        raise SystemExit(str(error)) from None


def is_litter(path):
    """Whether a file or folder was made by macOS or Jupyter: ._x.ipynb, .ipynb_checkpoints."""
    return path.name.startswith(".") or path.name == "__MACOSX"


def students(job):
    """The students' folders: name -> the id that nbgrader gets, without unusual characters."""
    ids = {}
    for folder in sorted(job.submitted.iterdir()):
        if folder.is_dir() and not is_litter(folder):
            identity = re.sub(r"[^a-z0-9_-]", "_", folder.name.lower())
            while identity in ids.values():
                identity += "_"
            ids[folder.name] = identity
    return ids


def files(job, student):
    """A student's files, in any subfolder: first the one that was agreed upon, then the others."""
    folder, agreed = job.submitted / student, pathlib.Path(job.name, f"{job.name}.ipynb")
    inside = [path.relative_to(folder) for path in folder.rglob("*") if path.is_file()]
    kept = [path for path in inside if not any(map(is_litter, [path, *path.parents]))]
    return sorted(kept, key=lambda path: (path != agreed, path))


def readable(job, student, released):
    """A student's notebooks of this assignment, and what is wrong with the other files.

    Returns:
        Two dictionaries: path in the student's folder -> notebook, and path -> Finding.
    """
    notebooks, problems = {}, {}
    for path in files(job, student):
        if path.suffix.lower() != ".ipynb":
            continue
        try:
            notebook = check_notebook.read_notebook(job.submitted / student / path)
            found = check_notebook.findings(released, notebook)
        except check_notebook.NotANotebook as error:
            found = [error.finding]
        if found and found[0].kind in ("file", "foreign"):
            # A student's folder may hold other assignments as well.
            ours = path.as_posix().startswith(job.name) or len(path.parts) == 1
            problems |= {path: found[0]} if ours else {}
        else:
            notebooks[path] = notebook
    return notebooks, problems


def submission(job, student, released):
    """A student's notebook, and a note if it was not the only one or has another name.

    Of several notebooks the one with all the answers counts, whatever its name is: browsers and
    Jupyter leave the finished one as "name (1).ipynb" or "name-Copy1.ipynb" beside an empty one.

    Raises:
        CannotGrade: if there is none, or if only the student can say which one it is.
    """
    notebooks, problems = readable(job, student, released)
    written = {path: check_notebook.answers(released, mine) for path, mine in notebooks.items()}
    best = max(written, key=lambda path: len(written[path]), default=None)
    damaged = [path for path, finding in problems.items() if finding.kind == "file"]
    if best is None or (damaged and not written[best]):
        raise CannotGrade(why_not(job, student, problems))
    for path, answers in written.items():
        if not answers.items() <= written[best].items():
            both = f"{best.as_posix()} and {path.as_posix()}"
            raise CannotGrade(f"{both} have different answers: keep the one to grade")
    rest = [path.as_posix() for path in (*written, *damaged) if path != best]
    if best.name == f"{job.name}.ipynb" and not rest:
        return notebooks[best], ""
    others = f" with {len(written[best])} answers, not {', '.join(rest)}" if rest else ""
    return notebooks[best], f"graded {best.as_posix()}{others}"


def why_not(job, student, problems):
    """Why a student's folder has no notebook to grade, in one sentence."""
    for path, finding in problems.items():
        return f"{path.as_posix()}: {finding.message}"
    names = [path.as_posix() for path in files(job, student)]
    only = f", only {', '.join(names[:3])}" if names else ""
    return f"there is no {job.name}/{job.name}.ipynb{only}"


def accept(job, student, identity):
    """Puts a submission into the course, repaired if necessary; returns a note about it."""
    released = check_notebook.read_notebook(job.course / "release" / job.name / f"{job.name}.ipynb")
    mine, note = submission(job, student, released)
    target = job.course / "submitted" / identity / job.name / f"{job.name}.ipynb"
    target.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(check_notebook.repaired(released, mine), target)
    found, said = check_notebook.findings(released, mine), []
    for kind in ("missing", "moved", "doubled", "changed", "stripped"):
        names = dict.fromkeys(finding.where for finding in found if finding.kind == kind)
        said += [f"{kind}: {', '.join(names)}"] if names else []
    return "; ".join(filter(None, [note, said and "repaired: " + "; ".join(said)]))


def cut(text, most=TEXT):
    """The beginning of a text, and how much is missing."""
    rest = len(text) - most
    return text if rest <= 0 else f"{text[:most]}\n[the grader cut {rest:,} more characters]\n"


def cut_outputs(cell):
    """Cuts a code cell's outputs to what feedback can show; returns whether anything was cut."""
    given, kept, size = copy.deepcopy(cell.outputs), [], 0
    for output in cell.outputs:
        data = output.get("data", {})
        if "text" in output:
            output.text = cut(output.text)
        elif "evalue" in output:
            output.evalue = cut(output.evalue)
            trace = "\n".join(output.traceback)
            output.traceback = [cut(trace)] if len(trace) > TEXT else output.traceback
        elif "text/plain" in data:
            data["text/plain"] = cut(data["text/plain"])
        size += len(json.dumps(output))
        if size <= CELL or "evalue" in output:  # the error is what the table says
            kept.append(output)
    if missing := len(cell.outputs) - len(kept):
        text = f"[the grader cut {missing:,} more outputs]\n"
        kept.append(nbformat.v4.new_output("stream", name="stdout", text=text))
    cell.outputs = kept
    return kept != given


def cut_notebook(job, identity):
    """Cuts the outputs of an autograded notebook; returns a note that says of which cells."""
    path = job.course / "autograded" / identity / job.name / f"{job.name}.ipynb"
    notebook = nbformat.read(path, as_version=4)
    names = [
        grading.grade_id(cell) or f"cell {number}"
        for number, cell in enumerate(notebook.cells, start=1)
        if cell.cell_type == "code" and cut_outputs(cell)
    ]
    if not names:
        return ""
    path.unlink()  # nbgrader has made it read-only
    nbformat.write(notebook, path)
    return f"output cut: {', '.join(names)}"


def grade(job, student, identity):
    """Grades one submission; returns a note: what was repaired, or why it was not graded."""
    try:
        notes = [accept(job, student, identity)]
        nbgrader(job, "autograde", job.name, "--student", identity, "--force", limit=job.total)
        notes.append(cut_notebook(job, identity))
        nbgrader(job, "generate_feedback", job.name, "--student", identity, "--force")
        made = job.course / "feedback" / identity / job.name / f"{job.name}.html"
        (job.out / "feedback" / student).mkdir(parents=True, exist_ok=True)
        shutil.copy(made, job.out / "feedback" / student)
    except CannotGrade as error:
        return {"id": identity, "graded": False, "note": str(error)}
    except Exception as error:  # one submission must not stop the others
        return {"id": identity, "graded": False, "note": f"{type(error).__name__}: {error}"}
    return {"id": identity, "graded": True, "note": "; ".join(filter(None, notes))}


def error_of(cell, seconds):
    """The error below a cell, on one line; "" if there is none."""
    errors = [output for output in cell.get("outputs", []) if output.output_type == "error"]
    if any(error.ename == "CellTimeoutError" for error in errors):
        return f"took longer than {seconds} seconds"
    for error in errors:
        if error.ename == "NotImplementedError" and not error.evalue:
            return "no answer"
        return " ".join(f"{error.ename}: {error.evalue}".split())[:400]
    return ""


def messages(job, identity):
    """What the cells of an autograded notebook said: grade_id -> error."""
    path = job.course / "autograded" / identity / job.name / f"{job.name}.ipynb"
    notebook = nbformat.read(path, as_version=4)
    return {grading.grade_id(cell): error_of(cell, job.seconds) for cell in notebook.cells}


def grades(job, identity):
    """The points in nbgrader's gradebook: grade_id -> (points or None, most points)."""
    from nbgrader.api import Gradebook

    with Gradebook(f"sqlite:///{job.course / 'gradebook.db'}") as gradebook:
        notebook = gradebook.find_submission_notebook(job.name, job.name, identity)
        return {
            grade.name: (None if grade.needs_manual_grade else grade.score, grade.max_score)
            for grade in notebook.grades
        }


def rows(job, student, note):
    """A student's rows of the table: one per task, and the total."""
    if not note["graded"]:
        yield (student, "total", "", "", f"not graded: {note['note']}")
        return
    points, said = grades(job, note["id"]), messages(job, note["id"])
    notebook = grading.read(job.name)
    names = [grading.grade_id(cell) for cell in notebook.cells]
    tasks = {task: checks for task, checks in grading.answers(notebook).items() if checks}
    by_hand = []
    for name in names:
        if name in tasks:
            got = sum(points[check][0] or 0 for check in tasks[name])
            most = sum(points[check][1] for check in tasks[name])
            errors = [text for text in (said.get(cell) for cell in (name, *tasks[name])) if text]
            yield (student, name, f"{got:g}", f"{most:g}", errors[0] if errors else "")
        elif name.startswith("proof_"):
            got, most = points[name]
            by_hand += [name] if got is None else []
            text = "to be graded by hand" if got is None else ("" if got else "no answer")
            yield (student, name, "" if got is None else f"{got:g}", f"{most:g}", text)
    total, most = (sum(pair[i] or 0 for pair in points.values()) for i in (0, 1))
    waiting = f"without {', '.join(by_hand)}" if by_hand else ""
    message = "; ".join(filter(None, (waiting, note["note"])))
    yield (student, "total", f"{total:g}", f"{most:g}", message)


def write_table(job, notes):
    """Writes the table, quoting names and messages that a spreadsheet would run as formulas."""
    path = job.out / f"grades_{job.name}.csv"
    with open(path, "w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        for student, note in notes.items():
            for row in rows(job, student, note):
                writer.writerow([re.sub(r"^(?=[=+\-@\t\r])", "'", value) for value in row])
    return path


def grade_class(job):
    """Grades every student's submission; returns the table's path."""
    prepare(job)
    notes = {}
    for student, identity in students(job).items():
        started = time.perf_counter()
        notes[student] = grade(job, student, identity)
        text = notes[student]["note"] or "graded"
        print(f"{student}: {time.perf_counter() - started:.0f} s, {text}", flush=True)
        job.notes.write_text(json.dumps(notes, indent=1, ensure_ascii=False), encoding="utf-8")
        write_table(job, notes)
    if not notes:
        raise SystemExit(f"no student's folder in {job.submitted}")
    return write_table(job, notes)


def main():
    """Reads the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("name", choices=grading.assignments(), metavar="assignment")
    parser.add_argument("submitted", type=pathlib.Path, help="folder with one folder per student")
    parser.add_argument("out", type=pathlib.Path, help="folder for the results")
    parser.add_argument("--private", type=pathlib.Path, help="folder with your own hidden tests")
    parser.add_argument("--seconds", type=int, default=30, help="time limit per cell")
    parser.add_argument("--total", type=int, default=300, help="time limit per submission")
    parser.add_argument("--export", action="store_true", help="only write the table again")
    options = vars(parser.parse_args())
    export = options.pop("export")
    for key in ("submitted", "out", "private"):
        options[key] = options[key] and options[key].resolve()
    job = Job(**options)
    if not job.submitted.is_dir():
        parser.error(f"there is no folder {job.submitted}")
    if export:
        notes = json.loads(job.notes.read_text(encoding="utf-8"))
        print("written:", write_table(job, notes))
    else:
        print("written:", grade_class(job))


if __name__ == "__main__":
    main()
