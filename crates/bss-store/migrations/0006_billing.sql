-- Allowances and balances, what was billed, bills, payments and the ledger. Amounts are minor units where a column
-- says `minor`, 10^-9 of a major unit where it says `nano`.

-- An allowance in one window. Who writes it checks the version: top-ups and corrections come from elsewhere.
CREATE TABLE bucket (
    tenant_id   uuid NOT NULL,
    slot        smallint NOT NULL,
    id          uuid NOT NULL,
    account_id  uuid NOT NULL,
    -- None: the account's products share it.
    product_id  uuid,
    price_id    uuid NOT NULL,
    from_at     timestamptz NOT NULL,
    to_at       timestamptz NOT NULL,
    rolled_over boolean NOT NULL,
    granted     bigint NOT NULL,
    used        bigint NOT NULL,
    reserved    bigint NOT NULL,
    version     bigint NOT NULL,
    CHECK (used >= 0 AND reserved >= 0 AND used + reserved <= granted),
    CHECK (from_at < to_at),
    PRIMARY KEY (tenant_id, slot, id)
) WITH (fillfactor = 50);
CREATE INDEX bucket_account ON bucket (tenant_id, slot, account_id, to_at);
SELECT bss_protect('bucket');

-- What was priced in a period so far, for tiers. The nil product is the account's.
CREATE TABLE usage_counter (
    tenant_id  uuid NOT NULL,
    slot       smallint NOT NULL,
    account_id uuid NOT NULL,
    product_id uuid NOT NULL,
    price_id   uuid NOT NULL,
    counter    smallint NOT NULL,
    from_at    timestamptz NOT NULL,
    to_at      timestamptz NOT NULL,
    value      bigint NOT NULL CHECK (value >= 0),
    version    bigint NOT NULL,
    PRIMARY KEY (tenant_id, slot, account_id, product_id, price_id, counter, from_at)
) WITH (fillfactor = 50);
SELECT bss_protect('usage_counter');

CREATE TABLE prepaid_balance (
    tenant_id    uuid NOT NULL,
    slot         smallint NOT NULL,
    account_id   uuid NOT NULL,
    currency     text NOT NULL,
    balance_nano bigint NOT NULL,
    limit_nano   bigint NOT NULL DEFAULT 0,
    version      bigint NOT NULL,
    CHECK (balance_nano >= limit_nano),
    PRIMARY KEY (tenant_id, slot, account_id)
) WITH (fillfactor = 50);
SELECT bss_protect('prepaid_balance');

-- The prepaid use of an account and day, and how much of it the ledger has.
CREATE TABLE prepaid_use (
    tenant_id    uuid NOT NULL,
    slot         smallint NOT NULL,
    account_id   uuid NOT NULL,
    day          date NOT NULL,
    used_nano    bigint NOT NULL,
    posted_minor bigint NOT NULL,
    PRIMARY KEY (tenant_id, slot, account_id, day)
) WITH (fillfactor = 50);
SELECT bss_protect('prepaid_use');

-- One run over a tenant's accounts. It keeps its moment, so that a run that was stopped goes on as it began.
CREATE TABLE bill_run (
    tenant_id   uuid NOT NULL,
    id          uuid NOT NULL,
    state       text NOT NULL CHECK (state IN ('running', 'done')),
    as_of       timestamptz NOT NULL,
    finished_at timestamptz,
    accounts    bigint NOT NULL DEFAULT 0,
    bills       bigint NOT NULL DEFAULT 0,
    started_by  text NOT NULL,
    PRIMARY KEY (tenant_id, id)
);
CREATE UNIQUE INDEX bill_run_going_on ON bill_run (tenant_id) WHERE state = 'running';
SELECT bss_protect('bill_run');

