# SPDX-License-Identifier: AGPL-3.0-only
"""Open Interpreter's conversation loop behind a pipe: the only code that imports Open Interpreter.

Started by path with `python -I` in an environment of its own. It performs no effect itself: when it is the model's
turn, or when code is to be run, it writes one JSON line to its parent and waits for the answer. Lines it writes:
`hello`, `ask`, `run`, `end`, `failed`; lines it reads: `instruct`, `reply`, `output`. Standard library only, beside
Open Interpreter.
"""

import importlib.abc
import importlib.machinery
import importlib.metadata
import json
import os
import sys
import types
from collections.abc import Callable, Iterator
from typing import Any, NoReturn

PROTOCOL = 2
KEPT = frozenset(("interpreter", "platformdirs", "pyautogui", *sys.stdlib_module_names))
"""Top-level packages that are really looked for: Open Interpreter, the one dependency that its loop reaches, and
pyautogui, which is not there: with a stub for it Open Interpreter believes in a screen and, on 3.13, asks its size."""


class _StubType(type):
    """Attributes of a stub are stubs; calling one gives a stub. Derived from Exception, so `except` accepts it."""

    def __getattr__(cls, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return cls

    def __iter__(cls) -> Iterator[Any]:
        return iter(())


class _Stub(Exception, metaclass=_StubType):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__("stub")

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return _Stub

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return args[0] if args and callable(args[0]) else self


class _StubModule(types.ModuleType):
    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.__path__ = []  # a package, so that its submodules can be imported too

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return _Stub


class _StubFinder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Answers every import that is not in `KEPT`; in place only while Open Interpreter is imported."""

    def find_spec(self, fullname: str, path: Any = None, target: Any = None) -> importlib.machinery.ModuleSpec | None:
        if fullname.partition(".")[0] in KEPT:
            return None
        return importlib.machinery.ModuleSpec(fullname, self, is_package=True)

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> types.ModuleType:
        return _StubModule(spec.name)

    def exec_module(self, module: types.ModuleType) -> None:
        """Nothing to run: a stub is made whole."""


class Pipe:
    """JSON lines to and from the parent; stdout itself is turned to stderr, because Open Interpreter prints there.

    The parent numbers its lines; each line to it carries the number of the one it follows.
    """

    def __init__(self) -> None:
        self._out = os.fdopen(os.dup(1), "wb", buffering=0)
        os.dup2(2, 1)
        self._in = os.fdopen(os.dup(0), "rb")
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        self._heard = 0

    def send(self, **message: Any) -> None:
        self._out.write(json.dumps({**message, "after": self._heard}).encode() + b"\n")

    def receive(self, kind: str) -> dict[str, Any]:
        line = self._in.readline()
        if not line:
            os._exit(0)  # the parent is gone
        message = json.loads(line)
        self._heard = message["number"]
        if message.get("kind") != kind:
            raise RuntimeError(f"expected {kind}, got {message.get('kind')}")
        return dict(message)


def load() -> Any:
    """Open Interpreter's class, imported with the stubs in place of what is never reached."""
    os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"
    os.environ["INTERPRETER_TERMINAL_INPUT_PATIENCE"] = str(10**9)  # else 15 silent seconds call litellm directly
    os.environ["ANONYMIZED_TELEMETRY"] = os.environ["DISABLE_TELEMETRY"] = "true"
    finder = _StubFinder()
    sys.meta_path.insert(0, finder)
    try:
        from interpreter.core.core import OpenInterpreter
        from interpreter.core.llm import llm
    finally:
        sys.meta_path.remove(finder)
    # Its own trimming would first fetch a vocabulary from the network, at each turn, whatever `offline` says.
    llm.tt = types.SimpleNamespace(trim=untrimmed)
    return OpenInterpreter


def untrimmed(messages: list[dict[str, Any]], system_message: str, **_limits: Any) -> list[dict[str, Any]]:
    """Stands in for tokentrim.trim: what fits the context is the parent's business."""
    return [{"role": "system", "content": system_message}, *messages]


def order(interpreter: Any) -> list[str]:
    """Its messages of this instruction, oldest first, as role/type; the parent compares them with its own record."""
    return [f"{message['role']}/{message['type']}" for message in interpreter.messages]


class Blocks:
    """The code of each block under a number. Open Interpreter only ever sees the number.

    Its own handling of code is not harmless: text that begins with `apt install` in a language named "shell" is
    really installed, with sudo, on the host, and several spellings are rewritten before they run.
    """

    language = "block"

    def __init__(self) -> None:
        self._blocks: list[tuple[str, str]] = []

    def put(self, language: str, code: str) -> str:
        self._blocks.append((language, code))
        return str(len(self._blocks))

    def get(self, number: str) -> tuple[str, str]:
        return self._blocks[int(number) - 1]


def language_class(pipe: Pipe, blocks: Blocks) -> type:
    """The one language of Open Interpreter's terminal; its code is run by the parent."""

    class Language:
        name = blocks.language
        aliases: tuple[str, ...] = ()
        file_extension = "txt"

        def __init__(self) -> None:  # required: Open Interpreter looks at __init__.__code__
            self.stopped = False

        def run(self, number: str) -> Iterator[dict[str, str]]:
            language, code = blocks.get(number)
            pipe.send(kind="run", language=language, code=code)
            yield {"type": "console", "format": "output", "content": pipe.receive("output")["text"]}

        def stop(self) -> None:
            """The parent stops what it runs."""

        def terminate(self) -> None:
            """Likewise."""

    return Language


def completions(interpreter: Any, pipe: Pipe, blocks: Blocks) -> Callable[..., Iterator[dict[str, Any]]]:
    """The model: the parent's reply, with at most one block, as one chunk of text and one function call."""

    def complete(**_params: Any) -> Iterator[dict[str, Any]]:
        pipe.send(kind="ask", order=order(interpreter))
        reply = pipe.receive("reply")
        if reply["text"]:
            yield {"choices": [{"delta": {"content": reply["text"]}}]}
        if reply.get("code") is not None:
            number = blocks.put(reply["language"], reply["code"])
            arguments = json.dumps({"language": blocks.language, "code": number})
            call = {"name": "execute", "arguments": arguments}
            yield {"choices": [{"delta": {"function_call": call}}]}

    return complete


def build(pipe: Pipe) -> Any:
    """An interpreter that asks and runs through the pipe and reaches nothing else."""
    interpreter = load()(
        auto_run=True,
        offline=True,
        disable_telemetry=True,
        conversation_history=False,
        in_terminal_interface=False,
        system_message="You run code.",  # never templates or task text: {{...}} in it is executed
        import_computer_api=False,
        import_skills=False,
        sync_computer=False,
        max_output=10**9,
    )
    interpreter.verbose = False
    interpreter.llm.model = "parent"  # a bare name: "ollama/..." would make it pull and ping
    interpreter.llm.context_window = 10**9
    interpreter.llm.max_tokens = 10**6
    interpreter.llm.supports_functions = True
    interpreter.llm.supports_vision = False
    blocks = Blocks()
    interpreter.llm.completions = completions(interpreter, pipe, blocks)
    interpreter.computer.terminal.languages = [language_class(pipe, blocks)]
    return interpreter


def main() -> NoReturn:
    """Serve instructions until the parent closes its end."""
    pipe = Pipe()
    try:
        interpreter = build(pipe)
        version = importlib.metadata.version("open-interpreter")
    except Exception as error:  # the outermost edge of this process: told to the parent, whatever it was
        pipe.send(kind="failed", error=f"{type(error).__name__}: {error}"[:2000])
        sys.exit(1)
    pipe.send(kind="hello", protocol=PROTOCOL, version=version, python=sys.version.split()[0])
    while True:
        instruction = pipe.receive("instruct")["text"]
        interpreter.messages = []  # the conversation is the parent's; here each instruction stands alone
        try:
            for _chunk in interpreter.chat(instruction, display=False, stream=True):
                continue
        except Exception as error:  # likewise
            pipe.send(kind="failed", error=f"{type(error).__name__}: {error}"[:2000])
        else:
            pipe.send(kind="end", order=order(interpreter))


if __name__ == "__main__":
    main()
