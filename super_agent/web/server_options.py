"""What the command line says of a page's server."""

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

LOOPBACK = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class WebOptions:
    """`port` 0 is a free one. `host` other than the default needs `certificate` and `key`, or `insecure`."""

    host: str = LOOPBACK
    port: int = 0
    certificate: Path | None = None
    key: Path | None = None
    insecure: bool = False
    read_only: bool = False
    open: bool = True
    roots: tuple[Path, ...] = ()
    flags: Mapping[str, Any] = field(default_factory=dict)
    env_file: Path | None = None

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine can connect."""
        return self.host == "localhost" or ipaddress.ip_address(self.host).is_loopback
