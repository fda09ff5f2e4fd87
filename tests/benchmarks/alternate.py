"""Measures programs against each other: each in a process of its own, turn by turn.

A machine's speed drifts while we measure. So the programs take turns, and what counts is the
median of each. A program is a worker, `python work.py TASK PEER`: it prepares itself once,
then does a turn for every line it is sent and answers with a line of JSON.
"""

import argparse
import json
import pathlib
import platform
import statistics
import subprocess
import sys
from importlib.util import find_spec

FOLDER = pathlib.Path(__file__).parent
RESULTS = FOLDER / "results"


def start(command):
    """A worker that waits for its first turn."""
    return subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=FOLDER
    )


def turn(worker):
    """Lets a worker do one turn and returns what it measured, a dict."""
    try:
        worker.stdin.write("turn\n")
        worker.stdin.flush()
        answer = worker.stdout.readline()
    except BrokenPipeError:  # it ended while it prepared itself
        answer = ""
    if not answer:
        raise RuntimeError(f"a worker stopped with code {worker.wait()}: {worker.args}")
    return json.loads(answer)


def alternate(commands, turns=9, warm_up=1, quick=False):
    """Medians of what the workers measure.

    Args:
        commands: a dict from a name to the command that starts the worker.
        turns: how many turns of each count; at least five.
        warm_up: how many turns before them do not (they compile).
        quick: True for one turn of each, which shows that everything runs and measures
            nothing. A peer whose library is not installed is then left out.

    Returns:
        A dict from the name to a dict: the median of every number that the worker reports,
        and all of its turns' first number.

    Raises:
        ValueError: for fewer than five turns.
        RuntimeError: if a worker stops.
    """
    if turns < 5:
        raise ValueError(f"a median of {turns} turns says little: take at least 5")
    if quick:
        turns, warm_up = 1, 0
        commands = {name: command for name, command in commands.items() if not missing(name)}
    workers = {name: start(command) for name, command in commands.items()}
    answers = {name: [] for name in commands}
    try:
        for number in range(warm_up + turns):
            for name, worker in workers.items():
                answers[name].append(turn(worker))
                print(number, name, answers[name][-1], flush=True)
    finally:
        for worker in workers.values():
            worker.kill()
            worker.wait()
    return {name: _medians(found[warm_up:]) for name, found in answers.items()}


def _medians(answers):
    first = next(iter(answers[0]))
    medians = {key: statistics.median(answer[key] for answer in answers) for key in answers[0]}
    return medians | {"turns": [answer[first] for answer in answers]}


def missing(peer):
    """The library of a peer that is not installed here, or None."""
    libraries = {"KerasHub": "keras_hub", "PyTorch": "torch", "transformers": "transformers"}
    libraries |= {"tokenizers": "tokenizers", "gensim": "gensim"}
    library = libraries.get(peer.split(",")[0])
    return library if library and find_spec(library) is None else None


def worker(task, peer, **arguments):
    """The command of a worker, see work.py."""
    return [sys.executable, "work.py", task, peer, json.dumps(arguments)]


def command_line(*positional):
    """Reads the command line that all benchmarks share.

    Args:
        positional: names of further arguments, which may be left out.

    Returns:
        A namespace with `quick` and the arguments; those left out are None.
    """
    parser = argparse.ArgumentParser()
    help_text = "one turn of small sizes: shows that everything runs, stores nothing"
    parser.add_argument("--quick", action="store_true", help=help_text)
    for name in positional:
        parser.add_argument(name, nargs="?")
    return parser.parse_args()


def write(name, results, quick=False):
    """Stores results, and what they were measured with; a quick run stores nothing."""
    if quick:
        print(f"{name}: everything runs")
        return
    results = {"machine": machine(), **results}
    (RESULTS / f"{name}.json").write_text(json.dumps(results, indent=1) + "\n")


def machine():
    """The versions that matter, without loading the libraries."""
    from importlib.metadata import PackageNotFoundError, version

    found = {"Python": platform.python_version()}
    for package in (
        "tensorflow",
        "keras",
        "keras-hub",
        "torch",
        "transformers",
        "tokenizers",
        "gensim",
    ):
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found
