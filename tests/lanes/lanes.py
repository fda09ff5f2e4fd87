"""Runs the course's tests in other environments, each built from scratch; prints one table.

    python tests/lanes/lanes.py                          # every lane
    python tests/lanes/lanes.py colab jax                # some
    python tests/lanes/lanes.py slow jax --minutes 40    # as far as 40 minutes allow: what is
        # left must be worth starting a lane, and a lane is stopped when the time is over
    python tests/lanes/lanes.py torch --store            # and writes its line into MAINTAINING.md
    python tests/lanes/lanes.py torch --keep             # in the environment of the last time
    python tests/lanes/lanes.py torch --again            # only the files in which a test failed

A lane is a Python, a set of versions, a backend and what is run there. Its environment and
its log are in the folder `lanes` beside the checkout, or where `--folder` says.
"""

import argparse
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import time
import tomllib
import xml.etree.ElementTree as ElementTree
from collections import Counter
from typing import NamedTuple

ROOT = pathlib.Path(__file__).parents[2]
PAGE = ROOT / "MAINTAINING.md"
HEAD = ["lane", "versions", "passed", "failed", "skipped", "minutes"]
SHOWN = ("tensorflow", "keras", "numpy", "jax", "torch")


class Lane(NamedTuple):
    """One environment and what is run in it.

    Attributes:
        what: one line for the table.
        pins: versions to insist on, as pip writes them.
        also: packages besides the course's own.
        without: packages of the tests that do not go with the pins; their tests are skipped.
        backend: Keras's backend.
        python: the Python wanted; another one is used, and named, where it is not there.
        run: pytest's options; empty for plain `pytest`.
        where: the files and folders that it runs; empty for all.
        minutes: how many must be left to start it. Building takes about four of them, then
            tests/ comes before the chapters.
    """

    what: str
    pins: tuple = ()
    also: tuple = ()
    without: tuple = ()
    backend: str = "tensorflow"
    python: str = ""
    run: tuple = ()
    where: tuple = ()
    minutes: int = 15


class OutOfTimeError(RuntimeError):
    """A lane was stopped before it could report anything."""


COLAB = (
    "tensorflow==2.20.0",
    "keras==3.13.2",
    "numpy==2.1.3",
    "matplotlib==3.10.0",
    "ipython==7.34.0",
    "ipykernel==6.17.1",
)


def lowest(path=ROOT / "requirements.txt"):
    """The lowest versions that requirements.txt admits, as pins."""
    found = re.findall(r"^([a-z]+)>=([0-9.]+)", path.read_text(), flags=re.M)
    return tuple(f"{name}=={version}" for name, version in found)


def tools(without=(), path=ROOT / "pyproject.toml"):
    """What the tests need besides requirements.txt, as pip writes it."""
    found = tomllib.loads(path.read_text())["project"]["optional-dependencies"]["tests"]
    return [tool for tool in found if not tool.startswith(without)] if without else found


LANES = {
    "newest": Lane("the newest versions"),
    # nbgrader needs a newer IPython than Colab's; teachers grade on machines of their own.
    "colab": Lane("Colab's versions", pins=COLAB, without=("nbgrader",), python="3.13"),
    "lowest": Lane("the lowest versions", pins=lowest()),
    "constraints": Lane("constraints.txt", pins=("-c", str(ROOT / "constraints.txt"))),
    "jax": Lane("JAX, chapters too", also=("jax",), backend="jax"),
    # Plain `torch` is several GB for graphics cards; of 2.13.0 there are wheels for the CPU, too,
    # for pip to find with PIP_FIND_LINKS or PIP_EXTRA_INDEX_URL.
    "torch": Lane(
        "PyTorch, without the chapters", also=("torch==2.13.0",), backend="torch", where=("tests",)
    ),
    # Each worker takes a chapter, or a training run that is killed.
    "slow": Lane("what takes minutes", run=("-m", "slow", "--dist=loadgroup"), minutes=25),
}


def python_for(version):
    """The interpreter of that version if this machine has one that runs, else this one."""
    found = shutil.which(f"python{version}") if version else None
    works = found and subprocess.run([found, "-c", ""], capture_output=True).returncode == 0
    return found if works else sys.executable


