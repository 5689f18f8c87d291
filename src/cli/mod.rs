//! Command line in, exit code out: clap arguments, environment variables and the clock; builds the inputs of the pipeline.

mod build_context;
mod cache;
mod db;
mod diff;
mod explain;
mod failure;
mod gate;
mod hadolint;
mod inventory;
mod limits;
mod lint;
mod options;
mod output;
mod pin;
mod policy;
mod rewrite;
mod scan;
mod search;
mod setup;
mod shell;
mod shellcheck;
mod signers;
mod tracked;
mod verify;

use std::{
    io::{IsTerminal as _, Write as _},
    panic::{AssertUnwindSafe, catch_unwind, set_hook, take_hook},
    process::ExitCode,
    sync::Arc,
};

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::{
    exit::ExitStatus,
    pipeline,
    progress::{Bars, SharedProgress, Silent},
};

use failure::Failure;

/// Image supply-chain scanner and signing gate for CI.
///
/// Lints Dockerfiles, inventories an image's packages, matches them against an offline advisory database, looks for credentials and
/// risky permissions in its layers, merges Amazon ECR and Inspector findings, verifies signatures, and judges all of it by one policy.
#[derive(Debug, Parser)]
#[command(
    name = "plimsoll",
    version,
    propagate_version = true,
    subcommand_required = true,
    arg_required_else_help = true,
    after_help = "Exit codes, whatever the command and format:\n  0  the policy passes\n  1  the policy fails\n  2  error: arguments, policy file, unreadable input\n  3  nothing failed, but something required could not be looked at\n\nStart with:  plimsoll gate IMAGE --dockerfile Dockerfile"
)]
struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Command,
}

/// Options that every command has.
#[derive(Debug, Clone, Args)]
struct Global {
    /// When to colour output for people.
    #[arg(long, global = true, value_enum, default_value_t = When::Auto, value_name = "WHEN")]
    color: When,
    /// No progress on standard error; of `db build` and `db update` the gaps alone.
    #[arg(long, short, global = true)]
    quiet: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum When {
    Auto,
    Always,
    Never,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// The whole gate: Dockerfile, packages, files, AWS findings, signatures, one verdict.
    Gate(gate::GateArgs),
    /// Judge and mend Dockerfiles alone; no image, and no network but for --pin and rules of the policy that ask for base images.
    Lint(lint::LintArgs),
    /// List an image's packages, as a table or an SBOM.
    Inventory(inventory::InventoryArgs),
    /// Judge an image's packages and files; no Dockerfile, no configuration, no signatures.
    Scan(scan::ScanArgs),
    /// Find and check an image's signatures.
    Verify(verify::VerifyArgs),
    /// Build, update and inspect the offline advisory database.
    #[command(subcommand)]
    Db(db::DbCommand),
    /// Check and explain policy files.
    #[command(subcommand)]
    Policy(policy::PolicyCommand),
    /// Explain a rule, an advisory, a reason code or a kind of gap.
    Explain(explain::ExplainArgs),
    /// Print a completion script for a shell.
    Completions(shell::CompletionsArgs),
    /// Print the manual page (roff).
    Man,
}

/// Runs the program. Every way out of it is one of the four exit codes; a panic is an error too.
#[must_use]
pub fn run() -> ExitCode {
    let tell = take_hook();
    set_hook(Box::new(move |panic| {
        if !pipeline::panics_are_answers() {
            tell(panic);
        }
    }));
    let status = catch_unwind(AssertUnwindSafe(parse_and_dispatch)).unwrap_or(ExitStatus::Error);
    ExitCode::from(status.code())
}

fn parse_and_dispatch() -> ExitStatus {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version are answers, everything else is a usage error.
            let status = if error.use_stderr() { ExitStatus::Error } else { ExitStatus::Pass };
            let _ = error.print();
            return status;
        }
    };
    dispatch(cli).unwrap_or_else(|failure| {
        let _ = write!(std::io::stderr().lock(), "{failure}");
        ExitStatus::Error
    })
}

fn dispatch(cli: Cli) -> Result<ExitStatus, Failure> {
    let global = &cli.global;
    match cli.command {
        Command::Gate(args) => block_on(gate::run(args, global)),
        Command::Lint(args) => block_on_here(lint::run(args, global)),
        Command::Inventory(args) => block_on(inventory::run(args, global)),
        Command::Scan(args) => block_on(scan::run(args, global)),
        Command::Verify(args) => block_on(verify::run(args, global)),
        Command::Db(command) => block_on(db::run(command, global)),
        Command::Policy(command) => policy::run(command),
        Command::Explain(args) => explain::run(&args),
        Command::Completions(args) => shell::completions(&args),
        Command::Man => shell::man(),
    }
}

fn block_on(work: impl Future<Output = Result<ExitStatus, Failure>>) -> Result<ExitStatus, Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::new(format!("cannot start the async runtime: {error}")))?;
    let answer = runtime.block_on(work);
    // A stuck name look-up or download must not hold the process after the verdict.
    runtime.shutdown_background();
    answer
}

/// For what talks to nobody: starting threads for it would take longer than the work.
fn block_on_here(work: impl Future<Output = Result<ExitStatus, Failure>>) -> Result<ExitStatus, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.map_err(|error| Failure::new(format!("cannot start the async runtime: {error}")))?.block_on(work)
}

impl Global {
    /// Whether output for people on standard output is coloured: a terminal, unless `NO_COLOR` or `TERM=dumb` says otherwise.
    fn colour(&self, to_terminal: bool) -> bool {
        match self.color {
            When::Always => true,
            When::Never => false,
            When::Auto => to_terminal && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty()) && !dumb_terminal(),
        }
    }

    /// Bars where a person watches, silence elsewhere.
    fn progress(&self) -> SharedProgress {
        let watched = std::io::stderr().is_terminal() && std::env::var_os("CI").is_none() && !dumb_terminal();
        if self.quiet || !watched { Arc::new(Silent) } else { Arc::new(Bars::default()) }
    }
}

fn dumb_terminal() -> bool {
    std::env::var_os("TERM").is_some_and(|term| term == "dumb")
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::Cli;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }
}
