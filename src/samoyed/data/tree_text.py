"""Bracketed trees: `(3 (2 a) (4 (4 lovely) (2 film)))`, read or refused with line and column.

A bracket holds a label and either one word or further brackets. A tree begins with a bracket in
the first column, so it may go on over indented lines, as in the Penn Treebank. Trees become binary:
where a bracket holds one bracket alone the outer label stays, where it holds more than two they are
joined from the right by nodes without a label.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from samoyed.core.errors import DataError

UNLABELLED = ""
"""The label of a node that making a tree binary put in."""

MOST_WORDS = 1000
_PIECE = re.compile(r"[()]|[^ \t()]+")
_ESCAPED = {"-LRB-": "(", "-RRB-": ")", "-LSB-": "[", "-RSB-": "]", "-LCB-": "{", "-RCB-": "}"}
_SHOWN = 40
_HINT = "Mend the tree, or leave such trees out with --on-bad skip."


@dataclass(frozen=True)
class Tree:
    """A binary tree over the words of a sentence; its nodes are the words, then the others.

    Args:
        words: from left to right.
        children: of each node that is no word, the places of its two; a node comes behind its
            children, the root last.
        labels: of every node, `UNLABELLED` where nothing is known.
        place: file and line.
    """

    words: tuple[str, ...]
    children: tuple[tuple[int, int], ...]
    labels: tuple[str, ...]
    place: str = ""

    @property
    def spans(self) -> list[tuple[int, int]]:
        """Return (first word, word after the last) of every node."""
        found = [(i, i + 1) for i in range(len(self.words))]
        for left, right in self.children:
            found.append((found[left][0], found[right][1]))
        return found

    @property
    def heights(self) -> list[int]:
        """Return how far each node is above the words: 0 for a word."""
        found = [0] * len(self.words)
        for left, right in self.children:
            found.append(1 + max(found[left], found[right]))
        return found

    def written(self) -> str:
        """Return the tree in brackets.

        >>> parse("(3 (2 a) (4 (4 lovely) (2 film)))").written()
        '(3 (2 a) (4 (4 lovely) (2 film)))'
        """
        labels = [label or "_" for label in self.labels]
        back = {char: name for name, char in _ESCAPED.items()}
        shown = [f"({labels[i]} {back.get(w, w)})" for i, w in enumerate(self.words)]
        for left, right in self.children:
            shown.append(f"({labels[len(shown)]} {shown[left]} {shown[right]})")
        return shown[-1]


@dataclass
class _Open:
    """A bracket that is not closed yet."""

    column: int
    line: int
    label: str | None = None
    word: str | None = None
    inner: list[_Node] = field(default_factory=list)


@dataclass(frozen=True)
class _Node:
    """A closed bracket: a word, or some nodes."""

    label: str
    word: str | None
    inner: tuple[_Node, ...]


def trees_of(text: str) -> Iterator[tuple[int, str]]:
    r"""Yield (line, text) of every tree: from a bracket in the first column to the next.

    >>> list(trees_of("(1 (1 a)\n   (1 b))\n\n(0 c)\n"))
    [(1, '(1 (1 a)\n   (1 b))'), (4, '(0 c)')]
    """
    first = 0
    held: list[str] = []
    for number, line in enumerate(text.split("\n"), 1):
        if line[:1] not in ("", " ", "\t") and held:
            yield first, "\n".join(held).rstrip()
            held = []
        if line.strip():
            first = first if held else number
            held.append(line)
    if held:
        yield first, "\n".join(held).rstrip()


def parse(text: str, path: str = "input", line: int = 1) -> Tree:
    """Read one tree.

    Args:
        text: in brackets.
        path: for the error.
        line: on which it begins.

    Raises:
        DataError: with line and column of what is wrong.
    """
    return binary(_whole(text, path, line), f"{path}:{line}")


def _whole(text: str, path: str, line: int) -> _Node:
    """Read the brackets, without recursion, so that no tree is too deep."""
    waiting: list[_Open] = []
    done: _Node | None = None
    for number, row in enumerate(text.split("\n"), line):
        for piece in _PIECE.finditer(row):
            column = piece.start() + 1
            if done is not None:
                raise _wrong(path, number, column, "the end of the tree", _shown(row, column))
            if piece[0] == "(":
                if waiting and waiting[-1].word is not None:
                    raise _wrong(
                        path, number, column, "one word in a bracket, or further brackets",
                        f"brackets behind {waiting[-1].word!r}",
                    )  # fmt: skip
                waiting.append(_Open(column, number))
            elif not waiting:
                raise _wrong(path, number, column, "an opening bracket", _shown(row, column))
            elif piece[0] != ")":
                _take(waiting[-1], piece[0], path, number, column)
            else:
                node = _closed(waiting.pop(), path)
                if waiting:
                    waiting[-1].inner.append(node)
                else:
                    done = node
    if waiting:
        last = waiting[-1]
        more = f" and of {len(waiting) - 1} more around it" if len(waiting) > 1 else ""
        raise _wrong(
            path, last.line, last.column, f"the closing bracket of this one{more}",
            "the end of the tree",
        )  # fmt: skip
    if done is None:
        raise _wrong(path, line, 1, "a tree in brackets", "nothing")
    return done


def _take(node: _Open, piece: str, path: str, line: int, column: int) -> None:
    """Take a bare piece: the label, then the word."""
    if node.label is None and not node.inner:
        node.label = piece
    elif node.word is None and not node.inner:
        node.word = piece
    else:
        found = f"{piece!r} behind " + (repr(node.word) if node.word else "brackets")
        raise _wrong(path, line, column, "one word in a bracket, or further brackets", found)


def _closed(node: _Open, path: str) -> _Node:
    """Return a bracket that ends here; the Penn Treebank's outermost one has no label."""
    if node.label is None and len(node.inner) == 1:
        return node.inner[0]
    if node.label is None or (node.word is None and not node.inner):
        found = "nothing" if node.label is None else f"{node.label!r} alone"
        raise _wrong(path, node.line, node.column, "a label and a word or further brackets", found)
    return _Node(node.label, node.word, tuple(node.inner))


