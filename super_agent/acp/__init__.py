"""The door of editors: `super-agent acp` speaks the Agent Client Protocol over standard input and output.

A message comes in by `json_rpc_transport`, is answered by `agent`, and belongs to one `editor_session`, whose prompts
become runs of `super_agent.session`. What happens in a run goes out by `session_updates` and `update_outbox`. Nothing
here is imported before the door is opened.
"""
