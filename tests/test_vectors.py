"""lmkit.vectors: counts by hand and pair by pair, the words left out, questions to a table."""

import importlib.util

import numpy as np
import pytest

from lmkit.vectors import WordVectors, cooccurrences, subsample

# Counts.


def test_counts_by_hand():
    # "a b c a": with window 2, a-b and b-c are neighbors, a-c on both sides, b-a as well.
    found = cooccurrences([[0, 1, 2, 0]], vocab_size=4, window=2)
    assert found.tolist() == [[0, 2, 2, 0], [2, 0, 1, 0], [2, 1, 0, 0], [0, 0, 0, 0]]
    assert found.dtype == np.int32


def test_a_word_beside_itself_counts_from_both_sides():
    assert cooccurrences([[0, 0, 0]], vocab_size=1, window=1).tolist() == [[4]]


def slow_counts(texts, vocab_size, window):
    """One pair after the other, with Python's own lists."""
    counts = [[0] * vocab_size for _ in range(vocab_size)]
    for text in texts:
        for place, word in enumerate(text):
            for other in range(max(0, place - window), min(len(text), place + window + 1)):
                if other != place and word >= 0 and text[other] >= 0:
                    counts[word][text[other]] += 1
    return counts


@pytest.mark.parametrize("window", [1, 2, 5, 40])
def test_equals_counting_pair_by_pair(window, rng):
    texts = [rng.integers(-1, 7, length).tolist() for length in (30, 0, 1, 2, 12)]
    found = cooccurrences(texts, 7, window)
    assert found.tolist() == slow_counts(texts, 7, window)
    assert (found == found.T).all()


def test_texts_are_strangers(rng):
    texts = [rng.integers(0, 5, 9) for _ in range(4)]
    alone = sum(cooccurrences([text], 5, 3) for text in texts)
    assert (cooccurrences(texts, 5, 3) == alone).all()
    assert (cooccurrences(np.array(texts), 5, 3) == alone).all()  # a batch is a list of rows
    assert (cooccurrences(texts[::-1], 5, 3) == alone).all()


def test_a_large_vocabulary_does_not_overflow():
    # The number of the last pair is 5,999 * 6,000 + 5,999; as rows 65,536 apart it would wrap.
    found = cooccurrences([[5_999, 5_998]], 6_000, 1)
    assert found[5_999, 5_998] == found[5_998, 5_999] == 1 and found.sum() == 2


@pytest.mark.parametrize("text", [[], [3], [-1, -1]])
def test_a_text_without_pairs_counts_nothing(text):
    assert cooccurrences([text], 4).sum() == 0


# Leaving out.


def test_the_share_that_stays_follows_the_formula():
    # Of 20,000 words, 0 is 90 percent and 1 the rest.
    texts = [([0] * 9 + [1]) * 20] * 100
    found = np.concatenate(subsample(texts, 2, seed=0, threshold=0.05))
    counts = np.bincount(found)
    for word, total in ((0, 18_000), (1, 2_000)):
        ratio = 0.05 / (total / 20_000)
        expected = min(1, np.sqrt(ratio) + ratio)
        spread = 4 * np.sqrt(total * expected * (1 - expected))  # four standard deviations
        assert abs(counts[word] - total * expected) <= spread
    assert counts[1] == 2_000  # 0.707 + 0.5 is above 1: all of them stay


def test_what_stays_keeps_its_order_and_its_text():
    texts = [[3, 0, -1, 0, 4], [], [0, 5]]
    assert [row.tolist() for row in subsample(texts, 6, 0, threshold=9.0)] == [
        [3, 0, 0, 4], [], [0, 5],
    ]  # fmt: skip
    rare = [row[row > 0].tolist() for row in subsample(texts, 6, 0, threshold=0.15)]
    assert rare == [[3, 4], [], [5]]
    assert all(row.dtype == np.int32 for row in subsample(iter(texts), 6, 0))


def test_a_seed_leaves_out_the_same():
    texts = [[0] * 200]
    one, again, other = (subsample(texts, 1, seed, threshold=0.1)[0] for seed in (1, 1, 2))
    assert len(one) == len(again) != len(other)


