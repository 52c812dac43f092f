"""What Ollama's management API answers: the server's JSON checked, and as our dataclasses."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic import BaseModel, model_validator

_BLOB = re.compile(r"(?m)^FROM \S*(sha256-[0-9a-f]{64})")


@dataclass(frozen=True, slots=True)
class StoredModel:
    """A model that the server has; `size` in bytes on disk."""

    name: str
    digest: str
    size: int


@dataclass(frozen=True, slots=True)
class LoadedModel:
    """A row of `/api/ps`: bytes, tokens, and seconds since the epoch (None: never unloaded)."""

    name: str
    digest: str
    size: int
    size_vram: int
    context_length: int
    expires_at: float | None


@dataclass(frozen=True, slots=True)
class ModelDetails:
    """What `/api/show` says. `num_ctx` is the context baked in, None where none is; `max_context` the model's own.

    `weights` is the name of the blob on the server's disk (`sha256-…`), empty where it is not told.
    """

    name: str
    capabilities: tuple[str, ...]
    family: str
    num_ctx: int | None
    max_context: int | None
    license: str
    parent: str
    parameters: str
    template: str
    weights: str = ""
    is_remote: bool = False
    """A cloud model, which `remote_host` serves."""
    remote_host: str = ""
    parameter_count: int | None = None
    """How many weights it has; None where the server does not tell."""


@dataclass(frozen=True, slots=True)
class ProgressResponse:
    """One line of a pull or create; bytes, 0 where the step has no size."""

    status: str
    completed: int = 0
    total: int = 0


class NullsLeftOut(BaseModel):
    """JSON in which null says no more than a field that is not there; servers write either."""

    @model_validator(mode="before")
    @classmethod
    def _without_nulls(cls, value: Any) -> Any:
        if isinstance(value, dict) and None in value.values():
            return {name: each for name, each in value.items() if each is not None}
        return value


class VersionResponse(BaseModel):
    """GET /api/version."""

    version: str


class ListedModel(NullsLeftOut):
    """A model in `/api/tags` or `/api/ps`."""

    name: str
    digest: str = ""
    size: int = 0
    size_vram: int = 0
    context_length: int | None = None
    expires_at: str = ""


class ListResponse(BaseModel):
    """GET /api/tags and /api/ps."""

    models: list[ListedModel] | None

    def stored(self) -> tuple[StoredModel, ...]:
        """As rows of `/api/tags`."""
        return tuple(StoredModel(r.name, r.digest, r.size) for r in self.models or ())

    def tell_the_context(self) -> bool:
        """Whether each row of `/api/ps` does, as they do since Ollama 0.10."""
        return all(r.context_length is not None for r in self.models or ())

    def loaded(self) -> tuple[LoadedModel, ...]:
        """As rows of `/api/ps`; a context that is not told is 0."""
        return tuple(
            LoadedModel(r.name, r.digest, r.size, r.size_vram, r.context_length or 0, _seconds(r.expires_at))
            for r in self.models or ()
        )


class ShowDetails(NullsLeftOut):
    """The `details` of `/api/show`."""

    family: str = "unknown"
    parent_model: str = ""


class ShowResponse(NullsLeftOut):
    """POST /api/show."""

    capabilities: tuple[str, ...] | None = None
    remote_model: str = ""
    remote_host: str = ""
    details: ShowDetails = ShowDetails()
    model_info: dict[str, Any] | None = None
    license: str | list[str] = ""
    parameters: str = ""
    template: str = ""
    modelfile: str = ""

    def of(self, name: str) -> ModelDetails:
        """The details of the model that was asked for as `name`."""
        lines = [line.split() for line in self.parameters.splitlines()]
        num_ctx = next((line[1] for line in lines if len(line) == 2 and line[0] == "num_ctx"), "")
        info: Mapping[str, Any] = self.model_info or {}
        return ModelDetails(
            name=name,
            capabilities=self.capabilities or (),
            family=self.details.family,
            num_ctx=int(num_ctx) if num_ctx.isdecimal() else None,
            max_context=next(
                (v for k, v in info.items() if k.endswith(".context_length") and isinstance(v, int)), None
            ),
            license="\n".join(self.license) if isinstance(self.license, list) else self.license,
            parent=self.details.parent_model,
            parameters=self.parameters,
            template=self.template,
            weights=next(iter(_BLOB.findall(self.modelfile)), ""),
            is_remote=bool(self.remote_model or self.remote_host),
            remote_host=self.remote_host,
            parameter_count=count if isinstance(count := info.get("general.parameter_count"), int) else None,
        )


class ProgressLine(NullsLeftOut):
    """A line of `/api/create` or `/api/pull`."""

    status: str = ""
    completed: int = 0
    total: int = 0
    error: Any = None


def same_model(one: str, other: str) -> bool:
    """Compare names the way Ollama does: `x` and `x:latest` are the same, case does not matter."""
    return _full_name(one) == _full_name(other)


def _full_name(name: str) -> str:
    lowered = name.strip().lower()
    for prefix in ("registry.ollama.ai/", "library/"):
        lowered = lowered.removeprefix(prefix)
    return lowered if ":" in lowered.rsplit("/", 1)[-1] else f"{lowered}:latest"


def _seconds(moment: str) -> float | None:
    """Go writes up to nine fractional digits; the year of "for ever" is beyond what a timestamp holds."""
    try:
        return datetime.fromisoformat(moment).timestamp()
    except (ValueError, OverflowError):
        return None


class GenerateResponse(NullsLeftOut):
    """A whole reply of /api/generate; `response` is empty where there was no prompt."""

    response: str = ""
