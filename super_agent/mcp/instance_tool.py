"""The tool that says whether both halves use one model instance, and who uses the server."""

from collections.abc import Callable

from super_agent.core.errors import ServerError
from super_agent.core.instance.instance_status import instance_status
from super_agent.core.ollama.api import Ollama
from super_agent.core.settings import Settings
from super_agent.mcp.tool_schemas import InstanceCheck, InstanceModel, InstanceResult, plain
from super_agent.session.messages.verify_messages import fix, seen
from super_agent.session.verify_instance import prove


def instance(settings: Settings, *, proof: bool, load: bool, tell: Callable[[str], None]) -> InstanceResult:
    """The five checks of verify, with `proof` all of them, and the rows of ps where the server answers."""
    with Ollama(settings) as server:
        checks = [
            InstanceCheck(
                name=line.name,
                status=line.status,
                detail=plain(seen(line, "en")),
                fix="" if line.status == "passed" else plain(fix(line, "en")),
            )
            for line in prove(server, settings, tell, quick=not proof, load=load)
        ]
        failed = any(check.status == "failed" for check in checks)
        try:
            status = instance_status(server, settings)
        except ServerError:  # a check says so
            return InstanceResult(one_instance=False, checks=checks, models=[], other_connections=None)
    models = [
        InstanceModel(
            name=row.name,
            digest=row.digest,
            size_bytes=row.size,
            size_vram_bytes=row.size_vram,
            context_length=row.context_length,
            clients=[f"{client.kind} {client.pid}" for client in status.users(row)],
        )
        for row in status.rows
    ]
    others = None if status.others is None else len(status.others)
    return InstanceResult(one_instance=not failed, checks=checks, models=models, other_connections=others)
