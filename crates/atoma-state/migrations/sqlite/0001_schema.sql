-- The daemon's database, in three parts: the mirror of the contract's state, the record of served
-- work, and the transaction journal.
--
-- Representation
--   * A 64-bit number of the domain (id, units, price, epoch, time) is a BLOB of 8 bytes, most
--     significant first: every u64 fits, and bytes compare as the numbers do. INTEGER is kept for
--     row numbers, flags (0 or 1) and numbers of 16 bits or fewer.
--   * Addresses, object ids, digests and hashes are BLOBs of 32 bytes.
--   * A nullable JSON column allows NULL explicitly: SQLite versions disagree about json_valid(NULL).
--   * Tables refer to each other without foreign keys where an event can arrive for something older
--     than the mirror.
--
-- Constraints, triggers and indexes mean the same in every SQLite from 3.40 on, so that a dump can be
-- restored with any of them.
--
-- Triggers are guards: they refuse and never write. The daemon applies every rule itself, so a guard
-- that fires has caught a bug or another program.

-- Tells the daemon's databases from those of other programs: "Atom" in ASCII.
PRAGMA application_id = 0x41746f6d;


-- ── The mirror ────────────────────────────────────────────────────────────────────────────────────
-- Everything here can be rebuilt from the chain. Events and the cursor that they advance are
-- committed together.

-- Which contract is mirrored, and how far. The contract is its AtomaDb: an upgrade changes the package. One row, written with every batch of events.
CREATE TABLE ledger (
    id                  INTEGER PRIMARY KEY CHECK (id = 1),
    chain_id            BLOB CHECK (length(chain_id) = 32),
    atoma_db_id         BLOB CHECK (length(atoma_db_id) = 32),
    -- The address whose nodes are the operator's own.
    operator            BLOB CHECK (length(operator) = 32),
    -- Where the event stream resumes; opaque.
    cursor              BLOB,
    -- The last transaction applied.
    position_checkpoint BLOB CHECK (length(position_checkpoint) = 8),
    position_index      BLOB CHECK (length(position_index) = 8),
    -- The last checkpoint known to be applied completely.
    covered             BLOB CHECK (length(covered) = 8),
    epoch               BLOB CHECK (length(epoch) = 8),
    -- The version of the AtomaDb that is mirrored: each of the contract's transactions writes the object.
    contract_version    BLOB CHECK (length(contract_version) = 8),
    CHECK ((chain_id IS NULL) = (atoma_db_id IS NULL)),
    CHECK ((position_checkpoint IS NULL) = (position_index IS NULL))
) STRICT;

INSERT INTO ledger (id) VALUES (1);

CREATE TRIGGER ledger_binding_is_permanent
BEFORE UPDATE OF chain_id, atoma_db_id ON ledger
WHEN OLD.chain_id IS NOT NULL
BEGIN
    SELECT RAISE(ABORT, 'the database is bound to another chain or contract');
END;

-- Events of the contract that the daemon couldn't read, as they came. Written with the cursor that passes them.
-- Those of a mirror that is rebuilt later are deleted, since it doesn't lack them.
CREATE TABLE events_set_aside (
    sequence           INTEGER PRIMARY KEY AUTOINCREMENT,
    transaction_digest BLOB NOT NULL CHECK (length(transaction_digest) = 32),
    -- Its place among all events of the transaction.
    event_index        INTEGER NOT NULL CHECK (event_index >= 0),
    checkpoint         BLOB NOT NULL CHECK (length(checkpoint) = 8),
    -- Type and contents are cut off after 64 KiB.
    event_type         TEXT NOT NULL,
    contents           BLOB NOT NULL CHECK (length(contents) <= 65536),
    reason             TEXT NOT NULL,
    -- The time of the checkpoint.
    emitted_at         BLOB NOT NULL CHECK (length(emitted_at) = 8),
    UNIQUE (transaction_digest, event_index)
) STRICT;

-- Objects of the contract that were changed without an event that tells it, to be compared with the mirror.
-- Written with the cursor that passes the change, deleted with the comparison.
CREATE TABLE unexplained_changes (
    object_id        BLOB PRIMARY KEY NOT NULL CHECK (length(object_id) = 32),
    -- The version of the AtomaDb since the change.
    contract_version BLOB NOT NULL CHECK (length(contract_version) = 8)
) STRICT, WITHOUT ROWID;

-- The differences between the mirror and the contract that a comparison has repaired. The newest 10,000 are kept.
CREATE TABLE mirror_differences (
    sequence            INTEGER PRIMARY KEY AUTOINCREMENT,
    kind                TEXT NOT NULL,
    -- `node`, `task` or `stack`, and its small id.
    entry               TEXT NOT NULL,
    small_id            BLOB NOT NULL CHECK (length(small_id) = 8),
    -- The node, if it is about a task's subscription.
    subscriber_small_id BLOB CHECK (length(subscriber_small_id) = 8),
    -- What the mirror had and what the contract has, in words, cut off after 4,000 characters; NULL if nothing.
    mirrored            TEXT,
    on_chain            TEXT,
    -- Why the entry was compared.
    cause               TEXT NOT NULL,
    -- The version of the AtomaDb at which the entry was read, and the last checkpoint mirrored then.
    contract_version    BLOB NOT NULL CHECK (length(contract_version) = 8),
    covered             BLOB CHECK (length(covered) = 8),
    found_at            BLOB NOT NULL CHECK (length(found_at) = 8)
) STRICT;

-- How many differences of each kind were ever repaired.
CREATE TABLE mirror_difference_counts (
    kind  TEXT PRIMARY KEY NOT NULL,
    count BLOB NOT NULL CHECK (length(count) = 8)
) STRICT, WITHOUT ROWID;

