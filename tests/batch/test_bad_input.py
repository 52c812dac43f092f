"""Every bad line is named before anything runs, and a batch that cannot go on says so in one line."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from super_agent.batch.apply_patch import PatchDoesNotApply, apply_patch
from super_agent.batch.results_file import BatchFailed, ResultsFile
from super_agent.core.batches.attempts import Attempt
from super_agent.core.errors import UsageError
from super_agent.core.files.workspace import Workspace
from tests.batch.conftest import CHECK, Lines, results, run_batch, solve
from tests.cli.conftest import CHECKOUT, SuperAgent
from tests.scripted_ollama import ScriptedOllama


def attempt(name: str, **changes: object) -> Attempt:
    """A result."""
    facts = {"id": name, "hash": "h", "attempt": 1, "final": True, "outcome": "done", "reason": "x", "exit_code": 0}
    return Attempt.model_validate({**facts, **changes})


def test_every_bad_line_is_named_and_nothing_runs(super_agent: SuperAgent, lines: Lines, tmp_path: Path) -> None:
    tasks = lines(
        {"id": "a", "task": "x", "chekc": "true"},
        "not json",
        {"id": "../b", "task": "x"},
        {"id": "c"},
        {"id": "d", "task": "x", "workspace": "/nowhere/at/all"},
        {"id": "e", "task": "x", "limits": {"turns": 0}},
        {"id": "f", "task": "x", "files": {"../out": "y"}},
        {"id": "g", "task": "x", "commit": "abc"},
        [1],  # type: ignore[arg-type]
        {"id": "h", "task": "x"},
        {"id": "h", "task": "y"},
    )
    with ScriptedOllama() as server:
        done = run_batch(super_agent, server, tasks, tmp_path / "out")
        assert server.requests == []
    assert done.code == 2
    found = [line.removeprefix("super-agent: ") for line in done.err.splitlines()]
    assert found[0].startswith("line 1: chekc: is not a field; allowed: id, task, workspace")
    assert found[1].startswith("line 2: is not JSON")
    assert found[2].startswith("line 3: id='../b': allowed: letters")
    assert found[3] == "line 4: task: is missing; allowed: a text"
    assert found[4] == "line 5: workspace='/nowhere/at/all': is no folder; allowed: an existing one"
    assert found[5].startswith("line 6: limits.turns=0: allowed:")
    assert found[6].startswith("line 7: files=")
    assert "`commit` needs `repo`" in found[7]
    assert found[8] == "line 9: is list; allowed: one JSON object"
    assert found[9].startswith("line 11: id='h': is that of line 10 too")
    assert found[10].startswith("10 of 11 tasks in ")
    assert len(found) == 11


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("/nowhere.jsonl",), "cannot be read: No such file"),
        (("-",), "--out"),
        (("FILE", "--parallel", "0"), "--parallel=0"),
        (("FILE", "--time", "soon"), "--time=soon"),
        (("FILE", "--until-failures", "x"), "--until-failures=x"),
        (("FILE", "--repos", "/nowhere"), "--repos=/nowhere: is no folder"),
        (("FILE", "--html", "/nowhere/page.html"), "--html=/nowhere/page.html: is no file in a folder that exists"),
        (("FILE", "--ray", "myhost"), "--ray myhost has no port. Give it, such as --ray myhost:6379"),
        (("EMPTY",), "holds no task"),
        (("SETUP",), "1 tasks have a setup command"),
        (("FILE", "--base-url", "http://127.0.0.1:1"), "127.0.0.1:1"),
    ],
)
def test_one_line_says_what_is_wrong(
    super_agent: SuperAgent, tmp_path: Path, arguments: tuple[str, ...], said: str
) -> None:
    (tmp_path / "FILE").write_text('{"id": "a", "task": "x"}\n')
    (tmp_path / "EMPTY").write_text("\n")
    (tmp_path / "SETUP").write_text('{"id": "a", "task": "x", "setup": "true"}\n')
    where = [str(tmp_path / a) if a.isupper() else a for a in arguments]
    out = () if "-" in arguments else ("--out", str(tmp_path / "out"))
    done = super_agent("batch", *where, *out)
    assert done.code in (2, 3)
    assert done.err.count("\n") == 1
    assert said in done.err


def test_its_help_is_that_of_what_is_typed(super_agent: SuperAgent) -> None:
    done = super_agent("batch", "--help")
    assert done.code == 0
    assert "Usage: super-agent batch [OPTIONS] {TASKS}" in done.out
    assert "--parallel" in done.out
    assert "batch tasks" not in done.out


def test_a_task_that_changed_nothing_is_applied_by_doing_nothing(super_agent: SuperAgent, tmp_path: Path) -> None:
    kept = ResultsFile(tmp_path / "results.jsonl")
    kept.append(attempt("a", workspace=str(tmp_path)))
    kept.close()
    said = super_agent("batch", "apply", str(tmp_path), "a")
    assert (said.code, said.out, said.err) == (0, "a changed nothing\n", "")
    told = super_agent("batch", "apply", str(tmp_path), "a", "--yes", "--json")
    assert json.loads(told.out) == {"version": 1, "id": "a", "workspace": str(tmp_path), "changed": []}


def test_a_line_that_was_not_written_to_its_end_was_never_counted(tmp_path: Path) -> None:
    path = tmp_path / "results.jsonl"
    kept = ResultsFile(path)
    kept.append(attempt("a"))
    with pytest.raises(UsageError, match="another batch works"):
        ResultsFile(path)
    kept.close()
    whole = path.read_bytes()
    path.write_bytes(whole + b'{"id": "b", "ha')
    again = ResultsFile(path)
    assert list(again.last) == ["a"]
    again.append(attempt("c"))
    again.close()
    assert [line["id"] for line in results(tmp_path)] == ["a", "c"]
    path.write_bytes(b"{}\n" + whole)
    with pytest.raises(UsageError, match=r"line 1 of .* is not a result"):
        ResultsFile(path)


AGAIN = """
"$@" 2>"$0/first.err"; echo $? >"$0/first.code"
rm "$OUT/fill"; cp "$OUT/results.jsonl" "$0/first.jsonl"
"$@"; code=$?
cp "$OUT/results.jsonl" "$0/results.jsonl"; cp -r "$OUT/patches" "$0"; exit $code
"""


def test_a_full_disk_ends_it_in_one_line_and_with_room_the_same_command_goes_on(lines: Lines, tmp_path: Path) -> None:
    tasks = lines(*({"id": f"t{n}", "task": "Write add.py", "check": CHECK} for n in range(3)))
    out = tmp_path / "out"
    out.mkdir()
    with ScriptedOllama(autogen=solve) as server:
        command = [
            sys.executable, "-m", "super_agent.cli.main", "batch", str(tasks), "--out", str(out),
            "--base-url", server.base_url, "--model", server.model,
        ]  # fmt: skip
        fill = "head -c 900000 /dev/zero >$OUT/fill"
        disk = ["bwrap", "--dev-bind", "/", "/", "--size", "917504", "--tmpfs", str(out)]
        done = subprocess.run(
            [*disk, "sh", "-c", fill + AGAIN, str(tmp_path), *command], cwd=CHECKOUT, capture_output=True, text=True,
            timeout=100, stdin=subprocess.DEVNULL, check=False,
            env={
                **{name: os.environ[name] for name in ("PATH", "HOME")},
                "OUT": str(out),
                "XDG_CONFIG_HOME": str(tmp_path / "config"),
                "SUPER_AGENT_STATE_DIR": str(tmp_path / "state"),
                "SUPER_AGENT_SANDBOX": "none",
                "SUPER_AGENT_APPROVE": "never",
            },
        )  # fmt: skip
    first = (tmp_path / "first.err").read_text()
    assert ((tmp_path / "first.code").read_text(), first.count("\n")) == ("1\n", 1), first
    assert f"{out} cannot be written: No space left on device. Make room, and give the same command again" in first
    assert (done.returncode, done.stderr) == (0, ""), done.stdout + done.stderr
    before, after = ((tmp_path / name).read_text() for name in ("first.jsonl", "results.jsonl"))
    assert after.startswith(before)
    assert sorted(json.loads(line)["id"] for line in after.splitlines()) == ["t0", "t1", "t2"]
    assert sorted(path.name for path in (tmp_path / "patches").iterdir()) == [f"t{n}.patch" for n in range(3)]


@pytest.mark.parametrize("name", ["runs", "results.jsonl", "tasks.jsonl.part", "summary.json.part", "preds.json.part"])
def test_what_cannot_be_written_in_the_batchs_folder_is_one_line(
    super_agent: SuperAgent, lines: Lines, tmp_path: Path, name: str
) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / name).write_text("x") if name == "runs" else (out / name).mkdir()  # in place of a disk that takes nothing
    with ScriptedOllama(autogen=solve) as server:
        done = run_batch(super_agent, server, lines({"id": "a", "task": "x", "check": CHECK}), out)
    assert (done.code, done.err.count("\n")) == (1, 1), done.err
    assert "cannot be written: " in done.err


def test_a_workspace_that_is_the_batchs_own_folder_is_not_copied_into_itself(
    super_agent: SuperAgent, lines: Lines, source: Path
) -> None:
    tasks = lines({"id": "a", "task": "x", "workspace": str(source)})
    with ScriptedOllama(autogen=solve) as server:
        done = run_batch(super_agent, server, tasks, source)
    assert done.code == 1, done.err
    (line,) = results(source)
    assert (line["exit_code"], line["detail"]) == (
        2, f"the workspace {source} is the batch's own folder. Name another with --out",
    )  # fmt: skip


def test_a_result_that_cannot_be_written_leaves_nothing_of_it(tmp_path: Path) -> None:
    import resource

    kept = ResultsFile(tmp_path / "results.jsonl")
    kept.append(attempt("a"))
    whole = kept.path.read_bytes()
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    import signal

    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(whole) + 10, before[1]))
    try:
        with pytest.raises(BatchFailed, match="Make room"):
            kept.append(attempt("b"))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)
    assert kept.path.read_bytes() == whole
    kept.close()


def test_only_a_verdict_on_the_task_is_final_for_a_later_start(tmp_path: Path) -> None:
    kept = ResultsFile(tmp_path / "results.jsonl")
    kept.append(attempt("done"))
    kept.append(attempt("limit", outcome="not done", reason="turn_limit", exit_code=1))
    kept.append(attempt("disk", outcome="not done", reason="error", exit_code=1))
    kept.append(attempt("server", outcome="server", reason="error", exit_code=3))
    kept.append(attempt("killed", outcome="killed", reason="killed", exit_code=-9))
    kept.close()
    again = ResultsFile(tmp_path / "results.jsonl")
    again.close()
    assert [name for name in again.last if again.counts(name, "h")] == ["done", "limit"]


def test_a_patch_that_cannot_be_written_to_its_end_changes_nothing(tmp_path: Path) -> None:
    (tmp_path / "patch").write_text(
        "diff --git a/a.txt b/a.txt\n--- a/a.txt\n+++ b/a.txt\n@@ -1 +1 @@\n-old\n+new\n"
        "diff --git a/b/c.txt b/b/c.txt\nnew file mode 100644\n--- /dev/null\n+++ b/b/c.txt\n@@ -0,0 +1 @@\n+new\n"
    )
    folder = tmp_path / "w"
    folder.mkdir()
    (folder / "a.txt").write_text("old\n")
    (folder / "b").symlink_to(tmp_path)  # leads outside, so nothing may be written through it
    with Workspace(folder) as workspace, pytest.raises(PatchDoesNotApply, match="symbolic link"):
        apply_patch(workspace, tmp_path / "patch")
    assert (folder / "a.txt").read_text() == "old\n"
    assert not (tmp_path / "c.txt").exists()
