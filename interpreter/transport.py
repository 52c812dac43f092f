"""requests' transport with connections that hand their sockets over. Its own module: importing requests takes time."""

import ssl
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3 import PoolManager

from super_agent.core.ollama.http import authorization
from super_agent.core.ollama.sockets import Sockets, pools_on
from super_agent.core.settings import Settings


def session_on(sockets: Sockets, settings: Settings) -> requests.Session:
    """A session whose every connection hands its socket to `sockets`."""
    session = requests.Session()
    # Otherwise proxy variables and .netrc could send the two halves to different servers.
    session.trust_env = False
    if settings.proxy:
        session.proxies = {"http": settings.proxy, "https": settings.proxy}
    session.headers.update(authorization(settings))
    for scheme in ("http://", "https://"):
        session.mount(scheme, _Adapter(sockets, secure=scheme == "https://"))
    return session


class _Adapter(HTTPAdapter):
    def __init__(self, sockets: Sockets, *, secure: bool) -> None:
        self._secure = secure
        self._pools = pools_on(sockets)
        super().__init__(pool_connections=1, pool_maxsize=1, max_retries=0)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        # The system's authorities besides requests' own, as in the other clients.
        super().init_poolmanager(*args, ssl_context=ssl.create_default_context() if self._secure else None, **kwargs)
        self.poolmanager.pool_classes_by_scheme = self._pools

    def proxy_manager_for(self, *args: Any, **kwargs: Any) -> PoolManager:
        manager: PoolManager = super().proxy_manager_for(*args, **kwargs)
        manager.pool_classes_by_scheme = self._pools
        return manager
