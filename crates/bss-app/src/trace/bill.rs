//! A bill: its lines down to segments and usage records, tax, what paid for it, and the ledger.

use std::collections::HashMap;

use bss_domain::customer_bill::{BillInputs, BillLine, CustomerBill, LineKind};
use bss_domain::ids::{CustomerBillId, ProductId};
use bss_domain::obligation::Obligation;
use bss_domain::{Money, MoneyError, Nano, TypedId};
use bss_store::product::PRODUCT;
use bss_store::resource;
use bss_store::trace::{self as store, BillRow};
use rust_decimal::Decimal;
use uuid::Uuid;

use super::{Explanation, Tracer};
use crate::AppError;

/// A bill with what it was computed from, as they were stored.
pub(super) struct LoadedBill {
    pub row: BillRow,
    pub inputs: BillInputs,
    pub bill: CustomerBill,
    ids: HashMap<u32, Uuid>,
}

impl Tracer<'_> {
    /// Reads a bill.
    pub(super) async fn load(&self, id: CustomerBillId) -> Result<Option<LoadedBill>, AppError> {
        let Some(row) = store::bill(self.session, id).await? else {
            return Ok(None);
        };
        Ok(Some(LoadedBill {
            inputs: serde_json::from_slice(&row.inputs).map_err(AppError::internal)?,
            bill: serde_json::from_slice(&row.computed).map_err(AppError::internal)?,
            ids: store::line_ids(self.session, id).await?.into_iter().collect(),
            row,
        }))
    }

    /// A bill with everything in it, what it came from, and what paid for it.
    pub(super) async fn bill(&mut self, id: CustomerBillId) -> Result<Option<Explanation>, AppError> {
        let Some(loaded) = self.load(id).await? else {
            return Ok(None);
        };
        if !self.may_see(Some(loaded.row.customer.uuid())) {
            return Ok(None);
        }
        let bill = &loaded.bill;
        let mut node = Explanation::new("CustomerBill", &loaded.row.number)
            .id(id)
            .state(&loaded.row.state)
            .at(bill.bill_date)
            .minor(bill.total_minor, bill.currency)?
            .why(format!("{} to {}", bill.period.from, bill.period.to));
        for line in &bill.lines {
            let mut line_node = loaded.line_node(line)?;
            let parts = if line.kind == LineKind::Usage {
                self.records_of_line(&loaded, line).await?
            } else {
                loaded.parts(line)
            };
            line_node = line_node.children(parts);
            node = node.child(loaded.rounded(line, line_node)?);
        }
        for tax in &bill.taxes {
            let label = format!("{} {} %", tax.category, Decimal::new(tax.rate_ppm, 4).normalize());
            let on = Money::new(tax.net_minor, bill.currency);
            node = node.child(
                Explanation::new("tax", label)
                    .minor(tax.tax_minor, bill.currency)?
                    .why(format!("on {on}")),
            );
        }
        let mut products: Vec<ProductId> = bill.lines.iter().map(|line| line.product).collect();
        products.sort_unstable();
        products.dedup();
        for product in products {
            node = node.children(self.product_with_origin(product).await?);
        }
        Ok(Some(node.children(self.paid(&loaded).await?)))
    }

    /// A product with the order that it came from.
    pub(super) async fn product_with_origin(&self, id: ProductId) -> Result<Option<Explanation>, AppError> {
        let Some(stored) = resource::get(self.session, &PRODUCT, id.uuid()).await? else {
            return Ok(None);
        };
        let origin = self.origin(&stored).await?;
        Ok(Some(super::product::product_node(&stored).children(origin)))
    }

    /// A bill as what was charged led to it: what paid for it, and the ledger.
    pub(super) async fn settlement(&mut self, id: CustomerBillId) -> Result<Option<Explanation>, AppError> {
        let Some(loaded) = self.load(id).await? else {
            return Ok(None);
        };
        let total = Money::new(loaded.bill.total_minor, loaded.bill.currency);
        let node = Explanation::new("CustomerBill", format!("{}, {total} in all", loaded.row.number))
            .id(id)
            .state(&loaded.row.state)
            .at(loaded.bill.bill_date);
        Ok(Some(node.children(self.paid(&loaded).await?)))
    }

    /// What paid for a bill, with the entries of each payment; then the bill's own entries.
    async fn paid(&mut self, loaded: &LoadedBill) -> Result<Vec<Explanation>, AppError> {
        let currency = loaded.bill.currency;
        let open = Money::new(loaded.row.open_minor, currency);
        let mut paid = Explanation::new("payments", format!("{open} open"));
        for allocation in store::allocations_to(self.session, loaded.bill.id).await? {
            let source = store::payment(self.session, allocation.source.into()).await?;
            let node = match source.filter(|_| allocation.kind == "payment") {
                Some(row) => super::payment::payment_node(&row),
                None => Explanation::new(&allocation.kind, "of the account").id(allocation.source),
            };
            let mut node = node.at(allocation.at).minor(allocation.amount_minor, currency)?;
            if allocation.source != loaded.bill.id.uuid() {
                node = node.children(self.entries(allocation.source).await?);
            }
            paid = paid.child(node);
        }
        let mut nodes = vec![paid];
        nodes.extend(self.entries(loaded.bill.id.uuid()).await?);
        Ok(nodes)
    }
}

