"""Diagrams of notebook 05b: the words a clause may contain, and the tags that may follow."""

import math

from svg import PALE, RED, Diagram

STRONG = RED  # the best path


def lattice():
    """Five borders, four characters, seven words, and the best path through them."""
    d = Diagram(
        510,
        "The lattice of the four characters 中选择要. Five circles, 0 to 4, are the borders. "
        "Each word is an arrow from the border where it begins to the one where it ends: 中 in, "
        "0.4; 选 choose, 0.02; 择 pick, 0.004; 要 want, 0.3; 中选 be elected, 0.012; 选择 select, "
        "0.06; 择要 pick the main points, 0.008. The best path is marked: 中, 选择, 要, with the "
        "product 0.0072. Below each border stands the best product up to it: "
        "1, 0.4, 0.012, 0.024, 0.0072.",
    )
    x, y = [44, 182, 320, 458, 596], 212
    single = ("中", "in", "0.4"), ("选", "choose", "0.02"), ("择", "pick", "0.004")
    single += (("要", "want", "0.3"),)
    best = {0, 3}
    for place, (word, gloss, number) in enumerate(single):
        left, right, mid = x[place], x[place + 1], (x[place] + x[place + 1]) / 2
        color, width = (STRONG, 3) if place in best else (PALE, 2)
        d.line(left + 22, y, mid - 34, y, color=color, width=width)
        d.arrow(mid + 34, y, right - 22, y, color=color, width=width)
        d.box(mid - 34, y - 32, 68, 64, f"{word}\n{number}", "orange" if place in best else "plain")
        d.text(mid, y + 48, gloss, 18, color=PALE)
    # Words of two characters: first border, height, glosses, number, on the best path.
    doubles = (
        (0, 74, "中选", "be elected", "0.012", False),
        (1, 350, "选择", "select", "0.06", True),
    )
    doubles += ((2, 74, "择要", "pick the main points", "0.008", False),)
    for first, height, word, gloss, number, chosen in doubles:
        left, right, mid = x[first], x[first + 2], x[first + 1]
        color, width = (STRONG, 3) if chosen else (PALE, 2)
        edge = y + 21 if height > y else y - 21
        d.line(left, edge, left + 22, height, mid - 66, height, color=color, width=width)
        d.arrow(mid + 66, height, right - 22, height, right, edge, color=color, width=width)
        tint = "orange" if chosen else "plain"
        d.box(mid - 66, height - 32, 132, 64, f"{word}\n{number}", tint)
        d.text(mid, height + (48 if chosen else -46), gloss, 18, color=PALE)
    for number, place in enumerate(x):
        d.circle(place, y, 21, str(number), "blue")
    d.text(320, 440, "best product up to each border", 18, weight="bold")
    for place, number in zip(x, ("1", "0.4", "0.012", "0.024", "0.0072"), strict=True):
        d.text(place, 484, number, 20)
    return d


def tags():
    """The four tags, the eight moves that are legal, and where a clause starts and ends."""
    d = Diagram(
        540,
        "The four tags as circles: B begin, M middle, E end, S single. Legal moves are arrows: "
        "B to M, B to E, M to M, M to E, E to B, E to S, S to B, S to S. From the start of a "
        "clause, arrows lead to B and to S; to its end they lead from E and from S.",
    )
    s, e, m, b = (320, 140), (452, 280), (320, 420), (188, 280)  # clockwise from the top
    d.box(16, 250, 92, 60, "clause\nstarts", "gray")
    d.box(532, 250, 92, 60, "clause\nends", "gray")
    d.arrow(108, 280, 152, 280)  # to B
    d.arrow(62, 250, 285, 150)  # to S
    d.arrow(488, 280, 532, 280)  # from E
    d.arrow(355, 150, 578, 250)  # from S
    d.arrow(223, 271, 417, 271)  # B to E
    d.arrow(417, 289, 223, 289)  # E to B
    for (x, y), (to_x, to_y) in (e, s), (s, b), (b, m), (m, e):
        rim = 36 / math.dist((x, y), (to_x, to_y))  # the arrow goes from rim to rim
        dx, dy = rim * (to_x - x), rim * (to_y - y)
        d.arrow(x + dx, y + dy, to_x - dx, to_y - dy)
    loop(d, *s, -1)
    loop(d, *m, 1)
    names = ("single", -96), ("end", 54), ("middle", 96), ("begin", 54)
    for (x, y), tag, (name, side) in zip((s, e, m, b), "SEMB", names, strict=True):
        d.circle(x, y, 34, tag, "blue", 26)
        d.text(x, y + side, name, 20)
    return d


def loop(d, x, y, side):
    """An arrow from a circle of radius 34 round to itself: above it (-1) or below (1)."""
    points = []
    for degrees in range(53, -234, -13):
        angle = math.radians(degrees)
        points += [x + 24 * math.cos(angle), y + side * (52 - 24 * math.sin(angle))]
    d.arrow(*points)


DIAGRAMS = {"05b_lattice": lattice, "05b_tags": tags}
