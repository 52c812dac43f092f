"""What Ray says: when it cannot join, in many lines of several of its parts, as the one thing that is wrong."""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout

SAME = "Install the same Ray and Python on all machines"
VERSIONS = re.compile(r"Ray: (\S+)\s+Python: (\S+)")
MISMATCH = "ersion mismatch"
ERROR = re.compile(r"(?:Error|Exception|Timeout): \S")


def is_refused(text: str) -> bool:
    """Whether the token is another's. Ray then tries again for long, so this is asked of what it has said so far."""
    return "AuthToken" in text or "Unauthenticated" in text or "AuthenticationError" in text


def mismatch(text: str) -> str:
    """Both sides' versions in words, or empty; Ray compares them to the last digit and names the cluster's first."""
    if MISMATCH not in text:
        return ""
    found = VERSIONS.findall(text[text.index(MISMATCH) :])
    if len(found) < 2:
        return "the cluster's Ray or Python is not this machine's"
    (ray, python), (own_ray, own_python) = found[:2]
    return f"the cluster runs Ray {ray} on Python {python}, this machine Ray {own_ray} on Python {own_python}"


def wrong_line(text: str) -> str:
    """The last line that names an error; empty where none does."""
    lines = [line.strip() for line in text.splitlines()]
    return next((line for line in reversed(lines) if ERROR.search(line)), "")


@contextmanager
def unheard() -> Iterator[None]:
    """What Ray prints of lost nodes, whatever it is told to log, is no line of ours and no event of `--json`.

    It goes to whatever `sys.stdout` is at that moment; a stream that was taken before is not touched.
    """
    with open(os.devnull, "w", encoding="utf-8") as nowhere, redirect_stdout(nowhere):
        yield
