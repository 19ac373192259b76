-- Times are microseconds since 1970-01-01 UTC. Keys (pk) rise and are never used again, so that hot rows lie together.

-- One row. Written only by commits that leave no other trace of what it holds (see facts.rs).
CREATE TABLE meta (
    id         INTEGER PRIMARY KEY CHECK (id = 1),
    last_time  INTEGER NOT NULL,
    next_key   INTEGER NOT NULL,
    next_inbox INTEGER NOT NULL
) STRICT;
INSERT INTO meta VALUES (1, 0, 1, 1);

-- Narrow, because every turn rewrites its row: input, output and failures are in the turns.
CREATE TABLE instances (
    pk                INTEGER PRIMARY KEY,
    instance_id       TEXT    NOT NULL,
    name              TEXT    NOT NULL,
    status            INTEGER NOT NULL,
    has_work          INTEGER NOT NULL,
    created_at        INTEGER NOT NULL,
    updated_at        INTEGER NOT NULL,
    next_turn         INTEGER NOT NULL,
    generation        INTEGER NOT NULL,
    execution_id      ANY     NOT NULL, -- a UUID as 16 bytes, anything else as text
    version           TEXT,
    started_at        INTEGER,
    completed_at      INTEGER,
    start_at          INTEGER,
    custom_status     TEXT,
    parent_pk         INTEGER,
    parent_generation INTEGER,
    parent_task       INTEGER,
    parent_id         TEXT
) STRICT;
-- The row's key is the last column of every index, so these are also in the order of (created_at, pk).
CREATE UNIQUE INDEX instances_id ON instances (instance_id);
CREATE INDEX instances_status ON instances (status, created_at);
CREATE INDEX instances_name ON instances (name, status, created_at);
CREATE INDEX instances_work ON instances (has_work) WHERE has_work = 1;

-- A log in the order of commits: new turns are at the right edge, whoever they belong to.
CREATE TABLE turns (
    id   INTEGER PRIMARY KEY,
    pk   INTEGER NOT NULL,
    turn INTEGER NOT NULL,
    at   INTEGER NOT NULL, -- the latest time known to the commit
    data BLOB    NOT NULL  -- length-delimited events
) STRICT;
CREATE UNIQUE INDEX turns_pk ON turns (pk, turn);

CREATE TABLE inbox (
    pk    INTEGER NOT NULL,
    id    INTEGER NOT NULL,
    event BLOB    NOT NULL,
    PRIMARY KEY (pk, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE timers (
    fire_at  INTEGER NOT NULL,
    pk       INTEGER NOT NULL,
    timer_id INTEGER NOT NULL,
    PRIMARY KEY (fire_at, pk, timer_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX timers_pk ON timers (pk);
