-- Requests made under an idempotency key, with what became of their parts.

CREATE TABLE requests (
    scope      TEXT PRIMARY KEY,
    body       BLOB NOT NULL CHECK (length(body) = 32),
    entries    TEXT NOT NULL CHECK (json_valid(entries)),
    created_at BLOB NOT NULL CHECK (length(created_at) = 8)
) STRICT, WITHOUT ROWID;

CREATE INDEX requests_by_age ON requests (created_at);

-- What was spent lately.
CREATE INDEX attempts_by_conclusion ON attempts (concluded_at) WHERE gas_used IS NOT NULL;
