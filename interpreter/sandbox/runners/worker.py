"""Runs inside the sandbox, on whatever Python is there (3.8 and later, standard library only).

Work comes as JSON lines on one descriptor; on another go `RUN started` and `RUN ended WORD`. stdout and stderr are
the code's own. The code shares this process, so nothing here is a secret from it: it can lie about its own run.
"""

from __future__ import annotations

import ast
import importlib
import importlib.abc
import importlib.machinery
import importlib.util
import json
import linecache
import os
import queue
import re
import signal
import sys
import threading
import traceback
import types
import warnings
from typing import Any

OWN_FILE = sys._getframe().f_code.co_filename
"""Not `__file__`, which text given to `python -c` has not."""
MAX_REPR_CHARS = 20000
FIGURES = "_figures_to_files"
HINTS = (
    (re.compile(r"\s*(\w+\s*=\s*)?!"), "`!command` is a notebook's: use a ```shell block, or subprocess.run."),
    (
        re.compile(r"\s*%%?(pip|conda)\b"),
        "`%pip` is a notebook's, and nothing can be installed here: use what is there.",
    ),
    (re.compile(r"\s*%"), "`%magic` is a notebook's: this is plain Python."),
    (re.compile(r"\s*(\?\w|[\w.]+\?\s*$)"), "`name?` is a notebook's: use help(name)."),
    (re.compile(r"\s*(pip3?|npm|git|ls|cd|cat|sudo|apt|python3?)\s+\S"), "Commands go in a ```shell block."),
)


class Worker:
    """Serves requests until the parent closes its end."""

    def __init__(self, request_fd: int, answer_fd: int) -> None:
        self.pid = os.getpid()
        self.thread = threading.get_ident()
        self.request_fd = request_fd
        self.answer_fd = answer_fd
        self.requests: queue.Queue[dict[str, str]] = queue.Queue()
        self.current = ""
        self.interrupted = ""
        self.heeded = ""  # the run whose interrupt has reached its code, so that a repeated one does no harm
        self.count = 0
        self.module = types.ModuleType("__main__")
        os.set_inheritable(request_fd, False)
        os.set_inheritable(answer_fd, False)

    def serve(self) -> None:
        """Until the process ends."""
        sys.modules["__main__"] = self.module
        sys.path[0] = os.getcwd()  # instead of the folder of this file
        sys.argv = [""]
        os.environ.setdefault("MPLBACKEND", "module://" + FIGURES)
        sys.meta_path.append(_FiguresFinder())
        signal.signal(signal.SIGINT, self.on_sigint)
        threading.Thread(target=self.read, daemon=True).start()
        # That thread makes Python 3.12 and later warn at each fork of code that started no thread itself.
        warnings.filterwarnings("ignore", "This process .* is multi-threaded", DeprecationWarning)
        # By lines, as on a terminal: unbuffered, print("line", i) is four writes; wholly buffered, what is printed
        # before a crash is lost, and comes after what children write.
        sys.stdout = open(1, "w", 1, "utf-8", "surrogateescape", closefd=False)
        sys.stderr = open(2, "w", 1, "utf-8", "backslashreplace", closefd=False)
        self.answer("ready")
        while True:
            request = self.requests.get()
            self.answer(request["run"] + " started")
            word = self.carry_out(request["run"], request["code"])
            if os.getpid() != self.pid:
                os._exit(0)  # a fork of the code came back here: the loop belongs to the parent
            self.answer(request["run"] + " ended " + word)

    def answer(self, line: str) -> None:
        """The code may have written half a line to the descriptor, so each answer begins a new one."""
        data = ("\n" + line + "\n").encode()
        while data:
            data = data[os.write(self.answer_fd, data) :]

    def read(self) -> None:
        """In a thread of its own, so that an interrupt is heard while a block runs."""
        with os.fdopen(self.request_fd, "rb") as lines:
            for line in lines:
                message = json.loads(line.decode())
                if "code" in message:
                    self.requests.put(message)
                elif message["interrupt"] == self.current and self.heeded != self.current:
                    self.interrupted = self.current
                    try:
                        signal.pthread_kill(self.thread, signal.SIGINT)
                    except OSError:
                        os._exit(1)  # the code ended its own thread and left us without one to run in
        os._exit(0)  # the parent is gone; the code may be in an endless loop

    def on_sigint(self, _number: int, _frame: types.FrameType | None) -> None:
        """Nothing outside of a block: there a late interrupt finds nothing to end."""
        if self.current:
            self.heeded = self.interrupted
            raise KeyboardInterrupt

    def carry_out(self, run: str, code: str) -> str:
        """Run one block; whatever it does, an interrupt that comes late ends nothing but this."""
        try:
            try:
                signal.signal(signal.SIGINT, self.on_sigint)  # an earlier block may have set its own
                self.current = run
                return self.judged(code)
            finally:
                self.current = ""
                _flush()
        except KeyboardInterrupt:
            self.current = ""
            return "interrupted"

    def judged(self, code: str) -> str:
        """Run one block; returns the word for how it ended."""
        self.count += 1
        name = f"<block {self.count}>"
        try:
            self.execute(code, name)
        except KeyboardInterrupt as error:
            _say(_traceback(error))
            return "interrupted" if self.interrupted == self.current else "failed"
        except SystemExit as end:
            if end.code in (None, 0):
                return "finished"
            _say(f"SystemExit: {end.code}")
        except SyntaxError as error:
            _say(_traceback(error))
            if error.filename == name:
                _hint((error.text or "").rstrip("\n"))
        except BaseException as error:
            _say(_traceback(error))
        else:
            return "finished"
        return "failed"

    def execute(self, code: str, name: str) -> None:
        """Run one block; the value of a last expression is shown, as at a prompt."""
        linecache.cache[name] = (len(code), None, code.splitlines(True), name)
        namespace = self.module.__dict__
        # Not ast.parse, which would add its own frame to a traceback.
        tree: Any = compile(code, name, "exec", ast.PyCF_ONLY_AST)
        last = None
        if tree.body and isinstance(tree.body[-1], ast.Expr):
            last = ast.Expression(tree.body[-1].value)
            del tree.body[-1]
        exec(compile(tree, name, "exec"), namespace)
        if last is not None:
            value = eval(compile(last, name, "eval"), namespace)
            if value is not None:
                namespace["_"] = value
                _show(value)


