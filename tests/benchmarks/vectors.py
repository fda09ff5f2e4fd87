"""Words per second of skip-gram beside gensim, both on two threads, and how good the vectors are.

    python tests/benchmarks/vectors.py [--quick]

The text is that of the docstrings of the installed packages. Both peers read it with the same
settings: 100 numbers a word, window 5, 5 negatives, the same words left out. The seconds are
those of one epoch, with all that an epoch needs. How good the vectors are is asked after five
epochs, with another seed in each of five turns.

Then one batch after the other of random text, for vocabularies and widths of several sizes.
"""

import collections
import json
import os
import pathlib
import re
import statistics
import sys
import tempfile
import time

import numpy as np
from alternate import alternate, command_line, write

from lmkit.batches import packed
from lmkit.datasets import load_docstrings
from lmkit.vectors import cooccurrences, subsample

WIDTH, WINDOW, NEGATIVES, EPOCHS = 100, 5, 5, 5
TIME, BATCH, RATE = 512, 16, 0.1  # of lmkit's: places in a row, rows in a batch, learning rate
FEWEST = 5  # times that a word must occur
VOCABULARIES, WIDTHS = (2_000, 8_000, 32_000, 128_000), (50, 100, 200, 400)


def texts_of(packages):
    """The words of docstrings as ids, and the words: the commonest first."""
    texts = [
        re.findall(r"[a-z]+(?:'[a-z]+)?|\d+", f"{first} {body}".lower())
        for first, body in load_docstrings(packages)
    ]
    counts = collections.Counter(word for text in texts for word in text)
    words = [word for word, count in counts.most_common() if count >= FEWEST]
    ids = {word: number for number, word in enumerate(words)}
    return [[ids[word] for word in text if word in ids] for text in texts], words


def lmkit_trainer(texts, words, seed, width=WIDTH):
    """A function that trains for one epoch more, and one that returns the vectors."""
    import keras

    from lmkit.models import SkipGram

    noise = np.bincount(np.concatenate(texts).astype("int64"), minlength=len(words)) ** 0.75
    model = SkipGram(len(words), width, WINDOW, NEGATIVES, noise=noise, seed=seed)
    model.compile(optimizer=keras.optimizers.Adagrad(RATE))
    draws = iter(range(1000 * seed, 1000 * (seed + 1)))

    def epoch():
        rows = packed(subsample(texts, len(words), next(draws)), TIME, WINDOW)
        model.fit(rows, batch_size=BATCH, verbose=0)

    return epoch, lambda: model.inputs_table.numpy()


def gensim_trainer(texts, words, seed):
    """The same with gensim, whose rate falls from epoch to epoch."""
    from gensim.models import Word2Vec

    sentences = [[words[number] for number in text] for text in texts]
    model = Word2Vec(
        vector_size=WIDTH, window=WINDOW, negative=NEGATIVES, sg=1, min_count=1, workers=2,
        seed=seed + 1,
    )  # fmt: skip
    model.build_vocab(sentences)
    rates = iter([*np.linspace(0.025, 0.0001, EPOCHS + 1), *[0.0001] * 100])
    before = [next(rates)]

    def epoch():
        after = next(rates)
        model.train(
            sentences, total_examples=len(sentences), epochs=1,
            start_alpha=before[-1], end_alpha=after,
        )  # fmt: skip
        before.append(after)

    return epoch, lambda: model.wv[words]


TRAINERS = {"lmkit": lmkit_trainer, "gensim": gensim_trainer}


def ranks(values):
    """The place of each value among all of them."""
    return np.argsort(np.argsort(values))


