//! `bss load`: load for the product, such as usage files as switches write them.

use std::fs::File;
use std::io::BufWriter;

use bss_domain::Instant;
use bss_domain::time::{Interval, Zone};
use bss_domain::usage::SourceFormat;
use bss_load::cdr::{CdrPlan, generate};

use crate::cli::{LoadCdrOptions, LoadCommand};
use crate::failure::Failure;
use crate::output;

/// Generates a file and prints what is in it.
pub fn run(command: &LoadCommand) -> Result<(), Failure> {
    let LoadCommand::Cdr(options) = command;
    let plan = plan(options).map_err(Failure::Usage)?;
    let cannot =
        |error: std::io::Error| Failure::refused(format!("cannot write {}: {error}", options.out.display()));
    let mut out = BufWriter::new(File::create(&options.out).map_err(cannot)?);
    let manifest = generate(&plan, &mut out).map_err(cannot)?;
    output::json(&manifest)
}

/// The plan, or all mistakes in the options.
fn plan(options: &LoadCdrOptions) -> Result<CdrPlan, Vec<String>> {
    let mut mistakes = Vec::new();
    let format = options
        .format
        .parse::<SourceFormat>()
        .map_err(|error| mistakes.push(error.to_string()))
        .ok();
    let zone = Zone::named(&options.zone)
        .map_err(|error| mistakes.push(error.to_string()))
        .ok();
    let mut instant = |name: &str, text: &str| {
        let read = text.parse::<Instant>();
        read.map_err(|_| {
            mistakes.push(format!(
                "{name} `{text}`: no instant such as 2026-01-01T00:00:00Z"
            ));
        })
        .ok()
    };
    let bounds = (instant("--from", &options.from), instant("--to", &options.to));
    let period = match bounds {
        (Some(from), Some(to)) => {
            let period = Interval::new(from, to);
            if period.is_none() {
                mistakes.push(format!(
                    "--to `{}` is not after --from `{}`",
                    options.to, options.from
                ));
            }
            period
        }
        _ => None,
    };
    let numbers = numbers(options).map_err(|mistake| mistakes.push(mistake)).ok();
    match (format, zone, period, numbers) {
        (Some(format), Some(zone), Some(period), Some(numbers)) if mistakes.is_empty() => Ok(CdrPlan {
            format,
            numbers,
            home: options.home.clone(),
            records: options.records,
            seed: options.seed,
            period,
            zone,
        }),
        _ => Err(mistakes),
    }
}

/// The subscribers' numbers: those of a file, one a line, or as many as there are customers, made up.
fn numbers(options: &LoadCdrOptions) -> Result<Vec<String>, String> {
    let numbers: Vec<String> = match &options.numbers {
        Some(path) => std::fs::read_to_string(path)
            .map_err(|error| format!("cannot read {}: {error}", path.display()))?
            .lines()
            .map(|line| line.trim().to_owned())
            .filter(|line| !line.is_empty())
            .collect(),
        None => (0..options.customers)
            .map(|number| format!("{}600{number:06}", options.home))
            .collect(),
    };
    if numbers.is_empty() {
        Err("there is no number: at least one is needed".to_owned())
    } else {
        Ok(numbers)
    }
}
