//! `Rule`: what a Dockerfile rule is, and `Dockerfile`: what it looks at.

use std::{
    cell::{OnceCell, RefCell},
    collections::BTreeMap,
    ops::Range,
    sync::Arc,
};

use crate::model::{
    build_context::BuildContext,
    finding::Finding,
    fix::{Edit, Fix, FixKind},
    lint::{BaseImage, LintSettings},
    location::{Location, Span},
    policy::Exception,
    rule::RuleMeta,
    severity::Severity,
    shell_script::ShellRemarks,
};

use super::{
    command::Command,
    dockerignore::IgnorePatterns,
    edits::MAX_PAIRS,
    instruction::Instruction,
    lines::{Comment, Directives},
    package_manager::Manager,
    parse::Refusal,
    remark::Body,
    slip::Slip,
    source::Source,
    stages::{Base, Graph, Stage},
};

/// A finding with the edits that take it away.
pub(super) fn fixed_by(finding: Finding, kind: FixKind, mut edits: Vec<Edit>) -> Finding {
    edits.sort_by_key(|edit| edit.range.start);
    Finding { fix: Some(Fix { kind, edits }), ..finding }
}

/// One thing to look for.
pub(super) trait Rule: Sync {
    /// What there is to say about it.
    fn meta(&self) -> &'static RuleMeta;
    /// Its findings in file order; no I/O, no state.
    fn check(&self, dockerfile: &Dockerfile<'_>) -> Vec<Finding>;
    /// Its findings about what the other rules found and what in-file ignores say; only rules about ignores have any.
    fn review(&self, _dockerfile: &Dockerfile<'_>, _findings: &[Finding], _ignores: &[Exception]) -> Vec<Finding> {
        Vec::new()
    }
}

/// One Dockerfile, read and resolved.
#[derive(Debug)]
pub(super) struct Dockerfile<'a> {
    /// The path as the user named it.
    pub(super) file: Arc<str>,
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
    /// Per instruction, the slips in its shell code.
    pub(super) slips: Vec<Vec<Slip>>,
    /// Everything that BuildKit refuses.
    pub(super) refusals: Vec<Refusal>,
    /// Where instructions are: by keyword, and those that set a variable by its name with `$` before it.
    pub(super) places: BTreeMap<String, Vec<usize>>,
    /// Per place and stage, the last instruction that a stage built upon it would see.
    pub(super) ends: Ends,
    /// Per instruction with any, the commands that call a package manager, and which: many rules ask, and most commands call none.
    pub(super) calls: OnceCell<Vec<(usize, Vec<(usize, Manager)>)>>,
    /// The files beside it; `None` where nobody looked.
    pub(super) context: Option<&'a BuildContext>,
    /// What `.dockerignore` says of them; `None` where nobody looked, or where the builder refuses it.
    pub(super) ignored: Option<IgnorePatterns>,
    /// What the user configured.
    pub(super) settings: &'a LintSettings,
    /// What registries say of base images, by reference.
    pub(super) bases: &'a BTreeMap<String, BaseImage>,
    /// The shell code that a program outside may judge; empty where nobody wants that.
    pub(super) bodies: Vec<Body>,
    /// What it said.
    pub(super) remarks: Option<&'a ShellRemarks>,
}

/// By keyword or variable, and by stage: where the last such instruction stands in the stage's chain.
pub(super) type Ends = RefCell<BTreeMap<String, BTreeMap<usize, Option<usize>>>>;

/// The places of instructions by keyword and by the variables that they set.
pub(super) fn places(instructions: &[Instruction], graph: &Graph) -> BTreeMap<String, Vec<usize>> {
    let mut places = BTreeMap::<String, Vec<usize>>::new();
    for (index, instruction) in instructions.iter().enumerate() {
        // Most are there: a key is made for the first one only.
        match places.get_mut(&instruction.keyword) {
            Some(found) => found.push(index),
            None => places.entry(instruction.keyword.clone()).or_default().push(index),
        }
        if matches!(instruction.keyword.as_str(), "ARG" | "ENV") {
            for (at, pair) in instruction.pairs().iter().enumerate() {
                places.entry(format!("${}", graph.name(index, at, pair.name))).or_default().push(index);
            }
        }
    }
    places
}

/// Whether it is a RUN, also one behind ONBUILD.
pub(super) fn is_run(instruction: &Instruction) -> bool {
    instruction.trigger.as_deref().unwrap_or(instruction).keyword == "RUN"
}

