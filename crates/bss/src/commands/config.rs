//! `bss config`: what is in force, and where each value came from.

use crate::cli::JsonOption;
use crate::config::Loaded;
use crate::failure::Failure;
use crate::output;

/// Prints every setting; mistakes follow, and make it fail.
pub fn run(loaded: Loaded, options: &JsonOption) -> Result<(), Failure> {
    if options.json {
        output::json(&serde_json::json!({"settings": loaded.report, "mistakes": loaded.mistakes()}))?;
    } else {
        let heading = ["SETTING", "VALUE", "FROM"].map(str::to_owned).to_vec();
        let rows = loaded.report.iter().map(|setting| {
            vec![
                setting.name.to_owned(),
                setting.value.clone(),
                setting.origin.to_string(),
            ]
        });
        output::table(&std::iter::once(heading).chain(rows).collect::<Vec<_>>());
    }
    loaded.into_config().map(drop)
}
