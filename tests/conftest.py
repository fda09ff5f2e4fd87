"""What several test files share, and the walls around all of them: no network."""

import os
import pathlib
import sys

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
os.environ.setdefault("MPLBACKEND", "agg")
THREADS = ("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS", "OMP_NUM_THREADS")
# Workers share the cores. With one thread per core in each of two workers, notebooks' kernels
# included, the longest cells took a quarter to a half longer.
if workers := int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", 0)):
    threads = str(max(1, (os.cpu_count() or 1) // workers))
    for name in THREADS:
        os.environ.setdefault(name, threads)

import pytest
from hypothesis import settings

# The same examples in every run: without a change the result is the same as well.
# `pytest --hypothesis-profile=default` tries others.
settings.register_profile("same", derandomize=True)
settings.load_profile("same")

ROOT = pathlib.Path(__file__).parents[1]
GUARD = str(ROOT / "tests" / "no_network")


def shut_the_network():
    """For this process and, through the environment, for every child of it."""
    paths = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    if GUARD not in paths:
        os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [GUARD, *paths]))
    # For programs that are not Python: a proxy at a port where nobody listens.
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        os.environ[name] = os.environ[name.upper()] = "http://127.0.0.1:9"
    os.environ["no_proxy"] = os.environ["NO_PROXY"] = "localhost,127.0.0.1,::1"
    sys.path.insert(0, GUARD)
    sys.modules.pop("sitecustomize", None)  # another one may have been loaded at the start
    import sitecustomize  # noqa: F401

    sys.path.remove(GUARD)


shut_the_network()


@pytest.fixture
def root():
    """The folder of the checkout."""
    return ROOT


@pytest.fixture
def rng():
    """NumPy's random numbers, the same in every run."""
    import numpy as np

    return np.random.default_rng(0)


@pytest.fixture
def float64():
    """Skips where the backend has no float64: JAX makes float32 of it and calls it float64."""
    from keras import ops

    if "64" not in str(ops.convert_to_tensor([0.0], "float64").dtype):
        pytest.skip("JAX has no float64 unless asked for it")


@pytest.fixture
def ran(tmp_path):
    """The folder that harmful code would make. After the test it must not be there."""
    (tmp_path / "work").mkdir()
    path = tmp_path / "work" / "ran"
    yield path
    assert not path.exists(), "code from a file ran"
