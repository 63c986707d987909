-- What the inference side served: one record per stack and node, and the units set aside.

CREATE TABLE work_records (
    stack_small_id BLOB NOT NULL CHECK (length(stack_small_id) = 8)
        REFERENCES stacks (stack_small_id),
    node_small_id  BLOB NOT NULL CHECK (length(node_small_id) = 8),
    -- The Merkle accumulator: how many messages, and the roots of its perfect subtrees, 32 bytes
    -- each, largest subtree first.
    messages       BLOB NOT NULL CHECK (length(messages) = 8),
    peaks          BLOB NOT NULL CHECK (length(peaks) % 32 = 0),
    merkle_root    BLOB CHECK (length(merkle_root) = 32),
    computed_units BLOB NOT NULL CHECK (length(computed_units) = 8),
    -- The sum of the open reservations, kept so that no request has to add them up.
    reserved_units BLOB NOT NULL CHECK (length(reserved_units) = 8),
    is_frozen      INTEGER NOT NULL DEFAULT 0 CHECK (is_frozen IN (0, 1)),
    PRIMARY KEY (stack_small_id, node_small_id),
    CHECK ((merkle_root IS NULL) = (messages = x'0000000000000000'))
) STRICT, WITHOUT ROWID;

CREATE TABLE reservations (
    id             INTEGER PRIMARY KEY AUTOINCREMENT,
    stack_small_id BLOB NOT NULL REFERENCES stacks (stack_small_id),
    num_compute_units BLOB NOT NULL CHECK (length(num_compute_units) = 8)
) STRICT;

CREATE INDEX reservations_by_stack ON reservations (stack_small_id);
