"""Finds many words in a text in one walk; pure.

Words are kept by their first two characters, so most places of a text cost one look-up.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator


class Finder:
    """Words, ready to be found in any text, overlapping ones too."""

    def __init__(self, words: Iterable[str]) -> None:
        self._longer: dict[str, list[str]] = defaultdict(list)
        singles: set[str] = set()
        for word in set(words):
            if len(word) == 1:
                singles.add(word)
            elif word:
                self._longer[word[:2]].append(word)
        self._singles = frozenset(singles)

    def spots(self, text: str) -> Iterator[tuple[int, str]]:
        """Yield where each word stands, in order of the places."""
        longer, singles = self._longer, self._singles
        for start, char in enumerate(text):
            if char in singles:
                yield start, char
            candidates = longer.get(text[start : start + 2])
            if candidates is not None:
                for word in candidates:
                    if text.startswith(word, start):
                        yield start, word
