-- Users, clients, sessions and keys of the built-in issuer.
--
-- The issuer works before a tenant is known: a name is looked up, and the row found says which tenant it belongs to.
-- So these tables have a second way in: a transaction of `bss_app` that has set `bss.issuer` sees all tenants. Only
-- `bss_store::identity::begin` sets it. Streams (`bss_worker`) see none of this.

CREATE FUNCTION bss_protect_identity(protected regclass) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', protected);
    EXECUTE format('ALTER TABLE %s FORCE ROW LEVEL SECURITY', protected);
    EXECUTE format(
        'CREATE POLICY issuer ON %s TO bss_app USING ((SELECT current_setting(''bss.issuer'', true)) = ''on'')',
        protected);
    EXECUTE format('REVOKE ALL ON %s FROM bss_worker', protected);
    EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %s TO bss_app', protected);
END $$;

-- Everybody reads the names of tenants; the issuer alone adds one.
ALTER TABLE tenant ENABLE ROW LEVEL SECURITY;
CREATE POLICY everybody_reads ON tenant FOR SELECT USING (true);
CREATE POLICY issuer_adds ON tenant FOR INSERT TO bss_app
    WITH CHECK ((SELECT current_setting('bss.issuer', true)) = 'on');
GRANT INSERT ON tenant TO bss_app;

CREATE TABLE app_user (
    tenant_id     uuid NOT NULL REFERENCES tenant,
    id            uuid NOT NULL,
    -- What is typed at sign-in: lower case, one person over all tenants, since it is looked up before the tenant.
    name          text NOT NULL CONSTRAINT app_user_name_lower CHECK (name = lower(name)),
    display_name  text NOT NULL,
    password_hash text NOT NULL,
    roles         text[] NOT NULL,
    party_id      uuid,
    disabled      boolean NOT NULL DEFAULT false,
    -- Sign-ins that failed since the last one that did not, and the last one's time.
    failures      smallint NOT NULL DEFAULT 0,
    failed_at     timestamptz,
    created_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
    updated_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
    updated_by    text NOT NULL,
    PRIMARY KEY (tenant_id, id),
    CONSTRAINT app_user_name UNIQUE (name)
);
SELECT bss_protect('app_user'), bss_protect_identity('app_user');

-- A client without a tenant serves all of them (the console); a service account has one.
CREATE TABLE issuer_client (
    client_id                 text PRIMARY KEY,
    id                        uuid NOT NULL,
    tenant_id                 uuid REFERENCES tenant,
    name                      text NOT NULL,
    -- SHA-256 of a generated secret of 256 bits; none: a public client, with PKCE alone.
    secret_digest             bytea,
    -- Those of its service account; empty: it has none.
    roles                     text[] NOT NULL,
    redirect_uris             text[] NOT NULL,
    post_logout_redirect_uris text[] NOT NULL,
    disabled                  boolean NOT NULL DEFAULT false,
    created_at                timestamptz NOT NULL DEFAULT clock_timestamp(),
    updated_at                timestamptz NOT NULL DEFAULT clock_timestamp(),
    updated_by                text NOT NULL,
    CONSTRAINT issuer_client_service CHECK (roles = '{}' OR (secret_digest IS NOT NULL AND tenant_id IS NOT NULL))
);
SELECT bss_protect('issuer_client'), bss_protect_identity('issuer_client');

-- Keys belong to the issuer, not to a tenant. The private key is sealed with a secret that isn't in the database.
CREATE TABLE signing_key (
    kid        text PRIMARY KEY,
    sealed     bytea NOT NULL,
    signs_from timestamptz NOT NULL,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
SELECT bss_protect_identity('signing_key');

-- Secrets of sessions, codes and refresh tokens are stored as SHA-256: a leaked table signs nobody in.
CREATE TABLE user_session (
    tenant_id     uuid NOT NULL,
    id            uuid NOT NULL,
    user_id       uuid NOT NULL,
    secret_digest bytea NOT NULL CONSTRAINT user_session_secret UNIQUE,
    auth_at       timestamptz NOT NULL,
    used_at       timestamptz NOT NULL,
    ends_at       timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, user_id) REFERENCES app_user (tenant_id, id) ON DELETE CASCADE
);
CREATE INDEX user_session_user ON user_session (tenant_id, user_id);
CREATE INDEX user_session_end ON user_session (ends_at);
SELECT bss_protect('user_session'), bss_protect_identity('user_session');

CREATE TABLE authorization_code (
    digest       bytea PRIMARY KEY,
    tenant_id    uuid NOT NULL,
    session_id   uuid NOT NULL,
    client_id    text NOT NULL REFERENCES issuer_client ON DELETE CASCADE,
    redirect_uri text NOT NULL,
    scope        text NOT NULL,
    nonce        text,
    challenge    text NOT NULL,
    expires_at   timestamptz NOT NULL,
    -- What was given for it: a code that comes twice ends that (RFC 6749 §4.1.2).
    family       uuid,
    FOREIGN KEY (tenant_id, session_id) REFERENCES user_session (tenant_id, id) ON DELETE CASCADE
);
CREATE INDEX authorization_code_session ON authorization_code (tenant_id, session_id);
SELECT bss_protect('authorization_code'), bss_protect_identity('authorization_code');

-- All refresh tokens that one sign-in of one client led to. Its row is locked by whoever rotates or revokes.
CREATE TABLE token_family (
    tenant_id  uuid NOT NULL,
    id         uuid NOT NULL,
    session_id uuid NOT NULL,
    client_id  text NOT NULL REFERENCES issuer_client ON DELETE CASCADE,
    scope      text NOT NULL,
    revoked_at timestamptz,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, session_id) REFERENCES user_session (tenant_id, id) ON DELETE CASCADE
);
CREATE INDEX token_family_session ON token_family (tenant_id, session_id);
SELECT bss_protect('token_family'), bss_protect_identity('token_family');

CREATE TABLE refresh_token (
    digest     bytea PRIMARY KEY,
    tenant_id  uuid NOT NULL,
    family     uuid NOT NULL,
    expires_at timestamptz NOT NULL,
    used_at    timestamptz,
    FOREIGN KEY (tenant_id, family) REFERENCES token_family (tenant_id, id) ON DELETE CASCADE
);
CREATE INDEX refresh_token_family ON refresh_token (tenant_id, family);
SELECT bss_protect('refresh_token'), bss_protect_identity('refresh_token');
