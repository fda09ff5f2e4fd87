"""tests/lanes: what the lanes read and print, and that backends are compared rightly."""

import importlib
import os
import pathlib
import re
import signal
import sys

import keras
import numpy as np
import pytest

from lmkit import stories
from lmkit.batches import IGNORE, next_tokens
from lmkit.decoding import generate

FOLDER = pathlib.Path(__file__).parent / "lanes"
ROOT = FOLDER.parents[1]

REPORT = """<testsuites><testsuite time="90">
<testcase name="a"/><testcase name="b"><failure message="no"/></testcase>
<testcase name="c"><skipped message="no GPU"/></testcase><testcase name="d"/>
<testcase name="e"><error message="worse"/></testcase>
<testcase name="f"><skipped message="no GPU"/></testcase>
</testsuite></testsuites>"""


@pytest.fixture(autouse=True)
def on_path(monkeypatch):
    monkeypatch.syspath_prepend(str(FOLDER))


@pytest.fixture
def lanes():
    return importlib.import_module("lanes")


@pytest.fixture
def agreement():
    return importlib.import_module("agreement")


def test_the_lowest_versions_are_those_of_the_requirements(lanes, tmp_path):
    page = tmp_path / "requirements.txt"
    page.write_text("# x>=9\ntensorflow>=2.20,<3\nnumpy>=2.0,<3\n-e .\n")
    assert lanes.lowest(page) == ("tensorflow==2.20", "numpy==2.0")
    assert len(lanes.lowest()) == 7


def test_tools_of_the_tests_may_be_left_out(lanes, tmp_path):
    page = tmp_path / "pyproject.toml"
    page.write_text('[project.optional-dependencies]\ntests = ["ruff>=0.8", "nbgrader>=0.9.5"]\n')
    assert lanes.tools(path=page) == ["ruff>=0.8", "nbgrader>=0.9.5"]
    assert lanes.tools(("nbgrader",), page) == ["ruff>=0.8"]
    assert lanes.LANES["colab"].without == ("nbgrader",)


def test_a_report_is_counted_with_its_reasons(lanes, tmp_path):
    report = tmp_path / "report.xml"
    report.write_text(REPORT)
    counts, reasons, seconds = lanes.outcome(report)
    assert counts == {"passed": 2, "failed": 2, "skipped": 2}
    assert reasons == {"no GPU": 2}
    assert seconds == 90.0


def test_files_that_failed_are_run_again_and_the_others_are_kept(lanes, tmp_path):
    case = '<testcase classname="{}" name="{}">{}</testcase>'.format
    suite = '<testsuites><testsuite time="60">{}</testsuite></testsuites>'.format
    bad, notebook = "<failure message='no'/>", "chapters.solutions.02_a.ipynb"
    report, before = tmp_path / "report.xml", tmp_path / "before.xml"
    before.write_text(
        suite(
            case("tests.test_a", "1", "")
            + case("tests.test_b", "1", "")
            + case("tests.test_b", "2", "<error message='no'/>")
            + case(notebook, "Cell 0", bad)
        )
    )
    assert lanes.failed(before) == ["chapters/solutions/02_a.ipynb", "tests/test_b.py"]
    report.write_text(
        suite(
            case("tests.test_b", "2", "")
            + case("tests.test_b", "3", "")
            + case(notebook, "Cell 0", "")
        )
    )
    lanes.merge(before, report)
    counts, _, seconds = lanes.outcome(report)
    assert (counts, seconds) == ({"passed": 4}, 120.0)
    assert lanes.failed(report) == []


def test_of_a_lane_for_the_tests_alone_no_more_than_what_failed_is_run_again(
    lanes, tmp_path, monkeypatch
):
    commands = []
    suite = '<testsuites><testsuite><testcase classname="tests.test_a">{}</testcase>'
    suite += "</testsuite></testsuites>"

    def call(command, log, seconds=None, **environment):
        commands.append(command[4:])
        (tmp_path / "report.xml").write_text(suite.format("" if len(commands) == 2 else "<error/>"))
        return int(len(commands) == 1)

    monkeypatch.setattr(lanes, "build", lambda *_: sys.executable)
    monkeypatch.setattr(lanes, "call", call)
    assert not lanes.run("torch", tmp_path, 10)[1]
    line, fine = lanes.run("torch", tmp_path, 10, again=True)
    assert commands == [["tests"], ["tests/test_a.py"]]
    assert fine and line[2:4] == [1, 0]
    with pytest.raises(RuntimeError, match="nothing failed the last time"):
        lanes.run("torch", tmp_path, 10, again=True)


def test_nothing_can_be_run_again_before_the_first_time(lanes, tmp_path):
    line, fine = lanes.attempt("jax", tmp_path, 60, again=True)
    assert not fine and "there is no report of an earlier run" in line[1]


