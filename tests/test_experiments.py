"""The scripts of the runs over several seeds, and what they wrote."""

import importlib.util
import pathlib

import numpy as np
import pytest

from lmkit.datasets import load_results

EXPERIMENTS = pathlib.Path(__file__).parents[1] / "chapters" / "experiments"


def script(name):
    spec = importlib.util.spec_from_file_location(f"script_{name}", EXPERIMENTS / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def chapter():
    return script("01_rnn_classifier")


@pytest.fixture(scope="module")
def imdb():
    return script("01_imdb")


def test_chapter_results_are_the_scripts(chapter):
    results = load_results("01_rnn_classifier")
    assert results["settings"] == chapter.SETTINGS
    for name in chapter.variants(vocab_size=50):
        assert {len(values) for values in results[name].values()} == {len(chapter.SEEDS)}
    assert len(chapter.SEEDS) >= 5


def test_chapter_results_hold_what_the_course_claims():
    results = load_results("01_rnn_classifier")
    assert min(results["masked"]["test"]) >= 0.93
    assert max(results["bag"]["test"]) <= 0.80
    assert set(results["bag"]["order"]) == set(results["bag"]["word"]) == {0.5}
    assert max(results["unmasked, right"]["test"]) <= 0.55
    assert set(results["unmasked, right"]["epochs"]) == {10}  # article A's ten, none spared


def test_one_small_run_of_the_chapters_script(chapter):
    tokenizer, splits, pairs = chapter.load()
    few = [(texts[:40], labels[:40]) for texts, labels in splits]
    variant = chapter.variants(tokenizer.vocab_size)["bag"]._replace(epochs=2)
    found = chapter.run(variant, 0, tokenizer, few, {"order": pairs["order"][:20]})
    assert found["order"] == 0.5
    assert found["epochs"] == 2
    assert 0 <= found["test"] <= 1


def test_imdb_results_are_the_scripts(imdb):
    results = load_results("01_imdb")
    assert list(results) == list(imdb.VARIANTS)
    for name, runs in results.items():
        assert sorted(runs) == [str(seed) for seed in imdb.SEEDS], name


def test_imdb_pairs_by_hand(imdb):
    ids = np.array([[5, 7, 5, 7, 0], [7, 5, 0, 0, 0]])
    words, pairs = np.split(imdb.with_pairs(ids), [5], axis=1)
    np.testing.assert_array_equal(words, ids)
    first = imdb.VOCAB_SIZE + (5 * 31_337 + 7) % imdb.PAIR_BUCKETS
    other = imdb.VOCAB_SIZE + (7 * 31_337 + 5) % imdb.PAIR_BUCKETS
    assert first != other  # order makes the difference
    assert pairs.tolist() == [[first, other, first, 0], [other, 0, 0, 0]]


def test_imdb_pair_ids_have_a_number_each(imdb, rng):
    ids = imdb.with_pairs(rng.integers(0, imdb.VOCAB_SIZE, (20, 50)))
    assert ids.min() >= 0
    assert ids.max() < imdb.VOCAB_SIZE + imdb.PAIR_BUCKETS
    assert imdb.bag_of_word_pairs()[0].count_params() == imdb.VOCAB_SIZE + imdb.PAIR_BUCKETS + 1


def imdb_row(name, runs):
    """A line of the table in chapters/README.md."""
    test = " / ".join(f"{run['test']:.3f}" for run in runs.values())
    best = [int(np.argmax(run["by_epoch"]["val_accuracy"])) + 1 for run in runs.values()]
    epochs = " / ".join(map(str, best))
    seconds = " / ".join(str(run["seconds"]) for run in runs.values())
    return f"| {name} | {test} | {epochs} | {seconds} |"


def test_readme_has_the_imdb_table():
    page = (EXPERIMENTS.parent / "README.md").read_text(encoding="utf-8")
    for name, runs in load_results("01_imdb").items():
        assert imdb_row(name, runs) in page


@pytest.fixture(scope="module")
def padding():
    return script("01_padding")


def test_padding_rows_by_hand(padding):
    class Tokenizer:
        def encode_batch(self, texts, length, padding="post"):
            rows = np.zeros((1, length), "int32")
            rows[0, -2 if padding == "pre" else 0 :][:2] = [7, 8]
            return rows

    ten, by_length, fifty = (rows(Tokenizer(), ["two words"])[0] for rows in padding.ROWS.values())
    assert ten.tolist() == [0] * 48 + [7, 8] + [0] * 10
    assert by_length.tolist() == [7, 8] + [0] * 48
    assert fifty.tolist() == [0] * 48 + [7, 8] + [0] * 50


def test_padding_results_hold_what_the_chapter_says(padding):
    results = load_results("01_padding")
    assert list(results) == list(padding.ROWS)
    assert {len(values) for values in results.values()} == {len(padding.SEEDS)} == {5}
    ten, by_length, fifty = results.values()
    assert min(ten) > 0.95
    assert max(by_length) < 0.6
    assert max(fifty) < 0.6
