-- What is open, for the start page and the metrics: few rows among all that have ended.
CREATE INDEX discrepancies_open ON discrepancies (merchant, bill_date)
    WHERE state IN ('OPEN', 'RESOLVING', 'PROPOSED', 'APPROVED');
