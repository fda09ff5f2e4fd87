"""lmkit.decoding: with a fake next-token function, by frequency, against the whole prefix."""

import keras
import numpy as np
import pytest
from keras import layers, ops

from lmkit.decoding import (
    RecurrentDecoder,
    TransformerDecoder,
    beam_search,
    generate,
    generate_batch,
    keep_likely,
    sample_token,
)
from lmkit.layers import LSTM
from lmkit.models import TransformerLM, lstm_lm, rnn_classifier

LOGITS = np.log([0.5, 0.25, 0.125, 0.125])


def counts_up(ids):
    """The next id is the last one plus 1, nothing else is possible."""
    return np.where(np.arange(10) == ids[-1] + 1, 0.0, -np.inf)


def shares(logits, temperature, count=20_000):
    rng = np.random.default_rng(1)
    tokens = [sample_token(logits, temperature, rng) for _ in range(count)]
    return np.bincount(tokens, minlength=len(logits)) / count


@pytest.mark.parametrize(
    ("temperature", "expected"),
    [
        (1.0, [0.5, 0.25, 0.125, 0.125]),
        (0.5, np.array([16, 4, 1, 1]) / 22),  # p squared, 1/4 1/16 1/64 1/64, scaled to 1
        (1e9, [0.25] * 4),
    ],
)
def test_tokens_are_drawn_as_often_as_they_should(temperature, expected):
    # A share of 20,000 draws has a standard deviation of at most 0.0036.
    np.testing.assert_allclose(shares(LOGITS, temperature), expected, atol=5 * 0.0036)


def test_drawn_where_a_point_falls_on_the_stick():
    # The pieces end at 0.5, 0.75, 0.875 and 1. The same point, the same token.
    points = np.random.default_rng(3).random(100)
    rng = np.random.default_rng(3)
    drawn = [sample_token(LOGITS, 1.0, rng) for _ in points]
    assert drawn == [sum(point >= end for end in (0.5, 0.75, 0.875)) for point in points]


def test_temperature_zero_is_the_first_of_the_likeliest():
    assert sample_token([1.0, 3.0, 3.0, -np.inf], temperature=0) == 1
    assert sample_token(np.array([-5, -4], dtype="int8"), 0.0, None) == 1


def test_tiny_temperature_is_nearly_zero():
    rng = np.random.default_rng(0)
    for temperature in (1e-3, 1e-300, 5e-324):
        assert sample_token([1.0, 3.0, 2.0], temperature, rng) == 1


def test_impossible_tokens_never_come():
    logits = np.array([-np.inf, 0.0, -np.inf, 1e-9, -np.inf])
    assert shares(logits, 1.0)[[0, 2, 4]].sum() == 0
    assert sample_token(logits, 1.0, Fixed(0.0)) == 1
    assert sample_token(logits, 1.0, Fixed(np.nextafter(1, 0))) == 3


class Fixed(np.random.Generator):
    """Always draws the same number."""

    def __init__(self, number):
        super().__init__(np.random.PCG64(0))
        self.number = number

    def random(self):
        return self.number


def test_adding_a_number_to_all_logits_changes_nothing():
    plain, up, down = (
        [sample_token(LOGITS + shift, 1.0, rng) for _ in range(20)]
        for shift, rng in ((shift, np.random.default_rng(2)) for shift in (0, 1e4, -1e4))
    )
    assert plain == up == down


@pytest.mark.parametrize("temperature", [-1, -1e-9, float("nan"), float("inf"), "1", None, True])
def test_temperatures_that_are_none(temperature):
    rng = np.random.default_rng(0)
    with pytest.raises(ValueError, match="temperature must be a number of at least 0, got"):
        sample_token(LOGITS, temperature, rng)
    with pytest.raises(ValueError, match="temperature must be a number of at least 0, got"):
        generate(counts_up, [1], 3, temperature)