def test_a_lane_that_cannot_be_built_is_a_line_of_the_table(lanes, tmp_path, monkeypatch, capsys):
    def fails(lane, folder, log, keep, end):
        log.write_text("the first line\n" + "pip says why\n" * 60)
        raise RuntimeError("no such version")

    monkeypatch.setattr(lanes, "build", fails)
    monkeypatch.setattr(sys, "argv", ["lanes.py", "jax", "--folder", str(tmp_path)])
    with pytest.raises(SystemExit) as stopped:
        lanes.main()
    assert stopped.value.code == 1
    printed = capsys.readouterr().out
    assert "| jax | no such version | 0 |" in printed
    # The end of the log is beside it: on a machine that is gone afterwards nobody can look it up.
    assert printed.count("pip says why") == 60 and "the first line" not in printed


def test_an_environment_is_kept_if_it_is_there(lanes, tmp_path, monkeypatch):
    commands = []

    def call(command, log, seconds):
        assert seconds is None
        commands.append(command[2])
        (tmp_path / "venv" / "bin").mkdir(parents=True, exist_ok=True)
        (tmp_path / "venv" / "bin" / "python").touch()

    monkeypatch.setattr(lanes, "call", call)
    for keep, steps in ((True, 2), (True, 0), (False, 2)):
        commands.clear()
        assert lanes.build(lanes.LANES["jax"], tmp_path, None, keep).name == "python"
        assert commands == ["venv", "pip"][:steps]


@pytest.mark.parametrize("left", [14, 0, -3])
def test_a_lane_that_is_not_worth_starting_is_not_started(
    lanes, tmp_path, monkeypatch, capsys, left
):
    monkeypatch.setattr(lanes, "build", lambda *_: pytest.fail("was started"))
    assert lanes.LANES["jax"].minutes == 15
    command = ["lanes.py", "jax", "--folder", str(tmp_path), "--minutes", str(left)]
    monkeypatch.setattr(sys, "argv", command)
    with pytest.raises(SystemExit) as stopped:
        lanes.main()
    assert stopped.value.code == 0
    words = f"| jax | not run: it is worth starting with 15 minutes, {max(left, 0)} are left"
    assert words in capsys.readouterr().out


@pytest.mark.parametrize(
    ("step", "words"),
    [(1, "stopped while its environment was built"), (3, "stopped before it reported anything")],
)
def test_a_lane_that_runs_out_of_time_is_no_failure(lanes, tmp_path, monkeypatch, step, words):
    commands = []

    def call(command, log, seconds, **environment):
        commands.append(command)
        assert 0 < seconds <= 60 * 16
        return "stopped" if len(commands) == step else 0

    monkeypatch.setattr(lanes, "call", call)
    line, fine = lanes.attempt("jax", tmp_path, 16)
    assert fine and line[1] == words
    assert len(commands) == step


def test_the_seconds_that_are_left(lanes):
    assert lanes.seconds_left(float("inf")) is None
    assert lanes.seconds_left(0) == 0


@pytest.mark.parametrize("how", [signal.SIG_DFL, signal.SIG_IGN], ids=["", "in the background"])
def test_a_command_is_stopped_when_the_time_is_over(lanes, tmp_path, how):
    log = tmp_path / "log.txt"
    program = (
        "import time\n"
        "try: print('waits', flush=True); time.sleep(600)\n"
        "except KeyboardInterrupt: print('writes its report')"
    )
    assert lanes.call([sys.executable, "-c", "raise SystemExit(3)"], log) == 3
    before = signal.signal(signal.SIGINT, how)
    try:
        assert lanes.call([sys.executable, "-c", program], log, seconds=2) == "stopped"
    finally:
        signal.signal(signal.SIGINT, before)
    assert log.read_text().split("\n")[:2] == ["waits", "writes its report"]


@pytest.mark.parametrize(
    ("status", "cases", "fine"),
    [
        (0, '<testcase name="a"/>', True),
        (1, '<testcase name="a"><failure message="no"/></testcase>', False),
        (2, '<testcase name="a"/>', False),  # pytest itself went wrong
        ("stopped", '<testcase name="a"/>', True),
        ("stopped", '<testcase name="a"><failure message="no"/></testcase>', False),
    ],
)
def test_a_lane_is_fine_if_nothing_failed(lanes, tmp_path, monkeypatch, status, cases, fine):
    def call(command, log, seconds=None, **environment):
        assert 0 < seconds <= 600 and environment == {"KERAS_BACKEND": "jax"}
        (tmp_path / "report.xml").write_text(
            f"<testsuites><testsuite>{cases}</testsuite></testsuites>"
        )
        return status

    monkeypatch.setattr(lanes, "build", lambda *_: sys.executable)
    monkeypatch.setattr(lanes, "call", call)
    line, well = lanes.run("jax", tmp_path, 10)
    assert well == fine
    assert line[2:4] == ([1, 0] if "failure" not in cases else [0, 1])
    assert line[-1] == ("0, then stopped" if status == "stopped" else "0")


PAGE = "before\n<!-- lanes -->\n{}\n<!-- /lanes -->\nafter\n"