-- Every node. Written by registrations, and by comparisons with the contract: no event tells that a node was disabled or
-- destroyed.
CREATE TABLE nodes (
    node_small_id     BLOB PRIMARY KEY NOT NULL CHECK (length(node_small_id) = 8),
    -- The badge and the address that registered it; NULL if the registration was not mirrored.
    node_badge_id     BLOB CHECK (length(node_badge_id) = 32),
    address           BLOB CHECK (length(address) = 32),
    disabled_at_epoch BLOB CHECK (length(disabled_at_epoch) = 8),
    is_destroyed      INTEGER NOT NULL DEFAULT 0 CHECK (is_destroyed IN (0, 1))
) STRICT, WITHOUT ROWID;

-- Who owns which badge now. Written by registrations and by a check of the address's objects on
-- chain: a badge can be transferred without an event.
CREATE TABLE operator_nodes (
    node_small_id BLOB PRIMARY KEY NOT NULL CHECK (length(node_small_id) = 8),
    node_badge_id BLOB NOT NULL CHECK (length(node_badge_id) = 32),
    address       BLOB NOT NULL CHECK (length(address) = 32)
) STRICT, WITHOUT ROWID;

CREATE INDEX operator_nodes_by_address ON operator_nodes (address);

-- Tasks. Written by events, and by comparisons with the contract.
CREATE TABLE tasks (
    task_small_id            BLOB PRIMARY KEY NOT NULL CHECK (length(task_small_id) = 8),
    -- The badge; NULL if the registration was not mirrored: the contract's table doesn't name it.
    task_id                  BLOB CHECK (length(task_id) = 32),
    role                     INTEGER NOT NULL CHECK (role BETWEEN 0 AND 65535),
    model_name               TEXT,
    security_level           INTEGER NOT NULL CHECK (security_level BETWEEN 0 AND 65535),
    minimum_reputation_score INTEGER CHECK (minimum_reputation_score BETWEEN 0 AND 255),
    deprecated_at_epoch      BLOB CHECK (length(deprecated_at_epoch) = 8),
    -- Of a removal without an event: the epoch in which it was noticed.
    removed_at_epoch         BLOB CHECK (length(removed_at_epoch) = 8)
) STRICT, WITHOUT ROWID;

-- Which node serves which task. Written by events, and by comparisons with the contract; a row stays, as not valid, when the node
-- unsubscribes.
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

-- The public keys of confidential nodes, as the contract keeps them. Written by events, and by comparisons with the contract.
CREATE TABLE node_keys (
    node_small_id         BLOB PRIMARY KEY NOT NULL CHECK (length(node_small_id) = 8),
    public_key_commitment BLOB NOT NULL,
    key_rotation_counter  BLOB NOT NULL CHECK (length(key_rotation_counter) = 8),
    updated_at_epoch      BLOB NOT NULL CHECK (length(updated_at_epoch) = 8),
    -- Numbers of eight bytes, in the order of the commitments.
    device_types          BLOB NOT NULL
        CHECK (length(device_types) > 0 AND length(device_types) % 8 = 0)
) STRICT, WITHOUT ROWID;

-- Stacks that were bought. Written by events, and by comparisons with the contract.
CREATE TABLE stacks (
    stack_small_id                      BLOB PRIMARY KEY NOT NULL CHECK (length(stack_small_id) = 8),
    -- The badge; NULL if the purchase was not mirrored: the contract's table doesn't name it.
    stack_id                            BLOB CHECK (length(stack_id) = 32),
    owner_address                       BLOB NOT NULL CHECK (length(owner_address) = 32),
    task_small_id                       BLOB NOT NULL CHECK (length(task_small_id) = 8),
    selected_node_id                    BLOB NOT NULL CHECK (length(selected_node_id) = 8),
    num_compute_units                   BLOB NOT NULL CHECK (length(num_compute_units) = 8),
    price_per_one_million_compute_units BLOB NOT NULL
        CHECK (length(price_per_one_million_compute_units) = 8),
    is_claimed                          INTEGER NOT NULL DEFAULT 0 CHECK (is_claimed IN (0, 1))
) STRICT, WITHOUT ROWID;

CREATE INDEX stacks_by_selected_node ON stacks (selected_node_id, stack_small_id);
CREATE INDEX stacks_by_owner ON stacks (owner_address, is_claimed, task_small_id);
-- For sums over what is not paid yet.
CREATE INDEX stacks_that_are_unclaimed ON stacks (selected_node_id) WHERE is_claimed = 0;

-- Settlement tickets. Written by events, and by comparisons with the contract.
CREATE TABLE settlements (
    stack_small_id              BLOB PRIMARY KEY NOT NULL CHECK (length(stack_small_id) = 8),
    selected_node_id            BLOB NOT NULL CHECK (length(selected_node_id) = 8),
    num_claimed_compute_units   BLOB NOT NULL CHECK (length(num_claimed_compute_units) = 8),
    -- Of a ticket whose settlement was not mirrored: when it was noticed.
    settled_at                  BLOB NOT NULL CHECK (length(settled_at) = 8),
    dispute_settled_at_epoch    BLOB NOT NULL CHECK (length(dispute_settled_at_epoch) = 8),
    -- Small ids of 8 bytes each, in the order drawn.
    requested_attestation_nodes BLOB NOT NULL CHECK (length(requested_attestation_nodes) % 8 = 0),
    committed_stack_proof       BLOB NOT NULL,
    stack_merkle_leaf           BLOB NOT NULL,
    is_claimed                  INTEGER NOT NULL DEFAULT 0 CHECK (is_claimed IN (0, 1)),
    -- Zero too if the claim was not mirrored.
    user_refund_amount          BLOB NOT NULL CHECK (length(user_refund_amount) = 8)
) STRICT, WITHOUT ROWID;

CREATE INDEX settlements_by_selected_node ON settlements (selected_node_id, stack_small_id);
-- For attestations that are due: the tickets of one or two epochs.
CREATE INDEX settlements_that_are_unclaimed ON settlements (dispute_settled_at_epoch)
WHERE is_claimed = 0;

