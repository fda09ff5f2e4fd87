"""Where the time of a training step goes: its parts, each compiled alone.

    python tests/benchmarks/parts.py [--quick]

Each part runs as often as in the step, forward and backward, with the step's shapes, all in
turn. What the compiler fuses across parts is counted in each of them, so the sum is not
exactly the step.
"""

import statistics
import time

import keras
import numpy as np
from alternate import command_line, write
from keras import ops
from peers import SIZES, compiled, fit, our_model, random_batches
from training import flops, products

from lmkit.backend import compile_function, value_and_gradients
from lmkit.layers import attend, causal_mask, gelu

TOKENS = (SIZES["batch"], SIZES["time"])
WIDTH, HEADS, LAYERS = SIZES["width"], SIZES["heads"], SIZES["layers"]
TURNS, REPEATS = 9, 10


def tensors(count, *shape):
    """Random tensors, float32."""
    rng = np.random.default_rng(0)
    return [ops.convert_to_tensor(rng.normal(size=shape).astype("float32")) for _ in range(count)]


def both_ways(function, inputs):
    """A compiled call: the function of every input, and the gradients of the sum."""

    def total(*tensors):
        return sum(ops.sum(ops.square(function(tensor))) for tensor in tensors)

    run = compile_function(lambda *tensors: value_and_gradients(total, *tensors), [])
    return lambda: run(*inputs)


def normalize(x):
    """A layer normalization without its two vectors."""
    return ops.layer_normalization(x, epsilon=1e-5)


def heads_look(x):
    """Scores, softmax and values of one block; x serves as queries, keys and values."""
    return attend(x, x, x, causal_mask(SIZES["time"]))


def matrix_products():
    """Every product with a table of weights, and the two that its gradients need."""
    flat = []
    for count, n, k, m in products(SIZES):
        for _ in range(count):
            flat += [*tensors(1, n, k), *tensors(1, k, m)]

    def total(*flat):
        pairs = zip(flat[::2], flat[1::2], strict=True)
        return sum(ops.sum(ops.square(ops.matmul(a, b))) for a, b in pairs)

    run = compile_function(lambda *flat: value_and_gradients(total, *flat), [])
    return lambda: run(*flat)


def adam():
    """The optimizer's step over all weights."""
    model = compiled(our_model(SIZES))
    gradients = [ops.ones_like(weight) for weight in model.trainable_variables]
    model.optimizer.build(model.trainable_variables)
    step = compile_function(
        lambda *gradients: model.optimizer.apply(gradients, model.trainable_variables), []
    )
    return lambda: step(*gradients)


def cross_entropy(logits):
    """The loss of the whole batch, every target the first word."""
    return keras.losses.sparse_categorical_crossentropy(
        ops.zeros(TOKENS, "int32"), logits, from_logits=True
    )


def fitting(model):
    """A `fit` of a few steps: the seconds of one, see `peers.fit`."""
    inputs, targets = random_batches(SIZES | {"steps": REPEATS})
    return lambda: fit(model, inputs, targets, SIZES | {"steps": REPEATS})["seconds per step"]


def tiny_model():
    """A table of logits: around it are Python, the input pipeline and the loss's mean."""
    ids = keras.Input((None,), dtype="int32")
    table = keras.layers.Embedding(SIZES["vocab"], SIZES["vocab"])
    return compiled(keras.Model(ids, table(ids)))


def timed(call):
    """The seconds of a call, the mean of a few."""

    def turn():
        started = time.perf_counter()
        for _ in range(REPEATS):
            result = call()
        np.asarray(ops.convert_to_numpy(_first(result)))  # until it is there
        return (time.perf_counter() - started) / REPEATS

    return turn


def _first(result):
    while isinstance(result, (tuple, list)):
        result = result[0]
    return 0.0 if result is None else result


def main():
    """Measures and stores."""
    per_head = (SIZES["batch"], HEADS, SIZES["time"], WIDTH // HEADS)
    wide, logits = (*TOKENS, 4 * WIDTH), (*TOKENS, SIZES["vocab"])
    parts = {
        "a step of `fit`": fitting(compiled(our_model(SIZES))),
        "products with the weights": timed(matrix_products()),
        "attention between them": timed(both_ways(heads_look, tensors(LAYERS, *per_head))),
        "layer normalization": timed(both_ways(normalize, tensors(2 * LAYERS + 1, *TOKENS, WIDTH))),
        "GELU": timed(both_ways(gelu, tensors(LAYERS, *wide))),
        "cross-entropy": timed(both_ways(cross_entropy, tensors(1, *logits))),
        "Adam": timed(adam()),
        "a step of `fit` with next to no model": fitting(tiny_model()),
    }
    quick = command_line().quick
    seconds = {name: [] for name in parts}
    for turn in range(2 if quick else TURNS + 1):
        for name, part in parts.items():
            found = part()
            if turn:  # the first compiles
                seconds[name].append(found)
    found = {name: statistics.median(turns) for name, turns in seconds.items()}
    write("parts", {"flops per step": flops(SIZES), "seconds": found}, quick)
    for name, value in found.items():
        print(f"{1e3 * value:6.1f} ms  {name}")


if __name__ == "__main__":
    main()