def test_a_line_takes_the_place_of_the_lanes_old_one(lanes):
    old = [
        ["newest", "Python 3.11, keras 3", 5, 0, "0", "2"],
        ["jax", "Python 3.12", 4, 1, "0", "1"],
    ]
    new = ["jax", "Python 3.13", 6, 0, "1: 1 x no GPU", "3"]
    first = ["slow", "Python 3.11", 1, 0, "0", "9"]
    page = PAGE.format(lanes.table(old))
    assert lanes.into_page([], page) == page
    assert lanes.into_page([first, new], page) == PAGE.format(lanes.table([old[0], new, first]))


def test_the_stored_lanes_have_all_passed(lanes):
    page = (ROOT / "MAINTAINING.md").read_text(encoding="utf-8")
    part = page.split("<!-- lanes -->")[1].split("<!-- /lanes -->")[0]
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in part.split("\n")[3:-1]]
    assert [row[0] for row in rows] == list(lanes.LANES)
    for name, versions, passed, failed, skipped, minutes in rows:
        assert (failed, minutes.isdigit()) == ("0", True), name
        assert int(passed) > 0 and versions.startswith("Python 3.")
        assert skipped == "0" or re.match(r"\d+: \d+ x .", skipped), "a skipped test says why"


def test_an_unknown_lane_is_named(lanes, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["lanes.py", "theano"])
    with pytest.raises(SystemExit):
        lanes.main()
    assert "there is no lane theano: newest, colab" in capsys.readouterr().err


def test_another_python_is_taken_where_the_wanted_one_is_not(lanes, tmp_path, monkeypatch):
    broken = tmp_path / "python9.98"
    broken.write_text("#!/bin/sh\nexit 127\n")
    broken.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    assert lanes.python_for("9.98") == sys.executable
    assert lanes.python_for("9.99") == lanes.python_for("") == sys.executable
    assert "Python 3" in lanes.versions(sys.executable)
    assert f"keras {keras.__version__}" in lanes.versions(sys.executable)


def test_differences_by_hand(agreement):
    assert agreement.difference([1.0, -4.0], [1.5, -4.0]) == 0.125
    with pytest.raises(ValueError, match=r"shapes differ: \(2,\) and \(1,\)"):
        agreement.difference([1.0, 2.0], [1.0])
    found = {
        "tensorflow": {"a/loss": np.array(2.0), "b/loss": np.array(1.0)},
        "jax": {"a/loss": np.array(2.0), "b/loss": np.array(1.25)},
    }
    assert agreement.largest(found) == 0.25
    assert "| b | loss | 2e-01 |" in agreement.table(found)  # an even digit: 0.25 is halfway


class Bigram(keras.Model):
    """Every word's own logits: a language model whose gradient can be worked out."""

    max_length = None

    def __init__(self, vocab_size):
        super().__init__()
        self.vocab_size = vocab_size
        self.table = keras.layers.Embedding(vocab_size, vocab_size)

    def call(self, ids, training=None):
        return self.table(ids)

    def start(self, batch, length, padding=None):
        return {"read": keras.ops.zeros((), "int32")}

    def step(self, ids, state):
        return self.table(ids), {"read": state["read"] + ids.shape[1]}


def test_ten_steps_of_sgd_are_ten_gradients(agreement):
    inputs, targets = next_tokens(stories.encode(stories.sample_stories(2, seed=0)))
    found = agreement.measure(Bigram(168), inputs, targets)
    table = np.random.default_rng(0).normal(scale=0.1, size=(168, 168)).astype("float32")
    counted = targets != IGNORE

    def gradient(table):
        logits = table[inputs].astype("float64")
        p = np.exp(logits) / np.exp(logits).sum(axis=-1, keepdims=True)
        per_word = (p - np.eye(168)[targets]) * counted[..., None] / counted.sum()
        total = np.zeros(table.shape)
        np.add.at(total, inputs, per_word)
        return total

    # float32: 6e-8 of numbers up to 1, sums of some ten; ten steps.
    np.testing.assert_allclose(found["gradients"], gradient(table).ravel(), atol=1e-6)
    np.testing.assert_allclose(found["logits"], table[inputs], atol=0)
    text = found["drawn text"].tolist()
    assert text == generate(lambda ids: table[ids[-1]], inputs[0, :1].tolist(), 40, 1.0, seed=0)
    assert len(set(text)) > 20  # nearly uniform: 40 draws among 168
    for _ in range(10):
        table = table - 0.1 * gradient(table)
    # TensorFlow subtracts a row's gradient once for every time its word occurs, at most 18 times
    # a step here: 180 roundings by at most 1.5e-8, half the last digit of a number below 0.5.
    most = np.unique(inputs[counted], return_counts=True)[1].max()
    np.testing.assert_allclose(found["ten steps"], table.ravel(), atol=10 * most * 1.5e-8)


def test_the_stored_table_keeps_what_it_promises(agreement):
    page = (ROOT / "MAINTAINING.md").read_text(encoding="utf-8")
    part = page.split("<!-- agreement -->")[1].split("<!-- /agreement -->")[0]
    lines = [line.split("|")[1:-1] for line in part.strip().splitlines()]
    numbers = [float(cell) for line in lines[2:] for cell in line[2:]]
    assert len(numbers) == 20
    assert max(numbers) <= agreement.ALLOWED
