"""A prompt that does not extend the one before it is found, with the place."""

from hypothesis import given
from hypothesis import strategies as st

from super_agent.core.model.chat import Message
from super_agent.core.model.prefix_cache import PrefixBreak, find_break

PROMPT = [Message("system", "You are a team."), Message("user", "Write add.py.")]
REPLY = Message("assistant", "Done.")
NEXT = [*PROMPT, REPLY, Message("user", "Again.")]
MESSAGES = st.lists(st.builds(Message, st.sampled_from(["user", "assistant"]), st.text()), max_size=5)


@given(MESSAGES, st.text(), MESSAGES)
def test_what_extends_the_prompt_and_its_reply_is_no_break(
    before: list[Message], reply: str, added: list[Message]
) -> None:
    answered = Message("assistant", reply)
    assert find_break(before, answered, [*before, answered, *added]) is None


def test_a_changed_message_is_named_with_its_first_changed_character() -> None:
    changed = [NEXT[0], Message("user", "Write sub.py."), *NEXT[2:]]
    assert find_break(PROMPT, REPLY, changed) == PrefixBreak(1, 6, "the message of user was changed")


def test_a_reply_that_was_not_kept_verbatim_is_a_break() -> None:
    stripped = [*PROMPT, Message("assistant", "Done"), NEXT[3]]
    assert find_break(PROMPT, REPLY, stripped) == PrefixBreak(2, 4, "the reply was changed")


def test_a_message_put_in_between_is_a_break() -> None:
    inserted = [PROMPT[0], Message("assistant", "Hm."), *PROMPT[1:], REPLY]
    assert find_break(PROMPT, REPLY, inserted) == PrefixBreak(
        1, 0, "there is a message of assistant where one of user stood"
    )


def test_a_prompt_that_lost_its_end_is_a_break() -> None:
    assert find_break(PROMPT, REPLY, PROMPT) == PrefixBreak(
        2, 0, "the prompt ends before the message of assistant that stood here"
    )
