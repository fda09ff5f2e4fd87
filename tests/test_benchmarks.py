"""The benchmarks: their tables are their results, their counts are right, their workers answer."""

import importlib
import json
import pathlib
import sys

import numpy as np
import pytest

from lmkit.decoding import beam
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
    for build in tables.TABLES:
        assert f"<!-- {build.__name__} -->" in page


def test_what_was_not_measured_is_said(monkeypatch, tmp_path):
    tables = script("tables")
    monkeypatch.setattr(tables, "RESULTS", tmp_path)
    assert tables.beam() == tables.scoring() == "Not measured yet."


GENERATION = {
    "first token": {"RecurrentLM": {"seconds": 0.06, "seconds of predict": 0.04}},
    "beam": {
        "lmkit": {"seconds": 0.1, "calls": 40},
        "transformers": {"seconds": 0.25},
        "sizes": {"time": 48},
    },
    "filters": {"lmkit": {"nothing": 1.0, "top-k 40": 0.5, "top-p 0.9": 2.0, "both": 0.51}},
    "scoring": {
        "lmkit": {"seconds": 3.21, "MiB before": 800, "peak MiB": 1234},
        "sizes": {"batch": 64, "time": 512, "vocab": 50_257},
    },
}


def test_tables_of_generation_by_hand(monkeypatch, tmp_path):
    tables = script("tables")
    monkeypatch.setattr(tables, "RESULTS", tmp_path)
    (tmp_path / "generation.json").write_text(json.dumps(GENERATION))
    assert tables.first_token().endswith("| RecurrentLM | 60 | 40 | 1.50 |")
    assert tables.beam().endswith("| lmkit | 100 | 40 |\n| transformers | 250 |  |")
    assert tables.filters().endswith("| lmkit | 1.00 | 0.50 | 2.00 | 0.51 |")
    # 64 * 512 * 50,257 float32 are 6,587,285,504 bytes.
    assert tables.scoring().endswith("| lmkit, score_tokens | 3.2 | 800 | 1,234 | 6,282 |")


def test_table_of_pieces_by_hand(monkeypatch, tmp_path):
    tables = script("tables")
    monkeypatch.setattr(tables, "RESULTS", tmp_path)
    turns = {"lmkit": {"seconds": 0.5, "peak MiB": 80}, "minbpe": {"seconds": 6.0, "peak MiB": 99}}
    (tmp_path / "pieces.json").write_text(json.dumps({"machine": {}, "training": turns}))
    assert tables.pieces().endswith("| training | minbpe | 6.000 | 12.0 | 99 |")


def test_pieces_are_trained_and_encoded(tmp_path):
    pieces = script("pieces")
    text = pieces.text_of(250_000)
    assert 249_990 <= len(text.encode()) <= 250_000 and not text.isascii()
    found = pieces.one_turn("training", "lmkit", text, 300, None)
    assert found["pieces"] == 300 and found["seconds"] > 0
    path = str(tmp_path / "pieces.json")
    pieces.BytePairTokenizer.train([text], 300).save(path)
    first, again = (
        pieces.one_turn(task, "lmkit", text, 300, path) for task in ("encoding", "encoding again")
    )
    assert first["pieces"] == again["pieces"] < len(text.encode())


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


def test_a_quick_run_does_one_turn_and_leaves_out_what_is_not_installed(monkeypatch, capsys):
    alternate = script("alternate")
    monkeypatch.setattr(alternate, "find_spec", lambda name: None if name == "torch" else name)
    program = "import sys, json\nfor line in sys.stdin: print(json.dumps({'s': 1}), flush=True)"
    command = [sys.executable, "-c", program]
    peers = {"lmkit": command, "KerasHub": command, "PyTorch, torch.compile": ["nothing"]}
    found = alternate.alternate(peers, quick=True)
    assert found == {name: {"s": 1, "turns": [1]} for name in ("lmkit", "KerasHub")}
    monkeypatch.setattr(alternate, "RESULTS", None)  # nothing is stored
    alternate.write("training", found, quick=True)
    assert "training: everything runs" in capsys.readouterr().out


def test_the_command_line(monkeypatch):
    monkeypatch.setattr(sys, "argv", ["x.py", "--quick", "input.txt"])
    options = script("alternate").command_line("path")
    assert options.quick and options.path == "input.txt"
    monkeypatch.setattr(sys, "argv", ["x.py"])
    assert not script("alternate").command_line().quick


def test_every_benchmark_has_its_workers():
    known = set(script("work").PEERS)
    decoding, generation = script("decoding"), script("generation")
    wanted = {("training", name) for name in script("training").NAMES}
    wanted |= {("decoding", name) for name in decoding.NAMES}
    wanted |= {(task, name) for task, (names, _, _) in generation.TASKS.items() for name in names}
    assert wanted | {("recurrent", "compiled"), ("recurrent", "Python")} == known


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


SMALL = {"layers": 1, "heads": 2, "width": 8, "time": 16, "batch": 2, "steps": 2, "vocab": 65}
OURS = {
    ("training", "lmkit, with callbacks"): "seconds per step",
    ("decoding", "lmkit"): "tokens per second",
    ("recurrent", "compiled"): "tokens per second",
    ("recurrent", "Python"): "tokens per second",
    ("first token", "RecurrentLM"): "seconds of predict",
    ("beam", "lmkit"): "calls",
    ("beam", "lmkit, a function"): "calls",
    ("filters", "lmkit"): "both",
    ("scoring", "lmkit"): "MiB before",
}


@pytest.mark.parametrize(("task", "peer"), OURS)
def test_our_own_workers_measure(task, peer, monkeypatch):
    monkeypatch.setattr(beam, "compiled_for", beam.compiled_for)  # put back what a worker changes
    batch = 1 if task == "recurrent" else 2
    turn = script("work").PEERS[task, peer](SMALL | {"batch": batch})
    found = turn()
    assert found[OURS[task, peer]] > 0
    if task == "beam":
        # 8 of 16 ids are the prompt. A model is called once per added id; a function once for
        # the prompt and then for each of four beams.
        assert found["calls"] == (8 if peer == "lmkit" else 1 + 7 * 4)


def test_a_worker_answers_in_a_process_of_its_own():
    alternate = script("alternate")
    worker = alternate.start(alternate.worker("filters", "lmkit", **SMALL))
    try:
        found = alternate.turn(worker)
    finally:
        worker.kill()
        worker.wait()
    assert found["top-k 40"] > 0
    assert found["peak MiB"] > 100


def test_one_small_run_on_shakespeare():
    shakespeare = script("shakespeare")
    text = np.tile(np.arange(1, 5), 400)  # 1, 2, 3, 4 over and over: nothing is left to learn
    found = shakespeare.run(0, text, text[:300], vocab_size=5, steps=120)
    assert 0 <= found["loss"] < 0.1 < np.log(4)
