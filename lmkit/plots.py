"""One style for all figures of the course.

The colours are Okabe and Ito's, which people with any colour vision tell apart;
lines differ in dashes as well. Every function draws on `ax` and returns it.
"""

import matplotlib.pyplot as plt
import numpy as np

COLOURS = {
    "blue": "#0072B2",
    "orange": "#E69F00",
    "green": "#009E73",
    "red": "#D55E00",
    "purple": "#CC79A7",
    "sky": "#56B4E9",
    "grey": "#6B6B6B",
}


def use_style():
    """Sets matplotlib's defaults for the course's figures."""
    plt.rcParams.update(
        {
            "figure.dpi": 100,
            "figure.figsize": (7.0, 3.4),
            "figure.constrained_layout.use": True,
            "axes.prop_cycle": plt.cycler(color=list(COLOURS.values())),
            "axes.spines.top": False,
            "axes.spines.right": False,
            "axes.titlelocation": "left",
            "axes.titlesize": 11,
            "font.size": 10,
            "legend.edgecolor": "none",
            "legend.framealpha": 0.9,
        }
    )


def plot_history(history, metric="loss", ax=None, references=None):
    """Draws a metric over the epochs, for the training and the validation data.

    Args:
        history: what `model.fit` returned, or its dictionary of lists.
        metric: a key such as "loss" or "accuracy".
        ax: where to draw; a new figure if None.
        references: names and values of horizontal lines, such as `{"coin": 0.5}`.

    Returns:
        The axes.

    Raises:
        TypeError: if the history is none.
        ValueError: if it does not hold the metric.

    Example:
        >>> plot_history({"loss": [0.7, 0.4], "val_loss": [0.6, 0.5]}, references={"ln 2": 0.693})
        <Axes: ...>
    """
    values = getattr(history, "history", history)
    if not isinstance(values, dict):
        raise TypeError(f"history must be what fit returned, got {type(values).__name__}")
    if metric not in values:
        raise ValueError(f"the history holds {', '.join(values)}, not {metric!r}")
    ax = ax or plt.subplots()[1]
    epochs = np.arange(1, len(values[metric]) + 1)
    ax.plot(epochs, values[metric], "o-", color=COLOURS["blue"], label="training")
    if f"val_{metric}" in values:
        ax.plot(epochs, values[f"val_{metric}"], "s--", color=COLOURS["red"], label="validation")
    for name, value in (references or {}).items():
        add_reference(ax, name, value)
    ax.set(xlabel="epoch", ylabel=metric, xticks=epochs)
    ax.legend()
    return ax


def add_reference(ax, name, value):
    """Draws a horizontal line with its name at the right end: what values are compared with.

    Args:
        ax: the axes.
        name: the label.
        value: the height.
    """
    ax.axhline(value, color=COLOURS["grey"], linestyle=":")
    ax.annotate(
        f"{name} {value:.3g}", (1, value), xytext=(4, 0), xycoords=ax.get_yaxis_transform(),
        textcoords="offset points", va="center", fontsize=8, color=COLOURS["grey"],
    )  # fmt: skip


def plot_seeds(results, ax=None, references=None, ylabel="accuracy"):
    """Draws results of several seeds: a dot a seed, a bar from the lowest to the highest.

    Args:
        results: names and lists of values, one value a seed.
        ax: where to draw; a new figure if None.
        references: names and values of horizontal lines.
        ylabel: what the values are.

    Returns:
        The axes.

    Raises:
        ValueError: if a name has no values.

    Example:
        >>> plot_seeds({"bag of words": [0.71, 0.70], "RNN": [0.95, 0.97]})
        <Axes: ...>
    """
    for name, values in results.items():
        if not len(values):
            raise ValueError(f"{name!r} has no values to draw")
    ax = ax or plt.subplots()[1]
    for place, values in enumerate(results.values()):
        colour = list(COLOURS.values())[place % len(COLOURS)]
        ax.plot([place, place], [min(values), max(values)], color=colour, linewidth=7, alpha=0.3)
        ax.plot(np.full(len(values), place), values, "o", color=colour, markersize=5)
        ax.annotate(
            f"{np.mean(values):.2f}", (place, np.mean(values)), xytext=(12, 0),
            textcoords="offset points", va="center",
            bbox={"facecolor": "white", "edgecolor": "none", "alpha": 0.8, "pad": 1},
        )  # fmt: skip
    for name, value in (references or {}).items():
        add_reference(ax, name, value)
    ax.set(xticks=range(len(results)), xticklabels=list(results), ylabel=ylabel)
    ax.set_xlim(-0.5, len(results) - 0.3)
    return ax