@pytest.mark.parametrize(
    ("logits", "message"),
    [
        ([], "not empty, got shape"),
        (3.0, r"one row \(vocab,\), not empty, got shape \(\)"),
        ([[0.0, 1.0]], r"got shape \(1, 2\)"),
        ([0.0, float("nan")], "logit 1 is nan"),
        ([float("inf"), 0.0], "logit 0 is inf"),
        ([-np.inf, -np.inf], "no token is possible"),
    ],
)
@pytest.mark.parametrize("temperature", [0, 1])
def test_logits_that_are_refused(logits, message, temperature):
    with pytest.raises(ValueError, match=message):
        sample_token(logits, temperature, np.random.default_rng(0))
    with pytest.raises(ValueError, match=message):
        generate(lambda ids: logits, [0], 3, temperature)


@pytest.mark.parametrize("rng", [None, 7, np.random, np.random.RandomState(0)])
def test_generators_that_are_none(rng):
    with pytest.raises(TypeError, match=r"rng must be np.random.default_rng\(seed\), got"):
        sample_token(LOGITS, 1.0, rng)


@pytest.mark.parametrize("temperature", [0, 1.0, 2.0])
def test_generate_by_hand(temperature):
    assert generate(counts_up, [4, 2], 3, temperature) == [4, 2, 3, 4, 5]
    assert generate(counts_up, [2], 100, temperature, stop=5) == [2, 3, 4, 5]
    assert generate(counts_up, [2, 5], 2, temperature, stop=5) == [2, 5, 6, 7]  # new ones stop it
    assert generate(counts_up, (np.int32(2),), 1, temperature) == [2, 3]
    assert generate(counts_up, np.array([2]), 1, temperature) == [2, 3]


def test_generate_asks_with_all_ids_so_far():
    asked = []

    def spy(ids):
        asked.append(list(ids))
        ids.clear()  # the function's own copy
        return LOGITS

    ids = generate(spy, [3], 4)
    assert asked == [ids[:length] for length in (1, 2, 3, 4)]


def test_same_seed_same_text():
    texts = [generate(lambda ids: LOGITS, [0], 30, seed=seed) for seed in (5, 5, 6)]
    assert texts[0] == texts[1] != texts[2]
    prompt = [0]
    generate(lambda ids: LOGITS, prompt, 3)
    assert prompt == [0]


@pytest.mark.parametrize(
    ("prompt", "error", "message"),
    [
        ([], ValueError, "the prompt is empty: give at least one id"),
        (np.zeros((0,), int), ValueError, "the prompt is empty"),
        ([2, 10], ValueError, "id 10 at position 1 is outside the vocabulary: .* 0 to 9"),
        ([-1, 2], ValueError, "id -1 at position 0 is outside"),
        ([2.0], TypeError, "one row of whole numbers, got float64"),
        ([True], TypeError, "got bool"),
        ([[1, 2]], TypeError, r"got int64 of \(1, 2\)"),
        ("12", TypeError, "got text: encode it first"),
    ],
)
def test_prompts_that_are_refused(prompt, error, message):
    with pytest.raises(error, match=message):
        generate(lambda ids: np.zeros(10), prompt, 3)
    with pytest.raises(error, match=message):
        RecurrentDecoder(lstm_lm(10, 2, 3))(prompt)


def test_other_arguments_that_are_refused():
    for length in (0, -1, 2.5, True, None):
        with pytest.raises(ValueError, match="length must be a whole number of at least 1, got"):
            generate(counts_up, [1], length)
    with pytest.raises(ValueError, match="id 10 at position 1 is outside"):
        generate(counts_up, [1], 3, stop=10)
    with pytest.raises(ValueError, match="no token is possible"):
        generate(counts_up, [8], 5)  # after 9 nothing can come


def language_model(kind, rng):
    if kind == "two layers, ours and Keras's":
        ids = keras.Input((None,), dtype="int32")
        x = layers.Embedding(20, 6, mask_zero=True)(ids)
        x = layers.GRU(7, return_sequences=True)(LSTM(5, return_sequences=True)(x))
        model = keras.Model(ids, layers.Dense(20)(layers.Dense(4, "relu")(x)))
    else:
        model = lstm_lm(20, 6, 7, cell=kind, dropout=0.3)
    model.set_weights([rng.normal(size=w.shape) * 0.5 for w in model.get_weights()])
    return model


