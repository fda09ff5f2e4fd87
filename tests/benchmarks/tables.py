"""Writes the tables of README.md from the results.

python tests/benchmarks/tables.py
"""

import json
import re

from alternate import FOLDER, RESULTS

README = FOLDER / "README.md"


def load(name):
    """What a benchmark stored; nothing before its first run."""
    path = RESULTS / f"{name}.json"
    return json.loads(path.read_text()) if path.exists() else {}


def peers(task):
    """Pairs of a peer and what it measured in a task of generation.py."""
    return [pair for pair in load("generation").get(task, {}).items() if pair[0] != "sizes"]


def table(head, rows):
    """A markdown table; without rows it says so."""
    if not rows:
        return "Not measured yet."
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(map(str, line))} |" for line in lines)


def training():
    """Milliseconds per step, beside lmkit's and beside the limit."""
    results = load("training")
    ours = results["peers"]["lmkit"]["seconds per step"]
    rows = []
    for name, found in results["peers"].items():
        seconds = found["seconds per step"]
        rows.append([name, f"{1e3 * seconds:.1f}", f"{seconds / ours:.2f}", found["peak MiB"]])
    for name, seconds in results["limit, seconds per step"].items():
        rate = results["flop/s"][name] / 1e9
        label = f"4.0 GFLOP at {rate:.0f} GFLOP/s, {name} matrices"
        rows.append([label, f"{1e3 * seconds:.1f}", f"{seconds / ours:.2f}", ""])
    return table(["", "ms per step", "beside lmkit", "peak MiB"], rows)


def parts():
    """Milliseconds of the parts of a step."""
    found = load("parts")["seconds"]
    return table(["", "ms"], [[name, f"{1e3 * value:.1f}"] for name, value in found.items()])


def decoding():
    """Tokens per second for every batch."""
    rows = []
    for batch, found in load("decoding")["peers"].items():
        hub = found["KerasHub"]["tokens per second"]
        for name, peer in found.items():
            rate = peer["tokens per second"]
            rows.append([batch, name, f"{rate:,.0f}", f"{rate / hub:.2f}", peer["peak MiB"]])
    return table(["prompts", "", "tokens per second", "beside KerasHub", "peak MiB"], rows)


def recurrent():
    """Tokens per second of a RecurrentLM, with the loop compiled and in Python."""
    found = load("decoding").get("recurrent", {})
    rows = [[name, f"{one['tokens per second']:,.0f}"] for name, one in found.items()]
    return table(["loop", "tokens per second"], rows)


def first_token():
    """Milliseconds until the first token, beside one `predict`."""
    rows = []
    for name, found in peers("first token"):
        first, predicted = found["seconds"], found["seconds of predict"]
        numbers = [f"{1e3 * first:.0f}", f"{1e3 * predicted:.0f}", f"{first / predicted:.2f}"]
        rows.append([name, *numbers])
    return table(["", "ms to the first token", "ms of one predict", "ratio"], rows)


def beam():
    """Milliseconds and calls of a search."""
    rows = [
        [name, f"{1e3 * found['seconds']:.0f}", f"{found['calls']:.0f}" if "calls" in found else ""]
        for name, found in peers("beam")
    ]
    return table(["", "ms", "calls of the model"], rows)


def filters():
    """Milliseconds per token with every pair of limits."""
    names = ("nothing", "top-k 40", "top-p 0.9", "both")
    rows = [[name, *(f"{found[key]:.2f}" for key in names)] for name, found in peers("filters")]
    return table(["ms per token", *names], rows)


def scoring():
    """Seconds and the peak, beside the logits of all texts, counted."""
    rows = []
    for name, found in peers("scoring"):
        sizes = load("generation")["scoring"]["sizes"]
        logits = sizes["batch"] * sizes["time"] * sizes["vocab"] * 4 / 2**20
        numbers = [f"{found['MiB before']:,.0f}", f"{found['peak MiB']:,.0f}", f"{logits:,.0f}"]
        rows.append([f"{name}, score_tokens", f"{found['seconds']:.1f}", *numbers])
    head = ["", "seconds", "MiB before", "peak MiB", "MiB of all logits, counted"]
    return table(head, rows)


