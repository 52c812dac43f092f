"""What importing the wire costs: `verify` builds both clients without loading what only sending needs."""

import subprocess
import sys


def test_both_clients_are_built_without_httpx_and_requests() -> None:
    program = """
import sys
from interpreter.ollama_adapter import OllamaAdapter
from super_agent.core.model.middleware import CountingMiddleware
from super_agent.core.llm_client import LLMClient
from super_agent.core.ollama.api import Ollama
from super_agent.core.settings import load_settings

settings = load_settings(environ={})
with Ollama(settings):
    LLMClient(settings, CountingMiddleware(), 8192)
    OllamaAdapter(settings, CountingMiddleware()).close()
heavy = [name for name in ("httpx", "requests", "rich", "autogen_core", "autogen_agentchat") if name in sys.modules]
sys.exit(" ".join(heavy) or 0)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
