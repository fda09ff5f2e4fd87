"""Measures programs against each other: each in a process of its own, turn by turn.

A machine's speed wanders while one measures. So the programs take turns, and what counts is
the median of each. A program is a worker, `python peers.py TASK PEER`: it prepares itself
once, then does a turn for every line it is sent and answers with a line of JSON.
"""

import json
import pathlib
import platform
import statistics
import subprocess
import sys

FOLDER = pathlib.Path(__file__).parent
RESULTS = FOLDER / "results"


def start(command):
    """A worker that waits for its first turn."""
    return subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=FOLDER
    )


def turn(worker):
    """Lets a worker do one turn and returns what it measured, a dict."""
    worker.stdin.write("turn\n")
    worker.stdin.flush()
    answer = worker.stdout.readline()
    if not answer:
        raise RuntimeError(f"a worker stopped with code {worker.wait()}: {worker.args}")
    return json.loads(answer)


def alternate(commands, turns=7, warm_up=1):
    """Medians of what the workers measure.

    Args:
        commands: a dict from a name to the command that starts the worker.
        turns: how many turns of each count; at least five.
        warm_up: how many turns before them do not (they compile).

    Returns:
        A dict from the name to a dict: the median of every number that the worker reports,
        and all of its turns' first number.

    Raises:
        ValueError: for fewer than five turns.
        RuntimeError: if a worker stops.
    """
    if turns < 5:
        raise ValueError(f"a median of {turns} turns says little: take at least 5")
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


def worker(task, peer, **arguments):
    """The command of a worker in peers.py."""
    return [sys.executable, "peers.py", task, peer, json.dumps(arguments)]


def write(name, results):
    """Stores results, and what they were measured with."""
    results = {"machine": machine(), **results}
    (RESULTS / f"{name}.json").write_text(json.dumps(results, indent=1) + "\n")


def machine():
    """The versions that matter, without loading the libraries."""
    from importlib.metadata import PackageNotFoundError, version

    found = {"Python": platform.python_version()}
    for package in ("tensorflow", "keras", "keras-hub", "torch", "transformers"):
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found
