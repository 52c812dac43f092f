"""What every page of one server needs, built once by the command."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from super_agent.core.settings import Language, Settings
from super_agent.core.store.store import Store
from super_agent.web.access_control import Doorkeeper
from super_agent.web.background_verify import Verification
from super_agent.web.batch_results import ResultsOfBatches
from super_agent.web.run_launcher import RunLauncher
from super_agent.web.session_feeds import Feeds


@dataclass(frozen=True, slots=True)
class ServerContext:
    """`flags` and `env_file` are what the command line said, for the runs that are begun here."""

    settings: Settings
    store: Store
    feeds: Feeds
    keeper: Doorkeeper
    verification: Verification
    hosts: frozenset[str]
    scheme: Literal["http", "https"]
    language: Language
    read_only: bool = False
    roots: tuple[Path, ...] = ()
    flags: Mapping[str, Any] = field(default_factory=dict)
    env_file: Path | None = None
    runs: RunLauncher = field(default_factory=RunLauncher)
    results: ResultsOfBatches = field(default_factory=ResultsOfBatches)

    @property
    def base(self) -> str:
        """How every address begins."""
        return self.keeper.path
