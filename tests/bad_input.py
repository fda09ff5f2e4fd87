"""All bad inputs that were tried, as data: what is wrong, the call, the error, its words.

    python tests/bad_input.py

writes tests/BAD_INPUT.md, the same as a page. tests/test_bad_input.py runs every case and
compares the page. A case is `(what is wrong, source of the call, kind of error, words that
the message must hold)`; the call sees the names that `names()` gives.
"""

import pathlib
import re
import tempfile

PAGE = pathlib.Path(__file__).with_name("BAD_INPUT.md")
HEAD = """# What a wrong input is told

Every row is a call that cannot work, tried by `tests/test_bad_input.py`, and the message that it
gets. `python tests/bad_input.py` writes this page. In the calls, `lm` is a `RecurrentLM` of 9 ids,
`gpt` a `TransformerLM` of 9 ids and 6 positions, `classifier` an `rnn_classifier`, `follow` a
function from ids to the logits of 6 next ids, `words` a `WordTokenizer`, `vectors` the vectors of
man, king and nothing, `x` an array of ones `(1, 2, 4)`, `ids` two rows of three ids, `compiled` a
`RecurrentLM` that is ready for them, and `folder` an empty folder. `damaged` puts an empty
checkpoint into it, `old_file` a model saved by lmkit 0.1, `written` a file with these bytes.
`classifier` is a plain Keras model: given a list or a text it says so in Keras's words, which are
not listed here.
"""