-- Sums over the claimed stacks of each node, so that no metric adds up all stacks that ever were. A claim adds
-- to them when it marks its stack. Numbers of 16 bytes; `worth` is units times price, which the contract
-- divides.
CREATE TABLE claimed_sums (
    node_small_id BLOB PRIMARY KEY NOT NULL CHECK (length(node_small_id) = 8),
    stacks        BLOB NOT NULL CHECK (length(stacks) = 8),
    served_units  BLOB NOT NULL CHECK (length(served_units) = 16),
    plain_worth   BLOB NOT NULL CHECK (length(plain_worth) = 16),
    sampled_worth BLOB NOT NULL CHECK (length(sampled_worth) = 16)
) STRICT, WITHOUT ROWID;

-- Attestations. Written by events, and by comparisons with the contract. The contract counts attestations, not nodes: one
-- node can appear twice for one stack.
CREATE TABLE attestations (
    sequence           INTEGER PRIMARY KEY AUTOINCREMENT,
    stack_small_id     BLOB NOT NULL CHECK (length(stack_small_id) = 8),
    node_small_id      BLOB NOT NULL CHECK (length(node_small_id) = 8),
    -- Of an attestation that came from the ticket: 24 zero bytes and the stack's id, and its place in the ticket.
    transaction_digest BLOB NOT NULL CHECK (length(transaction_digest) = 32),
    event_index        INTEGER NOT NULL CHECK (event_index >= 0),
    UNIQUE (transaction_digest, event_index)
) STRICT;

CREATE INDEX attestations_by_stack ON attestations (stack_small_id, sequence);

-- Disputes: the first of each stack, since the contract refuses a second. Written by events, and by comparisons with the
-- contract. A ticket doesn't say who raised its dispute: then the plaintiff is 0, which no node's id is, the disputed hash
-- is empty, and the epoch is the one in which the dispute was noticed.
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


-- The books: the contract's transactions that concern the operator's nodes, in ledger order. Written with the events, and
-- never changed. What the mirror was rebuilt over is not here.
CREATE TABLE book_transactions (
    sequence           INTEGER PRIMARY KEY AUTOINCREMENT,
    transaction_digest BLOB NOT NULL UNIQUE CHECK (length(transaction_digest) = 32),
    emitted_at         BLOB NOT NULL CHECK (length(emitted_at) = 8),
    epoch              BLOB NOT NULL CHECK (length(epoch) = 8),
    contract_version   BLOB CHECK (length(contract_version) = 8),
    sender             BLOB NOT NULL CHECK (length(sender) = 32),
    -- Whether it has purchases or claims that don't concern the operator's nodes.
    has_others         INTEGER NOT NULL CHECK (has_others IN (0, 1)),
    -- JSON of {address: change in micro-USDC, as text}; NULL if the Sui node didn't tell.
    balance_changes    TEXT CHECK (balance_changes IS NULL OR json_valid(balance_changes))
) STRICT;

-- What these transactions did to stacks of the operator's nodes, to stacks that they were drawn to attest, and to the
-- nodes themselves.
CREATE TABLE book_entries (
    transaction_digest BLOB NOT NULL CHECK (length(transaction_digest) = 32),
    -- Its place among the contract's events of the transaction, or of what it did without an event.
    event_index        INTEGER NOT NULL CHECK (event_index >= 0),
    kind               TEXT NOT NULL CHECK (
        kind IN ('registered', 'bought', 'settled', 'attested', 'disputed', 'claimed', 'withdrawn')
    ),
    node_small_id      BLOB NOT NULL CHECK (length(node_small_id) = 8),
    stack_small_id     BLOB CHECK (length(stack_small_id) = 8),
    -- Of a settlement and a claim: the units claimed.
    num_compute_units  BLOB CHECK (length(num_compute_units) = 8),
    -- Of a claim: the refund that the event names, and the nodes drawn to attest, of 8 bytes each.
    user_refund_amount BLOB CHECK (length(user_refund_amount) = 8),
    attestation_nodes  BLOB CHECK (length(attestation_nodes) % 8 = 0),
    PRIMARY KEY (transaction_digest, event_index)
) STRICT, WITHOUT ROWID;

CREATE INDEX book_entries_by_stack ON book_entries (stack_small_id) WHERE stack_small_id IS NOT NULL;

-- When the mirror was rebuilt: what happened between the transaction with that number and the rebuild is not in the books.
CREATE TABLE book_gaps (
    after_sequence INTEGER PRIMARY KEY CHECK (after_sequence >= 0)
) STRICT;

-- What the contract charged: versions of the AtomaDb between which every read gave the same. Written with comparisons, since
-- no event tells a change.
CREATE TABLE contract_charges (
    first_version             BLOB PRIMARY KEY NOT NULL CHECK (length(first_version) = 8),
    last_version              BLOB NOT NULL CHECK (length(last_version) = 8),
    sampling_consensus_charge BLOB NOT NULL CHECK (length(sampling_consensus_charge) = 8),
    extra_nodes_charge        BLOB NOT NULL CHECK (length(extra_nodes_charge) = 8),
    extra_nodes_count         BLOB NOT NULL CHECK (length(extra_nodes_count) = 8)
) STRICT, WITHOUT ROWID;


-- ── The autopilot ─────────────────────────────────────────────────────────────────────────────────

-- Why the autopilot is paused, if it is, and which disputes a person knows of. One row, written when a person pauses or
-- resumes it, and when it pauses by itself.
CREATE TABLE autopilot (
    id    INTEGER PRIMARY KEY CHECK (id = 1),
    state TEXT NOT NULL CHECK (json_valid(state))
) STRICT;


-- ── Served work ───────────────────────────────────────────────────────────────────────────────────
-- Exists nowhere else: it is what the node is paid for.

