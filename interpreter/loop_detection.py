"""When running code goes round in circles: the same code with the same result, and nothing new since."""

import re
from collections import Counter
from dataclasses import dataclass, field

from interpreter.code_blocks import CodeBlock
from interpreter.sandbox.protocol import CodeOutcome

# What differs between two runs that went the same way: addresses, durations, temporary names, a block's number.
_VOLATILE = re.compile(r"0x[0-9a-fA-F]+|\d+(?:\.\d+)?\s?(?:s|ms|µs|us|seconds|sec)\b|/tmp/\S+|<block \d+>")

RunSignature = tuple[CodeBlock, str, int | None, str]


def steady(output: str) -> str:
    """Output without what differs between two runs that went the same way."""
    return _VOLATILE.sub("#", output)


@dataclass(slots=True)
class LoopDetector:
    """Of one instruction. A, B, A, B repeats A and B; what is new in between makes a fresh start.

    So a test that fails in the same way after each of three different edits is no circle, and the same edit and test
    over and over is one.
    """

    _seen: set[RunSignature] = field(default_factory=set)
    _again: Counter[RunSignature] = field(default_factory=Counter)

    def count(self, block: CodeBlock, outcome: CodeOutcome, output: str) -> int:
        """Take note of a run; how often it had been seen before, since there was something new."""
        result = (block, outcome.kind, outcome.exit_code, steady(output))
        if result not in self._seen:
            self._seen.add(result)
            self._again.clear()
            return 0
        self._again[result] += 1
        return self._again[result]
