-- Prepaid use by day and tax rate, as the ledger needs it.

-- Minor units of a currency are so many nano units: the exponents of ISO 4217, as the domain has them.
CREATE FUNCTION bss_nano_per_minor(code text) RETURNS bigint LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE
        WHEN code IN ('BIF', 'CLP', 'DJF', 'GNF', 'ISK', 'JPY', 'KMF', 'KRW', 'PYG', 'RWF', 'UGX', 'VND', 'VUV', 'XAF',
            'XOF', 'XPF') THEN 1000000000
        WHEN code IN ('BHD', 'IQD', 'JOD', 'KWD', 'LYD', 'OMR', 'TND') THEN 1000000
        WHEN code IN ('CLF', 'UYW') THEN 100000
        ELSE 10000000
    END
$$;

-- The prepaid use of an account, a day in its zone and a tax rate. Nothing wrote the table before.
ALTER TABLE prepaid_use
    DROP CONSTRAINT prepaid_use_pkey,
    ADD COLUMN currency text NOT NULL,
    ADD COLUMN tax_category text NOT NULL,
    ADD COLUMN tax_rate_ppm bigint NOT NULL,
    -- Of posted_minor, what was tax.
    ADD COLUMN posted_tax_minor bigint NOT NULL DEFAULT 0,
    -- Whether the ledger has all of used_nano, rounded.
    ADD COLUMN is_posted boolean NOT NULL DEFAULT false,
    ALTER COLUMN posted_minor SET DEFAULT 0,
    ADD CHECK (used_nano >= 0),
    ADD PRIMARY KEY (tenant_id, slot, account_id, day, tax_category, tax_rate_ppm);
CREATE INDEX prepaid_use_waiting ON prepaid_use (tenant_id, slot, account_id) WHERE NOT is_posted;
