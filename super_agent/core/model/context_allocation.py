"""How much of the loaded context each kind of large input may take.

What a compaction keeps and one whole turn must fit together, so they are shares of one whole: head 0.08 (of 8,192
tokens), kept 0.26, the coder's reply 0.25 at most, files shown 0.12, the executor's report 0.06, the check 0.1, the
reviewer's reply and cues 0.07; the rest is for the error of the estimates.
"""

from dataclasses import dataclass

CHARS_PER_TOKEN = 3
"""Cautious for code and logs (SmolLM2's small vocabulary: 3.1 to 4.2); the client's own budget has the last word."""
WORTH_IT = 0.8
"""A compaction that leaves more than this share of the prompt would only cost the prefix cache."""


@dataclass(frozen=True, slots=True)
class ContextAllocation:
    """Bounds of what goes into a prompt, in characters, for a context of `context_length` tokens."""

    context_length: int

    @property
    def named_files(self) -> int:
        """The text of all files that the task names, in the opening message."""
        return self._chars(0.25)

    @property
    def repository_map(self) -> int:
        """What the files of a larger workspace define, in the opening message; at most about 1,500 tokens."""
        return min(1500 * CHARS_PER_TOKEN, self._chars(1 / 16))

    @property
    def shown(self) -> int:
        """All files shown for one reply of the coder."""
        return self._chars(0.12)

    @property
    def check_output(self) -> int:
        """One result of the check as the team reads it."""
        return self._chars(0.1)

    @property
    def report(self) -> int:
        """One report of the executor; at most 3,000 characters, as what crosses to the team is kept small."""
        return min(3000, self._chars(0.06))

    @property
    def code_output(self) -> int:
        """The output of one run as the executor's model reads it."""
        return self._chars(0.1)

    @property
    def tools(self) -> int:
        """What describes the tools of the user's servers in the executor's head."""
        return self._chars(0.1)

    @property
    def kept(self) -> int:
        """All that a compaction keeps."""
        return self._chars(0.26)

    def turn_tokens(self, reply_limit: int) -> int:
        """Tokens kept free when a team's turn begins: the coder's whole reply and what commonly follows it.

        A turn whose reports are larger is compacted in its middle.
        """
        return reply_limit + round(self.context_length * 0.15)

    def round_tokens(self, reply_limit: int) -> int:
        """Tokens kept free when an instruction of the executor begins: one whole reply and its code's output."""
        return reply_limit + round(self.context_length * 0.1)

    def _chars(self, share: float) -> int:
        return int(self.context_length * share * CHARS_PER_TOKEN)
