//! What TMF676 has no operations for: what a channel answers, pays out and takes back, and debts that are given up. Each
//! answer is the payment as TMF676 shows it, or what was done.

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use bss_app::payment::{self, Settlement};
use bss_app::{AppError, RequestContext};
use bss_domain::document::Reference;
use bss_domain::ids::{CustomerBillId, PaymentId};
use bss_domain::{Currency, Money, Refusal, TypedId as _};
use bss_store::customer_bill::CUSTOMER_BILL;
use bss_store::payment::PAYMENT;
use bss_store::resource::{self, Stored, Table};
use http::{Method, StatusCode};
use serde_json::{Value, json};
use uuid::Uuid;

use super::Operation;
use super::body::{id_of, money, optional_body, reason, words};
use crate::ApiState;
use crate::auth::Routes;
use crate::kit::{ApiError, Call, json_body, presented};
use crate::resources;

const REQUEST: &str = "/bss-api/v1/paymentRequest";
const AUTHORIZE: &str = "/bss-api/v1/payment/{id}/authorize";
const DENY: &str = "/bss-api/v1/payment/{id}/deny";
const FAIL: &str = "/bss-api/v1/payment/{id}/fail";
const CANCEL: &str = "/bss-api/v1/payment/{id}/cancel";
const CAPTURE: &str = "/bss-api/v1/payment/{id}/capture";
const CHARGEBACK: &str = "/bss-api/v1/payment/{id}/chargeback";
const SETTLEMENT: &str = "/bss-api/v1/settlement";
const WRITE_OFF: &str = "/bss-api/v1/writeOff";

/// What they are, for the description.
pub(super) const OPERATIONS: &[Operation] = &[
    Operation::post(
        REQUEST,
        "a payment that the channel is being asked for, as TMF676's Payment; nothing is booked before it is captured",
    ),
    Operation::post(
        AUTHORIZE,
        "the channel holds the money; `authorizationCode` is the channel's own id of it",
    ),
    Operation::post(DENY, "the channel said no; `reason` says why"),
    Operation::post(
        FAIL,
        "the channel failed for good, no money came; `reason` says why",
    ),
    Operation::post(
        CANCEL,
        "lets go of money that the channel holds; `reason` says why",
    ),
    Operation::post(
        CAPTURE,
        "takes the money that the channel holds: it pays the bills that the request named",
    ),
    Operation::post(
        CHARGEBACK,
        "the channel took a payment back, or `amount` of it: its bills are open again",
    ),
    Operation::post(
        SETTLEMENT,
        "`channel` {name} pays out what it collected: `payment` [{id}], `paid` into the bank and `fees` that it keeps",
    ),
    Operation::post(
        WRITE_OFF,
        "gives up what is open of a `customerBill` {id}; `reason` says why",
    ),
];

/// Their routes.
pub(super) fn routes() -> Routes<ApiState> {
    Routes::new()
        .add(Method::POST, REQUEST, request)
        .add(Method::POST, AUTHORIZE, authorize)
        .add(Method::POST, DENY, deny)
        .add(Method::POST, FAIL, fail)
        .add(Method::POST, CANCEL, cancel)
        .add(Method::POST, CAPTURE, capture)
        .add(Method::POST, CHARGEBACK, chargeback)
        .add(Method::POST, SETTLEMENT, settle)
        .add(Method::POST, WRITE_OFF, write_off)
}

type Answer = Result<Response, ApiError>;

async fn request(State(state): State<ApiState>, call: Call, body: Bytes) -> Answer {
    let call = call.creating(&state, REQUEST, true, &body)?;
    let new = payment::read_known(&state.app, &call.context, &json_body(&body)?).await?;
    let receipt = payment::request(&state.app, &call.context, new).await?;
    let shown = shown(&state, &call, receipt.id).await?;
    Ok((StatusCode::CREATED, Json(shown)).into_response())
}

async fn authorize(State(state): State<ApiState>, call: Call, Path(id): Path<String>, body: Bytes) -> Answer {
    let (id, body) = (payment_of(&state, &call, &id).await?, optional_body(&body)?);
    let code = body.get("authorizationCode").and_then(Value::as_str);
    payment::authorize(&state.app, &call.context, id, code).await?;
    Ok(Json(shown(&state, &call, id).await?).into_response())
}

async fn deny(State(state): State<ApiState>, call: Call, Path(id): Path<String>, body: Bytes) -> Answer {
    let (id, reason) = (payment_of(&state, &call, &id).await?, reason(&json_body(&body)?)?);
    payment::deny(&state.app, &call.context, id, &reason).await?;
    Ok(Json(shown(&state, &call, id).await?).into_response())
}

async fn fail(State(state): State<ApiState>, call: Call, Path(id): Path<String>, body: Bytes) -> Answer {
    let (id, reason) = (payment_of(&state, &call, &id).await?, reason(&json_body(&body)?)?);
    payment::fail(&state.app, &call.context, id, &reason).await?;
    Ok(Json(shown(&state, &call, id).await?).into_response())
}

async fn cancel(State(state): State<ApiState>, call: Call, Path(id): Path<String>, body: Bytes) -> Answer {
    let (id, reason) = (payment_of(&state, &call, &id).await?, reason(&json_body(&body)?)?);
    payment::cancel(&state.app, &call.context, id, &reason).await?;
    Ok(Json(shown(&state, &call, id).await?).into_response())
}

async fn capture(State(state): State<ApiState>, call: Call, Path(id): Path<String>) -> Answer {
    let id = payment_of(&state, &call, &id).await?;
    payment::capture_authorized(&state.app, &call.context, id).await?;
    Ok(Json(shown(&state, &call, id).await?).into_response())
}

