"""One contestant's run from a freshly loaded model, and everything that is counted in it."""

import shutil
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import httpx

from benchmarks.compare import story
from benchmarks.compare.contestants import Contestant, Place
from benchmarks.compare.process import Watched
from benchmarks.compare.proxy import PlayedCall, PlayingProxy
from evaluation.server_log import Evaluation, ServerLog
from scripts.own_ollama import OwnOllama

RUN_TIMEOUT_S = 1800.0
UNLOAD_TIMEOUT_S = 30.0


@dataclass(frozen=True, slots=True)
class RunCost:
    """What a run cost. Tokens of prompts as the server's log counts them; the replies, played, are apart.

    `once` is what would be evaluated if each token were evaluated once: the last prompt of each stretch (between
    compactions, for each conversation) without the replies in it. `orchestration_s` is wall time without the model.
    """

    name: str
    kind: str
    length: str
    stock: bool
    calls: int
    sent: int
    evaluated: int
    replies: int
    last_prompt: int
    once: int
    stretches: int
    prompt_s: float
    loads: int
    cut: int
    wall_s: float
    orchestration_s: float
    cpu_ms_a_call: float
    peak_mb: float
    ready_s: float
    first_call_s: float

    @property
    def reuse(self) -> float:
        """The share of the sent tokens that was not evaluated again."""
        return 1 - self.evaluated / self.sent


def fresh(server: OwnOllama, model: str) -> None:
    """Unload the model, and with it the prefix cache; raises TimeoutError where its runner stays."""
    with httpx.Client(base_url=server.base_url, timeout=60, trust_env=False) as http:
        http.post("/api/generate", json={"model": model, "keep_alive": 0}).raise_for_status()
    deadline = time.monotonic() + UNLOAD_TIMEOUT_S
    while server.runners():
        if time.monotonic() > deadline:
            raise TimeoutError("the model was not unloaded")
        time.sleep(0.05)


def measure(server: OwnOllama, model: str, contestant: Contestant) -> RunCost:
    """Run it; raises RuntimeError where it does not do the whole task as the script has it."""
    fresh(server, model)
    log = ServerLog(server.log)
    mark = log.mark()
    folder = Path(tempfile.mkdtemp(prefix="super-agent-compare-"))
    try:
        with PlayingProxy(server.base_url, contestant.steps) as proxy:
            place = Place(proxy.base_url, model, folder)
            place.workspace.mkdir()
            (place.workspace / "check.py").write_text(story.check_program(contestant.turns))
            process = Watched(contestant.command(place), contestant.environment(place), folder / "stderr.txt")
            proxy.cpu_s = process.cpu_s
            code = process.wait(RUN_TIMEOUT_S)
            ended = time.perf_counter()
            if code != 0 or proxy.rest or proxy.failure is not None:
                how = f"exit code {code}, {len(proxy.rest)} steps left, {proxy.failure or 'nothing else asked'}"
                raise RuntimeError(f"{contestant.name}: {how}\n{process.told()}")
            return _row(contestant, proxy, process, ended, log.evaluations_since(mark), log.loads_since(mark))
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _row(
    contestant: Contestant,
    proxy: PlayingProxy,
    process: Watched,
    ended: float,
    evaluations: tuple[Evaluation, ...],
    loads: int,
) -> RunCost:
    calls = proxy.calls
    if len(evaluations) != 2 * len(calls):
        raise RuntimeError(f"{contestant.name}: {len(calls)} calls, but {len(evaluations)} prompts in the server's log")
    prompts, played = evaluations[::2], evaluations[1::2]
    parts = list(stretches(calls))
    wall_s = ended - process.started
    model_s = sum(call.ended - call.arrived for call in calls) + proxy.others_s
    cpu = [call.cpu_s for call in calls]
    return RunCost(
        name=contestant.name,
        kind=contestant.kind,
        length=contestant.length,
        stock=contestant.stock,
        calls=len(calls),
        sent=sum(call.counts.prompt_tokens for call in calls),
        evaluated=sum(prompt.evaluated for prompt in prompts),
        replies=sum(reply.evaluated for reply in played),
        last_prompt=calls[-1].counts.prompt_tokens,
        once=sum(without_replies(stretch) for stretch in parts),
        stretches=len(parts),
        prompt_s=sum(prompt.milliseconds for prompt in prompts) / 1000,
        loads=loads,
        cut=sum(call.counts.cut for call in calls),
        wall_s=wall_s,
        orchestration_s=wall_s - model_s,
        cpu_ms_a_call=1000 * (cpu[-1] - cpu[0]) / max(1, len(cpu) - 1),
        peak_mb=process.peak_bytes / 2**20,
        ready_s=process.first_line_s or 0.0,
        first_call_s=calls[0].arrived - process.started - proxy.others_s,
    )


def stretches(calls: Sequence[PlayedCall]) -> Iterator[list[PlayedCall]]:
    """Calls that belong to one conversation between two compactions: each prompt extends the one before and its reply.

    The two halves of super-agent are told apart by the API that they use.
    """
    for path in dict.fromkeys(call.path for call in calls):
        found: list[PlayedCall] = []
        for call in (call for call in calls if call.path == path):
            if found and call.counts.prompt_tokens < found[-1].counts.prompt_tokens + found[-1].counts.reply_tokens:
                yield found
                found = []
            found.append(call)
        yield found


def without_replies(stretch: Sequence[PlayedCall]) -> int:
    """Tokens of a stretch's last prompt that are not replies: what has to be evaluated once."""
    return stretch[-1].counts.prompt_tokens - sum(call.counts.reply_tokens for call in stretch[:-1])
