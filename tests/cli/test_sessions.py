"""Looking back: what was done is listed, shown as it was seen, sent as a page, and removed."""

import json
import os
import pty
import re
import subprocess
import sys
import termios
import time
from html.parser import HTMLParser
from pathlib import Path

import pytest

from super_agent.cli.session_commands import _complete
from super_agent.core import events as ev
from super_agent.core.errors import UsageError
from super_agent.core.store.store import Store
from tests.cli.adding import where
from tests.cli.conftest import CHECKOUT, SuperAgent
from tests.cli.expected_runs import EXPECTED
from tests.cli.scripted_runs import RUNS, stamped, started
from tests.cli.test_render_live import read_until
from tests.scripted_ollama import ScriptedOllama

VOID = {"meta", "line", "rect", "circle", "br"}


@pytest.fixture
def state(tmp_path: Path) -> Path:
    """The state folder of the `super_agent` fixture, with one session of each kind."""
    folder = tmp_path / "home" / "state"
    folder.parent.mkdir(exist_ok=True)
    with Store.open(folder) as store:
        for number, name in enumerate(RUNS):
            keep(store, f"2026110{number}-101010-{name}", RUNS[name]())
    return folder


@pytest.fixture
def super_agent(super_agent: SuperAgent, state: Path) -> SuperAgent:
    """After `state`, which makes the home folder too."""
    return super_agent


def keep(store: Store, name: str, events: list[ev.Stamped]) -> None:
    first = events[0].event
    assert isinstance(first, ev.RunStarted)
    with store.begin(name, first) as recorder:
        for one in events:
            recorder(one)


def page_of(tmp_path: Path, super_agent: SuperAgent, session: str, **environ: str) -> str:
    path = tmp_path / "page.html"
    done = super_agent("show", session, "--html", str(path), **environ)
    assert done.code == 0, done.err
    return path.read_text(encoding="utf-8")


def type_keys(terminal: int, keys: bytes) -> None:
    """Once the prompt reads keys: before that, Ctrl-D would be the terminal's own end of a file."""
    while termios.tcgetattr(terminal)[3] & termios.ICANON:
        time.sleep(0.01)
    os.write(terminal, keys)


