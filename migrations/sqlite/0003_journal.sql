-- The transaction journal. The database itself refuses what the state machine of the journal
-- doesn't allow, whatever program writes to it.

CREATE TABLE intents (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    kind       TEXT NOT NULL,
    action     TEXT NOT NULL CHECK (json_valid(action)),
    actor      TEXT NOT NULL CHECK (json_valid(actor)),
    gas        TEXT NOT NULL CHECK (json_valid(gas)),
    node_small_id  BLOB CHECK (length(node_small_id) = 8),
    stack_small_id BLOB CHECK (length(stack_small_id) = 8),
    -- What the intent has the exclusive right to do, and whether it still has.
    action_key TEXT NOT NULL,
    holds_key  INTEGER NOT NULL CHECK (holds_key IN (0, 1)),
    status     TEXT NOT NULL CHECK (status IN ('queued', 'submitted', 'succeeded', 'failed')),
    failure    TEXT CHECK (json_valid(failure)),
    created_at BLOB NOT NULL CHECK (length(created_at) = 8),
    updated_at BLOB NOT NULL CHECK (length(updated_at) = 8),
    CHECK (status NOT IN ('queued', 'submitted') OR holds_key = 1),
    CHECK (status <> 'failed' OR holds_key = 0),
    CHECK ((status = 'failed') = (failure IS NOT NULL))
) STRICT;

-- Sign once: one holder of a key at a time.
CREATE UNIQUE INDEX intents_by_held_key ON intents (action_key) WHERE holds_key = 1;
CREATE INDEX intents_by_status ON intents (status, id);
CREATE INDEX intents_by_node ON intents (node_small_id, id);
CREATE INDEX intents_by_stack ON intents (stack_small_id, id);

CREATE TRIGGER intents_begin_queued
BEFORE INSERT ON intents
WHEN NEW.status <> 'queued'
BEGIN
    SELECT RAISE(ABORT, 'an intent begins queued');
END;

CREATE TRIGGER intents_follow_the_state_machine
BEFORE UPDATE OF status ON intents
WHEN NOT (
    (OLD.status = 'queued' AND NEW.status IN ('submitted', 'failed'))
    OR (OLD.status = 'submitted' AND NEW.status IN ('queued', 'succeeded', 'failed'))
)
BEGIN
    SELECT RAISE(ABORT, 'the journal does not allow this transition of an intent');
END;

CREATE TRIGGER intents_never_change
BEFORE UPDATE OF id, kind, action, actor, gas, node_small_id, stack_small_id, action_key, created_at
ON intents
BEGIN
    SELECT RAISE(ABORT, 'what an intent asks for never changes');
END;

CREATE TRIGGER intents_stay
BEFORE DELETE ON intents
BEGIN
    SELECT RAISE(ABORT, 'the journal keeps its intents');
END;

CREATE TABLE attempts (
    id            INTEGER PRIMARY KEY AUTOINCREMENT,
    digest        BLOB NOT NULL UNIQUE CHECK (length(digest) = 32),
    -- TransactionData in BCS, exactly as signed; signatures as a BCS sequence of byte strings.
    bytes         BLOB NOT NULL,
    signatures    BLOB NOT NULL,
    expires_after BLOB NOT NULL CHECK (length(expires_after) = 8),
    -- Owned objects that it consumes: JSON of {object_id, version, digest}.
    badge         TEXT CHECK (json_valid(badge)),
    gas           TEXT NOT NULL CHECK (json_valid(gas)),
    status        TEXT NOT NULL
        CHECK (status IN ('signed', 'succeeded', 'aborted', 'cancelled', 'dead', 'refused')),
    gas_used      BLOB CHECK (length(gas_used) = 8),
    effects       BLOB,
    failure       TEXT CHECK (json_valid(failure)),
    -- What proves it dead.
    reason        TEXT,
    -- Where the mirror met it.
    checkpoint    BLOB CHECK (length(checkpoint) = 8),
    created_at    BLOB NOT NULL CHECK (length(created_at) = 8),
    concluded_at  BLOB CHECK (length(concluded_at) = 8),
    CHECK ((status = 'signed') = (concluded_at IS NULL))
) STRICT;

CREATE INDEX attempts_by_status ON attempts (status, id);

CREATE TABLE attempt_intents (
    attempt INTEGER NOT NULL REFERENCES attempts (id),
    -- The intent's place among the attempt's calls.
    place   INTEGER NOT NULL CHECK (place >= 0),
    intent  INTEGER NOT NULL REFERENCES intents (id),
    PRIMARY KEY (attempt, place),
    UNIQUE (attempt, intent)
) STRICT, WITHOUT ROWID;

CREATE INDEX attempt_intents_by_intent ON attempt_intents (intent, attempt);

CREATE TRIGGER attempts_begin_signed
BEFORE INSERT ON attempts
WHEN NEW.status <> 'signed'
BEGIN
    SELECT RAISE(ABORT, 'an attempt begins signed');
END;

CREATE TRIGGER attempts_conclude_once
BEFORE UPDATE OF status ON attempts
WHEN OLD.status <> 'signed' OR NEW.status = 'signed'
BEGIN
    SELECT RAISE(ABORT, 'the journal does not allow this transition of an attempt');
END;

CREATE TRIGGER attempts_never_change
BEFORE UPDATE OF id, digest, bytes, signatures, expires_after, badge, gas, created_at ON attempts
BEGIN
    SELECT RAISE(ABORT, 'a signed transaction never changes');
END;

CREATE TRIGGER attempts_stay
BEFORE DELETE ON attempts
BEGIN
    SELECT RAISE(ABORT, 'the journal keeps its attempts');
END;

CREATE TRIGGER attempt_intents_one_signed_at_a_time
BEFORE INSERT ON attempt_intents
WHEN EXISTS (
    SELECT 1
    FROM attempt_intents other
    JOIN attempts ON attempts.id = other.attempt
    WHERE other.intent = NEW.intent
      AND other.attempt <> NEW.attempt
      AND attempts.status = 'signed'
)
BEGIN
    SELECT RAISE(ABORT, 'the intent already has a signed attempt');
END;

CREATE TRIGGER attempt_intents_never_change
BEFORE UPDATE ON attempt_intents
BEGIN
    SELECT RAISE(ABORT, 'what an attempt carries never changes');
END;

CREATE TRIGGER attempt_intents_stay
BEFORE DELETE ON attempt_intents
BEGIN
    SELECT RAISE(ABORT, 'what an attempt carries never changes');
END;
