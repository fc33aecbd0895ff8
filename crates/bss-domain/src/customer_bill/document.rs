//! Bills and their lines as TMF678 shows them.

use rust_decimal::Decimal;
use serde_json::{Value, json};

use super::{BillLine, CustomerBill, CustomerBillState, LineKind};
use crate::ids::{AppliedCustomerBillingRateId, CustomerId, TypedId};
use crate::money::{Currency, Money};
use crate::tax::{TaxRule, TaxTotal};

fn money(minor: i64, currency: Currency) -> Value {
    // Money's own form can't fail: it is a currency and a number.
    serde_json::to_value(Money::new(minor, currency)).unwrap_or_default()
}

fn percent(rate_ppm: i64) -> Value {
    let text = Decimal::new(rate_ppm, 4).normalize().to_string();
    serde_json::from_str(&text).unwrap_or_default()
}

fn tax_item(tax: &TaxTotal, currency: Currency) -> Value {
    json!({
        "taxCategory": tax.category,
        "taxRate": percent(tax.rate_ppm),
        "taxAmount": money(tax.tax_minor, currency),
        "taxableAmount": money(tax.net_minor, currency),
    })
}

impl CustomerBill {
    /// The document without what changes after it was validated: see [`CustomerBill::open_document`].
    pub fn document(&self, customer: CustomerId, number: &str) -> Value {
        let currency = self.currency;
        let mut document = json!({
            "id": self.id,
            "billNo": number,
            "billDate": self.bill_date,
            "category": self.kind.name(),
            "runType": if self.kind == super::BillKind::Regular { "onCycle" } else { "offCycle" },
            "paymentDueDate": self.payment_due_date,
            "billingPeriod": {"startDateTime": self.period.from, "endDateTime": self.period.to},
            "billingAccount": {"id": self.account, "@referredType": "BillingAccount"},
            "relatedParty": [{"id": customer, "role": "customer", "@referredType": "Customer"}],
            "taxExcludedAmount": money(self.net_minor, currency),
            "taxIncludedAmount": money(self.total_minor, currency),
            "amountDue": money(self.due_minor, currency),
            "creditApplied": money(self.credit_applied_minor, currency),
            "taxItem": self.taxes.iter().map(|tax| tax_item(tax, currency)).collect::<Vec<_>>(),
            "@type": "CustomerBill",
        });
        merge(
            &mut document,
            Self::open_document(self.first_state(), self.due_minor, currency),
        );
        document
    }

    /// The document of a bill on hold: it has no number yet, and nothing of it is open.
    pub fn held_document(&self, customer: CustomerId, reason: &super::Anomaly) -> Value {
        let mut document = self.document(customer, "");
        if let Some(attributes) = document.as_object_mut() {
            attributes.remove("billNo");
        }
        let mut held = Self::open_document(CustomerBillState::OnHold, 0, self.currency);
        held["onHoldReason"] = json!({"code": reason.code, "message": reason.message});
        merge(&mut document, held);
        document
    }

    /// The state in which it is drawn up: where nothing is to be paid, it is settled.
    pub fn first_state(&self) -> CustomerBillState {
        if self.due_minor == 0 {
            CustomerBillState::Settled
        } else {
            CustomerBillState::Validated
        }
    }

    /// The attributes that payments change.
    pub fn open_document(state: CustomerBillState, open_minor: i64, currency: Currency) -> Value {
        json!({"state": state.name(), "remainingAmount": money(open_minor, currency)})
    }
}

fn merge(document: &mut Value, more: Value) {
    if let (Some(document), Value::Object(more)) = (document.as_object_mut(), more) {
        document.extend(more);
    }
}

impl BillLine {
    /// The line as AppliedCustomerBillingRate.
    pub fn document(&self, id: AppliedCustomerBillingRateId, bill: &CustomerBill) -> Value {
        let currency = bill.currency;
        let mut document = json!({
            "id": id,
            "date": bill.bill_date,
            "name": self.description,
            "description": self.description,
            "type": self.kind.name(),
            "isBilled": true,
            "bill": {"id": bill.id, "@referredType": "CustomerBill"},
            "billingAccount": {"id": bill.account, "@referredType": "BillingAccount"},
            "product": {"id": self.product, "@referredType": "Product"},
            "productOfferingPrice": {"id": self.price, "@referredType": "ProductOfferingPrice"},
            "periodCoverage": {"startDateTime": self.period.from, "endDateTime": self.period.to},
            "taxExcludedAmount": money(self.net_minor, currency),
            "taxIncludedAmount": money(self.net_minor + self.tax_minor, currency),
            "appliedTax": [applied_tax(&self.tax, self.tax_minor, currency)],
            "quantity": self.quantity,
            "line": self.number,
            "@type": "AppliedCustomerBillingRate",
        });
        if self.kind == LineKind::Usage {
            merge(
                &mut document,
                json!({"unit": self.unit, "records": self.records, "covered": self.covered, "isLate": self.late,
                       "rate": self.rate}),
            );
        }
        if self.revision > 0 {
            merge(&mut document, json!({"revision": self.revision}));
        }
        document
    }

    /// The line's id: its bill's slot and moment, its number.
    pub fn id(&self, bill: &CustomerBill) -> AppliedCustomerBillingRateId {
        let (_, random) = bill.id.uuid().as_u64_pair();
        // Consecutive numbers in the low bits: unique within the bill, and the bill's random part keeps bills apart.
        let mixed = (random & 0x3FFF_FFFF_FFFF_FFFF).rotate_left(16) ^ u64::from(self.number);
        AppliedCustomerBillingRateId::at(crate::ids::unix_ms_of(bill.id.uuid()), bill.id.slot(), mixed)
    }
}

fn applied_tax(rule: &TaxRule, tax_minor: i64, currency: Currency) -> Value {
    json!({"taxCategory": rule.category, "taxRate": percent(rule.rate_ppm), "taxAmount": money(tax_minor, currency)})
}
