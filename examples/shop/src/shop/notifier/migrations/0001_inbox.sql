CREATE TABLE inbox (
    event_id TEXT PRIMARY KEY,
    body TEXT NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('pending', 'done', 'dead')),
    attempts INTEGER NOT NULL,
    due_ms BIGINT NOT NULL,
    received_ms BIGINT NOT NULL,
    died_ms BIGINT,
    error TEXT NOT NULL
);
CREATE INDEX inbox_due ON inbox (status, due_ms);
CREATE TABLE messages (
    event_id TEXT PRIMARY KEY,
    customer_id TEXT NOT NULL,
    subject TEXT NOT NULL,
    text TEXT NOT NULL,
    sent_ms BIGINT NOT NULL
);
CREATE INDEX messages_by_customer ON messages (customer_id, sent_ms);
