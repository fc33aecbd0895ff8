//! One month of business: which periods end, and when usage is written, imported and billed.

use bss_domain::Instant;
use bss_domain::time::{Interval, UnknownZone};

use super::roster::Profile;

/// Ends of periods that lie this close together are billed by one run.
const TOGETHER_S: i64 = 48 * 3600;
/// A switch's file is fetched so long after its last call.
const FETCH_S: i64 = 60;
/// A period closes a day after its end; the run comes a little later.
const GRACE_S: i64 = 25 * 3600;

/// One file of usage and the bill run that follows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// When the file's calls are made.
    pub usage: Interval,
    /// Lines of the file.
    pub records: u64,
    /// When the file is imported.
    pub import_at: Instant,
    /// When bills are run.
    pub bill_at: Instant,
}

/// The steps from `now` until each customer's present period has been billed. The records are spread by time.
pub fn steps(profiles: &[Profile], now: Instant, records: u64) -> Result<Vec<Step>, UnknownZone> {
    let mut ends = Vec::new();
    for profile in profiles {
        ends.push(profile.cycle()?.period_of(now).to);
    }
    ends.sort_unstable();
    let mut cuts: Vec<(Instant, Instant)> = Vec::new();
    for end in ends {
        match cuts.last_mut() {
            Some((first, last)) if end.as_second() - first.as_second() <= TOGETHER_S => *last = end,
            _ => cuts.push((end, end)),
        }
    }
    let Some((_, until)) = cuts.last().copied() else {
        return Ok(Vec::new());
    };
    let whole_s = u128::from((until.as_second() - now.as_second()).unsigned_abs()).max(1);
    let (mut from, mut before) = (now, 0);
    Ok(cuts
        .into_iter()
        .map(|(_, to)| {
            let passed_s = u128::from((to.as_second() - now.as_second()).unsigned_abs());
            // Cumulative, so that the files' records sum to the whole.
            let upto = (u128::from(records) * passed_s / whole_s) as u64;
            let step = Step {
                usage: Interval { from, to },
                records: upto - before,
                import_at: later(to, FETCH_S),
                bill_at: later(to, GRACE_S),
            };
            (from, before) = (to, upto);
            step
        })
        .collect())
}

fn later(at: Instant, seconds: i64) -> Instant {
    Instant::from_second(at.as_second().saturating_add(seconds)).unwrap_or(Instant::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Instant {
        text.parse().unwrap()
    }

    #[test]
    fn a_month_has_a_file_and_a_run_for_each_group_of_period_ends() {
        let profiles: Vec<Profile> = (0..200).map(Profile::of).collect();
        let steps = steps(&profiles, at("2026-11-25T07:00:00Z"), 1_000).unwrap();
        // The 30th of November stands for the 31st, in Warsaw and in Tokyo; then comes the 1st; then the 15th.
        let ends: Vec<String> = steps.iter().map(|step| step.usage.to.to_string()).collect();
        assert_eq!(ends, ["2026-11-30T23:00:00Z", "2026-12-14T23:00:00Z"]);
        assert_eq!(steps.iter().map(|step| step.records).sum::<u64>(), 1_000);
        assert_eq!(steps[0].usage.to, steps[1].usage.from);
        assert_eq!(steps[1].bill_at, at("2026-12-16T00:00:00Z"));
    }

    #[test]
    fn the_next_month_begins_where_the_last_one_ended() {
        let profiles: Vec<Profile> = (0..200).map(Profile::of).collect();
        let mut now = at("2026-01-30T12:00:00Z");
        for _ in 0..14 {
            let steps = steps(&profiles, now, 77).unwrap();
            let next = steps.last().unwrap().bill_at;
            let days = (next.as_second() - now.as_second()) / 86_400;
            assert!((1..=33).contains(&days), "{now} {days}");
            assert!(steps.iter().all(|step| step.usage.from < step.usage.to));
            assert!(steps.windows(2).all(|pair| pair[0].bill_at < pair[1].import_at));
            now = next;
        }
    }
}
