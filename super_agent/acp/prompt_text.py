"""A prompt's blocks as the text that a task or an instruction is."""

from collections.abc import Sequence
from urllib.parse import unquote

from acp.exceptions import RequestError
from acp.schema import (
    AudioContentBlock,
    EmbeddedResourceContentBlock,
    ImageContentBlock,
    ResourceContentBlock,
    TextContentBlock,
    TextResourceContents,
)

from super_agent.core.text import clipped, fenced

MAX_EMBEDDED_CHARS = 20_000
"""Of one file that the editor sends along; the coder can see the rest of a file in the workspace by itself."""

Block = TextContentBlock | ImageContentBlock | AudioContentBlock | ResourceContentBlock | EmbeddedResourceContentBlock


def prompt_text(blocks: Sequence[Block]) -> str:
    """Raises `RequestError` for what was not offered (pictures, sound) and for a prompt that says nothing."""
    text = "".join(_text(block) for block in blocks).strip()
    if not text:
        raise _refused("The prompt is empty. Say what is to be done")
    return text


def _text(block: Block) -> str:
    match block:
        case TextContentBlock():
            return block.text
        case ResourceContentBlock():
            return _path(block.uri)
        case EmbeddedResourceContentBlock():
            if isinstance(block.resource, TextResourceContents):
                path, text = _path(block.resource.uri), block.resource.text
                return f"\n{path}:\n{fenced(clipped(text, MAX_EMBEDDED_CHARS, 'ask to see the file'))}\n"
            return _path(block.resource.uri)
        case _:
            raise _refused(f"A prompt cannot hold {block.type}; it was not offered")


def _refused(why: str) -> RequestError:
    return RequestError(-32602, why, {"details": why, "field": "prompt"})


def _path(uri: str) -> str:
    return unquote(uri.removeprefix("file://")) if uri.startswith("file://") else uri