impl LoadedBill {
    /// A line without what it consists of; its amount is without tax.
    pub(super) fn line_node(&self, line: &BillLine) -> Result<Explanation, MoneyError> {
        let mut why = vec![format!("{} to {}", line.period.from, line.period.to)];
        let mut node = Explanation::new("AppliedCustomerBillingRate", &line.description);
        if line.kind == LineKind::Usage {
            let unit = line.unit.as_deref().unwrap_or("piece");
            node = node.quantity(line.quantity, unit);
            let records = if line.records == 1 { "record" } else { "records" };
            why.push(format!("{} {records}", line.records));
            if line.covered > 0 {
                why.push(format!("allowances covered {} {unit}", line.covered));
            }
            if line.late {
                why.push("late".to_owned());
            }
        } else {
            node = node.quantity(line.quantity, "piece");
        }
        if let Some(id) = self.ids.get(&line.number) {
            node = node.id(*id);
        }
        node.state(line.kind.name())
            .why(why.join(", "))
            .minor(line.net_minor, self.bill.currency)
    }

    /// Adds to a line, which has its parts before rounding, what rounding and a tax within the price make of them.
    fn rounded(&self, line: &BillLine, mut node: Explanation) -> Result<Explanation, MoneyError> {
        let currency = self.bill.currency;
        let exact = line.amount;
        let parts = node.sum_of_children()?;
        if parts != exact {
            let missing = Explanation::new("unexplained", "what these parts don't explain");
            node = node.child(missing.amount(exact.minus(parts)?, currency));
        }
        let rounding = Nano::from_minor(line.amount_minor, currency)?.minus(exact)?;
        if rounding != Nano::ZERO {
            let why = "to the minor unit, so that the lines of one charge sum to the rounded whole";
            node = node.child(
                Explanation::new("rounding", "rounded")
                    .amount(rounding, currency)
                    .why(why),
            );
        }
        let within = line.net_minor - line.amount_minor;
        if within != 0 {
            node = node.child(Explanation::new("tax", "tax within the price").minor(within, currency)?);
        }
        Ok(node)
    }

    /// What a line consists of that charges no usage, before rounding.
    fn parts(&self, line: &BillLine) -> Vec<Explanation> {
        let currency = self.bill.currency;
        let whole = |kind: &str, label: &str, why: String| {
            Explanation::new(kind, label)
                .amount(line.amount, currency)
                .why(why)
        };
        let part = match line.kind {
            LineKind::Alteration => whole("alteration", &line.description, self.alteration(line)),
            LineKind::MinimumSpend => whole("minimumSpend", &line.description, self.minimum_spend(line)),
            LineKind::Usage => return Vec::new(),
            LineKind::Recurring | LineKind::OneTime | LineKind::LeavingFee => match self.obligation(line) {
                Some(obligation) => whole("segment", "owed", self.owed(obligation, line)),
                None => return Vec::new(),
            },
        };
        vec![part]
    }

    fn obligation(&self, line: &BillLine) -> Option<&Obligation> {
        self.inputs.obligations.iter().find(|obligation| {
            (
                obligation.product,
                obligation.charge,
                obligation.period,
                obligation.revision,
            ) == (line.product, line.price, line.charge_period, line.revision)
        })
    }

    fn owed(&self, obligation: &Obligation, line: &BillLine) -> String {
        let currency = self.bill.currency;
        let owed = obligation.owed.decimal();
        if obligation.revision > 0 {
            let before = Money::new(obligation.billed_before_minor, currency);
            return format!(
                "revision {}: {owed} {currency} is owed for {} to {}, {before} was billed",
                obligation.revision, obligation.period.from, obligation.period.to
            );
        }
        if obligation.period.is_empty() {
            return format!("{owed} {currency} once, at {}", obligation.period.from);
        }
        format!(
            "{} of {} seconds of {} to {}, for which {owed} {currency} is owed",
            line.period.seconds(),
            obligation.period.seconds(),
            obligation.period.from,
            obligation.period.to
        )
    }

    fn alteration(&self, line: &BillLine) -> String {
        let rule = self
            .inputs
            .alterations
            .iter()
            .find(|rule| rule.product == line.product && rule.price == line.price);
        match rule.and_then(|rule| rule.share_ppm) {
            Some(share) => format!(
                "{} % of the charges it applies to",
                Decimal::new(share, 4).normalize()
            ),
            None => "a fixed amount".to_owned(),
        }
    }

    fn minimum_spend(&self, line: &BillLine) -> String {
        let minimum = self
            .inputs
            .minimum_spends
            .iter()
            .find(|minimum| minimum.product == line.product && minimum.price == line.price);
        minimum.map_or_else(String::new, |minimum| {
            format!(
                "the charges come to less than {} {}",
                minimum.amount.decimal(),
                self.bill.currency
            )
        })
    }
}
