//! Rates: per address before anything costly is done, per consumer once it is known who calls.

use std::hash::Hash;
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use governor::clock::{Clock, DefaultClock};
use governor::middleware::{StateInformationMiddleware, StateSnapshot};
use governor::state::keyed::DashMapStateStore;
use governor::{Quota, RateLimiter};
use http::StatusCode;
use http::header::{HeaderName, HeaderValue};

use crate::address::{Origin, limit_key};
use crate::layer::{Layer, Next, Request, Response};
use crate::refusal::Refusal;
use crate::token::Consumer;

const LIMIT: HeaderName = HeaderName::from_static("ratelimit-limit");
const REMAINING: HeaderName = HeaderName::from_static("ratelimit-remaining");
const RESET: HeaderName = HeaderName::from_static("ratelimit-reset");
const POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");

/// A steady rate with a burst on top of idle time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    pub per_second: NonZeroU32,
    pub burst: NonZeroU32,
}

/// An exact limit for each key. Keys whose bucket is full again are forgotten, since a new one would be the same.
pub struct Buckets<K: Hash + Eq + Clone> {
    limiter: RateLimiter<K, DashMapStateStore<K>, DefaultClock, StateInformationMiddleware>,
    clock: DefaultClock,
    keys_max: usize,
    until_prune: AtomicU32,
}

/// How many new checks go by before idle keys are looked for, without waiting for the timer.
const CHECKS_BETWEEN_PRUNES: u32 = 8192;

impl<K: Hash + Eq + Clone> Buckets<K> {
    pub fn new(rate: Rate, keys_max: usize) -> Self {
        let quota = Quota::per_second(rate.per_second).allow_burst(rate.burst);
        Self {
            limiter: RateLimiter::dashmap(quota).with_middleware(),
            clock: DefaultClock::default(),
            keys_max,
            until_prune: AtomicU32::new(CHECKS_BETWEEN_PRUNES),
        }
    }

    /// What is left, or how long to wait.
    pub fn take(&self, key: &K) -> Result<StateSnapshot, Duration> {
        if self.until_prune.fetch_sub(1, Ordering::Relaxed) == 0 {
            self.until_prune.store(CHECKS_BETWEEN_PRUNES, Ordering::Relaxed);
            if self.limiter.len() > self.keys_max {
                self.prune();
            }
        }
        self.limiter
            .check_key(key)
            .map_err(|until| until.wait_time_from(self.clock.now()))
    }

    /// Forgets idle keys. Called by the gateway's timer, and earlier when there are more keys than allowed.
    pub fn prune(&self) {
        self.limiter.retain_recent();
        self.limiter.shrink_to_fit();
    }

    #[cfg(test)]
    fn len(&self) -> usize {
        self.limiter.len()
    }
}

/// Whole seconds, rounded up, so that a client that waits that long is let in.
fn whole_seconds(wait: Duration) -> u64 {
    wait.as_secs() + u64::from(wait.subsec_nanos() > 0)
}

fn too_many(code: &'static str, message: &'static str, wait: Duration) -> Refusal {
    Refusal::new(StatusCode::TOO_MANY_REQUESTS, code, message).retry_after_s(whole_seconds(wait))
}

/// Bounds what one address may cost before a token has been looked at: guessing of tokens and of passwords.
pub struct AddressLimit(pub Arc<Buckets<IpAddr>>);

impl Layer for AddressLimit {
    async fn handle<N: Next>(&self, request: Request, next: &N) -> Response {
        let address = request
            .extensions()
            .get::<Origin>()
            .map(|origin| limit_key(origin.address));
        if let Some(Err(wait)) = address.map(|address| self.0.take(&address)) {
            let message = "Too many requests from this address. Wait as long as `Retry-After` says.";
            return too_many("addressRateLimit", message, wait).into_response();
        }
        next.run(request).await
    }
}

