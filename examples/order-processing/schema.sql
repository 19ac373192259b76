-- The shop's own database. The workflow engine keeps its file; this one belongs to the activities.

CREATE TABLE products (
    sku TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    unit_cents INTEGER NOT NULL,
    stock INTEGER NOT NULL CHECK (stock >= 0),
    stock_at_start INTEGER NOT NULL
) STRICT;

CREATE TABLE orders (
    order_id TEXT PRIMARY KEY,
    customer TEXT NOT NULL,
    sku TEXT NOT NULL REFERENCES products,
    quantity INTEGER NOT NULL CHECK (quantity > 0),
    total_cents INTEGER NOT NULL,
    card TEXT NOT NULL
) STRICT;

CREATE TABLE approvals (
    order_id TEXT PRIMARY KEY REFERENCES orders,
    answer TEXT CHECK (answer IN ('approved', 'declined'))
) STRICT;

CREATE TABLE ledger (
    key TEXT PRIMARY KEY,
    order_id TEXT NOT NULL REFERENCES orders,
    kind TEXT NOT NULL,
    sku TEXT,
    units INTEGER NOT NULL DEFAULT 0,
    cents INTEGER NOT NULL DEFAULT 0,
    detail TEXT NOT NULL DEFAULT '',
    at_ms INTEGER NOT NULL,
    runs INTEGER NOT NULL DEFAULT 1
) STRICT, WITHOUT ROWID;

CREATE INDEX ledger_kind ON ledger (kind, order_id);
