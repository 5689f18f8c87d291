//! `plimsoll policy`: check, explain and print policies.

use std::io::Write as _;

use clap::{Args, Subcommand};

use super::{Failure, options::PolicyOptions, output::print, setup};
use crate::{exit::ExitStatus, policy};

/// Subcommands of `policy`.
#[derive(Debug, Subcommand)]
pub(super) enum PolicyCommand {
    /// Validate policy files and point out what can never work.
    Check(FilesArgs),
    /// Print a policy in sentences.
    Explain(FilesArgs),
    /// Print the JSON Schema of the policy format.
    Schema,
    /// Print a built-in policy, as a start for your own.
    Show(ShowArgs),
}

/// Arguments of `policy check` and `policy explain`.
#[derive(Debug, Args)]
pub(super) struct FilesArgs {
    /// Files or built-in names, merged in this order. Default: plimsoll.yaml in this folder, else `baseline`.
    #[arg(value_name = "POLICY")]
    policy: Vec<String>,
}

/// Arguments of `policy show`.
#[derive(Debug, Args)]
pub(super) struct ShowArgs {
    /// Name of the built-in.
    #[arg(value_name = "NAME", default_value = "baseline")]
    name: String,
}

/// Runs a subcommand.
pub(super) fn run(command: PolicyCommand) -> Result<ExitStatus, Failure> {
    let mut text = Vec::new();
    match command {
        PolicyCommand::Check(args) => {
            let policy = load(args)?;
            let notices = policy::check(&policy, setup::now());
            for notice in &notices {
                let _ = writeln!(text, "{notice}");
            }
            let _ = writeln!(text, "policy {} is valid ({}), {} notice(s)", policy.name, policy.digest, notices.len());
        }
        PolicyCommand::Explain(args) => {
            let _ = write!(text, "{}", policy::explain(&load(args)?));
        }
        PolicyCommand::Schema => {
            let _ = write!(text, "{}", policy::schema_json());
        }
        PolicyCommand::Show(args) => {
            let name = args.name.strip_prefix("builtin:").unwrap_or(&args.name);
            let (_, builtin) = policy::load::BUILTINS.iter().find(|(known, _)| *known == name).ok_or_else(|| {
                let known: Vec<_> = policy::load::BUILTINS.iter().map(|(name, _)| *name).collect();
                Failure::new(format!("no built-in policy is called `{name}`")).hint(format!("known: {}", known.join(", ")))
            })?;
            let _ = write!(text, "{builtin}");
        }
    }
    print(&text)
}

fn load(args: FilesArgs) -> Result<crate::model::policy::Policy, Failure> {
    let references = PolicyOptions { policy: args.policy }.references();
    Ok(policy::load::load(&references)?)
}
