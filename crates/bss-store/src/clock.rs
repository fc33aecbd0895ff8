//! The business clock's row: its mode and its offset.

use crate::{ClockMode, Store, StoreError};

/// The stored clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StoredClock {
    /// Its mode.
    pub mode: ClockMode,
    /// Microseconds that business time is ahead of real time.
    pub offset_us: i64,
}

/// Reads the clock.
pub async fn load(store: &Store) -> Result<StoredClock, StoreError> {
    let row = store
        .app_connection()
        .await?
        .query_one("SELECT mode, offset_us FROM business_clock", &[])
        .await?;
    let mode: String = row.get(0);
    let mode = if mode == "simulated" {
        ClockMode::Simulated
    } else {
        ClockMode::Real
    };
    Ok(StoredClock {
        mode,
        offset_us: row.get(1),
    })
}

/// Moves a simulated clock to an offset and tells where it stands then: it never goes back, and a real one never
/// moves.
pub async fn advance(store: &Store, offset_us: i64) -> Result<StoredClock, StoreError> {
    store
        .app_connection()
        .await?
        .execute(
            "UPDATE business_clock SET offset_us = greatest(offset_us, $1) WHERE mode = 'simulated'",
            &[&offset_us],
        )
        .await?;
    load(store).await
}
