"""lmkit.plots: the drawn values are the given ones."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.colors import to_rgb

from lmkit import plots


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")


def test_style_is_set():
    with plt.rc_context():
        plots.use_style()
        assert plt.rcParams["axes.prop_cycle"].by_key()["color"] == list(plots.COLORS.values())


def test_a_diagram_shows_its_drawing_and_says_what_it_shows():
    diagram = plots.Diagram("03_entropy_and_divergence")
    assert diagram._repr_svg_().startswith("<svg ") and diagram._repr_svg_().endswith("</svg>\n")
    assert repr(diagram).startswith("Diagram: ") and "<" not in repr(diagram)
    with pytest.raises(FileNotFoundError, match=r"no diagram '\.\./x'; there are: 01_back"):
        plots.Diagram("../x")


def test_history_draws_what_it_holds():
    history = {"loss": [0.7, 0.4, 0.3], "val_loss": [0.6, 0.5, 0.55]}
    ax = plots.plot_history(history, references={"ln 2": np.log(2)})
    assert ax.lines[0].get_ydata().tolist() == history["loss"]
    assert ax.lines[1].get_ydata().tolist() == history["val_loss"]
    assert ax.lines[0].get_xdata().tolist() == [1, 2, 3]
    assert ax.lines[2].get_ydata() == [np.log(2)] * 2
    labels = [text.get_text() for text in ax.get_legend().get_texts()]
    assert labels == ["training", "validation"]
    (name,) = ax.texts  # the line's name stands at its own end, where no other line is meant
    assert (name.get_text(), name.xy) == ("ln 2 0.693", (1, np.log(2)))


def test_history_without_validation_and_on_given_axes():
    _, mine = plt.subplots()
    assert plots.plot_history({"accuracy": [0.5]}, "accuracy", ax=mine) is mine
    assert len(mine.lines) == 1
    assert mine.get_ylabel() == "accuracy"


def test_history_refuses_what_fit_did_not_return():
    with pytest.raises(TypeError, match="must be what fit returned, got NoneType"):
        plots.plot_history(None)


def test_history_refuses_a_metric_it_does_not_hold():
    with pytest.raises(ValueError, match="holds loss, val_loss, not 'acc'"):
        plots.plot_history({"loss": [1], "val_loss": [1]}, "acc")


def test_seeds_show_every_value_and_the_mean():
    ax = plots.plot_seeds({"a": [0.5, 0.7], "b": [0.9, 0.9]}, references={"coin": 0.5})
    dots = [line for line in ax.lines if line.get_marker() == "o"]
    assert [line.get_ydata().tolist() for line in dots] == [[0.5, 0.7], [0.9, 0.9]]
    assert all(len(set(line.get_xdata())) == 2 for line in dots)  # equal values side by side
    assert [text.get_text() for text in ax.texts] == ["0.60", "0.90", "coin 0.5"]
    assert [label.get_text() for label in ax.get_xticklabels()] == ["a", "b"]


def test_seeds_refuse_a_name_without_values():
    with pytest.raises(ValueError, match="'b' has no values to draw"):
        plots.plot_seeds({"a": [0.5], "b": []})


def test_matrix_writes_every_number_where_it_belongs():
    ax = plots.plot_matrix([[8, 2], [1, 9]], ["bad", "good"], ["said bad", "said good"])
    texts = {text.get_position(): text.get_text() for text in ax.texts}
    assert texts == {(0, 0): "8", (1, 0): "2", (0, 1): "1", (1, 1): "9"}  # (column, row)
    assert ax.images[0].get_array().tolist() == [[8, 2], [1, 9]]


def test_matrix_numbers_can_be_read_on_every_square():
    ax = plots.plot_matrix([[0, 10]], ["a"], ["b", "c"])
    assert [text.get_color() for text in ax.texts] == ["white", "black"]  # on dark, on light


def test_matrix_limits_are_the_ends_of_the_colors():
    ax = plots.plot_matrix([[8, 2], [1, 9]], list("ab"), list("cd"), limits=(0, 20))
    assert ax.images[0].get_clim() == (0, 20)
    assert plots.plot_matrix([[8, 2], [1, 9]], list("ab"), list("cd")).images[0].get_clim() == (
        1,
        9,
    )


def test_matrix_refuses_names_that_do_not_fit():
    with pytest.raises(ValueError, match=r"3 x 2 names for a matrix \(2, 2\)"):
        plots.plot_matrix(np.eye(2), list("abc"), list("de"))


def test_token_losses_are_floors_and_what_lies_above():
    words, losses, floors = ["One", "warm", "day"], [0.5, 2.0, 1.0], [0.25, 2.0, 0.0]
    (first, second) = plots.plot_token_losses(words, losses, floors, per_row=2)
    bars = [(bar.get_y(), bar.get_height()) for bar in first.patches]
    assert bars == [(0, 0.25), (0, 2.0), (0.25, 0.25), (2.0, 0.0)]  # floors, then the rest
    assert [(bar.get_y(), bar.get_height()) for bar in second.patches] == [(0, 0.0), (0.0, 1.0)]
    assert [label.get_text() for label in first.get_xticklabels()] == ["One", "warm"]
    assert first.get_xlim() == second.get_xlim()  # a short last row has bars as wide


def test_a_loss_below_its_floor_has_another_color():
    (ax,) = plots.plot_token_losses(["a", "b"], [1.0, 2.0], [0.5, 2.5])
    floor, _, above, below = (bar.get_facecolor()[:3] for bar in ax.patches)
    colors = (plots.COLORS[name] for name in ("gray", "orange", "green"))
    assert [floor, above, below] == [to_rgb(color) for color in colors]


def test_token_losses_without_floors_and_on_given_axes():
    _, mine = plt.subplots()
    assert plots.plot_token_losses(["a"], [3.0], ax=[mine])[0] is mine
    assert sum(bar.get_height() for bar in mine.patches) == 3.0


def test_token_losses_need_one_number_a_token():
    with pytest.raises(ValueError, match="2 tokens, 1 losses and 1 floors"):
        plots.plot_token_losses(["a", "b"], [1.0])
    with pytest.raises(ValueError, match="1 tokens, 1 losses and 2 floors"):
        plots.plot_token_losses(["a"], [1.0], [0.5, 0.5])
    with pytest.raises(ValueError, match="0 tokens, 0 losses and 0 floors"):
        plots.plot_token_losses([], [])
