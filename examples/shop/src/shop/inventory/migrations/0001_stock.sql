CREATE TABLE stock (
    sku TEXT PRIMARY KEY,
    quantity INTEGER NOT NULL CHECK (quantity >= 0)
);
CREATE TABLE reservations (
    order_id TEXT NOT NULL,
    sku TEXT NOT NULL REFERENCES stock (sku),
    quantity INTEGER NOT NULL CHECK (quantity > 0),
    reserved_ms BIGINT NOT NULL,
    PRIMARY KEY (order_id, sku)
);
CREATE INDEX reservations_by_age ON reservations (reserved_ms);
