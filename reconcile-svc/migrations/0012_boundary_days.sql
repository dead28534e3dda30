-- Rows that came from run_boundary_matches were given the bill's day, which earlier releases kept no other of. Their day in our
-- books is that of the payment; it is what has that day compared again when a new bill no longer has the payment.
UPDATE run_boundary m SET book_date = p.paid_date
FROM runs r, run_boundary_matches e, book_paid p
WHERE r.run_id = m.run_id AND m.leg = 'TRADE' AND m.book_date = r.bill_date
  AND e.run_id = m.run_id AND e.transaction_id = m.number
  AND p.merchant = m.merchant AND p.out_trade_no = e.out_trade_no AND p.transaction_id = e.transaction_id;
