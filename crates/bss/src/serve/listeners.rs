//! Opening ports: one that is taken is named with its holder, or left aside with `--auto-ports`.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use bss_platform::PlatformError;
use bss_platform::ports::{PortHolder, holder_of};
use tokio::net::TcpListener;

use crate::failure::Failure;

/// How far `--auto-ports` looks.
const AUTO_RANGE: u16 = 200;

/// The open addresses of this process by name.
#[derive(Debug, Clone, Default)]
pub struct Listeners {
    open: Arc<Mutex<BTreeMap<String, String>>>,
}

impl Listeners {
    /// Opens an address and notes it under a name.
    pub async fn open(
        &self,
        name: &str,
        wanted: SocketAddr,
        auto_ports: bool,
    ) -> Result<TcpListener, Failure> {
        let listener = bind(wanted, auto_ports).await?;
        let address = listener
            .local_addr()
            .map_err(|error| Failure::refused(error.to_string()))?;
        self.note(name, address.to_string());
        Ok(listener)
    }

    /// Notes an address that is open elsewhere.
    pub fn note(&self, name: &str, address: String) {
        self.open
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(name.to_owned(), address);
    }

    /// Every open address by name.
    pub fn all(&self) -> BTreeMap<String, String> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

async fn bind(wanted: SocketAddr, auto_ports: bool) -> Result<TcpListener, Failure> {
    let last = if auto_ports {
        wanted.port().saturating_add(AUTO_RANGE)
    } else {
        wanted.port()
    };
    for port in wanted.port()..=last {
        match TcpListener::bind(SocketAddr::new(wanted.ip(), port)).await {
            Ok(listener) => return Ok(listener),
            Err(error) if error.kind() == ErrorKind::AddrInUse => {}
            Err(error) => {
                return Err(Failure::refused(format!(
                    "cannot listen on {}:{port}: {error}",
                    wanted.ip()
                )));
            }
        }
    }
    let port = wanted.port();
    let unknown = PortHolder {
        pid: None,
        command: None,
    };
    Err(if auto_ports {
        PlatformError::NoFreePort { first: port, last }.into()
    } else {
        let holder = holder_of(port).unwrap_or(unknown);
        PlatformError::PortInUse { port, holder }.into()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_taken_port_is_named_and_auto_ports_moves_on() {
        let taken = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = taken.local_addr().unwrap();
        let listeners = Listeners::default();
        let error = listeners
            .open("gateway", address, false)
            .await
            .unwrap_err()
            .to_string();
        assert!(error.contains(&address.port().to_string()), "{error}");
        assert!(
            error.contains(&format!("process {}", std::process::id())),
            "{error}"
        );
        let moved = listeners.open("gateway", address, true).await.unwrap();
        assert!(moved.local_addr().unwrap().port() > address.port());
        assert_eq!(
            listeners.all()["gateway"],
            moved.local_addr().unwrap().to_string()
        );
    }
}
