"""lmkit.plots: the drawn values are the given ones."""

import matplotlib.pyplot as plt
import numpy as np
import pytest

from lmkit import plots


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")


def test_style_is_set():
    with plt.rc_context():
        plots.use_style()
        assert plt.rcParams["axes.prop_cycle"].by_key()["color"] == list(plots.COLOURS.values())


def test_history_draws_what_it_holds():
    history = {"loss": [0.7, 0.4, 0.3], "val_loss": [0.6, 0.5, 0.55]}
    ax = plots.plot_history(history, references={"ln 2": np.log(2)})
    assert ax.lines[0].get_ydata().tolist() == history["loss"]
    assert ax.lines[1].get_ydata().tolist() == history["val_loss"]
    assert ax.lines[0].get_xdata().tolist() == [1, 2, 3]
    assert ax.lines[2].get_ydata() == [np.log(2)] * 2
    labels = [text.get_text() for text in ax.get_legend().get_texts()]
    assert labels == ["training", "validation", "ln 2 (0.693)"]


def test_history_without_validation_and_on_given_axes():
    _, mine = plt.subplots()
    assert plots.plot_history({"accuracy": [0.5]}, "accuracy", ax=mine) is mine
    assert len(mine.lines) == 1
    assert mine.get_ylabel() == "accuracy"


def test_history_refuses_a_metric_it_does_not_hold():
    with pytest.raises(ValueError, match="holds loss, val_loss, not 'acc'"):
        plots.plot_history({"loss": [1], "val_loss": [1]}, "acc")


def test_seeds_show_every_value_and_the_mean():
    ax = plots.plot_seeds({"a": [0.5, 0.7], "b": [0.9, 0.9]}, references={"coin": 0.5})
    dots = [line for line in ax.lines if line.get_marker() == "o"]
    assert [line.get_ydata().tolist() for line in dots] == [[0.5, 0.7], [0.9, 0.9]]
    assert [text.get_text() for text in ax.texts] == ["0.60", "0.90"]
    assert [label.get_text() for label in ax.get_xticklabels()] == ["a", "b"]


def test_matrix_writes_every_number_where_it_belongs():
    ax = plots.plot_matrix([[8, 2], [1, 9]], ["bad", "good"], ["said bad", "said good"])
    texts = {text.get_position(): text.get_text() for text in ax.texts}
    assert texts == {(0, 0): "8", (1, 0): "2", (0, 1): "1", (1, 1): "9"}  # (column, row)
    assert ax.images[0].get_array().tolist() == [[8, 2], [1, 9]]


def test_matrix_limits_are_the_ends_of_the_colours():
    ax = plots.plot_matrix([[8, 2], [1, 9]], list("ab"), list("cd"), limits=(0, 20))
    assert ax.images[0].get_clim() == (0, 20)
    assert plots.plot_matrix([[8, 2], [1, 9]], list("ab"), list("cd")).images[0].get_clim() == (
        1,
        9,
    )


def test_matrix_refuses_names_that_do_not_fit():
    with pytest.raises(ValueError, match=r"3 x 2 names for a matrix \(2, 2\)"):
        plots.plot_matrix(np.eye(2), list("abc"), list("de"))
