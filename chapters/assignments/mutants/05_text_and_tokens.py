"""Wrong solutions of assignment 05."""

from mutants import Mutant, changed, wrong_answers

CLEAN = """
def clean(text):
    text = text.removeprefix("\\ufeff")
    text = text.replace("\\r\\n", "\\n").replace("\\r", "\\n")
    text = unicodedata.normalize("NFC", html.unescape(text))
    text = re.sub(r"[^\\S\\n]+$", "", text, flags=re.M)
    return re.sub(r"(?<=\\S)[^\\S\\n]+", " ", text)
"""

MERGES = """
def count_pairs(words):
    pairs = collections.Counter()
    for ids, count in words.items():
        for pair in itertools.pairwise(ids):
            pairs[pair] += count
    return pairs


def merge(ids, pair, new_id):
    merged, place = [], 0
    while place < len(ids):
        found = tuple(ids[place : place + 2]) == tuple(pair)
        merged.append(new_id if found else ids[place])
        place += 2 if found else 1
    return tuple(merged)


def train_merges(counts, number):
    words, merges = {tuple(word.encode()): count for word, count in counts.items()}, []
    while len(merges) < number and (pairs := count_pairs(words)):
        best = min(pairs, key=lambda pair: (-pairs[pair], pair))
        if pairs[best] < 2:
            break
        words = {merge(ids, best, 256 + len(merges)): count for ids, count in words.items()}
        merges.append(best)
    return merges
"""

ENCODE = """
def encode(text, merges):
    all_ids = []
    for part in WORD.findall(text):
        ids = tuple(part.encode())
        for number, pair in enumerate(merges):
            ids = merge(ids, pair, 256 + number)
        all_ids += ids
    return all_ids


def decode(ids, merges):
    pieces = [bytes([b]) for b in range(256)]
    for left, right in merges:
        pieces.append(pieces[left] + pieces[right])
    return b"".join(pieces[i] for i in ids).decode("utf-8", errors="replace")
"""

SPELLED = """
def spelled(i, merges):
    return "".join(spelled(j, merges) for j in merges[i - 256]) if i > 255 else chr(i)


"""

LONGEST = """
def encode(text, merges):
    all_ids = []
    pieces = [bytes([b]) for b in range(256)]
    for left, right in merges:
        pieces.append(pieces[left] + pieces[right])
    known = {piece: id_ for id_, piece in enumerate(pieces)}
    for part in WORD.findall(text):
        data = part.encode()
        while data:
            end = max(end for end in range(1, len(data) + 1) if data[:end] in known)
            all_ids.append(known[data[:end]])
            data = data[end:]
    return all_ids"""

WORDS = """
def match_both_ways(text, words):
    longest = max(map(len, words), default=1)
    front, start = [], 0
    while start < len(text):
        ends = range(min(start + longest, len(text)), start, -1)
        end = next((end for end in ends if text[start:end] in words), start + 1)
        front.append(text[start:end])
        start = end
    back, end = [], len(text)
    while end > 0:
        starts = range(max(end - longest, 0), end)
        start = next((start for start in starts if text[start:end] in words), end - 1)
        back.insert(0, text[start:end])
        end = start
    return front if len(front) < len(back) else back


def word_prf(gold, predicted):
    if "".join(gold) != "".join(predicted):
        raise ValueError("gold and predicted do not join to the same text")
    ends = (itertools.accumulate(map(len, words)) for words in (gold, predicted))
    wanted, found = (set(itertools.pairwise([0, *places])) for places in ends)
    correct = len(wanted & found)
    precision, recall = correct / max(len(found), 1), correct / max(len(wanted), 1)
    return precision, recall, 2 * correct / max(len(found) + len(wanted), 1)
"""

BITS = """
def bits_per_byte(texts, encode, decode, log_probs, length):
    nats, size = 0.0, 0
    for text in texts:
        ids = encode(text)
        if decode(ids) != text:
            raise ValueError(f"the tokenizer does not give back {text[:40]!r}")
        for start in range(0, len(ids), length):
            window = ids[start : start + length]
            rows = log_probs(window)
            for t in range(len(window)):
                nats -= rows[t, window[t]]
        size += len(text.encode("utf-8"))
    return nats / np.log(2) / size
"""

