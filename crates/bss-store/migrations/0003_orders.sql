-- Orders, what they bring about (products, services, resources), and the work at the network.

CREATE TABLE product_order (
    tenant_id     uuid NOT NULL,
    slot          smallint NOT NULL,
    id            uuid NOT NULL,
    revision      bigint NOT NULL,
    body          jsonb NOT NULL,
    created_at    timestamptz NOT NULL,
    updated_at    timestamptz NOT NULL,
    updated_by    text NOT NULL,
    state         text NOT NULL,
    customer_id   uuid,
    order_date    timestamptz,
    completion_date timestamptz,
    external_id   text,
    PRIMARY KEY (tenant_id, slot, id)
);
CREATE INDEX product_order_customer ON product_order (tenant_id, slot, customer_id, order_date);
CREATE INDEX product_order_state ON product_order (tenant_id, state, order_date);
CREATE INDEX product_order_date ON product_order (tenant_id, order_date);
SELECT bss_protect('product_order');

CREATE TABLE service_order (
    tenant_id     uuid NOT NULL,
    slot          smallint NOT NULL,
    id            uuid NOT NULL,
    revision      bigint NOT NULL,
    body          jsonb NOT NULL,
    created_at    timestamptz NOT NULL,
    updated_at    timestamptz NOT NULL,
    updated_by    text NOT NULL,
    state         text NOT NULL,
    customer_id   uuid NOT NULL,
    product_order_id uuid NOT NULL,
    order_date    timestamptz,
    PRIMARY KEY (tenant_id, slot, id),
    FOREIGN KEY (tenant_id, slot, product_order_id) REFERENCES product_order
);
CREATE INDEX service_order_order ON service_order (tenant_id, slot, product_order_id);
SELECT bss_protect('service_order');

CREATE TABLE product (
    tenant_id     uuid NOT NULL,
    slot          smallint NOT NULL,
    id            uuid NOT NULL,
    revision      bigint NOT NULL,
    body          jsonb NOT NULL,
    created_at    timestamptz NOT NULL,
    updated_at    timestamptz NOT NULL,
    updated_by    text NOT NULL,
    status        text NOT NULL,
    name          text,
    customer_id   uuid NOT NULL,
    billing_account_id uuid,
    product_order_id uuid NOT NULL,
    offering_id   uuid NOT NULL,
    start_date    timestamptz,
    termination_date timestamptz,
    PRIMARY KEY (tenant_id, slot, id),
    FOREIGN KEY (tenant_id, slot, product_order_id) REFERENCES product_order
);
CREATE INDEX product_customer ON product (tenant_id, slot, customer_id);
CREATE INDEX product_account ON product (tenant_id, slot, billing_account_id);
CREATE INDEX product_order_products ON product (tenant_id, slot, product_order_id);
SELECT bss_protect('product');

-- A product's life: who it was, from when to when. Segments of one product never overlap and leave no hole; the
-- one that has no end is the present one. The price versions are pinned here.
CREATE TABLE product_segment (
    tenant_id     uuid NOT NULL,
    slot          smallint NOT NULL,
    product_id    uuid NOT NULL,
    from_at       timestamptz NOT NULL,
    to_at         timestamptz,
    state         text NOT NULL CHECK (state IN ('active', 'suspended')),
    billing_account_id uuid NOT NULL,
    offering_id   uuid NOT NULL,
    price_ids     uuid[] NOT NULL,
    quantity      bigint NOT NULL CHECK (quantity > 0),
    CHECK (to_at IS NULL OR to_at > from_at),
    PRIMARY KEY (tenant_id, slot, product_id, from_at),
    FOREIGN KEY (tenant_id, slot, product_id) REFERENCES product
);
CREATE UNIQUE INDEX product_segment_present ON product_segment (tenant_id, slot, product_id) WHERE to_at IS NULL;
CREATE INDEX product_segment_account ON product_segment (tenant_id, slot, billing_account_id);
SELECT bss_protect('product_segment');

