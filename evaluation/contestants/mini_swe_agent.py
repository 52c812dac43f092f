"""mini-swe-agent with its configuration for models without tool calls."""

from evaluation.contestants.arena import Arena, Contestant, Ending, in_sandbox
from evaluation.contestants.foreign import QUIET, python_of


def contestant() -> Contestant:
    """Unattended, without limits of its own: the budget decides."""

    def run(arena: Arena) -> Ending:
        python = python_of("mini_swe_agent")
        words = ["python", "-m", "minisweagent.run.mini", "--yolo", "--exit-immediately", "--cost-limit", "0"]
        words += ["--model", f"openai/{arena.model}", "--model-class", "litellm_textbased"]
        words += ["-c", "mini_textbased.yaml", "-c", f"model.model_kwargs.api_base={arena.url}/v1"]
        words += ["-c", "model.cost_tracking=ignore_errors", "--output", str(arena.folder / "trajectory.json")]
        words += ["--task", f"{arena.task.text}\n\nThe check is `{arena.task.check}`."]
        environment = {**QUIET, "MSWEA_CONFIGURED": "true", "MSWEA_SILENT_STARTUP": "1"}
        return in_sandbox(arena, python, words, environment)

    return Contestant("mini-swe-agent", run)
