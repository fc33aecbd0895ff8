//! Migrations: embedded, numbered, forward only, each applied once under one lock and remembered with its checksum.

use aws_lc_rs::digest::{SHA256, digest};
use tokio_postgres::error::SqlState;
use tokio_postgres::{Client, NoTls};

use crate::StoreError;
use crate::pool::{APP_ROLE, WORKER_ROLE, parse, role_password};

/// Whose time the business runs on; written down when a database is made and never changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClockMode {
    /// The machine's.
    Real,
    /// Moved forward by hand, for demonstrations and tests.
    Simulated,
}

impl ClockMode {
    /// Its word in the database.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Real => "real",
            Self::Simulated => "simulated",
        }
    }
}

/// What a call of [`migrate`] found and did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Migrated {
    /// Versions that were applied now.
    pub applied: Vec<i32>,
    /// Whether the database was empty before.
    pub created: bool,
}

/// One migration.
struct Migration {
    version: i32,
    name: &'static str,
    sql: &'static str,
}

macro_rules! migrations {
    ($($version:literal $name:literal;)+) => {
        &[$(Migration { version: $version, name: $name, sql: include_str!(concat!("../migrations/", $name, ".sql")) }),+]
    };
}

const MIGRATIONS: &[Migration] = migrations! {
    1 "0001_base";
    2 "0002_catalog_party";
    3 "0003_orders";
    4 "0004_identity";
    5 "0005_usage";
    6 "0006_billing";
    7 "0007_analytics";
    8 "0008_groups";
    9 "0009_refund";
    14 "0014_money";
    15 "0015_reversals";
    16 "0016_bill_run";
    20 "0020_cancel_product_order";
    21 "0021_event_subscription";
    22 "0022_ledger_entry_posted";
    23 "0023_log_batch";
    31 "0031_bill_on_hold";
    32 "0032_bill_on_hold_index";
};

/// A statement that can't run in a transaction (`CREATE INDEX CONCURRENTLY`) stands alone below this header.
const NO_TRANSACTION: &str = "-- no-transaction";

/// The lock's key: "BSS1" as a number.
const LOCK: i64 = 0x4253_5331;

/// The oldest server that the schema runs on.
const SERVER_VERSION_MIN: i32 = 150_000;

/// Brings the database to this binary's schema, as its owner. The clock's mode counts only for a new database.
pub async fn migrate(owner_url: &str, mode: ClockMode) -> Result<Migrated, StoreError> {
    let config = parse(owner_url)?;
    let (mut client, connection) = config.connect(NoTls).await?;
    let driver = tokio::spawn(connection);
    let result = migrate_locked(&mut client, &config, mode).await;
    drop(client);
    let _ = driver.await;
    result
}