MEAN_OF_TEXTS = """
def bits_per_byte(texts, encode, decode, log_probs, length):
    results = []
    for text in texts:
        ids, cost = encode(text), 0.0
        if decode(ids) != text:
            raise ValueError("lossy")
        for start in range(0, len(ids), length):
            window = ids[start : start + length]
            rows = log_probs(window)
            cost -= sum(rows[t, window[t]] for t in range(len(window)))
        results.append(cost / np.log(2) / len(text.encode()))
    return sum(results) / len(results)
"""

PIECES = """
def contexts(ids, start):
    padded = np.concatenate([[start] * 4, ids]).astype("int32")
    return np.stack([padded[place : place + len(ids)] for place in range(4)], axis=1)


def fit_pieces(ids, vocab_size, start):
    model = keras.Sequential(
        [
            keras.Input((4,), dtype="int32"),
            keras.layers.Embedding(vocab_size, 16),
            keras.layers.Flatten(),
            keras.layers.Dense(64, activation="relu"),
            keras.layers.Dense(vocab_size),
        ]
    )
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(0.005), loss, jit_compile=False)
    model.fit(contexts(ids, start), ids, batch_size=128, epochs=3, verbose=0)
    return model


def cost_in_bits(model, ids, start):
    logits = model.predict(contexts(ids, start), batch_size=1024, verbose=0).astype(float)
    log_p = logits - np.logaddexp.reduce(logits, axis=-1, keepdims=True)
    return -log_p[np.arange(len(ids)), ids].sum() / np.log(2)
"""


def cleaned(mistake, killed_by, hint, *changes, hidden=""):
    """A mutant of task 1."""
    return Mutant("task_1_clean", mistake, changed(CLEAN, *changes), killed_by, hint, hidden)


def merges(mistake, killed_by, hint, *changes, hidden=""):
    """A mutant of task 2."""
    return Mutant("task_2_merges", mistake, changed(MERGES, *changes), killed_by, hint, hidden)


_encode = wrong_answers("task_3_encode", ENCODE)
_bits = wrong_answers("task_6_bits_per_byte", BITS)
_pieces = wrong_answers("task_7_pieces", PIECES)


def cut(mistake, killed_by, hint, *changes, hidden=""):
    """A mutant of task 4."""
    return Mutant("task_4_words", mistake, changed(WORDS, *changes), killed_by, hint, hidden)


NFC = 'unicodedata.normalize("NFC", html.unescape(text))'
ENDS = '    text = re.sub(r"[^\\S\\n]+$", "", text, flags=re.M)\n'
INSIDE = 're.sub(r"(?<=\\S)[^\\S\\n]+", " ", text)'
LINES = '.replace("\\r\\n", "\\n").replace("\\r", "\\n")'
PAIRS = "for pair in itertools.pairwise(ids):"
STEP = "place += 2 if found else 1"
BEST = "min(pairs, key=lambda pair: (-pairs[pair], pair))"
NEW = "{merge(ids, best, 256 + len(merges)): count for ids, count in words.items()}"
BYTES = "tuple(word.encode()): count"
PARTS = "WORD.findall(text)"
DECODED = '.decode("utf-8", errors="replace")'
JOINED = 'b"".join(pieces[i] for i in ids).decode("utf-8", errors="replace")'
MATCHED = "return front if len(front) < len(back) else back"
SAME = '    if "".join(gold) != "".join(predicted):\n'
CHECKED = SAME + '        raise ValueError("gold and predicted do not join to the same text")\n'
F1 = "2 * correct / max(len(found) + len(wanted), 1)"
RATIOS = "correct / max(len(found), 1), correct / max(len(wanted), 1)"
SPANS = "(set(itertools.pairwise([0, *places])) for places in ends)"
LOSSY = "        if decode(ids) != text:\n"
RAISED = LOSSY + (
    '            raise ValueError(f"the tokenizer does not give back {text[:40]!r}")\n'
)
PAID = "nats -= rows[t, window[t]]"
STACK = "padded[place : place + len(ids)] for place in range(4)"
FIT = "batch_size=128, epochs=3, verbose=0"
COST = "-log_p[np.arange(len(ids)), ids].sum() / np.log(2)"
NORMED = "logits - np.logaddexp.reduce(logits, axis=-1, keepdims=True)"

