"""`ps` on the scripted server: whose clients a row counts."""

from pathlib import Path

from super_agent.core.instance.client_registry import ClientLock
from super_agent.core.instance.instance_status import instance_status
from super_agent.core.ollama.api import Ollama
from tests.scripted_models import Model
from tests.scripted_ollama import ScriptedOllama


def test_a_row_counts_the_clients_of_another_alias_that_shares_its_runner(tmp_path: Path) -> None:
    twin = Model("twin:latest", 8192)
    stranger = Model("stranger:latest", weights="5" * 64)
    with ScriptedOllama(models=[twin, stranger]) as scripted:
        settings = scripted.settings(state_dir=tmp_path)
        scripted.catalogue.use(twin)
        scripted.catalogue.use(stranger)
        lock = ClientLock(settings, "autogen")
        try:
            with Ollama(settings) as server:
                status = instance_status(server, settings)
        finally:
            lock.close()
    assert {row.name: len(status.users(row)) for row in status.rows} == {"twin:latest": 1, "stranger:latest": 0}


def test_a_client_on_the_same_server_under_another_name_is_counted(tmp_path: Path) -> None:
    with ScriptedOllama() as scripted:
        by_number = scripted.settings(state_dir=tmp_path)
        by_name = scripted.settings(state_dir=tmp_path, base_url=scripted.base_url.replace("127.0.0.1", "localhost"))
        scripted.catalogue.use(scripted.catalogue.models["scripted:latest"])
        lock = ClientLock(by_number, "open-interpreter")
        try:
            with Ollama(by_name) as server:
                [row] = (status := instance_status(server, by_name)).rows
        finally:
            lock.close()
    assert [client.kind for client in status.users(row)] == ["open-interpreter"]