def random_transformer(vocab_size, rng):
    model = TransformerLM(vocab_size, 8, 8, 2, 12, 2)
    model.build((None, None))
    model.set_weights([rng.normal(size=w.shape) * 0.4 for w in model.get_weights()])
    return model


@pytest.mark.parametrize("kind", ["lstm", "gru", "simple", "two layers, ours and Keras's"])
def test_carrying_the_state_equals_reading_the_whole_prefix(kind, rng):
    model = language_model(kind, rng)
    decoder = RecurrentDecoder(model)
    ids = [*rng.integers(1, 20, size=12).tolist(), 0, *rng.integers(1, 20, size=5).tolist()]
    whole = ops.convert_to_numpy(model(np.array([ids])))[0]
    for end in range(1, len(ids) + 1):
        np.testing.assert_allclose(decoder(ids[:end]), whole[end - 1], atol=1e-5)
    assert decoder(ids).dtype == "float64"

    def read_again(ids):
        return ops.convert_to_numpy(model(np.array([ids])))[0, -1]

    assert generate(decoder, [3, 4], 30, seed=4) == generate(read_again, [3, 4], 30, seed=4)


def test_every_token_is_read_once(rng, monkeypatch):
    decoder = RecurrentDecoder(lstm_lm(20, 4, 5))
    read, step = [], decoder._step
    monkeypatch.setattr(decoder, "_step", lambda tokens: read.append(*tokens) or step(tokens))
    ids = generate(decoder, [3, 4], 10, seed=1)
    assert read == ids[:-1]
    read.clear()
    assert decoder(ids[:5]).tolist() == decoder(ids[:5]).tolist()  # shorter: from the beginning
    assert read == ids[:5]


@pytest.fixture(params=["lstm", "transformer"])
def new_decoder(request, rng):
    """Makes decoders of one model, over 20 ids."""
    if request.param == "lstm":
        model, kind = language_model("lstm", rng), RecurrentDecoder
    else:
        model, kind = random_transformer(20, rng), TransformerDecoder
    return lambda: kind(model)


def test_a_batch_of_prompts_is_each_prompt_alone(new_decoder):
    decoder, prompts = new_decoder(), [[3, 4, 5, 6], [7], [8, 2, 9]]
    alone = [generate(decoder, prompt, 11, seed=5 + n) for n, prompt in enumerate(prompts)]
    assert generate_batch(decoder.batch, prompts, 11, seed=5) == alone  # 8 ids are the context
    stop = alone[0][6]  # one text ends early, the others go on
    alone = [generate(decoder, p, 11, seed=5 + n, stop=stop) for n, p in enumerate(prompts)]
    assert len(alone[0]) == 7 < max(map(len, alone))
    assert generate_batch(decoder.batch, prompts, 11, seed=5, stop=stop) == alone


def test_logits_of_a_batch_are_those_of_each_text(new_decoder):
    decoder = new_decoder()
    for texts in ([[3, 4, 5], [7]], [[3, 4, 5], [7, 8]], [[3, 4, 5, 1], [7, 8]], [[9, 9, 9]]):
        alone = [new_decoder()(text) for text in texts]
        # Asked twice: some texts go on from before, then all of them stay.
        np.testing.assert_allclose(decoder.batch(texts), alone, atol=1e-5)
        np.testing.assert_allclose(decoder.batch(texts), alone, atol=1e-5)


def test_batches_that_are_refused(new_decoder):
    decoder = new_decoder()
    with pytest.raises(ValueError, match="no texts"):
        decoder.batch([])
    with pytest.raises(ValueError, match="the prompt is empty"):
        decoder.batch([[3], []])
    with pytest.raises(ValueError, match="id 20 at position 1 is outside"):
        decoder.batch([[3], [4, 20]])
    with pytest.raises(ValueError, match="no prompts"):
        generate_batch(decoder.batch, [], 5)
    with pytest.raises(ValueError, match="length must be a whole number"):
        generate_batch(decoder.batch, [[3]], 0)