-- What each node served of each stack. Written with every message and reservation; the journal
-- freezes the selected node's record while a settlement, or a claim without one, is open or has
-- succeeded: what is served later would not be paid.
CREATE TABLE work_records (
    stack_small_id BLOB NOT NULL CHECK (length(stack_small_id) = 8)
        REFERENCES stacks (stack_small_id),
    node_small_id  BLOB NOT NULL CHECK (length(node_small_id) = 8),
    -- The Merkle accumulator: the number of messages, and the roots of its perfect subtrees, 32
    -- bytes each, largest subtree first.
    messages       BLOB NOT NULL CHECK (length(messages) = 8),
    peaks          BLOB NOT NULL CHECK (length(peaks) % 32 = 0),
    merkle_root    BLOB CHECK (length(merkle_root) = 32),
    computed_units BLOB NOT NULL CHECK (length(computed_units) = 8),
    -- The sum of the reservations below, kept so that no request has to add them up.
    reserved_units BLOB NOT NULL CHECK (length(reserved_units) = 8),
    -- When the last message was recorded; NULL without messages.
    recorded_at    BLOB CHECK (length(recorded_at) = 8),
    -- Whether no more units can be reserved: the stack is to be settled once its reservations have ended.
    is_draining     INTEGER NOT NULL DEFAULT 0 CHECK (is_draining IN (0, 1)),
    is_frozen      INTEGER NOT NULL DEFAULT 0 CHECK (is_frozen IN (0, 1)),
    -- Of the selected node's record: the share of the stack that is computed, times 2^64, rounded up.
    fill           BLOB CHECK (length(fill) = 8),
    -- Its first hexadecimal digit, of fuller stacks two. Most stacks end up nearly full.
    fill_level     TEXT
        CHECK (fill_level IS nullif(substr(hex(fill), 1, iif(fill >= x'C0', 2, 1)), '')),
    PRIMARY KEY (stack_small_id, node_small_id),
    CHECK ((merkle_root IS NULL) = (messages = x'0000000000000000'))
) STRICT, WITHOUT ROWID;

-- For stacks of which more than a share is computed, in the order of their ids: each level has that order, and
-- a page merges the levels from the share's own on. An index by fill alone would sort all those stacks for
-- each page.
CREATE INDEX work_records_by_fill ON work_records (node_small_id, fill_level, stack_small_id, fill)
WHERE fill IS NOT NULL;

-- Each unit of a stack is at least 2^-64 of it, so other units are another fill, except at the top, where a
-- full stack has the second largest number and an overfull one the largest.
CREATE TRIGGER work_records_keep_their_fill
BEFORE UPDATE OF computed_units, fill ON work_records
WHEN NEW.fill IS NOT NULL AND NEW.fill < x'FFFFFFFFFFFFFFFE'
    AND (NEW.computed_units = OLD.computed_units) <> (NEW.fill IS OLD.fill)
BEGIN
    SELECT RAISE(ABORT, 'the fill of a record follows its units');
END;

CREATE TRIGGER work_records_of_selected_nodes_have_a_fill
BEFORE INSERT ON work_records
WHEN (NEW.fill IS NOT NULL) <> EXISTS (
    SELECT 1
    FROM stacks
    WHERE stack_small_id = NEW.stack_small_id AND selected_node_id = NEW.node_small_id
)
BEGIN
    SELECT RAISE(ABORT, 'the record of the selected node has a fill, and no other');
END;

CREATE TRIGGER work_records_of_selected_nodes_keep_having_a_fill
BEFORE UPDATE OF fill ON work_records
WHEN (NEW.fill IS NULL) <> (OLD.fill IS NULL)
BEGIN
    SELECT RAISE(ABORT, 'the record of the selected node has a fill, and no other');
END;

CREATE TRIGGER work_records_keep_what_is_frozen
BEFORE UPDATE OF stack_small_id, node_small_id, messages, peaks, merkle_root, computed_units, fill
ON work_records
WHEN OLD.is_frozen = 1
BEGIN
    SELECT RAISE(ABORT, 'a frozen record never changes');
END;

CREATE TRIGGER work_records_stay_while_frozen
BEFORE DELETE ON work_records
WHEN OLD.is_frozen = 1
BEGIN
    SELECT RAISE(ABORT, 'a frozen record stays');
END;

CREATE TRIGGER work_records_stay_frozen_while_an_intent_needs_it
BEFORE UPDATE OF is_frozen ON work_records
WHEN OLD.is_frozen = 1 AND NEW.is_frozen = 0
    AND EXISTS (
        SELECT 1
        FROM stacks
        JOIN intents ON intents.stack_small_id = stacks.stack_small_id
        WHERE stacks.stack_small_id = OLD.stack_small_id
            AND stacks.selected_node_id = OLD.node_small_id
            AND intents.kind IN ('settle_stack', 'claim_confidential_stack')
            AND intents.status <> 'failed'
    )
BEGIN
    SELECT RAISE(ABORT, 'an intent that has not failed keeps this record frozen');
END;

-- Units set aside for requests in progress. Written by the inference side. Deleted when the message is
-- recorded, when the reservation is released, and by the first write that finds its lease expired.
CREATE TABLE reservations (
    -- Never given out twice: an id that is gone belongs to a reservation that has ended.
    id                INTEGER PRIMARY KEY AUTOINCREMENT,
    stack_small_id    BLOB NOT NULL REFERENCES stacks (stack_small_id),
    -- The stack's selected node, whose record counts the units as reserved.
    node_small_id     BLOB NOT NULL CHECK (length(node_small_id) = 8),
    num_compute_units BLOB NOT NULL CHECK (length(num_compute_units) = 8),
    -- The tag of the service instance that made it.
    holder            TEXT CHECK (length(holder) BETWEEN 1 AND 128),
    created_at        BLOB NOT NULL CHECK (length(created_at) = 8),
    expires_at        BLOB NOT NULL CHECK (length(expires_at) = 8),
    -- The key of the request that made it, with its scope, and the hash of that request's body.
    request_scope     TEXT,
    request_body      BLOB CHECK (length(request_body) = 32),
    CHECK ((request_scope IS NULL) = (request_body IS NULL))
) STRICT;

