"""Which of our two model clients is meant."""

from typing import Literal

ClientKind = Literal["autogen", "open-interpreter"]
