//! This process: memory, processor time, open files; read from `/proc` at every scrape.

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::{Registry, Unit};

/// Clock ticks per second in `/proc`: Linux shows 100 to programs on every architecture that we build for.
const TICKS_PER_SECOND: f64 = 100.0;
const PAGE_BYTES: u64 = 4096;

#[derive(Debug)]
struct Process;

pub(super) fn register(registry: &mut Registry) {
    registry.register_collector(Box::new(Process));
}

impl Collector for Process {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), std::fmt::Error> {
        // What can't be read is left out: a wrong zero would be worse.
        if let Some(bytes) = resident_bytes() {
            let gauge = ConstGauge::new(i64::try_from(bytes).unwrap_or(i64::MAX));
            let line = encoder.encode_descriptor(
                "process_resident_memory",
                "Memory that this process holds",
                Some(&Unit::Bytes),
                gauge.metric_type(),
            )?;
            gauge.encode(line)?;
        }
        if let Some(seconds) = cpu_seconds() {
            let counter = ConstCounter::new(seconds);
            let line = encoder.encode_descriptor(
                "process_cpu",
                "Processor time that this process has used",
                Some(&Unit::Seconds),
                counter.metric_type(),
            )?;
            counter.encode(line)?;
        }
        if let Ok(entries) = std::fs::read_dir("/proc/self/fd") {
            let gauge = ConstGauge::new(entries.count() as i64);
            let line =
                encoder.encode_descriptor("process_open_fds", "Open files", None, gauge.metric_type())?;
            gauge.encode(line)?;
        }
        Ok(())
    }
}

fn resident_bytes() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/self/statm").ok()?;
    let pages: u64 = text.split_whitespace().nth(1)?.parse().ok()?;
    Some(pages * PAGE_BYTES)
}

fn cpu_seconds() -> Option<f64> {
    let text = std::fs::read_to_string("/proc/self/stat").ok()?;
    let (_, rest) = text.rsplit_once(')')?;
    let fields: Vec<&str> = rest.split_whitespace().collect();
    let ticks = |index: usize| fields.get(index)?.parse::<f64>().ok();
    Some((ticks(11)? + ticks(12)?) / TICKS_PER_SECOND)
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_process_is_measured() {
        let text = crate::Metrics::default().encode().unwrap();
        let value = |name: &str| {
            let line = text
                .lines()
                .find(|line| line.starts_with(name))
                .unwrap_or_else(|| panic!("{name}\n{text}"));
            line.rsplit(' ').next().unwrap().parse::<f64>().unwrap()
        };
        assert!(value("bss_process_resident_memory_bytes ") > 1_000_000.0);
        assert!(value("bss_process_open_fds ") >= 3.0);
        assert!(value("bss_process_cpu_seconds_total ") >= 0.0);
    }
}