def call(command, log, seconds=None, **environment):
    """Runs a command, its output in the log; its exit status, or "stopped" after the seconds."""
    how = {"cwd": ROOT, "env": {**os.environ, **environment}}
    # A shell makes what it runs in the background deaf to SIGINT, children included.
    how["preexec_fn"] = lambda: signal.signal(signal.SIGINT, signal.SIG_DFL)
    with (
        open(log, "ab") as out,
        subprocess.Popen(command, stdout=out, stderr=out, **how) as process,
    ):
        try:
            return process.wait(seconds)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGINT)  # pytest then writes its report
        try:
            process.wait(60)
        except subprocess.TimeoutExpired:
            process.kill()
    return "stopped"


def seconds_left(end):
    """Seconds until a time of `time.perf_counter`; None if it never comes."""
    return None if end == float("inf") else max(end - time.perf_counter(), 0)


def build(lane, folder, log, keep=False, end=float("inf")):
    """A virtual environment with the course and the lane's versions; returns its Python."""
    place = folder / "venv"
    python = place / "bin" / "python"
    if keep and python.exists():
        return python
    shutil.rmtree(place, ignore_errors=True)
    steps = [
        [python_for(lane.python), "-m", "venv", place],
        [python, "-m", "pip", "install", "-q", "-r", "requirements.txt", "-e", "."],
    ]
    steps[1] += [*tools(lane.without), *lane.pins, *lane.also]
    for step in steps:
        status = call(step, log, seconds_left(end))
        if status == "stopped":
            raise OutOfTimeError("stopped while its environment was built")
        if status:
            raise RuntimeError(f"the environment could not be built: see {log}")
    return python


def versions(python):
    """What is installed there, of what matters."""
    program = (
        "import sys, importlib.metadata as m\n"
        "print('Python', sys.version.split()[0], end='')\n"
        f"for name in {SHOWN}:\n"
        "    try: print(',', name, m.version(name), end='')\n"
        "    except m.PackageNotFoundError: pass\n"
    )
    return subprocess.run([python, "-c", program], capture_output=True, text=True).stdout


def outcome(report):
    """Counts of a JUnit report: passed, failed; the reasons of what was skipped; seconds."""
    counts, reasons = Counter(), Counter()
    suite = ElementTree.parse(report).find(".//testsuite")
    for case in suite.iter("testcase"):
        kinds = {child.tag for child in case}
        if "skipped" in kinds:
            reasons[case.find("skipped").get("message", "")] += 1
        counts[
            "failed"
            if kinds & {"failure", "error"}
            else "skipped"
            if kinds & {"skipped"}
            else "passed"
        ] += 1
    return counts, reasons, float(suite.get("time", 0))


def failed(report):
    """The files of a JUnit report in which something failed."""
    names = {
        case.get("classname")
        for case in ElementTree.parse(report).iter("testcase")
        if {child.tag for child in case} & {"failure", "error"}
    }
    parts = [name.partition(".ipynb") for name in sorted(names)]
    return [stem.replace(".", "/") + (notebook or ".py") for stem, notebook, _ in parts]


def merge(before, report):
    """Puts into a report what an earlier one says of other files, and the earlier seconds."""
    old, new = (ElementTree.parse(path) for path in (before, report))
    kept, suite = old.find(".//testsuite"), new.find(".//testsuite")
    again = {case.get("classname") for case in suite.iter("testcase")}
    suite.extend(case for case in kept.iter("testcase") if case.get("classname") not in again)
    suite.set("time", str(float(suite.get("time", 0)) + float(kept.get("time", 0))))
    new.write(report)


