"""What scripts ask of whoever cuts them into words, as classes of regular expressions.

* Vowel signs of Indian scripts, points of Arabic and Hebrew, and accents that are written apart are
  no letters to `re`, and yet stand inside of words.
* Han, kana, Thai, Lao, Burmese and Khmer are written without spaces between words. Each character,
  with its marks, is taken for one.
* Marks of direction and soft hyphens are not seen, and are no words.
"""

from __future__ import annotations

import re
import unicodedata

UNSPACED = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3005-\u3007\u3040-\u30ff\u31f0-\u31ff\u3400-\u9fff"
    "\uf900-\ufaff\uff66-\uff9d\U00020000-\U0003ffff"
)
INVISIBLE = "\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff"
JOINERS = "\u200c\u200d"
"""They part letters of Persian and of Indian scripts, inside of words."""


def _marks() -> str:
    """Return all combining marks, as ranges."""
    last, ranges = -2, list[list[str]]()
    for point in (*range(0x300, 0x1F000), *range(0xE0100, 0xE01F0)):
        if unicodedata.category(chr(point))[0] == "M":
            if point == last + 1:
                ranges[-1][1:] = [chr(point)]
            else:
                ranges.append([chr(point), chr(point)])
            last = point
    return "".join(f"{first}-{end}" for first, end in ranges)


MARKS = _marks()

LETTERS = rf"(?:[^\W{UNSPACED}]+[{MARKS}{JOINERS}]*)+"
"""A run of letters and digits with their marks, of scripts that part words by spaces."""

SINGLE = rf"[{UNSPACED}][{MARKS}]*"
"""A character that counts as a word."""

SIGN = rf"[^\w\s{INVISIBLE}][{MARKS}]*"
"""A single sign of punctuation, or any other that is neither letter nor digit."""

_SPECIAL = re.compile(f"[{UNSPACED}{MARKS}{JOINERS}{INVISIBLE}]")
_SINGLE = re.compile(SINGLE)
_WORD = re.compile(rf"{LETTERS}|(?:{SINGLE})+")


def is_plain(text: str) -> bool:
    r"""Tell whether there is nothing here that a plain `\w+` would cut wrongly.

    >>> is_plain("naïve"), is_plain("nai\u0308ve"), is_plain("犬")
    (True, False, False)
    """
    return text.isascii() or _SPECIAL.search("".join(set(text))) is None


def is_unspaced(text: str) -> bool:
    """Tell whether a text begins with a character that counts as a word.

    >>> is_unspaced("犬"), is_unspaced("dog")
    (True, False)
    """
    return _SINGLE.match(text) is not None


def is_word(text: str) -> bool:
    """Tell whether this is letters with their marks, and nothing else.

    >>> is_word("हिन्दी"), is_word("犬"), is_word("3.5"), is_word("1984")
    (True, True, False, False)
    """
    return _WORD.fullmatch(text) is not None and not any(map(str.isdigit, text))


def share_unspaced(text: str) -> float:
    """Return which share of a text's characters, without blanks, count as words.

    >>> share_unspaced("犬が a b")
    0.5
    """
    num = sum(map(len, text.split()))
    return len(re.findall(f"[{UNSPACED}]", text)) / max(1, num)
