CREATE TABLE charges (
    id TEXT PRIMARY KEY,
    idempotency_key TEXT NOT NULL UNIQUE,
    order_id TEXT NOT NULL,
    amount_cents BIGINT NOT NULL CHECK (amount_cents > 0),
    card_token TEXT NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('pending', 'approved', 'declined')),
    in_doubt INTEGER NOT NULL CHECK (in_doubt IN (0, 1)),
    provider_reference TEXT,
    created_ms BIGINT NOT NULL
);
CREATE INDEX charges_by_order ON charges (order_id);
CREATE INDEX charges_by_age ON charges (created_ms);