CREATE INDEX reservations_by_stack ON reservations (stack_small_id, expires_at);
CREATE INDEX reservations_by_expiry ON reservations (expires_at);
CREATE INDEX reservations_by_holder ON reservations (holder, id) WHERE holder IS NOT NULL;
CREATE UNIQUE INDEX reservations_by_request ON reservations (request_scope)
    WHERE request_scope IS NOT NULL;

CREATE TRIGGER reservations_begin_while_the_record_is_open
BEFORE INSERT ON reservations
WHEN EXISTS (
    SELECT 1
    FROM work_records
    WHERE stack_small_id = NEW.stack_small_id
        AND node_small_id = NEW.node_small_id
        AND is_frozen = 1
)
BEGIN
    SELECT RAISE(ABORT, 'no units of a frozen record can be reserved');
END;

-- The messages that a client recorded under an id of its own or under a key, with the answer. Written
-- with the message. An id counts as long as the record exists, a key for at least seven days (see
-- key_clock); a row with neither is deleted.
CREATE TABLE recorded_messages (
    sequence            INTEGER PRIMARY KEY,
    stack_small_id      BLOB NOT NULL REFERENCES stacks (stack_small_id),
    node_small_id       BLOB NOT NULL CHECK (length(node_small_id) = 8),
    message_id          TEXT CHECK (length(message_id) BETWEEN 1 AND 255),
    -- The key of the request that recorded it, with its scope, and the hash of that request's body.
    request_scope       TEXT,
    request_body        BLOB CHECK (length(request_body) = 32),
    message_hash        BLOB NOT NULL CHECK (length(message_hash) = 32),
    num_compute_units   BLOB NOT NULL CHECK (length(num_compute_units) = 8),
    -- The record right after the message.
    num_total_messages  BLOB NOT NULL CHECK (length(num_total_messages) = 8),
    computed_units      BLOB NOT NULL CHECK (length(computed_units) = 8),
    merkle_root         BLOB NOT NULL CHECK (length(merkle_root) = 32),
    -- Those of its units that the stack had no room for.
    num_uncovered_units BLOB NOT NULL CHECK (length(num_uncovered_units) = 8),
    recorded_at         BLOB NOT NULL CHECK (length(recorded_at) = 8),
    -- The key clock's time; NULL without a key.
    key_stored          BLOB CHECK (length(key_stored) = 8),
    CHECK (message_id IS NOT NULL OR request_scope IS NOT NULL),
    CHECK ((request_scope IS NULL) = (request_body IS NULL)),
    CHECK ((request_scope IS NULL) = (key_stored IS NULL))
) STRICT;

CREATE UNIQUE INDEX recorded_messages_by_id
    ON recorded_messages (stack_small_id, node_small_id, message_id) WHERE message_id IS NOT NULL;
CREATE UNIQUE INDEX recorded_messages_by_request ON recorded_messages (request_scope)
    WHERE request_scope IS NOT NULL;
CREATE INDEX recorded_messages_by_key_age ON recorded_messages (key_stored)
    WHERE request_scope IS NOT NULL;

CREATE TRIGGER recorded_messages_never_change
BEFORE UPDATE OF stack_small_id, node_small_id, message_id, message_hash, num_compute_units,
    num_total_messages, computed_units, merkle_root, num_uncovered_units, recorded_at
ON recorded_messages
BEGIN
    SELECT RAISE(ABORT, 'a recorded message never changes');
END;

CREATE TRIGGER recorded_messages_with_an_id_stay
BEFORE DELETE ON recorded_messages
WHEN OLD.message_id IS NOT NULL
BEGIN
    SELECT RAISE(ABORT, 'a message recorded under an id stays');
END;

-- How old idempotency keys are, whatever the system's clock says. One row, written with every key.
-- `elapsed` grows by the time since the key before, as far as a process has seen it pass, and otherwise by
-- at most an hour, so that a clock that jumps ahead makes no key old. A key expires when it is older than
-- seven days by both clocks.
CREATE TABLE key_clock (
    id         INTEGER PRIMARY KEY CHECK (id = 1),
    -- The time of the last key, by the system's clock.
    stepped_at BLOB NOT NULL CHECK (length(stepped_at) = 8),
    -- Milliseconds.
    elapsed    BLOB NOT NULL CHECK (length(elapsed) = 8)
) STRICT;


-- ── The transaction journal ───────────────────────────────────────────────────────────────────────
-- What was asked of the chain (intents) and what was signed for it (attempts). It is on disk before
-- anything is sent. The state machine is the domain's (`atoma_domain::journal`); the guards below
-- hold whatever program writes here to it.

-- One thing asked of the chain: one action of one node about one stack, task or model. Inserted by
-- `open`; status, failure and key change with each transition; never deleted.
CREATE TABLE intents (
    id             INTEGER PRIMARY KEY AUTOINCREMENT,
    kind           TEXT NOT NULL,
    action         TEXT NOT NULL CHECK (json_valid(action)),
    actor          TEXT NOT NULL CHECK (json_valid(actor)),
    gas            TEXT NOT NULL CHECK (json_valid(gas)),
    node_small_id  BLOB CHECK (length(node_small_id) = 8),
    stack_small_id BLOB CHECK (length(stack_small_id) = 8),
    -- What the intent has the exclusive right to do, and whether it still has it.
    action_key     TEXT NOT NULL,
    holds_key      INTEGER NOT NULL CHECK (holds_key IN (0, 1)),
    status         TEXT NOT NULL CHECK (status IN ('queued', 'submitted', 'succeeded', 'failed')),
    failure        TEXT CHECK (failure IS NULL OR json_valid(failure)),
    created_at     BLOB NOT NULL CHECK (length(created_at) = 8),
    updated_at     BLOB NOT NULL CHECK (length(updated_at) = 8),
    CHECK (status NOT IN ('queued', 'submitted') OR holds_key = 1),
    CHECK (status <> 'failed' OR holds_key = 0),
    CHECK ((status = 'failed') = (failure IS NOT NULL))
) STRICT;

