"""What a page that is sent to somebody must not say: the secrets of the settings, and whose home folder it was."""

import json
import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from super_agent.core.events import Stamped, event_type, own_fields
from super_agent.core.settings import Settings
from super_agent.core.store.codec import event_of, to_text
from super_agent.core.store.sessions import SessionRow

HIDDEN = "•••"
TEXTS = ("task", "workspace", "model", "base_url", "detail")


@dataclass(frozen=True, slots=True)
class Redactor:
    """Replaces every `secret` by dots, and the `home` folder (as the beginning of a path) by `~`."""

    secrets: tuple[str, ...] = ()
    home: Path | None = None

    def text(self, text: str) -> str:
        """The text without them."""
        for secret in self.secrets:
            text = text.replace(secret, HIDDEN)
        if self.home is not None and len(self.home.parts) > 1:  # `/` begins every path
            text = re.sub(rf"{re.escape(str(self.home))}(?![\w.-])", "~", text)
        return text

    def row(self, row: SessionRow) -> SessionRow:
        """The session with its texts so."""
        shown: dict[str, Any] = {name: self.text(getattr(row, name)) for name in TEXTS}
        return replace(row, **shown, files=tuple(self.text(path) for path in row.files))

    def stamped(self, stamped: Stamped) -> Stamped:
        """The event with all its texts so, whatever its type."""
        name = event_type(stamped.event)
        fields = self._value(json.loads(to_text(own_fields(stamped.event))))
        event, _ = event_of(name, fields)
        return replace(stamped, event=event, unknown=self._value(stamped.unknown))

    def _value(self, value: Any) -> Any:
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, list):
            return [self._value(item) for item in value]
        if isinstance(value, dict):
            return {self.text(key): self._value(item) for key, item in value.items()}
        return value


def secrets_of(settings: Settings) -> tuple[str, ...]:
    """What a server's error or a model's text could repeat."""
    key = settings.api_key.get_secret_value() if settings.api_key is not None else None
    password = urlsplit(settings.proxy).password if settings.proxy else None
    return tuple(secret for secret in (key, settings.proxy, password) if secret)