def quality(table, texts, words):
    """Two answers to how good vectors are.

    "counts": the rank correlation of the cosines of pairs among the 1,000 commonest words with
    the cosines of their rows of positive pointwise mutual information, counted.
    "plurals": how often one of the ten nearest of a word is the word with an s behind it.
    """
    counts = cooccurrences(texts, len(words), WINDOW)
    totals = counts.sum(axis=1, dtype="float64")
    common = min(1_000, len(words))
    expected = np.outer(totals[:common], totals) / totals.sum()
    rows = np.log(np.maximum(counts[:common] / np.maximum(expected, 1e-9), 1))
    pairs = np.triu_indices(common, 1)
    cosines = []
    for vectors in (table[:common], rows):
        unit = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9)
        cosines.append((unit @ unit.T)[pairs])
    ids = {word: number for number, word in enumerate(words)}
    found = [
        (n, ids[f"{w}s"]) for n, w in enumerate(words[:3_000]) if f"{w}s" in ids and len(w) > 3
    ]
    unit = table / np.linalg.norm(table, axis=1, keepdims=True)
    near = [(unit @ unit[n] > unit[s] @ unit[n]).sum() <= 10 for n, s in found]  # itself is one
    correlation = np.corrcoef(ranks(cosines[0]), ranks(cosines[1]))[0, 1]
    return {"counts": float(correlation), "plurals": float(np.mean(near))}


def work(task, peer, path):
    """A worker: see work.py. A turn is an epoch, or EPOCHS of them with a new seed."""
    texts, words = json.loads(pathlib.Path(path).read_text())
    size = sum(map(len, texts))
    epoch, _ = TRAINERS[peer](texts, words, seed=0)
    answers, sys.stdout = sys.stdout, sys.stderr
    for turn, _ in enumerate(sys.stdin):
        if task == "speed":
            start = time.perf_counter()
            epoch()
            found = {"words per second": size / (time.perf_counter() - start)}
        else:
            epoch, table = TRAINERS[peer](texts, words, seed=turn)
            for _ in range(EPOCHS):
                epoch()
            found = quality(table(), texts, words)
        print(json.dumps(found), file=answers, flush=True)


def cost(block, shared, window, width):
    """Counted for one pair: operations and rows looked up, here and in word2vec.

    A word has `window + 1` pairs on average, because the windows' sizes are random.
    """
    columns = block + 2 * window + shared  # what a block's words are multiplied by
    pairs = window + 1
    return {
        "lmkit": {
            "flops": 3 * 2 * width * columns / pairs,
            "rows": (1 + columns / block) / pairs,
        },
        "word2vec": {"flops": 3 * 2 * width * (1 + NEGATIVES), "rows": 2 + NEGATIVES},
    }


def growth(vocabulary, width, steps):
    """Words per second on random text, its words as rare as Zipf's."""
    rng = np.random.default_rng(0)
    chances = 1 / np.arange(1, vocabulary + 1)
    rows = rng.choice(vocabulary, (steps * BATCH, TIME), p=chances / chances.sum())
    import keras

    from lmkit.models import SkipGram

    model = SkipGram(vocabulary, width, WINDOW, NEGATIVES, noise=chances**0.75, seed=0)
    model.compile(optimizer=keras.optimizers.Adagrad(RATE))
    found = []
    for _ in range(4):  # the first one prepares
        start = time.perf_counter()
        model.fit(rows, batch_size=BATCH, verbose=0)
        found.append(rows.size / (time.perf_counter() - start))
    return statistics.median(found[1:])


def main():
    """Measures and stores."""
    quick = command_line().quick
    for name in ("TF_NUM_INTRAOP_THREADS", "OMP_NUM_THREADS"):
        os.environ[name] = "2"
    from lmkit.models.skip_gram import BLOCK, SHARED

    with tempfile.TemporaryDirectory() as folder:
        path = f"{folder}/texts.json"
        texts, words = texts_of(["keras"] if quick else load_docstrings.__defaults__[0])
        pathlib.Path(path).write_text(json.dumps((texts, words)))
        results = {"words": sum(map(len, texts)), "vocabulary": len(words)}
        for task in ("speed", "quality"):
            commands = {
                peer: [sys.executable, "vectors.py", "work", task, peer, path] for peer in TRAINERS
            }
            results[task] = alternate(commands, turns=5, warm_up=task == "speed", quick=quick)
    results["cost"] = cost(BLOCK, SHARED, WINDOW, WIDTH)
    sizes = {f"vocabulary {size:,}": (size, WIDTH) for size in VOCABULARIES}
    sizes |= {f"width {size}": (8_000, size) for size in WIDTHS}
    steps = 1 if quick else 20
    results["growth"] = {name: growth(*size, steps) for name, size in sizes.items()}
    write("vectors", results, quick)


if __name__ == "__main__":
    work(*sys.argv[2:]) if sys.argv[1:2] == ["work"] else main()
