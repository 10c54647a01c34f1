"""Units of sentences: pieces of words (byte-pair encoding), words, or characters.

Reference: Sennrich, Haddow & Birch (2016), Neural machine translation of rare words with subword
units, ACL, sec. 3.2 and algorithm 1: begin with characters, and again and again merge the most
frequent pair of neighbours. Here the counts of pairs are kept up to date merge by merge, so that a
merge touches only the words that hold it.

A sentence is cut into chunks (letters and digits, or signs, or white space) and chunks are never
merged with one another. A space belongs to the chunk it precedes, and every sentence is read as if
a space stood before it; so joining the units and dropping that space is the exact way back.
"""

from __future__ import annotations

import heapq
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise

from samoyed.core.spec import END, PAD, START, UNKNOWN_UNIT, UnitSpec

SPECIAL = ("<pad>", "<s>", "</s>", "<unk>")
"""In the order of `PAD`, `START`, `END`, `UNKNOWN_UNIT`."""

UNSEEN = "\N{REPLACEMENT CHARACTER}"
"""What stands for a unit that is not known when a sentence is written out."""

_CHUNK = re.compile(r" ?[^\W_]+| ?[^\w\s]+| ?_+|\s")


def chunks(sentence: str) -> list[str]:
    """Cut a sentence into chunks; joined, they are the sentence with a space before it.

    >>> chunks("Ein Hund, nass.")
    [' Ein', ' Hund', ',', ' nass', '.']
    """
    return _CHUNK.findall(" " + sentence)


def fit(
    sentences: Iterable[str], kind: str, num_symbols: int, min_count: int = 2
) -> UnitSpec:  # fmt: skip
    """Choose the units for these sentences.

    Args:
        sentences: to learn from.
        kind: "bpe", "word" or "character".
        num_symbols: at most so many units, but all characters of words in pieces.
        min_count: a pair is merged, and a word kept, if it occurs so often.
    """
    words = Counter(chunk for sentence in sentences for chunk in chunks(sentence))
    if kind == "bpe":
        return _fit_pieces(words, num_symbols, min_count)
    counts: Counter[str] = Counter()
    for word, count in words.items():
        for symbol in word if kind == "character" else [word]:
            counts[symbol] += count
    if kind == "word":
        counts = Counter({word: n for word, n in counts.items() if n >= min_count})
    order = sorted(counts, key=lambda symbol: (-counts[symbol], symbol))
    room = max(0, num_symbols - len(SPECIAL))
    return UnitSpec("word" if kind == "word" else "character", (*SPECIAL, *order[:room]))


def _fit_pieces(words: Counter[str], num_symbols: int, min_count: int) -> UnitSpec:
    """Merge the most frequent neighbours until there are enough symbols, or no frequent ones."""
    spelled = [list(word) for word in words]
    counts = list(words.values())
    pairs: Counter[tuple[str, str]] = Counter()
    holders: defaultdict[tuple[str, str], set[int]] = defaultdict(set)
    for index, pieces in enumerate(spelled):
        for pair in pairwise(pieces):
            pairs[pair] += counts[index]
            holders[pair].add(index)
    symbols = sorted({piece for pieces in spelled for piece in pieces})
    known = set(symbols)
    queue = [(-count, pair) for pair, count in pairs.items()]
    heapq.heapify(queue)
    merges = []
    while queue and len(symbols) + len(SPECIAL) < num_symbols:
        negative, pair = heapq.heappop(queue)
        if pairs[pair] != -negative:  # its count has changed since: a newer entry is queued
            continue
        if -negative < min_count:
            break
        merges.append(pair)
        piece = pair[0] + pair[1]
        if piece not in known:
            known.add(piece)
            symbols.append(piece)
        for changed in _merge_everywhere(pair, spelled, counts, pairs, holders):
            if pairs[changed] > 0:
                heapq.heappush(queue, (-pairs[changed], changed))
    return UnitSpec("bpe", (*SPECIAL, *symbols), tuple(merges))


