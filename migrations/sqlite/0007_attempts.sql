-- The two levels of the journal agree with each other, whatever program writes to it.

-- Where an intent may stand is decided by its latest attempt.
CREATE TRIGGER intents_agree_with_their_attempts
BEFORE UPDATE OF status ON intents
WHEN NOT coalesce(
    (
        SELECT CASE NEW.status
            WHEN 'submitted' THEN latest.status = 'signed'
            WHEN 'succeeded' THEN latest.status = 'succeeded'
            WHEN 'queued' THEN latest.status IN ('aborted', 'cancelled', 'dead')
            ELSE latest.status IN ('aborted', 'cancelled', 'dead', 'refused')
        END
        FROM attempt_intents carried
        JOIN attempts latest ON latest.id = carried.attempt
        WHERE carried.intent = NEW.id
        ORDER BY carried.attempt DESC
        LIMIT 1
    ),
    -- Never signed.
    NEW.status IN ('queued', 'failed')
)
BEGIN
    SELECT RAISE(ABORT, 'what came of the attempt does not allow this status of its intent');
END;

CREATE TRIGGER attempt_intents_of_queued_intents
BEFORE INSERT ON attempt_intents
WHEN (SELECT status FROM intents WHERE id = NEW.intent) <> 'queued'
BEGIN
    SELECT RAISE(ABORT, 'only what is queued is signed');
END;

-- What is done once for ever keeps its key, all else gives it back.
CREATE TRIGGER intents_keep_the_key_of_what_is_done_once
BEFORE UPDATE OF status, holds_key ON intents
WHEN NEW.status = 'succeeded'
    AND NEW.holds_key <> (
        NEW.kind IN (
            'settle_stack', 'attest_settlement', 'start_dispute', 'claim_stack',
            'claim_confidential_stack'
        )
    )
BEGIN
    SELECT RAISE(ABORT, 'what is done once for ever keeps its key');
END;

-- The versions of owned objects that signed attempts use: badges and every coin. Of two signed
-- transactions that use the same one, validators may accept one each, and then neither until the
-- epoch ends.
CREATE TABLE signed_versions (
    object_id TEXT NOT NULL,
    -- As in the attempt's JSON: SQLite has no numbers as large.
    version   TEXT NOT NULL,
    attempt   INTEGER NOT NULL REFERENCES attempts (id),
    PRIMARY KEY (object_id, version)
) STRICT, WITHOUT ROWID;

CREATE INDEX signed_versions_by_attempt ON signed_versions (attempt);

-- From before only the badge and the first coin were sure to be of one attempt.
INSERT OR IGNORE INTO signed_versions (object_id, version, attempt)
SELECT badge ->> '$.object_id', badge -> '$.version', id
FROM attempts WHERE status = 'signed' AND badge IS NOT NULL;

INSERT OR IGNORE INTO signed_versions (object_id, version, attempt)
SELECT coin.value ->> '$.object_id', coin.value -> '$.version', attempts.id
FROM attempts, json_each(attempts.gas) coin WHERE attempts.status = 'signed';

DROP INDEX attempts_by_signed_badge;
DROP INDEX attempts_by_signed_coin;

CREATE TRIGGER attempts_take_their_versions
AFTER INSERT ON attempts
BEGIN
    INSERT INTO signed_versions (object_id, version, attempt)
    SELECT NEW.badge ->> '$.object_id', NEW.badge -> '$.version', NEW.id
    WHERE NEW.badge IS NOT NULL
    UNION ALL
    SELECT coin.value ->> '$.object_id', coin.value -> '$.version', NEW.id
    FROM json_each(NEW.gas) coin;
    -- An insertion that ignores conflicts must not leave a version out.
    SELECT RAISE(ABORT, 'a signed attempt uses this version of an object')
    WHERE (SELECT count(*) FROM signed_versions WHERE attempt = NEW.id)
        <> json_array_length(NEW.gas) + (NEW.badge IS NOT NULL);
END;

CREATE TRIGGER attempts_leave_their_versions
AFTER UPDATE OF status ON attempts
BEGIN
    DELETE FROM signed_versions WHERE attempt = NEW.id;
END;

CREATE TRIGGER signed_versions_are_of_signed_attempts
BEFORE INSERT ON signed_versions
WHEN (SELECT status FROM attempts WHERE id = NEW.attempt) IS NOT 'signed'
BEGIN
    SELECT RAISE(ABORT, 'only signed attempts use a version');
END;

CREATE TRIGGER signed_versions_never_change
BEFORE UPDATE ON signed_versions
BEGIN
    SELECT RAISE(ABORT, 'a signed transaction never changes');
END;

CREATE TRIGGER signed_versions_stay
BEFORE DELETE ON signed_versions
WHEN (SELECT status FROM attempts WHERE id = OLD.attempt) = 'signed'
BEGIN
    SELECT RAISE(ABORT, 'a signed attempt uses this version of an object');
END;

-- The badge that an attempt made, if it registered a node; and which attempts executed with a badge.
ALTER TABLE attempts ADD COLUMN registered_badge TEXT;
CREATE INDEX attempts_by_registered_badge ON attempts (registered_badge)
WHERE registered_badge IS NOT NULL;
CREATE INDEX attempts_by_executed_badge ON attempts (json_extract(badge, '$.object_id'), id)
WHERE effects IS NOT NULL;

CREATE TRIGGER attempts_keep_what_they_registered
BEFORE UPDATE OF registered_badge ON attempts
WHEN OLD.status <> 'signed'
BEGIN
    SELECT RAISE(ABORT, 'what came of an attempt never changes');
END;

CREATE INDEX intents_by_kind ON intents (kind, id);
