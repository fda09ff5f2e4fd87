"""A Transformer that predicts the next token: GPT-2's architecture."""

import keras
from keras import layers, ops

from lmkit import _arguments
from lmkit.layers.embedding import TokenEmbedding
from lmkit.layers.transformer import TransformerBlock
from lmkit.models._base import LanguageModel, check_step


@keras.saving.register_keras_serializable("lmkit")
class TransformerLM(LanguageModel):
    """A Transformer language model: GPT-2's architecture at any size.

    Tokens and positions become vectors, `num_layers` blocks read them, and the table that
    made vectors of the tokens makes logits of the vectors again (tied embeddings). Padding
    belongs on the right, where no earlier position can see it, with targets that are IGNORE.

    Args:
        vocab_size: how many different ids there are; ids run from 0 to `vocab_size - 1`.
        max_length: how many ids a text may have.
        embed_dim: how many numbers stand for a token.
        num_heads: heads of the attention; divides `embed_dim`.
        ff_dim: channels inside each block's feed-forward network; GPT-2: 4 times `embed_dim`.
        num_layers: how many blocks.
        dropout: the share of numbers that are dropped in training.
        causal: False for a model that may look at later ids, as an encoder does.

    Call arguments:
        ids: `(batch, time)`, at most `max_length` long.

    Returns:
        Logits `(batch, time, vocab)`: at position t for the id at t + 1.

    Example:
        >>> model = TransformerLM(vocab_size=9, max_length=6, embed_dim=8, num_heads=2,
        ...                       ff_dim=16, num_layers=1)
        >>> tuple(model(ops.ones((1, 5), "int32")).shape)
        (1, 5, 9)

    Source: Radford et al., 2019 (GPT-2); Press and Wolf, 2017 (tying).
    """

    def __init__(self, *, vocab_size, max_length, embed_dim, num_heads, ff_dim, num_layers,
                 dropout=0.0, causal=True, **kwargs):  # fmt: skip
        super().__init__(**kwargs)
        self.vocab_size = _arguments.whole("vocab_size", vocab_size)
        self.max_length = _arguments.whole("max_length", max_length)
        self.embed_dim = _arguments.whole("embed_dim", embed_dim)
        self.num_heads = _arguments.whole("num_heads", num_heads)
        self.ff_dim = _arguments.whole("ff_dim", ff_dim)
        self.num_layers = _arguments.whole("num_layers", num_layers)
        rate = _arguments.real("dropout", dropout, least=0, below=1)
        self.causal = _arguments.flag("causal", causal)
        # Keras gives a sublayer the global precision, not the model's.
        dtype = self.dtype_policy
        # Two initializers: one would draw the same numbers for both tables.
        small, other = (keras.initializers.RandomNormal(stddev=0.02) for _ in range(2))
        self.tokens = TokenEmbedding(
            vocab_size, embed_dim, embeddings_initializer=small, name="tokens", dtype=dtype
        )
        self.positions = layers.Embedding(
            self.max_length, self.embed_dim, other, name="positions", dtype=dtype
        )
        self.dropout = layers.Dropout(rate, name="dropout", dtype=dtype)
        self.blocks = [
            TransformerBlock(embed_dim, num_heads, ff_dim, causal, rate, num_layers,
                             name=f"block_{n}", dtype=dtype)
            for n in range(num_layers)
        ]  # fmt: skip
        self.norm = layers.LayerNormalization(epsilon=1e-5, name="norm", dtype=dtype)
        self._make_weights()

    def _make_weights(self):
        # All shapes are known, so summary() and load_weights() work from the start, and a
        # first call that fails leaves nothing half built.
        hidden = (None, None, self.embed_dim)
        self.tokens.build((None, None))
        self.positions.build((None,))
        for layer in (self.dropout, *self.blocks, self.norm):
            layer.build(hidden)
        self.built = True

    def call(self, ids, training=None):
        """Reads whole texts."""
        x = self.dropout(self._embed(ids), training=training)  # (B, T, C)
        for block in self.blocks:
            x = block(x, training=training)
        return self.tokens(self.norm(x), reverse=True)  # (B, T, V)

    def _embed(self, ids):
        time = ops.shape(ids)[1]
        if isinstance(time, int) and time > self.max_length:
            limit = self.max_length
            raise ValueError(f"the model reads at most {limit} ids (max_length), got {time}")
        return self.tokens(ids) + self.positions(ops.arange(time))

    def attention_weights(self, ids):
        """Computes where every head of every block looks.

        Args:
            ids: `(batch, time)`.

        Returns:
            A list with a tensor `(batch, heads, time, time)` for each block.
        """
        x, weights = self._embed(_arguments.ids("ids", ids, 2, self.vocab_size)), []
        for block in self.blocks:
            weights.append(block.attention.weights_of(block.norm_1(x)))
            x = block(x, training=False)
        return weights

    def start(self, batch, length, padding=None):
        """Makes the state in which `step` begins: nothing is read yet.

        Args:
            batch: how many texts B.
            length: how many ids each may have in the end, padding included.
            padding: how many of the first ids of each text are padding, `(batch,)`; None
                if none are.

        Returns:
            A nested structure of tensors, the batch first; scalars belong to all texts.
        """
        if not self.causal:
            raise ValueError(
                "a model with causal=False looks at later ids, so it cannot be read step by step: "
                "it takes a model built with causal=True"
            )
        batch, length, state = self._start(batch, length, padding)
        return {**state, "cache": [block.attention.start(batch, length) for block in self.blocks]}

    def step(self, ids, state):
        """Reads the next few ids of every text; those in the state are not read again.

        Args:
            ids: `(batch, new)`.
            state: from `start` or from the step before.

        Returns:
            The logits after each of them, `(batch, new, vocab)`, as a call over the whole
            texts would give them, and the new state.
        """
        check_step(ids, state)
        ids, read, padding = ops.convert_to_tensor(ids), state["read"], state["padding"]
        new, length = ids.shape[1], state["cache"][0][0].shape[2]
        if new > length:
            raise ValueError(f"the state has room for {length} ids, got {new}")
        # Where no room is left, an id that does not exist: its vector is NaN, because compiled
        # code cannot raise and would overwrite what was read before.
        ids = ops.where(read + new <= length, ids, -1)
        slots = read + ops.arange(new, dtype="int32")  # (new,)
        # Padding moves a text to the right in the cache. Its first real id is at position 0.
        positions = ops.clip(slots[None] - padding[:, None], 0, self.max_length - 1)  # (B, new)
        x, cache = self.tokens(ids) + self.positions(positions), []  # (B, new, C)
        mask = self._visible(slots, padding, length)
        place = ops.minimum(read, length - new)  # writing beyond the end raises on PyTorch
        for block, pair in zip(self.blocks, state["cache"], strict=True):
            x, pair = block.step(x, pair, place, mask)
            cache.append(pair)
        logits = self.tokens(self.norm(x), reverse=True)  # (B, new, V)
        return logits, {"read": read + new, "padding": padding, "cache": cache}

    def _visible(self, slots, padding, length):
        """Marks for each new id the slots it may look at: neither padding nor later ones."""
        all_slots = ops.arange(length, dtype="int32")
        real = (all_slots >= padding[:, None])[:, None, None, :]  # (B, 1, 1, length)
        earlier = all_slots <= slots[:, None]  # (new, length)
        return ops.logical_and(real, earlier)  # (B, 1, new, length), the same for every head

    def _parts(self):
        inner = [(b.attention.qkv, b.attention.out, b.expand, b.contract) for b in self.blocks]
        return [self.tokens, self.positions, *(part for parts in inner for part in parts)]

    def get_config(self):
        """Tells what is needed to build the model again."""
        names = "vocab_size max_length embed_dim num_heads ff_dim num_layers causal".split()
        sizes = {name: getattr(self, name) for name in names}
        return {**super().get_config(), **sizes, "dropout": self.dropout.rate}
