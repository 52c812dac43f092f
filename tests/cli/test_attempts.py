"""Attempts: a coder that goes round in circles is sampled anew from the shared prefix, with the best files so far."""

import signal
from pathlib import Path

from super_agent.core.edits.stubs import STUB
from tests.cli.adding import CHECK, PLAN, RIGHT, WRONG, events, where
from tests.cli.background import start, wait_until
from tests.cli.conftest import SuperAgent
from tests.scripted_http import Request
from tests.scripted_models import Model
from tests.scripted_ollama import ScriptedOllama
from tests.scripted_replies import Silence

SIDE = f"{WRONG}\n\n```python side.py\nX = 1\n```"
TESTS = "python -m pytest -q"
HALF = "```python add.py\ndef add(a, b):\n    return a - b\n\n\ndef sub(a, b):\n    return a - b\n```"


def coders(server: ScriptedOllama) -> list[Request]:
    return [r for r in server.chats if r.prompt[-1][1].endswith("Coder, your files:")]


def test_a_coder_that_repeats_itself_is_asked_again_as_at_first_hotter_and_with_a_seed(
    super_agent: SuperAgent, workspace: Path
) -> None:
    with ScriptedOllama(autogen=[PLAN, SIDE, SIDE, RIGHT]) as server:
        done = super_agent("run", "Write add.py", *where(server, workspace), "--check", CHECK, "--json")
        first, second, anew = coders(server)
    assert done.code == 0, done.err
    assert (first.body["temperature"], second.body["temperature"], anew.body["temperature"]) == (0.0, 0.0, 0.4)
    assert "seed" not in first.body
    assert isinstance(anew.body["seed"], int)
    assert anew.prompt == first.prompt
    seen = events(done.out)
    (told,) = [e for e in seen if e["type"] == "resampled"]
    assert (told["number"], told["back_to"], told["files"]) == (2, 0, ["add.py", "side.py"])
    assert not [e for e in seen if e["type"] == "prefix_broken"]
    # What the first attempt had left is gone, and undo takes the run back as one.
    assert sorted(path.name for path in workspace.iterdir() if path.is_file()) == ["add.py"]
    assert super_agent("undo", "--yes", "--workspace", str(workspace)).code == 0
    assert not (workspace / "add.py").exists()


def test_a_killed_attempt_goes_on_from_the_shared_prefix(
    super_agent: SuperAgent, workspace: Path, tmp_path: Path
) -> None:
    with ScriptedOllama(autogen=[PLAN, SIDE, SIDE, Silence(), RIGHT]) as server:
        run = start(tmp_path, "run", "Write add.py", *where(server, workspace), "--check", CHECK, "--json")
        wait_until(lambda: len(coders(server)) == 3, "the second attempt")
        run.send_signal(signal.SIGKILL)
        run.communicate(timeout=30)
        done = super_agent("resume", "--json", "--workspace", str(workspace))
        first, _, killed, resumed = coders(server)
    assert done.code == 0, done.out + done.err
    assert resumed.prompt == killed.prompt == first.prompt
    assert resumed.body == killed.body
    assert sorted(path.name for path in workspace.iterdir() if path.is_file()) == ["add.py"]


def test_the_best_of_the_attempts_is_mended_and_left_when_the_run_ends(
    super_agent: SuperAgent, workspace: Path
) -> None:
    (workspace / "test_add.py").write_text(
        "from add import *\ndef test_add():\n    assert add(2, 3) == 5\ndef test_sub():\n    assert sub(2, 3) == -1\n"
    )
    with ScriptedOllama(autogen=[PLAN, WRONG, HALF, WRONG, SIDE]) as server:
        done = super_agent(
            "run", "Write add.py", *where(server, workspace), "--check", TESTS, "--json", "--attempts", "3",
            "--max-turns", "4",
        )  # fmt: skip
        first, second, third, mending = coders(server)
    assert done.code == 1, done.err
    assert second.prompt == third.prompt == first.prompt
    told = [(e["number"], e["back_to"]) for e in events(done.out) if e["type"] == "resampled"]
    assert told == [(2, 0), (3, 0), (4, 2)]
    assert mending.prompt[:-1] == first.prompt[:-1]
    assert "def sub(a, b)" in mending.prompt[-1][1]
    assert "1 failed, 1 passed" in mending.prompt[-1][1]
    assert "def sub(a, b)" in (workspace / "add.py").read_text()
    assert not (workspace / "side.py").exists()