-- Sign once: one intent holds a key at a time.
CREATE UNIQUE INDEX intents_by_held_key ON intents (action_key) WHERE holds_key = 1;
CREATE INDEX intents_by_kind ON intents (kind, id);
CREATE INDEX intents_by_node ON intents (node_small_id, id);
CREATE INDEX intents_by_stack ON intents (stack_small_id, id);
CREATE INDEX intents_by_kind_and_node ON intents (kind, node_small_id, id);
-- By status, alone and with another filter. Each change of status costs a write in each index that has the intent,
-- so those that are still open, which are few, stand in one. A stack has few intents too.
CREATE INDEX intents_that_are_open ON intents (status, id) WHERE status IN ('queued', 'submitted');
CREATE INDEX final_intents_by_status ON intents (status, id) WHERE status IN ('succeeded', 'failed');
CREATE INDEX final_intents_by_kind ON intents (kind, status, id) WHERE status IN ('succeeded', 'failed');
CREATE INDEX final_intents_by_node ON intents (node_small_id, status, id)
WHERE status IN ('succeeded', 'failed');

CREATE TRIGGER intents_begin_queued
BEFORE INSERT ON intents
WHEN NEW.status <> 'queued'
BEGIN
    SELECT RAISE(ABORT, 'an intent begins queued');
END;

-- A claim by its ticket may come without a record, so a missing one does not count.
CREATE TRIGGER intents_begin_with_their_record_frozen
BEFORE INSERT ON intents
WHEN NEW.kind IN ('settle_stack', 'claim_confidential_stack')
    AND EXISTS (
        SELECT 1
        FROM stacks
        JOIN work_records ON work_records.stack_small_id = stacks.stack_small_id
            AND work_records.node_small_id = stacks.selected_node_id
        WHERE stacks.stack_small_id = NEW.stack_small_id AND work_records.is_frozen = 0
    )
BEGIN
    SELECT RAISE(ABORT, 'the record of the stack must be frozen first');
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

-- The latest attempt decides which status its intents may have.
CREATE TRIGGER intents_agree_with_their_attempts
BEFORE UPDATE OF status ON intents
WHEN NOT coalesce(
    (
        SELECT CASE NEW.status
            WHEN 'submitted' THEN latest.status = 'signed'
            WHEN 'succeeded' THEN latest.status = 'succeeded'
            WHEN 'queued' THEN latest.status IN ('aborted', 'cancelled', 'dead')
            ELSE latest.status IN ('aborted', 'cancelled', 'dead')
        END
        FROM attempt_intents
        JOIN attempts latest ON latest.id = attempt_intents.attempt
        WHERE attempt_intents.intent = NEW.id
        ORDER BY attempt_intents.attempt DESC
        LIMIT 1
    ),
    -- Never signed.
    NEW.status IN ('queued', 'failed')
)
BEGIN
    SELECT RAISE(ABORT, 'the outcome of the attempt does not allow this status of its intent');
END;

CREATE TRIGGER intents_move_when_versions_are_released
BEFORE UPDATE OF status ON intents
WHEN EXISTS (
    SELECT 1
    FROM attempt_intents
    JOIN attempts ON attempts.id = attempt_intents.attempt
    JOIN signed_versions ON signed_versions.digest = attempts.digest
    WHERE attempt_intents.intent = NEW.id AND attempts.status <> 'signed'
)
BEGIN
    SELECT RAISE(ABORT, 'a concluded attempt must release its object versions');
END;

-- Success keeps the key of an action that the contract allows once, and of no other.
CREATE TRIGGER intents_that_succeed_keep_their_key_if_done_once
BEFORE UPDATE OF status, holds_key ON intents
WHEN NEW.status = 'succeeded'
    AND NEW.holds_key <> (
        NEW.kind IN (
            'settle_stack', 'attest_settlement', 'start_dispute', 'claim_stack',
            'claim_confidential_stack'
        )
    )
BEGIN
    SELECT RAISE(ABORT, 'an action that can be done once keeps its key, any other gives it back');
END;

CREATE TRIGGER intents_keep_their_key_when_final
BEFORE UPDATE OF holds_key ON intents
WHEN OLD.status IN ('succeeded', 'failed') AND NEW.status = OLD.status
    AND NEW.holds_key <> OLD.holds_key
BEGIN
    SELECT RAISE(ABORT, 'a final intent neither takes nor gives back its key');
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

-- One signed transaction. Inserted by `record_attempt` before it is sent, concluded once, never
-- deleted. Only `checkpoint` may still change afterwards: the mirror fills it in.
CREATE TABLE attempts (
    -- Grows, since no attempt is ever deleted.
    id               INTEGER PRIMARY KEY,
    digest           BLOB NOT NULL UNIQUE CHECK (length(digest) = 32),
    -- TransactionData in BCS, exactly as signed; signatures as a BCS sequence of byte strings. Some time after
    -- the attempt was concluded, these and the effects are emptied, because nothing needs them any more.
    bytes            BLOB NOT NULL,
    signatures       BLOB NOT NULL,
    expires_after    BLOB NOT NULL CHECK (length(expires_after) = 8),
    -- The owned object versions that it uses: JSON of {object_id, version, digest}.
    badge            TEXT CHECK (badge IS NULL OR json_valid(badge)),
    gas              TEXT NOT NULL CHECK (json_valid(gas)),
    gas_budget       BLOB NOT NULL CHECK (length(gas_budget) = 8),
    status           TEXT NOT NULL
        CHECK (status IN ('signed', 'succeeded', 'aborted', 'cancelled', 'dead')),
    -- What it paid, and what came back instead if its storage rebate was larger: one of them is 0.
    gas_used         BLOB CHECK (length(gas_used) = 8),
    gas_returned     BLOB CHECK (length(gas_returned) = 8),
    effects          BLOB,
    failure          TEXT CHECK (failure IS NULL OR json_valid(failure)),
    -- Why it was cancelled, or the proof that it is dead.
    reason           TEXT,
    -- The checkpoint that holds it, as named by the node or found by the mirror.
    checkpoint       BLOB CHECK (length(checkpoint) = 8),
    -- The badge that it created, if it registered a node.
    registered_badge TEXT,
    created_at       BLOB NOT NULL CHECK (length(created_at) = 8),
    concluded_at     BLOB CHECK (length(concluded_at) = 8),
    CHECK ((status = 'signed') = (concluded_at IS NULL)),
    CHECK ((gas_used IS NULL) = (gas_returned IS NULL))
) STRICT;

