"""`--json`: one event a line."""

import json

from super_agent.cli.render.output import Output
from super_agent.core.events import Stamped, to_json


class JsonRenderer:
    """Writes each event as one JSON object on one line, at once."""

    typing = None

    def __init__(self, output: Output) -> None:
        self._output = output

    def __call__(self, stamped: Stamped) -> None:
        """Write one line; characters stand as themselves where the output can take them, else as JSON's escapes."""
        fields = to_json(stamped)
        line = json.dumps(fields, ensure_ascii=False)
        self._output.write(f"{line}\n", unencodable=lambda: f"{json.dumps(fields)}\n")

    def close(self) -> None:
        """Nothing to leave behind: each line was flushed."""
