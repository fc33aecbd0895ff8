-- Requests to cancel a product order (TMF622). One at a time is under way for an order.

CREATE TABLE cancel_product_order (
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
    PRIMARY KEY (tenant_id, slot, id),
    FOREIGN KEY (tenant_id, slot, product_order_id) REFERENCES product_order
);
CREATE INDEX cancel_product_order_order ON cancel_product_order (tenant_id, slot, product_order_id);
CREATE INDEX cancel_product_order_customer ON cancel_product_order (tenant_id, slot, customer_id);
SELECT bss_protect('cancel_product_order');
