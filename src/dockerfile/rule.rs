//! `Rule`: what a Dockerfile rule is, and `Dockerfile`: what it looks at.

use std::ops::Range;

use crate::model::{
    finding::Finding,
    location::{Location, Span},
    rule::RuleMeta,
    severity::Severity,
};

use super::{
    command::Command,
    instruction::Instruction,
    parse::Refusal,
    source::{Comment, Directives, Source},
    stages::{Graph, Stage},
};

/// One thing to look for.
pub(super) trait Rule: Sync {
    /// What there is to say about it.
    fn meta(&self) -> &'static RuleMeta;
    /// Its findings in file order; no I/O, no state.
    fn check(&self, dockerfile: &Dockerfile<'_>) -> Vec<Finding>;
}

/// One Dockerfile, read and resolved.
#[derive(Debug)]
pub(super) struct Dockerfile<'a> {
    /// The path as the user named it.
    pub(super) file: &'a str,
    /// The text.
    pub(super) source: Source,
    /// The head of the file.
    pub(super) directives: Directives,
    /// Comments outside heredocs.
    pub(super) comments: Vec<Comment>,
    /// Instructions in order.
    pub(super) instructions: Vec<Instruction>,
    /// Stages, values and images.
    pub(super) graph: Graph,
    /// Per instruction, the commands that it runs.
    pub(super) commands: Vec<Vec<Command>>,
    /// Everything that BuildKit refuses.
    pub(super) refusals: Vec<Refusal>,
}

impl Dockerfile<'_> {
    /// Every command of the build with its instruction; not those of CMD, ENTRYPOINT and HEALTHCHECK.
    pub(super) fn build_commands(&self) -> impl Iterator<Item = (&Instruction, &Command)> {
        self.all_commands().filter(|(instruction, _)| instruction.trigger.as_deref().unwrap_or(instruction).keyword == "RUN")
    }

    /// Every command with its instruction, those that run when the container starts included.
    pub(super) fn all_commands(&self) -> impl Iterator<Item = (&Instruction, &Command)> {
        self.instructions
            .iter()
            .zip(&self.commands)
            .flat_map(|(instruction, commands)| commands.iter().map(move |command| (instruction, command)))
    }

    /// Every instruction that runs shell code, with all its commands.
    pub(super) fn scripts(&self) -> impl Iterator<Item = (&Instruction, &[Command])> {
        self.instructions
            .iter()
            .zip(&self.commands)
            .filter(|(_, commands)| !commands.is_empty())
            .map(|(instruction, commands)| (instruction, commands.as_slice()))
    }

    /// The instructions with one keyword, triggers of ONBUILD included, with their places.
    pub(super) fn with_keyword<'a>(&'a self, keyword: &'a str) -> impl Iterator<Item = (usize, &'a Instruction)> {
        self.instructions.iter().enumerate().filter_map(move |(index, instruction)| {
            let instruction = instruction.trigger.as_deref().unwrap_or(instruction);
            (instruction.keyword == keyword).then_some((index, instruction))
        })
    }

    /// The final stage.
    pub(super) fn final_stage(&self) -> Option<&Stage> {
        self.graph.stages.get(self.graph.final_stage?)
    }

    /// A finding about a whole instruction.
    pub(super) fn finding(&self, meta: &'static RuleMeta, severity: Severity, instruction: &Instruction, title: String) -> Finding {
        Finding::of_rule(meta, severity, title, self.location(&instruction.range))
    }

    /// A finding about a part of an instruction, by offsets into its joined text.
    pub(super) fn finding_at(
        &self,
        meta: &'static RuleMeta,
        severity: Severity,
        instruction: &Instruction,
        part: &Range<usize>,
        title: String,
    ) -> Finding {
        Finding::of_rule(meta, severity, title, self.location(&instruction.logical.range(part)))
    }

    /// A finding about one command.
    pub(super) fn finding_in(&self, meta: &'static RuleMeta, severity: Severity, command: &Command, title: String) -> Finding {
        Finding::of_rule(meta, severity, title, self.location(&command.range))
    }

    /// A finding for each command that `is_faulty`.
    pub(super) fn where_run(&self, meta: &'static RuleMeta, is_faulty: impl Fn(&Command) -> bool, title: &str) -> Vec<Finding> {
        let faulty = self.all_commands().filter(|(_, command)| is_faulty(command));
        faulty.map(|(_, command)| self.finding_in(meta, meta.severity, command, title.to_owned())).collect()
    }

    /// A finding for each ENV, ARG, export and assignment in RUN that gives a variable (name, value) a value that `is_faulty`.
    pub(super) fn where_set(
        &self,
        meta: &'static RuleMeta,
        is_faulty: impl Fn(&str, &str) -> bool,
        title: impl Fn(&str) -> String,
    ) -> Vec<Finding> {
        let mut findings = Vec::new();
        for keyword in ["ENV", "ARG"] {
            for (index, instruction) in self.with_keyword(keyword) {
                let values = self.graph.values.get(index).map_or(&[][..], Vec::as_slice);
                for (pair, value) in instruction.pairs().iter().zip(values) {
                    if pair.value.is_some() && value.is_decided() && is_faulty(pair.name, &value.text) {
                        let part = pair.at..pair.at + pair.name.len();
                        findings.push(self.finding_at(meta, meta.severity, instruction, &part, title(pair.name)));
                    }
                }
            }
        }
        for (_, command) in self.all_commands() {
            let exports = command.is_one_of(&["export", "declare"]);
            let exported = command.arguments().iter().filter(|_| exports).filter_map(|word| word.text.split_once('='));
            let assigned = command.assignments.iter().map(|assignment| (assignment.name.as_str(), assignment.value.text.as_str()));
            // `env` and `sudo` hand their assignments on to the command behind them, which is judged itself.
            let fault = exported.chain(assigned).find(|(name, value)| is_faulty(name, value));
            findings.extend(fault.map(|(name, _)| self.finding_in(meta, meta.severity, command, title(name))));
        }
        findings
    }

    /// The lines and columns of an instruction.
    pub(super) fn span(&self, instruction: &Instruction) -> Span {
        self.source.span(self.file, &instruction.range)
    }

    fn location(&self, range: &Range<usize>) -> Location {
        Location::Dockerfile(self.source.span(self.file, range))
    }
}
