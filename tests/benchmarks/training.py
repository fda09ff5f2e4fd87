"""Seconds per training step: the course's model, KerasHub's and PyTorch's of the same size.

    python tests/benchmarks/training.py [--quick]

Beside them the limit of the machine: the step's 4.0 GFLOP at the rate of this machine's
float32 matrix products, once with large matrices and once with those of this model.
"""

import json
import statistics
import sys
import time

from alternate import alternate, command_line, worker, write
from peers import SIZES

NAMES = (
    "lmkit",
    "lmkit, as in the chapters",
    "lmkit, with callbacks",
    "KerasHub",
    "PyTorch",
    "PyTorch, torch.compile",
)


def flops(sizes):
    """Floating-point operations of a training step: matrix products, forward and backward.

    Every product of (n, k) with (k, m) costs 2 n k m, and twice as much again backward.
    """
    tokens, width = sizes["batch"] * sizes["time"], sizes["width"]
    weights = sizes["layers"] * 12 * width**2 + sizes["vocab"] * width
    attention = sizes["layers"] * 2 * sizes["time"] * width  # scores, and the mean of values
    return 3 * 2 * tokens * (weights + attention)


def products(sizes):
    """The forward matrix products of this model: (count, n, k, m)."""
    tokens, width, layers = sizes["batch"] * sizes["time"], sizes["width"], sizes["layers"]
    return [
        (layers, tokens, width, 3 * width),
        (layers, tokens, width, width),
        (layers, tokens, width, 4 * width),
        (layers, tokens, 4 * width, width),
        (1, tokens, width, sizes["vocab"]),
    ]


def rate(shapes, turns=7):
    """FLOP per second of TensorFlow's matrix product over these shapes, the median."""
    import tensorflow as tf

    pairs = [
        (tf.random.normal((n, k)), tf.random.normal((k, m)))
        for count, n, k, m in shapes
        for _ in range(count)
    ]
    work = sum(2 * count * n * k * m for count, n, k, m in shapes)
    seconds = []
    for turn in range(turns + 1):
        started = time.perf_counter()
        for _ in range(10):
            for a, b in pairs:
                last = tf.matmul(a, b)
        last.numpy()
        if turn:
            seconds.append((time.perf_counter() - started) / 10)
    return work / statistics.median(seconds)


def main():
    """Measures and stores."""
    quick = command_line().quick
    sizes = {"layers": 1, "width": 16, "steps": 2} if quick else {}
    found = alternate({name: worker("training", name, **sizes) for name in NAMES}, quick=quick)
    large = [(1, 64, 64, 64)] if quick else [(1, 2048, 2048, 2048)]
    rates = {"large": rate(large), "this model's": rate(products(SIZES))}
    limit = {name: flops(SIZES) / value for name, value in rates.items()}
    results = {"flops per step": flops(SIZES), "flop/s": rates, "limit, seconds per step": limit}
    write("training", results | {"peers": found}, quick)
    json.dump(results, sys.stdout, indent=1)


if __name__ == "__main__":
    main()
