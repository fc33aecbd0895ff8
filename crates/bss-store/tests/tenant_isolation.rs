//! Every table is protected, or stands on a list of those that hold nothing of a tenant.

use bss_platform::testing::test_server;
use bss_store::{ClockMode, migrate};
use tokio_postgres::{Client, NoTls};

/// Tables without a tenant, and why they need none.
const WITHOUT_TENANT: &[&str] = &[
    // Positions, leases and workers of consumer groups: numbers of partitions.
    "group_lease",
    "group_position",
    "group_worker",
    // The clock's mode and offset.
    "business_clock",
    // Heads of the log.
    "log_partition",
    "schema_migration",
    // The issuer's sealed keys: one issuer for all tenants.
    "signing_key",
];

/// References that can't name the tenant: a client of the issuer is found by its id before a tenant is known.
const ACROSS_TENANTS: &[&str] = &[
    "authorization_code.authorization_code_client_id_fkey",
    "token_family.token_family_client_id_fkey",
];

async fn migrated() -> Client {
    let url = test_server().await.database().await;
    migrate(&url, ClockMode::Simulated).await.unwrap();
    let (client, connection) = tokio_postgres::connect(&url, NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}

async fn names(client: &Client, sql: &str) -> Vec<String> {
    let rows = client.query(sql, &[]).await.unwrap();
    rows.iter().map(|row| row.get(0)).collect()
}

const UNPROTECTED: &str = "
    SELECT c.relname::text FROM pg_class c
    WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p')
      AND EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname = 'tenant_id')
      AND NOT (c.relrowsecurity AND c.relforcerowsecurity
               AND EXISTS (SELECT FROM pg_policy p WHERE p.polrelid = c.oid AND p.polcmd = '*'))
    ORDER BY 1";
const WITHOUT: &str = "
    SELECT c.relname::text FROM pg_class c
    WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p')
      AND NOT EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname = 'tenant_id')
    ORDER BY 1";
const REFERENCES_ACROSS: &str = "
    SELECT k.conrelid::regclass || '.' || k.conname FROM pg_constraint k
    JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attname = 'tenant_id'
    JOIN pg_attribute b ON b.attrelid = k.confrelid AND b.attname = 'tenant_id'
    WHERE k.contype = 'f' AND NOT a.attnum = ANY (k.conkey)
    ORDER BY 1";

#[tokio::test(flavor = "multi_thread")]
async fn every_table_with_a_tenant_forces_its_policy() {
    let client = migrated().await;
    client
        .batch_execute("CREATE TABLE forgotten (tenant_id uuid)")
        .await
        .unwrap();
    // The one that holds the tenants' own names is read before a tenant is known.
    assert_eq!(names(&client, UNPROTECTED).await, ["forgotten", "tenant"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_table_without_a_tenant_is_known() {
    let client = migrated().await;
    let mut known: Vec<&str> = WITHOUT_TENANT.to_vec();
    known.sort_unstable();
    assert_eq!(names(&client, WITHOUT).await, known);
}

#[tokio::test(flavor = "multi_thread")]
async fn references_between_tables_of_tenants_include_the_tenant() {
    let client = migrated().await;
    let table = "CREATE TABLE a (tenant_id uuid, id uuid UNIQUE, PRIMARY KEY (tenant_id, id));
                 CREATE TABLE b (tenant_id uuid, a uuid CONSTRAINT naive REFERENCES a (id))";
    client.batch_execute(table).await.unwrap();
    let mut found = names(&client, REFERENCES_ACROSS).await;
    found.retain(|reference| !ACROSS_TENANTS.contains(&reference.as_str()));
    assert_eq!(found, ["b.naive"]);
}
