"""Merging pairs of pieces: one word in plain Python, many words or a long one in NumPy."""

import heapq
import itertools

import numpy as np

EDGE, GONE = -1, -2  # in a row of ids: between two words; merged into the piece before
NEVER = 2**31  # the rank of a pair that is not merged
LONG, KEPT = 200, 1 << 17  # bytes from which on a word is long; how many words are remembered


class Row:
    """Words one after the other, as a list that is linked both ways.

    A pair is born in one step: at the start, or when the younger of its two pieces is made.
    Later steps only take occurrences away. So its positions are stored once, and which of them
    still hold it is seen when it is merged.

    Args:
        words: a dict from words to their counts; a word is bytes, each the id of a piece.
    """

    def __init__(self, words):
        lengths = np.array([len(word) for word in words])
        edges = np.cumsum(np.append(0, lengths + 1))
        inside = np.ones(edges[-1] + 1, bool)
        inside[edges] = False
        self._ids = np.full(len(inside), EDGE, "int32")
        self._ids[inside] = np.frombuffer(b"".join(words), "uint8")
        self._counts = np.zeros(len(inside), "int64")  # of the word at each position
        self._counts[inside] = np.repeat(list(words.values()), lengths)
        self._next = np.arange(1, len(inside) + 1, dtype="int32")
        self._previous = self._next - 2
        self._where = {}  # the positions of each pair
        self.counts = {}  # of each pair, at the start
        at = np.flatnonzero(inside[:-1] & inside[1:]).astype("int32")
        for key, start, count in self._grouped(self._ids[at] * 256 + self._ids[at + 1], at):
            pair = divmod(key, 256)
            self._where[pair], self.counts[pair] = start, count

    @property
    def ids(self):
        """The ids of the pieces that are there now."""
        return self._ids[self._ids >= 0].tolist()

    def _grouped(self, keys, at):
        """Yields every key with its positions, in their order, and how often they occur."""
        if not len(keys):
            return
        order = np.argsort(keys, kind="stable")
        keys, at = keys[order], at[order]
        starts = np.flatnonzero(np.append(True, keys[1:] != keys[:-1]))
        counts = np.add.reduceat(self._counts[at], starts).tolist()
        ends = [*starts[1:].tolist(), len(at)]
        for key, start, end, count in zip(keys[starts].tolist(), starts, ends, counts, strict=True):
            yield key, at[start:end], count

    def merge(self, pair, new):
        """Makes one piece of a pair, wherever it stands, from the left.

        Args:
            pair: two ids.
            new: the id of what they make.

        Yields:
            For every kind of neighbor: the pair that went, the pair that came, how often.
        """
        first, second = pair
        at = self._where.pop(pair)
        at = at[self._ids[at] == first]
        at = at[self._ids[self._next[at]] == second]
        if first == second:
            at = at[_every_other(at, self._next[at])]
        after = self._next[at]
        right = self._next[after]
        self._ids[at], self._ids[after] = new, GONE
        self._next[at], self._previous[right] = right, at
        beside = self._ids[right]
        inside = beside != EDGE
        for other, places, count in self._grouped(beside[inside], at[inside]):
            self._where[new, other] = places
            yield (second, first if other == new else other), (new, other), count
        left = self._previous[at]
        beside = self._ids[left]
        inside = (beside != EDGE) & (beside != new)  # two new ones: counted from the left one
        for other, places, count in self._grouped(beside[inside], left[inside]):
            self._where[other, new] = places
            yield (other, first), (other, new), count


def _every_other(at, after):
    """Picks pairs that do not overlap, from the left: two of the three in aaaa."""
    number = np.arange(len(at))
    starts = np.append(True, at[1:] != after[:-1])[: len(at)]  # of runs
    return (number - np.maximum.accumulate(np.where(starts, number, 0))) % 2 == 0


def learn(words, limit, pieces):
    """Finds the pairs to merge: the most frequent first, of equal ones that of the lowest ids.

    Args:
        words: as for `Row`.
        limit: how many merges at most; there are fewer if no pairs are left.
        pieces: a list of the bytes of every id. Each merge adds one.

    Returns:
        A list of pairs of bytes.
    """
    row, merges = Row(words), []
    counts = row.counts
    queue = [(-count, pair) for pair, count in counts.items()]
    heapq.heapify(queue)
    while queue and len(merges) < limit:
        count, pair = heapq.heappop(queue)
        # Looking for a pair in the queue would be slow. So it keeps its place when it becomes
        # rarer, and gets a new one when it comes up.
        if counts[pair] != -count:
            if counts[pair]:
                heapq.heappush(queue, (-counts[pair], pair))
            continue
        for gone, born, count in row.merge(pair, len(pieces)):
            counts[gone] -= count
            counts[born] = count
            heapq.heappush(queue, (-count, born))
        merges.append(tuple(pieces[index] for index in pair))
        pieces.append(b"".join(merges[-1]))
    return merges


