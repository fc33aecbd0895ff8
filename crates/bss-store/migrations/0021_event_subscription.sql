-- Callbacks that are told of events (TM Forum's hub), and what each of them is still to be told.

CREATE TABLE event_subscription (
    tenant_id   uuid NOT NULL,
    id          uuid NOT NULL,
    api         text NOT NULL,
    kinds       text[] NOT NULL,
    event_types text[] NOT NULL,
    query       text,
    callback    text NOT NULL,
    created_at  timestamptz NOT NULL,
    created_by  text NOT NULL,
    PRIMARY KEY (tenant_id, id),
    CONSTRAINT event_subscription_callback UNIQUE (tenant_id, api, callback)
);
SELECT bss_protect('event_subscription');

-- Written by the stream together with its position, removed when the callback has answered. Times are real. What was
-- tried too often is due at infinity and waits for people.
CREATE TABLE event_delivery (
    tenant_id       uuid NOT NULL,
    subscription_id uuid NOT NULL,
    event_id        uuid NOT NULL,
    body            jsonb NOT NULL,
    attempts        integer NOT NULL DEFAULT 0,
    due_at          timestamptz NOT NULL DEFAULT clock_timestamp(),
    leased_until    timestamptz,
    reason          text,
    PRIMARY KEY (tenant_id, subscription_id, event_id),
    FOREIGN KEY (tenant_id, subscription_id) REFERENCES event_subscription ON DELETE CASCADE
);
CREATE INDEX event_delivery_due ON event_delivery (due_at);
SELECT bss_protect('event_delivery');
-- Workers look for what is due across tenants, and do it within one.
CREATE POLICY worker_reads ON event_delivery FOR SELECT TO bss_worker USING (true);