def run(name, folder, left, keep=False, again=False):
    """Builds and runs a lane; returns its line of the table, a list, and whether it passed."""
    end = time.perf_counter() + 60 * left
    lane, log, report = LANES[name], folder / "log.txt", folder / "report.xml"
    folder.mkdir(parents=True, exist_ok=True)
    files, before = lane.where, folder / "before.xml"
    if again:
        if not report.exists():
            raise RuntimeError(f"there is no report of an earlier run: {report}")
        files = failed(report)
        if not files:
            raise RuntimeError("nothing failed the last time")
        report.replace(before)
    log.unlink(missing_ok=True)
    report.unlink(missing_ok=True)
    python = build(lane, folder, log, keep or again, end)
    command = [python, "-m", "pytest", f"--junitxml={report}", *lane.run, *files]
    status = call(command, log, seconds_left(end), KERAS_BACKEND=lane.backend)
    if not report.exists() and status == "stopped":
        raise OutOfTimeError("stopped before it reported anything")
    if not report.exists():
        raise RuntimeError(f"pytest ended with status {status} and no report: see {log}")
    if again:
        merge(before, report)
    counts, reasons, seconds = outcome(report)
    why = "; ".join(f"{count} x {reason}" for reason, count in reasons.most_common())
    skipped = f"{counts['skipped']}: {why}" if why else "0"
    took = f"{seconds / 60:.0f}" + (", then stopped" if status == "stopped" else "")
    line = [name, versions(python), counts["passed"], counts["failed"], skipped, took]
    return line, status == 0 or (status == "stopped" and not counts["failed"])


def attempt(name, folder, left, keep=False, again=False):
    """A lane's line and whether all is well; it is not started if too few minutes are left."""
    least = LANES[name].minutes
    if least > left and not again:
        why = f"not run: it is worth starting with {least} minutes, {max(left, 0):.0f} are left"
        return [name, why, "", "", "", ""], True
    try:
        return run(name, folder, left, keep, again)
    except OutOfTimeError as error:
        return [name, str(error), "", "", "", ""], True
    except RuntimeError as error:
        return [name, str(error), 0, "", "", ""], False


def table(lines):
    """The lines as a markdown table."""
    rows = [HEAD, ["---"] * len(HEAD), *lines]
    return "\n".join(f"| {' | '.join(map(str, row))} |" for row in rows)


def into_page(lines, page):
    """A page with the lines in its table of lanes; those of other lanes stay as they are."""
    before, found, after = re.split(
        r"(?<=<!-- lanes -->\n)(.*?)(?=<!-- /lanes -->)", page, flags=re.S
    )
    rows = [re.split(r" \| ", row.strip("| ")) for row in found.splitlines()[2:]]
    kept = {row[0]: row for row in rows} | {line[0]: line for line in lines}
    return f"{before}{table([kept[name] for name in LANES if name in kept])}\n{after}"


def main():
    """Reads the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("lanes", nargs="*", help=f"some of {', '.join(LANES)}; all if left out")
    parser.add_argument("--folder", type=pathlib.Path, default=ROOT.parent / "lanes")
    parser.add_argument("--minutes", type=float, default=float("inf"), help="no limit if left out")
    parser.add_argument("--keep", action="store_true", help="build no environment that is there")
    parser.add_argument("--again", action="store_true", help="only the files that failed")
    parser.add_argument("--store", action="store_true", help=f"write the lines into {PAGE.name}")
    options = parser.parse_args()
    unknown = set(options.lanes) - set(LANES)
    if unknown:
        parser.error(f"there is no lane {', '.join(sorted(unknown))}: {', '.join(LANES)}")
    lines, passed, started = [], True, time.perf_counter()
    for name in options.lanes or LANES:
        left = options.minutes - (time.perf_counter() - started) / 60
        line, fine = attempt(name, options.folder / name, left, options.keep, options.again)
        lines.append(line)
        passed &= fine
        print(table([line]), flush=True)
        log = options.folder / name / "log.txt"
        if not fine and log.exists():
            print(*log.read_text(errors="replace").splitlines()[-60:], sep="\n", flush=True)
    print(f"\n{table(lines)}")
    if options.store:
        ran = [line for line in lines if line[2] and "stopped" not in line[-1]]
        page = into_page(ran, PAGE.read_text(encoding="utf-8"))
        PAGE.write_text(page, encoding="utf-8", newline="\n")
    raise SystemExit(0 if passed else 1)


if __name__ == "__main__":
    main()