MUTANTS = [
    cleaned(
        "the byte order mark stays",
        "check_1_lines",
        "still there",
        ('.removeprefix("\\ufeff")', ""),
    ),
    cleaned(
        "every mark is removed",
        "check_1_lines",
        "a mark in the middle stays",
        ('removeprefix("\\ufeff")', 'replace("\\ufeff", "")'),
    ),
    cleaned(
        "\\r before \\r\\n",
        "check_1_lines",
        "two line ends",
        (LINES, '.replace("\\r", "\\n").replace("\\r\\n", "\\n")'),
    ),
    cleaned(
        "a single \\r is no line end",
        "check_1_lines",
        "it is a line end",
        ('.replace("\\r", "\\n")', ""),
    ),
    cleaned("nothing is returned", "check_1_lines", "returns nothing", ("return re", "re")),
    cleaned(
        "bytes are returned",
        "check_1_lines",
        "it must be a str",
        (f"return {INSIDE}", f"return {INSIDE}.encode()"),
    ),
    cleaned(
        "the last line end is lost",
        "check_1_space",
        "last line end has disappeared",
        (f"return {INSIDE}", f"return {INSIDE}.rstrip()"),
    ),
    cleaned(
        "only the last line's end is stripped",
        "check_1_space",
        "use flags=re.M",
        (", flags=re.M", ""),
    ),
    cleaned("entities remain", "check_1_characters", "entities remain", ("html.unescape", "")),
    cleaned(
        "entities are replaced twice",
        "check_1_characters",
        "replaced twice",
        ("html.unescape(text)", "html.unescape(html.unescape(text))"),
    ),
    cleaned("no NFC", "check_1_characters", "where is NFC", (NFC, "html.unescape(text)")),
    cleaned("NFKC", "check_1_characters", "NFKC", ('"NFC"', '"NFKC"')),
    cleaned(
        "NFC before the entities",
        "check_1_characters",
        "NFC must come after",
        (NFC, 'html.unescape(unicodedata.normalize("NFC", text))'),
    ),
    cleaned(
        "white space before the entities",
        "check_1_space",
        "entities come before white space",
        (f"    text = {NFC}\n", ""),
        (f"return {INSIDE}", f"text = {INSIDE}\n    return {NFC}"),
    ),
    cleaned(
        "spaces and tabs are all the white space there is",
        "check_1_space",
        "expected",
        (INSIDE, 're.sub(r"(?<=\\S)[ \\t]+", " ", text)'),
    ),
    cleaned(
        "the chapter's step, which destroys indentation",
        "check_1_space",
        "has become one space",
        ("(?<=\\S)", ""),
    ),
    cleaned(
        "every line is stripped",
        "check_1_space",
        "indentation is gone",
        (f"return {INSIDE}", 'return re.sub(r"^[^\\S\\n]+", "", ' + INSIDE + ", flags=re.M)"),
    ),
    cleaned(
        "white space at the ends of lines stays",
        "check_1_space",
        "ends of lines",
        (ENDS, ""),
    ),
    cleaned(
        "lines without text disappear",
        "check_1_space",
        "disappeared",
        (ENDS, '    text = re.sub(r"\\s*\\n", "\\n", text)\n'),
    ),
    cleaned(
        "splitlines: a line ends at a form feed, too",
        "check_1_space",
        "b",
        (
            f"return {INSIDE}",
            f'text = "\\n".join(text.splitlines() + [""] * text.endswith("\\n"))\n'
            f"    return {INSIDE}",
        ),
        hidden="only a teacher's text has form feeds and line separators",
    ),
    merges(
        "every word counts once",
        "check_2_count",
        "once for every time its word occurs",
        ("+= count", "+= 1"),
    ),
    merges(
        "a pair counts once in a word",
        "check_2_count",
        "contains the pair 97, 97 twice",
        (PAIRS, "for pair in set(itertools.pairwise(ids)):"),
    ),
    merges(
        "the counts of a word overwrite those of another",
        "check_2_count",
        "add the counts",
        ("pairs[pair] += count", "pairs[pair] = count"),
    ),
    merges(
        "a pair has no order",
        "check_2_count",
        "different pairs",
        ("pairs[pair] +=", "pairs[tuple(sorted(pair))] +="),
    ),
    merges(
        "a list of pairs and counts",
        "check_2_count",
        "it must be a dict",
        ("    return pairs\n", "    return list(pairs.items())\n"),
    ),
    merges("no pairs are returned", "check_2_count", "returns nothing", ("    return pairs\n", "")),
    merges("lists", "check_2_merge", "must be a tuple", ("return tuple(merged)", "return merged")),
    merges("an id is used twice", "check_2_merge", "used twice", (STEP, "place += 1")),
    merges(
        "from right to left",
        "check_2_merge",
        "not the last two",
        (
            "    merged, place = [], 0\n",
            "    ids, pair = tuple(ids)[::-1], tuple(pair)[::-1]\n    merged, place = [], 0\n",
        ),
        ("return tuple(merged)", "return tuple(merged)[::-1]"),
    ),
    merges(
        "only the first occurrence",
        "check_2_merge",
        "only the first",
        ("== tuple(pair)", "== tuple(pair) and new_id not in merged"),
    ),
    merges(
        "the last id is lost",
        "check_2_merge",
        "expected",
        ("while place < len(ids):", "while place < len(ids) - 1:"),
    ),
    merges(
        "the pair met first wins",
        "check_2_ties",
        "not the pair met first",
        (BEST, "max(pairs, key=pairs.get)"),
    ),
    merges(
        "the largest ids win",
        "check_2_ties",
        "not the largest",
        (BEST, "max(pairs, key=lambda pair: (pairs[pair], pair))"),
    ),
    merges(
        "ties by spelling",
        "check_2_ties",
        "compare ids",
        ("def train_merges", SPELLED + "def train_merges"),
        (BEST, "min(pairs, key=lambda pair: (-pairs[pair], *(spelled(i, merges) for i in pair)))"),
    ),
    merges(
        "only the first piece decides a tie",
        "check_2_ties",
        "smaller second id",
        (BEST, "min(pairs, key=lambda pair: (-pairs[pair], pair[0]))"),
    ),
    merges(
        "the pairs are not counted again",
        "check_2_train",
        "count again",
        (
            "    while len(merges) < number and (pairs := count_pairs(words)):\n",
            "    pairs = count_pairs(words)\n    while len(merges) < number and pairs:\n",
        ),
        ("        merges.append(best)\n", "        merges.append(best)\n        del pairs[best]\n"),
    ),
    merges(
        "new ids start from 0",
        "check_2_train",
        "makes the id 256",
        ("256 + len(merges)", "len(merges)"),
    ),
    merges(
        "new ids start from 257",
        "check_2_train",
        "not 257",
        ("256 + len(merges)", "257 + len(merges)"),
    ),
    merges(
        "letters instead of bytes",
        "check_2_train",
        "these are letters",
        (BYTES, "tuple(word): count"),
    ),
    merges(
        "pairs that occur twice are not merged",
        "check_2_ties",
        "exactly twice",
        ("pairs[best] < 2", "pairs[best] <= 2"),
    ),
    merges(
        "an error when no pair is left",
        "check_2_train",
        "no pairs left",
        (" and (pairs := count_pairs(words)):\n", ":\n        pairs = count_pairs(words)\n"),
    ),
    merges(
        "characters instead of bytes",
        "check_2_train",
        "two bytes",
        (BYTES, "tuple(map(ord, word)): count"),
    ),
    merges(
        "pairs that occur once are merged",
        "check_2_train",
        "occurs once",
        ("pairs[best] < 2", "pairs[best] < 1"),
    ),
    merges(
        "stops one merge late",
        "check_2_train",
        "one merge too many",
        ("len(merges) < number", "len(merges) <= number"),
    ),
    _encode(
        "the last merge first",
        "check_3_order",
        "order of the list",
        ("enumerate(merges)", "reversed([*enumerate(merges)])"),
    ),
    _encode(
        "the longest piece that fits",
        "check_3_order",
        "order of the list",
        (ENCODE.split("\n\n\n")[0], LONGEST),
    ),
    _encode("no merges", "check_3_order", "no merge was applied", ("enumerate(merges)", "[]")),
    _encode(
        "every merge is applied to the part's bytes only",
        "check_3_order",
        "expected",
        ("        for number", "        first = ids\n        for number"),
        ("ids = merge(ids,", "ids = merge(first,"),
    ),
    _encode(
        "new ids start from 0",
        "check_3_order",
        "makes the id 256",
        ("256 + number", "number"),
    ),
    _encode(
        "merges cross the borders",
        "check_3_split",
        "split with WORD first",
        (PARTS, "[text]"),
    ),
    _encode(
        "split at spaces",
        "check_3_split",
        "space",
        (PARTS, "text.split()"),
    ),
    _encode(
        "a list for each part",
        "check_3_order",
        "list of lists",
        ("all_ids += ids", "all_ids.append(list(ids))"),
    ),
    _encode(
        "a tuple for each part",
        "check_3_order",
        "list of tuples",
        ("all_ids += ids", "all_ids.append(ids)"),
    ),
    _encode(
        "an array for each part",
        "check_3_order",
        "expected [97, 256]",
        ("all_ids += ids", "all_ids.append(np.array(ids))"),
    ),
    _encode(
        "a tuple", "check_3_order", "it must be a list", ("return all_ids", "return tuple(all_ids)")
    ),
    _encode("bytes are returned", "check_3_bytes", "it must be a str", (DECODED, "")),
    _encode(
        "code points",
        "check_3_bytes",
        "code point",
        ("tuple(part.encode())", "tuple(map(ord, part))"),
    ),
    _encode(
        "every piece is decoded on its own",
        "check_3_bytes",
        "decoded on its own",
        (JOINED, '"".join(pieces[i].decode("utf-8", errors="replace") for i in ids)'),
    ),
    _encode(
        "bytes that are no text are an error",
        "check_3_bytes",
        "half a character",
        (', errors="replace"', ""),
    ),
    _encode(
        "bytes that are no text are left out",
        "check_3_bytes",
        "becomes a �",
        ('errors="replace"', 'errors="ignore"'),
    ),
    _encode(
        "bytes become characters",
        "check_3_bytes",
        "decode them as UTF-8",
        ('"utf-8", errors="replace"', '"latin-1"'),
    ),
    cut(
        "the shortest word",
        "check_4_match",
        "the shortest word",
        (
            "range(min(start + longest, len(text)), start, -1)",
            "range(start + 1, min(start + longest, len(text)) + 1)",
        ),
        (
            "starts = range(max(end - longest, 0), end)",
            "starts = range(end - 1, max(end - longest, 0) - 1, -1)",
        ),
    ),
    cut(
        "two characters at most",
        "check_4_match",
        "研究生 is longer",
        ("max(map(len, words), default=1)", "2"),
    ),
    cut(
        "unknown characters are left out",
        "check_4_match",
        "unknown character",
        ("        front.append", "        if text[start:end] in words:\n            front.append"),
        ("        back.insert", "        if text[start:end] in words:\n            back.insert"),
    ),
    cut(
        "only from the front",
        "check_4_both",
        "the backward match wins",
        (MATCHED, "return front"),
    ),
    cut("only from the end", "check_4_both", "forwards there are", (MATCHED, "return back")),
    cut(
        "among equals, the front",
        "check_4_both",
        "the backward match wins",
        ("(front) <", "(front) <="),
    ),
    cut(
        "more words win",
        "check_4_both",
        "expected",
        ("len(front) < len(back)", "len(front) > len(back)"),
    ),
    cut(
        "the words from the end are not turned around",
        "check_4_match",
        "wrong order",
        ("back.insert(0, text[start:end])", "back.append(text[start:end])"),
    ),
    cut(
        "the text is turned around, the dictionary is not",
        "check_4_both",
        "expected",
        (
            "    back, end = [], len(text)\n",
            "    text = text[::-1]\n    back, end = [], len(text)\n",
        ),
        ("back.insert(0, text[start:end])", "back.append(text[start:end][::-1])"),
    ),
    cut(
        "borders instead of words",
        "check_4_spans",
        "borders between words",
        (SPANS, "(set([*places][:-1]) for places in ends)"),
    ),
    cut(
        "precision and recall are swapped",
        "check_4_spans",
        "swapped",
        (RATIOS, "correct / max(len(wanted), 1), correct / max(len(found), 1)"),
    ),
    cut(
        "the arithmetic mean",
        "check_4_spans",
        "harmonic mean",
        (F1, "(precision + recall) / 2"),
    ),
    cut(
        "words anywhere",
        "check_4_spans",
        "not at the same place",
        ("correct = len(wanted & found)", "correct = len(set(gold) & set(predicted))"),
    ),
    cut(
        "0 / 0",
        "check_4_spans",
        "no word is correct",
        (F1, "2 * precision * recall / (precision + recall)"),
    ),
    cut(
        "only F1 is returned",
        "check_4_spans",
        "must be three numbers",
        ("return precision, recall, 2", "return 2"),
    ),
    cut(
        "the words as one text",
        "check_4_match",
        "it must be a list",
        (MATCHED, MATCHED.replace("return ", 'return "|".join(') + ")"),
    ),
    cut(
        "an assertion instead of a ValueError",
        "check_4_text",
        "must be a ValueError",
        (CHECKED, '    assert "".join(gold) == "".join(predicted), "different texts"\n'),
    ),
    cut("different texts are compared", "check_4_text", "because the texts differ", (CHECKED, "")),
    _bits("nats", "check_6_bits", "nats", (" / np.log(2)", "")),
    _bits(
        "characters", "check_6_bits", "divide by bytes", ('len(text.encode("utf-8"))', "len(text)")
    ),
    _bits("per token", "check_6_bits", "not by the ids", ('len(text.encode("utf-8"))', "len(ids)")),
    _bits(
        "nothing is returned",
        "check_6_bits",
        "returns None",
        ("return nats", "nats"),
    ),
    _bits(
        "a list with one number",
        "check_6_bits",
        "must be one number",
        ("return nats / np.log(2) / size", "return [nats / np.log(2) / size]"),
    ),
    _bits(
        "an empty text is an error",
        "check_6_mean",
        "stops with AssertionError",
        ("        ids = encode(text)\n", "        ids = encode(text)\n        assert ids\n"),
    ),
    _bits("the sign is wrong", "check_6_bits", "sign", ("nats -=", "nats +=")),
    _bits(
        "the last window is dropped",
        "check_6_tokens",
        "the last window",
        ("range(0, len(ids), length)", "range(0, len(ids) - length + 1, length)"),
    ),
    _bits(
        "the text is cut to one window",
        "check_6_tokens",
        "only the first window",
        ("range(0, len(ids), length)", "[0]"),
    ),
    _bits(
        "the first id is free",
        "check_6_bits",
        "did not pay",
        ("range(len(window))", "range(1, len(window))"),
    ),
    _bits(
        "only the first id of later windows is free",
        "check_6_tokens",
        "first byte of later windows",
        ("range(len(window))", "range(start > 0, len(window))"),
    ),
    _bits(
        "the row after the id",
        "check_6_tokens",
        "already read it",
        (PAID, "nats -= rows[t + 1, window[t]]"),
    ),
    _bits(
        "the model reads everything at once",
        "check_6_tokens",
        "two ids at once",
        ("range(0, len(ids), length)", "[0]"),
        ("start : start + length", "start:"),
    ),
    Mutant(
        "task_6_bits_per_byte",
        "the mean of the texts",
        MEAN_OF_TEXTS,
        "check_6_mean",
        "mean of the texts",
    ),
    _bits(
        "only the last text's bytes",
        "check_6_mean",
        "bytes of the last text",
        ("size +=", "size ="),
    ),
    _bits("a lossy tokenizer is accepted", "check_6_lossy", "must be a ValueError", (RAISED, "")),
    _bits(
        "a lossy tokenizer pays for the shorter text",
        "check_6_lossy",
        "must be a ValueError",
        (RAISED, ""),
        ('len(text.encode("utf-8"))', "len(decode(ids).encode())"),
    ),
    _bits(
        "an assertion instead of a ValueError",
        "check_6_lossy",
        "AssertionError",
        (RAISED, "        assert decode(ids) == text\n"),
    ),
    _pieces(
        "the target is in the context",
        "check_7_contexts",
        "must predict",
        (STACK, "padded[place + 1 : place + 1 + len(ids)] for place in range(4)"),
    ),
    _pieces(
        "newest first", "check_7_contexts", "oldest id", ("in range(4)]", "in range(3, -1, -1)]")
    ),
    _pieces(
        "nothing is returned",
        "check_7_contexts",
        "contexts returns None; it must be an array",
        ("return np.stack", "np.stack"),
    ),
    _pieces(
        "a list of rows",
        "check_7_contexts",
        "it must be an array of shape (3, 4)",
        (f"return np.stack([{STACK}], axis=1)", f"return [*zip(*[{STACK}])]"),
    ),
    _pieces(
        "rows are shorter at the beginning",
        "check_7_contexts",
        "it must be an array of shape (3, 4)",
        (
            f"return np.stack([{STACK}], axis=1)",
            "return [ids[max(0, t - 4) : t] for t in range(len(ids))]",
        ),
    ),
    _pieces("padded with 0", "check_7_contexts", "not 0", ("[start] * 4", "[0] * 4")),
    _pieces(
        "no padding: rows are missing",
        "check_7_contexts",
        "shape",
        (STACK, "ids[place : len(ids) - 4 + place] for place in range(4)"),
    ),
    _pieces(
        "a softmax",
        "check_7_build",
        "sum to 1",
        ("Dense(vocab_size)", 'Dense(vocab_size, activation="softmax")'),
    ),
    _pieces("no relu", "check_7_build", "no relu", (', activation="relu"', "")),
    _pieces(
        "a mean instead of Flatten",
        "check_7_build",
        "expected",
        ("Flatten", "GlobalAveragePooling1D"),
    ),
    _pieces("no Flatten", "check_7_build", "shape", ("            keras.layers.Flatten(),\n", "")),
    _pieces("from_logits is forgotten", "check_7_build", "from_logits", ("from_logits=True", "")),
    _pieces(
        "nothing is returned", "check_7_build", "must return the model", ("    return model\n", "")
    ),
    _pieces("nats", "check_7_cost", "nats", (" / np.log(2)", "")),
    _pieces("the mean", "check_7_cost", "the mean", ("ids].sum()", "ids].mean()")),
    _pieces("logits are taken for ln p", "check_7_cost", "normalized", (NORMED, "logits")),
    _pieces(
        "the first id is free",
        "check_7_cost",
        "not paid for",
        (COST, "-log_p[np.arange(1, len(ids)), ids[1:]].sum() / np.log(2)"),
    ),
    _pieces(
        "exp overflows",
        "check_7_cost",
        "overflow",
        (NORMED, "logits - np.log(np.exp(logits).sum(axis=-1, keepdims=True))"),
    ),
    _pieces(
        "too short a run",
        "check_7_score",
        "you need less",
        (FIT, "batch_size=2048, epochs=1, verbose=0"),
    ),
    _pieces(
        "Keras's own learning rate",
        "check_7_score",
        "another learning rate",
        ("Adam(0.005)", "Adam()"),
    ),
    _pieces(
        "plain gradient descent",
        "check_7_score",
        "another learning rate",
        ("keras.optimizers.Adam(0.005)", "keras.optimizers.SGD(0.01)"),
    ),
    _pieces(
        "not trained at all",
        "check_7_score",
        "you need less",
        (f"    model.fit(contexts(ids, start), ids, {FIT})\n", ""),
    ),
]
