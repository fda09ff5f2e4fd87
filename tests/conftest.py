"""What several test files share."""

import os
import pathlib

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
os.environ.setdefault("MPLBACKEND", "agg")

import pytest

ROOT = pathlib.Path(__file__).parents[1]


@pytest.fixture
def root():
    """The folder of the checkout."""
    return ROOT


@pytest.fixture
def rng():
    """NumPy's random numbers, the same in every run."""
    import numpy as np

    return np.random.default_rng(0)
