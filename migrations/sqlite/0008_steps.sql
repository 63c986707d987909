-- A lane's write is one statement: each is a way to SQLite's thread and back, and the lane waits for
-- all of them.

-- What a step tells: what came of an attempt (`ended`), what is signed next (`digest`), or both.
-- Nothing is ever read here.
CREATE VIEW attempt_steps (
    ended, outcome, gas_used, effects, failure, reason, checkpoint, registered_badge, intent_status,
    digest, bytes, signatures, expires_after, badge, gas, gas_budget, intents,
    at
) AS
SELECT
    NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL,
    NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL,
    NULL
WHERE FALSE;

CREATE TRIGGER attempt_steps_are_taken
INSTEAD OF INSERT ON attempt_steps
BEGIN
    SELECT RAISE(ABORT, 'no such attempt is open')
    WHERE NEW.ended IS NOT NULL
        AND (SELECT status FROM attempts WHERE digest = NEW.ended) IS NOT 'signed';

    UPDATE attempts
    SET status = NEW.outcome,
        gas_used = NEW.gas_used,
        effects = NEW.effects,
        failure = NEW.failure,
        reason = NEW.reason,
        -- The mirror may have met it before the node named a checkpoint.
        checkpoint = coalesce(NEW.checkpoint, checkpoint),
        registered_badge = NEW.registered_badge,
        concluded_at = NEW.at
    WHERE digest = NEW.ended;

    UPDATE intents
    SET status = NEW.intent_status,
        -- A failure of the attempt alone is not the intent's, which goes on.
        failure = CASE NEW.intent_status WHEN 'failed' THEN NEW.failure END,
        -- Only what is about a stack is once for ever.
        holds_key = CASE NEW.intent_status
            WHEN 'succeeded' THEN stack_small_id IS NOT NULL
            WHEN 'failed' THEN 0
            ELSE 1
        END,
        updated_at = NEW.at
    WHERE id IN (
        SELECT carried.intent
        FROM attempts
        JOIN attempt_intents carried ON carried.attempt = attempts.id
        WHERE attempts.digest = NEW.ended
    );

    INSERT INTO attempts (
        digest, bytes, signatures, expires_after, badge, gas, gas_budget, status, created_at
    )
    SELECT
        NEW.digest, NEW.bytes, NEW.signatures, NEW.expires_after, NEW.badge, NEW.gas, NEW.gas_budget,
        'signed', NEW.at
    WHERE NEW.digest IS NOT NULL;

    INSERT INTO attempt_intents (attempt, place, intent)
    SELECT attempts.id, listed.key, listed.value
    FROM attempts, json_each(NEW.intents) listed
    WHERE attempts.digest = NEW.digest;

    UPDATE intents
    SET status = 'submitted', updated_at = NEW.at
    WHERE id IN (SELECT value FROM json_each(NEW.intents));
END;

-- What was spent lately is told by the index alone.
DROP INDEX attempts_by_conclusion;
CREATE INDEX attempts_by_conclusion ON attempts (concluded_at, gas_used) WHERE gas_used IS NOT NULL;

-- A settlement, or a claim without one, closes the record of what its stack was served, until it
-- fails and none other is open: what is served later would not be paid.
CREATE TRIGGER intents_close_their_record
AFTER INSERT ON intents
WHEN NEW.kind IN ('settle_stack', 'claim_confidential_stack')
BEGIN
    UPDATE work_records SET is_frozen = 1
    WHERE (stack_small_id, node_small_id)
        IN (SELECT stack_small_id, selected_node_id FROM stacks
            WHERE stack_small_id = NEW.stack_small_id);
END;

CREATE TRIGGER intents_that_fail_open_their_record
AFTER UPDATE OF status ON intents
WHEN NEW.status = 'failed' AND NEW.kind IN ('settle_stack', 'claim_confidential_stack')
    AND NOT EXISTS (
        SELECT 1
        FROM intents other
        WHERE other.stack_small_id = NEW.stack_small_id
            AND other.kind IN ('settle_stack', 'claim_confidential_stack')
            AND other.status <> 'failed'
    )
BEGIN
    UPDATE work_records SET is_frozen = 0
    WHERE (stack_small_id, node_small_id)
        IN (SELECT stack_small_id, selected_node_id FROM stacks
            WHERE stack_small_id = NEW.stack_small_id);
END;