impl Dockerfile<'_> {
    /// Every command of the build with its instruction; not those of CMD, ENTRYPOINT and HEALTHCHECK.
    pub(super) fn build_commands(&self) -> impl Iterator<Item = (&Instruction, &Command)> {
        self.all_commands().filter(|(instruction, _)| is_run(instruction))
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

    /// A finding about a part of the original.
    pub(super) fn finding_on(&self, meta: &'static RuleMeta, range: &Range<usize>, title: String) -> Finding {
        Finding::of_rule(meta, meta.severity, title, self.location(range))
    }

    /// A finding about one line of the file.
    pub(super) fn finding_on_line(&self, meta: &'static RuleMeta, severity: Severity, line: u32, title: String) -> Finding {
        Finding::of_rule(meta, severity, title, Location::Dockerfile(Span::lines(Arc::clone(&self.file), line, line)))
    }

    /// A finding for every instruction of a stage that comes after another one with the same keyword.
    pub(super) fn repeated_in_stage(&self, meta: &'static RuleMeta, keyword: &str) -> Vec<Finding> {
        let mut findings = Vec::new();
        for stage in &self.graph.stages {
            let instructions = self.instructions.get(stage.instructions.clone()).unwrap_or_default();
            let mut before: Option<&Instruction> = None;
            for instruction in instructions.iter().filter(|instruction| instruction.keyword == keyword) {
                if let Some(before) = before.replace(instruction) {
                    let title = format!("only the last {keyword} of a stage counts, and line {} has one, too", before.line);
                    let finding = self.finding(meta, meta.severity, instruction, title);
                    findings.push(match meta.fix.and_then(|kind| Some((kind, self.without_instruction(before)?))) {
                        Some((kind, edit)) => fixed_by(finding, kind, vec![edit]),
                        None => finding,
                    });
                }
            }
        }
        findings
    }

    /// A finding for each command that `is_faulty`.
    pub(super) fn where_run(&self, meta: &'static RuleMeta, is_faulty: impl Fn(&Command) -> bool, title: &str) -> Vec<Finding> {
        self.where_run_with(meta, is_faulty, title, |_| None)
    }

    /// The same, with the edits that take it away.
    pub(super) fn where_run_with(
        &self,
        meta: &'static RuleMeta,
        is_faulty: impl Fn(&Command) -> bool,
        title: &str,
        edits: impl Fn(&Command) -> Option<Vec<Edit>>,
    ) -> Vec<Finding> {
        let faulty = self.all_commands().filter(|(_, command)| is_faulty(command));
        faulty
            .map(|(_, command)| {
                let finding = self.finding_in(meta, meta.severity, command, title.to_owned());
                match meta.fix.and_then(|kind| Some((kind, edits(command).filter(|edits| !edits.is_empty())?))) {
                    Some((kind, edits)) => fixed_by(finding, kind, edits),
                    None => finding,
                }
            })
            .collect()
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
                for (at, (pair, value)) in instruction.pairs().iter().zip(values).enumerate() {
                    let name = self.graph.name(index, at, pair.name);
                    if pair.value.is_some() && value.is_decided() && is_faulty(name, &value.text) {
                        let part = pair.at..pair.at + pair.name.len();
                        let finding = self.finding_at(meta, meta.severity, instruction, &part, title(name));
                        let edit = meta
                            .fix
                            .filter(|_| values.len() <= MAX_PAIRS)
                            .and_then(|kind| Some((kind, self.without_pair(instruction, at)?)));
                        findings.push(match edit {
                            Some((kind, edit)) => fixed_by(finding, kind, vec![edit]),
                            None => finding,
                        });
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

    /// A change of the original bytes.
    pub(super) fn edit(&self, range: Range<usize>, replacement: impl Into<String>) -> Edit {
        Edit { span: self.source.span(&self.file, &range), range, replacement: replacement.into() }
    }

    /// A change of a part of an instruction, by offsets into its joined text; `None` where the part is not one piece of the original.
    pub(super) fn edit_in(&self, instruction: &Instruction, part: &Range<usize>, replacement: impl Into<String>) -> Option<Edit> {
        let range = instruction.logical.range(part);
        let is_whole = self.source.text.get(range.clone()) == instruction.logical.text.get(part.clone());
        is_whole.then(|| self.edit(range, replacement))
    }

    /// Whether an instruction sees a variable, set by ENV or ARG before it in its chain of stages, with a value that `fits`.
    pub(super) fn sees(&self, instruction: &Instruction, name: &str, fits: impl Fn(&str) -> bool) -> bool {
        // Only the last one counts.
        let Some(index) = self.last_before(instruction, &format!("${name}")) else { return false };
        let Some((setter, values)) = self.instructions.get(index).zip(self.graph.values.get(index)) else { return false };
        let mut pairs = setter.pairs().into_iter().zip(values).enumerate();
        pairs.any(|(at, (pair, value))| self.graph.name(index, at, pair.name) == name && value.is_decided() && fits(&value.text))
    }

    /// Whether an instruction with this keyword stands before another one in its chain of stages.
    pub(super) fn comes_after(&self, instruction: &Instruction, keyword: &str) -> bool {
        self.last_before(instruction, keyword).is_some()
    }

    /// Where the last instruction with this keyword, or that sets this `$variable`, stands before another one in its chain of stages.
    fn last_before(&self, instruction: &Instruction, place: &str) -> Option<usize> {
        let places = self.places.get(place)?;
        let own = instruction.stage?;
        let is_before = |index: usize| self.instructions.get(index).is_some_and(|found| found.line < instruction.line);
        let stage = self.graph.stages.get(own)?;
        let end = places.partition_point(|index| *index < stage.instructions.end && is_before(*index));
        let last = end.checked_sub(1).and_then(|at| places.get(at)).copied();
        last.filter(|last| *last >= stage.instructions.start).or_else(|| match stage.base {
            Base::Stage(below) if below < own => self.last_at_end(place, places, below),
            _ => None,
        })
    }

    /// The last of these places that a stage has or inherits; what was found is kept, since every instruction of a stage asks the same.
    fn last_at_end(&self, place: &str, places: &[usize], stage: usize) -> Option<usize> {
        let mut ends = self.ends.borrow_mut();
        if !ends.contains_key(place) {
            ends.insert(place.to_owned(), BTreeMap::new());
        }
        let known = ends.get_mut(place)?;
        let mut passed = Vec::new();
        let mut found = None;
        for at in self.graph.chain(stage) {
            if let Some(end) = known.get(&at) {
                found = *end;
                break;
            }
            passed.push(at);
            let Some(stage) = self.graph.stages.get(at) else { break };
            let end = places.partition_point(|index| *index < stage.instructions.end);
            let Some(last) = end.checked_sub(1).and_then(|at| places.get(at)) else { break };
            if *last >= stage.instructions.start {
                found = Some(*last);
                break;
            }
        }
        known.extend(passed.into_iter().map(|at| (at, found)));
        found
    }

    /// The USER that an instruction of a stage runs as, where the file or what is known of the base image says it.
    pub(super) fn user_of(&self, instruction: &Instruction) -> Option<&str> {
        if let Some(index) = self.last_before(instruction, "USER") {
            let user = self.graph.values.get(index)?.first()?;
            return Some(user.text.trim()).filter(|text| user.is_decided() && !text.is_empty());
        }
        let base = self.bases.get(&self.graph.root_image(instruction.stage?)?.text)?;
        Some(if base.user.trim().is_empty() { "root" } else { base.user.trim() })
    }

    /// The words of the SHELL that an instruction runs in; `None` where no SHELL says it.
    pub(super) fn shell_of(&self, instruction: &Instruction) -> Option<Vec<&str>> {
        let shell = self.instructions.get(self.last_before(instruction, "SHELL")?)?;
        Some(shell.args.iter().map(|argument| argument.text.as_str()).collect())
    }

    /// Whether a SHELL says in which shell an instruction runs.
    pub(super) fn sets_shell(&self, instruction: &Instruction) -> bool {
        self.comes_after(instruction, "SHELL")
    }

    /// Which instruction stands on a line, if one does.
    pub(super) fn index_at(&self, line: u32) -> Option<usize> {
        let index = self.instructions.partition_point(|instruction| instruction.line <= line).checked_sub(1)?;
        (line <= self.instructions.get(index)?.end_line).then_some(index)
    }

    /// The lines and columns of an instruction.
    pub(super) fn span(&self, instruction: &Instruction) -> Span {
        self.source.span(&self.file, &instruction.range)
    }

    fn location(&self, range: &Range<usize>) -> Location {
        Location::Dockerfile(self.source.span(&self.file, range))
    }
}