def plot_matrix(matrix, rows, columns, ax=None, title=None, number="{:d}", limits=None):
    """Draws a matrix as coloured squares with its numbers in them.

    Args:
        matrix: a two-dimensional array.
        rows: the names of the rows.
        columns: the names of the columns.
        ax: where to draw; a new figure if None.
        title: the title.
        number: how a number is written, as for `str.format`; "" for none.
        limits: the values of the darkest and the lightest colour, to compare matrices;
            the matrix's own lowest and highest if None.

    Returns:
        The axes.

    Raises:
        ValueError: if the names do not fit the matrix.

    Example:
        >>> plot_matrix([[8, 2], [1, 9]], ["bad", "good"], ["said bad", "said good"])
        <Axes: ...>
    """
    matrix = np.asarray(matrix)
    if matrix.shape != (len(rows), len(columns)):
        raise ValueError(f"{len(rows)} x {len(columns)} names for a matrix {matrix.shape}")
    ax = ax or plt.subplots(figsize=(3.6, 3.0))[1]
    low, high = limits or (None, None)
    image = ax.imshow(matrix, cmap="cividis", aspect="auto", vmin=low, vmax=high)
    for (row, column), value in np.ndenumerate(matrix):
        light = image.norm(value) > 0.5
        ax.text(column, row, number.format(value), ha="center", va="center",
                color="black" if light else "white")  # fmt: skip
    ax.set(xticks=range(len(columns)), xticklabels=columns, yticks=range(len(rows)))
    ax.set(yticklabels=rows, title=title)
    ax.spines[:].set_visible(False)
    return ax


def plot_token_losses(tokens, losses, floors=None, ax=None, per_row=26):
    """Draws a bar for every token of a text: how surprised the model was.

    Args:
        tokens: the tokens, a list of strings.
        losses: the loss of each token in nats, `(tokens,)`.
        floors: the part of each that nobody can avoid, `(tokens,)`; drawn in grey below
            the rest. None if it is not known.
        ax: a list of axes, one for each row of tokens; a new figure if None.
        per_row: how many tokens stand in a row.

    Returns:
        The list of axes.

    Raises:
        ValueError: if there is not one loss, or one floor, for each token, or no token.

    Example:
        >>> plot_token_losses(["One", "warm", "day"], [0.1, 2.2, 1.9], [0.0, 2.1, 1.9])
        [<Axes: ...>]
    """
    losses = np.asarray(losses, dtype="float64")
    floors = np.zeros_like(losses) if floors is None else np.asarray(floors, dtype="float64")
    if not len(tokens) == len(losses) == len(floors):
        raise ValueError(f"{len(tokens)} tokens, {len(losses)} losses and {len(floors)} floors")
    if not len(tokens):
        raise ValueError("there are no tokens to draw")
    starts = range(0, len(tokens), per_row)
    if ax is None:
        size = (0.37 * per_row, 1.35 * len(starts))
        ax = list(plt.subplots(len(starts), 1, figsize=size, sharey=True, squeeze=False)[1][:, 0])
    for row, start in zip(ax, starts, strict=True):
        part = slice(start, start + per_row)
        places = np.arange(len(tokens[part]))
        avoidable = losses[part] - floors[part]
        row.bar(places, floors[part], color=COLOURS["grey"], width=0.8)
        row.bar(places, avoidable, bottom=floors[part], color=COLOURS["orange"], width=0.8)
        row.set_xticks(places, tokens[part], rotation=55, ha="right", fontsize=8)
        row.set(xlim=(-0.6, per_row - 0.4), ylabel="nats")
    return ax


