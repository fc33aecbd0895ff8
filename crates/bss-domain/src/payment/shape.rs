use crate::shape::{Attribute, Kind, RELATED_PARTIES, Shape};

/// How money came or goes back: TM Forum's PaymentMethod, of which its `@type` counts.
const METHOD: Kind = Kind::Object(&[Attribute::optional(
    "@type",
    Kind::Text,
    "its kind, as `bankCard`",
)]);

const CHANNEL: Kind = Kind::Object(&[Attribute::required(
    "name",
    Kind::Text,
    "its name: the ledger has a clearing account for each",
)]);

/// A payment's part: the bill that it is to pay.
const ITEM: Kind = Kind::Object(&[
    Attribute::optional(
        "amount",
        Kind::Money,
        "at most so much; all that is open where none is sent",
    ),
    Attribute::required("item", Kind::Reference("CustomerBill"), "the bill"),
]);

/// Payment's typed attributes. A payment is sent once and never changed.
pub const PAYMENT: &Shape = &[
    Attribute::required("account", Kind::Reference("BillingAccount"), "for which account"),
    Attribute::optional(
        "amount",
        Kind::Money,
        "how much, in the account's currency; this or totalAmount",
    ),
    Attribute::optional(
        "totalAmount",
        Kind::Money,
        "how much; the same as amount where both are sent",
    ),
    Attribute::optional(
        "channel",
        CHANNEL,
        "how it came; else the `@type` of paymentMethod",
    ),
    Attribute::optional("paymentMethod", METHOD, "what it was paid with"),
    Attribute::optional(
        "paymentItem",
        Kind::List(&ITEM),
        "the bills that it is to pay; without any the open ones, the one that is due first in front",
    ),
    Attribute::optional("name", Kind::Text, "its name, for people"),
    Attribute::optional("description", Kind::Text, "what it was for, for people"),
    Attribute::optional("correlatorId", Kind::Text, "the caller's own id of it"),
    Attribute::optional("authorizationCode", Kind::Text, "the channel's own id of it"),
    Attribute::optional(
        "taxAmount",
        Kind::Money,
        "the tax in it, where the caller knows it",
    ),
    Attribute::read_only("status", Kind::Text, "how far it has come"),
    Attribute::read_only("statusDate", Kind::Instant, "since when"),
    Attribute::read_only("paymentDate", Kind::Instant, "when it was taken"),
    Attribute::read_only("payer", Kind::Reference("Customer"), "whose account it is"),
    Attribute::read_only(
        "unallocatedAmount",
        Kind::Money,
        "what of it is still credit of the account",
    ),
];

/// Refund's typed attributes. A refund is sent once and never changed.
pub const REFUND: &Shape = &[
    Attribute::required(
        "account",
        Kind::Reference("BillingAccount"),
        "from which account's credit",
    ),
    Attribute::optional(
        "amount",
        Kind::Money,
        "how much, in the account's currency; this or totalAmount",
    ),
    Attribute::optional(
        "totalAmount",
        Kind::Money,
        "how much; the same as amount where both are sent",
    ),
    Attribute::optional(
        "channel",
        CHANNEL,
        "how it goes back; else the `@type` of paymentMethod",
    ),
    Attribute::optional("paymentMethod", METHOD, "what it is paid back to"),
    Attribute::optional(
        "payment",
        Kind::Reference("Payment"),
        "the payment whose rest is given back; without one the account's credit as a whole",
    ),
    Attribute::optional("name", Kind::Text, "its name, for people"),
    Attribute::optional("description", Kind::Text, "why, for people"),
    Attribute::optional("correlatorId", Kind::Text, "the caller's own id of it"),
    Attribute::optional("authorizationCode", Kind::Text, "the channel's own id of it"),
    Attribute::optional(
        "taxAmount",
        Kind::Money,
        "the tax in it, where the caller knows it",
    ),
    Attribute::read_only("status", Kind::Text, "how far it has come"),
    Attribute::read_only("statusDate", Kind::Instant, "since when"),
    Attribute::read_only("refundDate", Kind::Instant, "when it was given back"),
    Attribute::read_only(
        "relatedParty",
        RELATED_PARTIES,
        "the customer, in the role customer",
    ),
];