async fn chargeback(
    State(state): State<ApiState>,
    call: Call,
    Path(id): Path<String>,
    body: Bytes,
) -> Answer {
    // The key's scope is this payment's: the body alone doesn't name it.
    let route = format!("/bss-api/v1/payment/{id}/chargeback");
    let call = call.creating(&state, &route, true, &body)?;
    let (id, body) = (payment_of(&state, &call, &id).await?, optional_body(&body)?);
    let amount = money(&body, "amount")?;
    let receipt = payment::chargeback(&state.app, &call.context, id, amount).await?;
    let document = document(&state, &call.context, &PAYMENT, ("Payment", id.uuid())).await?;
    let currency = currency(&document["amount"])?;
    let reopened = receipt.reopened.iter().map(|(bill, minor)| {
        json!({ "bill": Reference::to(bill, "CustomerBill"), "amount": Money::new(*minor, currency) })
    });
    let answer = json!({
        "id": receipt.id,
        "payment": Reference::to(id, "Payment"),
        "reopened": reopened.collect::<Vec<_>>(),
        "fromCredit": Money::new(receipt.from_credit_minor, currency),
    });
    Ok((StatusCode::CREATED, Json(answer)).into_response())
}

async fn settle(State(state): State<ApiState>, call: Call, body: Bytes) -> Answer {
    let call = call.creating(&state, SETTLEMENT, true, &body)?;
    let body = json_body(&body)?;
    let paid = money(&body, "paid")?.ok_or_else(|| Refusal::missing("paid"))?;
    let fees = money(&body, "fees")?.unwrap_or(Money::new(0, paid.currency));
    if fees.currency != paid.currency {
        let message = format!("the fees are in the currency of what is paid, {}", paid.currency);
        return Err(Refusal::invalid("wrongCurrency", "fees.unit", fees.currency, message).into());
    }
    let named = body.get("payment").and_then(Value::as_array);
    let named = named.ok_or_else(|| Refusal::missing("payment"))?;
    let settlement = Settlement {
        channel: words(&body["channel"], "name").map_err(|_| Refusal::missing("channel.name"))?,
        payments: named
            .iter()
            .enumerate()
            .map(|(place, payment)| id_of(payment, &format!("payment[{place}].id")))
            .collect::<Result<_, _>>()?,
        paid,
        fees_minor: fees.minor,
    };
    let receipt = payment::settle_channel(&state.app, &call.context, &settlement).await?;
    let answer = json!({
        "channel": { "name": settlement.channel },
        "payments": receipt.payments,
        "paid": Money::new(receipt.paid_minor, paid.currency),
        "fees": Money::new(receipt.fees_minor, paid.currency),
    });
    Ok((StatusCode::CREATED, Json(answer)).into_response())
}

async fn write_off(State(state): State<ApiState>, call: Call, body: Bytes) -> Answer {
    let call = call.creating(&state, WRITE_OFF, true, &body)?;
    let body = json_body(&body)?;
    let reason = reason(&body)?;
    let named = body
        .get("customerBill")
        .ok_or_else(|| Refusal::missing("customerBill"))?;
    let bill: CustomerBillId = id_of(named, "customerBill.id")?;
    let what = ("CustomerBill", bill.uuid());
    let document = document(&state, &call.context, &CUSTOMER_BILL, what)
        .await
        .map_err(|error| match error {
            AppError::NotFound { .. } => {
                let message = format!("customerBill.id: there is no bill {bill}");
                Refusal::invalid("unknownReference", "customerBill.id", bill, message).into()
            }
            other => other,
        })?;
    let currency = currency(&document["amountDue"])?;
    let receipt = payment::write_off(&state.app, &call.context, bill, &reason).await?;
    let answer = json!({
        "id": receipt.id,
        "customerBill": Reference::to(bill, "CustomerBill"),
        "amount": Money::new(receipt.amount_minor, currency),
        "reason": reason,
    });
    Ok((StatusCode::CREATED, Json(answer)).into_response())
}

/// The payment of a path, which exists: what isn't there is said before what is wrong with the body.
async fn payment_of(state: &ApiState, call: &Call, id: &str) -> Result<PaymentId, ApiError> {
    let known: PaymentId = id.parse().map_err(|_| AppError::not_found("Payment", id))?;
    stored(state, call, known).await?;
    Ok(known)
}

fn currency(money: &Value) -> Result<Currency, AppError> {
    let unit = money["unit"].as_str().unwrap_or_default();
    Ok(Currency::of(unit)?)
}

async fn document(
    state: &ApiState,
    context: &RequestContext,
    table: &'static Table,
    (kind, id): (&'static str, Uuid),
) -> Result<Value, AppError> {
    let stored = resource::lookup(&state.app.store, context.caller.tenant, table, id).await?;
    Ok(stored.ok_or_else(|| AppError::not_found(kind, id))?.body)
}

/// A payment as TMF676 shows it.
async fn shown(state: &ApiState, call: &Call, id: PaymentId) -> Result<Value, ApiError> {
    let stored = stored(state, call, id).await?;
    Ok(presented(state, &resources::payment::PAYMENT, stored, None))
}

async fn stored(state: &ApiState, call: &Call, id: PaymentId) -> Result<Stored, ApiError> {
    let tenant = call.context.caller.tenant;
    let stored = resource::lookup(&state.app.store, tenant, &PAYMENT, id.uuid()).await?;
    Ok(stored.ok_or_else(|| AppError::not_found("Payment", id))?)
}
