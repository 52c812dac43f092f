"""The story of a run in both languages: one dictionary, nothing missing from it, and no value read as a form."""

import re
import string
from pathlib import Path

import pytest

import super_agent.web
from super_agent.core import events as ev
from super_agent.core.ollama.api import LoadedModel
from super_agent.session.html_report.cost_charts import speed_plot, tokens_plot, turn_costs
from super_agent.session.html_report.events_as_html import HtmlRenderer
from super_agent.session.html_report.instance_history_chart import LANES, history_plot
from super_agent.session.html_report.timeline_chart import timeline
from super_agent.session.messages import run_messages
from super_agent.session.messages.portuguese import PORTUGUESE
from super_agent.session.messages.ps_columns import size, until
from super_agent.session.messages.translation import Translator, translator_for
from tests.cli.scripted_runs import RUNS, stamped, started

CLIENTS = {"autogen", "open-interpreter"}
"""Names, which are the same in every language."""
BRACES = "{0} {x} {{"
OUTCOMES = ("finished", "failed", "timed_out", "died", "interrupted", "refused")
DECISIONS = ("run", "edited", "always", "skipped", "refused", "stopped")


def all_kinds() -> list[ev.Stamped]:
    """Events of every kind that the story tells, in each of their forms, with braces in their texts."""
    speakers = ("planner", "coder", "reviewer", "workspace", "interpreter", "check", "executor", "user")
    return stamped(
        started(),
        ev.ModelReady("m", 4096, 0.0, 10, 0), ev.ModelReady("m", 4096, 9.0, 10, 5), ev.ModelReady("m", 1, 0.0, 1, 1),
        ev.TurnStarted(1),
        *(ev.SpeakerStarted(speaker) for speaker in speakers),
        ev.TextStreamed("coder", BRACES, reasoning=True),
        ev.MessagePosted("coder", BRACES, "length"), ev.MessagePosted("workspace", BRACES),
        *(ev.FileWritten(BRACES, kind, "+x\n" * 40, 40, 0) for kind in ("created", "replaced", "edited")),
        ev.EditRefused(BRACES, BRACES), ev.FilesShown((BRACES,) * 20, (BRACES,) * 20), ev.InstructionGiven(BRACES),
        ev.ReportMade(BRACES), ev.ApprovalAsked("python", BRACES, (BRACES,)),
        ev.ApprovalAsked("python", BRACES, (BRACES,), edited=True),
        *(ev.CodeDecided(decision, "user", BRACES, "python", BRACES) for decision in DECISIONS),
        *(ev.CodeStarted(origin, "shell", BRACES) for origin in ("executor", "check", "setup")),
        ev.OutputStreamed(f"{BRACES}\n" * 50), ev.CodeFinished("executor", "failed", 3, 1.0, 9000, 800, BRACES),
        *(ev.CodeFinished("check", outcome, None, 1.0, 0, 0) for outcome in OUTCOMES),
        ev.FilesChanged((BRACES,), (BRACES,), (BRACES,)),
        *(ev.CheckFinished(BRACES, when, passed, 1, "", 0.1)
          for when in ("before", "after") for passed in (True, False)),
        ev.VerdictGiven("accept", BRACES), ev.VerdictGiven("revise", BRACES), ev.UserSpoke(BRACES),
        ev.EngineRestarted(BRACES), *(ev.InstanceNoted(kind, False, BRACES, BRACES, BRACES) for kind in LANES),
        *(ev.Resampled(2, BRACES, 0.5, 1, back) for back in (None, 0, 3)), ev.NewerEvent(BRACES, {}),
        ev.ReplyDiscarded("autogen", BRACES), ev.PrefixBroken("autogen", 0, 9, BRACES),
        ev.ContextCompacted("open-interpreter", 5000, 2000, BRACES, BRACES),
        ev.RequestFinished("autogen", 5, 5, 1.0, None),
    )  # fmt: skip


def ends() -> list[ev.RunEnded]:
    """One for each reason, without a detail of its own."""
    usage = ev.ClientUsage("autogen", 2, 100, 10, 50, False, 1.0)
    counts = dict.fromkeys(LANES, 2)
    return [ev.RunEnded(reason, 1, "", 3, 9.0, ("a",) * 20, (usage,), counts) for reason in run_messages.END]


