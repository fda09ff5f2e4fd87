"""Results of runs with several seeds, kept so that no process loses another one's.

chapters/results/NAME.json holds what a script measured, as the chapters read it.
chapters/results/runs.json holds how each run came about: settings, seconds, versions.
"""

import json
import os
import platform
import sqlite3
import sys
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from lmkit.files import write_atomic

RESULTS = Path(__file__).parents[1] / "results"


class Results:
    """The stored runs of one script.

    Args:
        name: the script's, without ending.
        settings: a dict from a variant's name to everything that its runs depend on.
        header: what stands in the file before the runs, a dict.
        as_lists: whether the file holds lists over the seeds, as chapters 01 and 03 read
            them, instead of dicts from the seed.
        folder: where the files are.
    """

    def __init__(self, name, settings, header, as_lists=False, folder=RESULTS):
        self.name, self.settings, self.header, self.as_lists = name, settings, header, as_lists
        self.file, self.log = folder / f"{name}.json", folder / "runs.json"
        self.lock = folder.parent / "saved" / "results.lock"  # a folder that git ignores

    def runs(self, variant):
        """A variant's stored runs: a dict from the seed, as text, to what was measured."""
        stored = _read(self.file).get(variant, {})
        return _from_lists(stored) if self.as_lists else stored

    def check(self, variant):
        """Raises a ValueError if a variant's stored runs were made with other settings."""
        if not self.runs(variant):
            return
        entry = _read(self.log).get(self.name, {}).get(variant, {})
        # Through JSON, which knows no tuples and no keys but text.
        ours, theirs = json.loads(json.dumps(self.settings[variant])), entry.get("settings", {})
        other = [key for key in {**theirs, **ours} if theirs.get(key) != ours.get(key)]
        if other:
            differ = ", ".join(f"{key} {theirs.get(key)!r}, not {ours.get(key)!r}" for key in other)
            raise ValueError(
                f"{self.file.name} holds runs of {variant!r} with other settings ({differ}). "
                f"Move the file away to begin anew, or take the settings back."
            )

    def add(self, variant, seed, found, seconds):
        """Adds a run to what the files hold by now."""
        with _locked(self.lock):
            self.check(variant)
            runs, log = self.runs(variant), _read(self.log)
            entry = log.setdefault(self.name, {}).setdefault(variant, {})
            # Of the runs that somebody has moved away, the log need not know any more.
            made = {key: how for key, how in entry.get("runs", {}).items() if key in runs}
            made[str(seed)] = {"seconds": rounded(seconds), "machine": machine()}
            entry |= {"settings": self.settings[variant], "runs": _by_seed(made)}
            # The log first. A run that the log alone knows is repeated, so a process that is
            # killed between the two files loses only its own run.
            _write(self.log, log)
            runs = _by_seed({**runs, str(seed): rounded(found)})
            self._merge({variant: _to_lists(runs) if self.as_lists else runs})

    def put(self, key, value):
        """Stores something beside the runs, such as the seconds of a step."""
        with _locked(self.lock):
            self._merge({key: rounded(value)})

    def _merge(self, parts):
        found = {**_read(self.file), **self.header, **parts}
        # Header, runs, the rest: the same order whichever process came first.
        order = [*self.header, *self.settings, *found]  # a dict keeps each key's first place
        _write(self.file, {key: found[key] for key in order if key in found})


@contextmanager
def _locked(path):
    """Lets one process in at a time, and the next one after a minute at most.

    A database is never written here; its lock works on every system, and the system takes
    it back from a process that was killed. A lock file would stay behind.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    connection = sqlite3.connect(path, timeout=60, isolation_level=None)
    try:
        connection.execute("BEGIN EXCLUSIVE")
        yield
    finally:
        connection.close()


def machine():
    """The versions and the processor with which a run is made, in one line."""
    import keras  # here, because reading results should not wait for it

    backend = keras.backend.backend()
    versions = [f"Python {platform.python_version()}", f"keras {keras.__version__}"]
    versions += [f"{name} {sys.modules[name].__version__}" for name in (backend, "numpy")]
    # Seconds of runs with one thread and with all of them are not to be compared.
    threads = os.environ.get("TF_NUM_INTRAOP_THREADS", "all")
    system = f"{platform.system()} {platform.machine()}"
    return ", ".join([*versions, system, f"{os.cpu_count()} cores, threads: {threads}"])


def rounded(value):
    """Four significant digits, wherever a float stands: more would differ by machine."""
    if isinstance(value, dict):
        return {str(name): rounded(part) for name, part in value.items()}
    if isinstance(value, list | tuple | np.ndarray):
        return [rounded(part) for part in value]
    if isinstance(value, float | np.floating):
        return float(f"{value:.4g}")
    return int(value) if isinstance(value, np.integer) else value


def _read(path):
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}


def _write(path, content):
    write_atomic(path, json.dumps(content, indent=1, ensure_ascii=False) + "\n")


def _by_seed(runs):
    # As numbers: "10" comes after "9".
    return dict(sorted(runs.items(), key=lambda item: int(item[0])))


def _to_lists(runs):
    """Seed s stands at place s, None where it has not run yet."""
    row = [runs.get(str(seed)) for seed in range(1 + max(map(int, runs)))]
    kinds = next(found for found in row if found is not None)
    if not isinstance(kinds, dict):
        return row  # one number per run
    return {kind: [found and found[kind] for found in row] for kind in kinds}


def _from_lists(stored):
    if isinstance(stored, list):
        rows = stored
    else:
        columns = zip(*stored.values(), strict=True)
        # One column per seed; a seed that has not run is None in all lists.
        rows = [
            None if None in column else dict(zip(stored, column, strict=True)) for column in columns
        ]
    return {str(seed): found for seed, found in enumerate(rows) if found is not None}
