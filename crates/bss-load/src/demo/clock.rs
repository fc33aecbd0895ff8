//! The business clock, moved by operations.

use bss_domain::Instant;
use serde_json::{Value, json};

use super::{Demo, DemoError};

const CLOCK: &str = "/bss-api/v1/clock";

/// Business time now; an error where the clock isn't simulated.
pub async fn now(demo: &Demo<'_>) -> Result<Instant, DemoError> {
    let clock = demo.client.get(CLOCK).await?;
    if clock["mode"] != "simulated" {
        return Err(DemoError::RealClock);
    }
    instant(&clock)
}

/// Lets business time pass up to an instant; where it has passed, nothing is done.
pub async fn advance(demo: &Demo<'_>, to: Instant) -> Result<(), DemoError> {
    if now(demo).await? < to {
        demo.client
            .post(CLOCK, &json!({"now": to.to_string()}), None)
            .await?;
    }
    Ok(())
}

fn instant(clock: &Value) -> Result<Instant, DemoError> {
    let text = clock["now"].as_str().unwrap_or_default();
    text.parse()
        .map_err(|error| DemoError::stuck(format!("the business clock: {error}")))
}

/// The months since the year 0.
pub fn month(at: &Instant) -> i64 {
    let day = bss_domain::Zone::utc().day_of(*at);
    i64::from(day.year()) * 12 + i64::from(day.month())
}
