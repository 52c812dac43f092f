"""`make screenshots`: the main pages as pictures for the README, of runs that tests script. Needs Chromium."""

import sys
import tempfile
from pathlib import Path

from super_agent.core.store.store import Store
from tests.cli.scripted_runs import RUNS
from tests.scripted_ollama import ScriptedOllama
from tests.web.chromium import PROGRAM, Chromium, chromium
from tests.web.conftest import enter, keep, serving

FOLDER = Path(__file__).resolve().parents[1] / "docs" / "screenshots"
MOST_BYTES = 200_000
"""Of a picture: the README is read on slow lines too."""
SHOTS = {
    "sessions": ("", 1100, 560, False),
    "run": ("sessions/s-team#turn-1", 1100, 900, False),
    "instance": ("instance", 1100, 900, False),
    "phone": ("sessions/s-team", 390, 780, True),
}
"""Address, width, height, dark."""


def main() -> int:
    """Returns 1 where a picture is too large, 2 where there is no browser."""
    if PROGRAM is None:
        print("screenshots: no chromium is installed. Run: apt-get install chromium", file=sys.stderr)
        return 2
    FOLDER.mkdir(parents=True, exist_ok=True)
    temporary = tempfile.TemporaryDirectory(prefix="pictures-", ignore_cleanup_errors=True)
    with temporary as folder, ScriptedOllama(["ok"] * 8) as ollama:
        home = Path(folder)
        with Store.open(home / "home" / "state") as store:
            for name, run in RUNS.items():
                keep(store, f"s-{name}", run())
        serves = serving(home, "--root", folder, OLLAMA_BASE_URL=ollama.base_url, DEFAULT_MODEL=ollama.model)
        with serves as server, chromium(home / "profile") as window:
            base = enter(window, server)
            window.open(f"{base}instance")
            window.wait("document.querySelector('form[action$=verify] button')")
            window.evaluate("document.querySelector('form[action$=verify] button').click()")
            window.wait("document.querySelectorAll('.checks li').length >= 12", 60)
            return max([taken(window, base, name) for name in SHOTS])


def taken(window: Chromium, base: str, name: str) -> int:
    """0, or 1 where it is too large."""
    path, width, height, dark = SHOTS[name]
    window.looks(width, height, dark=dark)
    window.open(base + path)
    window.wait(f"location.href == '{base + path}' && document.readyState == 'complete'")
    file = FOLDER / f"{name}.png"
    window.screenshot(file)
    size = file.stat().st_size
    print(f"{file.relative_to(FOLDER.parents[1])}: {size:,} bytes")
    return int(size > MOST_BYTES)


if __name__ == "__main__":
    sys.exit(main())