CASES = {
    "Texts and tokens": [
        ("one text, not a list", 'WordTokenizer.train("a warm film")', TypeError, "put it in a list"),
        ("no texts", "WordTokenizer.train([])", ValueError, "nothing to build a vocabulary from"),
        ("None for texts", "WordTokenizer.train(None)", TypeError, "list of strings, got NoneType"),
        ("a number among texts", 'CharTokenizer.train(["a", 3])', TypeError, "must be a string, got int: 3"),
        ("bytes for text", 'words.encode(b"film")', TypeError, "must be a string, got bytes"),
        ("an emoji unseen in training", 'CharTokenizer.train(["ab"]).encode("a🎬")', ValueError, "character '🎬' at position 1"),
        ("NUL in a text", r'CharTokenizer.train(["ab"]).encode("a\0")', ValueError, r"character '\x00' at position 1"),
        ("a lone surrogate", r'CharTokenizer.train(["ab"]).encode("\ud800")', ValueError, r"character '\ud800' at position 0"),
        ("an unknown token", 'SplitTokenizer.train(["Mia ran ."]).encode("Mia swam .")', ValueError, "token 'swam' at position 1"),
        ("the padding's name among the words to learn", 'SplitTokenizer.train(["[PAD] ran"])', ValueError, "the texts hold '[PAD]', which is reserved: take it out"),
        ("the padding's name in a text", 'SplitTokenizer.train(["Mia ran ."]).encode("[PAD] ran")', ValueError, "token '[PAD]' at position 0"),
        ("a vocabulary too small for the text", 'CharTokenizer.train(["abcd"], vocab_size=4)', ValueError, "needs a vocab_size of 6, got 4"),
        ("a vocabulary of text", 'WordTokenizer.train(["a"], vocab_size="many")', ValueError, "whole number of at least 3, got 'many'"),
        ("padding on the left, misnamed", 'words.encode_batch(["a"], 3, padding="left")', ValueError, 'padding must be "pre" or "post", got \'left\''),
        ("rows of half a token", 'words.encode_batch(["a"], 2.5)', ValueError, "whole number of at least 1, got 2.5"),
        ("an id beyond the vocabulary", "words.decode([99])", ValueError, "id 99 at position 0 of ids is outside the vocabulary: ids run from 0 to 4"),
        ("ids with a fraction", "words.decode([2.0])", TypeError, "whole numbers, got float64"),
        ("text for ids", 'words.decode("film")', TypeError, "got text: encode it first"),
        ("tokens without padding", 'WordTokenizer(["a", "b"])', ValueError, "first tokens must be '[PAD]' and '[UNK]'"),
        ("a token twice", 'WordTokenizer(["[PAD]", "[UNK]", "a", "a"])', ValueError, "'a' occurs again"),
    ],
    "Byte-pair pieces and segmentation": [
        ("nothing to learn from", 'BytePairTokenizer.train(["", ""])', ValueError, "the texts hold nothing to build a vocabulary from"),
        ("one text for several", 'BytePairTokenizer.train("low lower")', TypeError, "put it in a list"),
        ("bytes among the texts", 'BytePairTokenizer.train(["low", b"lower"])', TypeError, "text 1 must be a string, got bytes"),
        ("half a character to learn", r'BytePairTokenizer.train(["low", "lo\ud800"])', ValueError, r"text 1 holds half a character, '\ud800' at position 2"),
        ("fewer ids than bytes", 'BytePairTokenizer.train(["low"], vocab_size=255)', ValueError, "vocab_size must be a whole number of at least 256, got 255"),
        ("no id left for a special token", 'BytePairTokenizer.train(["low"], 256, ["<|end|>"])', ValueError, "vocab_size must be a whole number of at least 257, got 256"),
        ("a special token twice", 'BytePairTokenizer.train(["low"], 300, ["<|end|>", "<|end|>"])', ValueError, "special token '<|end|>' occurs again"),
        ("one name for several", 'BytePairTokenizer.train(["low"], 300, "<|end|>")', TypeError, "special_tokens must be a list of strings, got '<|end|>'"),
        ("a special token without a name", 'BytePairTokenizer([], [""])', ValueError, "special token '' is empty: choose another name"),
        ("a special token that is a byte", 'BytePairTokenizer([], ["a"])', ValueError, "special token 'a' is a piece: choose another name"),
        ("an id for a special token beyond the last", 'BytePairTokenizer([], {"<|end|>": 300})', ValueError, "the id of '<|end|>' must be a whole number of at least 0 and at most 256, got 300"),
        ("a merge of what was not made", 'BytePairTokenizer([(b"lo", b"w")])', ValueError, "merge 0 takes b'lo', which nothing makes before"),
        ("a merge twice", 'BytePairTokenizer([(b"l", b"o"), (b"l", b"o")])', ValueError, "merge 1 makes b'lo', which is there already"),
        ("merges of text", 'BytePairTokenizer([("l", "o")])', ValueError, "merge 0 must be a pair of bytes"),
        ("a number for a text", "BytePairTokenizer([]).encode(3)", TypeError, "text must be a string, got int: 3"),
        ("half a character in a text", r'BytePairTokenizer([]).encode("film\udc80")', ValueError, r"text holds half a character, '\udc80' at position 4 (a lone surrogate), which has no bytes"),
        ("a word for a switch", 'BytePairTokenizer([]).encode("film", "yes")', ValueError, "allow_special must be True or False, got 'yes'"),
        ("an id beyond the bytes", "BytePairTokenizer([]).decode([5, 256])", ValueError, "id 256 at position 1 of ids is outside the vocabulary: ids run from 0 to 255"),
        ("a truncated tokenizer", """BytePairTokenizer.load(written(folder, b'{"model": {"type": "BPE", "vo'))""", ValueError, "holds no tokenizer: it is not JSON"),
        ("a tokenizer that is no UTF-8", r"BytePairTokenizer.load(written(folder, b'{\xff}'))", ValueError, "holds no tokenizer: it is not JSON ('utf-8' codec can't decode byte 0xff in position 1"),
        ("a tokenizer of words", """BytePairTokenizer.load(written(folder, b'{"tokenizer": "WordTokenizer", "tokens": []}'))""", ValueError, "holds no byte-level tokenizer: its model is None"),
        ("a tokenizer of another kind", """BytePairTokenizer.load(written(folder, b'{"model": {"type": "WordPiece"}, "pre_tokenizer": {}}'))""", ValueError, "does not split and merge as GPT-2 does: type must be 'BPE', got 'WordPiece'"),
        ("a tokenizer with merges out of order", """BytePairTokenizer.load(written(folder, b'{"model": {"type": "BPE", "vocab": {}, "merges": [["lo", "w"]]}, "pre_tokenizer": {"type": "ByteLevel"}}'))""", ValueError, "is damaged: merge 0 takes b'lo', which nothing makes before"),
        ("a tokenizer with other ids", """BytePairTokenizer.load(written(folder, b'{"model": {"type": "BPE", "vocab": {"!": 7}, "merges": []}, "pre_tokenizer": {"type": "ByteLevel"}}'))""", ValueError, "is damaged: the merges give '!' the id 0, not 7"),
        ("a list for a dictionary", 'segment("研究", ["研究"])', TypeError, "counts must be a dict from words to counts, got list"),
        ("an empty dictionary", 'segment("研究", {})', ValueError, "counts is empty: give at least one word"),
        ("a word counted 0 times", 'segment("研究", {"研究": 0})', ValueError, "the count of '研究' must be a whole number of at least 1, got 0"),
        ("a word without characters", 'segment("研究", {"": 3})', ValueError, "a word of counts is empty: take it out"),
        ("bytes to segment", 'segment(b"film", {"film": 1})', TypeError, "text must be a string, got bytes"),
    ],
    "Rows, windows, labels": [
        ("one row for several", "next_tokens([5, 2, 7])", ValueError, "row 0 must be one row (time,), got shape ()"),
        ("a text for rows", 'next_tokens("warm")', TypeError, "rows must be a list of rows of ids, got str"),
        ("texts for rows", 'next_tokens(["a warm film"])', TypeError, "row 0 must be whole numbers, got text: encode it first"),
        ("nothing for rows", "next_tokens(None)", TypeError, "rows must be a list of rows of ids, got NoneType"),
        ("no rows", "next_tokens([])", ValueError, "there are no rows: give at least one"),
        ("an empty row", "next_tokens([[5, 2], []])", ValueError, "row 1 is empty: give at least one id"),
        ("nothing to predict", "next_tokens([[5]])", ValueError, "row 0 has 1 id: nothing follows that could be predicted"),
        ("a row longer than `length`", "next_tokens([[5, 2, 7, 4]], length=2)", ValueError, "length must be at least 3, for the longest row, got 2"),
        ("ids with a fraction", "next_tokens([[5.0, 2.5]])", TypeError, "row 0 must be whole numbers, got float64"),
        ("rows in a row", "next_tokens([[[5, 2], [7]]])", ValueError, "row 0 must be numbers in rows of one length"),
        ("IGNORE in inputs", "next_tokens([[5, -1, 2]])", ValueError, "IGNORE (-1) at position 1 of row 0: IGNORE belongs in targets, not in inputs"),
        ("an id below IGNORE", "next_tokens([[5, -3, 2]])", ValueError, "id -3 at position 1 of row 0 is outside the vocabulary: ids run from 0 to 2147483647"),
        ("an id beyond int32", "windows([2**40, 3, 4], 2)", ValueError, "id 1099511627776 at position 0 of ids is outside the vocabulary: ids run from 0 to 2147483647"),
        ("padding that is no id", 'next_tokens([[5, 2], [7, 4, 3]], pad_id="no")', ValueError, "pad_id must be a whole number of at least 0, got 'no'"),
        ("text for ids", 'windows("hello", 2)', TypeError, "ids must be whole numbers, got text: encode it first"),
        ("a window of nothing", "windows([5, 2], 0)", ValueError, "length must be a whole number of at least 1, got 0"),
        ("one id to cut into windows", "windows([5], 2)", ValueError, "ids must hold at least 2 ids, got 1"),
        ("a stride longer than `length`", "windows([5, 2, 7, 4], 2, stride=3)", ValueError, "stride must be a whole number of at least 1 and at most 2, got 3"),
        ("a text shorter than a window", "random_windows([5, 2], 2, 3, seed=0)", ValueError, "ids must hold at least 3 ids, got 2"),
        ("half a window", "random_windows([5, 2, 7], 2, 0.5, seed=0)", ValueError, "count must be a whole number of at least 1, got 0.5"),
        ("a source without a target", "pairs([[5], [2]], [[7]], start=1)", ValueError, "every source needs one target, got 2 and 1"),
        ("a word to start with", 'pairs([[5]], [[7]], start="[START]")', ValueError, "start must be a whole number of at least 0, got '[START]'"),
        ("a label of 2", "confusion_matrix([0, 2], [0, 1])", ValueError, "labels must be 0 or 1, got 2 at position 1"),
        ("labels that are words", 'confusion_matrix(["good", "bad"], [0, 1])', ValueError, "labels must be numbers"),
        ("words in an object array", 'confusion_matrix(np.array(["good", "bad"], object), [0, 1])', ValueError, "labels must be numbers"),
        ("fewer predictions than labels", "confusion_matrix([0, 1], [0])", ValueError, "2 labels, but 1 predictions"),
        ("an n-gram of nothing", "ngram_probabilities([[1]], [[1]], 0, 3)", ValueError, "order must be a whole number of at least 1, got 0"),
        ("no rows to count in", "ngram_probabilities(None, [[1]], 1, 3)", TypeError, "must be a list of rows of ids, got NoneType"),
        ("an id to count outside the vocabulary", "ngram_probabilities([[1, 3]], [[1]], 1, 3)", ValueError, "id 3 at position 1 of train row 0 is outside the vocabulary: ids run from 0 to 2"),
    ],
    "Word vectors": [
        ("a window of 0", "cooccurrences([[0, 1]], 2, window=0)", ValueError, "window must be a whole number of at least 1, got 0"),
        ("no texts to count in", "cooccurrences([], 2)", ValueError, "the rows hold no ids: give at least one"),
        ("strings to count in", 'cooccurrences(["a film"], 2)', TypeError, "row 0 must be whole numbers, got text: encode it first"),
        ("an id to count beyond the vocabulary", "cooccurrences([[0, 1], [2]], 2)", ValueError, "id 2 at position 0 of row 1 is outside the vocabulary: ids run from 0 to 1, or are IGNORE (-1)"),
        ("all words left out", "subsample([[0, 1]], 2, seed=0, threshold=0)", ValueError, "threshold must be above 0, got 0"),
        ("one text to pack", 'packed("film", 4, gap=1)', TypeError, "rows must be a list of rows of ids, got str"),
        ("rows of no length", "packed([[5, 2]], 0, gap=1)", ValueError, "length must be a whole number of at least 1, got 0"),
        ("an unknown word", 'vectors["prince"]', KeyError, "'prince' is not among the 3 words"),
        ("an unknown word in an analogy", 'vectors.analogy("man", "king", "prince")', KeyError, "'prince' is not among the 3 words"),
        ("an id for a word", "vectors[0]", TypeError, "word must be a string, got int: 0"),
        ("zeros under cosine", 'vectors.similarity("man", "nothing")', ValueError, "the vector of 'nothing' is all zeros: it has no direction"),
        ("the neighbors of zeros", "vectors.nearest([0, 0])", ValueError, "the vector of the question is all zeros"),
        ("the neighbors of a longer vector", "vectors.nearest([1, 2, 3])", ValueError, "vector must have shape (2,), got (3,)"),
        ("no neighbors", 'vectors.nearest("man", 0)', ValueError, "count must be a whole number of at least 1, got 0"),
        ("rows for one word", 'vectors.rows("man")', TypeError, "put it in a list"),
        ("more rows than words", 'WordVectors(["man"], np.ones((2, 3)))', ValueError, "table must have shape (1, D), one row for each word, got (2, 3)"),
        ("a word with two vectors", 'WordVectors(["man", "man"], np.ones((2, 3)))', ValueError, "'man' occurs again"),
        ("a vector of NaN", 'WordVectors(["man", "king"], [[1.0], [np.nan]])', ValueError, "the vector of 'king' holds NaN or infinity"),
        ("a skip-gram without a window", "SkipGram(9, window=0)", ValueError, "window must be a whole number of at least 1, got 0"),
        ("a skip-gram without negatives", "SkipGram(9, negatives=0)", ValueError, "negatives must be a whole number of at least 1, got 0"),
        ("noise for other words", "SkipGram(9, noise=np.ones(8))", ValueError, "noise must have shape (9,), one number for each word, got (8,)"),
        ("noise below 0", "SkipGram(2, noise=[2, -1])", ValueError, "noise must be finite, nowhere below 0 and not 0 everywhere"),
        ("an id outside in running text", "SkipGram(9).fit(np.array([[8, 9]]))", ValueError, "id 9 in row 0, column 1 of rows is outside the vocabulary"),
        ("one row of running text", "SkipGram(9).fit(np.array([8, 7]))", ValueError, "rows must be (batch, time), got shape (2,)"),
        ("running text without words", "SkipGram(9).fit(np.array([[-1, -1]]))", ValueError, "rows hold no word: every place is IGNORE (-1)"),
        ("vectors for other words", 'SkipGram(9).vectors(["man"])', ValueError, "table must have shape (1, D), one row for each word, got (9, 100)"),
        ("a part of the help that is not there", 'load_libreoffice_help("test")', ValueError, 'split must be "train" or "held_out", got \'test\''),
        ("help in an empty folder", 'load_libreoffice_help("train", folder)', FileNotFoundError, "SHA256SUMS is missing"),
        ("docstrings of one package, not a list", 'load_docstrings("numpy")', TypeError, "put 'numpy' in a list"),
        ("docstrings of what is not installed", 'load_docstrings(["nampy"])', ImportError, "'nampy' is not installed, or is no package: leave it out"),
    ],
    "Choosing tokens": [
        ("a negative temperature", "sample_token([0.0, 1.0], -1, rng)", ValueError, "temperature must be at least 0, got -1"),
        ("a temperature that is no number", 'sample_token([0.0, 1.0], float("nan"), rng)', ValueError, "temperature must be a finite number and at least 0, got nan"),
        ("a seed for a generator", "sample_token([0.0, 1.0], 1.0, 0)", TypeError, "rng must be np.random.default_rng(seed), got 0"),
        ("NaN among the logits", "sample_token([0.0, np.nan], 0)", ValueError, "logit 1 is nan"),
        ("every token impossible", "sample_token([-np.inf, -np.inf], 0)", ValueError, "no token is possible"),
        ("more tokens than there are", "keep_likely([0.0, 1.0], top_k=3)", ValueError, "top_k must be a whole number of at least 1 and at most 2, got 3"),
        ("a share above 1", "keep_likely([0.0, 1.0], top_p=1.5)", ValueError, "top_p must be above 0 and at most 1, got 1.5"),
        ("text for logits", 'keep_likely("abc")', ValueError, "logits must be numbers"),
        ("an empty prompt", "generate(lm, [], 3)", ValueError, "prompt is empty: give at least one id"),
        ("text for a prompt", 'generate(lm, "Once", 3)', TypeError, "prompt must be whole numbers, got text: encode it first"),
        ("a prompt outside the vocabulary", "generate(lm, [9], 3)", ValueError, "id 9 at position 0 of prompt 0 is outside the vocabulary: ids run from 0 to 8"),
        ("the same with a function", "generate(follow, [7], 3)", ValueError, "id 7 at position 0 of prompt is outside the vocabulary: ids run from 0 to 5"),
        ("IGNORE in a prompt", "generate(lm, [1, -1], 3)", ValueError, "IGNORE belongs in targets"),
        ("a model without start and step", "generate(classifier, [1], 3)", TypeError, "model must have start and step, which Functional lacks: use RecurrentLM or TransformerLM, or give a function"),
        ("the same for a beam", "beam_search(classifier, [1], 3, 2)", TypeError, "model must have start and step, which Functional lacks: use RecurrentLM or TransformerLM, or give a function"),
        ("nothing for a model", "generate(None, [1], 3)", TypeError, "must be a language model or a function, got None"),
        ("a function that returns nothing", "generate(lambda ids: None, [1], 3)", ValueError, "logits must be numbers"),
        ("a function for a whole batch", "generate_batch(lambda texts: np.zeros((2, 6)), [[1], [2]], 3)", ValueError, "logits must be one row (vocab,), not empty, got shape (2, 6)"),
        ("a length of nothing", "generate(lm, [1], 0)", ValueError, "length must be a whole number of at least 1, got 0"),
        ("text for a seed", 'generate(lm, [1], 3, seed="x")', ValueError, "seed must be a whole number of at least 0, got 'x'"),
        ("a seed below 0", "generate(lm, [1], 3, seed=-1)", ValueError, "seed must be a whole number of at least 0, got -1"),
        ("a word to stop at", 'generate(lm, [1], 3, stop="[END]")', TypeError, "stop must be whole numbers, got text: encode it first"),
        ("words to stop at", 'generate(lm, [1], 3, stop=[2, "[END]"])', TypeError, "stop must be whole numbers, got text: encode it first"),
        ("a stop between two ids", "generate(lm, [1], 3, stop=[2.5])", TypeError, "stop must be whole numbers, got float64"),
        ("True to stop at", "generate(lm, [1], 3, stop=True)", TypeError, "stop must be whole numbers, got bool"),
        ("lists to stop at", "generate(lm, [1], 3, stop=[[2, 3]])", ValueError, "stop must be one row (time,), got shape (1, 2)"),
        ("a stop outside the vocabulary", "generate(lm, [1], 3, stop=[2, 99])", ValueError, "id 99 at position 1 of stop is outside the vocabulary: ids run from 0 to 8"),
        ("prompts not nested", "generate_batch(lm, [1, 2], 3)", ValueError, "prompt 0 must be one row (time,), got shape ()"),
        ("no prompts", "generate_batch(lm, [], 3)", ValueError, "there are no prompts: give at least one"),
        ("a beam of nothing", "beam_search(lm, [1], 3, 0)", ValueError, "width must be a whole number of at least 1, got 0"),
        ("a word for a switch", 'beam_search(lm, [1], 3, 2, return_all="yes")', ValueError, "return_all must be True or False, got 'yes'"),
    ],
    "Models and layers": [
        ("a size in quotes", 'RecurrentLM(vocab_size="10")', ValueError, "vocab_size must be a whole number of at least 1, got '10'"),
        ("everything dropped", "RecurrentLM(vocab_size=10, dropout=1.0)", ValueError, "dropout must be at least 0 and below 1, got 1.0"),
        ("None dropped", "rnn_classifier(10, dropout=None)", ValueError, "dropout must be at least 0 and below 1, got None"),
        ("an unknown cell", 'RecurrentLM(vocab_size=10, cell="rnn")', ValueError, 'cell must be "lstm", "gru" or "simple", got \'rnn\''),
        ("a gate where there is none", 'RecurrentLM(vocab_size=10, cell="simple", gate_bias=3)', ValueError, "has no gate"),
        ("a bias that is no number", 'RecurrentLM(vocab_size=10, gate_bias=float("nan"))', ValueError, "gate_bias must be a finite number, got nan"),
        ("an unknown readout", 'rnn_classifier(10, readout="first")', ValueError, 'readout must be "last" or "mean", got \'first\''),
        ("heads that do not divide", "TransformerLM(vocab_size=9, max_length=6, embed_dim=8, num_heads=3, ff_dim=16, num_layers=1)", ValueError, "embed_dim must be a multiple of num_heads, got 8 and 3"),
        ("a word for a switch", 'TransformerLM(vocab_size=9, max_length=6, embed_dim=8, num_heads=2, ff_dim=16, num_layers=1, causal="no")', ValueError, "causal must be True or False, got 'no'"),
        ("a precision that there is not", 'RecurrentLM(vocab_size=9, dtype="float99")', ValueError, "such as 'float32'"),
        ("a precision without fractions", 'RecurrentLM(vocab_size=9, dtype="int32")', ValueError, 'dtype must be a float type such as "float32", got "int32"'),
        ("quantizing a model without weights", 'SimpleRNN(3).quantize("int8")', ValueError, "not built yet"),
        ("a file of lmkit 0.1", "keras.saving.load_model(old_file(folder))", ValueError, "was saved by an older lmkit"),
        ("a text too long", 'gpt(np.ones((1, 7), "int32"))', ValueError, "at most 6 ids (max_length), got 7"),
        ("a list for an array", "gpt([[1, 2, 3]])", TypeError, "ids must be an array (batch, time), such as np.array(ids), got list"),
        ("text for ids", 'lm("hello")', TypeError, "ids must be an array (batch, time), such as np.array(ids), got str"),
        ("nothing for ids", "gpt(None)", TypeError, "ids must be an array (batch, time), such as np.array(ids), got NoneType"),
        ("a row for a batch", 'lm(np.ones(3, "int32"))', ValueError, "ids must be (batch, time), got shape (3,)"),
        ("room for more than the model reads", "gpt.start(1, 7)", ValueError, "length must be a whole number of at least 1 and at most 6, got 7"),
        ("padding for another batch", "lm.start(2, 6, padding=[1])", ValueError, "padding must be (2,), one number per text, got (1,)"),
        ("a state of another batch", 'lm.step(np.ones((3, 1), "int32"), lm.start(2, 6))', ValueError, "ids hold 3 texts, but the state was made for 2"),
        ("the same with a Transformer", 'gpt.step(np.ones((3, 1), "int32"), gpt.start(2, 6))', ValueError, "ids hold 3 texts, but the state was made for 2"),
        ("a row for a step", 'lm.step(np.ones(3, "int32"), lm.start(3, 6))', ValueError, "ids must be (batch, time), got shape (3,)"),
        ("a learning rate of 0", "warmup_cosine(0, steps=200)", ValueError, "peak must be above 0, got 0"),
        ("no steps", "warmup_cosine(1e-3, steps=0)", ValueError, "steps must be a whole number of at least 1, got 0"),
        ("half a step", "warmup_cosine(1e-3, steps=99.5)", ValueError, "steps must be a whole number of at least 1, got 99.5"),
        ("nothing but warmup", "warmup_cosine(1e-3, steps=50, warmup=50)", ValueError, "warmup must be a whole number of at least 0 and at most 49, got 50"),
        ("a minimum above the peak", "warmup_cosine(1e-3, steps=50, minimum=1.0)", ValueError, "minimum must be at least 0 and at most 0.001, got 1.0"),
        ("attention of a text", 'gpt.attention_weights("hello")', TypeError, "ids must be whole numbers, got text: encode it first"),
        ("attention to an id that there is not", "gpt.attention_weights([[1, 9]])", ValueError, "id 9 in row 0, column 1 of ids is outside the vocabulary: ids run from 0 to 8"),
        ("other channels in keys", "attention_weights(x, x[..., :3])", ValueError, "queries and keys need equally many channels, got 4 and 3"),
        ("fewer values than keys", "attend(x, x, x[:, :1])", ValueError, "keys and values need equally many positions, got 2 and 1"),
        ("a mask of numbers", 'attention_weights(x, x, np.ones((2, 2), "float32"))', TypeError, "the mask must be boolean, True = may be looked at, got float32"),
        ("a mask of another size", "attention_weights(x, x, np.ones((3, 3), bool))", ValueError, "mask must fit (1, 2, 2)"),
        ("a mask of length -1", "causal_mask(-1)", ValueError, "length must be a whole number of at least 1, got -1"),
        ("heads that do not divide channels", "split_heads(x, 3)", ValueError, "a multiple of 3 channels"),
        ("an input of other channels", "MultiHeadSelfAttention(8, 2)(x)", ValueError, "must be (batch, time, 8), got (1, 2, 4)"),
        ("an odd number of channels", "sinusoidal_positions(4, 3)", ValueError, "embed_dim must be even"),
        ("a vector without a position", "rotate(x, [0, 1, 2])", ValueError, "positions must fit (1, 2), x without its channels, got (3,)"),
        ("an argument that only Keras's layer has", "LSTM(3, recurrent_dropout=0.1)", TypeError, "lmkit's LSTM has no recurrent_dropout: use keras.layers.LSTM, which has"),
        ("two numbers to differentiate", "value_and_gradients(lambda x: x, [1.0, 2.0])", ValueError, "one number, got shape (2,)"),
        ("whole numbers to differentiate", "value_and_gradients(ops.sum, [1, 2])", TypeError, "must hold floats to have a gradient"),
    ],
    "Training that can be killed": [
        ("a model that is not compiled", "fit_with_backup(lm, ids, ids, folder)", ValueError, "is not compiled: call model.compile first"),
        ("a name for a model", 'fit_with_backup("lm", ids, ids, folder)', TypeError, "model must be a keras.Model, got str"),
        ("fewer targets than rows", "fit_with_backup(compiled, ids, ids[1:], folder)", ValueError, "x and y need the same number of rows, got 2 and 1"),
        ("texts for rows", 'fit_with_backup(compiled, ["a film"], ids, folder)', ValueError, "x must be numbers in rows of one length, got ['a film']"),
        ("no rows", "fit_with_backup(compiled, ids[:0], ids[:0], folder)", ValueError, "x must be (rows, ...), not empty, got shape (0, 3)"),
        ("no folder", 'fit_with_backup(compiled, ids, ids, "")', ValueError, "backup_dir must be the path of a folder, got ''"),
        ("half an epoch", "fit_with_backup(compiled, ids, ids, folder, epochs=0.5)", ValueError, "epochs must be a whole number of at least 1, got 0.5"),
        ("a batch of nothing", "fit_with_backup(compiled, ids, ids, folder, batch_size=0)", ValueError, "batch_size must be a whole number of at least 1, got 0"),
        ("a save at every batch, misspelt", 'fit_with_backup(compiled, ids, ids, folder, save_freq="batch")', ValueError, "got 'batch'"),
        ("a callback with an open file", 'fit_with_backup(compiled, ids, ids, folder, callbacks=[keras.callbacks.CSVLogger(str(folder / "log.csv"))])', TypeError, "callback 0 (CSVLogger) keeps an open file, csv_file, which cannot be stored: write the history after the run, or give the callback get_state() and set_state(state)"),
        ("a function for a callback", "fit_with_backup(compiled, ids, ids, folder, callbacks=[print])", TypeError, "callbacks must be a list of callbacks, got builtin"),
        ("nothing but damaged checkpoints", "fit_with_backup(compiled, ids, ids, damaged(folder))", ValueError, "no checkpoint is complete: FOLDER/damaged/000000000004.checkpoint is empty. Delete the folder to start over"),
    ],
    "Measures and figures": [
        ("one target for two logits", "token_losses(np.zeros((1, 2, 3)), [[1]])", ValueError, "targets must have shape (1, 2), one per position, got (1, 1)"),
        ("a target without a logit", "token_losses(np.zeros((1, 3)), [3])", ValueError, "id 3 at position 0 of targets is outside the vocabulary: ids run from 0 to 2, or are IGNORE (-1)"),
        ("targets with a fraction", "token_losses(np.zeros((1, 3)), [1.0])", TypeError, "targets must be whole numbers, got float64"),
        ("targets of another length", "Perplexity().update_state(np.ones((1, 3), int), x)", ValueError, "targets (1, 3) do not fit logits (1, 2, 4)"),
        ("scores for other targets than inputs", "score_tokens(lm, ids, ids[:, :2])", ValueError, "targets must have shape (2, 3), one per position, got (2, 2)"),
        ("IGNORE in inputs", "score_tokens(lm, [[5, -1]], [[2, 3]])", ValueError, "IGNORE belongs in targets"),
        ("an input outside the vocabulary", "score_tokens(lm, [[5, 9]], [[2, 3]])", ValueError, "id 9 in row 0, column 1 of inputs is outside the vocabulary: ids run from 0 to 8"),
        ("a target outside the vocabulary", "score_tokens(lm, [[5, 2]], [[2, 9]])", ValueError, "id 9 in row 0, column 1 of targets is outside the vocabulary: ids run from 0 to 8, or are IGNORE (-1)"),
        ("a text to score", 'score_tokens(lm, "a warm film", ids)', TypeError, "must be whole numbers, got text: encode it first"),
        ("a batch of nothing", "score_tokens(lm, ids, ids, batch_size=0)", ValueError, "batch_size must be a whole number of at least 1, got 0"),
        ("a pair with one score", "pair_accuracy([0.5, 0.5], [0.5])", ValueError, "2 positive scores, but 1 negative ones"),
        ("a score that is no number", "pair_accuracy([np.nan], [0.5])", ValueError, "positive_scores must be numbers, got NaN at 0"),
        ("a floor in quotes", 'GapToFloor([[1]], [[2]], "low")', ValueError, "floor must be at least 0, got 'low'"),
        ("targets that do not fit", "GapToFloor([[1, 2]], [[2]], 0.3)", ValueError, "targets must have shape (1, 2), one per position, got (1, 1)"),
        ("a text for a function", 'TextSample("Once")', TypeError, "generate must be a function, got str"),
        ("every 0th epoch", "TextSample(print, every=0)", ValueError, "every must be a whole number of at least 1, got 0"),
        ("values of another shape", "assert_close([1.0, 2.0], [1.0])", AssertionError, "values: shape (2,), expected (1,)"),
        ("a metric that was not kept", 'plot_history({"loss": [1.0]}, "accuracy")', ValueError, "holds loss, not 'accuracy'"),
        ("a model for a history", "plot_history(lm)", TypeError, "what fit returned"),
        ("no seeds", 'plot_seeds({"RNN": []})', ValueError, "'RNN' has no values"),
        ("names that do not fit", 'plot_matrix([[1]], ["a", "b"], ["c"])', ValueError, "2 x 1 names for a matrix (1, 1)"),
    ],
    "Stories": [
        ("a language that nobody made", 'sample_stories(1, 0, language="de")', ValueError, "language must be \"en\", \"zh\" or a Grammar, got 'de'"),
        ("no stories", "sample_stories(0, 0)", ValueError, "count must be a whole number of at least 1, got 0"),
        ("half a seed", "sample_stories(1, 0.5)", ValueError, "seed must be a whole number of at least 0, got 0.5"),
        ("a word that cannot come", 'log_probabilities("Once upon a time")', ValueError, "outside the story language at position 0: 'Once' does not belong there; 'One' could come"),
        ("a story that breaks off", 'log_probabilities("One warm Monday")', ValueError, "the story breaks off at position 3; 'Mia', 'Anna', 'Lily', 'Emma', 'Zoe', ... could come"),
        ("a number for a story", "encode_stories([3])", TypeError, "text 0 must be a string, got int: 3"),
        ("one story for several", 'encode_stories("One warm Monday")', TypeError, "texts must be a list of strings, got one string: put it in a list"),
        ("an empty list", "encode_stories([])", ValueError, "there are no"),
        ("what comes after the end", "next_token_distribution(sample_stories(1, 0)[0])", ValueError, "the story is over"),
    ],
    "Files": [
        ("an unknown split", 'load_reviews("dev")', ValueError, 'split must be "train", "validation" or "test", got \'dev\''),
        ("a folder without reviews", 'load_reviews("test", folder)', FileNotFoundError, "is missing; it ships with the course"),
        ("a path that leads nowhere", 'load_imdb("train", folder / "none")', FileNotFoundError, "which does not exist"),
        ("an empty folder", 'load_imdb("train", folder)', ValueError, "found 0 and 0"),
        ("a folder for a text", "load_tiny_shakespeare(folder)", ValueError, "is a folder"),
        ("a text that is not UTF-8", r'read_text(written(folder, "一个温暖的星期一".encode("gb18030")))', ValueError, 'encoding="gb18030"'),
        ("the same in lines", r'read_lines(written(folder, "un été\n".encode("latin-1")))', ValueError, 'is not utf-8 text: byte 0xe9 at position 3. Try encoding="gb18030" for Chinese, "latin-1" for'),
        ("an encoding that there is not", 'read_text(written(folder, b"a"), encoding="utf-9")', ValueError, "utf-9"),
        ("a text that is not there", 'read_text(folder / "none.txt")', FileNotFoundError, "none.txt"),
        ("a folder for a file", "read_text(folder)", ValueError, "is a folder"),
        ("an empty file", 'read_text(written(folder, b""))', ValueError, "mine.txt holds no text"),
        ("a file of empty lines", r'read_lines(written(folder, b"\n \n"))', ValueError, "mine.txt holds no text"),
        ("results that nobody measured", 'load_results("99", folder)', FileNotFoundError, "there are: none"),
        ("a number for a file's content", 'write_atomic(folder / "x", 3)', TypeError, "must be str or bytes, got int"),
        ("a folder that is not there", 'write_atomic(folder / "no" / "x", "a")', FileNotFoundError, "create it first"),
        ("a model's file by another name", 'save_model(lm, folder / "model.h5")', ValueError, "must end in .keras"),
        ("weights for a model", 'save_model(lm.get_weights(), folder / "model.keras")', TypeError, "model must be a keras.Model, got list"),
        ("a lone surrogate to store", r'write_atomic(folder / "x", "\ud800")', ValueError, "surrogates not allowed"),
    ],
}  # fmt: skip