def position():
    """Milliseconds per token at three positions."""
    found = load("decoding")["ms per token at position"]
    return table(["position", "ms per token"], [[name, f"{ms:.2f}"] for name, ms in found.items()])


def growth():
    """Seconds, operations and bytes for each size."""
    rows = []
    for name, series in load("growth").items():
        for value, found in series.items() if name != "machine" else ():
            gflop, seconds = found["flops per step"] / 1e9, found["seconds per step"]
            rows.append(
                [
                    f"{name} {value}",
                    f"{found['parameters'] / 1e6:.2f}",
                    f"{gflop:.1f}",
                    f"{1e3 * seconds:.0f}",
                    f"{gflop / seconds:.0f}",
                    f"{found['held MiB']:.0f}",
                    found["peak MiB"],
                ]
            )
    head = ["", "M parameters", "GFLOP per step", "ms", "GFLOP/s", "counted MiB", "peak MiB"]
    return table(head, rows)


def shakespeare():
    """Loss and seconds of every seed."""
    runs = load("shakespeare")["runs"]
    rows = [[seed, f"{run['loss']:.3f}", f"{run['seconds']:.0f}"] for seed, run in runs.items()]
    return table(["seed", "validation loss, nats per character", "seconds"], rows)


def pieces():
    """Seconds of byte-pair training and encoding."""
    rows = []
    for task, found in load("pieces").items():
        for name, peer in found.items() if task != "machine" else ():
            ratio = peer["seconds"] / found["lmkit"]["seconds"]
            rows.append([task, name, f"{peer['seconds']:.3f}", f"{ratio:.1f}", peer["peak MiB"]])
    return table(["", "", "seconds", "beside lmkit", "peak MiB"], rows)


def vectors():
    """Words per second and quality of word vectors."""
    results, rows = load("vectors"), []
    for name, found in results.get("speed", {}).items():
        rate, good = found["words per second"], results["quality"][name]
        beside = rate / results["speed"]["lmkit"]["words per second"]
        numbers = [f"{good['counts']:.3f}", f"{good['plurals']:.3f}"]
        rows.append([name, f"{rate:,.0f}", f"{beside:.2f}", *numbers])
    return table(["", "words per second", "beside lmkit", "counts", "plurals"], rows)


def vectors_cost():
    """Operations and rows for each pair, counted."""
    rows = [
        [name, f"{found['flops']:,.0f}", f"{found['rows']:.2f}"]
        for name, found in load("vectors").get("cost", {}).items()
    ]
    return table(["per pair", "operations", "rows looked up"], rows)


def vectors_growth():
    """Words per second for each size."""
    found = load("vectors").get("growth", {})
    return table(["", "words per second"], [[name, f"{n:,.0f}"] for name, n in found.items()])


def versions():
    """What was measured with; one set for all."""
    return ", ".join(f"{name} {number}" for name, number in load("training")["machine"].items())


TABLES = (
    training, parts, decoding, recurrent, position, first_token, beam, filters, scoring, growth,
    shakespeare, pieces, vectors, vectors_cost, vectors_growth, versions,
)  # fmt: skip


def filled(page):
    """The page with every table written anew."""
    for build in TABLES:
        name = build.__name__
        marks = rf"(<!-- {name} -->\n).*?(\n<!-- /{name} -->)"
        page, count = re.subn(marks, lambda m, b=build: m[1] + b() + m[2], page, flags=re.S)
        if count != 1:
            raise ValueError(f"README.md must hold one place for the table {name!r}, has {count}")
    return page


if __name__ == "__main__":
    README.write_text(filled(README.read_text()))
