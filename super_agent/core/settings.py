"""Settings: one frozen object, built once by the command line and passed down.

Precedence: flag > environment > `.env` (of the user's configuration folder, or `--env-file`) > default. This is the
only module that reads `os.environ`. No setting is ever read from the workspace: model-written code can write there.
"""

import difflib
import os
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import platformdirs
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, ValidationError

from super_agent.core import setting_forms
from super_agent.core.env_files import names_set_in, read_env_file
from super_agent.core.errors import SettingInvalid
from super_agent.core.setting_forms import MAX_SECONDS, from_text

DEFAULT_BASE_URL = "http://localhost:11434"
DEFAULT_MODEL = "deepseek-coder-v2-16b-q4_k_m-rtx"
PREFIX = "SUPER_AGENT_"
Language = Literal["en", "pt"]
Member = Literal["planner", "coder", "reviewer"]
Seconds = Annotated[float, Field(gt=0, le=MAX_SECONDS)]
Switch = Annotated[Literal["on", "off"], BeforeValidator(from_text(setting_forms.switch))]
LOWER_CASE = BeforeValidator(from_text(str.lower))


class Settings(BaseModel):
    """Everything that can be set. Both model clients are built from this object and from nothing else."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    base_url: Annotated[str, BeforeValidator(setting_forms.base_url)] = Field(
        DEFAULT_BASE_URL, description="the Ollama server that serves both halves"
    )
    model: str = Field(DEFAULT_MODEL, min_length=1, description="the one model that serves both halves")
    api_key: Annotated[SecretStr, AfterValidator(setting_forms.header_value)] | None = Field(
        None, description="sent as `Authorization: Bearer …` to a server that asks for it"
    )
    proxy: Annotated[str, AfterValidator(setting_forms.proxy)] | None = Field(
        None, description="HTTP proxy for the server; the usual proxy variables are not read"
    )
    keep_alive: Annotated[str, AfterValidator(setting_forms.keep_alive)] = Field(
        "30m", description="how long the model stays loaded after its last use"
    )

    temperature: float = Field(0.0, ge=0, le=2, description="sampling temperature, sent by both clients")
    seed: int | None = Field(None, ge=0, description="of sampling; further attempts count on from it")
    top_p: float = Field(1.0, gt=0, le=1, description="nucleus sampling, sent by both clients")
    max_reply_tokens: int = Field(4096, ge=16, description="longest reply; never more than a quarter of the context")
    connect_timeout_s: Seconds = Field(5.0, description="for a connection to the server")
    first_token_timeout_s: Seconds = Field(600.0, description="from a request to the first piece of its reply")
    between_tokens_timeout_s: Seconds = Field(120.0, description="between two pieces of a reply")
    queue_timeout_s: Seconds = Field(1800.0, description="for other runs to give way on the same model")
    slots: int | None = Field(
        None, ge=1, description="requests that the server works on at once; else read off a local server"
    )
    retries: int = Field(4, ge=0, le=20, description="of one request, where that is safe")
    retry_wait_s: Seconds = Field(0.5, description="before a request is sent again, doubled each time")

    max_turns: int = Field(16, ge=1, description="coder replies (exec: instructions) before a run gives up")
    attempts: int | None = Field(
        None, ge=1, le=64, description="first replies of the coder that are tried before the best of them is mended"
    )
    members: Annotated[tuple[Member, ...] | None, BeforeValidator(from_text(setting_forms.members))] = Field(
        None, description="who is in the team, separated by `,`; else by the model's size and whether there is a check"
    )
    max_time_s: Seconds = Field(3600.0, description="wall time of a run")
    max_tokens: int | None = Field(None, ge=1, description="tokens of a whole run, prompts and replies of both clients")
    max_rounds: int = Field(8, ge=1, description="code runs the executor may use for one instruction")
    code_timeout_s: Seconds = Field(60.0, description="for one run of the executor's code")
    check_timeout_s: Seconds = Field(600.0, description="for one run of the check or the setup command")
    max_output_bytes: int = Field(8192, ge=256, description="of one run's output as the model sees it: head and tail")

    compaction: Annotated[Literal["rules", "model"], LOWER_CASE] = Field(
        "rules", description="who sums up what leaves the team's context: rules, or the model in a call of its own"
    )
    lang: Annotated[Language | None, LOWER_CASE] = Field(
        None, description="language of `verify`; else that of the locale"
    )
    sandbox: Annotated[Literal["bubblewrap", "docker", "podman", "none"], LOWER_CASE] = Field(
        "bubblewrap", description="where model-written code runs"
    )
    sandbox_image: Annotated[str, AfterValidator(setting_forms.image)] = Field(
        "python:3.12-slim", min_length=1, description="what containers are made from: Python and bash"
    )
    sandbox_paths: Annotated[tuple[Path, ...], BeforeValidator(from_text(setting_forms.folders))] = Field(
        (), description="further folders the sandbox may read, separated by `:`"
    )
    network: bool = Field(False, description="whether sandboxed code has the network, this machine's servers included")
    sandbox_memory_mb: int = Field(4096, ge=64, description="MiB for one process in the sandbox, and for all together")
    sandbox_processes: int = Field(512, ge=8, description="processes in the sandbox at once")
    sandbox_disk_mb: int = Field(4096, ge=1, description="MiB that may be written to the workspace in one sandbox")
    sandbox_free_disk_mb: int = Field(512, ge=0, description="MiB of the disk that code must leave free")
    approve: Annotated[Literal["never", "risky", "always"] | None, LOWER_CASE] = Field(
        None, description="when a person is asked before code runs; never in the sandbox, else always"
    )
    mcp: Annotated[tuple[str, ...], BeforeValidator(from_text(setting_forms.names))] = Field(
        (), description="MCP servers of the user's list whose tools the executor has"
    )
    trust_instructions: bool = Field(
        False, description="whether the workspace's AGENTS.md is shown to the models without a question"
    )
    store: Switch = Field("on", description="whether runs are kept in the session store")
    snapshots: Switch = Field("on", description="whether each turn's files are kept for diff and undo")
    state_dir: Annotated[Path, AfterValidator(setting_forms.absolute)] = Field(
        default_factory=lambda: platformdirs.user_state_path("super-agent"),
        description="the session store, saved originals, whole outputs, client locks",
    )


VARIABLES: Mapping[str, str] = {
    "OLLAMA_BASE_URL": "base_url",
    "DEFAULT_MODEL": "model",
    **{PREFIX + name.upper(): name for name in Settings.model_fields if name not in ("base_url", "model")},
}

RAY_VARIABLES: Mapping[str, str] = {
    "RAY_USAGE_STATS_ENABLED": "0",
    # Else it prints the traceback of a task whose result nobody asked for, as of one whose driver has stopped.
    "RAY_IGNORE_UNHANDLED_ERRORS": "1",
    # A node that fell silent is given up after (3 + 1) * 5 = 20 s; busy ones have answered within 3.
    "RAY_health_check_initial_delay_ms": "5000",
    "RAY_health_check_period_ms": "1000",
    "RAY_health_check_timeout_ms": "3000",
    "RAY_health_check_failure_threshold": "5",
}


def user_env_file() -> Path:
    """The `.env` that is read when `--env-file` is not given."""
    return platformdirs.user_config_path("super-agent") / ".env"


def user_tools_file() -> Path:
    """The list of MCP servers."""
    return platformdirs.user_config_path("super-agent") / "mcp.json"


def load_settings(
    flags: Mapping[str, Any] | None = None,
    *,
    env_file: Path | None = None,
    environ: Mapping[str, str] | None = None,
) -> Settings:
    """Build the settings; `flags` maps field names to values, None meaning not given.

    Raises `SettingInvalid`, which names the flag or variable, the value seen and what is allowed.
    """
    environ = os.environ if environ is None else environ
    if env_file is not None and not env_file.is_file():
        raise SettingInvalid(f"--env-file {env_file} is not a file", fix="Name an existing .env file")
    path = env_file or user_env_file()
    from_file = read_env_file(path) if path.is_file() else {}
    values: dict[str, Any] = {}
    origins: dict[str, str] = {}
    for source, where in ((from_file, f" (in {path})"), (environ, "")):
        _refuse_unknown(source, where)
        for variable, name in VARIABLES.items():
            if value := source.get(variable, "").strip():
                values[name], origins[name] = value, variable + where
    for name, value in (flags or {}).items():
        if value is not None:
            values[name], origins[name] = value, "--" + _flag_of(name)
    try:
        return Settings(**values)
    except ValidationError as error:
        raise _setting_invalid(error, origins) from None


def variables_in(path: Path) -> list[str]:
    """Which of our variables an env file sets, sorted; used to say that a workspace's `.env` is not read."""
    return sorted(names_set_in(path) & VARIABLES.keys())