class Bridges(dict):
    """Tells for two neighboring characters whether a piece can reach from one into the other.

    Where none can, a word may be cut: whatever is merged on one side does not touch the other.
    A Chinese clause counts as one word and seldom comes again; its parts do. Two characters of
    ASCII are never cut, so only the other pieces have to be known.

    Args:
        pieces: the bytes of every piece.
    """

    def __init__(self, pieces):
        self._joints = set()  # bytes of two characters, or of a part of them, beside each other
        for piece in pieces:
            if not piece.isascii():
                # The bytes 10xxxxxx continue a character.
                inside = range(1, len(piece))
                starts = [0, *(n for n in inside if piece[n] >> 6 != 2), len(piece)]
                characters = [piece[a:b] for a, b in itertools.pairwise(starts)]
                self._joints.update(itertools.pairwise(characters))

    def __missing__(self, pair):
        first, second = (character.encode() for character in pair)
        ends = [first[n:] for n in range(len(first))]
        starts = [second[: n + 1] for n in range(len(second))]
        ascii_only = first.isascii() and second.isascii()
        found = ascii_only or not self._joints.isdisjoint(itertools.product(ends, starts))
        self[pair] = found
        return found

    def cut(self, word):
        """Cuts a word wherever no piece can reach across.

        Args:
            word: a string.

        Returns:
            A list of strings.
        """
        bridges = map(self.__getitem__, itertools.pairwise(word))
        ends = [place for place, bridge in enumerate(bridges, 1) if not bridge]
        return [word[a:b] for a, b in itertools.pairwise([0, *ends, len(word)])]


class Words(dict):
    """The pieces of words, found when a word is looked up for the first time.

    Args:
        joined: a dict from pairs of ids to the id they make. It grows with every merge, so
            that the pair that was learned first has the lowest.
        places: 256 bytes, the id of each byte.
        names: what to call each id.
        pieces: the bytes of every piece.
    """

    def __init__(self, joined, places, names, pieces):
        self._joined, self._places, self._names = joined, places, names
        self._bridges = Bridges(pieces)

    def __missing__(self, word):
        parts = [word] if word.isascii() else self._bridges.cut(word)
        ids = word.encode().translate(self._places)
        long = len(ids) > LONG
        if len(parts) > 1:
            found = list(itertools.chain.from_iterable(map(self.__getitem__, parts)))
        else:
            ids = merge_long(ids, self._joined) if long else merge_short(ids, self._joined)
            found = [self._names[index] for index in ids]
        if not long:  # words come again, a line without a space does not
            if len(self) >= KEPT:
                self.clear()
            self[word] = found
        return found


def merge_short(word, joined):
    """Merges the pieces of a word, always the pair that was learned first.

    Args:
        word: bytes, the ids of the pieces.
        joined: as for `Words`.

    Returns:
        A list of ids.
    """
    ids, get = list(word), joined.get
    ranks = [get(pair, NEVER) for pair in itertools.pairwise(ids)]
    while ranks and (new := min(ranks)) != NEVER:
        at = ranks.index(new)
        ids[at : at + 2] = [new]
        del ranks[at]
        if at:
            ranks[at - 1] = get((ids[at - 1], new), NEVER)
        if at < len(ranks):
            ranks[at] = get((new, ids[at + 1]), NEVER)
    return ids


def merge_long(word, joined):
    """Does the same in a time that grows with the length of the word, not with its square.

    Args:
        word: bytes, the ids of the pieces.
        joined: as for `Words`.

    Returns:
        A list of ids.
    """
    row = Row({word: 1})
    queue = [(joined[pair], pair) for pair in row.counts if pair in joined]
    heapq.heapify(queue)
    while queue:
        new, pair = heapq.heappop(queue)
        for _, born, _ in row.merge(pair, new):
            if born in joined:
                heapq.heappush(queue, (joined[born], born))
    return row.ids
