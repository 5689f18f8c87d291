//! `plimsoll completions` and `plimsoll man`, generated from the command line's own definition.

use clap::{Args, CommandFactory as _};
use clap_complete::Shell;

use super::{Cli, Failure, output::print};
use crate::exit::ExitStatus;

/// Arguments of `completions`.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  plimsoll completions bash > ~/.local/share/bash-completion/completions/plimsoll")]
pub(super) struct CompletionsArgs {
    /// Which shell.
    #[arg(value_enum)]
    shell: Shell,
}

/// Prints the completion script.
pub(super) fn completions(args: &CompletionsArgs) -> Result<ExitStatus, Failure> {
    let mut bytes = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "plimsoll", &mut bytes);
    print(&bytes)
}

/// Prints the manual page: the program, then each command.
pub(super) fn man() -> Result<ExitStatus, Failure> {
    let mut bytes = Vec::new();
    let mut command = Cli::command();
    command.build();
    render(command.clone(), &mut bytes)?;
    for subcommand in command.get_subcommands().filter(|subcommand| subcommand.get_name() != "help") {
        let name: &'static str = Box::leak(format!("plimsoll {}", subcommand.get_name()).into_boxed_str());
        render(subcommand.clone().name(name), &mut bytes)?;
    }
    print(&bytes)
}

fn render(command: clap::Command, bytes: &mut Vec<u8>) -> Result<(), Failure> {
    clap_mangen::Man::new(command).render(bytes).map_err(|error| Failure::new(format!("cannot write the manual page: {error}")))
}
