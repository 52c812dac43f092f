"""The protocol between the executor and whatever runs code: start, run, interrupt, close."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Protocol

from interpreter.sandbox.python_choice import prefixes_of
from interpreter.sandbox.reach import Reach, decide
from super_agent.core.cancellation import Cancellation

OutcomeKind = Literal["finished", "failed", "timed_out", "died", "interrupted", "refused"]


@dataclass(frozen=True, slots=True)
class SandboxPolicy:
    """What sandboxed code may reach. Every sandboxed command takes one.

    The workspace has the same absolute path inside and outside and is writable, its `.git` is not.
    """

    workspace: Path
    python: Path
    """The interpreter that `python` and the kernel use inside; its prefix is bound read-only."""
    readonly_paths: tuple[Path, ...] = ()
    """Further paths that the user's settings allow, e.g. a toolchain under the home folder."""
    network: bool = False
    """Deliberate: also makes the host's loopback reachable."""
    contained: bool = True
    """False is `--sandbox none`: code runs with the user's own rights."""
    engine: Literal["docker", "podman"] | None = None
    """What makes containers of `image`; without one bubblewrap contains. `python` is then of the image, or inside the
    workspace."""
    image: str = ""
    environment: dict[str, str] = field(default_factory=dict)
    """Added to the sandbox's own almost empty environment."""
    max_memory_bytes: int = 4 * 1024**3
    """Of one process, and of all together."""
    max_processes: int = 512
    max_file_bytes: int = 2 * 1024**3
    max_cpu_s: int = 3600
    """Processor time of one process."""
    max_disk_growth_bytes: int = 4 * 1024**3
    """What may be written into the workspace while one sandbox lives."""
    min_free_disk_bytes: int = 512 * 1024**2
    """The sandbox ends when code brings the disk below this."""
    python_prefixes: tuple[Path, ...] = ()
    """What `python` needs to be readable; resolved here and once, before any model-written code can repoint links."""
    decided: Reach | None = field(default=None, repr=False, compare=False)
    """What all of these paths meant when the policy was made; a policy made from this one looks only at new ones."""

    def __post_init__(self) -> None:
        """Raises `SandboxUnavailable` for paths that cannot be protected, or shown without what is to stay hidden."""
        if self.contained and self.engine is None and not self.python_prefixes:
            object.__setattr__(self, "python_prefixes", prefixes_of(self.python))
        decided = decide(
            self.workspace,
            self.python,
            self.python_prefixes,
            self.readonly_paths,
            contained=self.contained,
            before=self.decided,
        )
        object.__setattr__(self, "decided", decided)

    @property
    def reach(self) -> Reach:
        """What the policy's paths meant when it was made."""
        if self.decided is None:
            raise RuntimeError("decided when it is made")
        return self.decided


@dataclass(frozen=True, slots=True)
class CodeOutcome:
    """How one run ended. "failed" is a non-zero exit code or an uncaught exception; state is lost after "died".

    "refused" is code that was not run, as no person approved of it; no runner says that.
    """

    kind: OutcomeKind
    exit_code: int | None
    duration_s: float
    output_bytes: int
    detail: str = ""
    state_lost: bool = False


class Runner(Protocol):
    """One language inside the sandbox. Not thread-safe, but `close` may come from another thread."""

    language: str

    def start(self) -> None:
        """Make ready; raises `SandboxUnavailable`."""

    def run(
        self,
        code: str,
        on_output: Callable[[bytes], None],
        timeout_s: float,
        cancellation: Cancellation | None = None,
    ) -> CodeOutcome:
        """Run to the end, at most `timeout_s` seconds (then interrupt, then kill); raw output goes to `on_output`.

        A cancellation ends it within a second, keeping state where the language can.

        After any outcome the next `run` works (restarting if need be) and gets its own output only.
        """

    def close(self) -> None:
        """End everything that was started; idempotent."""
