//! An explanation as a tree of text lines.

use std::fmt::Write;

use super::{Amount, Explanation};

/// The tree, a line a node, with a line feed at its end.
pub fn tree(root: &Explanation) -> String {
    let mut out = String::new();
    line(root, &mut out);
    below(root, "", &mut out);
    out
}

fn below(node: &Explanation, indent: &str, out: &mut String) {
    let last = node.children.len().saturating_sub(1);
    for (index, child) in node.children.iter().enumerate() {
        let (branch, deeper) = if index == last {
            ("└─ ", "   ")
        } else {
            ("├─ ", "│  ")
        };
        out.push_str(indent);
        out.push_str(branch);
        line(child, out);
        below(child, &format!("{indent}{deeper}"), out);
    }
}

fn line(node: &Explanation, out: &mut String) {
    let mut text = format!("{} {}", node.kind, node.label);
    if let Some(state) = &node.state {
        text = format!("{text} [{state}]");
    }
    // Writing to a string can't fail.
    if let Some(amount) = node.amount {
        let _ = write!(text, "  {}", money(amount));
    }
    if let Some(quantity) = &node.quantity {
        let _ = write!(text, "  {} {}", quantity.amount, quantity.units);
    }
    if let Some(at) = node.at {
        let _ = write!(text, "  {at}");
    }
    if let Some(why) = &node.why {
        let _ = write!(text, "  — {why}");
    }
    if let Some(id) = node.id {
        let _ = write!(text, "  {id}");
    }
    // A line feed within a text would break the tree.
    out.push_str(&text.replace(['\n', '\r'], " "));
    out.push('\n');
}

/// `16.60 EUR`: at least the currency's decimals, and as many more as there are.
fn money(amount: Amount) -> String {
    let decimals = usize::from(amount.currency.exponent());
    let exact = amount.value.decimal().to_string();
    let (whole, fraction) = exact.split_once('.').unwrap_or((&exact, ""));
    if decimals == 0 && fraction.is_empty() {
        return format!("{whole} {}", amount.currency);
    }
    format!("{whole}.{fraction:0<decimals$} {}", amount.currency)
}

#[cfg(test)]
mod tests {
    use super::*;
    use bss_domain::{Currency, Nano};

    #[test]
    fn a_tree_shows_every_node_on_its_line() {
        let euro = Currency::of("EUR").unwrap();
        let yen = Currency::of("JPY").unwrap();
        let root = Explanation::new("CustomerBill", "INV-000001")
            .state("validated")
            .minor(1_660, euro)
            .unwrap()
            .child(
                Explanation::new("AppliedCustomerBillingRate", "Calls")
                    .amount(Nano(1_234_567_000), euro)
                    .quantity(90, "s")
                    .child(Explanation::new("step", "peak").why("0.10\nper minute")),
            )
            .child(Explanation::new("tax", "S 23 %").minor(-5, yen).unwrap());
        assert_eq!(
            tree(&root),
            "CustomerBill INV-000001 [validated]  16.60 EUR\n\
             ├─ AppliedCustomerBillingRate Calls  1.234567 EUR  90 s\n\
             │  └─ step peak  — 0.10 per minute\n\
             └─ tax S 23 %  -5 JPY\n"
        );
    }

    #[test]
    fn json_gives_back_the_same_tree() {
        let euro = Currency::of("EUR").unwrap();
        let root = Explanation::new("Usage", "voice")
            .amount(Nano(123_456_789), euro)
            .child(Explanation::new("step", "any"));
        let json = serde_json::to_string(&root).unwrap();
        assert!(
            json.contains(r#""amount":{"unit":"EUR","value":0.123456789}"#),
            "{json}"
        );
        assert_eq!(serde_json::from_str::<Explanation>(&json).unwrap(), root);
    }
}
