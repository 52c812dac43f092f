"""What the tests of the editors' door share."""

from tests.cli.conftest import super_agent, workspace

__all__ = ["super_agent", "workspace"]
