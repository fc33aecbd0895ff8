-- Payments that are taken back, and debts that are given up.

-- A reversal is an allocation below zero from the same source; a debt that is given up pays for a bill, too.
ALTER TABLE allocation
    DROP CONSTRAINT allocation_kind_check,
    DROP CONSTRAINT allocation_amount_minor_check,
    ADD CONSTRAINT allocation_kind_check CHECK (kind IN ('payment', 'credit', 'creditNote', 'writeOff')),
    ADD CONSTRAINT allocation_amount_minor_check CHECK (amount_minor <> 0);

-- What went back of a payment: refunds and chargebacks. Never more than came.
ALTER TABLE payment
    ADD COLUMN reversed_minor bigint NOT NULL DEFAULT 0,
    ADD CHECK (reversed_minor BETWEEN 0 AND amount_minor);

-- A chargeback may open again what credit paid of a bill before anything was due.
ALTER TABLE customer_bill
    DROP CONSTRAINT customer_bill_check2,
    ADD CONSTRAINT customer_bill_open_check CHECK (open_minor BETWEEN 0 AND due_minor + credit_applied_minor);
