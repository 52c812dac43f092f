"""Real container engines for tests: which work here, with an image made from this machine's packages."""

import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

import pytest

from interpreter.sandbox.container.program import LABEL
from interpreter.sandbox.container_image import IMAGE_PYTHON, ready_container
from interpreter.sandbox.protocol import SandboxPolicy
from scripts.demo import PROJECT
from super_agent.core.errors import SuperAgentError
from tests.sandbox.hostile_scene import Driver

RUNC = '[engine]\nruntime = "runc"\n'


@pytest.fixture(scope="module", params=["podman", "docker"])
def kind(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """An engine that works here; Podman also with runc, as crun refuses some machines' cgroups."""
    kind = str(request.param)
    if reason := not_there(kind):
        not_to_be_had(kind, reason)
    made = subprocess.run([PROJECT / "scripts" / "make_sandbox_image.sh", kind], capture_output=True, text=True)
    if made.returncode != 0:
        not_to_be_had(kind, made.stderr.strip())
    image = made.stdout.strip()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SUPER_AGENT_SANDBOX_IMAGE", image)
        reason = trial(kind, image)
        if reason and kind == "podman":
            conf = tmp_path_factory.mktemp("podman") / "containers.conf"
            conf.write_text(RUNC)
            patch.setenv("CONTAINERS_CONF", str(conf))
            reason = trial(kind, image)
        if reason and not runs_anything(kind, image):
            not_to_be_had(kind, reason)
        assert not reason
        yield kind
        assert containers(kind) == ""


@pytest.fixture(scope="module")
def driver(kind: str) -> Iterator[Driver]:
    base = Path(tempfile.mkdtemp(prefix="hostile-", dir="/tmp"))
    made = Driver(base, None)
    yield made
    made.close()
    shutil.rmtree(base)


def containers(kind: str) -> str:
    return subprocess.run([kind, "ps", "-aq", "--filter", f"label={LABEL}"], capture_output=True, text=True).stdout


def container_policy(kind: str, image: str, workspace: Path) -> SandboxPolicy:
    return SandboxPolicy(workspace, IMAGE_PYTHON, engine="podman" if kind == "podman" else "docker", image=image)


def not_there(kind: str) -> str:
    if shutil.which(kind) is None:
        return "not installed"
    asked = subprocess.run([kind, "info"], capture_output=True, text=True)
    return "" if asked.returncode == 0 else asked.stderr.strip()


def trial(kind: str, image: str) -> str:
    with tempfile.TemporaryDirectory() as folder:
        try:
            ready_container(container_policy(kind, image, Path(folder)))
        except SuperAgentError as error:
            return str(error)
    return ""


def runs_anything(kind: str, image: str) -> bool:
    """Whether the engine can run a container at all, without any term of ours but limits that every machine allows."""
    limits = [f"--ulimit={name}=1024:1024" for name in ("nofile", "nproc")]
    line = [kind, "run", "--rm", "--pull", "never", "--network", "none", *limits, "--entrypoint", "true", image]
    return subprocess.run(line, capture_output=True, check=False).returncode == 0


def not_to_be_had(kind: str, reason: str) -> NoReturn:
    pytest.skip(f"no {kind} to test with: {reason}")


@contextmanager
def other_file_system(system: str, folder: Path) -> Iterator[Path]:
    """An empty workspace on a tmpfs or an overlay, in `folder`; skips where it may not be mounted."""
    names = {name: folder / name for name in ("lower", "upper", "work", "mounted")}
    for path in names.values():
        path.mkdir()
    options = "lowerdir={lower},upperdir={upper},workdir={work}".format(**names)
    terms = ["-o", options] if system == "overlay" else []
    made = subprocess.run(["mount", "-t", system, *terms, system, names["mounted"]], capture_output=True, text=True)
    if made.returncode != 0:
        pytest.skip(f"no {system} to try: {made.stderr.strip()}")
    try:
        yield names["mounted"]
    finally:
        # Lazily: a policy holds its folders open for as long as it lives.
        subprocess.run(["umount", "--lazy", names["mounted"]], check=True)
