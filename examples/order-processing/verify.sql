-- The proof, from the shop's database alone: sqlite3 -box shop.db < verify.sql
-- One row per claim; `wrong` counts what contradicts it and must be 0 in every row.

WITH
per_order AS (
    SELECT
        o.order_id, o.sku, o.quantity, o.total_cents,
        count(*) FILTER (WHERE l.kind = 'ended') AS ended,
        count(*) FILTER (WHERE l.kind = 'charged') AS charged,
        count(*) FILTER (WHERE l.kind = 'shipped') AS shipped,
        count(*) FILTER (WHERE l.kind = 'reserved') AS reserved,
        count(*) FILTER (WHERE l.kind = 'released') AS released,
        max(l.detail) FILTER (WHERE l.kind = 'ended') AS outcome,
        coalesce(sum(l.cents) FILTER (WHERE l.kind = 'charged'), 0) AS charged_cents
    FROM orders AS o LEFT JOIN ledger AS l USING (order_id)
    GROUP BY o.order_id
),
per_product AS (
    SELECT
        p.sku, p.stock, p.stock_at_start,
        coalesce((SELECT sum(l.units) FROM ledger AS l WHERE l.sku = p.sku AND l.kind = 'shipped'), 0) AS shipped
    FROM products AS p
)
SELECT 'every order ended exactly once' AS claim, count(*) AS checked, count(*) FILTER (WHERE ended <> 1) AS wrong
FROM per_order
UNION ALL
SELECT 'a shipped order was charged once, its whole total', count(*),
    count(*) FILTER (WHERE charged <> 1 OR charged_cents <> total_cents)
FROM per_order WHERE shipped > 0
UNION ALL
SELECT 'a shipped order was reserved and shipped once, and kept', count(*),
    count(*) FILTER (WHERE reserved <> 1 OR shipped <> 1 OR released <> 0)
FROM per_order WHERE outcome = 'shipped'
UNION ALL
SELECT 'no other order was charged or shipped', count(*), count(*) FILTER (WHERE charged <> 0 OR shipped <> 0)
FROM per_order WHERE outcome IS NOT 'shipped'
UNION ALL
SELECT 'what an order that failed had reserved went back', count(*), count(*) FILTER (WHERE reserved <> released)
FROM per_order WHERE outcome IS NOT 'shipped'
UNION ALL
SELECT 'nothing above the limit was shipped unapproved', count(*),
    count(*) FILTER (WHERE a.answer IS NOT 'approved')
FROM per_order LEFT JOIN approvals AS a USING (order_id) WHERE total_cents > 100000 AND shipped > 0
UNION ALL
SELECT 'stock at start = stock now + units shipped', count(*), count(*) FILTER (WHERE stock_at_start <> stock + shipped)
FROM per_product;