class Asked(Translator):
    """Keeps what it was asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: set[str] = set()

    def __call__(self, text: str) -> str:
        self.texts.add(text)
        return text


def test_every_sentence_of_the_narrator_is_in_the_dictionary() -> None:
    say = Asked()
    asked, story, events = say.texts, HtmlRenderer(say), all_kinds()
    for event in events:
        story.add(event)
    story.html()
    timeline(events, say)
    history_plot(events, say)
    for end in ends():
        assert list(run_messages.summary(end, say))
        say(run_messages.END[end.reason])
    for event in (
        ev.Queued("autogen", 1, ()), ev.Waiting("autogen", 9.0, "first_piece"),
        ev.Waiting("autogen", 9.0, "next_piece"), ev.Retried("autogen", 1, 3, BRACES, 2.0),
    ):  # fmt: skip
        told = {ev.Queued: run_messages.queued, ev.Waiting: run_messages.waiting, ev.Retried: run_messages.retried}[
            type(event)
        ]
        assert told(event, say)
    for expires in (None, 5.0, 100.0, 9e3):
        until(LoadedModel("m", "d", 1, 1, 1, expires), 10.0, say)
    assert asked - CLIENTS - {BRACES} - set(PORTUGUESE) == set()
    assert len(asked) > 80


def test_the_page_asks_the_dictionary_for_nothing_that_it_lacks() -> None:
    templates = Path(super_agent.web.__file__).parent / "templates"
    asked = {text for path in templates.iterdir() for text in re.findall(r'_\("([^"]+)"', path.read_text("utf-8"))}
    assert "All sessions" in asked
    assert asked - set(PORTUGUESE) - {"the check "} == set()  # which is put together with how it ended


@pytest.mark.parametrize("text", PORTUGUESE)
def test_both_languages_have_the_same_places_to_fill_in(text: str) -> None:
    places = [{name for _, name, _, _ in string.Formatter().parse(t) if name} for t in (text, PORTUGUESE[text])]
    assert places[0] == places[1]


@pytest.mark.parametrize("language", ["en", "pt"])
def test_braces_in_what_models_say_stay_as_they_are(language: str) -> None:
    story = HtmlRenderer(translator_for("pt" if language == "pt" else "en"))
    for event in all_kinds():
        story.add(event)
    assert story.html().count(BRACES) > 60


def test_what_befell_reply_prompt_and_context_is_told() -> None:
    told = {}
    for code in ("en", "pt"):
        story = HtmlRenderer(Translator(code))
        for event in stamped(
            ev.TextStreamed("coder", "half a "), ev.ReplyDiscarded("autogen", "<cut>"),
            ev.ContextCompacted("open-interpreter", 5000, 2000, "the task", "12 rounds"),
            ev.PrefixBroken("autogen", 0, 9, "it was edited"),
        ):  # fmt: skip
            story.add(event)
        told[code] = story.take()  # a page that is open is told at once, and takes away what streamed
    assert told["en"] == (
        '<pre class="said">half a </pre>\n'
        '<p class="warn">✗ this reply broke off and counts for nothing: &lt;cut&gt;</p>\n'
        '<p class="dim">the context of open-interpreter was compacted: about 5,000 tokens became 2,000</p>'
        '<p class="dim">kept: the task; left out: 12 rounds</p>\n'
        '<p class="warn">⚠ a prompt of autogen does not extend the one before (message 1, character 10): '
        "it was edited</p>"
    )
    for said in ("esta resposta foi interrompida", "de cerca de 5.000 para 2.000 tokens", "(mensagem 1, caractere 10)"):
        assert said in told["pt"]


def test_numbers_are_written_as_the_language_does() -> None:
    usage = ev.ClientUsage("autogen", 1200, 123_456, 1000, 61_728, False, 1.5)
    end = ev.RunEnded("accepted", 0, "", 1234, 9.5, (), (usage,), {"queued": 4321})
    told = {code: dict(run_messages.summary(end, Translator(code))) for code in ("en", "pt")}
    assert told["en"]["turns"] == "1234 in 9.5 s"
    assert told["en"]["tokens"] == (
        "autogen  123,456 in (61,728 evaluated in 1.5 s, 50% reused, computed), 1,000 out, 1,200 calls"
    )
    assert told["en"]["model"].endswith("4,321 requests queued")
    assert told["pt"]["turnos"] == "1234 em 9,5 s"
    assert told["pt"]["tokens"] == (
        "autogen  123.456 de entrada (61.728 avaliados em 1,5 s, 50% reaproveitados, calculado), 1.000 de saída, "
        "1.200 chamadas"
    )
    assert told["pt"]["modelo"].endswith("4.321 pedidos na fila")
    calls = stamped(started(), ev.TurnStarted(1), ev.RequestFinished("autogen", 4000, 30, 4.0, 0.5, 2000, True, 0.5))
    plots = tokens_plot(turn_costs(calls), Translator("pt")) + speed_plot(turn_costs(calls), Translator("pt"))
    for said in ("tokens de prompt enviados: 4.000<", ">2.000</text>", "resposta: 10,0/s", "prompt: 4.000/s"):
        assert said in plots
    assert size(4_700_000_000, Translator("pt")) == "4,7 GB"
    assert "1,5 s<" in timeline(stamped(ev.CodeFinished("executor", "finished", 0, 1.5, 0, 0)), Translator("pt"))


@pytest.mark.parametrize("name", RUNS)
def test_a_run_in_portuguese_is_the_same_story(name: str) -> None:
    told = {}
    for language in ("en", "pt"):
        story = HtmlRenderer(translator_for("pt" if language == "pt" else "en"))
        for event in RUNS[name]():
            story.add(event)
        told[language] = story.html()
    assert re.findall(r"</?\w+", told["en"]) == re.findall(r"</?\w+", told["pt"])
    assert "Turn 1" not in told["pt"]
    assert ("Turn 1" in told["en"]) == ("Turno 1" in told["pt"])
