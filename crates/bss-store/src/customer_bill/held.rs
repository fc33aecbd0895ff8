//! Bills on hold: computed and claimed, without a number, and without anything in the ledger.

use std::collections::{HashMap, HashSet};

use bss_domain::TypedId;
use bss_domain::customer_bill::{Anomaly, CustomerBillState, USUAL_BILLS};
use bss_domain::ids::{BillRunId, BillingAccountId, CustomerBillId};
use bss_domain::rating::ClosingState;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{NewBill, bytes};
use crate::{Session, StoreError, Timestamptz};

/// The accounts whose last period waits on hold: until it is released nothing of theirs closes.
pub async fn accounts_on_hold(session: &Session) -> Result<HashSet<BillingAccountId>, StoreError> {
    let sql = "SELECT account_id FROM customer_bill WHERE state = 'onHold'";
    let rows = session.query(sql, &[]).await?;
    Ok(rows.iter().map(|row| row.get::<_, Uuid>(0).into()).collect())
}

/// The totals of the last bills of accounts, minor units.
pub async fn usual(
    session: &Session,
    accounts: &[BillingAccountId],
) -> Result<HashMap<BillingAccountId, Vec<i64>>, StoreError> {
    if accounts.is_empty() {
        return Ok(HashMap::new());
    }
    let slots: Vec<i16> = accounts.iter().map(|account| account.slot().sql()).collect();
    let ids: Vec<Uuid> = accounts.iter().map(|account| account.uuid()).collect();
    let rows = session
        .query(
            "SELECT a.id, b.total_minor FROM unnest($1::smallint[], $2::uuid[]) AS a (slot, id), \
             LATERAL (SELECT total_minor FROM customer_bill \
                 WHERE slot = a.slot AND account_id = a.id AND state <> 'onHold' ORDER BY bill_date DESC LIMIT $3) b",
            &[&slots, &ids, &USUAL_BILLS],
        )
        .await?;
    let mut found: HashMap<BillingAccountId, Vec<i64>> = HashMap::new();
    for row in &rows {
        found
            .entry(row.get::<_, Uuid>(0).into())
            .or_default()
            .push(row.get(1));
    }
    Ok(found)
}

/// Writes a bill on hold, with the reason.
pub async fn hold(
    session: &Session,
    new: &NewBill,
    reason: &Anomaly,
    series: &str,
) -> Result<(), StoreError> {
    let bill = &new.bill;
    session
        .execute(
            "INSERT INTO customer_bill (tenant_id, revision, created_at, updated_at, updated_by, series, slot, id, \
             body, state, category, bill_no, run_id, account_id, customer_id, currency, bill_date, payment_due_date, \
             period_from, period_to, net_minor, tax_minor, total_minor, credit_applied_minor, due_minor, open_minor, \
             rules_version, inputs, computed) \
             VALUES ($1, 1, $2, $2, $3, $4, $5, $6, $7, $8, $9, '', $10, $11, $12, $13, $2, $14, $15, $16, $17, $18, \
             $19, 0, $20, 0, $21, $22, $23)",
            &[
                &session.tenant().uuid(),
                &Timestamptz(bill.bill_date),
                &session.actor(),
                &series,
                &bill.id.slot().sql(),
                &bill.id.uuid(),
                &bill.held_document(new.inputs.customer, reason),
                &CustomerBillState::OnHold.name(),
                &bill.kind.name(),
                &new.run.map(TypedId::uuid),
                &bill.account.uuid(),
                &new.inputs.customer.uuid(),
                &bill.currency.code(),
                &Timestamptz(bill.payment_due_date),
                &Timestamptz(bill.period.from),
                &Timestamptz(bill.period.to),
                &bill.net_minor,
                &bill.tax_minor,
                &bill.total_minor,
                &bill.due_minor,
                &i32::from(bill.rules_version),
                &bytes(&new.inputs)?,
                &bytes(bill)?,
            ],
        )
        .await?;
    Ok(())
}

/// The run that drew a bill up; the bill and its lines are gone with it, its claims stand.
pub async fn take_back(session: &Session, id: CustomerBillId) -> Result<Option<BillRunId>, StoreError> {
    let key: [&(dyn tokio_postgres::types::ToSql + Sync); 2] = [&id.slot().sql(), &id.uuid()];
    session
        .execute(
            "DELETE FROM applied_customer_billing_rate WHERE slot = $1 AND bill_id = $2",
            &key,
        )
        .await?;
    let row = session
        .query_one(
            "DELETE FROM customer_bill WHERE slot = $1 AND id = $2 AND state = 'onHold' RETURNING run_id",
            &key,
        )
        .await?;
    Ok(row.get::<_, Option<Uuid>>(0).map(Into::into))
}

/// What a bill on hold claimed is free again: its period, its usage, its obligations.
pub async fn take_claim_back(session: &Session, id: CustomerBillId) -> Result<(), StoreError> {
    for sql in [
        "DELETE FROM obligation WHERE slot = $1 AND bill_id = $2",
        "DELETE FROM usage_correction WHERE slot = $1 AND bill_id = $2",
        "DELETE FROM late_closing WHERE slot = $1 AND bill_id = $2",
        "DELETE FROM usage_claim WHERE slot = $1 AND bill_id = $2",
    ] {
        session.execute(sql, &[&id.slot().sql(), &id.uuid()]).await?;
    }
    Ok(())
}

/// What allowances and counters came to in the period that a bill claims.
pub async fn claimed_closing(session: &Session, id: CustomerBillId) -> Result<ClosingState, StoreError> {
    let row = session
        .query_one(
            "SELECT closing FROM usage_claim WHERE slot = $1 AND bill_id = $2",
            &[&id.slot().sql(), &id.uuid()],
        )
        .await?;
    serde_json::from_value(row.get(0)).map_err(|error| StoreError::Corrupt {
        what: format!("closing of bill {id}"),
        detail: error.to_string(),
    })
}

/// The bills of a run that are on hold, at most `limit` of them, each as JSON with its account and the reason.
pub async fn on_hold_of(session: &Session, run: BillRunId, limit: i64) -> Result<Vec<Value>, StoreError> {
    let rows = session
        .query(
            "SELECT id, account_id, body -> 'onHoldReason' FROM customer_bill \
             WHERE run_id = $1 AND state = 'onHold' ORDER BY id LIMIT $2",
            &[&run.uuid(), &limit],
        )
        .await?;
    let read = |row: &tokio_postgres::Row| {
        let reason: Value = row.get::<_, Option<Value>>(2).unwrap_or_default();
        json!({
            "bill": { "id": row.get::<_, Uuid>(0), "@referredType": "CustomerBill" },
            "billingAccount": { "id": row.get::<_, Uuid>(1), "@referredType": "BillingAccount" },
            "code": reason["code"], "reason": reason["message"],
        })
    };
    Ok(rows.iter().map(read).collect())
}
