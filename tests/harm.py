"""Files that do harm where nothing protects: they make a folder called `ran`."""

import io
import os
import pickle

import numpy as np


class Harm:
    """What a pickle does when it is read: it makes the folder."""

    def __init__(self, path):
        self.path = str(path)

    def __reduce__(self):
        return os.mkdir, (self.path,)


def pickled(ran, protocol=None):
    """A pickle that makes the folder."""
    return pickle.dumps(Harm(ran), protocol)


def harmful_array(ran):
    buffer = io.BytesIO()
    np.savez(buffer, array=np.array([Harm(ran)], dtype=object))
    return buffer.getvalue()


def is_harmful(ran, load):
    """Shows that the file runs code where nothing protects, and cleans up."""
    load()
    harmful = ran.exists()
    if harmful:
        ran.rmdir()
    return harmful