def test_a_model_that_says_nan_is_named_in_a_batch():
    def broken(texts):
        return [[0.0, 1.0], [0.0, np.nan]]

    with pytest.raises(ValueError, match="logit 1 is nan"):
        generate_batch(broken, [[0], [1]], 3)


def test_texts_do_not_disturb_each_other(rng):
    model = language_model("lstm", rng)
    decoder = RecurrentDecoder(model)
    decoder([5, 6, 7])
    decoder([5, 6, 7])[:] = 0.0  # the caller's own copy
    for ids in ([5, 6, 7], [5, 6, 8], [1, 6], [1, 6, 2]):
        np.testing.assert_array_equal(decoder(ids), RecurrentDecoder(model)(ids))


def test_without_a_mask_zero_is_a_token(rng):
    chain = [keras.Input((None,)), layers.Embedding(9, 4), layers.LSTM(5), layers.Dense(9)]
    model = keras.Sequential(chain)  # article C's: one prediction a window
    decoder, ids = RecurrentDecoder(model), [0, 3, 0]
    expected = ops.convert_to_numpy(model(np.array([ids])))[0]
    np.testing.assert_allclose(decoder(ids), expected, atol=1e-5)
    with pytest.raises(ValueError, match="begins with 0, which is padding"):
        RecurrentDecoder(lstm_lm(9, 2, 3))([0, 3])


@pytest.mark.parametrize(
    ("chain", "message"),
    [
        ([layers.Dense(5)], "must begin with an Embedding"),
        ([layers.Embedding(9, 4), layers.Bidirectional(layers.LSTM(3)), layers.Dense(9)], "one"),
        (
            [layers.Embedding(9, 4), layers.LSTM(3, go_backwards=True), layers.Dense(9)],
            "layer 'lstm.*' cannot be fed one token after the other",
        ),
        (
            [layers.Embedding(9, 4), layers.LSTM(3), layers.Dense(9, "softmax", name="out")],
            "layer 'out' must give logits",
        ),
        ([layers.Embedding(9, 4), layers.LSTM(3, name="out")], "layer 'out' must give logits"),
    ],
)
def test_models_that_cannot_be_fed_token_by_token(chain, message):
    with pytest.raises(ValueError, match=message):
        RecurrentDecoder(keras.Sequential(chain))


def test_a_classifier_is_no_language_model():
    with pytest.raises(ValueError, match="must give logits"):
        RecurrentDecoder(rnn_classifier(9, 2, 3))


def test_top_k_by_hand():
    inf = float("inf")
    assert keep_likely([1.0, 3.0, 2.0, 0.0], top_k=2).tolist() == [-inf, 3, 2, -inf]
    assert keep_likely([1.0, 1.0, 1.0], top_k=2).tolist() == [1, 1, -inf]  # the first of equals
    assert keep_likely([1.0, 3.0], top_k=2).tolist() == [1, 3]


def test_top_p_by_hand():
    kept = {}
    for top_p in (0.05, 0.49, 0.51, 0.8, 0.81, 1.0):
        logits = keep_likely(np.log([0.1, 0.5, 0.2, 0.2]), top_p=top_p)
        kept[top_p] = np.flatnonzero(logits > -np.inf).tolist()
    # 0.5 alone suffices for 0.49; at 0.51 the first of the two equal ones comes in, at 0.8
    # (0.7 is not enough) the other; 0.1 is needed above 0.9 only.
    assert kept == {
        0.05: [1],
        0.49: [1],
        0.51: [1, 2],
        0.8: [1, 2, 3],
        0.81: [1, 2, 3],
        1.0: [0, 1, 2, 3],
    }


def test_top_k_comes_before_top_p():
    # Of the two likeliest, 0.4 and 0.3, the first has 4/7 of what is left: enough for 0.5.
    assert np.isfinite(keep_likely(np.log([0.4, 0.3, 0.3]), top_k=2, top_p=0.5)).tolist() == [
        True, False, False
    ]  # fmt: skip


