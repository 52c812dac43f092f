"""What the executor alone is told next, said of what happened."""

from types import SimpleNamespace
from typing import Any, cast

from interpreter.check import Check, CheckResult
from interpreter.executor import Executor
from interpreter.report import Report
from interpreter.sandbox.protocol import CodeOutcome
from interpreter.solo import SoloRun
from super_agent.core.cancellation import Cancellation
from super_agent.core.events import discard
from super_agent.core.files.workspace import Changes


class Scripted:
    """An executor that ends each instruction as it is told to."""

    def __init__(self, *reports: Report) -> None:
        self.reports = list(reports)
        self.told: list[str] = []
        self.conversation = SimpleNamespace(task="")
        self.allocation = SimpleNamespace(check_output=1000)

    def carry_out(self, instruction: str, _cancellation: Cancellation) -> Report:
        """The next report."""
        self.told.append(instruction)
        return self.reports.pop(0)


class Green:
    """A check that always passes."""

    def run(self, _when: str, _cancellation: Cancellation) -> CheckResult:
        """Green."""
        return CheckResult("true", True, CodeOutcome("finished", 0, 0.0, 0), "", "")


def report(ended: Any, *changed: str) -> Report:
    return Report("", ended, "", (), Changes((), changed, ()))


def test_after_a_change_nobody_is_told_that_nothing_was_changed() -> None:
    executor = Scripted(report("round_limit", "a.py"), report("finished"))
    run = SoloRun(cast("Executor", executor), cast("Check", Green()), discard, 5)
    end = run.run("mend it")
    assert end.reason == "finished"
    assert executor.told[0] == "mend it"
    assert "Nothing was changed" not in executor.told[1]
    assert "limit of code runs" in executor.told[1]
    assert executor.told[1].endswith("mend it")


def test_without_a_change_that_is_said() -> None:
    executor = Scripted(report("round_limit"), report("finished", "a.py"))
    SoloRun(cast("Executor", executor), cast("Check", Green()), discard, 5).run("mend it")
    assert executor.told[1] == "Nothing was changed yet. mend it"
