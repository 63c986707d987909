-- The most that an attempt may cost, known before it is sent. Attempts from before are over or
-- cost what they cost.
ALTER TABLE attempts ADD COLUMN gas_budget BLOB NOT NULL DEFAULT x'0000000000000000'
    CHECK (length(gas_budget) = 8);

CREATE TRIGGER attempts_keep_their_budget
BEFORE UPDATE OF gas_budget ON attempts
BEGIN
    SELECT RAISE(ABORT, 'a signed transaction never changes');
END;