-- The period of an account that was closed: it claims the usage that began before `closed_through` and that the log
-- brought up to `watermark`, as far as no earlier row did. `closing` is what allowances and counters had come to.
CREATE TABLE usage_claim (
    tenant_id      uuid NOT NULL,
    slot           smallint NOT NULL,
    account_id     uuid NOT NULL,
    period_from    timestamptz NOT NULL,
    closed_through timestamptz NOT NULL,
    watermark      bigint NOT NULL,
    -- Deterministic; there is a bill of this id where there was anything to bill.
    bill_id        uuid NOT NULL,
    closing        jsonb NOT NULL,
    CHECK (period_from < closed_through),
    PRIMARY KEY (tenant_id, slot, account_id, period_from)
);
CREATE UNIQUE INDEX usage_claim_bill ON usage_claim (tenant_id, slot, bill_id);
CREATE INDEX usage_claim_recent ON usage_claim (tenant_id, slot, account_id, closed_through DESC);
SELECT bss_protect('usage_claim');

-- What an earlier period's allowances and counters came to when late usage was billed.
CREATE TABLE late_closing (
    tenant_id   uuid NOT NULL,
    slot        smallint NOT NULL,
    account_id  uuid NOT NULL,
    period_from timestamptz NOT NULL,
    bill_id     uuid NOT NULL,
    closed_at   timestamptz NOT NULL,
    closing     jsonb NOT NULL,
    PRIMARY KEY (tenant_id, slot, account_id, period_from, bill_id)
);
SELECT bss_protect('late_closing');

-- What was billed once. The key is the whole point: a second billing is a unique violation.
CREATE TABLE obligation (
    tenant_id    uuid NOT NULL,
    slot         smallint NOT NULL,
    product_id   uuid NOT NULL,
    charge_id    uuid NOT NULL,
    period_from  timestamptz NOT NULL,
    revision     integer NOT NULL,
    period_to    timestamptz NOT NULL,
    account_id   uuid NOT NULL,
    bill_id      uuid NOT NULL,
    owed_nano    bigint NOT NULL,
    amount_minor bigint NOT NULL,
    CHECK (period_from <= period_to AND revision >= 0),
    PRIMARY KEY (tenant_id, slot, product_id, charge_id, period_from, revision)
);
CREATE INDEX obligation_account ON obligation (tenant_id, slot, account_id, period_to);
CREATE INDEX obligation_bill ON obligation (tenant_id, slot, bill_id);
SELECT bss_protect('obligation');

-- Where the final rating of a period differs from what the stream had rated.
CREATE TABLE usage_correction (
    tenant_id   uuid NOT NULL,
    slot        smallint NOT NULL,
    bill_id     uuid NOT NULL,
    usage_id    uuid NOT NULL,
    -- The final amount less the provisional one.
    amount_nano bigint NOT NULL,
    parts       bytea NOT NULL,
    PRIMARY KEY (tenant_id, slot, usage_id)
);
CREATE INDEX usage_correction_bill ON usage_correction (tenant_id, slot, bill_id);
SELECT bss_protect('usage_correction');

-- Late records are those that stand behind the watermark of a closed period: of an old day's blocks, only those that
-- were written lately are read.
CREATE INDEX usage_record_position ON usage_record USING brin (position) WITH (pages_per_range = 16);

-- TM Forum's CustomerBill. `inputs` is what it is computed from; columns are the truth about amounts.
CREATE TABLE customer_bill (
    tenant_id            uuid NOT NULL,
    slot                 smallint NOT NULL,
    id                   uuid NOT NULL,
    revision             bigint NOT NULL,
    body                 jsonb NOT NULL,
    created_at           timestamptz NOT NULL,
    updated_at           timestamptz NOT NULL,
    updated_by           text NOT NULL,
    state                text NOT NULL,
    category             text NOT NULL,
    series               text NOT NULL,
    number               bigint NOT NULL,
    bill_no              text NOT NULL,
    run_id               uuid,
    account_id           uuid NOT NULL,
    customer_id          uuid NOT NULL,
    currency             text NOT NULL,
    bill_date            timestamptz NOT NULL,
    payment_due_date     timestamptz NOT NULL,
    period_from          timestamptz NOT NULL,
    period_to            timestamptz NOT NULL,
    net_minor            bigint NOT NULL,
    tax_minor            bigint NOT NULL,
    total_minor          bigint NOT NULL,
    credit_applied_minor bigint NOT NULL,
    due_minor            bigint NOT NULL,
    open_minor           bigint NOT NULL,
    rules_version        integer NOT NULL,
    inputs               bytea NOT NULL,
    computed             bytea NOT NULL,
    CHECK (net_minor + tax_minor = total_minor),
    CHECK (credit_applied_minor + due_minor = greatest(total_minor, 0)),
    CHECK (open_minor BETWEEN 0 AND due_minor),
    PRIMARY KEY (tenant_id, slot, id)
) WITH (fillfactor = 90);
CREATE UNIQUE INDEX customer_bill_number ON customer_bill (tenant_id, series, number);
CREATE INDEX customer_bill_account ON customer_bill (tenant_id, slot, account_id, bill_date);
CREATE INDEX customer_bill_customer ON customer_bill (tenant_id, slot, customer_id, bill_date);
CREATE INDEX customer_bill_open ON customer_bill (tenant_id, payment_due_date) WHERE open_minor > 0;
CREATE INDEX customer_bill_date ON customer_bill (tenant_id, bill_date);
CREATE INDEX customer_bill_run ON customer_bill (tenant_id, run_id);
SELECT bss_protect('customer_bill');

