"""What the language models share: what they refuse, and how they are saved."""

import keras
from keras import ops

from lmkit import _arguments

FORMAT = 2  # of a saved model; version 0.1 of lmkit wrote none


class LanguageModel(keras.Model):
    """A model from ids `(batch, time)` to logits `(batch, time, vocab)`."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        if "float" not in self.compute_dtype:
            got = self.compute_dtype
            raise ValueError(f'dtype must be a float type such as "float32", got "{got}"')

    def __call__(self, ids, *args, **kwargs):
        """Takes arrays only: Keras would take a list of ids for a list of inputs."""
        if not hasattr(ids, "shape"):
            got = type(ids).__name__
            raise TypeError(f"ids must be an array (batch, time), such as np.array(ids), got {got}")
        check_rank(ids)
        return super().__call__(ids, *args, **kwargs)

    def _start(self, batch, length, padding):
        """Checks what `start` was given and makes the part of the state that all models have."""
        batch = _arguments.whole("batch", batch)
        length = _arguments.whole("length", length, most=self.max_length)
        # The caller may give an array or, inside compiled code, a tensor.
        padding = ops.cast(ops.zeros((batch,)) if padding is None else padding, "int32")
        if tuple(padding.shape) != (batch,):
            got = tuple(padding.shape)
            raise ValueError(f"padding must be ({batch},), one number per text, got {got}")
        return batch, length, {"read": ops.zeros((), "int32"), "padding": padding}

    def get_config(self):
        """Tells what is needed to build the model again."""
        config = super().get_config() | {"format": FORMAT}
        modes = [part.quantization_mode for part in self._parts()]
        return config | ({"quantized": modes} if any(modes) else {})

    @classmethod
    def from_config(cls, config):
        """Builds the model from what `get_config` gave."""
        config = dict(config)  # the caller's own stays as it is
        modes = config.pop("quantized", [])
        if (found := config.pop("format", 1)) != FORMAT:
            # The weights of another format may have equal shapes and mean something else.
            age = "an older" if found < FORMAT else "a newer"
            raise ValueError(
                f"this {cls.__name__} was saved by {age} lmkit (file format {found}, this lmkit "
                f"reads {FORMAT}): load it with that lmkit, or build and train the model again"
            )
        model = super().from_config(config)
        # Quantized layers have other weights, which must be there before a file fills them.
        for part, mode in zip(model._parts(), modes, strict=False):
            if mode:
                part.quantize(mode)
        return model


def check_rank(ids):
    """Checks that ids are `(batch, time)`.

    Args:
        ids: an array or tensor.
    """
    if len(ids.shape) != 2:
        raise ValueError(f"ids must be (batch, time), got shape {tuple(ids.shape)}")


def check_step(ids, state):
    """Checks that ids are the next ones of the texts in a state.

    Args:
        ids: an array or tensor.
        state: what `start` or `step` returned.
    """
    check_rank(ids)
    texts = state["padding"].shape[0]
    if ids.shape[0] != texts:
        raise ValueError(f"ids hold {ids.shape[0]} texts, but the state was made for {texts}")