def _merge_everywhere(
    pair: tuple[str, str], spelled: list[list[str]], counts: list[int],
    pairs: Counter[tuple[str, str]], holders: defaultdict[tuple[str, str], set[int]],
) -> set[tuple[str, str]]:  # fmt: skip
    """Merge a pair in all words that hold it; return the pairs whose counts changed."""
    first, second = pair
    whole = first + second
    changes: Counter[tuple[str, str]] = Counter()
    for index in sorted(holders.pop(pair)):
        old, count = spelled[index], counts[index]
        new: list[str] = []
        place, last = 0, len(old) - 1
        while place <= last:
            if place < last and old[place] == first and old[place + 1] == second:
                if new:
                    changes[new[-1], first] -= count
                    changes[new[-1], whole] += count
                    holders[new[-1], whole].add(index)
                if place + 2 <= last:  # what follows is counted again if it is merged too
                    changes[second, old[place + 2]] -= count
                    changes[whole, old[place + 2]] += count
                    holders[whole, old[place + 2]].add(index)
                new.append(whole)
                place += 2
            else:
                new.append(old[place])
                place += 1
        spelled[index] = new
    for neighbours, change in changes.items():
        pairs[neighbours] += change
    del pairs[pair]
    return {neighbours for neighbours, change in changes.items() if change} - {pair}


def merged(pieces: Sequence[str], pair: tuple[str, str]) -> list[str]:
    """Merge a pair of neighbours wherever it stands, from the left.

    >>> merged(["a", "a", "a", "b"], ("a", "a"))
    ['aa', 'a', 'b']
    """
    result, place, last = [], 0, len(pieces) - 1
    while place <= last:
        if place < last and pieces[place] == pair[0] and pieces[place + 1] == pair[1]:
            result.append(pair[0] + pair[1])
            place += 2
        else:
            result.append(pieces[place])
            place += 1
    return result


def encoder(spec: UnitSpec) -> Callable[[str], list[int]]:
    """Return what turns a sentence into the numbers of its units, without `START` and `END`.

    It remembers the words it has met.
    """
    numbers = {symbol: number for number, symbol in enumerate(spec.symbols)}
    for name in SPECIAL:  # a text may hold these letters, but never means them
        numbers.pop(name)
    ranks = {pair: rank for rank, pair in enumerate(spec.merges)}
    met: dict[str, list[int]] = {}

    def of_word(word: str) -> list[int]:
        if spec.kind == "word":
            return [numbers.get(word, UNKNOWN_UNIT)]
        return [numbers.get(piece, UNKNOWN_UNIT) for piece in apply_merges(list(word), ranks)]

    def encode(sentence: str) -> list[int]:
        found: list[int] = []
        for word in chunks(sentence):
            codes = met.get(word)
            if codes is None:
                codes = met[word] = of_word(word)
            found += codes
        return found

    return encode


def apply_merges(pieces: list[str], ranks: dict[tuple[str, str], int]) -> list[str]:
    """Merge neighbours in the order in which the merges were learned."""
    never = len(ranks)
    while len(pieces) > 1:
        first = min(pairwise(pieces), key=lambda p: ranks.get(p, never))
        if first not in ranks:
            break
        pieces = merged(pieces, first)
    return pieces


def decode(codes: Iterable[int], spec: UnitSpec) -> str:
    """Return the sentence of these units, up to the first `END`."""
    return "".join(written(codes, spec)).removeprefix(" ")


def written(codes: Iterable[int], spec: UnitSpec) -> list[str]:
    """Return how each unit is written, up to the first `END`; filling and beginnings are not."""
    parts = []
    for code in codes:
        if code == END:
            break
        if code not in (PAD, START):
            parts.append(f" {UNSEEN}" if code == UNKNOWN_UNIT else spec.symbols[code])
    return parts
