"""`--json`: one event a line, at once."""

import io
import json
import subprocess
import sys
from pathlib import Path

import pytest

from super_agent.cli.render.choice import choose_renderer
from super_agent.core import events as ev
from tests.cli.scripted_runs import RUNS, stamped


class CountingStream(io.StringIO):
    """Notes what had been written at each flush."""

    def __init__(self) -> None:
        super().__init__()
        self.flushed: list[str] = []

    def flush(self) -> None:
        self.flushed.append(self.getvalue())


@pytest.mark.parametrize("name", RUNS)
def test_each_event_is_one_flushed_line_of_json(name: str) -> None:
    stream = CountingStream()
    renderer = choose_renderer(as_json=True, stream=stream)
    events = RUNS[name]()
    for number, one in enumerate(events, 1):
        renderer(one)
        assert stream.flushed[-1].count("\n") == number
    renderer.close()
    as_read = [json.loads(json.dumps(ev.to_json(one))) for one in events]
    assert [json.loads(line) for line in stream.getvalue().splitlines()] == as_read


def test_text_stands_as_itself_and_its_line_ends_do_not_end_the_line() -> None:
    stream = io.StringIO()
    choose_renderer(as_json=True, stream=stream)(stamped(ev.UserSpoke("olá ✓\nzwei\x1b[2J"))[0])
    assert '"text": "olá ✓\\nzwei\\u001b[2J"' in stream.getvalue()
    assert stream.getvalue().count("\n") == 1


@pytest.mark.parametrize(("encoding", "text"), [("utf-8", "half \ud83d a pair"), ("latin-1", "olá ✓ 😀")])
def test_what_the_encoding_cannot_express_is_escaped_and_comes_back_whole(encoding: str, text: str) -> None:
    raw = io.BytesIO()
    renderer = choose_renderer(as_json=True, stream=io.TextIOWrapper(raw, encoding=encoding))
    renderer(stamped(ev.UserSpoke(text))[0])
    renderer.close()
    assert json.loads(raw.getvalue().decode(encoding))["text"] == text


@pytest.mark.parametrize("as_json", [True, False])
def test_a_program_whose_reader_goes_away_is_interrupted_and_says_nothing(as_json: bool) -> None:
    program = (
        "import signal, sys, time\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)  # a background job inherits it ignored\n"
        "from super_agent.cli.render.choice import choose_renderer\n"
        "from tests.cli.scripted_runs import team_run\n"
        f"renderer = choose_renderer({as_json}, sys.stdout)\n"
        "try:\n"
        "    for event in team_run() * 100: renderer(event)\n"
        "    time.sleep(10)\n"
        "except KeyboardInterrupt:\n"
        "    renderer(team_run()[0])\n"
        "    renderer.close()\n"
        "    sys.exit(130)\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", program],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).resolve().parents[2],
    )
    with process:
        if process.stdout is None or process.stderr is None:
            raise RuntimeError("the pipes asked for were not made")
        process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == ""
    assert process.returncode == 130
