-- The catalog, parties, customers and their accounts: documents with typed columns (`bss_store::resource`).

-- Catalog tables are needed whole by every shard: no slot. The catalog is small and often asked by attributes
-- that have no column, so its documents are indexed.
CREATE TABLE category (
    tenant_id        uuid NOT NULL,
    id               uuid NOT NULL,
    revision         bigint NOT NULL,
    body             jsonb NOT NULL,
    created_at       timestamptz NOT NULL,
    updated_at       timestamptz NOT NULL,
    updated_by       text NOT NULL,
    name             text NOT NULL,
    lifecycle_status text NOT NULL,
    is_root          boolean,
    parent_id        uuid,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, parent_id) REFERENCES category (tenant_id, id)
);
CREATE INDEX category_parent ON category (tenant_id, parent_id);
SELECT bss_protect('category');

CREATE TABLE product_specification (
    tenant_id        uuid NOT NULL,
    id               uuid NOT NULL,
    revision         bigint NOT NULL,
    body             jsonb NOT NULL,
    created_at       timestamptz NOT NULL,
    updated_at       timestamptz NOT NULL,
    updated_by       text NOT NULL,
    name             text NOT NULL,
    lifecycle_status text NOT NULL,
    PRIMARY KEY (tenant_id, id)
);
CREATE INDEX product_specification_body ON product_specification USING gin (body jsonb_path_ops);
SELECT bss_protect('product_specification');

CREATE TABLE service_specification (
    tenant_id        uuid NOT NULL,
    id               uuid NOT NULL,
    revision         bigint NOT NULL,
    body             jsonb NOT NULL,
    created_at       timestamptz NOT NULL,
    updated_at       timestamptz NOT NULL,
    updated_by       text NOT NULL,
    name             text NOT NULL,
    lifecycle_status text NOT NULL,
    PRIMARY KEY (tenant_id, id)
);
CREATE INDEX service_specification_body ON service_specification USING gin (body jsonb_path_ops);
SELECT bss_protect('service_specification');

CREATE TABLE resource_specification (
    tenant_id        uuid NOT NULL,
    id               uuid NOT NULL,
    revision         bigint NOT NULL,
    body             jsonb NOT NULL,
    created_at       timestamptz NOT NULL,
    updated_at       timestamptz NOT NULL,
    updated_by       text NOT NULL,
    name             text NOT NULL,
    lifecycle_status text NOT NULL,
    PRIMARY KEY (tenant_id, id)
);
CREATE INDEX resource_specification_body ON resource_specification USING gin (body jsonb_path_ops);
SELECT bss_protect('resource_specification');

CREATE TABLE product_offering (
    tenant_id        uuid NOT NULL,
    id               uuid NOT NULL,
    revision         bigint NOT NULL,
    body             jsonb NOT NULL,
    created_at       timestamptz NOT NULL,
    updated_at       timestamptz NOT NULL,
    updated_by       text NOT NULL,
    name             text NOT NULL,
    version          text,
    lifecycle_status text NOT NULL,
    is_bundle        boolean NOT NULL,
    is_sellable      boolean,
    valid_from       timestamptz,
    valid_to         timestamptz,
    specification_id uuid,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, specification_id) REFERENCES product_specification (tenant_id, id)
);
CREATE INDEX product_offering_specification ON product_offering (tenant_id, specification_id);
CREATE INDEX product_offering_body ON product_offering USING gin (body jsonb_path_ops);
SELECT bss_protect('product_offering');

CREATE TABLE product_offering_price (
    tenant_id        uuid NOT NULL,
    id               uuid NOT NULL,
    revision         bigint NOT NULL,
    body             jsonb NOT NULL,
    created_at       timestamptz NOT NULL,
    updated_at       timestamptz NOT NULL,
    updated_by       text NOT NULL,
    name             text NOT NULL,
    version          text,
    lifecycle_status text NOT NULL,
    price_type       text NOT NULL,
    valid_from       timestamptz,
    valid_to         timestamptz,
    PRIMARY KEY (tenant_id, id)
);
CREATE INDEX product_offering_price_body ON product_offering_price USING gin (body jsonb_path_ops);
SELECT bss_protect('product_offering_price');

CREATE TABLE individual (
    tenant_id   uuid NOT NULL,
    slot        smallint NOT NULL,
    id          uuid NOT NULL,
    revision    bigint NOT NULL,
    body        jsonb NOT NULL,
    created_at  timestamptz NOT NULL,
    updated_at  timestamptz NOT NULL,
    updated_by  text NOT NULL,
    given_name  text,
    family_name text,
    status      text,
    PRIMARY KEY (tenant_id, slot, id)
);
CREATE INDEX individual_family_name ON individual (tenant_id, lower(family_name) text_pattern_ops);
CREATE INDEX individual_given_name ON individual (tenant_id, lower(given_name) text_pattern_ops);
SELECT bss_protect('individual');

CREATE TABLE organization (
    tenant_id    uuid NOT NULL,
    slot         smallint NOT NULL,
    id           uuid NOT NULL,
    revision     bigint NOT NULL,
    body         jsonb NOT NULL,
    created_at   timestamptz NOT NULL,
    updated_at   timestamptz NOT NULL,
    updated_by   text NOT NULL,
    name         text,
    trading_name text,
    status       text,
    PRIMARY KEY (tenant_id, slot, id)
);
CREATE INDEX organization_name ON organization (tenant_id, lower(name) text_pattern_ops);
CREATE INDEX organization_trading_name ON organization (tenant_id, lower(trading_name) text_pattern_ops);
SELECT bss_protect('organization');

CREATE TABLE customer (
    tenant_id        uuid NOT NULL,
    slot             smallint NOT NULL,
    id               uuid NOT NULL,
    revision         bigint NOT NULL,
    body             jsonb NOT NULL,
    created_at       timestamptz NOT NULL,
    updated_at       timestamptz NOT NULL,
    updated_by       text NOT NULL,
    name             text NOT NULL,
    status           text,
    engaged_party_id uuid,
    PRIMARY KEY (tenant_id, slot, id)
);
CREATE INDEX customer_name ON customer (tenant_id, lower(name) text_pattern_ops);
CREATE INDEX customer_engaged_party ON customer (tenant_id, engaged_party_id);
CREATE INDEX customer_recent ON customer (tenant_id, id);
SELECT bss_protect('customer');

CREATE TABLE billing_account (
    tenant_id   uuid NOT NULL,
    slot        smallint NOT NULL,
    id          uuid NOT NULL,
    revision    bigint NOT NULL,
    body        jsonb NOT NULL,
    created_at  timestamptz NOT NULL,
    updated_at  timestamptz NOT NULL,
    updated_by  text NOT NULL,
    name        text NOT NULL,
    state       text NOT NULL,
    customer_id uuid NOT NULL,
    -- ISO 4217; never changes.
    currency    text NOT NULL,
    -- IANA name of the zone that periods are cut in.
    time_zone   text NOT NULL,
    cycle_day   bigint NOT NULL CHECK (cycle_day BETWEEN 1 AND 31),
    PRIMARY KEY (tenant_id, slot, id),
    FOREIGN KEY (tenant_id, slot, customer_id) REFERENCES customer (tenant_id, slot, id)
);
CREATE INDEX billing_account_customer ON billing_account (tenant_id, slot, customer_id);
CREATE INDEX billing_account_recent ON billing_account (tenant_id, id);
SELECT bss_protect('billing_account');
