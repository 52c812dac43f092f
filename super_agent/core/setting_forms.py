"""The forms of settings that are more than a number or a word: addresses, durations, lists, switches."""

import re
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

from pydantic import SecretStr

OLLAMA_PORT = 11434
MEMBERS = ("planner", "coder", "reviewer")
MAX_SECONDS = 2_000_000
"""23 days: poll(2) counts milliseconds in 32 bits, and no wait of ours is longer."""
# Go's time.ParseDuration, which reads Ollama's keep_alive.
_GO_DURATION = re.compile(r"[-+]?(?:(?:\d+\.?\d*|\.\d+)(?:ns|us|µs|μs|ms|s|m|h))+")
_SECONDS = re.compile(r"-?\d{1,9}")
# What guides append to the address of a server; a proxy's own path before it stays.
_ENDPOINT = re.compile(
    r"/(?:v1(?:/(?:chat/completions|completions|models|embeddings|responses))?"
    r"|api(?:/(?:chat|generate|tags|ps|show|version|pull|create|embed|embeddings))?)\Z"
)
_ADDRESS = "an address such as http://localhost:11434 or localhost:11434"
_SWITCH = {"on": "on", "true": "on", "yes": "on", "1": "on", "off": "off", "false": "off", "no": "off", "0": "off"}


def base_url(value: str) -> str:
    """The URL both clients use: scheme and port optional, as OLLAMA_HOST forms; an endpoint's path is left out.

    A URL with a scheme and no port keeps the scheme's own port (80, 443), as Ollama does; a bare host gets 11434.
    Raises ValueError for anything else.
    """
    text = value.strip().strip("\"'")
    bare = "://" not in text
    parts = urlsplit(f"http://{text}" if bare else text)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
        raise ValueError(f"must be {_ADDRESS}")
    if not re.fullmatch(r"[\w.:%-]+", parts.hostname) or not re.fullmatch(r"[\w./~%:+-]*", parts.path):
        raise ValueError(f"has a character that no address has; it must be {_ADDRESS}")
    # `http//host`, `http:/host` and `http://http://host` would be a host named http.
    if parts.hostname in ("http", "https") or "//" in parts.path:
        raise ValueError(f"has a slash or colon too many or too few; it must be {_ADDRESS}")
    try:
        port = parts.port
    except ValueError as error:
        raise ValueError(f"has a port that is no number from 0 to 65535; it must be {_ADDRESS}") from error
    if parts.username or parts.password:
        raise ValueError("must not hold a user or password; set SUPER_AGENT_API_KEY instead")
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    if port is None and bare:
        port = OLLAMA_PORT
    path = _ENDPOINT.sub("", parts.path.rstrip("/")).rstrip("/")
    return f"{parts.scheme}://{host}{f':{port}' if port is not None else ''}{path}"


def proxy(value: str) -> str:
    """Raises ValueError for what is no URL of an HTTP proxy."""
    parts = urlsplit(value)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("must be a URL such as http://proxy:3128")
    return value


def keep_alive(value: str) -> str:
    """A duration as Ollama reads it, or seconds; raises ValueError for others, and for one that unloads at once."""
    text = value.strip()
    if not _SECONDS.fullmatch(text) and not _GO_DURATION.fullmatch(text):
        raise ValueError("must be a duration such as 30m, 2h or 1h30m, a number of seconds, or -1 for ever")
    if not re.search(r"[1-9]", text):
        raise ValueError("would unload the model after every request; say how long it stays, or -1 for ever")
    return text


def keep_alive_sent(value: str) -> str | int:
    """As it goes to the server, which refuses a number in quotes: `time: missing unit in duration "-1"`."""
    return int(value) if _SECONDS.fullmatch(value) else value


def from_text(read: Callable[[str], object]) -> Callable[[object], object]:
    """A validator that reads texts so, as flags and variables give them, and leaves other values as they are."""
    return lambda value: read(value) if isinstance(value, str) else value


def switch(value: str) -> str:
    """`on` and `off`, also as true and false, yes and no, 1 and 0, in any case."""
    return _SWITCH.get(value.strip().lower(), value)


def header_value(value: SecretStr) -> SecretStr:
    """Raises ValueError for a key that no HTTP header can hold."""
    text = value.get_secret_value()
    if not text.isascii() or not text.isprintable() or " " in text:
        raise ValueError("must be printable ASCII without spaces, as it goes into an HTTP header")
    return value


def image(value: str) -> str:
    """Raises ValueError for what is no name of a container image."""
    if value.startswith("-") or not value.isprintable() or " " in value:
        raise ValueError("must be the name of an image, such as python:3.12-slim")
    return value


def folders(value: str) -> tuple[Path, ...]:
    """Absolute paths separated by `:`; empty parts do not count. Raises ValueError for a relative one."""
    found = tuple(at_home(Path(part.strip())) for part in value.split(":") if part.strip())
    if relative := [path for path in found if not path.is_absolute()]:
        raise ValueError(f"must hold absolute paths, separated by `:`; {relative[0]} is relative")
    return found


def at_home(path: Path) -> Path:
    """The path with `~` read; raises ValueError where the user it names has no home."""
    try:
        return path.expanduser()
    except RuntimeError as error:
        raise ValueError(f"{path} names a home folder that is not there") from error


def absolute(path: Path) -> Path:
    """The path from the root, with `~` read."""
    return at_home(path).absolute()


def members(value: str) -> tuple[str, ...]:
    """Names separated by `,` in the team's own order; raises ValueError for others, and for a team without a coder."""
    named = {name.strip().lower() for name in value.split(",") if name.strip()}
    if not named <= set(MEMBERS) or "coder" not in named:
        raise ValueError("must be members of the team, separated by `,`, coder among them: planner,coder,reviewer")
    return tuple(name for name in MEMBERS if name in named)


def names(value: str) -> tuple[str, ...]:
    """Separated by `,`, each once; empty parts do not count."""
    return tuple(dict.fromkeys(name.strip() for name in value.split(",") if name.strip()))
