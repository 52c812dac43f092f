"""urllib3's errors as ours, for both synchronous clients: requests hands urllib3's on inside its own."""

from urllib3 import exceptions

from super_agent.core.errors import ServerError
from super_agent.core.ollama import http_errors


def from_urllib3(
    error: BaseException, base_url: str, *, awaited: str, timeout_s: float, connect_s: float
) -> ServerError:
    """The error that lies innermost decides. `awaited` is what was waited for in `timeout_s`; all times in seconds."""
    cause = _innermost(error)
    match cause:
        case exceptions.NewConnectionError() | exceptions.SSLError() | exceptions.ProxyError():
            return http_errors.unreachable(base_url, cause)
        case exceptions.LocationValueError():
            return http_errors.unreachable(base_url, cause)
        case exceptions.ConnectTimeoutError():
            return http_errors.no_answer(base_url, f"no connection in {connect_s:g} s")
        case exceptions.TimeoutError() | TimeoutError():
            return http_errors.timed_out(base_url, awaited, timeout_s)
        case _:
            transient = isinstance(cause, exceptions.ProtocolError | ConnectionError)
            return http_errors.broken(base_url, f"{type(cause).__name__}: {cause}", transient=transient)


def _innermost(error: BaseException) -> BaseException:
    """Through MaxRetryError and requests' wrappers; ProtocolError stays, as what it holds says less."""
    while True:
        inner = getattr(error, "reason", None) if isinstance(error, exceptions.MaxRetryError) else None
        if inner is None and not isinstance(error, exceptions.HTTPError) and error.args:
            inner = error.args[0]
        if not isinstance(inner, exceptions.HTTPError):
            return error
        error = inner
