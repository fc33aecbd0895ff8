use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use bss_domain::Instant;
use bss_store::clock::{StoredClock, advance, load};
use bss_store::{ClockMode, Store, StoreError};
use tokio_util::sync::CancellationToken;

/// How often a process looks whether another one has moved the clock.
const REFRESH: Duration = Duration::from_millis(500);

/// Business time: real time plus the database's offset, which only grows.
#[derive(Debug, Clone)]
pub struct Clock {
    mode: ClockMode,
    offset_us: Arc<AtomicI64>,
}

/// Why the clock wasn't moved.
#[derive(Debug, thiserror::Error)]
pub enum ClockError {
    /// The database was made for real time.
    #[error("this database runs on real time: only one that was created with a simulated clock can be moved")]
    Real,
    /// It never goes back.
    #[error("the business clock stands at {now} and never goes back to {wanted}")]
    Backwards {
        /// Where it stands.
        now: Instant,
        /// Where it was to go.
        wanted: Instant,
    },
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Clock {
    /// The clock of this database.
    pub async fn of(store: &Store) -> Result<Self, StoreError> {
        let StoredClock { mode, offset_us } = load(store).await?;
        Ok(Self {
            mode,
            offset_us: Arc::new(AtomicI64::new(offset_us)),
        })
    }

    /// Its mode.
    pub fn mode(&self) -> ClockMode {
        self.mode
    }

    /// Business time now, in whole microseconds as the database keeps it.
    pub fn now(&self) -> Instant {
        let us = real_now_us().saturating_add(self.offset_us.load(Ordering::Relaxed));
        Instant::from_microsecond(us).unwrap_or(Instant::MAX)
    }

    /// How far business time is ahead of real time.
    pub fn offset(&self) -> Duration {
        Duration::from_micros(u64::try_from(self.offset_us.load(Ordering::Relaxed)).unwrap_or(0))
    }

    /// Moves a simulated clock forward to an instant.
    pub async fn advance_to(&self, store: &Store, wanted: Instant) -> Result<Instant, ClockError> {
        if self.mode == ClockMode::Real {
            return Err(ClockError::Real);
        }
        let now = self.now();
        if wanted < now {
            return Err(ClockError::Backwards { now, wanted });
        }
        let moved = advance(store, wanted.as_microsecond().saturating_sub(real_now_us())).await?;
        self.raise(moved.offset_us);
        Ok(self.now())
    }

    /// Follows the database's offset until cancelled, so that every process of a deployment agrees on the time.
    pub async fn follow(&self, store: &Store, stop: CancellationToken) {
        if self.mode == ClockMode::Real {
            return;
        }
        let mut ticks = tokio::time::interval(REFRESH);
        while stop.run_until_cancelled(ticks.tick()).await.is_some() {
            match load(store).await {
                Ok(stored) => self.raise(stored.offset_us),
                Err(error) => tracing::warn!(%error, "the business clock can't be read"),
            }
        }
    }

    fn raise(&self, offset_us: i64) {
        self.offset_us.fetch_max(offset_us, Ordering::Relaxed);
    }
}

fn real_now_us() -> i64 {
    Instant::now().as_microsecond()
}