def language(settings: Settings) -> Language:
    """The language of `verify`'s text: the setting, else the locale's variables as C programs read them."""
    if settings.lang is not None:
        return settings.lang
    locale = next((os.environ[name] for name in ("LC_ALL", "LC_MESSAGES", "LANG") if os.environ.get(name)), "")
    return "pt" if locale.lower().startswith("pt") else "en"


def child_environment(*names: str) -> dict[str, str]:
    """A small environment for a program of ours: PATH, LANG and the named variables, where they are set."""
    return {name: os.environ[name] for name in ("PATH", "LANG", *names) if name in os.environ}


def editor_command() -> tuple[str, ...]:
    """The user's editor with its arguments, of VISUAL or EDITOR, or empty; raises `SettingInvalid`."""
    for name in ("VISUAL", "EDITOR"):
        if text := os.environ.get(name, "").strip():
            try:
                return tuple(shlex.split(text))
            except ValueError as error:
                raise SettingInvalid(f"{name}={text}: {error}", fix="Correct its quotes") from None
    return ()


@dataclass(frozen=True, slots=True)
class TerminalWishes:
    """What the user's terminal is said to take."""

    dumb: bool
    no_colour: bool


def terminal_wishes() -> TerminalWishes:
    """TERM=dumb (or unknown, or none) moves no cursor; NO_COLOR, where it is not empty, wants no colours."""
    return TerminalWishes(os.environ.get("TERM", "") in ("", "dumb", "unknown"), bool(os.environ.get("NO_COLOR")))


