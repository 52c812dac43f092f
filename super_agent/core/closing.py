"""What is closed at the end of its `with` block."""

import os
from abc import ABC, abstractmethod
from typing import Self


class Closing(ABC):
    """`close` is all that a subclass says."""

    __slots__ = ()

    @abstractmethod
    def close(self) -> None:
        """Let go of what is held."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class HoldsDescriptor(Closing):
    """Holds one open descriptor, `_fd`, until it is closed; closing again does nothing."""

    _fd = -1

    def close(self) -> None:
        """Let go, and of the lock too where there is one."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1
