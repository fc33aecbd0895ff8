//! The parameters of a protocol request, and the encoding of answers into URLs.

use std::collections::BTreeMap;
use std::fmt::Write as _;

/// The longest value that is looked at; a longer one is refused.
const VALUE_BYTES_MAX: usize = 4096;

/// Parameters by name. An empty one counts as left out, and none may stand twice (RFC 6749 §3.1, §3.2).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Params(BTreeMap<String, String>);

impl Params {
    /// From the decoded pairs of a query or a form.
    ///
    /// # Errors
    /// Says which parameter stands twice or is too long.
    pub fn parse(pairs: Vec<(String, String)>) -> Result<Self, String> {
        let mut params = BTreeMap::new();
        for (name, value) in pairs {
            if value.len() > VALUE_BYTES_MAX {
                return Err(format!("{name} is too long"));
            }
            if params.insert(name.clone(), value).is_some() {
                return Err(format!("{name} stands twice"));
            }
        }
        params.retain(|_, value| !value.is_empty());
        Ok(Self(params))
    }

    /// The value of a parameter that was sent and isn't empty.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// The words of a space-separated parameter.
    pub fn words(&self, name: &str) -> Vec<&str> {
        self.get(name)
            .unwrap_or_default()
            .split_ascii_whitespace()
            .collect()
    }

    /// The parameters without some, as a query.
    pub fn query_without(&self, left_out: &[&str]) -> String {
        let kept = self
            .0
            .iter()
            .filter(|(name, _)| !left_out.contains(&name.as_str()));
        encode(kept.map(|(name, value)| (name.as_str(), value.as_str())))
    }
}

/// Pairs as a query (`application/x-www-form-urlencoded`).
pub fn encode<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
    let mut query = String::new();
    for (name, value) in pairs {
        if !query.is_empty() {
            query.push('&');
        }
        percent(&mut query, name);
        query.push('=');
        percent(&mut query, value);
    }
    query
}

/// An address with further parameters: its own query is kept (RFC 6749 §3.1.2).
pub fn append(address: &str, pairs: &[(&str, &str)]) -> String {
    if pairs.is_empty() {
        return address.to_owned();
    }
    let query = encode(pairs.iter().copied());
    let joint = match address.find('?') {
        None => "?",
        Some(at) if at + 1 == address.len() => "",
        Some(_) => "&",
    };
    format!("{address}{joint}{query}")
}

fn percent(query: &mut String, text: &str) {
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            query.push(char::from(byte));
        } else {
            // Writing into a string never fails.
            let _ = write!(query, "%{byte:02X}");
        }
    }
}

/// Decodes what HTTP Basic carries (RFC 6749 §2.3.1: form-encoded id and secret).
pub fn decode(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => {
                let digit = |byte: Option<u8>| char::from(byte?).to_digit(16);
                (digit(rest.next())? * 16 + digit(rest.next())?) as u8
            }
            other => other,
        });
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(list: &[(&str, &str)]) -> Vec<(String, String)> {
        list.iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect()
    }

    #[test]
    fn a_parameter_stands_once_and_empty_is_left_out() {
        let params = Params::parse(pairs(&[("a", "1"), ("b", ""), ("scope", " openid  profile ")])).unwrap();
        assert_eq!(
            (params.get("a"), params.get("b"), params.get("c")),
            (Some("1"), None, None)
        );
        assert_eq!(params.words("scope"), ["openid", "profile"]);
        assert_eq!(params.query_without(&["a"]), "scope=%20openid%20%20profile%20");
        assert_eq!(
            Params::parse(pairs(&[("a", "1"), ("a", "1")])),
            Err("a stands twice".to_owned())
        );
        assert!(Params::parse(pairs(&[("a", &"x".repeat(5000))])).is_err());
    }

    #[test]
    fn addresses_keep_their_own_query() {
        for (address, expected) in [
            ("https://c/cb", "https://c/cb?code=a%2Bb&state=%C3%A9%20%26"),
            (
                "https://c/cb?x=1",
                "https://c/cb?x=1&code=a%2Bb&state=%C3%A9%20%26",
            ),
            ("https://c/cb?", "https://c/cb?code=a%2Bb&state=%C3%A9%20%26"),
        ] {
            assert_eq!(append(address, &[("code", "a+b"), ("state", "é &")]), expected);
        }
        assert_eq!(append("https://c/", &[]), "https://c/");
    }

    #[test]
    fn basic_credentials_are_decoded() {
        for (text, expected) in [
            ("plain", Some("plain")),
            ("a%3Ab+c", Some("a:b c")),
            ("%C3%A9", Some("é")),
            ("%C3", None),
            ("%zz", None),
            ("%4", None),
        ] {
            assert_eq!(decode(text).as_deref(), expected, "{text}");
        }
    }
}
