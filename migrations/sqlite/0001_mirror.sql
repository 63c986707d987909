-- The mirror of the contract's state, and how far it is.
--
-- 64-bit numbers of the domain (ids, units, prices, epochs, times) are BLOBs of 8 bytes, most
-- significant first: every value of u64 fits, and bytes compare as the numbers do. INTEGER is
-- kept for the database's own row numbers, for flags, and for numbers of 16 bits or fewer.
-- Tables refer to each other by id without foreign keys where an event can come for something
-- that is older than the mirror.

CREATE TABLE ledger (
    id                  INTEGER PRIMARY KEY CHECK (id = 1),
    chain_id            BLOB CHECK (length(chain_id) = 32),
    package_id          BLOB CHECK (length(package_id) = 32),
    atoma_db_id         BLOB CHECK (length(atoma_db_id) = 32),
    operator            BLOB CHECK (length(operator) = 32),
    cursor              BLOB,
    position_checkpoint BLOB CHECK (length(position_checkpoint) = 8),
    position_index      BLOB CHECK (length(position_index) = 8),
    covered             BLOB CHECK (length(covered) = 8),
    epoch               BLOB CHECK (length(epoch) = 8),
    CHECK ((chain_id IS NULL) = (package_id IS NULL) AND (chain_id IS NULL) = (atoma_db_id IS NULL)),
    CHECK ((position_checkpoint IS NULL) = (position_index IS NULL))
) STRICT;

INSERT INTO ledger (id) VALUES (1);

CREATE TRIGGER ledger_is_bound_for_ever
BEFORE UPDATE OF chain_id, package_id, atoma_db_id ON ledger
WHEN OLD.chain_id IS NOT NULL
BEGIN
    SELECT RAISE(ABORT, 'the database is bound to another chain or contract');
END;

CREATE TABLE nodes (
    node_small_id BLOB PRIMARY KEY NOT NULL CHECK (length(node_small_id) = 8),
    node_badge_id BLOB NOT NULL CHECK (length(node_badge_id) = 32),
    address       BLOB NOT NULL CHECK (length(address) = 32)
) STRICT, WITHOUT ROWID;

CREATE TABLE operator_nodes (
    node_small_id BLOB PRIMARY KEY NOT NULL CHECK (length(node_small_id) = 8),
    node_badge_id BLOB NOT NULL CHECK (length(node_badge_id) = 32),
    address       BLOB NOT NULL CHECK (length(address) = 32)
) STRICT, WITHOUT ROWID;

CREATE INDEX operator_nodes_by_address ON operator_nodes (address);

CREATE TABLE tasks (
    task_small_id            BLOB PRIMARY KEY NOT NULL CHECK (length(task_small_id) = 8),
    task_id                  BLOB NOT NULL CHECK (length(task_id) = 32),
    role                     INTEGER NOT NULL CHECK (role BETWEEN 0 AND 65535),
    model_name               TEXT,
    security_level           INTEGER NOT NULL CHECK (security_level BETWEEN 0 AND 65535),
    minimum_reputation_score INTEGER CHECK (minimum_reputation_score BETWEEN 0 AND 255),
    deprecated_at_epoch      BLOB CHECK (length(deprecated_at_epoch) = 8),
    removed_at_epoch         BLOB CHECK (length(removed_at_epoch) = 8)
) STRICT, WITHOUT ROWID;

CREATE TABLE subscriptions (
    -- Grows with every subscription: the order in which the nodes subscribed.
    sequence                            INTEGER PRIMARY KEY AUTOINCREMENT,
    node_small_id                       BLOB NOT NULL CHECK (length(node_small_id) = 8),
    task_small_id                       BLOB NOT NULL CHECK (length(task_small_id) = 8),
    price_per_one_million_compute_units BLOB NOT NULL
        CHECK (length(price_per_one_million_compute_units) = 8),
    max_num_compute_units               BLOB NOT NULL CHECK (length(max_num_compute_units) = 8),
    valid                               INTEGER NOT NULL CHECK (valid IN (0, 1)),
    UNIQUE (node_small_id, task_small_id)
) STRICT;