def plot_split(parts, names, ax=None, number="{:.2f}"):
    """Draws numbers that are sums as bars, split into what they are made of.

    Args:
        parts: the name of every part and its values, one value a bar, none negative.
        names: the names of the bars, drawn from top to bottom.
        ax: where to draw; a new figure if None.
        number: how the sum at a bar's end is written, as for `str.format`; "" for none.

    Returns:
        The axes.

    Raises:
        ValueError: if a part has another number of values than there are names, or a
            value is negative: its piece would lie on its neighbour's.

    Example:
        >>> plot_split({"entropy": [0.3, 0.1], "KL": [0.1, 0.2]}, ["free", "long"])
        <Axes: ...>
    """
    ax = ax or plt.subplots(figsize=(7.0, 0.9 + 0.4 * len(names)))[1]
    ends = np.zeros(len(names))
    for (part, values), colour in zip(parts.items(), COLOURS.values(), strict=False):
        values = np.asarray(values, dtype="float64")
        if values.shape != ends.shape or not (values >= 0).all():
            raise ValueError(
                f"{part!r} must hold {len(names)} values of at least 0, got {values.tolist()}"
            )
        ax.barh(names, values, left=ends, color=colour, label=part, edgecolor="white")
        ends = ends + values
    for place, end in enumerate(ends):
        ax.annotate(number.format(end), (end, place), xytext=(4, 0), textcoords="offset points",
                    va="center")  # fmt: skip
    ax.invert_yaxis()
    ax.legend()
    return ax


def to_triangle(probabilities):
    """The point in a triangle of sides 1 that stands for a distribution over three tokens.

    A distribution is the mean of the corners, each weighed by its token's probability: the
    first token's corner is left, the second's right, the third's on top.

    Args:
        probabilities: `(..., 3)`, each row with the sum 1.

    Returns:
        An array `(..., 2)`: how far right, how far up.

    Raises:
        ValueError: if a row is no distribution over three tokens.

    Example:
        >>> to_triangle([[0, 1, 0], [0.5, 0.5, 0]]).tolist()
        [[1.0, 0.0], [0.5, 0.0]]

    Source: barycentric coordinates (Möbius, 1827).
    """
    p = np.asarray(probabilities, dtype="float64")
    if not p.ndim or p.shape[-1] != 3:
        raise ValueError(f"three probabilities a row make a triangle, got shape {p.shape}")
    if not ((p >= 0).all() and np.allclose(p.sum(axis=-1), 1)):
        raise ValueError("every row must hold three numbers of at least 0 with the sum 1")
    return p @ _CORNERS


_CORNERS = np.array([[0, 0], [1, 0], [0.5, np.sqrt(3) / 2]])


def plot_simplex(function, names, ax=None, levels=12, resolution=120):
    """Draws all distributions over three tokens as a triangle, coloured by a function.

    Args:
        function: from distributions `(n, 3)` to numbers `(n,)`; infinite ones stay white.
        names: the three tokens: left, right and top corner.
        ax: where to draw; a new figure if None.
        levels: how many contours, or their values; what lies above the last one gets its
            colour.
        resolution: how many steps a side is cut into.

    Returns:
        The axes. `ax.plot(*to_triangle(p).T, ...)` draws into it.

    Raises:
        ValueError: if there are not three names, or as many numbers as distributions.

    Example:
        >>> plot_simplex(lambda q: -np.log(q.max(axis=-1)), ["sun", "rain", "snow"])
        <Axes: ...>
    """
    if len(names) != 3:
        raise ValueError(f"a triangle has three corners, got {len(names)} names")
    i, j = np.array([(i, j) for i in range(resolution + 1) for j in range(resolution + 1 - i)]).T
    points = np.stack([i, j, resolution - i - j], axis=-1) / resolution
    values = np.asarray(function(points), dtype="float64")
    if values.shape != i.shape:
        raise ValueError(f"{len(i)} distributions need as many numbers, got {values.shape}")
    ax = ax or plt.subplots(figsize=(4.2, 3.8))[1]
    finite = np.isfinite(values)
    ax.tricontourf(*to_triangle(points[finite]).T, values[finite], levels=levels, cmap="cividis",
                   extend="max")  # fmt: skip
    ax.plot(*_CORNERS[[0, 1, 2, 0]].T, color=COLOURS["grey"], linewidth=1)
    for name, corner, side in zip(names, _CORNERS, ("top", "top", "bottom"), strict=True):
        ax.annotate(name, corner, xytext=(0, 6 if side == "bottom" else -6), va=side, ha="center",
                    textcoords="offset points")  # fmt: skip
    ax.set(aspect="equal", xlim=(-0.12, 1.12), ylim=(-0.12, 1.0))
    ax.set_axis_off()
    return ax
