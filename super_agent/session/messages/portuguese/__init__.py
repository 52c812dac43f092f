"""Portuguese, by the English text; what models, code and servers say stands as they said it.

The words of `verify` lie in `verify_messages` and `core.instance.diagnosis_messages`, by keys and not by their English.
"""

from collections.abc import Mapping

from super_agent.session.messages.portuguese.error_messages import ERRORS
from super_agent.session.messages.portuguese.run_messages import STORY
from super_agent.session.messages.portuguese.web_pages import BATCHES, PAGE

CATALOGUES = (ERRORS, PAGE, STORY, BATCHES)
PORTUGUESE: Mapping[str, str] = {text: said for part in CATALOGUES for text, said in part.items()}