def binary(root: _Node, place: str) -> Tree:
    """Number the nodes of a tree, two below each that is no word."""
    words: list[str] = []
    leaf_labels: list[str] = []
    inner: list[tuple[tuple[int, int], str]] = []  # negative: ~place among the inner ones
    results: list[int] = []
    steps: list[tuple[_Node, bool]] = [(root, False)]
    while steps:
        node, is_second = steps.pop()
        label = node.label
        while node.word is None and len(node.inner) == 1:
            node = node.inner[0]
        if node.word is not None:
            results.append(len(words))
            words.append(_ESCAPED.get(node.word, node.word.replace("\\/", "/")))
            leaf_labels.append(label)
        elif not is_second:
            steps.append((_Node(label, None, node.inner), True))
            steps += [(child, False) for child in reversed(node.inner)]
        else:
            held = [results.pop() for _ in node.inner]  # the rightmost first
            right = held[0]
            for left in held[1:]:
                inner.append(((left, right), UNLABELLED))
                right = ~(len(inner) - 1)
            inner[-1] = (inner[-1][0], label)
            results.append(right)
    if len(words) > MOST_WORDS:
        raise DataError(place, f"a tree of at most {MOST_WORDS:,} words", f"{len(words):,}", _HINT)

    def at(number: int) -> int:
        return number if number >= 0 else len(words) + ~number

    children = tuple((at(left), at(right)) for (left, right), _ in inner)
    return Tree(tuple(words), children, (*leaf_labels, *(name for _, name in inner)), place)


def _wrong(path: str, line: int, column: int, expected: str, found: str) -> DataError:
    return DataError(f"{path}:{line}:{column}", expected, found, _HINT)


def _shown(row: str, column: int) -> str:
    rest = row[column - 1 :]
    return repr(rest if len(rest) <= _SHOWN else rest[: _SHOWN - 1] + "…")


def looks_bracketed(text: str, looked_at: int = 200) -> bool:
    r"""Tell whether a text is bracketed trees.

    >>> looks_bracketed("(1 (1 a) (0 b))\n(0 c)\n"), looks_bracketed("(see below)\nhe said\n")
    (True, False)
    """
    chunks = []
    for _, chunk in trees_of(text):
        chunks.append(chunk)
        if len(chunks) > looked_at:
            break
    chunks = chunks[:-1] if len(chunks) > 1 else chunks  # the last may be cut off
    nested = [c for c in chunks if c.startswith("(") and (c.count("(") > 1 or len(c.split()) == 2)]
    return bool(chunks) and len(nested) >= 0.9 * len(chunks) and any("((" in c.replace(" ", "")
        or c.count("(") > 1 for c in nested)  # fmt: skip
