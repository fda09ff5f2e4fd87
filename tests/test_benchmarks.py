"""The benchmarks: their tables are their results, their counts are right, their workers answer."""

import importlib
import pathlib
import sys

import numpy as np
import pytest

from lmkit.models import TransformerLM

FOLDER = pathlib.Path(__file__).parent / "benchmarks"


@pytest.fixture(autouse=True)
def on_path(monkeypatch):
    monkeypatch.syspath_prepend(str(FOLDER))


def script(name):
    return importlib.import_module(name)


def test_tables_are_the_results():
    tables = script("tables")
    page = tables.README.read_text()
    assert tables.filled(page) == page
    assert page.count("| lmkit |") >= 4  # training once, decoding for three batches


def test_a_table_without_a_place_is_named():
    with pytest.raises(ValueError, match="one place for the table 'training', has 0"):
        script("tables").filled("nothing")


def test_operations_by_hand():
    sizes = {"layers": 1, "width": 2, "time": 3, "batch": 5, "vocab": 7}
    # 15 tokens; 12 * 4 + 7 * 2 weights and 2 * 3 * 2 products with keys and values each.
    assert script("training").flops(sizes) == 3 * 2 * 15 * (48 + 14 + 12)
    products = script("training").products(sizes)
    assert sum(count * k * m for count, n, k, m in products) == 48 + 14
    assert script("training").flops(script("peers").SIZES) == pytest.approx(4.0e9, rel=0.01)


def test_parameters_are_counted_as_keras_counts_them():
    sizes = {"layers": 3, "width": 8, "time": 5, "vocab": 7, "heads": 2, "batch": 1}
    model = script("peers").our_model(sizes)
    assert script("growth").parameters(sizes) == model.count_params()
    assert isinstance(model, TransformerLM)


def test_longer_contexts_keep_the_tokens_of_a_step():
    growth = script("growth")
    for name, values in growth.SERIES.items():
        for value in values:
            sizes = growth.sizes_of(name, value)
            assert sizes["batch"] * sizes["time"] == growth.TOKENS
            assert sizes[name] == value


def test_workers_take_turns_and_the_median_counts(tmp_path):
    program = (
        "import sys, json\n"
        "for turn, line in enumerate(sys.stdin):\n"
        "    print(json.dumps({'seconds': [9, 1, 5, 2, 4, 3][turn]}), flush=True)\n"
    )
    found = script("alternate").alternate({"a": [sys.executable, "-c", program]}, turns=5)
    assert found == {"a": {"seconds": 3, "turns": [1, 5, 2, 4, 3]}}  # the 9 was the warm-up


def test_a_worker_that_stops_is_named():
    with pytest.raises(RuntimeError, match="stopped with code 3"):
        script("alternate").alternate({"a": [sys.executable, "-c", "raise SystemExit(3)"]}, 5)
    with pytest.raises(ValueError, match="median of 4 turns"):
        script("alternate").alternate({}, turns=4)


@pytest.mark.parametrize(("task", "key"), [("training", "seconds a step"), ("decoding", "tokens")])
def test_our_own_worker_answers(task, key):
    small = {"layers": 1, "heads": 2, "width": 8, "time": 12, "batch": 2, "steps": 2}
    alternate = script("alternate")
    worker = alternate.start(alternate.worker(task, "lmkit", **small))
    try:
        found = alternate.turn(worker)
    finally:
        worker.kill()
        worker.wait()
    assert any(name.startswith(key) and value > 0 for name, value in found.items())
    assert found["peak MiB"] > 100


def test_one_small_run_on_shakespeare():
    shakespeare = script("shakespeare")
    text = np.tile(np.arange(1, 5), 400)  # 1, 2, 3, 4 over and over: nothing is left to learn
    found = shakespeare.run(0, text, text[:300], vocab_size=5, steps=120)
    assert 0 <= found["loss"] < 0.1 < np.log(4)
