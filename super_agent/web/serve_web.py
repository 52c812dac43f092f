"""`super-agent web`: what the command line said, checked before any package of the page is imported."""

import importlib
import ipaddress
import ssl
from collections.abc import Callable
from pathlib import Path

from super_agent.core.errors import UsageError
from super_agent.core.settings import load_settings
from super_agent.tools.listed import require_listed
from super_agent.web.server_options import LOOPBACK, WebOptions

PACKAGES = ("jinja2", "starlette", "uvicorn")


def main(options: WebOptions, say: Callable[[str], None], complain: Callable[[str], None]) -> int:
    """Serve until Ctrl-C; `say` and `complain` write a line each. Raises `UsageError`, `StoreUnusable`."""
    check(options)
    _require_packages()
    settings = load_settings(options.flags, env_file=options.env_file)
    require_listed(settings)
    from super_agent.web.http_server import serve

    return serve(options, settings, say, complain)


def check(options: WebOptions) -> None:
    """Raises `UsageError` for an address that would show the page to others without saying so."""
    try:
        address = ipaddress.ip_address(LOOPBACK if options.host == "localhost" else options.host)
    except ValueError:
        raise UsageError(f"--host {options.host} is no address", fix="Give an address of this machine") from None
    if address.is_unspecified:
        raise UsageError(
            f"--host {options.host} would serve every network of this machine, under names nobody knows",
            fix="Give the one address that is meant",
        )
    if (options.certificate is None) != (options.key is None):
        raise UsageError("--cert and --key belong together", fix="Give both files")
    for name, path in (("--cert", options.certificate), ("--key", options.key)):
        if path is not None and not path.is_file():
            raise UsageError(f"{name} {path}: there is no such file", fix="Name a PEM file")
    if options.certificate is not None and options.key is not None:
        _check_certificate(options.certificate, options.key)
    for root in options.roots:
        if not root.is_dir():
            raise UsageError(f"--root {root}: there is no such folder", fix="Name a folder in which runs may begin")
    if not options.is_loopback and options.certificate is None and not options.insecure:
        raise UsageError(
            f"--host {options.host} shows this page to other machines, and who reads the network could take it over",
            fix="Give --cert FILE --key FILE, or --insecure if that network is yours alone",
        )


def _check_certificate(certificate: Path, key: Path) -> None:
    """Now, and not once the link was told; raises `UsageError`."""

    def no_password() -> str:
        raise UsageError(f"--key {key} is locked by a password", fix="Give a key without one")

    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(certificate, key, no_password)
    except OSError as error:
        what = "they are no certificate with its key" if isinstance(error, ssl.SSLError) else error.strerror
        pair = f"--cert {certificate} --key {key}"
        raise UsageError(f"{pair} cannot be used: {what}", fix="Give both as PEM files") from error


def _require_packages() -> None:
    for name in PACKAGES:
        try:
            importlib.import_module(name)
        except ImportError as error:
            raise UsageError(
                f"the page needs the package {name}, which is not installed", fix='Run: pip install "super-agent[web]"'
            ) from error
