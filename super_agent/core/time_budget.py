"""How long a piece of work may take: by its own processor time, and by the clock where it waits for a disk."""

import time
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class TimeBudget:
    """Begins when it is made; of the thread that makes it. What a busy machine does meanwhile hardly counts."""

    processor_s: float
    clock_s: float
    _processor: float = field(default_factory=time.thread_time)
    _clock: float = field(default_factory=time.monotonic)

    def is_over(self) -> bool:
        """Whether one of both is used up."""
        return time.thread_time() - self._processor > self.processor_s or time.monotonic() - self._clock > self.clock_s
