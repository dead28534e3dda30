-- Legs O and E joined by number and transaction: one row per payment that our books hold as paid.
-- A fact in another currency is no payment of ours: order-svc refuses it, so the bill's row finds an open payment.
CREATE VIEW book_paid AS
SELECT o.merchant, o.out_trade_no, o.transaction_id, o.issued_amount_fen,
       o.taken_amount_fen AS order_amount_fen, e.amount_fen AS fact_amount_fen, o.paid_date
FROM book_payments o
LEFT JOIN provider_payments e
    ON e.merchant = o.merchant AND e.out_trade_no = o.out_trade_no AND e.transaction_id = o.transaction_id
    AND e.currency = 'CNY'
WHERE o.paid_date IS NOT NULL
UNION ALL
SELECT e.merchant, e.out_trade_no, e.transaction_id, i.issued_amount_fen, NULL::BIGINT, e.amount_fen, e.paid_date
FROM provider_payments e
LEFT JOIN book_payments i ON i.merchant = e.merchant AND i.out_trade_no = e.out_trade_no
WHERE e.currency = 'CNY' AND i.transaction_id IS DISTINCT FROM e.transaction_id;
