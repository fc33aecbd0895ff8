//! The built-in issuer of this process, and what a new database gets.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use bss_api::issuer::{Issuer, IssuerConfig};
use bss_app::identity::{Identity, IdentityError};
use bss_platform::secrets;
use bss_store::Store;

use crate::failure::Failure;

/// The secret that seals the issuer's signing keys.
const ISSUER_SECRET: &str = "issuer";
/// The first sign-in names with their generated passwords.
const SIGN_IN: &str = "sign-in";

/// The use cases of identity, with this data folder's secret.
pub fn identity(data_dir: &Path, store: Store) -> Result<Identity, Failure> {
    let secret = secrets::read_or_generate(data_dir, ISSUER_SECRET)?;
    Ok(Identity::new(store, &secret)?)
}

/// Makes what a new database lacks, and starts the issuer at these addresses.
pub async fn start(data_dir: &Path, store: Store, public_urls: &[String]) -> Result<Arc<Issuer>, Failure> {
    let identity = identity(data_dir, store)?;
    let made = identity.bootstrap(public_urls).await?;
    if !made.users.is_empty() {
        let lines: Vec<String> = made
            .users
            .iter()
            .map(|(name, password)| format!("{name} {password}"))
            .collect();
        secrets::write(data_dir, SIGN_IN, &lines.join("\n"))?;
        tracing::info!(users = made.users.len(), "first sign-in names made");
    }
    Ok(Issuer::start(Arc::new(identity), IssuerConfig::new(public_urls.to_vec())).await?)
}

/// The file with the first sign-in names, where there is one.
pub fn sign_in_file(data_dir: &Path) -> Option<PathBuf> {
    let path = secrets::path_of(data_dir, SIGN_IN);
    path.exists().then_some(path)
}

/// The names in that file, without their passwords; none where it can't be read.
pub fn sign_in_names(file: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(file).unwrap_or_default();
    text.lines()
        .filter_map(|line| line.split_whitespace().next())
        .map(str::to_owned)
        .collect()
}

impl From<IdentityError> for Failure {
    fn from(error: IdentityError) -> Self {
        Self::Refused(error.to_string())
    }
}
