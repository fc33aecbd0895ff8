use crate::shape::{Attribute, Kind, RELATED_PARTIES, Shape};

const TAX_ITEMS: Kind = Kind::List(&Kind::Object(&[
    Attribute::read_only("taxCategory", Kind::Text, "the category"),
    Attribute::read_only("taxRate", Kind::Number, "percent"),
    Attribute::read_only("taxAmount", Kind::Money, "the tax"),
]));

const APPLIED_PAYMENTS: Kind = Kind::List(&Kind::Object(&[
    Attribute::read_only("appliedAmount", Kind::Money, "how much of it"),
    Attribute::read_only(
        "payment",
        Kind::Reference("Payment"),
        "the payment, or the credit note",
    ),
]));

/// CustomerBill's typed attributes. Runs draw bills up; of a bill's state callers say that it was sent.
pub const CUSTOMER_BILL: &Shape = &[
    Attribute::read_only("billNo", Kind::Text, "its number, without gaps within its series"),
    Attribute::optional("state", Kind::Text, "how far it has come; `sent` may be written"),
    Attribute::read_only(
        "category",
        Kind::Text,
        "whether it is a normal bill, a last one, one between",
    ),
    Attribute::read_only("runType", Kind::Text, "`onCycle` or `offCycle`"),
    Attribute::read_only("billDate", Kind::Instant, "when it was drawn up"),
    Attribute::read_only("paymentDueDate", Kind::Instant, "until when it is to be paid"),
    Attribute::read_only("billingPeriod", Kind::Period, "what it closes, half-open"),
    Attribute::read_only(
        "billingAccount",
        Kind::Reference("BillingAccount"),
        "what was billed",
    ),
    Attribute::read_only(
        "relatedParty",
        RELATED_PARTIES,
        "the customer, in the role customer",
    ),
    Attribute::read_only("taxExcludedAmount", Kind::Money, "net"),
    Attribute::read_only("taxIncludedAmount", Kind::Money, "net and tax"),
    Attribute::read_only("creditApplied", Kind::Money, "credit of the account that it took"),
    Attribute::read_only("amountDue", Kind::Money, "what was to be paid of it"),
    Attribute::read_only("remainingAmount", Kind::Money, "what is still open"),
    Attribute::read_only("taxItem", TAX_ITEMS, "its tax by category and rate"),
    Attribute::read_only("appliedPayment", APPLIED_PAYMENTS, "what paid for it"),
];

/// AppliedCustomerBillingRate's typed attributes: a bill's line.
pub const RATE: &Shape = &[
    Attribute::read_only(
        "line",
        Kind::Whole {
            min: 1,
            max: i64::MAX,
        },
        "its number within the bill",
    ),
    Attribute::read_only("type", Kind::Text, "what kind of charge"),
    Attribute::read_only("name", Kind::Text, "what the bill calls it"),
    Attribute::read_only("description", Kind::Text, "what the bill calls it"),
    Attribute::read_only("date", Kind::Instant, "when the bill was drawn up"),
    Attribute::read_only("isBilled", Kind::Boolean, "true: it stands on a bill"),
    Attribute::read_only("bill", Kind::Reference("CustomerBill"), "the bill"),
    Attribute::read_only(
        "billingAccount",
        Kind::Reference("BillingAccount"),
        "what was billed",
    ),
    Attribute::read_only(
        "product",
        Kind::Reference("Product"),
        "the product that it is for",
    ),
    Attribute::read_only(
        "productOfferingPrice",
        Kind::Reference("ProductOfferingPrice"),
        "the price version that it was computed by",
    ),
    Attribute::read_only("periodCoverage", Kind::Period, "what it is for, half-open"),
    Attribute::read_only("taxExcludedAmount", Kind::Money, "net"),
    Attribute::read_only("taxIncludedAmount", Kind::Money, "net and tax"),
    Attribute::read_only("appliedTax", TAX_ITEMS, "its tax"),
    Attribute::read_only("quantity", Kind::Number, "how many, or how much usage"),
];
