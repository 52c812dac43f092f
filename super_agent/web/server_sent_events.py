"""A session as server-sent events: `id:` is the number of a stored event, from which a page goes on when it is back."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterable

from super_agent.core.events import Stamped
from super_agent.session.messages.translation import translator_for
from super_agent.web.event_fragments import Fragment, Fragments
from super_agent.web.server_context import ServerContext
from super_agent.web.session_feeds import Follower

STILL_HERE_S = 15.0
"""A comment so often, or a browser that is gone would never be noticed."""
AT_ONCE = 200


async def session_stream(context: ServerContext, session: str, after: int, mark: int) -> AsyncIterator[str]:
    """What a page that knows the events up to `after` is told; it ends where that has to come back or begin anew."""
    yield "retry: 1000\n\n"
    fragments = Fragments(translator_for(context.language))
    async with context.feeds.follow(session, mark) as follower:
        if await asyncio.to_thread(context.store.rolled_back, session) != mark:
            yield sse(Fragment("reset", {}))
            return
        known = await asyncio.to_thread(_stored, context, session, after)
        known = [s for s in known if s.seq < follower.first] + [s for s in follower.recent if s.seq > after]
        for batch in (known[at : at + AT_ONCE] for at in range(0, len(known), AT_ONCE)):
            after = batch[-1].seq
            yield "".join(sse(fragment) for fragment in joined(f for s in batch for f in fragments.add(s)))
        while not follower.behind:
            items = await _next(follower)
            if not items:
                yield ": still here\n\n"
            found: list[Fragment] = []
            for item in items:
                if isinstance(item, Stamped):
                    if item.seq > after:
                        after = item.seq
                        found += fragments.add(item)
                else:
                    found.append(Fragment("reset" if item == "anew" else "state", {}))
            yield "".join(sse(fragment) for fragment in joined(found))
            if any(fragment.kind == "reset" for fragment in found):
                return


def _stored(context: ServerContext, session: str, after: int) -> list[Stamped]:
    return [*context.store.events(session, after=after)]


async def _next(follower: Follower) -> list[object]:
    """All that has come, at most AT_ONCE; empty after a while of nothing."""
    try:
        async with asyncio.timeout(STILL_HERE_S):
            items: list[object] = [await follower.queue.get()]
    except TimeoutError:
        return []
    while not follower.queue.empty() and len(items) < AT_ONCE:
        items.append(follower.queue.get_nowait())
    return items


def joined(fragments: Iterable[Fragment]) -> list[Fragment]:
    """Pieces of one text that follow one another as one."""
    found: list[Fragment] = []
    for fragment in fragments:
        last = found[-1] if found else None
        if last is not None and fragment.kind == last.kind == "piece" and fragment.data["kind"] == last.data["kind"]:
            found[-1] = Fragment("piece", last.data | {"text": last.data["text"] + fragment.data["text"]})
        else:
            found.append(fragment)
    return found


def sse(fragment: Fragment) -> str:
    """As the protocol has it (HTML standard, 9.2.6); JSON keeps the data on one line."""
    number = f"id: {fragment.seq}\n" if fragment.seq is not None else ""
    return f"{number}event: {fragment.kind}\ndata: {json.dumps(fragment.data)}\n\n"