CREATE TABLE service (
    tenant_id     uuid NOT NULL,
    slot          smallint NOT NULL,
    id            uuid NOT NULL,
    revision      bigint NOT NULL,
    body          jsonb NOT NULL,
    created_at    timestamptz NOT NULL,
    updated_at    timestamptz NOT NULL,
    updated_by    text NOT NULL,
    state         text NOT NULL,
    customer_id   uuid NOT NULL,
    product_id    uuid NOT NULL,
    service_order_id uuid NOT NULL,
    PRIMARY KEY (tenant_id, slot, id),
    FOREIGN KEY (tenant_id, slot, product_id) REFERENCES product,
    FOREIGN KEY (tenant_id, slot, service_order_id) REFERENCES service_order
);
CREATE INDEX service_product ON service (tenant_id, slot, product_id);
CREATE INDEX service_service_order ON service (tenant_id, slot, service_order_id);
SELECT bss_protect('service');

-- Numbers, SIM cards, ports: pools that belong to no customer, so a resource's slot is its own id's.
CREATE TABLE resource (
    tenant_id     uuid NOT NULL,
    slot          smallint NOT NULL,
    id            uuid NOT NULL,
    revision      bigint NOT NULL,
    body          jsonb NOT NULL,
    created_at    timestamptz NOT NULL,
    updated_at    timestamptz NOT NULL,
    updated_by    text NOT NULL,
    category      text NOT NULL,
    value         text NOT NULL,
    resource_status text NOT NULL,
    usage_state   text NOT NULL,
    -- Sold again from then on (business time); none: not in quarantine.
    quarantine_until timestamptz,
    service_id    uuid,
    PRIMARY KEY (tenant_id, slot, id)
);
CREATE UNIQUE INDEX resource_value ON resource (tenant_id, category, value);
CREATE INDEX resource_free ON resource (tenant_id, category, id) WHERE resource_status = 'available';
CREATE INDEX resource_quarantine ON resource (tenant_id, category, quarantine_until) WHERE resource_status = 'suspended';
CREATE INDEX resource_service ON resource (tenant_id, service_id) WHERE service_id IS NOT NULL;
SELECT bss_protect('resource');

-- Whose a number was when: mediation asks it for every record. Not sharded, since the number is all one knows.
CREATE TABLE number_assignment (
    tenant_id     uuid NOT NULL,
    number        text NOT NULL,
    valid_from    timestamptz NOT NULL,
    valid_to      timestamptz,
    slot          smallint NOT NULL,
    customer_id   uuid NOT NULL,
    billing_account_id uuid NOT NULL,
    product_id    uuid NOT NULL,
    CHECK (valid_to IS NULL OR valid_to > valid_from),
    PRIMARY KEY (tenant_id, number, valid_from)
);
CREATE UNIQUE INDEX number_assignment_present ON number_assignment (tenant_id, number) WHERE valid_to IS NULL;
CREATE INDEX number_assignment_product ON number_assignment (tenant_id, slot, product_id);
SELECT bss_protect('number_assignment');

-- Work at the network: written in the transaction that decides on it, done afterwards. The id is the request id
-- that the network knows it by, the same at every attempt. Times are real, not business time.
CREATE TABLE activation (
    tenant_id     uuid NOT NULL,
    slot          smallint NOT NULL,
    id            uuid NOT NULL,
    customer_id   uuid NOT NULL,
    product_order_id uuid NOT NULL,
    order_item_id text NOT NULL,
    service_id    uuid NOT NULL,
    action        text NOT NULL CHECK (action IN ('activate', 'deactivate')),
    state         text NOT NULL CHECK (state IN ('due', 'unknown', 'confirmed', 'refused', 'fallout')),
    attempts      integer NOT NULL DEFAULT 0,
    due_at        timestamptz NOT NULL DEFAULT clock_timestamp(),
    leased_until  timestamptz,
    reason        text,
    traceparent   text,
    created_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (tenant_id, slot, id),
    FOREIGN KEY (tenant_id, slot, service_id) REFERENCES service
);
CREATE INDEX activation_due ON activation (due_at) WHERE state IN ('due', 'unknown');
CREATE INDEX activation_order ON activation (tenant_id, slot, product_order_id);
CREATE INDEX activation_fallout ON activation (tenant_id, created_at) WHERE state = 'fallout';
CREATE INDEX activation_service ON activation (tenant_id, slot, service_id);
SELECT bss_protect('activation');
-- Workers look for what is due across tenants, and do it within one.
CREATE POLICY worker_reads ON activation FOR SELECT TO bss_worker USING (true);
