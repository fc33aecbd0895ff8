//! Who calls: the address of the client, the host and scheme that it used, believed from a proxy only if trusted.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::str::FromStr;

use http::HeaderMap;
use http::header::{FORWARDED, HOST, HeaderName};

use crate::layer::{Layer, Next, Request, Response};

/// The other end of the connection, set by the listener.
#[derive(Debug, Clone, Copy)]
pub struct Peer(pub SocketAddr);

/// Where a request came from, for the layers inside and for the application (request extension).
#[derive(Debug, Clone)]
pub struct Origin {
    /// The client, or the nearest proxy that isn't trusted.
    pub address: IpAddr,
    /// Whether the client spoke TLS, at a proxy before us.
    pub https: bool,
    /// Host and port as the client wrote them, in lower case; empty when it named none.
    pub authority: String,
}

/// A range of addresses in CIDR notation; a bare address is a range of one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Network {
    address: IpAddr,
    prefix: u8,
}

impl FromStr for Network {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("`{text}` is no address or range such as 10.0.0.0/8");
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix.parse::<u8>().map_err(|_| wrong())?)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().map_err(|_| wrong())?;
        let longest = if address.is_ipv4() { 32 } else { 128 };
        let prefix = prefix.unwrap_or(longest);
        if prefix > longest {
            return Err(wrong());
        }
        Ok(Self { address, prefix })
    }
}

impl Network {
    pub fn contains(&self, address: IpAddr) -> bool {
        match (self.address, address) {
            (IpAddr::V4(own), IpAddr::V4(other)) => {
                let hidden = 32 - u32::from(self.prefix);
                own.to_bits().checked_shr(hidden) == other.to_bits().checked_shr(hidden)
            }
            (IpAddr::V6(own), IpAddr::V6(other)) => {
                let hidden = 128 - u32::from(self.prefix);
                own.to_bits().checked_shr(hidden) == other.to_bits().checked_shr(hidden)
            }
            _ => false,
        }
    }
}

/// One client's key for limits: an IPv6 customer holds a whole /64, so single addresses of it are worth nothing.
pub fn limit_key(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(six) => IpAddr::V6(Ipv6Addr::from_bits(six.to_bits() >> 64 << 64)),
    }
}

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const X_FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
const X_FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
const BELIEVED_INSIDE: [HeaderName; 6] = [
    FORWARDED,
    X_FORWARDED_FOR,
    X_FORWARDED_HOST,
    X_FORWARDED_PROTO,
    HeaderName::from_static("x-forwarded-port"),
    HeaderName::from_static("x-real-ip"),
];

/// Finds the [`Origin`] and takes the headers away that claim another one, so that nothing inside believes them.
pub struct FindOrigin {
    pub trusted_proxies: Vec<Network>,
    /// Whether a proxy before this gateway ends TLS (`behind_tls_proxy`).
    pub https: bool,
}

impl FindOrigin {
    fn trusts(&self, address: IpAddr) -> bool {
        self.trusted_proxies
            .iter()
            .any(|network| network.contains(address))
    }

    /// Each proxy appends the address it was called from, so the list is read from its end for as long as the
    /// writer is trusted: what stands further left may be made up.
    fn client(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        let mut client = peer;
        let lists: Vec<&str> = headers
            .get_all(X_FORWARDED_FOR)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .collect();
        for hop in lists.iter().rev().flat_map(|list| list.rsplit(',')) {
            if !self.trusts(client) {
                break;
            }
            match hop.trim().parse::<IpAddr>() {
                Ok(address) => client = address.to_canonical(),
                Err(_) => break,
            }
        }
        client
    }

    fn origin(&self, request: &Request) -> Origin {
        let headers = request.headers();
        let peer = request
            .extensions()
            .get::<Peer>()
            .map(|peer| peer.0.ip().to_canonical());
        let peer = peer.unwrap_or(IpAddr::V6(Ipv6Addr::UNSPECIFIED));
        let own = request
            .uri()
            .authority()
            .map(http::uri::Authority::as_str)
            .or_else(|| text(headers, &HOST));
        let mut origin = Origin {
            address: peer,
            https: self.https,
            authority: own.unwrap_or_default().to_ascii_lowercase(),
        };
        if self.trusts(peer) {
            origin.address = self.client(peer, headers);
            if let Some(scheme) = text(headers, &X_FORWARDED_PROTO) {
                origin.https = last(scheme).eq_ignore_ascii_case("https");
            }
            if let Some(host) = text(headers, &X_FORWARDED_HOST) {
                origin.authority = last(host).to_ascii_lowercase();
            }
        }
        origin
    }
}

fn text<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Option<&'h str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

fn last(list: &str) -> &str {
    list.rsplit(',').next().unwrap_or(list).trim()
}

impl Layer for FindOrigin {
    async fn handle<N: Next>(&self, mut request: Request, next: &N) -> Response {
        let origin = self.origin(&request);
        for name in &BELIEVED_INSIDE {
            request.headers_mut().remove(name);
        }
        request.extensions_mut().insert(origin);
        next.run(request).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_hold_what_they_say() {
        let table = [
            ("10.0.0.0/8", "10.255.0.1", true),
            ("10.0.0.0/8", "11.0.0.1", false),
            ("192.168.1.7", "192.168.1.7", true),
            ("192.168.1.7", "192.168.1.8", false),
            ("0.0.0.0/0", "203.0.113.9", true),
            ("0.0.0.0/0", "::1", false),
            ("2001:db8::/32", "2001:db8:1::5", true),
            ("2001:db8::/32", "2001:db9::5", false),
        ];
        for (range, address, expected) in table {
            let network: Network = range.parse().unwrap();
            assert_eq!(
                network.contains(address.parse().unwrap()),
                expected,
                "{address} in {range}"
            );
        }
        for wrong in ["", "10.0.0.0/33", "10.0.0/8", "::/129", "host", "10.0.0.0/x"] {
            assert!(wrong.parse::<Network>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn forwarded_addresses_count_from_the_end_while_the_writer_is_trusted() {
        let layer = FindOrigin {
            trusted_proxies: vec!["10.0.0.0/8".parse().unwrap()],
            https: false,
        };
        let table = [
            ("203.0.113.5", "198.51.100.1", "203.0.113.5"),
            ("10.0.0.1", "198.51.100.1", "198.51.100.1"),
            ("10.0.0.1", "1.1.1.1, 198.51.100.1, 10.0.0.2", "198.51.100.1"),
            ("10.0.0.1", "1.1.1.1, nonsense", "10.0.0.1"),
            ("10.0.0.1", "", "10.0.0.1"),
        ];
        for (peer, list, expected) in table {
            let mut headers = HeaderMap::new();
            headers.insert(X_FORWARDED_FOR, list.parse().unwrap());
            let client = layer.client(peer.parse().unwrap(), &headers);
            assert_eq!(client, expected.parse::<IpAddr>().unwrap(), "{peer} says {list}");
        }
    }

    #[test]
    fn an_ipv6_network_is_one_client() {
        let key = |text: &str| limit_key(text.parse().unwrap());
        assert_eq!(key("2001:db8:0:1::1"), key("2001:db8:0:1:ffff::2"));
        assert_ne!(key("2001:db8:0:1::1"), key("2001:db8:0:2::1"));
        assert_ne!(key("192.0.2.1"), key("192.0.2.2"));
    }
}