def names():
    """What the calls see: lmkit's names, and the small things that HEAD describes."""
    import keras
    import numpy as np

    import lmkit
    from lmkit import models, stories, tokenizers, vectors

    found = {}
    for module in (getattr(lmkit, name) for name in lmkit.__all__):
        public = getattr(module, "__all__", None) or vars(module)
        found |= {name: getattr(module, name) for name in public}
    small = {"vocab_size": 9, "embed_dim": 2, "units": 3}
    compiled = models.RecurrentLM(**small)
    compiled.compile("sgd", "sparse_categorical_crossentropy")
    return found | {
        "np": np,
        "keras": keras,
        "ops": keras.ops,
        "encode_stories": stories.encode,
        "rng": np.random.default_rng(0),
        "lm": models.RecurrentLM(**small),
        "gpt": models.TransformerLM(
            vocab_size=9, max_length=6, embed_dim=8, num_heads=2, ff_dim=16, num_layers=1
        ),
        "classifier": models.rnn_classifier(9, 2, 3),
        "words": tokenizers.WordTokenizer.train(["a warm film"]),
        "vectors": vectors.WordVectors(["man", "king", "nothing"], [[1, 0], [1, 1], [0, 0]]),
        "x": np.ones((1, 2, 4), "float32"),
        "ids": np.ones((2, 3), "int32"),
        "compiled": compiled,
        "damaged": damaged,
        "old_file": old_file,
        "written": written,
        "follow": lambda ids: np.zeros(6),
    }


