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

Every row is a call that cannot work, tried by `tests/test_bad_input.py`, and the message that
it gets: `python tests/bad_input.py` writes this page. `lm` is an `lstm_lm` of 9 ids, `gpt` a
`TransformerLM` of 9 ids and 6 positions, `words` a `WordTokenizer`, `x` an array of ones
`(1, 2, 4)`, `ids` two rows of three, `compiled` an `lstm_lm` that is ready for them, `follow` a
next-token function of 6 ids, `folder` an empty folder, `damaged` puts an empty checkpoint into
one. `lm` and the classifiers are plain Keras models: given a list or a text they say so in
Keras's words, which are not listed here. A model whose `fit` has failed is to be compiled again.
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
        ("the padding's name among the words to learn", 'SplitTokenizer.train(["[PAD] ran"])', ValueError, "the texts hold '[PAD]', which stands for no text"),
        ("the padding's name in a text", 'SplitTokenizer.train(["Mia ran ."]).encode("[PAD] ran")', ValueError, "token '[PAD]' at position 0"),
        ("a vocabulary too small for the text", 'CharTokenizer.train(["abcd"], vocab_size=4)', ValueError, "needs a vocab_size of 6, got 4"),
        ("a vocabulary of text", 'WordTokenizer.train(["a"], vocab_size="many")', ValueError, "whole number of at least 3, got 'many'"),
        ("padding on the left, misnamed", 'words.encode_batch(["a"], 3, padding="left")', ValueError, 'must be "pre" (left) or "post" (right)'),
        ("rows of half a token", 'words.encode_batch(["a"], 2.5)', ValueError, "whole number of at least 1, got 2.5"),
        ("an id beyond the vocabulary", "words.decode([99])", ValueError, "id 99 is outside the vocabulary: ids run from 0 to 4"),
        ("ids with a fraction", "words.decode([2.0])", TypeError, "whole numbers, got float64"),
        ("text for ids", 'words.decode("film")', TypeError, "got text: encode it first"),
        ("tokens without padding", 'WordTokenizer(["a", "b"])', ValueError, "first tokens must be '[PAD]' and '[UNK]'"),
        ("a token twice", 'WordTokenizer(["[PAD]", "[UNK]", "a", "a"])', ValueError, "'a' occurs again"),
    ],
    "Ids, windows, labels": [
        ("rows of different lengths", "check_ids([[5, 2], [7]], 9)", ValueError, "rows of one length"),
        ("an id beyond the vocabulary", "check_ids([[5, 9]], 9)", ValueError, "id 9 in row 0, column 1"),
        ("an id below 0", "check_ids([[5, -1]], 9)", ValueError, "id -1 in row 0, column 1"),
        ("an id beyond int32", "cut_windows([2**40, 3, 4], 2)", ValueError, "id 1099511627776 at position 0"),
        ("nothing but padding", "check_ids([[5], [0]], 9)", ValueError, "row 1 is all padding"),
        ("an empty batch", "check_ids(np.zeros((0, 3), int), 9)", ValueError, "not empty, got shape (0, 3)"),
        ("text for ids", 'cut_windows("hello", 2)', TypeError, "got text: encode it first"),
        ("a text shorter than a window", "cut_windows([5, 2], 2)", ValueError, "shorter than one window"),
        ("padding inside a text", "cut_windows([5, 0, 2, 4], 2)", ValueError, "id 0 at position 1"),
        ("a window of nothing", "cut_windows([5, 2], 0)", ValueError, "length must be a whole number of at least 1"),
        ("targets not shifted", "check_shifted([[4, 7, 5]], [[4, 7, 5]])", ValueError, "use ids[:, :-1] and ids[:, 1:]"),
        ("a label of 2", "confusion_matrix([0, 2], [0, 1])", ValueError, "label 2 at position 1 is not 0 or 1"),
        ("fewer predictions than labels", "confusion_matrix([0, 1], [0])", ValueError, "2 labels, but 1 predictions"),
        ("an n-gram of nothing", "ngram_probabilities([[1]], [[1]], 0, 3)", ValueError, "order must be a whole number of at least 1"),
        ("no rows to count in", "ngram_probabilities(None, [[1]], 1, 3)", TypeError, "list of rows of ids, got NoneType"),
    ],
    "Choosing tokens": [
        ("a negative temperature", "sample_token([0.0, 1.0], -1, rng)", ValueError, "at least 0, got -1"),
        ("a temperature that is no number", 'sample_token([0.0, 1.0], float("nan"), rng)', ValueError, "at least 0, got nan"),
        ("a seed for a generator", "sample_token([0.0, 1.0], 1.0, 0)", TypeError, "np.random.default_rng(seed), got 0"),
        ("NaN among the logits", "sample_token([0.0, np.nan], 0)", ValueError, "logit 1 is nan"),
        ("every token impossible", "sample_token([-np.inf, -np.inf], 0)", ValueError, "no token is possible"),
        ("more tokens than there are", "keep_likely([0.0, 1.0], top_k=3)", ValueError, "at most the vocabulary's 2, got 3"),
        ("a share above 1", "keep_likely([0.0, 1.0], top_p=1.5)", ValueError, "top_p must be above 0 and at most 1"),
        ("text for logits", 'keep_likely("abc")', ValueError, "logits must be numbers"),
        ("an empty prompt", "generate(follow, [], 3)", ValueError, "the prompt is empty"),
        ("text for a prompt", 'generate(follow, "Once", 3)', TypeError, "got text: encode it first"),
        ("a prompt outside the vocabulary", "generate(follow, [7], 3)", ValueError, "id 7 at position 0"),
        ("a model for a function", "generate(lm, [1], 3)", TypeError, "RecurrentDecoder(model)"),
        ("nothing for a function", "generate(None, [1], 3)", TypeError, "must be a function, got NoneType"),
        ("a function that says nothing", "generate(lambda ids: None, [1], 3)", ValueError, "one row (vocab,)"),
        ("text for a seed", 'generate(follow, [1], 3, seed="x")', ValueError, "seed must be a whole number of at least 0"),
        ("a seed below 0", "generate(follow, [1], 3, seed=-1)", ValueError, "seed must be a whole number of at least 0"),
        ("a word for the last id", 'generate(follow, [1], 3, stop="[END]")', TypeError, "got text: encode it first"),
        ("prompts not nested", "generate_batch(follow, [1, 2], 3)", TypeError, "one row of whole numbers"),
        ("a beam of nothing", "beam_search(follow, [1], 3, 0)", ValueError, "width must be a whole number of at least 1"),
        ("a recurrent model's cache", "TransformerDecoder(lm)", TypeError, "give a TransformerLM"),
        ("a Transformer's states", "RecurrentDecoder(gpt)", ValueError, "cannot be fed one token after the other"),
        ("more than a model can read", "CompiledDecoder(gpt)([[1, 2, 3]], 9)", ValueError, "the model reads at most 6"),
    ],
    "Models and layers": [
        ("a size in quotes", 'lstm_lm("10")', ValueError, "vocab_size must be a whole number of at least 1"),
        ("everything dropped", "lstm_lm(10, dropout=1.0)", ValueError, "dropout must be at least 0 and below 1"),
        ("None dropped", "rnn_classifier(10, dropout=None)", ValueError, "dropout must be at least 0 and below 1"),
        ("an unknown cell", 'lstm_lm(10, cell="rnn")', ValueError, '"lstm", "gru" or "simple"'),
        ("a gate where there is none", 'lstm_lm(10, cell="simple", gate_bias=3)', ValueError, "has no gate"),
        ("a bias that is no number", 'lstm_lm(10, gate_bias=float("nan"))', ValueError, "finite number, got nan"),
        ("an unknown readout", 'rnn_classifier(10, readout="first")', ValueError, '"last" or "mean"'),
        ("heads that do not divide", "TransformerLM(9, 6, 8, 3, 16, 1)", ValueError, "multiple of num_heads, got 8 and 3"),
        ("a text too long", 'gpt(np.ones((1, 7), "int32"))', ValueError, "at most 6 ids (max_length), got 7"),
        ("a list for an array", "gpt([[1, 2, 3]])", TypeError, "ids must be an array (batch, time), got list"),
        ("text for ids", 'gpt("hello")', TypeError, "ids must be an array (batch, time), got str"),
        ("nothing for ids", "gpt(None)", TypeError, "ids must be an array (batch, time), got NoneType"),
        ("a row for a batch", 'gpt(np.ones(3, "int32"))', ValueError, "ids must be (batch, time), got shape (3,)"),
        ("a learning rate of 0", "compile_lm(lm, 0, steps=200)", ValueError, "learning_rate must be above 0"),
        ("fewer steps than warmup", "compile_lm(lm, 1e-3, steps=50)", ValueError, "steps must be a whole number of at least 101"),
        ("nothing to compile", "compile_lm(None, 1e-3, steps=200)", TypeError, "keras.Model, got NoneType"),
        ("other channels in keys", "attention_weights(x, x[..., :3])", ValueError, "equally many channels, got 4 and 3"),
        ("fewer values than keys", "attend(x, x, x[:, :1])", ValueError, "equally many positions, got 2 and 1"),
        ("a mask of numbers", 'attention_weights(x, x, np.ones((2, 2), "float32"))', TypeError, "mask must be boolean"),
        ("a mask of another size", "attention_weights(x, x, np.ones((3, 3), bool))", ValueError, "mask must fit (1, 2, 2)"),
        ("a mask of length -1", "causal_mask(-1)", ValueError, "length must be a whole number of at least 1"),
        ("heads that do not divide", "split_heads(x, 3)", ValueError, "a multiple of 3 channels"),
        ("an input of other channels", "MultiHeadSelfAttention(8, 2)(x)", ValueError, "must be (batch, time, 8), got (1, 2, 4)"),
        ("an odd number of channels", "sinusoidal_positions(4, 3)", ValueError, "embed_dim must be even"),
        ("a vector without a position", "rotate(x, [0])", ValueError, "2 vectors need as many positions"),
        ("two numbers to differentiate", "value_and_gradients(lambda x: x, [1.0, 2.0])", ValueError, "one number, got shape (2,)"),
        ("whole numbers to differentiate", "value_and_gradients(ops.sum, [1, 2])", TypeError, "must hold floats to have a gradient"),
    ],
    "Training that can be killed": [
        ("a model that is not compiled", "fit_with_backup(lm, ids, ids, folder)", ValueError, "is not compiled: call model.compile first"),
        ("a name for a model", 'fit_with_backup("lm", ids, ids, folder)', TypeError, "model must be a keras.Model, got str"),
        ("fewer targets than rows", "fit_with_backup(compiled, ids, ids[1:], folder)", ValueError, "x and y need as many rows, got 2 and 1"),
        ("texts for rows", 'fit_with_backup(compiled, ["a film"], ids, folder)', ValueError, "x must be a NumPy array of numbers"),
        ("no rows", "fit_with_backup(compiled, ids[:0], ids[:0], folder)", ValueError, "not empty, got int32 of shape (0, 3)"),
        ("no folder", 'fit_with_backup(compiled, ids, ids, "")', ValueError, "backup_dir must be the path of a folder, got ''"),
        ("half an epoch", "fit_with_backup(compiled, ids, ids, folder, epochs=0.5)", ValueError, "epochs must be a whole number of at least 1, got 0.5"),
        ("a batch of nothing", "fit_with_backup(compiled, ids, ids, folder, batch_size=0)", ValueError, "batch_size must be a whole number of at least 1, got 0"),
        ("a save at every batch, misspelt", 'fit_with_backup(compiled, ids, ids, folder, save_freq="batch")', ValueError, "got 'batch'"),
        ("a function for a callback", "fit_with_backup(compiled, ids, ids, folder, callbacks=[print])", TypeError, "callbacks must be a list of callbacks, got builtin"),
        ("nothing but damaged checkpoints", "fit_with_backup(compiled, ids, ids, damaged(folder))", ValueError, "no checkpoint is whole: FOLDER"),
    ],
    "Measures and figures": [
        ("one target for two logits", "token_losses(np.zeros((1, 2, 3)), [[1]])", ValueError, "need one target a row"),
        ("a target without a logit", "token_losses(np.zeros((1, 3)), [3])", ValueError, "target 3 has no logit"),
        ("targets with a fraction", "token_losses(np.zeros((1, 3)), [1.0])", TypeError, "whole numbers, got float64"),
        ("targets of another length", "Perplexity().update_state(np.ones((1, 3), int), x)", ValueError, "targets (1, 3) do not fit logits (1, 2, 4)"),
        ("a pair with one score", "pair_accuracy([0.5, 0.5], [0.5])", ValueError, "2 positive scores, but 1 negative"),
        ("a score that is no number", "pair_accuracy([np.nan], [0.5])", ValueError, "score 0 is not a number"),
        ("a floor in quotes", 'GapToFloor([[1, 2]], "low")', ValueError, "floor must be a number of at least 0"),
        ("stories padded on the left", "GapToFloor([[0, 2]], 0.3)", ValueError, "pad on the right"),
        ("a text for a function", 'TextSample("Once")', TypeError, "generate must be a function, got str"),
        ("a metric that was not kept", 'plot_history({"loss": [1.0]}, "accuracy")', ValueError, "holds loss, not 'accuracy'"),
        ("a model for a history", "plot_history(lm)", TypeError, "what fit returned"),
        ("no seeds", 'plot_seeds({"RNN": []})', ValueError, "'RNN' has no values"),
        ("names that do not fit", 'plot_matrix([[1]], ["a", "b"], ["c"])', ValueError, "2 x 1 names"),
        ("a negative part", 'plot_split({"a": [-1.0]}, ["x"])', ValueError, "at least 0"),
    ],
    "Stories": [
        ("a language that nobody made", 'sample_stories(1, 0, language="de")', ValueError, "'en', 'zh' or a Grammar"),
        ("no stories", "sample_stories(0, 0)", ValueError, "count must be at least 1"),
        ("half a seed", "sample_stories(1, 0.5)", TypeError, "seed must be a whole number"),
        ("a word that cannot come", 'log_probabilities("Once upon a time")', ValueError, "'One' could have come"),
        ("a story that breaks off", 'log_probabilities("One warm Monday")', ValueError, "breaks off at position 3"),
        ("a number for a story", "encode_stories([3])", TypeError, "a story must be a string, got int"),
        ("an empty list", "encode_stories([])", ValueError, "there are no stories"),
        ("what comes after the end", "next_token_distribution(sample_stories(1, 0)[0])", ValueError, "the story is over"),
    ],
    "Files": [
        ("an unknown split", 'load_reviews("dev")', ValueError, "train, validation, test; got 'dev'"),
        ("a folder without reviews", 'load_reviews("test", folder)', FileNotFoundError, "is missing; it ships with the course"),
        ("a path that leads nowhere", 'load_imdb("train", folder / "none")', FileNotFoundError, "which does not exist"),
        ("an empty folder", 'load_imdb("train", folder)', ValueError, "found 0 and 0"),
        ("a folder for a text", "load_tiny_shakespeare(folder)", ValueError, "path must name the text file itself"),
        ("results that nobody measured", 'load_results("99", folder)', FileNotFoundError, "there are: none"),
        ("a number for a file's content", 'write_atomic(folder / "x", 3)', TypeError, "str or bytes, got int"),
        ("a folder that is not there", 'write_atomic(folder / "no" / "x", "a")', FileNotFoundError, "create it first"),
        ("a model's file by another name", 'save_model(lm, folder / "model.h5")', ValueError, "must end in .keras"),
        ("weights for a model", 'save_model(lm.get_weights(), folder / "model.keras")', TypeError, "model must be a keras.Model, got list"),
        ("a lone surrogate to store", r'write_atomic(folder / "x", "\ud800")', ValueError, "surrogates not allowed"),
    ],
}  # fmt: skip


