"""Diagrams of notebook 05b: the words a clause may contain, and the tags that may follow."""

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
    """The four tags and the eight moves that are legal."""
    d = Diagram(
        400,
        "The four tags as circles: B begin, M middle, E end, S single. Legal moves are arrows: "
        "B to M, B to E, M to M, M to E, E to B, E to S, S to B, S to S. A clause starts with "
        "B or S and ends with E or S.",
    )
    b, m, e, s = (200, 100), (440, 100), (440, 270), (200, 270)
    d.arrow(236, 100, 404, 100)
    d.arrow(440, 136, 440, 234)
    d.arrow(404, 270, 236, 270)
    d.arrow(200, 234, 200, 136)
    d.arrow(234, 115, 415, 243)  # B to E
    d.arrow(406, 255, 225, 127)  # E to B
    d.arrow(464, 74, 500, 40, 530, 74, 477, 94)  # M to M
    d.arrow(176, 296, 140, 330, 110, 296, 163, 276)  # S to S
    for (x, y), tag, name, side in zip(
        (b, m, e, s), "BMES", ("begin", "middle", "end", "single"), (-52, -52, 54, 54), strict=True
    ):
        d.circle(x, y, 34, tag, "blue", 26)
        d.text(x, y + side, name, 20)
    d.text(320, 372, "a clause starts with B or S and ends with E or S", 18, color=PALE)
    return d


DIAGRAMS = {"05b_lattice": lattice, "05b_tags": tags}