def damaged(folder):
    """A folder in it whose only checkpoint is empty."""
    place = folder / "damaged"
    place.mkdir()
    (place / "000000000004.checkpoint").touch()
    return place


def written(folder, data):
    """A file with these bytes in it."""
    path = folder / "mine.txt"
    path.write_bytes(data)
    return path


def old_file(folder):
    """A model's file as lmkit 0.1 wrote it: its configuration has no format."""
    import json
    import zipfile

    names = "vocab_size max_length embed_dim num_heads ff_dim num_layers".split()
    sizes = dict(zip(names, (9, 6, 8, 2, 16, 1), strict=True)) | {"dropout": 0.0, "causal": True}
    config = {
        "module": "lmkit.models",
        "class_name": "TransformerLM",
        "config": {"name": "transformer_lm", "trainable": True, **sizes},
        "registered_name": "lmkit>TransformerLM",
    }
    path = folder / "old.keras"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("metadata.json", json.dumps({"keras_version": "3.15.1"}))
        archive.writestr("config.json", json.dumps(config))
        archive.writestr("model.weights.h5", b"")
    return path


def message(call, found, folder):
    """The error that a call raises, and its message as it stands on the page."""
    try:
        eval(call, {**found, "folder": pathlib.Path(folder)})
    except Exception as error:
        text = re.sub(r"\x1b\[\d+m", "", str(error))
        # Keras numbers models and layers: the number says how many there were before.
        text = re.sub(r"\b(recurrent_lm|simple_rnn)_\d+", r"\1", text)
        # Keras puts the layer's name before a layer's message and its arguments behind it.
        text = re.sub(r"Exception encountered when calling \w+\.call\(\)\.\s+", "", text)
        text = text.split("\n\nArguments received by")[0]
        text = text.replace(str(folder), "FOLDER").replace("\n", " ")
        return type(error), re.sub(r"FOLDER\S+", lambda path: path[0].replace("\\", "/"), text)
    return None, "no error"


def cell(text):
    """Text that stays in one cell of a Markdown table."""
    return text.replace("|", "\\|")


def page():
    """The whole page."""
    found, lines = names(), [HEAD]
    with tempfile.TemporaryDirectory() as folder:
        for title, cases in CASES.items():
            lines += [
                f"## {title}\n",
                "| what is wrong | the call | what it is told |",
                "|---|---|---|",
            ]
            for what, call, _, _ in cases:
                kind, text = message(call, found, folder)
                name = kind.__name__ if kind else "nothing"
                lines.append(f"| {what} | `{cell(call)}` | {name}: {cell(text)} |")
            lines.append("")
    return "\n".join(lines)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8", newline="\n")
