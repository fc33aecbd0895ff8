//! The parts of a rated record in words, by the tariff of its price version.

use bss_domain::Currency;
use bss_domain::catalog::{Band, Charge, PriceKind, Tariff};
use bss_domain::ids::{BucketId, ProductOfferingPriceId};
use bss_domain::rating::{Part, RatedItem, Why};
use bss_store::trace as store;

use super::{Explanation, Tracer};
use crate::AppError;

impl Tracer<'_> {
    /// A node for each part; their amounts sum to the item's.
    pub(super) async fn parts(
        &mut self,
        item: &RatedItem,
        price: ProductOfferingPriceId,
        (unit, currency): (&str, Currency),
    ) -> Result<Vec<Explanation>, AppError> {
        let mut nodes = Vec::new();
        for part in &item.parts {
            let node = if let Why::Allowance { bucket } = part.why {
                Explanation::new("allowance", self.allowance(bucket).await?).id(bucket)
            } else {
                let version = self.price(price).await?;
                let tariff = version.and_then(|version| match &version.kind {
                    PriceKind::Usage(tariff) => Some(tariff.as_ref()),
                    _ => None,
                });
                worded(part, item, tariff, unit, currency)
            };
            nodes.push(node.quantity(part.quantity, unit).amount(part.amount, currency));
        }
        Ok(nodes)
    }

    async fn allowance(&mut self, bucket: BucketId) -> Result<String, AppError> {
        match store::allowance_price(self.session, bucket).await? {
            Some(price) => self.price_names(&[price]).await,
            None => Ok("allowance".to_owned()),
        }
    }
}

fn worded(
    part: &Part,
    item: &RatedItem,
    tariff: Option<&Tariff>,
    unit: &str,
    currency: Currency,
) -> Explanation {
    let rate = tariff.and_then(|tariff| tariff.rates.get(usize::from(item.rate)));
    let zone = tariff.and_then(|tariff| tariff.zones.get(usize::from(item.zone)));
    let zone = zone.map_or("", String::as_str);
    let band_of = |index: u8| rate.and_then(|rate| rate.bands.get(usize::from(index)));
    let label = |index: u8| {
        let band = band_of(index).map_or("", |band: &Band| band.name.as_str());
        format!("{zone} {band}").trim().to_owned()
    };
    let price = part.unit_price.decimal();
    match part.why {
        Why::ConnectionFee { band } => {
            Explanation::new("connectionFee", label(band)).why(format!("{price} {currency} a call"))
        }
        Why::Step { band, tier, step } => {
            let tier_text = tier.map_or_else(String::new, |tier| format!(", tier {}", tier + 1));
            let why = format!(
                "step {}{tier_text}: {} {unit} charged at {price} {currency} per {} {unit}",
                step + 1,
                part.charged,
                part.unit
            );
            Explanation::new("step", label(band)).why(why)
        }
        Why::Package { band } => {
            let size = match band_of(band).map(|band| &band.charge) {
                Some(Charge::Package { size, .. }) => format!(" of {size} {unit}"),
                _ => String::new(),
            };
            let why = format!("{} packages{size} begun at {price} {currency}", part.charged);
            Explanation::new("package", label(band)).why(why)
        }
        Why::Allowance { .. } => Explanation::new("allowance", "allowance"),
        Why::Uncollected => Explanation::new("uncollected", "what the prepaid balance couldn't pay"),
    }
}
