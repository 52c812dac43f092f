"""What a team's run is built from."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from interpreter.check import Check
from interpreter.executor import Executor
from super_agent.core.edits.editor import Editor
from super_agent.core.events import Emit
from super_agent.core.files.workspace import Workspace
from super_agent.core.llm_client import LLMClient
from super_agent.core.model.chat import Sampling
from super_agent.core.model.context_allocation import ContextAllocation
from super_agent.core.ollama.api import ModelDetails
from super_agent.team.composition import Composition
from super_agent.team.resampling import GoBack


@dataclass(slots=True)
class TeamParts:
    """What a run is built from; all of it is owned, and closed, by the caller."""

    llm: LLMClient
    details: ModelDetails
    workspace: Workspace
    editor: Editor
    executor: Executor
    check: Check | None
    emit: Emit
    max_turns: int
    user_lines: Callable[[], Sequence[str]] = tuple
    """Lines typed since the last call, oldest first."""
    at_turn_start: Callable[[], None] = lambda: None
    """Called before each turn; may raise `SuperAgentError` to end the run."""
    at_boundary: Callable[[int], None] = lambda _turns: None
    """Called with the number of turns that are complete, whenever the state is one to go on from."""
    model_sums_up: bool = False
    """Whether the model is asked for the summary of a compaction, see `Compactor`."""
    project: str = ""
    """What is known of the project beside its files, for the opening message."""
    composition: Composition = field(default_factory=Composition)
    go_back: GoBack = lambda _left, _turn, _was_left, _paths: None
    spare_slots: Callable[[], int] = lambda: 0
    """How many requests the server would take beside one of this run; may block for some milliseconds."""
    sampling: Sampling = field(default_factory=lambda: Sampling(0.0, 0))
    """What the replies of further attempts are drawn with, before it rises."""

    @property
    def allocation(self) -> ContextAllocation:
        """How the context is divided."""
        return ContextAllocation(self.llm.context_length)
