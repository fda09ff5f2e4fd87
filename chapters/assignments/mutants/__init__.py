"""Wrong solutions: mistakes that students make, and the check that must notice each."""

from typing import NamedTuple


class Mutant(NamedTuple):
    """One wrong answer to one task.

    Attributes:
        task: grade_id of the answer cell whose whole text `code` replaces.
        mistake: what is wrong, in one sentence.
        code: the wrong answer.
        killed_by: grade_id of the first check that must fail.
        hint: a text that the message of this failure must contain.
        hidden: why no visible check can notice the mistake; empty if one does.
    """

    task: str
    mistake: str
    code: str
    killed_by: str
    hint: str
    hidden: str = ""


def changed(code, *changes):
    """The code with each (old, new) replaced; every `old` must be there.

    Raises:
        ValueError: if an `old` is not there, so that a mutant is never the right solution.
    """
    for old, new in changes:
        if old not in code:
            raise ValueError(f"{old!r} is not in the code:\n{code}")
        code = code.replace(old, new)
    return code


def wrong_answers(task, code):
    """A function that makes wrong answers to one task by changing its right one.

    Args:
        task: grade_id of the answer cell.
        code: the right answer.

    Returns:
        A function of mistake, killed_by, hint and changes, as `Mutant` and `changed` have them.
    """

    def wrong(mistake, killed_by, hint, *changes):
        return Mutant(task, mistake, changed(code, *changes), killed_by, hint)

    return wrong
