"""One run from its opening to its end, for whatever door opens it. Importing this package imports nothing else.

    from super_agent.core.settings import load_settings
    from super_agent.session.run import run
    from super_agent.session.run_options import Door, RunOptions

    door = Door((sink,), take_lines=..., confirm=..., approver=make_approver)
    result = run(RunOptions("Write add.py", Path("work"), "team", check="pytest -q"), load_settings(flags), door)

`run` blocks to the end, in any thread (`Door.signals` in the main one alone). It raises `SuperAgentError` for what is
wrong before the run begins; then `result` has the last event (`ended`), the `exit_code` and the `error`, if one ended
it: a door says `error` in its own way. Everything that happens comes as `Stamped` events to the sinks, each a callable
that must be quick and may be called from several threads, one event at a time; `RunStarted` is the first that names
the session, `RunEnded` the last.

A person's part: `take_lines()` gives what was said since the last call and is asked at each turn; `confirm(question)`
answers whether --setup may run; `approver(context)` is called once if code needs approval and returns an `Approver`
(`decide(block) -> ApprovalDecision`, which may block; `cancel()` takes the question back) or a text that says why
nobody can be asked. `ApprovalAsked` is emitted before each `decide`, `CodeDecided` after it; "always" is remembered,
"stopped" ends the run. `door.cancellation.cancel()`, from any thread, ends it as Ctrl-C does: exit code 130.

`resume.open_resumption(ResumeOptions(...), flags, env_file)` is a context whose `run(door)` goes on with a session;
`chat.open_chat(options, settings, door)` is one whose `say(text)` carries out one instruction and whose
`cancel()` ends it. `session_history.history_of` opens a session's snapshots; `session_lookup.find_session` finds one.
Doors: cli, acp, mcp, web, batch.
"""