# Questions.

WORDS = ["man", "king", "woman", "queen", "table"]
TABLE = [[1, 0, 0], [1, 1, 0], [2, 0, 1], [2, 2, 1], [0, 0, -3]]


def test_questions_by_hand():
    vectors = WordVectors(WORDS, TABLE)
    assert vectors["queen"].tolist() == [2, 2, 1] and "prince" not in vectors and len(vectors) == 5
    assert vectors.table.dtype == np.float32 and vectors.words == WORDS
    assert vectors.similarity("man", "king") == pytest.approx(1 / np.sqrt(2))
    assert vectors.similarity("man", "table") == 0
    # 4 / 3 / sqrt 2 = 0.943, then 2 / sqrt 5 / sqrt 2 = 0.632 behind man's 0.707.
    found = vectors.nearest("king", count=3)
    assert [word for word, _ in found] == ["queen", "man", "woman"]
    np.testing.assert_allclose([cosine for _, cosine in found], [0.9428, 0.7071, 0.6325], atol=1e-4)
    assert vectors.nearest([0, 0, -1], count=1) == [("table", 1.0)]
    assert [word for word, _ in vectors.nearest("king", count=99)][-1] == "table"


def test_an_analogy_leaves_its_own_words_out():
    vectors = WordVectors(WORDS, TABLE)
    # king - man is nearly nothing beside woman, so woman itself would be the answer.
    assert [word for word, _ in vectors.analogy("man", "king", "woman", count=9)] == [
        "queen", "table",
    ]  # fmt: skip
    # The vectors have length 1 before they are added.
    a, b, c, d = (np.array(row) / np.linalg.norm(row) for row in TABLE[:4])
    target = (b - a + c) / np.linalg.norm(b - a + c)
    assert vectors.analogy("man", "king", "woman", 1)[0][1] == pytest.approx(target @ d)


def test_cosines_agree_with_a_loop_in_float64(rng):
    table = rng.normal(size=(40, 7))
    vectors = WordVectors([f"w{n}" for n in range(40)], table.astype("float32"))

    def cosine(x, y):
        return sum(x * y) / (sum(x * x) ** 0.5 * sum(y * y) ** 0.5)

    expected = sorted((-cosine(table[3], table[n]), f"w{n}") for n in range(40) if n != 3)
    found = vectors.nearest("w3", 39)
    assert [word for word, _ in found] == [word for _, word in expected]
    np.testing.assert_allclose([c for _, c in found], [-c for c, _ in expected], atol=1e-6)
    assert vectors.similarity("w3", "w5") == pytest.approx(cosine(table[3], table[5]), abs=1e-6)


def test_length_and_order_of_the_words_do_not_matter(rng):
    table, words = rng.normal(size=(9, 4)), list("abcdefghi")
    one = WordVectors(words, table)
    longer = WordVectors(words[::-1], table[::-1] * rng.uniform(0.1, 9, (9, 1)))
    for question in (lambda v: v.nearest("c", 8), lambda v: v.analogy("a", "b", "c", 6)):
        (found, cosines), (again, same) = (zip(*question(v), strict=True) for v in (one, longer))
        assert found == again
        np.testing.assert_allclose(cosines, same, atol=1e-12)


def test_agrees_with_gensim(rng):
    if importlib.util.find_spec("gensim") is None:
        pytest.skip("gensim is not installed; it is one of the tests' extras")
    from gensim.models import KeyedVectors

    words, table = [f"w{n}" for n in range(50)], rng.normal(size=(50, 8)).astype("float32")
    theirs = KeyedVectors(8)
    theirs.add_vectors(words, table)
    ours = WordVectors(words, table)
    pairs = [
        (ours.nearest("w7", 20), theirs.most_similar("w7", topn=20)),
        (ours.nearest(table[9] * 2, 5), theirs.similar_by_vector(table[9] * 2, topn=5)),
        (
            ours.analogy("w1", "w2", "w3", 9),
            theirs.most_similar(positive=["w2", "w3"], negative=["w1"], topn=9),
        ),
    ]
    for found, expected in pairs:
        assert [word for word, _ in found] == [word for word, _ in expected]
        np.testing.assert_allclose([c for _, c in found], [c for _, c in expected], atol=1e-6)
    assert ours.similarity("w1", "w2") == pytest.approx(theirs.similarity("w1", "w2"), abs=1e-6)


