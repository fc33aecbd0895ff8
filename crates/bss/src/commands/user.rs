//! `bss user`: users of the built-in issuer.

use bss_app::identity::secret;
use bss_app::identity::user::NewUser;

use super::direct::{self, ACTOR};
use crate::cli::{UserCommand, UserOptions};
use crate::config::Config;
use crate::failure::Failure;
use crate::output;

/// Adds and lists users, and gives new passwords.
pub async fn run(config: &Config, command: UserCommand) -> Result<(), Failure> {
    match command {
        UserCommand::Add(options) => add(config, options).await,
        UserCommand::Password { name } => {
            let password = secret::generate_password();
            direct::open_identity(config)
                .await?
                .set_password(&name, &password, ACTOR)
                .await?;
            output::line(&password);
            Ok(())
        }
        UserCommand::List { tenant, json } => list(config, &tenant, json.json).await,
    }
}

async fn add(config: &Config, options: UserOptions) -> Result<(), Failure> {
    let roles = direct::roles(&options.role)?;
    let identity = direct::open_identity(config).await?;
    let password = secret::generate_password();
    let new = NewUser {
        tenant: direct::tenant(&identity, &options.tenant).await?,
        display_name: options.display_name.unwrap_or_else(|| options.name.clone()),
        name: options.name,
        roles,
        party: options.party,
    };
    identity.add_user(new, &password, ACTOR).await?;
    output::line(&password);
    Ok(())
}

async fn list(config: &Config, tenant: &str, json: bool) -> Result<(), Failure> {
    let identity = direct::open_identity(config).await?;
    let users = identity
        .users(direct::tenant(&identity, tenant).await?, ACTOR)
        .await?;
    let roles = |user: &bss_app::identity::user::User| -> Vec<&'static str> {
        user.roles.iter().map(|role| role.name()).collect()
    };
    if json {
        let users: Vec<_> = users
            .iter()
            .map(|user| {
                serde_json::json!({
                    "name": user.name,
                    "displayName": user.display_name,
                    "roles": roles(user),
                    "party": user.party,
                    "disabled": user.disabled,
                })
            })
            .collect();
        return output::json(&serde_json::json!({"users": users}));
    }
    let heading = ["NAME", "SHOWN AS", "ROLES", "STATE"].map(str::to_owned).to_vec();
    let rows = users.iter().map(|user| {
        let state = if user.disabled { "disabled" } else { "" };
        vec![
            user.name.clone(),
            user.display_name.clone(),
            roles(user).join(","),
            state.to_owned(),
        ]
    });
    output::table(&std::iter::once(heading).chain(rows).collect::<Vec<_>>());
    Ok(())
}