def server_environment() -> dict[str, str]:
    """The user's whole environment, for an Ollama server that is started in their name."""
    return dict(os.environ)


def variables_of(settings: Settings) -> dict[str, str]:
    """Settings as variables that give the same settings again; empty where nothing is set."""
    found = {}
    for variable, name in VARIABLES.items():
        value = getattr(settings, name)
        if isinstance(value, SecretStr):
            value = value.get_secret_value()
        elif isinstance(value, tuple):
            value = (":" if name == "sandbox_paths" else ",").join(map(str, value))
        found[variable] = "" if value is None else str(value)
    return found


def set_for_ray(own: Settings | None = None) -> None:
    """Ray reads variables of its own in this process and hands them on; the user's count where they are set.

    The processes of a cluster that this process starts get its `own` settings, also where they came from flags.
    """
    for name, value in RAY_VARIABLES.items():
        os.environ.setdefault(name, value)
    os.environ.update(variables_of(own) if own is not None else {})


def ray_token_there() -> bool:
    """Whether this machine has a token for a cluster, in one of the three places where Ray looks for it."""
    named = any(os.environ.get(name) for name in ("RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH"))
    return named or (Path.home() / ".ray" / "auth_token").is_file()


def _refuse_unknown(source: Mapping[str, str], where: str) -> None:
    for name in source:
        if name.startswith(PREFIX) and name not in VARIABLES:
            near = difflib.get_close_matches(name, VARIABLES, n=1)
            hint = f"Did you mean {near[0]}?" if near else "The settings are listed in .env.example"
            raise SettingInvalid(f"{name}{where} is not a setting", fix=hint)


def _flag_of(name: str) -> str:
    return name.removesuffix("_s").replace("_", "-")


def _setting_invalid(error: ValidationError, origins: Mapping[str, str]) -> SettingInvalid:
    first = error.errors()[0]
    name = str(first["loc"][0])
    reason = str(first["msg"]).removeprefix("Value error, ")
    seen = "" if name == "api_key" else f"={first['input']!s}"
    return SettingInvalid(f"{origins.get(name, name)}{seen}: {reason}", fix="See .env.example for what is allowed")
