-- Refunds as TMF676 shows them, and the ways in which bills and payments are looked for.

-- TM Forum's Refund: money that was given back from an account's credit.
CREATE TABLE refund (
    tenant_id    uuid NOT NULL,
    slot         smallint NOT NULL,
    id           uuid NOT NULL,
    revision     bigint NOT NULL,
    body         jsonb NOT NULL,
    created_at   timestamptz NOT NULL,
    updated_at   timestamptz NOT NULL,
    updated_by   text NOT NULL,
    status       text NOT NULL,
    account_id   uuid NOT NULL,
    customer_id  uuid NOT NULL,
    -- The payment whose rest it gives back, where it names one.
    payment_id   uuid,
    channel      text NOT NULL,
    currency     text NOT NULL,
    refund_date  timestamptz NOT NULL,
    amount_minor bigint NOT NULL CHECK (amount_minor > 0),
    PRIMARY KEY (tenant_id, slot, id)
);
CREATE INDEX refund_account ON refund (tenant_id, slot, account_id, refund_date);
CREATE INDEX refund_date ON refund (tenant_id, refund_date);
SELECT bss_protect('refund');

CREATE INDEX payment_customer ON payment (tenant_id, slot, customer_id, payment_date);
CREATE INDEX customer_bill_no ON customer_bill (tenant_id, bill_no);
CREATE INDEX applied_customer_billing_rate_account ON applied_customer_billing_rate (tenant_id, slot, account_id);
