"""What else reading and writing costs: the first token, beams, filters, and scoring's memory.

    python tests/benchmarks/generation.py [--quick]

The first token after a prompt of 500, beside one `predict` of the same text; a beam of width 4
for 40 tokens; a token drawn from 50,257 logits; 64 texts of 512 tokens scored over 50,257 words,
in a process of its own.
"""

from alternate import alternate, command_line, worker, write

VOCABULARY = 50_257  # GPT-2's
# Task -> its peers and its sizes, and those of a quick run.
TASKS = {
    "first token": (("RecurrentLM", "TransformerLM"), {"time": 512}, {"time": 24}),
    "beam": (
        ("lmkit", "lmkit, a function", "KerasHub", "transformers"),
        {"time": 48},
        {"time": 12},
    ),
    "filters": (
        ("lmkit", "transformers"),
        {"vocab": VOCABULARY, "steps": 200},
        {"vocab": 1000, "steps": 2},
    ),
    "scoring": (
        ("lmkit",),
        {"vocab": VOCABULARY, "time": 512, "batch": 64},
        {"vocab": 100, "time": 16, "batch": 2},
    ),
}


def main():
    """Measures and stores."""
    quick, results = command_line().quick, {}
    for task, (names, sizes, small) in TASKS.items():
        sizes = {"layers": 1, "width": 16} | small if quick else sizes
        commands = {name: worker(task, name, **sizes) for name in names}
        results[task] = alternate(commands, quick=quick)
        results[task]["sizes"] = sizes
    write("generation", results, quick)


if __name__ == "__main__":
    main()
