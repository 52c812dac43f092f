"""Do both halves use the same model instance? The built clients are asked, for whatever door wants to know."""

from collections.abc import Callable, Iterator

from interpreter.ollama_adapter import OllamaAdapter
from super_agent.core.errors import ServerFailed
from super_agent.core.instance.check_results import CheckLine, ProofMiddleware
from super_agent.core.instance.diagnosis_messages import cause_text
from super_agent.core.instance.instance_watch import find_loaded
from super_agent.core.instance.same_instance_proof import five_checks, live_proof
from super_agent.core.instance.sanity_check import crashed
from super_agent.core.llm_client import LLMClient
from super_agent.core.model.chat import Message, Reply
from super_agent.core.ollama.api import Ollama
from super_agent.core.settings import Settings, language


class ProofAdapter(OllamaAdapter):
    """The executor's own adapter, asked for one token."""

    def reply_to(self, messages: list[Message]) -> Reply:
        """One whole reply."""
        *_pieces, reply = self.stream(messages)
        if not isinstance(reply, Reply):
            raise RuntimeError("OllamaAdapter.stream ended without a Reply")
        return reply


def prove(
    server: Ollama, settings: Settings, tell: Callable[[str], None], *, quick: bool, load: bool
) -> Iterator[CheckLine]:
    """The twelve checks of `verify` as they are done, or with `quick` five; with `load` it may load the model.

    `tell` hears what takes long. Costs four short prompts.
    """
    middleware = ProofMiddleware()
    # What each would really send is read from the built clients, not from the variables twice.
    asked = settings.model_copy(update={"max_reply_tokens": 1})
    executor = ProofAdapter(asked, middleware)
    try:
        first = five_checks(server, LLMClient(settings, middleware, 0), executor, settings)
        there = [line.status for line in first][:2] == ["passed"] * 2
        row = find_loaded(server, settings.model) if there else None
        if not quick and load and there and row is None:
            why = f" ({cause_text(first[2].cause, language(settings))})" if first[2].cause else ""
            tell(f"loading {settings.model} for the proof{why}")
            try:
                server.load(settings.model, settings.keep_alive)
            except ServerFailed as error:
                yield from [*first, crashed(error)]
                return
            first = five_checks(server, LLMClient(settings, middleware, 0), executor, settings)
            row = find_loaded(server, settings.model)
        yield from first
        if not quick and row is not None and not any(line.status == "failed" for line in first):
            autogen = LLMClient(settings, middleware, row.context_length)
            yield from live_proof(server, autogen, executor.reply_to, middleware, settings)
    finally:
        executor.close()
