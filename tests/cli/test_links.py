"""A symbolic link in the workspace: the team sees where it leads, and is told what to name in its place."""

from pathlib import Path

from super_agent.core.files.workspace import Workspace
from super_agent.team.listing import describe
from tests.cli.adding import events, where
from tests.cli.conftest import SuperAgent
from tests.scripted_ollama import ScriptedOllama

CHECK = (
    'python -c \'import os; assert open("AGENTS.md").read() == "new\\n" and os.path.islink("CLAUDE.md")'
    ' and os.path.islink("src")\''
)


def linked(workspace: Path) -> None:
    """A file with two names, and a folder with two."""
    (workspace / "AGENTS.md").write_text("old\n")
    (workspace / "CLAUDE.md").symlink_to("AGENTS.md")
    (workspace / "packages" / "core" / "src").mkdir(parents=True)
    (workspace / "packages" / "core" / "src" / "app.py").write_text("X = 1\n")
    (workspace / "src").symlink_to("packages/core/src")


def block(path: str, text: str) -> str:
    return f"```markdown {path}\n{text}\n```"


def test_a_repeated_edit_of_a_link_is_answered_with_the_file_that_is_meant(
    super_agent: SuperAgent, workspace: Path
) -> None:
    linked(workspace)
    team = ["1. Edit CLAUDE.md.", *[block("CLAUDE.md", "new")] * 2, block("AGENTS.md", "new")]
    with ScriptedOllama(autogen=team) as server:
        arguments = ("--members", "planner,coder", "--check", CHECK, "--json")
        done = super_agent("run", "Write new into CLAUDE.md", *where(server, workspace), *arguments)
        first = "\n".join(text for _, text in server.chats[0].prompt)
    assert done.code == 0, done.out + done.err
    refused = [event for event in events(done.out) if event["type"] == "edit_refused"]
    assert refused[0]["reason"] == (
        "CLAUDE.md is a symbolic link to AGENTS.md; links are not followed, so name AGENTS.md instead"
    )
    assert "\nCLAUDE.md -> AGENTS.md\n" in first
    assert "\nsrc -> packages/core/src\n" in first
    assert "AGENTS.md:\n````\nold\n````" in first
    assert (workspace / "CLAUDE.md").readlink() == Path("AGENTS.md")


def test_a_file_below_a_linked_folder_is_shown_by_its_own_path(workspace: Path) -> None:
    linked(workspace)
    for number in range(20):
        (workspace / f"{number}.txt").write_text("")
    with Workspace(workspace) as opened:
        assert "\n\npackages/core/src/app.py:\n````\nX = 1\n````" in describe(opened, "Mend src/app.py.", 3000)
