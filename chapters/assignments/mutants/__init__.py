"""Wrong solutions: mistakes that students make, and the check that must notice each."""

from typing import NamedTuple


class Mutant(NamedTuple):
    """One wrong answer to one task.

    Attributes:
        task: grade_id of the answer cell that `code` replaces, all of it.
        mistake: what is wrong, in one sentence.
        code: the cell's wrong code.
        killed_by: grade_id of the first check that must fail.
        hint: a text that the failure's message must contain.
        hidden: why no visible check can notice; empty if a visible one does.
    """

    task: str
    mistake: str
    code: str
    killed_by: str
    hint: str
    hidden: str = ""