class Balanced(HTMLParser):
    """Raises where elements do not nest."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: set[str] = set()
        self.attributes: set[str] = set()
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.add(tag)
        self.attributes.update(name for name, _ in attrs)
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.mark.parametrize("name", RUNS)
def test_a_session_is_shown_as_it_was_seen(super_agent: SuperAgent, name: str) -> None:
    number = [*RUNS].index(name)
    done = super_agent("show", f"2026110{number}")
    assert (done.code, done.err) == (0, "")
    assert done.out == EXPECTED[name]


def test_its_events_are_one_json_object_a_line(super_agent: SuperAgent) -> None:
    lines = [json.loads(line) for line in super_agent("show", "20261100", "--json").out.splitlines()]
    assert lines[0]["type"] == "run_started"
    assert lines[-1] == json.loads(json.dumps(ev.to_json(stamped_last("team", "20261100-101010-team"))))


def stamped_last(name: str, session: str) -> ev.Stamped:
    last = RUNS[name]()[-1]
    return ev.Stamped(session, last.turn, last.seq, last.time, last.event)


def test_the_list_is_that_of_the_workspace_newest_first(super_agent: SuperAgent, tmp_path: Path) -> None:
    nothing = super_agent("sessions", "--workspace", str(tmp_path))
    assert nothing.out == f"no sessions yet in {tmp_path}; 4 sessions elsewhere: super-agent sessions --all\n"
    listed = super_agent("sessions", "--all").out.splitlines()
    assert [line.split()[0] for line in listed[1:]] == [
        "20261103-101010-failed",
        "20261102-101010-exec",
        "20261101-101010-solo",
        "20261100-101010-team",
    ]
    assert re.split(r" {4,}", listed[4])[2:] == [
        "check passed",
        "2",
        "2,487",
        "1",
        "/code/sum",
        "Write add.py with add(a, b).",
    ]


def test_the_list_as_json(super_agent: SuperAgent) -> None:
    listed = json.loads(super_agent("sessions", "--all", "--json").out)
    assert listed["version"] == 1
    row = listed["sessions"][-1]
    assert (row["id"], row["state"], row["reason"], row["files"]) == (
        "20261100-101010-team",
        "ended",
        "check_passed",
        ["add.py"],
    )


def test_a_run_is_kept_and_is_the_one_that_is_shown(super_agent: SuperAgent, workspace: Path) -> None:
    with ScriptedOllama(["Nothing to do.", "Nothing either."]) as server:
        ran = super_agent("exec", "Say hello", *where(server, workspace))
        unkept = super_agent("exec", "Say nothing", *where(server, workspace), "--no-store")
    assert (ran.code, unkept.code) == (0, 0), ran.err + unkept.err
    assert super_agent("show", "--workspace", str(workspace)).out == ran.out


def test_a_session_that_was_broken_off_says_so(super_agent: SuperAgent, state: Path) -> None:
    with Store.open(state) as store:
        keep(store, "20261109-broken", RUNS["team"]()[:40])
        assert "(session 20261109-broken was broken off;" in super_agent("show", "20261109").out
        with store.begin("20261109-running", RUNS["team"]()[0].event):  # type: ignore[arg-type]
            listed = super_agent("sessions", "--all").out
    assert [re.split(r" {2,}", line)[2] for line in listed.splitlines()[1:3]] == ["running", "broken off"]


def test_a_conversation_is_kept_with_what_the_user_said_and_its_end(
    super_agent: SuperAgent, state: Path, workspace: Path, tmp_path: Path
) -> None:
    environ = {"SUPER_AGENT_STATE_DIR": str(state), "XDG_CONFIG_HOME": str(tmp_path), "TERM": "dumb"}
    with ScriptedOllama(["Hello to you."]) as server:
        master, slave = pty.openpty()
        process = subprocess.Popen(
            [sys.executable, "-m", "super_agent.cli.main", "exec", *where(server, workspace)],
            stdin=slave,
            stdout=slave,
            stderr=slave,
            cwd=CHECKOUT,
            start_new_session=True,
            env={"PATH": os.environ["PATH"], "HOME": os.environ["HOME"], **environ},
        )
        os.close(slave)
        read_until(master, "›")
        type_keys(master, b"say hello\r")
        read_until(master, "Hello to you.\r\n\r\n›")
        type_keys(master, b"\x04")
        read_until(master, None)
        os.close(master)
        assert process.wait(10) == 0
    shown = super_agent("show", "--workspace", str(workspace)).out
    assert "› say hello\n" in shown
    assert "Hello to you." in shown
    assert "✓ done\n" in shown
    assert "open-interpreter" in shown


def test_sessions_are_removed_with_their_folders(super_agent: SuperAgent, state: Path) -> None:
    folder = state / "sessions" / "20261100-101010-team"
    assert folder.is_dir()
    assert super_agent("sessions", "rm", "20261100", "20261101").out == (
        "removed 20261100-101010-team\nremoved 20261101-101010-solo\n"
    )
    assert not folder.exists()
    assert super_agent("show", "20261100").code == 2


def test_nothing_is_removed_when_one_of_the_names_is_wrong(super_agent: SuperAgent) -> None:
    done = super_agent("sessions", "rm", "20261100", "nope")
    assert (done.code, done.out) == (2, "")
    assert done.err == ("super-agent: no session has an id that begins with 'nope'. See super-agent sessions --all\n")
    assert len(super_agent("sessions", "--all").out.splitlines()) == 5


def test_old_sessions_are_pruned(super_agent: SuperAgent) -> None:
    assert super_agent("sessions", "prune", "--all", "--older-than", "1h").out == "nothing to remove\n"
    assert super_agent("sessions", "prune", "--all", "--keep", "3").out == "removed 20261100-101010-team\n"
    done = super_agent("sessions", "prune", "--older-than", "soon")
    assert (done.code, done.err) == (2, "super-agent: --older-than soon: no age. Say it as 12h, 30d or 8w\n")
    assert super_agent("sessions", "prune").code == 2


def test_a_shell_completes_session_ids(super_agent: SuperAgent, state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SUPER_AGENT_STATE_DIR", str(state))
    assert _complete("2026110") == [
        ("20261103-101010-failed", "Write a compiler."),
        ("20261102-101010-exec", "Show the Zen of Python."),
        ("20261101-101010-solo", "Write add.py with add(a, b)."),
        ("20261100-101010-team", "Write add.py with add(a, b)."),
    ]
    words = {"_SUPER_AGENT_COMPLETE": "complete_bash", "COMP_WORDS": "super-agent show 20261100", "COMP_CWORD": "2"}
    assert super_agent(**words).out == "20261100-101010-team\n"
    monkeypatch.setenv("SUPER_AGENT_STATE_DIR", "/proc/nowhere")
    assert _complete("") == []


# ── the page ──


@pytest.mark.parametrize("name", RUNS)
def test_a_page_is_whole_and_needs_nothing_else(tmp_path: Path, super_agent: SuperAgent, name: str) -> None:
    text = page_of(tmp_path, super_agent, f"2026110{[*RUNS].index(name)}")
    page = Balanced()
    page.feed(text)
    page.close()
    assert page.open == []
    assert not page.seen & {"script", "link", "img", "iframe", "object", "form"}
    assert not page.attributes & {"src", "href", "srcset", "action", "onload", "style"}
    assert "url(" not in text
    assert "@import" not in text
    assert "default-src 'none'" in text
    assert "prefers-color-scheme: dark" in text


def test_a_page_tells_the_run(tmp_path: Path, super_agent: SuperAgent) -> None:
    text = page_of(tmp_path, super_agent, "20261100")
    for part in (
        "✓ done: the check passes",
        '<span class="del">-    return a - b</span>\n<span class="add">+    return a + b</span>',
        "E       assert -1 == 5",
        "please keep the name add",
        "2,822 in, 123 out, 4 calls",
        "1 load, 0 reloads, 0 truncations",
        '<rect class="autogen"',
        '<h2 id="turn-2">Turn 2</h2>',
    ):
        assert part in text, part


def test_what_a_model_wrote_cannot_act_in_a_page(tmp_path: Path, super_agent: SuperAgent, state: Path) -> None:
    evil = "</pre><script>alert(1)</script><img src=x onerror='a()'>\x1b]0;t\x07"
    run = stamped(
        started(task=evil, check=evil),
        ev.TurnStarted(1),
        ev.TextStreamed("coder", evil),
        ev.MessagePosted("coder", evil),
        ev.FileWritten(evil, "created", f"+{evil}", 1, 0),
        ev.CodeStarted("executor", "python", evil),
        ev.OutputStreamed(evil),
        ev.CodeFinished("executor", "failed", 1, 1.0, 9, 0, detail=evil),
        ev.VerdictGiven("accept", evil),
        ev.InstanceNoted("reload", False, evil, evil, evil),
        ev.NewerEvent(evil, {evil: evil}),
        ev.TextStreamed("planner", evil),
    )
    with Store.open(state) as store:
        keep(store, "evil", run)
    text = page_of(tmp_path, super_agent, "evil")
    page = Balanced()
    page.feed(text)
    assert page.open == []
    assert not page.seen & {"script", "img"}
    assert page.text.count("alert(1)") >= 10
    assert "\x1b" not in text


def test_secrets_of_the_settings_are_never_in_a_page(tmp_path: Path, super_agent: SuperAgent, state: Path) -> None:
    home = str(Path.home())
    with Store.open(state) as store:
        said = f"key k3y-&-secret, proxy http://u:pa55@p:1, in {home}/src and {home}x"
        keep(store, "secret", stamped(started(task=said), ev.Notice("error", said), ev.UserSpoke(said)))
    environ = {"SUPER_AGENT_API_KEY": "k3y-&-secret", "SUPER_AGENT_PROXY": "http://u:pa55@p:1"}
    text = page_of(tmp_path, super_agent, "secret", **environ)
    assert "k3y" not in text
    assert "pa55" not in text
    assert f"key •••, proxy •••, in ~/src and {home}x" in text


def test_a_page_that_cannot_be_written_is_one_line(super_agent: SuperAgent) -> None:
    done = super_agent("show", "20261100", "--html", "/nowhere/page.html")
    assert (done.code, done.err) == (
        2,
        "super-agent: /nowhere/page.html cannot be written: No such file or directory. Name another file\n",
    )
    assert super_agent("show", "20261100", "--html", "x", "--json").code == UsageError.exit_code