def test_a_small_coder_begins_anew_with_the_best_files_as_if_the_task_began_with_them(
    super_agent: SuperAgent, workspace: Path, tmp_path: Path
) -> None:
    (workspace / "test_add.py").write_text(
        "from add import *\ndef test_add():\n    assert add(2, 3) == 5\ndef test_sub():\n    assert sub(2, 3) == -1\n"
    )
    small = Model("small:latest", 8192, parameter_count=1_500_000_000)
    both = HALF.replace("a - b", "a + b", 1)
    with ScriptedOllama(autogen=[HALF, SIDE, Silence(), both], models=[small]) as server:
        told = ("--workspace", str(workspace), "--base-url", server.base_url, "--model", "small")
        run = start(tmp_path, "run", "Write add.py", *told, "--check", TESTS, "--json")
        wait_until(lambda: len(server.chats) == 3, "the third attempt")
        run.send_signal(signal.SIGKILL)
        out, _ = run.communicate(timeout=30)
        done = super_agent("resume", "--json", "--workspace", str(workspace))
        first, anew, killed, resumed = server.chats
    assert done.code == 0, done.out + done.err
    # The second attempt added a file and made it worse: the best files are those that the first one left.
    assert [e["back_to"] for e in events(out) if e["type"] == "resampled"] == [1, 1]
    assert anew.prompt == killed.prompt == resumed.prompt
    _, (_, asked), begun = anew.prompt
    # The one file that the task names is not there: its block is begun, and ends the reply where it ends.
    assert (first.prompt[2:], first.body["stop"]) == (
        [("assistant", "```python add.py\n")],
        ["\n```", "\ntest_add.py"],
    )
    assert asked.startswith("Task: Write add.py\n\nThe workspace holds:\nadd.py\n")
    # What fails is to be written anew, not copied, and its file is begun for the coder.
    assert f"def add(a, b):\n    {STUB}\n\n\ndef sub(a, b):\n    return a - b\n" in asked
    assert "1 failed, 1 passed" in asked
    assert begun == ("assistant", "```python add.py\ndef add(a, b):\n")
    assert not (workspace / "side.py").exists()


def test_a_small_coder_goes_on_with_the_file_that_was_begun_for_it(
    super_agent: SuperAgent, workspace: Path, tmp_path: Path
) -> None:
    there = '"""Sums."""\n\n\ndef add(a, b):\n    return a - b\n\n\nZERO = add(0, 0)\n'
    (workspace / "add.py").write_text(there)
    (workspace / "test_add.py").write_text(
        "import add\ndef test_add():\n    assert add.add(2, 3) == 5\ndef test_twice():\n    assert add.twice(2) == 4\n"
    )
    small = Model("small:latest", 8192, parameter_count=1_500_000_000)
    written = ["(n):\n    return 2 * n", "    return a + b\n\n"]
    with ScriptedOllama(autogen=written, models=[small]) as server:
        told = ("--workspace", str(workspace), "--base-url", server.base_url, "--model", "small")
        done = super_agent("run", "Mend add.py", *told, "--check", TESTS, "--json")
        first, second = server.chats
    assert done.code == 0, done.out + done.err
    mended = there.replace("a - b", "a + b")
    assert (workspace / "add.py").read_text() == f"{mended}\n\ndef twice(n):\n    return 2 * n\n"
    # What is missing first, then what is wrong; where the next function would begin, the reply ends.
    assert first.prompt[-1] == ("assistant", f"```python add.py\n{there}\n\ndef twice")
    assert second.prompt[-1] == ("assistant", f"```python add.py\n{there.partition('    return')[0]}")
    assert "\ndef " in second.body["stop"]
    said = [e["text"] for e in events(done.out) if e["type"] == "message_posted" and e["speaker"] == "coder"]
    streamed = "".join(e["text"] for e in events(done.out) if e["type"] == "text_streamed")
    assert streamed == "".join(said)


def test_a_reply_that_came_again_is_not_checked_again_and_makes_the_next_one_hotter(
    super_agent: SuperAgent, workspace: Path
) -> None:
    there = "def add(a, b):\n    return a - b\n\n\nclass Sums(list):\n    pass\n"
    (workspace / "add.py").write_text(there)
    # Only the line above the one that fails names the function.
    (workspace / "test_add.py").write_text("import add\ndef test_add():\n    x = add.add(2, 3)\n    assert x == 5\n")
    small = Model("small:latest", 8192, parameter_count=1_500_000_000)
    wrong, right = "    return a * b\n\n", "    return a + b\n\n"
    with ScriptedOllama(autogen=[wrong, wrong, there, right], models=[small]) as server:
        told = ("--workspace", str(workspace), "--base-url", server.base_url, "--model", "small")
        done = super_agent("run", "Mend add.py. Do not change the tests.", *told, "--check", TESTS, "--json")
        chats = server.chats
    assert done.code == 0, done.out + done.err
    assert [chat.body["temperature"] for chat in chats] == [0.0, 0.4, 0.6, 0.9]
    begun = ("assistant", "```python add.py\ndef add(a, b):\n")
    assert [chat.prompt[-1] for chat in chats] == [begun, begun, ("assistant", "```python add.py\n"), begun]
    assert "\ndef test_" in chats[0].body["stop"]
    seen = events(done.out)
    again = [(e["temperature"], e["why"]) for e in seen if e["type"] == "resampled"]
    assert again[1] == (0.6, "the coder wrote what had failed before")
    assert again[2][0] == 0.9
    assert len([e for e in seen if e["type"] == "check_finished" and e["when"] == "after"]) == 2
    # The code above is shown with the files, so it is not told again.
    asked = chats[0].prompt[1][1]
    assert asked.count("x = add.add(2, 3)") == 1
    assert "````\ntest_add:\n>       assert x == 5\nE       assert -1 == 5\n" in asked


