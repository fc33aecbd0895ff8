//! Wall time and CPU time of a piece of work: of this process with the clients that it ran, and of PostgreSQL.

use std::time::Instant;

/// Ticks of `/proc/*/stat` in a second, as Linux has them for every program.
const TICKS_PER_S: f64 = 100.0;

/// Measures from its start to its stop.
pub struct Meter {
    begun: Instant,
    postmaster: i32,
    own_s: f64,
    postgres_s: f64,
}

/// What a piece of work took, seconds.
#[derive(Debug, Clone, Copy, Default)]
pub struct Taken {
    /// Real time, seconds.
    pub wall: f64,
    /// CPU seconds of this process and of the programs that it ran and waited for.
    pub client_cpu: f64,
    /// CPU seconds of PostgreSQL: postmaster, background processes, and backends, also those that ended.
    pub postgres_cpu: f64,
}

impl Taken {
    /// CPU seconds of both sides.
    pub fn cpu_s(&self) -> f64 {
        self.client_cpu + self.postgres_cpu
    }
}

impl Meter {
    /// Begins.
    pub fn start(postmaster: i32) -> Self {
        Self {
            begun: Instant::now(),
            postmaster,
            own_s: own_cpu_s(),
            postgres_s: postgres_cpu_s(postmaster),
        }
    }

    /// Ends.
    pub fn stop(self) -> Taken {
        Taken {
            wall: self.begun.elapsed().as_secs_f64(),
            client_cpu: own_cpu_s() - self.own_s,
            postgres_cpu: postgres_cpu_s(self.postmaster) - self.postgres_s,
        }
    }
}

fn own_cpu_s() -> f64 {
    i32::try_from(std::process::id()).map_or(0.0, |pid| used_s(pid, true))
}

/// User and system seconds of the postmaster, of its ended children and of its living ones.
fn postgres_cpu_s(postmaster: i32) -> f64 {
    let children = std::fs::read_dir("/proc")
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok())
        .filter(|pid| stat(*pid).is_some_and(|fields| fields.get(1) == Some(&i64::from(postmaster))));
    used_s(postmaster, true) + children.map(|pid| used_s(pid, false)).sum::<f64>()
}

/// User and system seconds that a process has used.
pub fn cpu_s(pid: i32) -> f64 {
    used_s(pid, false)
}

fn used_s(pid: i32, with_ended_children: bool) -> f64 {
    let fields = stat(pid).unwrap_or_default();
    let used = if with_ended_children { 11..15 } else { 11..13 };
    fields.get(used).unwrap_or_default().iter().sum::<i64>() as f64 / TICKS_PER_S
}

/// The fields of `/proc/PID/stat` behind the command's name; the first, a letter, counts as 0.
fn stat(pid: i32) -> Option<Vec<i64>> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let fields = text.rsplit_once(')')?.1;
    Some(
        fields
            .split_ascii_whitespace()
            .map(|field| field.parse().unwrap_or(0))
            .collect(),
    )
}

/// A process's resident memory in MB (10⁶ bytes).
pub fn resident_mb(pid: i32) -> f64 {
    const PAGE: f64 = 4096.0;
    std::fs::read_to_string(format!("/proc/{pid}/statm"))
        .ok()
        .and_then(|text| text.split(' ').nth(1)?.parse::<f64>().ok())
        .map_or(0.0, |pages| pages * PAGE / 1e6)
}

/// The middle one of some figures; 0 of none.
pub fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures.get(figures.len() / 2).copied().unwrap_or(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cpu_time_grows_with_work_and_a_median_is_the_middle() {
        let meter = Meter::start(0);
        let mut sum = 0_u64;
        while meter.begun.elapsed().as_millis() < 300 {
            sum = std::hint::black_box(sum.wrapping_mul(31).wrapping_add(7));
        }
        let taken = meter.stop();
        assert!(taken.wall >= 0.3 && taken.client_cpu > 0.0, "{taken:?}");
        assert!(resident_mb(i32::try_from(std::process::id()).unwrap()) > 1.0);
        assert!((median(vec![3.0, 1.0, 2.0]) - 2.0).abs() < 1e-9);
    }
}
