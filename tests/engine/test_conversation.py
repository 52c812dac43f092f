"""The executor's conversation: verbatim, and still knowing what matters after its middle was left out."""

from interpreter.conversation import MAX_DONE_CHARS, Conversation
from interpreter.roles import PLACES, head
from super_agent.core.model.chat import Message


def conversation() -> Conversation:
    talk = Conversation(task="Write shop.py.")
    for number in range(3):
        talk.append("user", f"instruction {number}")
        talk.append("assistant", f"answer {number}")
        talk.finish(f"instruction {number}", f"outcome {number}")
    return talk


def test_user_texts_that_follow_one_another_are_one_message() -> None:
    talk = Conversation()
    talk.append("user", "one")
    talk.append("user", "two")
    assert talk.messages == [*head(), Message("user", "one\n\ntwo")]


def test_a_compaction_keeps_the_task_the_outcomes_and_what_is_under_way() -> None:
    short = conversation().compacted(4000, "instruction 3", "Run 1 (python, failed): 1/0")
    assert short[:-1] == head()
    for wanted in ("Write shop.py.", "2. instruction 1 → outcome 1", "now: instruction 3", "Run 1 (python, failed)"):
        assert wanted in short[-1].content
    assert "answer 1" not in short[-1].content


def test_it_is_bounded_whatever_the_parts_are() -> None:
    talk = Conversation(task="t" * 99_999)
    for _ in range(500):
        talk.finish("i" * 5000, "o" * 5000)
    (*_, last) = talk.compacted(3000, "i" * 99_999, "p" * 99_999)
    assert len(last.content) < 3000 * 1.25 + 600  # the shares, and the words that say how much was cut
    assert len(talk.done[0].instruction) < MAX_DONE_CHARS + 60


def test_the_head_says_whether_code_has_the_network_also_after_a_compaction() -> None:
    for network in (False, True):
        talk = Conversation(head(network=network), network=network)
        talk.append("user", "one")
        for system in (talk.messages[0].content, talk.compacted(1000)[0].content):
            assert PLACES[network] in system
            assert PLACES[not network] not in system
