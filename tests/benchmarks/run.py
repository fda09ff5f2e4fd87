"""Runs every benchmark, one after the other, and writes the tables.

    python tests/benchmarks/run.py input.txt    # stores results; leave the machine alone
    python tests/benchmarks/run.py --quick      # a few minutes: shows that everything runs

input.txt is tiny Shakespeare; without it that benchmark is left out.
"""

import subprocess
import sys

from alternate import FOLDER, command_line

PROGRAMS = (
    "training",
    "parts",
    "decoding",
    "generation",
    "growth",
    "shakespeare",
    "pieces",
    "vectors",
)


def main():
    """Reads the command line and runs."""
    options = command_line("path")
    flags = ["--quick"] if options.quick else []
    for name in PROGRAMS:
        own = [options.path] if name == "shakespeare" and options.path else []
        if name == "shakespeare" and not (own or options.quick):
            print("shakespeare is left out: give the path of its text")
            continue
        command = [sys.executable, FOLDER / f"{name}.py", *flags, *own]
        print(f"{name} ...", flush=True)
        subprocess.run(command, check=True)
    if not options.quick:
        subprocess.run([sys.executable, FOLDER / "tables.py"], check=True)


if __name__ == "__main__":
    main()