/// Takes the lock, asking for it again and again: a statement that waited for it would hold a snapshot, for which an
/// index that is built concurrently waits in its turn.
async fn lock(client: &Client) -> Result<(), StoreError> {
    while !client
        .query_one("SELECT pg_try_advisory_lock($1)", &[&LOCK])
        .await?
        .get::<_, bool>(0)
    {
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    Ok(())
}

async fn migrate_locked(
    client: &mut Client,
    config: &tokio_postgres::Config,
    mode: ClockMode,
) -> Result<Migrated, StoreError> {
    check_server(client).await?;
    // Held by the session: it ends with this connection, however that ends.
    lock(client).await?;
    ensure_roles(client, config).await?;
    client
        .batch_execute(
            "CREATE TABLE IF NOT EXISTS schema_migration (version integer PRIMARY KEY, name text NOT NULL, \
             checksum bytea NOT NULL, applied_at timestamptz NOT NULL DEFAULT now());
             GRANT SELECT ON schema_migration TO bss_app, bss_worker",
        )
        .await?;
    let known = known_versions(client).await?;
    let mut applied = Vec::new();
    for migration in MIGRATIONS
        .iter()
        .filter(|migration| !known.contains(&migration.version))
    {
        apply(client, migration).await?;
        applied.push(migration.version);
    }
    let created = known.is_empty();
    if created {
        client
            .execute(
                "INSERT INTO business_clock (mode) VALUES ($1) ON CONFLICT DO NOTHING",
                &[&mode.name()],
            )
            .await?;
    }
    Ok(Migrated { applied, created })
}

async fn check_server(client: &Client) -> Result<(), StoreError> {
    let row = client
        .query_one("SELECT current_setting('server_version_num')::int", &[])
        .await?;
    let version: i32 = row.get(0);
    if version < SERVER_VERSION_MIN {
        return Err(StoreError::Configuration(format!(
            "the database server is PostgreSQL {}, and 15 is the oldest that works: upgrade it",
            version / 10_000
        )));
    }
    Ok(())
}

/// The versions applied already; a newer schema than ours, or a changed text, is refused.
async fn known_versions(client: &Client) -> Result<Vec<i32>, StoreError> {
    let rows = client
        .query(
            "SELECT version, checksum FROM schema_migration ORDER BY version",
            &[],
        )
        .await?;
    let mut known = Vec::new();
    for row in rows {
        let (version, stored): (i32, Vec<u8>) = (row.get(0), row.get(1));
        let Some(ours) = MIGRATIONS.iter().find(|migration| migration.version == version) else {
            return Err(StoreError::Schema(format!(
                "the database has schema version {version}, which this binary doesn't know: use a newer bss"
            )));
        };
        if checksum(ours) != stored {
            return Err(StoreError::Schema(format!(
                "migration {} was changed after it had been applied to this database",
                ours.name
            )));
        }
        known.push(version);
    }
    Ok(known)
}

async fn apply(client: &mut Client, migration: &Migration) -> Result<(), StoreError> {
    tracing::info!(migration = migration.name, "applying");
    let remember = "INSERT INTO schema_migration (version, name, checksum) VALUES ($1, $2, $3)";
    let sum = checksum(migration);
    if migration.sql.starts_with(NO_TRANSACTION) {
        client.batch_execute(migration.sql).await?;
        client
            .execute(remember, &[&migration.version, &migration.name, &sum])
            .await?;
        return Ok(());
    }
    let transaction = client.transaction().await?;
    transaction.batch_execute(migration.sql).await?;
    transaction
        .execute(remember, &[&migration.version, &migration.name, &sum])
        .await?;
    transaction.commit().await?;
    Ok(())
}

fn checksum(migration: &Migration) -> Vec<u8> {
    digest(&SHA256, migration.sql.as_bytes()).as_ref().to_vec()
}

/// Makes the two roles and gives them their derived passwords, where they don't work already: roles belong to the
/// whole server, so other databases of the same owner may have made them.
async fn ensure_roles(client: &Client, config: &tokio_postgres::Config) -> Result<(), StoreError> {
    let database: String = client
        .query_one("SELECT current_database()::text", &[])
        .await?
        .get(0);
    for role in [APP_ROLE, WORKER_ROLE] {
        let password = role_password(config, role);
        let mut as_role = config.clone();
        as_role.user(role).password(&password);
        if let Ok((_, connection)) = as_role.connect(NoTls).await {
            drop(connection);
            continue;
        }
        ensure_role(client, role, &password).await?;
        let grant = format!(
            "GRANT CONNECT ON DATABASE \"{}\" TO {role}",
            database.replace('"', "\"\"")
        );
        client.batch_execute(&grant).await?;
    }
    client
        .batch_execute("GRANT USAGE ON SCHEMA public TO bss_app, bss_worker")
        .await
        .map_err(StoreError::from)
}

async fn ensure_role(client: &Client, role: &str, password: &str) -> Result<(), StoreError> {
    // The password is of the URL-safe alphabet: nothing in it needs quoting.
    let create = format!("CREATE ROLE {role} LOGIN NOBYPASSRLS PASSWORD '{password}'");
    let alter = format!("ALTER ROLE {role} LOGIN PASSWORD '{password}'");
    // Another database's migration may do the same at the same moment; each attempt sees a newer state.
    for attempt in 0.. {
        let exists = client
            .query_opt("SELECT FROM pg_roles WHERE rolname = $1", &[&role])
            .await?
            .is_some();
        let outcome = client.batch_execute(if exists { &alter } else { &create }).await;
        match outcome {
            Ok(()) => return Ok(()),
            Err(error) if attempt < 20 && raced(&error) => {}
            Err(error) if error.code() == Some(&SqlState::INSUFFICIENT_PRIVILEGE) => {
                return Err(StoreError::Configuration(format!(
                    "the database's owner can't make the role {role}. Grant it: ALTER ROLE <owner> CREATEROLE, or \
                     make the roles bss_app and bss_worker beforehand and grant them to the owner WITH ADMIN OPTION"
                )));
            }
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

/// "tuple concurrently updated" (XX000), or the other one's `CREATE ROLE` was first.
fn raced(error: &tokio_postgres::Error) -> bool {
    error.code().is_some_and(|code| {
        [
            SqlState::INTERNAL_ERROR,
            SqlState::DUPLICATE_OBJECT,
            SqlState::UNIQUE_VIOLATION,
        ]
        .contains(code)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_grow_and_match_their_files() {
        for pair in MIGRATIONS.windows(2) {
            assert!(pair[0].version < pair[1].version);
        }
        for migration in MIGRATIONS {
            assert!(
                migration.name.starts_with(&format!("{:04}_", migration.version)),
                "{}",
                migration.name
            );
        }
    }
}
