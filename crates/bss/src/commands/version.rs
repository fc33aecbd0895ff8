//! `bss version`

use crate::failure::Failure;
use crate::output;

/// Prints the version.
pub fn run(json: bool) -> Result<(), Failure> {
    let version = env!("CARGO_PKG_VERSION");
    if json {
        return output::json(&serde_json::json!({"name": "bss", "version": version}));
    }
    output::line(&format!("bss {version}"));
    Ok(())
}
