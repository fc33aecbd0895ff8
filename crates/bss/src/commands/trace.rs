//! `bss trace`: from any id the chain of everything that it caused or came from.

use bss_app::trace::{trace, tree};

use super::direct;
use crate::cli::TraceOptions;
use crate::config::Config;
use crate::failure::Failure;
use crate::output;

/// Prints the chain as a tree, or as the explanation that the API gives.
pub async fn run(config: &Config, options: &TraceOptions) -> Result<(), Failure> {
    let (app, context) = direct::app(config, &options.tenant).await?;
    let found = trace(&app, &context, options.id).await?;
    if options.json {
        return output::json(&found);
    }
    for line in tree(&found).lines() {
        output::line(line);
    }
    Ok(())
}
