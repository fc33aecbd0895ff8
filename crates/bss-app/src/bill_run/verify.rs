//! Verification: a bill computed again from its stored inputs has the same bytes.

use bss_domain::customer_bill::{BillInputs, compute};
use bss_domain::ids::CustomerBillId;
use bss_store::customer_bill::{self, StoredComputation};

use crate::{App, AppError, RequestContext};

/// Bills read at a time.
const PAGE: i64 = 500;

/// A bill that doesn't come out as it was written.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub struct BillDifference {
    /// The bill.
    pub id: CustomerBillId,
    /// Its number.
    pub number: String,
    /// What differs.
    pub reason: String,
}

/// What a verification found.
#[derive(Debug, Clone, PartialEq, Eq, Default, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub struct VerifyReport {
    /// Bills computed again.
    pub bills: u64,
    /// Those that differ; at most 20 of them.
    pub differences: Vec<BillDifference>,
}

fn difference(stored: &StoredComputation) -> Option<String> {
    let inputs: BillInputs = match serde_json::from_slice(&stored.inputs) {
        Ok(inputs) => inputs,
        Err(error) => return Some(format!("its inputs can't be read: {error}")),
    };
    let bill = match compute(&inputs) {
        Ok(bill) => bill,
        Err(error) => return Some(format!("it can't be computed: {error}")),
    };
    match serde_json::to_vec(&bill) {
        Ok(bytes) if bytes == stored.computed => None,
        Ok(bytes) => {
            let same = bytes
                .iter()
                .zip(&stored.computed)
                .take_while(|(new, old)| new == old)
                .count();
            Some(format!("its bytes differ from place {same} on"))
        }
        Err(error) => Some(format!("it can't be written: {error}")),
    }
}

fn look(stored: &StoredComputation, report: &mut VerifyReport) {
    report.bills += 1;
    if let Some(reason) = difference(stored)
        && report.differences.len() < 20
    {
        report.differences.push(BillDifference {
            id: stored.id,
            number: stored.number.clone(),
            reason,
        });
    }
}

/// Computes one bill again.
pub async fn verify(
    app: &App,
    context: &RequestContext,
    id: CustomerBillId,
) -> Result<VerifyReport, AppError> {
    let session = app.store.read(context.scope()).await?;
    let stored = customer_bill::computation(&session, id).await?;
    session.finish()?;
    let stored = stored.ok_or_else(|| AppError::not_found("CustomerBill", id))?;
    let mut report = VerifyReport::default();
    look(&stored, &mut report);
    Ok(report)
}

/// Computes every bill again.
pub async fn verify_all(app: &App, context: &RequestContext) -> Result<VerifyReport, AppError> {
    let mut report = VerifyReport::default();
    let mut after = None;
    loop {
        let session = app.store.read(context.scope()).await?;
        let page = customer_bill::computations(&session, after, PAGE).await?;
        session.finish()?;
        let Some(last) = page.last() else {
            return Ok(report);
        };
        after = Some(last.id);
        for stored in &page {
            look(stored, &mut report);
        }
    }
}