def test_filters_drop_the_least_likely_and_never_all(rng):
    for _ in range(200):
        logits = rng.normal(size=8) * 3
        top_k, top_p = int(rng.integers(1, 9)), float(rng.uniform(0.01, 1))
        kept = np.isfinite(keep_likely(logits, top_k, top_p))
        assert 1 <= kept.sum() <= top_k
        assert logits[kept].min() >= logits[~kept].max(initial=-np.inf)
        assert (keep_likely(logits, top_k, top_p)[kept] == logits[kept]).all()


def test_filtered_draws_are_shared_out_anew():
    rng = np.random.default_rng(0)
    logits = np.log([0.6, 0.2, 0.1, 0.1])
    drawn = np.bincount([sample_token(logits, 1.0, rng, top_k=2) for _ in range(4000)], minlength=4)
    # 3/4 and 1/4; four standard errors of a share of 4,000 draws: 4 sqrt(3/16/4000) = 0.027.
    assert drawn[0] / 4000 == pytest.approx(0.75, abs=0.027)
    assert drawn[2:].tolist() == [0, 0]


def test_temperature_comes_before_top_p():
    # At temperature 10 the shares 0.98 and 0.02 become about 0.6 and 0.4: 0.9 needs both.
    rng, logits = np.random.default_rng(0), np.log([0.98, 0.02])
    assert {sample_token(logits, 1.0, rng, top_p=0.9) for _ in range(300)} == {0}
    assert {sample_token(logits, 10.0, rng, top_p=0.9) for _ in range(300)} == {0, 1}


def test_generate_hands_the_filters_on():
    ids = generate(lambda ids: np.array([0.0, 1.0, 0.9]), [0], length=30, seed=1, top_k=2)
    assert set(ids[1:]) == {1, 2}
    ids = generate(lambda ids: np.array([0.0, 1.0, 0.9]), [0], length=30, seed=1, top_p=0.3)
    assert set(ids[1:]) == {1}
    assert generate(lambda ids: np.array([0.0, 1.0]), [0], length=3, temperature=0, top_k=1) == [
        0, 1, 1, 1
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"top_k": 0}, "top_k must be a whole number of at least 1, got 0"),
        ({"top_k": 2.0}, "top_k must be a whole number"),
        ({"top_k": 4}, "top_k must be at most the vocabulary's 3, got 4"),
        ({"top_p": 0.0}, "top_p must be above 0 and at most 1, got 0.0"),
        ({"top_p": 1.1}, "top_p must be above 0 and at most 1, got 1.1"),
        ({"top_p": float("nan")}, "top_p must be above 0"),
        ({"top_p": "0.9"}, "top_p must be above 0"),
    ],
)
@pytest.mark.parametrize("temperature", [0, 1.0])
def test_filters_that_are_refused(arguments, message, temperature):
    with pytest.raises(ValueError, match=message):
        sample_token([0.0, 1.0, 2.0], temperature, np.random.default_rng(0), **arguments)


def table(rng, size=4):
    """A next-token function with its own logits after every context."""
    known = {}
    return lambda ids: known.setdefault(tuple(ids), rng.normal(size=size) * 2)


def all_texts(next_logits, length, stop, size=4):
    """Every text after [0], its log p, by brute force."""
    texts, done = [([0], 0.0)], []
    for _ in range(length):
        longer = []
        for ids, total in texts:
            logits = next_logits(ids)
            logp = logits - np.log(np.exp(logits).sum())
            longer += [([*ids, token], total + logp[token]) for token in range(size)]
        done += [text for text in longer if text[0][-1] == stop]
        texts = [text for text in longer if text[0][-1] != stop]
    return done + texts


