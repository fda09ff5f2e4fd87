"""One style for all figures of the course; every function draws on `ax` and returns it."""

import html
import re

import matplotlib.pyplot as plt
import numpy as np

from lmkit.datasets.shipped import shipped_folder

# Okabe and Ito's colors, which people with any color vision tell apart. Lines that cross also
# differ in their dashes: a figure has to survive a black-and-white printer.
COLORS = {
    "blue": "#0072B2",
    "orange": "#E69F00",
    "green": "#009E73",
    "red": "#D55E00",
    "purple": "#CC79A7",
    "sky": "#56B4E9",
    "gray": "#6B6B6B",
}


def use_style():
    """Sets matplotlib's defaults for the course's figures."""
    plt.rcParams.update(
        {
            "figure.dpi": 100,
            "figure.figsize": (7.0, 3.4),  # the width of a notebook's text, half as high
            "figure.constrained_layout.use": True,
            "axes.prop_cycle": plt.cycler(color=list(COLORS.values())),
            "axes.spines.top": False,
            "axes.spines.right": False,
            "axes.titlelocation": "left",  # titles are sentences, and sentences begin left
            "axes.titlesize": 11,
            "font.size": 10,
            "legend.edgecolor": "none",
            "legend.framealpha": 0.9,
        }
    )


class Diagram:
    """A drawing that a notebook shows as the last line of a cell.

    Args:
        name: a file of `chapters/figures`, without its ending.

    Raises: FileNotFoundError if there is no such drawing; the message lists the ones there are.

    Example:
        >>> Diagram("02_lstm_cell")
        Diagram: The LSTM cell: ...
    """

    def __init__(self, name):
        folder = shipped_folder("figures", "chapters/figures")
        known = sorted(path.stem for path in folder.glob("*.svg"))
        if name not in known:
            raise FileNotFoundError(f"no diagram {name!r}; there are: {', '.join(known)}")
        self.svg = (folder / f"{name}.svg").read_text(encoding="utf-8")

    def _repr_svg_(self):
        return self.svg

    def __repr__(self):
        # What a screen reader says, and what a terminal shows.
        return "Diagram: " + html.unescape(re.search("<title>(.*)</title>", self.svg)[1])


def plot_history(history, metric="loss", ax=None, references=None):
    """Draws a metric over the epochs, for the training and the validation data.

    Args:
        history: what `model.fit` returned, or its dictionary of lists.
        metric: a key such as "loss" or "accuracy".
        ax: where to draw; a new figure if None.
        references: names and values of horizontal lines, such as `{"coin": 0.5}`.

    Returns:
        The axes.

    Example:
        >>> plot_history({"loss": [0.7, 0.4], "val_loss": [0.6, 0.5]}, references={"ln 2": 0.693})
        <Axes: ...>
    """
    values = getattr(history, "history", history)
    # A learner passes the model, or None: "object is not iterable" would not help.
    if not isinstance(values, dict):
        raise TypeError(f"history must be what fit returned, got {type(values).__name__}")
    if metric not in values:
        raise ValueError(f"the history holds {', '.join(values)}, not {metric!r}")
    ax = ax or plt.subplots()[1]
    epochs = np.arange(1, len(values[metric]) + 1)
    ax.plot(epochs, values[metric], "o-", color=COLORS["blue"], label="training")
    if f"val_{metric}" in values:
        ax.plot(epochs, values[f"val_{metric}"], "s--", color=COLORS["red"], label="validation")
    for name, value in (references or {}).items():
        add_reference(ax, name, value)
    ax.set(xlabel="epoch", ylabel=metric, xticks=epochs)
    ax.legend()
    return ax


def add_reference(ax, name, value):
    """Draws a horizontal line to compare with, and its name beside the axes.

    Args:
        ax: the axes.
        name: the label.
        value: the height.
    """
    ax.axhline(value, color=COLORS["gray"], linestyle=":")
    # Outside the axes on the right, where no curve can cross the words.
    place = {"xytext": (4, 0), "textcoords": "offset points", "va": "center", "fontsize": 9}
    where = {"xycoords": ax.get_yaxis_transform(), "color": COLORS["gray"]}
    ax.annotate(f"{name} {value:.3g}", (1, value), **place, **where)


