//! `bss bill`: bill runs, previews, explanations and proofs. Runs beside the stack, on its database: the same use
//! cases that the API calls.

use bss_app::bill_run::{self, BillRunOptions, BillRunReport};
use bss_app::explain::explain;
use bss_domain::customer_bill::CustomerBill;
use bss_domain::money::{Currency, Money};
use tokio_util::sync::CancellationToken;

use super::direct;
use crate::cli::{BillCommand, BillRunFlags};
use crate::config::Config;
use crate::failure::Failure;
use crate::output;

/// Runs, previews, explains, verifies.
pub async fn run(config: &Config, command: BillCommand) -> Result<(), Failure> {
    match command {
        BillCommand::Run(flags) => run_bills(config, &flags).await,
        BillCommand::Preview {
            account,
            tenant,
            json,
        } => {
            let (app, context) = direct::app(config, &tenant).await?;
            let account = parse(&account, "a billing account's id")?;
            let found = bill_run::preview(&app, &context, account, &BillRunOptions::default()).await?;
            show(&found.bill, json.json)
        }
        BillCommand::Explain { bill, tenant } => {
            let (app, context) = direct::app(config, &tenant).await?;
            output::json(&explain(&app, &context, parse(&bill, "a bill's id")?).await?)
        }
        BillCommand::Release { bill, tenant } => {
            let (app, context) = direct::app(config, &tenant).await?;
            let bill = parse(&bill, "a bill's id")?;
            let bill = bill_run::release(&app, &context, bill, &BillRunOptions::default()).await?;
            output::line(&format!("{} {}", bill.id, bill.first_state().name()));
            Ok(())
        }
        BillCommand::Anew { bill, tenant } => {
            let (app, context) = direct::app(config, &tenant).await?;
            let id = parse(&bill, "a bill's id")?;
            let state = bill_run::compute_anew(&app, &context, id, &BillRunOptions::default()).await?;
            output::line(&format!(
                "{id} {}",
                state.map_or("nothing to bill", |state| state.name())
            ));
            Ok(())
        }
        BillCommand::Verify { bill, tenant, json } => {
            verify(config, bill.as_deref(), &tenant, json.json).await
        }
    }
}

fn parse<T: std::str::FromStr>(text: &str, what: &str) -> Result<T, Failure> {
    text.parse()
        .map_err(|_| Failure::Usage(vec![format!("`{text}` is not {what}")]))
}

async fn run_bills(config: &Config, flags: &BillRunFlags) -> Result<(), Failure> {
    let (app, context) = direct::app(config, &flags.tenant).await?;
    let stop = CancellationToken::new();
    let interrupted = stop.clone();
    tokio::spawn(async move {
        if tokio::signal::ctrl_c().await.is_ok() {
            eprintln!("stopping after the accounts under way; the next run goes on from there");
            interrupted.cancel();
        }
    });
    let report = bill_run::run(&app, &context, &BillRunOptions::default(), &stop).await?;
    if flags.json {
        output::json(&report)?;
    } else {
        output::line(&told(&report));
    }
    for failed in &report.failed {
        eprintln!(
            "account {} wasn't billed: {}",
            failed.billing_account, failed.reason
        );
    }
    if report.stopped || report.waiting > 0 || !report.failed.is_empty() {
        Err(Failure::Silent)
    } else {
        Ok(())
    }
}

fn told(report: &BillRunReport) -> String {
    let totals: Vec<String> = report
        .total_minor
        .iter()
        .map(|(currency, minor)| money(*minor, currency))
        .collect();
    let totals = if totals.is_empty() {
        String::new()
    } else {
        format!(", {}", totals.join(", "))
    };
    let waiting = match report.waiting {
        0 => String::new(),
        count => format!("; {count} accounts wait for charging: run it again"),
    };
    let taken_up = if report.resumed {
        " (took up a run that had been stopped)"
    } else {
        ""
    };
    let on_hold = match report.on_hold {
        0 => String::new(),
        count => format!("; {count} of them on hold"),
    };
    format!(
        "{} periods closed, {} bills{totals}{on_hold}{waiting}{taken_up}",
        report.closed, report.bills
    )
}

fn show(bill: &CustomerBill, as_json: bool) -> Result<(), Failure> {
    if as_json {
        return output::json(bill);
    }
    let code = bill.currency.to_string();
    let heading = ["LINE", "WHAT", "NET"].map(str::to_owned).to_vec();
    let lines = bill.lines.iter().map(|line| {
        vec![
            line.number.to_string(),
            line.description.clone(),
            money(line.net_minor, &code),
        ]
    });
    let sums = [
        ("net", bill.net_minor),
        ("tax", bill.tax_minor),
        ("total", bill.total_minor),
        ("due", bill.due_minor),
    ]
    .map(|(name, minor)| vec![String::new(), name.to_owned(), money(minor, &code)]);
    output::table(
        &std::iter::once(heading)
            .chain(lines)
            .chain(sums)
            .collect::<Vec<_>>(),
    );
    Ok(())
}

async fn verify(config: &Config, bill: Option<&str>, tenant: &str, as_json: bool) -> Result<(), Failure> {
    let (app, context) = direct::app(config, tenant).await?;
    let report = match bill {
        Some(bill) => bill_run::verify(&app, &context, parse(bill, "a bill's id")?).await?,
        None => bill_run::verify_all(&app, &context).await?,
    };
    if as_json {
        output::json(&report)?;
    } else {
        output::line(&format!(
            "{} bills computed again, {} differ",
            report.bills,
            report.differences.len()
        ));
        for difference in &report.differences {
            output::line(&format!(
                "{} {}: {}",
                difference.number, difference.id, difference.reason
            ));
        }
    }
    if report.differences.is_empty() {
        Ok(())
    } else {
        Err(Failure::Silent)
    }
}

/// An amount in minor units as people write it; a currency that isn't known is shown as it is.
pub fn money(minor: i64, currency: &str) -> String {
    Currency::of(currency).map_or_else(
        |_| format!("{minor} minor {currency}"),
        |known| Money::new(minor, known).to_string(),
    )
}
