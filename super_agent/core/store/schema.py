"""The tables, as forward migrations: version N of the file is what the first N of them make.

A released migration never changes; a new one is added at the end.
"""

MIGRATIONS: tuple[tuple[str, ...], ...] = (
    (
        # `files` is a JSON list of paths; times are seconds since the epoch; `reason` is NULL until RunEnded.
        """CREATE TABLE sessions (
            id TEXT PRIMARY KEY, started REAL NOT NULL, mode TEXT NOT NULL, workspace TEXT NOT NULL,
            task TEXT NOT NULL, model TEXT NOT NULL, base_url TEXT NOT NULL,
            turns INTEGER NOT NULL DEFAULT 0, files TEXT NOT NULL DEFAULT '[]',
            ended REAL, reason TEXT, exit_code INTEGER, detail TEXT)""",
        "CREATE INDEX sessions_by_workspace ON sessions (workspace, started)",
        # `data` is the event's own fields as JSON. A rolled back event keeps its place, its seq is given again.
        """CREATE TABLE events (
            position INTEGER PRIMARY KEY, session TEXT NOT NULL REFERENCES sessions ON DELETE CASCADE,
            seq INTEGER NOT NULL, turn INTEGER NOT NULL, time REAL NOT NULL, type TEXT NOT NULL, data TEXT NOT NULL,
            rolled_back INTEGER NOT NULL DEFAULT 0)""",
        "CREATE UNIQUE INDEX events_kept ON events (session, seq) WHERE NOT rolled_back",
        "CREATE INDEX events_of_session ON events (session)",
        """CREATE TABLE turns (
            session TEXT NOT NULL REFERENCES sessions ON DELETE CASCADE, number INTEGER NOT NULL,
            started REAL NOT NULL, seq INTEGER NOT NULL, PRIMARY KEY (session, number)) WITHOUT ROWID""",
        """CREATE TABLE checkpoints (
            session TEXT NOT NULL REFERENCES sessions ON DELETE CASCADE, turn INTEGER NOT NULL,
            seq INTEGER NOT NULL, time REAL NOT NULL, state TEXT NOT NULL, PRIMARY KEY (session, turn))""",
        # What was spent, rolled back turns included.
        """CREATE TABLE usage (
            session TEXT NOT NULL REFERENCES sessions ON DELETE CASCADE, client TEXT NOT NULL,
            requests INTEGER NOT NULL, prompt_tokens INTEGER NOT NULL, completion_tokens INTEGER NOT NULL,
            PRIMARY KEY (session, client)) WITHOUT ROWID""",
        # Which large texts a session needs; each is a file named by its SHA-256.
        """CREATE TABLE texts (
            sha256 TEXT NOT NULL, session TEXT NOT NULL REFERENCES sessions ON DELETE CASCADE,
            PRIMARY KEY (sha256, session)) WITHOUT ROWID""",
        # Who said what, verbatim, to whom: the events are the one place where it is kept.
        """CREATE VIEW messages AS
            SELECT session, seq, turn, time,
                   CASE WHEN type = 'instruction_given' OR json_extract(data, '$.speaker') = 'executor'
                        THEN 'executor' ELSE 'team' END AS conversation,
                   CASE type WHEN 'message_posted' THEN json_extract(data, '$.speaker')
                             WHEN 'user_spoke' THEN 'user' WHEN 'report_made' THEN 'executor' ELSE 'team' END AS who,
                   json_extract(data, '$.text') AS text
            FROM events
            WHERE type IN ('message_posted', 'user_spoke', 'instruction_given', 'report_made') AND NOT rolled_back""",
    ),
    (
        # A session goes on from its last checkpoint; keeping each grew with the square of the turns.
        """CREATE TABLE last_checkpoints (
            session TEXT PRIMARY KEY REFERENCES sessions ON DELETE CASCADE, turn INTEGER NOT NULL,
            seq INTEGER NOT NULL, time REAL NOT NULL, state TEXT NOT NULL)""",
        "INSERT INTO last_checkpoints SELECT session, max(turn), seq, time, state FROM checkpoints GROUP BY session",
        # Large states were files: those of earlier checkpoints are needed no more.
        """DELETE FROM texts WHERE (sha256, session) IN
            (SELECT json_extract(state, '$.state."$text"'), session FROM checkpoints) AND (sha256, session) NOT IN
            (SELECT coalesce(json_extract(state, '$.state."$text"'), ''), session FROM last_checkpoints)""",
        "DROP TABLE checkpoints",
    ),
)