def plot_seeds(results, ax=None, references=None, ylabel="accuracy"):
    """Draws the results of several seeds: a dot per seed, a bar from the lowest to the highest.

    The dots stand side by side in the order of the seeds, so that equal results can be counted.

    Args:
        results: names and lists of values, one value per seed.
        ax: where to draw; a new figure if None.
        references: names and values of horizontal lines.
        ylabel: what the values are.

    Returns:
        The axes.

    Example:
        >>> plot_seeds({"bag of words": [0.71, 0.70], "RNN": [0.95, 0.97]})
        <Axes: ...>
    """
    ax = ax or plt.subplots()[1]
    for place, (name, values) in enumerate(results.items()):
        if not len(values):
            raise ValueError(f"{name!r} has no values to draw")
        color = list(COLORS.values())[place % len(COLORS)]
        # Two seeds stand as close to each other as five do.
        side_by_side = (np.arange(len(values)) - (len(values) - 1) / 2) * 0.35 / max(len(values), 5)
        ends = [place - 0.2, place + 0.2]
        ax.fill_between(ends, min(values), max(values), color=color, alpha=0.25, linewidth=0)
        ax.plot(place + side_by_side, values, "o", color=color, markersize=5)
        # Half transparent, so that a dot behind the number is still seen.
        box = {"facecolor": "white", "edgecolor": "none", "alpha": 0.8, "pad": 1}
        near = {"xytext": (5, 0), "textcoords": "offset points", "va": "center", "bbox": box}
        ax.annotate(f"{np.mean(values):.2f}", (ends[1], np.mean(values)), **near)
    for name, value in (references or {}).items():
        add_reference(ax, name, value)
    ax.set(xticks=range(len(results)), xticklabels=list(results), ylabel=ylabel)
    ax.set_xlim(-0.5, len(results) - 0.3)  # room for the last mean, which stands on the right
    return ax


def plot_matrix(matrix, rows, columns, ax=None, title=None, number="{:d}", limits=None):
    """Draws a matrix as colored squares with its numbers in them.

    Args:
        matrix: an array `(rows, columns)`.
        rows: the names of the rows.
        columns: the names of the columns.
        ax: where to draw; a new figure if None.
        title: the title.
        number: how a number is written, as for `str.format`; "" for none.
        limits: the values of the darkest and the lightest color, to compare matrices;
            the matrix's own lowest and highest if None.

    Returns:
        The axes.

    Example:
        >>> plot_matrix([[8, 2], [1, 9]], ["bad", "good"], ["said bad", "said good"])
        <Axes: ...>
    """
    matrix = np.asarray(matrix)
    if matrix.shape != (len(rows), len(columns)):
        raise ValueError(f"{len(rows)} x {len(columns)} names for a matrix {matrix.shape}")
    ax = ax or plt.subplots(figsize=(3.6, 3.0))[1]
    low, high = limits or (None, None)
    # cividis grows evenly from dark to light, also for color-blind readers and in print.
    image = ax.imshow(matrix, cmap="cividis", aspect="auto", vmin=low, vmax=high)
    for (row, column), value in np.ndenumerate(matrix):
        color = "black" if image.norm(value) > 0.5 else "white"
        ax.text(column, row, number.format(value), ha="center", va="center", color=color)
    ax.set(xticks=range(len(columns)), xticklabels=columns, yticks=range(len(rows)))
    ax.set(yticklabels=rows, title=title)
    ax.spines[:].set_visible(False)
    return ax


def plot_token_losses(tokens, losses, floors=None, ax=None, per_row=26):
    """Draws a bar for every token of a text: how surprised the model was.

    Args:
        tokens: the tokens, a list of strings.
        losses: the loss of each token in nats, `(tokens,)`.
        floors: the part of each loss that no model can avoid, `(tokens,)`; drawn in gray below
            the rest, which is green where the loss is below it. None if it is not known.
        ax: a list of axes, one for each row of tokens; a new figure if None.
        per_row: how many tokens a row has.

    Returns:
        The list of axes.

    Example:
        >>> plot_token_losses(["One", "warm", "day"], [0.1, 2.2, 1.9], [0.0, 2.1, 1.9])
        [<Axes: ...>]
    """
    losses = np.asarray(losses, dtype="float64")
    floors = np.zeros_like(losses) if floors is None else np.asarray(floors, dtype="float64")
    if not 0 < len(tokens) == len(losses) == len(floors):
        counts = f"{len(tokens)} tokens, {len(losses)} losses and {len(floors)} floors"
        raise ValueError(f"every token needs a loss and a floor, got {counts}")
    # A long text continues in the next row of axes: one axis of 80 words cannot be read.
    starts = range(0, len(tokens), per_row)
    if ax is None:
        size = (0.37 * per_row, 1.35 * len(starts))
        ax = list(plt.subplots(len(starts), 1, figsize=size, sharey=True, squeeze=False)[1][:, 0])
    for row, start in zip(ax, starts, strict=True):
        part = slice(start, start + per_row)
        places = np.arange(len(tokens[part]))
        above = losses[part] - floors[part]  # negative where a guess was lucky, or a leak
        row.bar(places, floors[part], color=COLORS["gray"], width=0.8)
        colors = np.where(above < 0, COLORS["green"], COLORS["orange"])
        row.bar(places, above, bottom=floors[part], color=colors, width=0.8)
        row.set_xticks(places, tokens[part], rotation=55, ha="right", fontsize=8)
        # The same width in a shorter last row: its bars must not grow.
        row.set(xlim=(-0.6, per_row - 0.4), ylabel="nats")
    return ax
