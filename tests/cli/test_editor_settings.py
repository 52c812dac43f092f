"""What the coder writes into a folder of an editor's settings is shown, compared and taken back as any other file."""

import json
from pathlib import Path

import pytest

from tests.cli.adding import events, where
from tests.cli.conftest import SuperAgent
from tests.scripted_ollama import ScriptedOllama


@pytest.mark.parametrize("path", [".vscode/settings.json", ".idea/code.json"])
def test_an_edit_of_an_editors_settings_is_seen_and_undone(super_agent: SuperAgent, workspace: Path, path: str) -> None:
    file = workspace / path
    file.parent.mkdir()
    file.write_text('{"editor.tabSize": 2}\n')
    check = f'python -c \'import json; assert json.load(open("{path}"))["editor.tabSize"] == 4\''
    coder = f'```json {path}\n{{"editor.tabSize": 4}}\n```'
    with ScriptedOllama(autogen=["1. Change it.", coder]) as server:
        done = super_agent("run", "Set the tab size to 4", *where(server, workspace), "--check", check, "--json")
        first = "\n".join(text for _, text in server.chats[0].prompt)
    assert done.code == 0, done.out + done.err
    assert path in first
    assert events(done.out)[-1]["files_changed"] == [path]

    at = ("--workspace", str(workspace))
    told = super_agent("diff", "--json", *at)
    assert json.loads(told.out)["modified"] == [path]
    assert '-{"editor.tabSize": 2}\n+{"editor.tabSize": 4}\n' in super_agent("diff", *at).out
    undone = super_agent("undo", "--yes", *at)
    assert undone.code == 0, undone.err
    assert file.read_text() == '{"editor.tabSize": 2}\n'