@pytest.mark.parametrize("stop", [None, 3])
@pytest.mark.parametrize("power", [0.0, 0.7, 1.0])
def test_a_wide_beam_finds_the_best_text(rng, stop, power):
    next_logits = table(rng)
    ids, score = beam_search(next_logits, [0], 3, width=64, stop=stop, length_power=power)
    scores = {tuple(t): logp / (len(t) - 1) ** power for t, logp in all_texts(next_logits, 3, stop)}
    assert score == pytest.approx(max(scores.values()), abs=1e-12)
    assert scores[tuple(ids)] == pytest.approx(score, abs=1e-12)


def test_a_beam_of_one_takes_the_likeliest(rng):
    next_logits = table(rng)
    assert beam_search(next_logits, [0], 6, width=1)[0] == generate(next_logits, [0], 6, 0)


def test_a_finished_text_is_kept_though_others_go_on():
    def next_logits(ids):  # stopping at once is likely; going on leads to ever less
        return np.log([0.3, 0.1, 0.6]) if len(ids) == 1 else np.log([0.4, 0.4, 0.2])

    ids, score = beam_search(next_logits, [0], 4, width=2, stop=2)
    assert ids == [0, 2]
    assert score == pytest.approx(np.log(0.6))


def test_beams_that_are_refused():
    for wrong in (0, -1, 1.5):
        with pytest.raises(ValueError, match="width must be a whole number of at least 1, got"):
            beam_search(lambda ids: [0.0, 1.0], [0], 3, width=wrong)
    with pytest.raises(ValueError, match="length must be a whole number of at least 1, got 0"):
        beam_search(lambda ids: [0.0, 1.0], [0], 0, width=2)
    with pytest.raises(ValueError, match="the prompt is empty"):
        beam_search(lambda ids: [0.0, 1.0], [], 3, width=2)
    with pytest.raises(ValueError, match="logit 1 is nan"):
        beam_search(lambda ids: [0.0, np.nan], [0], 3, width=2)


@pytest.fixture
def transformer(rng):
    return random_transformer(11, rng)


def uncached(model):
    return lambda ids: ops.convert_to_numpy(model(np.array([ids[-8:]])))[0, -1]


def test_cached_transformer_equals_uncached(transformer):
    decoder = TransformerDecoder(transformer)
    for length in (5, 12):  # within the context, and beyond it
        found = generate(decoder, [3, 1], length, temperature=0)
        assert found == generate(uncached(transformer), [3, 1], length, temperature=0)
    for ids in ([4], [4, 5, 6], [4, 5, 7], [9, 9, 9, 9, 9, 9, 9, 9], [*range(1, 11), 5, 4]):
        np.testing.assert_allclose(decoder(ids), uncached(transformer)(ids), atol=1e-5)


def test_a_transformer_reads_every_token_once(transformer, monkeypatch):
    decoder, read = TransformerDecoder(transformer), []
    step = decoder._step
    monkeypatch.setattr(
        decoder, "_step", lambda ids, *rest: (read.append(ids.size), step(ids, *rest))[1]
    )
    generate(decoder, [3, 1], length=5)
    assert read == [8, 1, 1, 1, 1]  # the prompt, padded to the context, then one by one
    decoder([3, 1])
    assert read[5:] == [8]  # another text: afresh


def test_a_transformer_decoder_follows_its_models_weights(transformer, rng):
    decoder = TransformerDecoder(transformer)
    decoder([3, 1])
    transformer.set_weights([rng.normal(size=w.shape) for w in transformer.get_weights()])
    np.testing.assert_allclose(decoder([4]), uncached(transformer)([4]), atol=1e-4)


def test_transformers_that_cannot_be_decoded(transformer):
    with pytest.raises(TypeError, match="has no cache: give a TransformerLM"):
        TransformerDecoder(lstm_lm(9, 2, 3))
    decoder = TransformerDecoder(transformer)
    with pytest.raises(ValueError, match="the prompt is empty"):
        decoder([])
    with pytest.raises(ValueError, match="id 11 at position 1 is outside the vocabulary"):
        decoder([1, 11])
    transformer.set_weights([w * np.nan for w in transformer.get_weights()])
    with pytest.raises(ValueError, match="logit 0 is nan: no probability follows"):
        generate(decoder, [1], length=1)
