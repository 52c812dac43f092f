"""`--json`: one event a line."""

import json
from typing import TextIO

from super_agent.core.events import Stamped, to_json


class JsonRenderer:
    """Writes each event as one JSON object on one line, at once."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def __call__(self, stamped: Stamped) -> None:
        """Write one line."""
        self._stream.write(json.dumps(to_json(stamped), ensure_ascii=False) + "\n")
        self._stream.flush()

    def close(self) -> None:
        """Nothing to leave behind: each line was flushed."""
