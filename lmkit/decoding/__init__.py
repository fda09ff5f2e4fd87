"""From a model's probabilities to text: filters, drawing, the loop, the compiled loop, beams."""

from lmkit.decoding.beam import beam_search
from lmkit.decoding.loop import generate, generate_batch
from lmkit.decoding.sampling import keep_likely, sample_token

__all__ = ["beam_search", "generate", "generate_batch", "keep_likely", "sample_token"]
