"""Runs an assignment's cells without a kernel, and every wrong solution against its checks.

    python chapters/assignments/grading.py                     # the kill table
    python chapters/assignments/grading.py 01_rnn_classifier   # the same for one assignment
    python chapters/assignments/grading.py --release           # writes release/ with nbgrader

The kill table has one entry per wrong solution in mutants/: which check noticed it, and what the
check said. `--release` writes source/ without its solutions and hidden tests into release/.
"""

import argparse
import contextlib
import importlib.util
import io
import linecache
import os
import pathlib
import re
import shutil
import sys
import tempfile
import time
from typing import NamedTuple

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
os.environ.setdefault("MPLBACKEND", "agg")
# nbgrader calls alembic by its name, and an environment need not be activated.
os.environ["PATH"] = os.pathsep.join([os.path.dirname(sys.executable), os.environ["PATH"]])

import nbformat

HERE = pathlib.Path(__file__).parent
HIDDEN = re.compile(r"^[^\n]*BEGIN HIDDEN TESTS.*?END HIDDEN TESTS[^\n]*\n?", re.DOTALL | re.M)
SOLUTION = re.compile(r"^[^\n]*BEGIN SOLUTION.*?END SOLUTION[^\n]*\n?", re.DOTALL | re.M)


class Outcome(NamedTuple):
    """The error message of a cell, "" if it ran through, and whether it came from a hidden test."""

    message: str
    hidden: bool = False


class Verdict(NamedTuple):
    """How the checks responded to a wrong solution: the first one that failed, and its message."""

    check: str
    message: str
    hidden: bool
    seconds: float


def assignments(root=HERE):
    """The names of the assignments, for example 01_rnn_classifier."""
    return sorted(path.stem for path in root.glob("source/*/*.ipynb"))


def read(name, kind="source", root=HERE):
    """The notebook of an assignment, from source/ or release/."""
    return nbformat.read(root / kind / name / f"{name}.ipynb", as_version=4)


def grade_id(cell):
    """The cell's name in nbgrader's metadata; "" if it has none."""
    return cell.metadata.get("nbgrader", {}).get("grade_id", "")


def task_of(name):
    """The number of the task in a grade_id such as check_2_mask; "" if there is none."""
    match = re.match(r"(?:task|check|proof)_(\d+)_", name)
    return match[1] if match else ""


def answers(notebook):
    """The graded coding tasks: grade_id of the answer cell -> grade_ids of its checks."""
    names = [grade_id(cell) for cell in notebook.cells if cell.cell_type == "code"]
    checks = [name for name in names if name.startswith("check_")]
    tasks = [name for name in names if name.startswith("task_")]
    return {task: [name for name in checks if task_of(name) == task_of(task)] for task in tasks}


def visible(code):
    """A check as students see it."""
    return HIDDEN.sub("", code)


def plain_python(code):
    """The cell's code without IPython's own lines."""
    return re.sub(r"^(\s*)[%!].*", r"\1pass", code, flags=re.M)


def execute(code, namespace, name):
    """Runs code; returns the message of its error, "" if it ran through."""
    code, place = plain_python(code), f"<{name}>"
    linecache.cache[place] = (len(code), None, code.splitlines(True), place)  # for `inspect`
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            exec(compile(code, place, "exec"), namespace)
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return ""


def run_cell(cell, code, namespace, name):
    """Runs a cell. The visible part of a check runs first, to see which part fails."""
    if not (cell.metadata.get("nbgrader", {}).get("grade") and HIDDEN.search(code)):
        return Outcome(execute(code, namespace, name))
    message = execute(visible(code), namespace, name)
    return Outcome(message) if message else Outcome(execute(code, namespace, name), hidden=True)


def run(notebook, replaced=None, only_task="", until=""):
    """Runs a notebook's code cells in one namespace, in order; an error stops none of them.

    Args:
        notebook: as `read` gives it.
        replaced: grade_id -> the code to run instead of the cell's own.
        only_task: the number of a task; the checks of other tasks are left out.
        until: the grade_id of the last cell to run.

    Returns:
        A dictionary from grade_id, or "cell 3" where there is none, to Outcome.
    """
    replaced, namespace, outcomes = replaced or {}, {"__name__": "__main__"}, {}
    for number, cell in enumerate(notebook.cells):
        name = grade_id(cell) or f"cell {number}"
        skipped = only_task and name.startswith("check_") and task_of(name) != only_task
        if cell.cell_type != "code" or skipped:
            continue
        outcomes[name] = run_cell(cell, replaced.get(name, cell.source), namespace, name)
        if name == until:
            break
    return outcomes


