"""What a run told and the store may not have yet, for a page that comes in the middle of a turn.

It holds about as much as the run itself has not stored: what is stored is let go of. Both join pieces of one text, and
an event that is stored begins where one of ours does, or where a piece of it does; so what is held always begins where
an event in the store begins, and a page that takes what is before from there is told nothing twice.
"""

from bisect import bisect_left
from dataclasses import dataclass, field, replace

from super_agent.core.events import OutputStreamed, Stamped, TextStreamed
from super_agent.core.store.recorder import MOST_PENDING, MOST_PENDING_CHARS, continues


@dataclass(slots=True)
class _Text:
    """Pieces of one text, of which `first` is an event; `numbers` are those of the pieces."""

    first: Stamped
    event: TextStreamed | OutputStreamed
    numbers: list[int]
    pieces: list[str]

    def stamped(self) -> Stamped:
        """As one event."""
        return replace(self.first, seq=self.numbers[0], event=replace(self.event, text="".join(self.pieces)))

    def cut(self, number: int) -> None:
        """Let go of the pieces before that number, where there is one of it."""
        at = bisect_left(self.numbers, number)
        if at < len(self.numbers):
            self.numbers, self.pieces = self.numbers[at:], self.pieces[at:]


@dataclass(slots=True)
class UnstoredEvents:
    """Events in their order, without a gap."""

    _items: list[Stamped | _Text] = field(default_factory=list)
    _chars: int = 0
    _looked_at: float = 0.0

    @property
    def events(self) -> list[Stamped]:
        """Oldest first."""
        return [item.stamped() if isinstance(item, _Text) else item for item in self._items]

    @property
    def is_much(self) -> bool:
        """Whether the run has stored some of it by now, as far as its size tells."""
        return self._size() >= self._looked_at + 1

    def add(self, stamped: Stamped) -> None:
        """The next one."""
        event, last = stamped.event, self._items[-1] if self._items else None
        if not isinstance(event, TextStreamed | OutputStreamed):
            self._items.append(stamped)
            return
        self._chars += len(event.text)
        if isinstance(last, _Text) and continues(last.event, event):
            last.numbers.append(stamped.seq)
            last.pieces.append(event.text)
        else:
            self._items.append(_Text(stamped, event, [stamped.seq], [event.text]))

    def clear(self) -> None:
        """All is stored."""
        self._items, self._chars, self._looked_at = [], 0, 0.0

    def drop(self, stored: int) -> None:
        """Let go of what is stored; `stored` is the number of the last stored event, which may be a part of a text."""
        begun = [at for at, item in enumerate(self._items) if _number(item) <= stored]
        self._items = self._items[begun[-1] if begun else 0 :]
        if self._items and isinstance(text := self._items[0], _Text):
            text.cut(stored)
        self._chars = sum(len(piece) for item in self._items if isinstance(item, _Text) for piece in item.pieces)
        self._looked_at = self._size()

    def _size(self) -> float:
        """In what a run collects before it stores it."""
        return max(len(self._items) / MOST_PENDING, self._chars / MOST_PENDING_CHARS)


def _number(item: Stamped | _Text) -> int:
    return item.numbers[0] if isinstance(item, _Text) else item.seq
