"""Writes the tables of README.md from the results.

python tests/benchmarks/tables.py
"""

import json
import re

from alternate import FOLDER, RESULTS

README = FOLDER / "README.md"


def load(name):
    """What a benchmark stored."""
    return json.loads((RESULTS / f"{name}.json").read_text())


def table(head, rows):
    """A markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(map(str, line))} |" for line in lines)


def training():
    """Milliseconds a step, beside lmkit's and beside the limit."""
    results = load("training")
    ours = results["peers"]["lmkit"]["seconds a step"]
    rows = []
    for name, found in results["peers"].items():
        seconds = found["seconds a step"]
        rows.append([name, f"{1e3 * seconds:.1f}", f"{seconds / ours:.2f}", found["peak MiB"]])
    for name, seconds in results["limit, seconds a step"].items():
        rate = results["flop/s"][name] / 1e9
        label = f"4.0 GFLOP at {rate:.0f} GFLOP/s, {name} matrices"
        rows.append([label, f"{1e3 * seconds:.1f}", f"{seconds / ours:.2f}", ""])
    return table(["", "ms a step", "beside lmkit", "peak MiB"], rows)


def parts():
    """Milliseconds of the parts of a step."""
    found = load("parts")["seconds"]
    return table(["", "ms"], [[name, f"{1e3 * value:.1f}"] for name, value in found.items()])


def decoding():
    """Tokens a second for every batch."""
    rows = []
    for batch, found in load("decoding")["peers"].items():
        hub = found["KerasHub"]["tokens a second"]
        for name, peer in found.items():
            rate = peer["tokens a second"]
            rows.append([batch, name, f"{rate:,.0f}", f"{rate / hub:.2f}", peer["peak MiB"]])
    return table(["prompts", "", "tokens a second", "beside KerasHub", "peak MiB"], rows)


def position():
    """Milliseconds a token at three positions."""
    found = load("decoding")["ms a token at position"]
    return table(["position", "ms a token"], [[name, f"{ms:.2f}"] for name, ms in found.items()])


def growth():
    """Seconds, operations and bytes for each size."""
    rows = []
    for name, series in load("growth").items():
        for value, found in series.items() if name != "machine" else ():
            gflop, seconds = found["flops a step"] / 1e9, found["seconds a step"]
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
    head = ["", "M parameters", "GFLOP a step", "ms", "GFLOP/s", "counted MiB", "peak MiB"]
    return table(head, rows)


def shakespeare():
    """Loss and seconds of every seed."""
    runs = load("shakespeare")["runs"]
    rows = [[seed, f"{run['loss']:.3f}", f"{run['seconds']:.0f}"] for seed, run in runs.items()]
    return table(["seed", "validation loss, nats a character", "seconds"], rows)


def versions():
    """What was measured with; one set for all."""
    return ", ".join(f"{name} {number}" for name, number in load("training")["machine"].items())


def filled(page):
    """The page with every table written anew."""
    for build in (training, parts, decoding, position, growth, shakespeare, versions):
        name = build.__name__
        marks = rf"(<!-- {name} -->\n).*?(\n<!-- /{name} -->)"
        page, count = re.subn(marks, lambda m, b=build: m[1] + b() + m[2], page, flags=re.S)
        if count != 1:
            raise ValueError(f"README.md must hold one place for the table {name!r}, has {count}")
    return page


if __name__ == "__main__":
    README.write_text(filled(README.read_text()))