CREATE INDEX attempts_that_are_signed ON attempts (id) WHERE status = 'signed';
-- Gas spent since a time, answered by the index alone.
CREATE INDEX attempts_by_conclusion ON attempts (concluded_at, gas_used) WHERE gas_used IS NOT NULL;
-- The last use of a badge: the attempt that created it, or the last one that executed with it.
CREATE INDEX attempts_by_registered_badge ON attempts (registered_badge)
WHERE registered_badge IS NOT NULL;
CREATE INDEX attempts_by_executed_badge ON attempts (badge ->> 'object_id', id)
WHERE effects IS NOT NULL;

-- Those that still carry their bytes, for dropping these in time.
CREATE INDEX attempts_that_carry_bytes ON attempts (concluded_at)
WHERE concluded_at IS NOT NULL AND bytes <> x'';

CREATE TRIGGER attempts_begin_signed
BEFORE INSERT ON attempts
WHEN NEW.status <> 'signed'
BEGIN
    SELECT RAISE(ABORT, 'an attempt begins signed');
END;

CREATE TRIGGER attempts_claim_exactly_their_versions
BEFORE INSERT ON attempts
WHEN (SELECT count(*) FROM signed_versions WHERE digest = NEW.digest)
        <> json_array_length(NEW.gas) + (NEW.badge IS NOT NULL)
    OR EXISTS (
        SELECT 1
        FROM signed_versions claimed
        WHERE claimed.digest = NEW.digest
            AND NOT EXISTS (
                SELECT 1
                FROM (SELECT NEW.badge AS value UNION ALL SELECT value FROM json_each(NEW.gas)) used
                WHERE used.value ->> 'object_id' = claimed.object_id
                    AND used.value -> 'version' = claimed.version
            )
    )
BEGIN
    SELECT RAISE(ABORT, 'an attempt must claim exactly the object versions that it uses');
END;

CREATE TRIGGER attempts_conclude_once
BEFORE UPDATE OF status ON attempts
WHEN OLD.status <> 'signed' OR NEW.status = 'signed'
BEGIN
    SELECT RAISE(ABORT, 'the journal does not allow this transition of an attempt');
END;

CREATE TRIGGER attempts_keep_their_outcome
BEFORE UPDATE OF gas_used, gas_returned, failure, reason, registered_badge, concluded_at ON attempts
WHEN OLD.status <> 'signed'
BEGIN
    SELECT RAISE(ABORT, 'the outcome of an attempt never changes');
END;

CREATE TRIGGER attempts_never_change
BEFORE UPDATE OF id, digest, expires_after, badge, gas, gas_budget, created_at
ON attempts
BEGIN
    SELECT RAISE(ABORT, 'a signed transaction never changes');
END;

CREATE TRIGGER attempts_carry_their_bytes_until_concluded
BEFORE UPDATE OF bytes, signatures ON attempts
WHEN NOT (
    (NEW.bytes = OLD.bytes AND NEW.signatures = OLD.signatures)
    OR (OLD.status <> 'signed' AND NEW.bytes = x'' AND NEW.signatures = x'')
)
BEGIN
    SELECT RAISE(ABORT, 'a signed transaction never changes');
END;

-- Whether there are effects says whether the attempt executed.
CREATE TRIGGER attempts_keep_having_effects
BEFORE UPDATE OF effects ON attempts
WHEN OLD.status <> 'signed'
    AND NEW.effects IS NOT OLD.effects
    AND NOT (OLD.effects IS NOT NULL AND NEW.effects IS x'')
BEGIN
    SELECT RAISE(ABORT, 'the outcome of an attempt never changes');
END;

CREATE TRIGGER attempts_stay
BEFORE DELETE ON attempts
BEGIN
    SELECT RAISE(ABORT, 'the journal keeps its attempts');
END;