CREATE INDEX subscriptions_by_task ON subscriptions (task_small_id, valid, sequence);

CREATE TABLE stacks (
    stack_small_id                      BLOB PRIMARY KEY NOT NULL CHECK (length(stack_small_id) = 8),
    stack_id                            BLOB NOT NULL CHECK (length(stack_id) = 32),
    owner_address                       BLOB NOT NULL CHECK (length(owner_address) = 32),
    task_small_id                       BLOB NOT NULL CHECK (length(task_small_id) = 8),
    selected_node_id                    BLOB NOT NULL CHECK (length(selected_node_id) = 8),
    num_compute_units                   BLOB NOT NULL CHECK (length(num_compute_units) = 8),
    price_per_one_million_compute_units BLOB NOT NULL
        CHECK (length(price_per_one_million_compute_units) = 8),
    is_claimed                          INTEGER NOT NULL DEFAULT 0 CHECK (is_claimed IN (0, 1))
) STRICT, WITHOUT ROWID;

CREATE INDEX stacks_by_selected_node ON stacks (selected_node_id, stack_small_id);

CREATE TABLE settlements (
    stack_small_id              BLOB PRIMARY KEY NOT NULL CHECK (length(stack_small_id) = 8),
    selected_node_id            BLOB NOT NULL CHECK (length(selected_node_id) = 8),
    num_claimed_compute_units   BLOB NOT NULL CHECK (length(num_claimed_compute_units) = 8),
    settled_at                  BLOB NOT NULL CHECK (length(settled_at) = 8),
    dispute_settled_at_epoch    BLOB NOT NULL CHECK (length(dispute_settled_at_epoch) = 8),
    -- Small ids of 8 bytes each, in the order drawn.
    requested_attestation_nodes BLOB NOT NULL CHECK (length(requested_attestation_nodes) % 8 = 0),
    committed_stack_proof       BLOB NOT NULL,
    stack_merkle_leaf           BLOB NOT NULL,
    is_claimed                  INTEGER NOT NULL DEFAULT 0 CHECK (is_claimed IN (0, 1)),
    user_refund_amount          BLOB NOT NULL CHECK (length(user_refund_amount) = 8)
) STRICT, WITHOUT ROWID;

CREATE INDEX settlements_by_selected_node ON settlements (selected_node_id, stack_small_id);

-- The contract counts attestations, not nodes: one node can stand here twice for one stack.
CREATE TABLE attestations (
    sequence           INTEGER PRIMARY KEY AUTOINCREMENT,
    stack_small_id     BLOB NOT NULL CHECK (length(stack_small_id) = 8),
    node_small_id      BLOB NOT NULL CHECK (length(node_small_id) = 8),
    transaction_digest BLOB NOT NULL CHECK (length(transaction_digest) = 32),
    event_index        INTEGER NOT NULL CHECK (event_index >= 0),
    UNIQUE (transaction_digest, event_index)
) STRICT;

CREATE INDEX attestations_by_stack ON attestations (stack_small_id, sequence);

CREATE TABLE disputes (
    stack_small_id             BLOB PRIMARY KEY NOT NULL CHECK (length(stack_small_id) = 8),
    plaintiff_node_id          BLOB NOT NULL CHECK (length(plaintiff_node_id) = 8),
    defendant_node_id          BLOB NOT NULL CHECK (length(defendant_node_id) = 8),
    disputed_attestation_index BLOB CHECK (length(disputed_attestation_index) = 8),
    disputed_hash              BLOB NOT NULL,
    original_hash              BLOB NOT NULL,
    created_at_epoch           BLOB NOT NULL CHECK (length(created_at_epoch) = 8),
    resolved_at_epoch          BLOB CHECK (length(resolved_at_epoch) = 8)
) STRICT, WITHOUT ROWID;

CREATE INDEX disputes_by_plaintiff ON disputes (plaintiff_node_id, stack_small_id);
CREATE INDEX disputes_by_defendant ON disputes (defendant_node_id, stack_small_id);