def test_a_small_coder_writes_the_files_that_the_task_names_one_by_one(
    super_agent: SuperAgent, workspace: Path
) -> None:
    tests = "from one import one\nfrom two import two\ndef test_both():\n    assert (one(), two()) == (1, 2)\n"
    (workspace / "test_both.py").write_text(tests)
    small = Model("small:latest", 8192, parameter_count=1_500_000_000)
    first_file = "```python one.py\ndef one():\n    return 1\n```"
    with ScriptedOllama(autogen=["def one():\n    return 1", "def two():\n    return 2\n"], models=[small]) as server:
        told = ("--workspace", str(workspace), "--base-url", server.base_url, "--model", "small")
        done = super_agent("run", "Write one.py and two.py", *told, "--check", TESTS, "--json")
        first, second = server.chats
    assert done.code == 0, done.out + done.err
    # The second request goes on with the reply that the first one left; it is one turn, and one reply.
    assert first.prompt[-1] == ("assistant", "```python one.py\n")
    assert first.body["stop"] == ["\n```", "\ntest_both.py"]
    assert second.prompt == [*first.prompt[:-1], ("assistant", f"{first_file}\n\n```python two.py\n")]
    seen = events(done.out)
    (said,) = [e["text"] for e in seen if e["type"] == "message_posted" and e["speaker"] == "coder"]
    assert said == f"{first_file}\n\n```python two.py\ndef two():\n    return 2\n```"
    assert "".join(e["text"] for e in seen if e["type"] == "text_streamed") == said
    assert not [e for e in seen if e["type"] == "prefix_broken"]
    assert (seen[-1]["turns"], (workspace / "two.py").read_text()) == (1, "def two():\n    return 2\n")


def test_a_limit_between_two_files_leaves_the_first_one(super_agent: SuperAgent, workspace: Path) -> None:
    (workspace / "test_one.py").write_text("from one import one\ndef test_one():\n    assert one() == 1\n")
    small = Model("small:latest", 8192, parameter_count=1_500_000_000)
    with ScriptedOllama(autogen=["def one():\n    return 1"], models=[small]) as server:
        told = ("--workspace", str(workspace), "--base-url", server.base_url, "--model", "small", "--max-tokens", "1")
        done = super_agent("run", "Write one.py and two.py", *told, "--check", TESTS, "--json")
    assert done.code == 0, done.out + done.err
    assert (workspace / "one.py").read_text() == "def one():\n    return 1\n"


def test_members_that_do_not_exist_are_named_in_one_line(super_agent: SuperAgent, workspace: Path) -> None:
    done = super_agent("run", "x", "--workspace", str(workspace), "--members", "tester,coder")
    assert done.code == 2
    assert "--members=tester,coder: must be members of the team" in done.err


def test_solo_begins_anew_too_before_there_is_no_progress(super_agent: SuperAgent, workspace: Path) -> None:
    with ScriptedOllama(executor=["It is done.", "It is done.", RIGHT, "It is done."]) as server:
        done = super_agent("run", "Write add.py", "--solo", *where(server, workspace), "--check", CHECK, "--json")
        first, second, anew, _ = server.chats
    assert done.code == 0, done.out + done.err
    assert (workspace / "add.py").read_text() == "def add(a, b):\n    return a + b\n"
    assert anew.prompt == first.prompt
    assert len(second.prompt) > len(first.prompt)
    assert [r.body["options"]["temperature"] for r in (first, second, anew)] == [0.0, 0.0, 0.4]
    assert ["seed" in r.body["options"] for r in (first, second, anew)] == [False, False, True]


def test_solo_ends_without_progress_after_twelve_attempts_that_brought_nothing(
    super_agent: SuperAgent, workspace: Path
) -> None:
    with ScriptedOllama(executor=["It is done."] * 20) as server:
        done = super_agent(
            "run", "x", "--solo", *where(server, workspace), "--check", CHECK, "--json", "--max-turns", "30"
        )
    assert done.code == 1, done.out + done.err
    seen = events(done.out)
    assert (seen[-1]["reason"], seen[-1]["turns"]) == ("no_progress", 14)
    assert [e["number"] for e in seen if e["type"] == "resampled"] == [*range(2, 14)]
