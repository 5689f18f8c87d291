//! What many rules ask of calls of package managers: findings where one is called in a way, without an option, without versions.

use crate::model::{finding::Finding, fix::Edit, rule::RuleMeta};

use super::{
    command::Command,
    instruction::Instruction,
    package_manager::{Action, Invocation, Manager},
    rule::{Dockerfile, fixed_by, is_run},
};

impl Dockerfile<'_> {
    /// Every call of one of these package managers while the image is built, with its instruction and command.
    pub(super) fn invocations<'b>(
        &'b self,
        managers: &'b [Manager],
    ) -> impl Iterator<Item = (&'b Instruction, &'b Command, Invocation<'b>)> {
        let find = || {
            let calls = |commands: &[Command]| {
                let manager = |at: usize| Some((at, commands.get(at).and_then(Invocation::of)?.manager));
                (0..commands.len()).filter_map(manager).collect()
            };
            let places = self.instructions.iter().zip(&self.commands).enumerate().filter(|(_, (instruction, _))| is_run(instruction));
            places.map(|(index, (_, commands))| (index, calls(commands))).filter(|(_, calls): &(_, Vec<_>)| !calls.is_empty()).collect()
        };
        self.calls.get_or_init(find).iter().flat_map(move |(index, calls)| {
            let found = self.instructions.get(*index).zip(self.commands.get(*index));
            found.into_iter().flat_map(move |(instruction, commands)| {
                let called = calls.iter().filter(|(_, manager)| managers.contains(manager)).filter_map(move |(at, _)| commands.get(*at));
                called.filter_map(move |command| Some((instruction, command, Invocation::of(command)?)))
            })
        })
    }

    /// A finding for each call of one of these package managers that `is_faulty`.
    pub(super) fn where_called(
        &self,
        meta: &'static RuleMeta,
        managers: &[Manager],
        is_faulty: impl Fn(&Invocation<'_>) -> bool,
        title: &str,
    ) -> Vec<Finding> {
        self.where_called_with(meta, managers, is_faulty, title, |_, _| None)
    }

    /// The same, with the edit that takes it away.
    pub(super) fn where_called_with(
        &self,
        meta: &'static RuleMeta,
        managers: &[Manager],
        is_faulty: impl Fn(&Invocation<'_>) -> bool,
        title: &str,
        edit: impl Fn(&Command, &Invocation<'_>) -> Option<Edit>,
    ) -> Vec<Finding> {
        let faulty = self.invocations(managers).filter(|(_, _, invocation)| is_faulty(invocation));
        faulty
            .map(|(_, command, invocation)| {
                let finding = self.finding_in(meta, meta.severity, command, title.to_owned());
                match meta.fix.and_then(|kind| Some((kind, edit(command, &invocation)?))) {
                    Some((kind, edit)) => fixed_by(finding, kind, vec![edit]),
                    None => finding,
                }
            })
            .collect()
    }

    /// A finding for each installation by one of these package managers without an option; the edit puts it behind the word that says to install.
    pub(super) fn where_installed_without(
        &self,
        meta: &'static RuleMeta,
        managers: &[Manager],
        option: &str,
        is_given: impl Fn(&Invocation<'_>) -> bool,
        title: &str,
    ) -> Vec<Finding> {
        let is_faulty = |call: &Invocation<'_>| call.action == Action::Install && !is_given(call);
        self.where_called_with(meta, managers, is_faulty, title, |command, call| self.after_verb(command, call, &format!(" {option}")))
    }

    /// A finding for each call of one of these package managers that names packages without a version; `unpinned` says which.
    pub(super) fn where_unpinned(
        &self,
        meta: &'static RuleMeta,
        managers: &[Manager],
        unpinned: impl for<'a> Fn(&Invocation<'a>) -> Vec<&'a str>,
    ) -> Vec<Finding> {
        let mut findings = Vec::new();
        for (_, command, invocation) in self.invocations(managers) {
            let names = unpinned(&invocation);
            let title = match names.as_slice() {
                [] => continue,
                [name] => format!("{name} is installed without a version"),
                [name, rest @ ..] => format!("{name} and {} more are installed without a version", rest.len()),
            };
            findings.push(self.finding_in(meta, meta.severity, command, title));
        }
        findings
    }
}
