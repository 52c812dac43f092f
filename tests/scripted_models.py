"""The scripted Ollama's models: stored, loaded and reloaded by the rules of the real one.

Weights have at most one runner. It is loaded again when a request's context size differs from the loaded one; another
name for the same weights with the same context size does not reload, and the row keeps the first name. No more context
is loaded than the model itself has.
"""

import hashlib
import json
import re
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from tests.scripted_replies import Raw, Refuse

LOADED_ALREADY_S = 0.002
LOAD_S = 0.55
DEFAULT_CONTEXT = 4096
DEFAULT_KEEP_ALIVE_S = 300.0
FOREVER_S = 200 * 365 * 86400.0
WEIGHT_BYTES = 98_362_432
BYTES_PER_CONTEXT_TOKEN = 23_040


@dataclass(frozen=True, slots=True)
class Model:
    """A stored model; models with the same `weights` share one runner. `parameter_count` is None where unknown."""

    name: str
    num_ctx: int | None = None
    weights: str = "941f309b54caaad6747569ba43712bcde44a2be3bae16c3282ff499c37c54af5"
    max_context: int = 8192
    capabilities: tuple[str, ...] = ("completion",)
    family: str = "llama"
    parent: str = ""
    license: str = ""
    template: str = "{{- range .Messages }}<|im_start|>{{ .Role }}\n{{ .Content }}<|im_end|>\n{{ end }}"
    parameters: tuple[tuple[str, Any], ...] = (("stop", '"<|im_end|>"'),)
    parameter_count: int | None = None

    @property
    def digest(self) -> str:
        """Of everything but the name."""
        return hashlib.sha256(repr(replace(self, name="")).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Loaded:
    """A runner; `expires_at` in seconds since the epoch."""

    model: Model
    context_length: int
    expires_at: float
    size: int
    size_vram: int


class Catalogue:
    """What is stored and what is loaded. Tests may change both at any time."""

    def __init__(self, models: Iterable[Model]) -> None:
        self.models: dict[str, Model] = {m.name: m for m in models}
        self.pullable: dict[str, Model] = {}
        self.blobs: set[str] = set()
        self.loaded: dict[str, Loaded] = {}
        self.vram_share = 0.0
        self._lock = threading.RLock()

    def find(self, name: str) -> Model | None:
        """The stored model of that name."""
        return self.models.get(_full(name))

    def use(self, model: Model, options: Mapping[str, Any] | None = None, keep_alive: Any = None) -> float:
        """What a request does to the runner; returns the `load_duration` in seconds."""
        context = min(int((options or {}).get("num_ctx") or model.num_ctx or DEFAULT_CONTEXT), model.max_context)
        with self._lock:
            before = self.loaded.get(model.weights)
            reload = before is None or before.context_length != context
            size = WEIGHT_BYTES + context * BYTES_PER_CONTEXT_TOKEN
            name, stay_s = (model, DEFAULT_KEEP_ALIVE_S) if before is None or reload else (before.model, None)
            if keep_alive is not None:
                stay_s = _seconds(keep_alive)
            expires = before.expires_at if stay_s is None and before is not None else time.time() + (stay_s or 0.0)
            self.loaded[model.weights] = Loaded(name, context, expires, size, round(size * self.vram_share))
            return LOAD_S if reload else LOADED_ALREADY_S

    def context_of(self, model: Model) -> int:
        """The context as loaded."""
        return self.loaded[model.weights].context_length

    def reload(self, context_length: int) -> None:
        """What a foreign client with its own `num_ctx` does to everything that is loaded."""
        for loaded in [*self.loaded.values()]:
            self.use(loaded.model, {"num_ctx": context_length})

    def handle(
        self, method: str, path: str, raw: bytes, body: Any
    ) -> Refuse | Raw | dict[str, Any] | Iterator[dict[str, Any]]:
        """The management API; an iterator is an NDJSON stream."""
        if path.startswith("/api/blobs/"):
            return self._blob(method, path.rpartition("/")[2], raw)
        with self._lock:
            match (method, path):
                case ("GET", "/api/tags"):
                    return {"models": [_tag(m) for m in self.models.values()]}
                case ("GET", "/api/ps"):
                    return {"models": [_row(r) for r in self.loaded.values()]}
                case ("POST", "/api/pull"):
                    return self._pull(_full(body["model"]))
                case ("POST", "/api/create"):
                    return self._create(body)
        model = self.find(body.get("model", "")) if isinstance(body, dict) else None
        known = {("POST", "/api/show"), ("POST", "/api/generate"), ("DELETE", "/api/delete")}
        if (method, path) not in known:
            return Raw(b"404 page not found", 404, "text/plain")
        if model is None:
            return not_found(body.get("model", ""))
        return self._about(path, model, body)

    def _about(self, path: str, model: Model, body: Mapping[str, Any]) -> dict[str, Any] | Raw:
        if path == "/api/show":
            return _show(model)
        if path == "/api/delete":
            del self.models[model.name]
            return Raw(b"", content_type="")
        problem = _bad_duration(body.get("keep_alive"))
        if problem:
            return Raw(json.dumps({"error": problem}).encode(), 400)
        unload = body.get("keep_alive") in (0, "0", "0s")
        if unload:
            self.loaded.pop(model.weights, None)
        else:
            self.use(model, body.get("options"), body.get("keep_alive"))
        reason = "unload" if unload else "load"
        return {"model": body["model"], "created_at": _now(), "response": "", "done": True, "done_reason": reason}

    def _blob(self, method: str, digest: str, raw: bytes) -> Raw:
        if method == "HEAD":
            return Raw(b"", 200 if digest in self.blobs else 404)
        if digest != "sha256:" + hashlib.sha256(raw).hexdigest():
            return Raw(json.dumps({"error": "digest mismatch"}).encode(), 400)
        self.blobs.add(digest)
        return Raw(b"", 201)

    def _create(self, body: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        parameters = dict(body.get("parameters") or {})
        base = self.find(body["from"]) if "from" in body else None
        files = [d for d in (body.get("files") or {}).values() if d in self.blobs]
        if base is None and not files:
            return iter([{"status": "pulling manifest"}, {"error": "pull model manifest: file does not exist"}])
        made = base or Model("", weights=files[0].removeprefix("sha256:"))
        name = _full(body["model"])
        num_ctx = parameters.pop("num_ctx", made.num_ctx)
        self.models[name] = replace(
            made,
            name=name,
            num_ctx=num_ctx,
            parent=base.name if base else "",
            license=body.get("license") or made.license,
            parameters=(*made.parameters, *parameters.items()),
        )
        layer = f"using existing layer sha256:{made.weights}"
        return iter([{"status": s} for s in (layer, "writing manifest", "success")])

    def _pull(self, name: str) -> Iterator[dict[str, Any]]:
        found = self.pullable.get(name) or self.models.get(name)
        if found is None:
            return iter([{"status": "pulling manifest"}, {"error": "pull model manifest: file does not exist"}])
        self.models[name] = found
        part = {"status": f"pulling {found.weights[:12]}", "digest": f"sha256:{found.weights}", "total": WEIGHT_BYTES}
        steps: list[dict[str, Any]] = [{"status": "pulling manifest"}, part]
        steps += [part | {"completed": WEIGHT_BYTES * quarter // 4} for quarter in range(1, 5)]
        return iter(steps + [{"status": s} for s in ("verifying sha256 digest", "writing manifest", "success")])


def not_found(name: str) -> Refuse:
    """Ollama's answer for a model it does not have."""
    return Refuse(404, f"model '{name}' not found")


def _full(name: str) -> str:
    return name if ":" in name else f"{name}:latest"


def _bad_duration(keep_alive: Any) -> str:
    """What Go's parser says to a text that it cannot read, or empty."""
    if not isinstance(keep_alive, str) or re.fullmatch(r"0|[-+]?(([\d.]+)(ns|us|µs|ms|s|m|h))+", keep_alive):
        return ""
    kind = "missing unit in" if re.fullmatch(r"[-+]?[\d.]+", keep_alive) else "invalid"
    return f'time: {kind} duration "{keep_alive}"'


def _seconds(keep_alive: Any) -> float:
    """A negative one is for ever, which is some centuries."""
    if isinstance(keep_alive, int | float):
        return FOREVER_S if keep_alive < 0 else float(keep_alive)
    if keep_alive.startswith("-"):
        return FOREVER_S
    parts = re.findall(r"([\d.]+)(ms|s|m|h)", keep_alive)
    return sum(float(n) * {"ms": 0.001, "s": 1, "m": 60, "h": 3600}[unit] for n, unit in parts)


def _now(seconds: float | None = None) -> str:
    moment = datetime.fromtimestamp(time.time() if seconds is None else seconds, UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%f") + "795Z"


def _details(model: Model, parent: str) -> dict[str, Any]:
    return {
        "parent_model": parent,
        "format": "gguf",
        "family": model.family,
        "families": [model.family],
        "parameter_size": "134.52M",
        "quantization_level": "Q4_1",
    }


def _tag(model: Model) -> dict[str, Any]:
    return {
        "name": model.name,
        "model": model.name,
        "modified_at": _now(),
        "size": WEIGHT_BYTES + 313,
        "digest": model.digest,
        "details": _details(model, model.parent) | {"context_length": model.max_context, "embedding_length": 576},
        "capabilities": list(model.capabilities),
    }


def _row(loaded: Loaded) -> dict[str, Any]:
    return {
        "name": loaded.model.name,
        "model": loaded.model.name,
        "size": loaded.size,
        "digest": loaded.model.digest,
        "details": _details(loaded.model, ""),
        "expires_at": _now(loaded.expires_at),
        "size_vram": loaded.size_vram,
        "context_length": loaded.context_length,
    }


def _show(model: Model) -> dict[str, Any]:
    parameters = [*([("num_ctx", model.num_ctx)] if model.num_ctx else []), *model.parameters]
    shown: dict[str, Any] = {"license": model.license} if model.license else {}
    return shown | {
        "modelfile": f'# Modelfile generated by "ollama show"\n\nFROM /models/blobs/sha256-{model.weights}\n',
        "parameters": "\n".join(f"{name:<30} {value}" for name, value in parameters),
        "template": model.template,
        "details": _details(model, model.parent),
        "model_info": {
            "general.architecture": model.family,
            "general.parameter_count": model.parameter_count,
            f"{model.family}.context_length": model.max_context,
            "tokenizer.ggml.tokens": None,
        },
        "capabilities": list(model.capabilities),
        "modified_at": _now(),
    }