-- The lines of bills: TM Forum's AppliedCustomerBillingRate.
CREATE TABLE applied_customer_billing_rate (
    tenant_id    uuid NOT NULL,
    slot         smallint NOT NULL,
    id           uuid NOT NULL,
    revision     bigint NOT NULL,
    body         jsonb NOT NULL,
    created_at   timestamptz NOT NULL,
    updated_at   timestamptz NOT NULL,
    updated_by   text NOT NULL,
    bill_id      uuid NOT NULL,
    line         integer NOT NULL,
    kind         text NOT NULL,
    account_id   uuid NOT NULL,
    product_id   uuid NOT NULL,
    price_id     uuid NOT NULL,
    amount_minor bigint NOT NULL,
    net_minor    bigint NOT NULL,
    tax_minor    bigint NOT NULL,
    PRIMARY KEY (tenant_id, slot, id)
);
CREATE UNIQUE INDEX applied_customer_billing_rate_bill ON applied_customer_billing_rate (tenant_id, slot, bill_id, line);
SELECT bss_protect('applied_customer_billing_rate');

-- The next number of a series. It is drawn in the transaction that validates, just before its end, so it has no gaps.
CREATE TABLE bill_number_series (
    tenant_id uuid NOT NULL,
    series    text NOT NULL,
    next      bigint NOT NULL CHECK (next > 0),
    PRIMARY KEY (tenant_id, series)
);
SELECT bss_protect('bill_number_series');

-- TM Forum's Payment.
CREATE TABLE payment (
    tenant_id         uuid NOT NULL,
    slot              smallint NOT NULL,
    id                uuid NOT NULL,
    revision          bigint NOT NULL,
    body              jsonb NOT NULL,
    created_at        timestamptz NOT NULL,
    updated_at        timestamptz NOT NULL,
    updated_by        text NOT NULL,
    status            text NOT NULL,
    account_id        uuid NOT NULL,
    customer_id       uuid NOT NULL,
    channel           text NOT NULL,
    currency          text NOT NULL,
    payment_date      timestamptz NOT NULL,
    amount_minor      bigint NOT NULL CHECK (amount_minor > 0),
    unallocated_minor bigint NOT NULL CHECK (unallocated_minor >= 0),
    PRIMARY KEY (tenant_id, slot, id)
);
CREATE INDEX payment_account ON payment (tenant_id, slot, account_id, payment_date);
CREATE INDEX payment_date ON payment (tenant_id, payment_date);
SELECT bss_protect('payment');

-- What paid for what: a payment, the account's credit, a credit note.
CREATE TABLE allocation (
    tenant_id    uuid NOT NULL,
    slot         smallint NOT NULL,
    id           uuid NOT NULL,
    account_id   uuid NOT NULL,
    bill_id      uuid NOT NULL,
    kind         text NOT NULL CHECK (kind IN ('payment', 'credit', 'creditNote')),
    source_id    uuid NOT NULL,
    amount_minor bigint NOT NULL CHECK (amount_minor > 0),
    at           timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, slot, id)
);
CREATE INDEX allocation_bill ON allocation (tenant_id, slot, bill_id);
CREATE INDEX allocation_source ON allocation (tenant_id, slot, source_id);
SELECT bss_protect('allocation');

