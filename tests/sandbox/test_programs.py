"""The folders that are named for a program of a toolchain make it work: following the hint is enough."""

import sys
from dataclasses import replace
from pathlib import Path

import pytest

from interpreter.sandbox.command import find_program, run_command
from interpreter.sandbox.programs import folders_for, program_of
from interpreter.sandbox.protocol import SandboxPolicy
from super_agent.core.errors import CheckNotFound
from super_agent.session.sandbox_policy import require_program

SCRIPT = "#!/bin/sh\necho works\n"
NODE = '#!/bin/sh\nexec /bin/sh "$@"\n'
# Files by path below the home folder, `-> x` for a link; the folder on the search path; what is to be named.
TOOLCHAINS = {
    "nvm": (
        {
            ".nvm/versions/node/v20/bin/node": NODE,
            ".nvm/versions/node/v20/lib/node_modules/tool/bin/tool.cjs": "#!/usr/bin/env node\necho works\n",
            ".nvm/versions/node/v20/bin/tool": "-> ../lib/node_modules/tool/bin/tool.cjs",
        },
        ".nvm/versions/node/v20/bin",
        [".nvm/versions/node/v20"],
    ),
    "rustup": (
        {
            ".cargo/bin/rustup": "#!/bin/sh\nexit 9\n",
            ".cargo/bin/tool": "-> rustup",
            ".rustup/settings.toml": 'version = "12"\ndefault_toolchain = "stable-x"\n',
            ".rustup/toolchains/nightly-x/bin/tool": "#!/bin/sh\nexit 8\n",
            ".rustup/toolchains/stable-x/bin/tool": SCRIPT,
        },
        ".cargo/bin",
        [".rustup/toolchains/stable-x"],
    ),
    "asdf": (
        {
            ".asdf/shims/tool": "#!/bin/sh\nexec asdf exec tool\n",
            ".asdf/installs/tool/1.2/bin/tool": SCRIPT,
            ".asdf/plugins/tool/bin/list-all": SCRIPT,
        },
        ".asdf/shims",
        [".asdf/installs/tool/1.2"],
    ),
    "cargo": ({".cargo/bin/tool": SCRIPT, ".cargo/credentials.toml": "secret"}, ".cargo/bin", [".cargo/bin"]),
    "pyenv": (
        {
            ".pyenv/shims/tool": "#!/bin/sh\nexec pyenv exec tool\n",
            ".pyenv/version": "3.11.1\n",
            ".pyenv/versions/3.11.1/bin/tool": SCRIPT,
            ".pyenv/versions/3.12.1/bin/tool": "#!/bin/sh\nexit 8\n",
        },
        ".pyenv/shims",
        [".pyenv/versions/3.11.1"],
    ),
    "pipx": (
        {
            ".local/bin/tool": "-> ../share/pipx/venvs/tool/bin/tool",
            ".local/share/pipx/venvs/tool/bin/tool": "#!{home}/.local/share/pipx/venvs/tool/bin/python\necho works\n",
            ".local/share/pipx/venvs/tool/bin/python": "-> /bin/sh",
            ".local/share/keyrings/login": "secret",
        },
        ".local/bin",
        [".local/bin", ".local/share/pipx/venvs/tool"],
    ),
}


@pytest.mark.parametrize("name", TOOLCHAINS)
def test_what_is_named_for_a_toolchains_program_is_enough_and_no_more(
    policy: SandboxPolicy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    files, searched, named = TOOLCHAINS[name]
    home = tmp_path / "home"
    for path, text in files.items():
        file = home / path
        file.parent.mkdir(parents=True, exist_ok=True)
        if text.startswith("-> "):
            file.symlink_to(text.removeprefix("-> "))
        else:
            file.write_text(text.replace("{home}", str(home)))
            file.chmod(0o755)
    monkeypatch.setenv("PATH", f"{home / searched}:/usr/bin:/bin")
    monkeypatch.setenv("HOME", str(home))
    assert find_program(policy, "CI=1 tool -q") == "hidden"
    folders = folders_for("tool", policy.python_prefixes, home)
    assert folders == [home / folder for folder in named]
    said: list[bytes] = []
    run_command(replace(policy, readonly_paths=tuple(folders)), "CI=1 tool -q", said.append, 20.0)
    assert b"".join(said) == b"works\n"
    shown = set(home.rglob("*")) - {p for folder in folders for p in (folder, *folder.rglob("*"), *folder.parents)}
    listed: list[bytes] = []
    run_command(replace(policy, readonly_paths=tuple(folders)), f"find {home}", listed.append, 20.0)
    assert not shown & set(map(Path, b"".join(listed).decode().split()))


@pytest.mark.parametrize(
    ("command", "program"),
    [
        ("CI=1 A='b c' tool -q", "tool"), ("tool", "tool"), ("$X y", ""), ("A=1", ""), ("'", ""), ("(cd x; y)", ""),
        ("env CI=1 tool", "tool"), ("exec tool", "tool"), ("! time tool", "tool"), ("timeout 1.5m tool", "tool"),
        ("cd 'a b' && CI=1 tool -q", "tool"), ("cd a && ./tool", ""), ("env -i tool", "env"), ("cd a", "cd"),
        ("timeout -k 1 5 tool", "timeout"), ("time", "time"),
        ("cd a && PATH=$PWD/bin:$PATH tool", ""), ("env PATH=bin:/bin tool", ""), ("V=$(git describe x y) tool", ""),
        ("cd a && yarn test || npm test", ""), ("env tool || other", ""), ("A=\"$(x y)\" tool", "tool"),
    ],
)  # fmt: skip
def test_the_program_of_a_command_is_its_first_word_that_assigns_nothing(command: str, program: str) -> None:
    assert program_of(command) == program


def test_an_interpreter_of_the_system_is_not_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tool = tmp_path / "bin" / "tool"
    tool.parent.mkdir()
    tool.write_text("#!/usr/bin/env perl\nprint 1\n")
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tool.parent}:/usr/bin:/bin")
    assert folders_for("tool", (), Path("/home/user")) == [tmp_path]


def test_what_is_said_of_a_hidden_program_can_be_typed(
    policy: SandboxPolicy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tool = tmp_path / "a b" / "bin" / "tool"
    tool.parent.mkdir(parents=True)
    tool.write_text(SCRIPT)
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tool.parent}:/usr/bin:/bin")
    with pytest.raises(CheckNotFound) as raised:
        require_program(policy, "tool")
    assert raised.value.fix == f"Allow it: SUPER_AGENT_SANDBOX_PATHS='{tmp_path / 'a b'}'"
    with pytest.raises(CheckNotFound, match="Write its whole path: the sandbox has a home folder of its own"):
        require_program(policy, "~/bin/tool")


def test_what_is_shown_already_is_not_named(policy: SandboxPolicy) -> None:
    assert folders_for(sys.executable, policy.python_prefixes, Path.home()) == []
