"""Portuguese, by the English text; what models, code and servers say stands as they said it.

The words of `verify` lie in `verify_words` and `core.instance.diagnosis_text`, by keys and not by their English.
"""

from collections.abc import Mapping

from super_agent.session.narrate.words.batches import BATCHES
from super_agent.session.narrate.words.errors import ERRORS
from super_agent.session.narrate.words.page import PAGE
from super_agent.session.narrate.words.story import STORY

PARTS = (ERRORS, PAGE, STORY, BATCHES)
PORTUGUESE: Mapping[str, str] = {text: said for part in PARTS for text, said in part.items()}