-- What is owed to an account. Whoever allocates locks this row: it serialises all money of the account.
CREATE TABLE account_credit (
    tenant_id     uuid NOT NULL,
    slot          smallint NOT NULL,
    account_id    uuid NOT NULL,
    currency      text NOT NULL,
    balance_minor bigint NOT NULL CHECK (balance_minor >= 0),
    PRIMARY KEY (tenant_id, slot, account_id)
) WITH (fillfactor = 70);
SELECT bss_protect('account_credit');

CREATE TABLE credit_note (
    tenant_id     uuid NOT NULL,
    slot          smallint NOT NULL,
    id            uuid NOT NULL,
    account_id    uuid NOT NULL,
    bill_id       uuid NOT NULL,
    series        text NOT NULL,
    number        bigint NOT NULL,
    currency      text NOT NULL,
    net_minor     bigint NOT NULL,
    tax_minor     bigint NOT NULL,
    -- What it took off the bill; the rest became credit of the account.
    applied_minor bigint NOT NULL,
    reason        text NOT NULL,
    lines         jsonb NOT NULL,
    created_at    timestamptz NOT NULL,
    created_by    text NOT NULL,
    CHECK (net_minor + tax_minor > 0 AND applied_minor BETWEEN 0 AND net_minor + tax_minor),
    PRIMARY KEY (tenant_id, slot, id)
);
CREATE UNIQUE INDEX credit_note_number ON credit_note (tenant_id, series, number);
CREATE INDEX credit_note_bill ON credit_note (tenant_id, slot, bill_id);
SELECT bss_protect('credit_note');

-- Net that was billed for a time to come.
CREATE TABLE deferred_revenue (
    tenant_id    uuid NOT NULL,
    slot         smallint NOT NULL,
    bill_id      uuid NOT NULL,
    line         integer NOT NULL,
    account_id   uuid NOT NULL,
    from_at      timestamptz NOT NULL,
    to_at        timestamptz NOT NULL,
    net_minor    bigint NOT NULL,
    earned_minor bigint NOT NULL,
    PRIMARY KEY (tenant_id, slot, bill_id, line)
) WITH (fillfactor = 70);
CREATE INDEX deferred_revenue_open ON deferred_revenue (tenant_id, slot, account_id) WHERE earned_minor <> net_minor;
SELECT bss_protect('deferred_revenue');

-- The ledger. It only grows: nobody may change or delete a row.
CREATE TABLE ledger_entry (
    tenant_id  uuid NOT NULL,
    slot       smallint NOT NULL,
    id         uuid NOT NULL,
    kind       text NOT NULL,
    cause      uuid NOT NULL,
    account_id uuid NOT NULL,
    currency   text NOT NULL,
    posted_at  timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, slot, id)
);
CREATE UNIQUE INDEX ledger_entry_cause ON ledger_entry (tenant_id, slot, cause, kind);
CREATE INDEX ledger_entry_account ON ledger_entry (tenant_id, slot, account_id, posted_at);
CREATE INDEX ledger_entry_posted ON ledger_entry (tenant_id, posted_at);
SELECT bss_protect('ledger_entry');
REVOKE UPDATE, DELETE ON ledger_entry FROM bss_app, bss_worker;

CREATE TABLE ledger_line (
    tenant_id    uuid NOT NULL,
    slot         smallint NOT NULL,
    entry_id     uuid NOT NULL,
    line         smallint NOT NULL,
    account      text NOT NULL,
    -- The tax's category and rate, the channel; empty for the others.
    detail       text NOT NULL,
    -- A debit is positive, a credit negative.
    amount_minor bigint NOT NULL CHECK (amount_minor <> 0),
    PRIMARY KEY (tenant_id, slot, entry_id, line),
    FOREIGN KEY (tenant_id, slot, entry_id) REFERENCES ledger_entry
);
SELECT bss_protect('ledger_line');
REVOKE UPDATE, DELETE ON ledger_line FROM bss_app, bss_worker;
