"""lmkit.checkpoints.state: what a run has changed, and nothing else."""

import keras
import numpy as np
import pytest

from lmkit.callbacks import EpochReport, GapToFloor, TextSample
from lmkit.checkpoints.state import Attributes


class Holding(keras.callbacks.Callback):
    def __init__(self, value):
        super().__init__()
        self.held = value


def test_only_what_changes_is_kept():
    callbacks = [EpochReport(), GapToFloor([[2, 3]], [[3, 4]], 0.3), TextSample(str), Holding([1])]
    attributes = Attributes(callbacks)
    assert list(attributes.changed().values()) == [{}, {}, {}, {}]
    callbacks[3].held.append(2)  # in place
    assert attributes.changed()["3 Holding"] == {"held": [1, 2]}
    callbacks[3].held = [1]
    assert attributes.changed()["3 Holding"] == {}


def test_what_was_changed_is_put_back():
    first, second = Holding(np.zeros(2)), Holding(np.zeros(2))
    attributes = Attributes([first])
    first.held += 1  # in place
    Attributes([second]).put_back(attributes.changed())
    assert second.held.tolist() == [1.0, 1.0]


def test_what_cannot_be_compared_is_refused_with_advice():
    with pytest.raises(TypeError, match=r"0 Holding: cannot keep held: Generator\. Give the"):
        Attributes([Holding(np.random.default_rng(0))])
    assert Attributes([Holding(print), Holding(np.tanh)]).changed() == {
        "0 Holding": {},
        "1 Holding": {},
    }
