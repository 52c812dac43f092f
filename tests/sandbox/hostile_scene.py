"""A host with a secret, servers that wait and a process to kill, and a workspace beside them for hostile code."""

import json
import os
import platform
import pwd
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pyseccomp
import pytest

import interpreter
import super_agent
from tests.sandbox.hostile_snippets import Snippet

TOKEN = "token-5d1f0c77e2"
VICTIM_S = "98765"
END_TIMEOUT_S = 2.0
FORBIDDEN = {chr(code) for code in (*range(9), *range(11, 32), *range(127, 160), 0x202E, 0x2066)}


class Driver:
    """The process that runs snippets, as root or as an ordinary user, with a secret in its environment."""

    def __init__(self, base: Path, uid: int | None) -> None:
        self.base = base
        self.uid = uid
        # Copied, as an ordinary user may not be able to read where this project lies.
        (base / "home").mkdir()
        code = base / "code"
        for package in (interpreter, super_agent, sys.modules["tests.sandbox"]):
            source = Path(str(package.__file__)).parent
            shutil.copytree(
                source, code / package.__name__.replace(".", "/"), ignore=shutil.ignore_patterns("__pycache__")
            )
        (code / "tests" / "__init__.py").touch()
        shutil.copy(pyseccomp.__file__, code)
        for path in (base, code, *code.rglob("*")):
            path.chmod(0o755 if path.is_dir() else 0o644)
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.sandbox.hostile_driver", *(["--uid", str(uid)] if uid is not None else [])],
            cwd=code,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={
                "PATH": os.environ["PATH"],
                "HOME": str(base / "home"),
                "TOKEN": TOKEN,
                "PYTHONPATH": str(code),
                **{name: os.environ[name] for name in ("CONTAINERS_CONF", "DOCKER_HOST") if name in os.environ},
            },
        )

    def ask(self, **request: object) -> dict[str, object]:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps(request) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        assert line, f"the driver died: {self.process.wait(10)}"
        answer = json.loads(line)
        assert isinstance(answer, dict)
        return answer

    def close(self) -> None:
        for stream in (self.process.stdin, self.process.stdout):
            assert stream is not None
            stream.close()
        self.process.wait(10)

    def own(self, *paths: Path) -> None:
        if self.uid is not None:
            for path in paths:
                os.chown(path, self.uid, self.uid, follow_symlinks=False)


@dataclass
class Scene:
    """A workspace, what lies beside it, and what waits on the host."""

    driver: Driver
    folder: Path
    victim: subprocess.Popen[bytes]
    servers: tuple[socket.socket, ...]
    values: dict[str, object]

    @property
    def workspace(self) -> Path:
        return self.folder / "workspace"

    def run(self, snippet: Snippet) -> dict[str, object]:
        code = snippet.code
        for name, value in self.values.items():
            code = code.replace("{" + name + "}", str(value))
        return self.driver.ask(
            language=snippet.language,
            code=code.replace("{{", "{").replace("}}", "}"),
            workspace=str(self.workspace),
            python=self.values["python"],
            limits=snippet.limits,
            timeout_s=snippet.timeout_s,
        )

    def close(self) -> None:
        self.victim.kill()
        self.victim.wait()
        for server in self.servers:
            server.close()


def make_scene(driver: Driver, folder: Path) -> Scene:
    workspace, outside = folder / "workspace", folder / "outside"
    (workspace / ".git" / "hooks").mkdir(parents=True)
    (workspace / ".git" / "config").write_text("[core]\n")
    (workspace / ".git" / "HEAD").write_text("ref: refs/heads/main\n")
    outside.mkdir()
    (outside / "secret").write_text(TOKEN)
    tcp = socket.create_server(("127.0.0.1", 0))
    udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    udp.bind(("127.0.0.1", 0))
    path = socket.socket(socket.AF_UNIX)
    path.bind(str(outside / "s"))
    abstract = socket.socket(socket.AF_UNIX)
    abstract.bind(f"\0hostile-{folder.name}")
    servers = (tcp, udp, path, abstract)
    for server in servers:
        server.setblocking(False)
        if server is not udp:
            server.listen()
    driver.own(folder, *folder.rglob("*"))
    victim = subprocess.Popen(["sleep", VICTIM_S], user=driver.uid)
    values: dict[str, object] = {
        "workspace": workspace,
        "outside": outside,
        "secret": outside / "secret",
        "socket": outside / "s",
        "abstract": f"hostile-{folder.name}",
        "port": tcp.getsockname()[1],
        "udp_port": udp.getsockname()[1],
        "pid": victim.pid,
        "victim": VICTIM_S,
        "home": Path.home(),
        "root_home": pwd.getpwuid(0).pw_dir,
        "token": TOKEN,
        "mark": str(40_000 + victim.pid % 10_000) + ".25",
        "python": "/usr/bin/python3",
    }
    return Scene(driver, folder, victim, servers, values)


def _picture(folder: Path) -> dict[str, tuple[int, str]]:
    """Names, modes and texts below a folder."""
    return {
        str(path): (path.lstat().st_mode, path.read_text() if path.is_file() else "")
        for path in sorted(folder.rglob("*"))
    }


def _reached(server: socket.socket) -> bool:
    try:
        if server.type == socket.SOCK_DGRAM:
            server.recv(1)
        else:
            server.accept()[0].close()
    except BlockingIOError:
        return False
    return True


def processes(*marks: str) -> list[str]:
    """Command lines on the host that hold one of the marks."""
    lines = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            line = path.read_text(errors="replace").replace("\0", " ")
        except OSError:
            continue
        if any(mark in line for mark in marks):
            lines.append(line)
    return lines


def comes_true(condition: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + END_TIMEOUT_S
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def assert_held(scene: Scene, snippet: Snippet) -> None:
    """Run it, and look at what it said and at the host."""
    if "call(" in snippet.code.split("try: reached", 1)[-1] and platform.machine() != "x86_64":
        pytest.skip("these system calls are named by x86-64's numbers")
    outside, git = _picture(scene.folder / "outside"), _picture(scene.workspace / ".git")

    told = scene.run(snippet)

    output, detail = str(told["output"]), str(told["detail"])
    assert "REACHED" not in output
    assert snippet.says in output + detail, (output, detail)
    assert told["kind"] in snippet.kinds, told
    assert TOKEN not in output
    assert not FORBIDDEN & set(output)
    assert _picture(scene.folder / "outside") == outside
    assert _picture(scene.workspace / ".git") == git
    assert sorted(path.name for path in scene.folder.iterdir()) == ["outside", "workspace"]
    assert not any(_reached(server) for server in scene.servers)
    assert scene.victim.poll() is None
    assert comes_true(lambda: not processes(str(scene.workspace), f"sleep {scene.values['mark']}"))
