"""How the cost of a training step grows with context, width and depth.

    python tests/benchmarks/growth.py [--quick]

Each size runs in a process of its own, always with 1,024 tokens per step, so that a longer
context means fewer texts. Beside the seconds are the operations, counted, and the bytes that
must be held: four numbers per parameter (weight, gradient, Adam's two means) and, for the
backward pass, the attention weights and the vectors of every token.
"""

from alternate import alternate, command_line, worker, write
from peers import SIZES
from training import flops

SERIES = {
    "time": (64, 128, 256, 512, 1024),
    "width": (64, 128, 256, 512),
    "layers": (1, 2, 4, 8, 12),
}
TOKENS, STEPS = 1024, 10


def sizes_of(name, value):
    """The benchmark's sizes with one of them changed."""
    sizes = SIZES | {name: value, "steps": STEPS}
    return sizes | {"batch": TOKENS // sizes["time"]}


def parameters(sizes):
    """All numbers that are learned: tables, blocks, the last normalization."""
    width = sizes["width"]
    block = 12 * width**2 + 13 * width
    return (sizes["vocab"] + sizes["time"] + 2) * width + sizes["layers"] * block


def held_bytes(sizes):
    """Bytes of the parameters with gradient and two means, and of what backward needs.

    A block keeps for every token some 16 vectors of its width (inputs of the four products,
    of which one is four times as wide, queries, keys, values, two normalized, GELU's
    input), and the attention weights of every head before and after the softmax.
    """
    tokens = sizes["batch"] * sizes["time"]
    vectors = 16 * tokens * sizes["width"]
    weights = 2 * sizes["batch"] * sizes["heads"] * sizes["time"] ** 2
    return 4 * (4 * parameters(sizes) + sizes["layers"] * (vectors + weights))


def main():
    """Measures and stores."""
    quick, results = command_line().quick, {}
    for name, values in SERIES.items():
        values = values[:1] if quick else values
        commands = {
            str(value): worker("training", "lmkit", **sizes_of(name, value)) for value in values
        }
        found = alternate(commands, quick=quick)
        for value in values:
            sizes = sizes_of(name, value)
            found[str(value)] |= {
                "parameters": parameters(sizes),
                "flops per step": flops(sizes),
                "held MiB": round(held_bytes(sizes) / 2**20, 1),
            }
        results[name] = found
        write("growth", results, quick)


if __name__ == "__main__":
    main()