def test_rows_for_an_embedding():
    rows = WordVectors(WORDS, np.array(TABLE, "float64")).rows(["[PAD]", "king", "king", "prince"])
    assert rows.tolist() == [[0, 0, 0], [1, 1, 0], [1, 1, 0], [0, 0, 0]]
    assert rows.dtype == np.float64


def test_zeros_have_no_direction():
    vectors = WordVectors(["here", "there", "nowhere"], [[1.0, 0], [1, 1], [0, 0]])
    assert [word for word, _ in vectors.nearest("here", 9)] == ["there"]
    for question in (
        lambda: vectors.similarity("here", "nowhere"),
        lambda: vectors.nearest("nowhere"),
        lambda: vectors.analogy("here", "there", "nowhere"),
    ):
        with pytest.raises(ValueError, match="the vector of 'nowhere' is all zeros"):
            question()
    with pytest.raises(ValueError, match="the vector of the question is all zeros"):
        vectors.nearest([0, 0])


def test_asking_changes_nothing(rng):
    table = rng.normal(size=(3, 2))
    vectors = WordVectors(["a", "b", "c"], table.copy())
    vectors.nearest("a"), vectors.analogy("a", "b", "c"), vectors.rows(["a", "z"])
    assert (vectors.table == table).all()


@pytest.mark.parametrize(
    ("words", "table", "message"),
    [
        (["a", "b"], [[1.0], [2.0], [3.0]], r"table must have shape \(2, D\).*got \(3, 1\)"),
        (["a"], [1.0], r"got \(1,\)"),
        ([], np.zeros((0, 3)), r"got \(0, 3\)"),
        (["a", "b", "a"], [[1.0], [2.0], [3.0]], "'a' occurs again"),
        (["a", "b"], [[1.0], [np.nan]], "the vector of 'b' holds NaN or infinity"),
        (["a"], [["x"]], "table must be numbers"),
    ],
)
def test_a_table_that_does_not_fit(words, table, message):
    with pytest.raises(ValueError, match=message):
        WordVectors(words, table)


def test_unknown_words_and_other_mistakes():
    vectors = WordVectors(WORDS, TABLE)
    for question in (
        lambda: vectors["prince"],
        lambda: vectors.similarity("man", "prince"),
        lambda: vectors.nearest("prince"),
        lambda: vectors.analogy("man", "king", "prince"),
    ):
        with pytest.raises(KeyError, match="'prince' is not among the 5 words"):
            question()
    with pytest.raises(ValueError, match=r"vector must have shape \(3,\), got \(2,\)"):
        vectors.nearest([1, 2])
    with pytest.raises(ValueError, match="count must be a whole number of at least 1, got 0"):
        vectors.nearest("man", 0)
    with pytest.raises(TypeError, match="put it in a list"):
        vectors.rows("man")
    with pytest.raises(TypeError, match="word must be a string, got int: 3"):
        vectors[3]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: cooccurrences([[0, 1]], 2, 0), "window must be a whole number of at least 1"),
        (lambda: cooccurrences([], 2), "the rows hold no ids"),
        (lambda: cooccurrences([[0, 2]], 2), "id 2 at position 1 of row 0 is outside"),
        (lambda: cooccurrences([[0], [-2]], 2), "id -2 at position 0 of row 1 is outside"),
        (lambda: subsample([[0]], 1, 0, threshold=0), "threshold must be above 0, got 0"),
        (lambda: subsample([[1]], 1, 0), "id 1 at position 0 of row 0 is outside"),
    ],
)
def test_bad_input(call, message):
    with pytest.raises(ValueError, match=message):
        call()
