"""Exact resume: a training run that can be killed at any moment and ends as if it had not been.

`fit.py` trains, `state.py` knows everything that decides how a run continues, `storage.py`
writes it down.
"""

from lmkit.checkpoints.fit import fit_with_backup

__all__ = ["fit_with_backup"]