def failed(outcomes):
    """The outcomes with an error."""
    return {name: outcome for name, outcome in outcomes.items() if outcome.message}


def load_module(path):
    """A Python file as a module, whatever its name is."""
    if str(HERE) not in sys.path:
        sys.path.insert(0, str(HERE))  # `from mutants import Mutant`
    spec = importlib.util.spec_from_file_location(f"_loaded_{path.stem}", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def load_mutants(name, root=HERE):
    """The wrong solutions of an assignment."""
    return load_module(root / "mutants" / f"{name}.py").MUTANTS


def try_mutant(notebook, mutant):
    """Runs one wrong solution up to the check that must notice it."""
    started = time.perf_counter()
    replaced = {mutant.task: mutant.code}
    outcomes = run(notebook, replaced, task_of(mutant.task), mutant.killed_by)
    for name, outcome in failed(outcomes).items():
        return Verdict(name, outcome.message, outcome.hidden, time.perf_counter() - started)
    return Verdict("", "", False, time.perf_counter() - started)


def what_is_wrong(mutant, verdict):
    """Says how a verdict differs from the one that the mutant promises; "" if it does not."""
    if verdict.check != mutant.killed_by:
        return f"killed by {verdict.check or 'nothing'}, not by {mutant.killed_by}"
    if verdict.hidden != bool(mutant.hidden):
        seen = "only the hidden test" if verdict.hidden else "the visible check"
        return f"{seen} noticed it"
    if mutant.hint not in verdict.message:
        return f"{mutant.hint!r} is not in {verdict.message!r}"
    return ""


def release(names, target=HERE, root=HERE):
    """Writes target/release/NAME/NAME.ipynb for each name, with nbgrader."""
    from nbgrader.apps import NbGraderAPI
    from traitlets.config import PyFileConfigLoader

    with tempfile.TemporaryDirectory() as folder:
        config = PyFileConfigLoader("nbgrader_config.py", str(HERE)).load_config()
        config.CourseDirectory.root = folder
        shutil.copytree(root / "source", pathlib.Path(folder) / "source")
        api = NbGraderAPI(config=config)
        for name in names:
            result = api.generate_assignment(name)
            if not result["success"]:
                raise SystemExit(f"{name}: {result.get('error') or result['log']}")
            made = pathlib.Path(folder) / "release" / name / f"{name}.ipynb"
            place = target / "release" / name / f"{name}.ipynb"
            place.parent.mkdir(parents=True, exist_ok=True)
            text = nbformat.writes(nbformat.read(made, as_version=4)) + "\n"
            place.write_text(text, encoding="utf-8", newline="\n")
        api.gradebook.close()


def print_table(name):
    """Prints the kill table of an assignment; returns how many entries are not as promised."""
    notebook, wrong = read(name), 0
    print(f"\n{name}\n")
    for mutant in load_mutants(name):
        verdict = try_mutant(notebook, mutant)
        problem = what_is_wrong(mutant, verdict)
        wrong += bool(problem)
        print(f"{'WRONG' if problem else 'ok':5} {mutant.task}: {mutant.mistake}")
        where = f"{verdict.check}{', hidden test' if verdict.hidden else ''}"
        print(f"      {where} ({verdict.seconds:.1f} s): {verdict.message}")
        if problem:
            print(f"      {problem}")
    return wrong


def main():
    """Reads the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", help="assignments; without names, all of them")
    parser.add_argument("--release", action="store_true", help="write release/ with nbgrader")
    options = parser.parse_args()
    names = options.names or assignments()
    if options.release:
        release(names)
        print("written:", *(f"release/{name}/{name}.ipynb" for name in names))
        return
    if sum([print_table(name) for name in names]):
        raise SystemExit(
            "\nnot every wrong solution was stopped by the check that was named for it"
        )


if __name__ == "__main__":
    main()