/// Bounds what one consumer (tenant and subject) may ask for, and tells it where it stands.
pub struct ConsumerLimit {
    buckets: Arc<Buckets<Arc<str>>>,
    limit: HeaderValue,
    policy: HeaderValue,
    per_second: u32,
}

impl ConsumerLimit {
    pub fn new(buckets: Arc<Buckets<Arc<str>>>, rate: Rate) -> Self {
        let window_s = rate.burst.get().div_ceil(rate.per_second.get());
        // Digits and `;w=` are always a header value.
        let policy = HeaderValue::from_str(&format!("{};w={window_s}", rate.burst));
        Self {
            buckets,
            limit: HeaderValue::from(rate.burst.get()),
            policy: policy.unwrap_or(HeaderValue::from_static("")),
            per_second: rate.per_second.get(),
        }
    }

    /// draft-ietf-httpapi-ratelimit-headers-07: what is left of the limit, and seconds until it is whole again.
    fn tell(&self, response: &mut Response, remaining: u32, reset_s: u64) {
        let headers = response.headers_mut();
        headers.insert(LIMIT, self.limit.clone());
        headers.insert(POLICY, self.policy.clone());
        headers.insert(REMAINING, HeaderValue::from(remaining));
        headers.insert(RESET, HeaderValue::from(reset_s));
    }
}

impl Layer for ConsumerLimit {
    async fn handle<N: Next>(&self, request: Request, next: &N) -> Response {
        let Some(Consumer(key)) = request.extensions().get::<Consumer>() else {
            return next.run(request).await;
        };
        match self.buckets.take(key) {
            Ok(state) => {
                let remaining = state.remaining_burst_capacity();
                let used = state.quota().burst_size().get().saturating_sub(remaining);
                let mut response = next.run(request).await;
                self.tell(
                    &mut response,
                    remaining,
                    u64::from(used.div_ceil(self.per_second)),
                );
                response
            }
            Err(wait) => {
                let message = "This consumer's rate is used up. Wait as long as `Retry-After` says.";
                let mut response = too_many("consumerRateLimit", message, wait).into_response();
                self.tell(&mut response, 0, whole_seconds(wait).max(1));
                response
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rate(per_second: u32, burst: u32) -> Rate {
        Rate {
            per_second: per_second.try_into().unwrap(),
            burst: burst.try_into().unwrap(),
        }
    }

    #[test]
    fn keys_are_counted_apart_and_exactly() {
        let buckets = Buckets::new(rate(1, 3), 10);
        for _ in 0..3 {
            assert!(buckets.take(&"a").is_ok());
        }
        let wait = buckets.take(&"a").unwrap_err();
        assert!(
            wait > Duration::ZERO && wait <= Duration::from_secs(1),
            "{wait:?}"
        );
        assert!(buckets.take(&"b").is_ok());
    }

    #[test]
    fn idle_keys_are_forgotten_and_busy_ones_kept() {
        // At a billion a second the bucket of `fast` is full again at once, at one a second not for a while.
        let fast = Buckets::new(rate(1_000_000_000, 10), 10);
        let slow = Buckets::new(rate(1, 10), 10);
        for key in 0..100 {
            assert!(fast.take(&key).is_ok() && slow.take(&key).is_ok());
        }
        assert_eq!((fast.len(), slow.len()), (100, 100));
        std::thread::sleep(Duration::from_millis(1)); // real time passes for the bucket: nothing to wait on
        fast.prune();
        slow.prune();
        assert_eq!((fast.len(), slow.len()), (0, 100));
    }

    #[test]
    fn many_keys_are_pruned_without_the_timer() {
        let buckets = Buckets::new(rate(1_000_000_000, 1), 100);
        for key in 0..CHECKS_BETWEEN_PRUNES * 4 {
            let _ = buckets.take(&key);
        }
        assert!(
            buckets.len() <= CHECKS_BETWEEN_PRUNES as usize + 100,
            "{} keys",
            buckets.len()
        );
    }
}
