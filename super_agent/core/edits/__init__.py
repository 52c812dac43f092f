"""From the blocks of a reply to the workspace: what is applied, what is refused and why."""
