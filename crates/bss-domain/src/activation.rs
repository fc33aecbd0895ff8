//! What to do with the network's answers: retry, ask, compensate, or hand over to people.
//!
//! Every piece of work has a stable request id, so that sending it again is the same request. An unknown outcome
//! (time-out, hang, cut connection) may have been carried out: the network is asked before anything else is done.

/// Attempts of one piece of work, asking included, before it goes to the fallout queue.
pub const ATTEMPTS_MAX: u32 = 8;

/// The first wait between attempts, milliseconds; it doubles up to [`BACKOFF_MAX_MS`].
pub const BACKOFF_MS: u64 = 200;

/// The longest wait between attempts, milliseconds.
pub const BACKOFF_MAX_MS: u64 = 30_000;

/// What the network said, or didn't.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NetworkAnswer {
    /// It is done.
    Done,
    /// It won't be done, for a reason.
    Refused(String),
    /// The request never reached the network, or it asked to come back later.
    Busy(String),
    /// The request may have reached the network: nobody knows.
    Unknown(String),
    /// Asked for the request: the network has never heard of it.
    NotKnown,
    /// Asked for the request: it is under way.
    UnderWay,
}

/// What to do next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NextStep {
    /// The work is done.
    Confirm,
    /// The network won't do it.
    Refuse(String),
    /// Send it (again), after a wait in milliseconds.
    SendAfter(u64),
    /// Ask what became of it, after a wait in milliseconds.
    AskAfter(u64),
    /// People have to look at it; its resources stay held.
    Fallout(String),
}

/// Decides on an answer to attempt number `attempt` (from 1).
pub fn next_step(answer: NetworkAnswer, attempt: u32) -> NextStep {
    let wait = backoff_ms(attempt);
    let exhausted = attempt >= ATTEMPTS_MAX;
    match answer {
        NetworkAnswer::Done => NextStep::Confirm,
        NetworkAnswer::Refused(reason) => NextStep::Refuse(reason),
        NetworkAnswer::Busy(reason) if exhausted => NextStep::Fallout(reason),
        NetworkAnswer::Unknown(reason) if exhausted => NextStep::Fallout(reason),
        NetworkAnswer::UnderWay if exhausted => NextStep::Fallout("the network is still at it".to_owned()),
        NetworkAnswer::NotKnown if exhausted => {
            NextStep::Fallout("the network never took the request".to_owned())
        }
        NetworkAnswer::Busy(_) | NetworkAnswer::NotKnown => NextStep::SendAfter(wait),
        NetworkAnswer::Unknown(_) | NetworkAnswer::UnderWay => NextStep::AskAfter(wait),
    }
}

/// The wait behind attempt number `attempt`.
fn backoff_ms(attempt: u32) -> u64 {
    BACKOFF_MS
        .saturating_mul(1 << attempt.saturating_sub(1).min(16))
        .min(BACKOFF_MAX_MS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_outcome_is_asked_and_never_sent_blindly() {
        use NetworkAnswer::{Busy, Done, NotKnown, Refused, UnderWay, Unknown};
        let text = || "x".to_owned();
        let cases = [
            (Done, 1, NextStep::Confirm),
            (Done, ATTEMPTS_MAX, NextStep::Confirm),
            (Refused(text()), 1, NextStep::Refuse(text())),
            (Busy(text()), 1, NextStep::SendAfter(200)),
            (Busy(text()), 3, NextStep::SendAfter(800)),
            (Unknown(text()), 1, NextStep::AskAfter(200)),
            (UnderWay, 2, NextStep::AskAfter(400)),
            (NotKnown, 2, NextStep::SendAfter(400)),
            (Unknown(text()), ATTEMPTS_MAX, NextStep::Fallout(text())),
            (Busy(text()), ATTEMPTS_MAX, NextStep::Fallout(text())),
        ];
        for (answer, attempt, expected) in cases {
            assert_eq!(
                next_step(answer.clone(), attempt),
                expected,
                "{answer:?} at {attempt}"
            );
        }
    }

    #[test]
    fn waits_double_up_to_a_bound() {
        assert_eq!([1, 2, 8, 60].map(backoff_ms), [200, 400, 25_600, 30_000]);
    }
}
