//! `plimsoll policy`: check, explain and print policies.

use std::io::Write as _;

use clap::{Args, Subcommand};

use super::{Failure, options::PolicyOptions, output::print, setup};
use crate::{exit::ExitStatus, model::policy::Policy, pipeline, policy};

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

fn load(args: FilesArgs) -> Result<Policy, Failure> {
    let references = PolicyOptions { policy: args.policy }.references();
    let policy = policy::load::load(&references)?;
    check_rules(&policy)?;
    Ok(policy)
}

/// Refuses a policy that says something of a rule that does not exist: what was meant would go unheeded.
pub(super) fn check_rules(policy: &Policy) -> Result<(), Failure> {
    let of_shellcheck = |name: &str| {
        let number = name.get(..2).filter(|head| head.eq_ignore_ascii_case("SC")).and_then(|_| name.get(2..));
        number.is_some_and(|number| !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()))
    };
    let Some(name) = policy.rules.set.keys().find(|name| !of_shellcheck(name) && pipeline::rule(name).is_none()) else { return Ok(()) };
    let hint = match policy::nearest(name, pipeline::rules().iter().map(|meta| meta.id)) {
        Some(near) => format!("did you mean `{near}`?"),
        None => "`plimsoll explain` lists every rule".to_owned(),
    };
    Err(Failure::new(format!("the policy {} sets the rule `{name}` under `rules.set`, and there is no such rule", policy.name)).hint(hint))
}
