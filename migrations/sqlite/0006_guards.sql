-- More of what the journal's rules forbid is refused by the database itself.

CREATE TRIGGER intents_keep_their_key
BEFORE UPDATE OF holds_key ON intents
WHEN OLD.status IN ('succeeded', 'failed') AND NEW.status = OLD.status
    AND NEW.holds_key <> OLD.holds_key
BEGIN
    SELECT RAISE(ABORT, 'an intent that is final keeps its key, or stays without it');
END;

CREATE TRIGGER attempts_keep_their_outcome
BEFORE UPDATE OF gas_used, effects, failure, reason, concluded_at ON attempts
WHEN OLD.status <> 'signed'
BEGIN
    SELECT RAISE(ABORT, 'what came of an attempt never changes');
END;

CREATE TRIGGER attempt_intents_of_signed_attempts
BEFORE INSERT ON attempt_intents
WHEN (SELECT status FROM attempts WHERE id = NEW.attempt) <> 'signed'
BEGIN
    SELECT RAISE(ABORT, 'what an attempt carries never changes');
END;

-- Of two signed transactions that use the same version of an object, validators may accept one each,
-- and then neither until the epoch ends.
CREATE UNIQUE INDEX attempts_by_signed_badge
ON attempts (json_extract(badge, '$.object_id'), json_extract(badge, '$.version'))
WHERE status = 'signed' AND badge IS NOT NULL;

CREATE UNIQUE INDEX attempts_by_signed_coin
ON attempts (json_extract(gas, '$[0].object_id'), json_extract(gas, '$[0].version'))
WHERE status = 'signed' AND gas <> '[]';
