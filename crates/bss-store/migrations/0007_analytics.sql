-- What the customer analytics stream counts: windows of an hour of event time, by customer and segment. A late arrival
-- is added to the hour it belongs to.
CREATE TABLE analytics_hour (
    tenant_id   uuid NOT NULL,
    slot        smallint NOT NULL,
    customer_id uuid NOT NULL,
    -- The hour's beginning, business time.
    hour        timestamptz NOT NULL,
    -- usage: records and base units; charged: nano of a currency; order: orders in a state, as a difference to the hour
    -- before; billed and paid: minor units of a currency.
    measure     text NOT NULL CHECK (measure IN ('usage', 'charged', 'order', 'billed', 'paid')),
    -- The service, or the state.
    label       text NOT NULL,
    unit        text NOT NULL,
    segment     text NOT NULL,
    number      bigint NOT NULL,
    quantity    bigint NOT NULL,
    PRIMARY KEY (tenant_id, slot, customer_id, hour, measure, label, unit, segment)
) WITH (fillfactor = 60);
SELECT bss_protect('analytics_hour');

-- Bills with what decides whether their customer pays late. A payment may be heard of before its bill.
CREATE TABLE analytics_bill (
    tenant_id   uuid NOT NULL,
    slot        smallint NOT NULL,
    id          uuid NOT NULL,
    customer_id uuid NOT NULL,
    due_at      timestamptz,
    due_minor   bigint,
    paid_minor  bigint NOT NULL DEFAULT 0,
    paid_at     timestamptz,
    PRIMARY KEY (tenant_id, slot, id)
) WITH (fillfactor = 80);
CREATE INDEX analytics_bill_customer ON analytics_bill (tenant_id, slot, customer_id);
SELECT bss_protect('analytics_bill');