def names():
    """What the calls see: lmkit's names, and the small things that HEAD describes."""
    import numpy as np
    from keras import ops

    import lmkit
    from lmkit import models, stories, tokenizers

    modules = (getattr(lmkit, name) for name in lmkit.__all__)
    found = {name: value for module in modules for name, value in vars(module).items()}
    compiled = models.lstm_lm(9, 2, 3)
    compiled.compile("sgd", "sparse_categorical_crossentropy")
    return found | {
        "np": np,
        "ops": ops,
        "encode_stories": stories.encode,
        "rng": np.random.default_rng(0),
        "lm": models.lstm_lm(9, 2, 3),
        "gpt": models.TransformerLM(9, 6, 8, 2, 16, 1),
        "words": tokenizers.WordTokenizer.train(["a warm film"]),
        "x": np.ones((1, 2, 4), "float32"),
        "ids": np.ones((2, 3), "int32"),
        "compiled": compiled,
        "damaged": damaged,
        "follow": lambda ids: np.zeros(6),
    }


def damaged(folder):
    """A folder in it whose only checkpoint is empty."""
    place = folder / "damaged"
    place.mkdir()
    (place / "000000000004.checkpoint").touch()
    return place


def message(call, found, folder):
    """The error that a call raises, and its message as it stands on the page."""
    try:
        eval(call, {**found, "folder": pathlib.Path(folder)})
    except Exception as error:
        text = re.sub(r"\x1b\[\d+m", "", str(error))
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