-- The intents that an attempt carries. Inserted with the attempt, then never changed.
CREATE TABLE attempt_intents (
    attempt INTEGER NOT NULL REFERENCES attempts (id),
    -- The index of the intent's call in the transaction.
    place   INTEGER NOT NULL CHECK (place >= 0),
    intent  INTEGER NOT NULL REFERENCES intents (id),
    PRIMARY KEY (attempt, place)
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX attempt_intents_by_intent ON attempt_intents (intent, attempt);

CREATE TRIGGER attempt_intents_belong_to_queued_intents
BEFORE INSERT ON attempt_intents
WHEN (SELECT status FROM intents WHERE id = NEW.intent) <> 'queued'
BEGIN
    SELECT RAISE(ABORT, 'only a queued intent can be signed for');
END;

CREATE TRIGGER attempt_intents_belong_to_signed_attempts
BEFORE INSERT ON attempt_intents
WHEN (SELECT status FROM attempts WHERE id = NEW.attempt) <> 'signed'
BEGIN
    SELECT RAISE(ABORT, 'the intents of an attempt never change');
END;

CREATE TRIGGER attempt_intents_have_one_signed_attempt
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
    SELECT RAISE(ABORT, 'the intents of an attempt never change');
END;

CREATE TRIGGER attempt_intents_stay
BEFORE DELETE ON attempt_intents
BEGIN
    SELECT RAISE(ABORT, 'the intents of an attempt never change');
END;

-- The owned object versions (badges and coins) that signed attempts use. Of two signed transactions
-- that use the same version, validators may accept one each, and then neither until the epoch ends:
-- the primary key admits one. Claimed just before the attempt is inserted, hence the deferred
-- reference; deleted when it is concluded.
CREATE TABLE signed_versions (
    object_id TEXT NOT NULL,
    -- Decimal, as in the attempt's JSON: SQLite has no integers as large.
    version   TEXT NOT NULL,
    digest    BLOB NOT NULL REFERENCES attempts (digest) DEFERRABLE INITIALLY DEFERRED,
    PRIMARY KEY (object_id, version)
) STRICT, WITHOUT ROWID;

CREATE INDEX signed_versions_by_digest ON signed_versions (digest);

CREATE TRIGGER signed_versions_are_claimed_before_the_attempt
BEFORE INSERT ON signed_versions
WHEN EXISTS (SELECT 1 FROM attempts WHERE digest = NEW.digest)
BEGIN
    SELECT RAISE(ABORT, 'the object versions of an attempt never change');
END;

-- Also for INSERT OR REPLACE and INSERT OR IGNORE, which the primary key alone does not stop.
CREATE TRIGGER signed_versions_are_claimed_once
BEFORE INSERT ON signed_versions
WHEN EXISTS (
    SELECT 1 FROM signed_versions WHERE object_id = NEW.object_id AND version = NEW.version
)
BEGIN
    SELECT RAISE(ABORT, 'a signed attempt uses this object version');
END;

CREATE TRIGGER signed_versions_never_change
BEFORE UPDATE ON signed_versions
BEGIN
    SELECT RAISE(ABORT, 'the object versions of an attempt never change');
END;

CREATE TRIGGER signed_versions_stay_while_signed
BEFORE DELETE ON signed_versions
WHEN (SELECT status FROM attempts WHERE digest = OLD.digest) = 'signed'
BEGIN
    SELECT RAISE(ABORT, 'a signed attempt uses this object version');
END;

-- The last use of a badge by other software, as the operator has accepted it, or a key rotation. Written by a start with
-- `allow_foreign_use`, and where a rotation is recognised; replaced by the next one.
CREATE TABLE acknowledged_uses (
    badge  BLOB PRIMARY KEY NOT NULL CHECK (length(badge) = 32),
    digest BLOB NOT NULL CHECK (length(digest) = 32)
) STRICT, WITHOUT ROWID;

-- Requests made under an idempotency key, with the outcome of their parts at the time. Written by
-- `open`; a key counts until it is older than seven days by both clocks (see key_clock).
CREATE TABLE requests (
    scope      TEXT PRIMARY KEY,
    body       BLOB NOT NULL CHECK (length(body) = 32),
    entries    TEXT NOT NULL CHECK (json_valid(entries)),
    created_at BLOB NOT NULL CHECK (length(created_at) = 8),
    -- The key clock's time.
    key_stored BLOB NOT NULL CHECK (length(key_stored) = 8)
) STRICT, WITHOUT ROWID;

CREATE INDEX requests_by_key_age ON requests (key_stored);


-- ── Alarms ────────────────────────────────────────────────────────────────────────────────────────
-- What the operator must look at, and who has not been told yet. An alarm and the messages that it leads to
-- are written together.

-- One occurrence of a condition. A condition that comes back is another one. Of those that are resolved, the
-- latest 1,000 are kept.
CREATE TABLE alarms (
    id              INTEGER PRIMARY KEY CHECK (id > 0),
    -- The rule, by its code.
    kind            TEXT NOT NULL,
    -- `daemon`, or what it is about and which, such as `stack 13`.
    subject         TEXT NOT NULL,
    state           TEXT NOT NULL CHECK (state IN ('firing', 'acknowledged', 'resolved')),
    -- One sentence for the operator.
    summary         TEXT NOT NULL,
    -- When it is too late.
    deadline        BLOB CHECK (length(deadline) = 8),
    since           BLOB NOT NULL CHECK (length(since) = 8),
    acknowledged_at BLOB CHECK (length(acknowledged_at) = 8),
    -- Since when the condition is gone, while the alarm is open.
    absent_since    BLOB CHECK (length(absent_since) = 8),
    resolved_at     BLOB CHECK (length(resolved_at) = 8),
    -- The last message that said that it fires.
    told_at         BLOB CHECK (length(told_at) = 8),
    CHECK ((state = 'resolved') = (resolved_at IS NOT NULL))
) STRICT;

CREATE UNIQUE INDEX alarms_that_are_open ON alarms (kind, subject) WHERE state <> 'resolved';
CREATE INDEX alarms_by_state ON alarms (state, id);
-- For messages that must keep their distance to the last one about the same condition.
CREATE INDEX alarms_by_message ON alarms (told_at) WHERE told_at IS NOT NULL;

CREATE TRIGGER alarms_that_are_resolved_never_change
BEFORE UPDATE ON alarms
WHEN OLD.state = 'resolved'
BEGIN
    SELECT RAISE(ABORT, 'a resolved alarm never changes');
END;

-- Messages about alarms that wait for a receiver. Deleted once the receiver has it, or it is given up. At most 500 for each
-- receiver.
CREATE TABLE alarm_deliveries (
    -- Never given out twice: receivers tell messages apart by it.
    id              INTEGER PRIMARY KEY AUTOINCREMENT,
    -- The receiver's name in the configuration.
    receiver        TEXT NOT NULL,
    -- The alarm that it is about, and what it says.
    alarm_id        INTEGER NOT NULL,
    event           TEXT NOT NULL,
    -- The message, with the alarm as it was.
    notification    TEXT NOT NULL CHECK (json_valid(notification)),
    -- How often it was tried.
    attempts        INTEGER NOT NULL DEFAULT 0 CHECK (attempts >= 0),
    next_attempt_at BLOB NOT NULL CHECK (length(next_attempt_at) = 8)
) STRICT;

CREATE INDEX alarm_deliveries_by_receiver ON alarm_deliveries (receiver, id);