def _show(value: object) -> None:
    """As text, or as a file where it is a picture to notebooks (images of PIL, figures of matplotlib)."""
    if hasattr(type(value), "savefig"):
        _save_figure(value)
        return
    to_png = getattr(type(value), "_repr_png_", None)
    picture = to_png(value) if to_png is not None else None
    if isinstance(picture, bytes):
        name = _free_name("image")
        with open(name, "wb") as file:
            file.write(picture)
        sys.stdout.write("Image saved as " + name + "\n")
        return
    shown = repr(value)
    sys.stdout.write((shown if len(shown) <= MAX_REPR_CHARS else shown[:MAX_REPR_CHARS] + " …") + "\n")


class _FiguresFinder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds the matplotlib backend whose `show` saves figures as files, made only when matplotlib asks for it."""

    def find_spec(self, fullname: str, *_: Any) -> importlib.machinery.ModuleSpec | None:
        """Only for the one name."""
        return importlib.util.spec_from_loader(fullname, self) if fullname == FIGURES else None

    def exec_module(self, module: Any) -> None:
        """Fill in what matplotlib looks for in a backend."""
        canvas = importlib.import_module("matplotlib.backends.backend_agg").FigureCanvasAgg
        manager = importlib.import_module("matplotlib.backend_bases").FigureManagerBase
        shows = {"show": lambda manager: _save_figure(manager.canvas.figure)}  # for figure.show()
        module.FigureManager = type("FigureManager", (manager,), shows)
        module.FigureCanvas = type("FigureCanvas", (canvas,), {"manager_class": module.FigureManager})
        module.show = _save_figures


def _save_figures(*_args: object, **_options: object) -> None:
    pyplot = importlib.import_module("matplotlib.pyplot")
    for number in pyplot.get_fignums():
        _save_figure(pyplot.figure(number))
    pyplot.close("all")


def _save_figure(figure: Any) -> None:
    name = _free_name("figure")
    figure.savefig(name)
    sys.stdout.write("Figure saved as " + name + "\n")


def _free_name(kind: str) -> str:
    index = 1
    while os.path.exists(f"{kind}-{index}.png"):
        index += 1
    return f"{kind}-{index}.png"


def _hint(line: str) -> None:
    for pattern, text in HINTS:
        if pattern.match(line):
            _say("Hint: " + text)
            return


def _traceback(error: BaseException) -> str:
    """Only the frames of the code itself; ours would only confuse."""
    frames = error.__traceback__
    while frames is not None and frames.tb_frame.f_code.co_filename == OWN_FILE:
        frames = frames.tb_next
    if isinstance(error, SyntaxError) and frames is None:
        return "".join(traceback.format_exception_only(type(error), error))
    return "".join(traceback.format_exception(type(error), error, frames))


def _say(text: str) -> None:
    try:
        sys.stderr.write(text.rstrip("\n") + "\n")
        sys.stderr.flush()
    except (OSError, ValueError, AttributeError):
        os.write(2, (text.rstrip("\n") + "\n").encode("utf-8", "replace"))


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError, AttributeError):
            continue  # the code closed or replaced its own stream


if __name__ == "__main__":
    Worker(int(sys.argv[1]), int(sys.argv[2])).serve()
