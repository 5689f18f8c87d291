//! One Dockerfile in, everything that rules ask of it out: instructions, stages, shell code, what BuildKit refuses, and Gaps for what was not read.

use std::{cell::OnceCell, collections::BTreeSet};

use crate::model::coverage::{Gap, SourceId};

use super::{
    LintInput, check, copies, detect,
    instruction::Instruction,
    parse::{self, Phase, Refusal},
    rule::{self, Dockerfile},
    scope::Scope,
    scripts::Scripts,
    stage_builder,
    stages::Graph,
};

/// Reads and resolves a Dockerfile.
pub(super) fn read<'a>(input: &LintInput<'a>) -> (Dockerfile<'a>, Vec<Gap>) {
    let parse::Reading { source, mut directives, mut instructions, comments, mut refusals } = parse::read(input.bytes);
    directives.syntax = detect::chosen(directives.syntax, input.build_args);
    let refused_lines: BTreeSet<u32> = refusals.iter().map(|refusal| refusal.line).collect();
    let mut refused: Vec<bool> = instructions.iter().map(|instruction| refused_lines.contains(&instruction.line)).collect();
    let mut stage_seen = false;
    for (instruction, refused) in instructions.iter().zip(&mut refused) {
        let typed = (!*refused).then(|| check::refusal(instruction)).flatten();
        let orphan = || {
            (!stage_seen && !matches!(instruction.keyword.as_str(), "ARG" | "FROM")).then(|| "no build stage in current context".to_owned())
        };
        if let Some(message) = typed.or_else(|| if *refused { None } else { orphan() }) {
            refusals.push(Refusal::new(Phase::Instruction, instruction, message));
            *refused = true;
        }
        stage_seen |= instruction.keyword == "FROM";
    }
    let mut scripts = Scripts::new(input.file, &source, &comments, input.settings.on.contains("shellcheck"));
    let mut visit = |index: usize, instruction: &Instruction, graph: &Graph, scope: &Scope| scripts.read(index, instruction, graph, scope);
    let mut graph = stage_builder::build(&mut instructions, &refused, directives.escape, input.build_args, input.target, &mut visit);
    let Scripts { commands, slips, bodies, mut gaps, .. } = scripts;
    if graph.is_overrun {
        let reason = "the values of variables are so long that some of them were not looked at";
        gaps.push(Gap::new(SourceId::Dockerfile, "too-large", input.file, reason));
    }
    refusals.append(&mut graph.refusals);
    if let Some((value, line)) = &directives.check {
        let options = value.split_whitespace().next().unwrap_or_default().split(';');
        for option in options.filter(|option| !matches!(option.split_once('='), Some(("skip" | "error" | "experimental", _)))) {
            let message = format!("failed to parse check options: invalid check option \"{option}\"");
            refusals.push(Refusal { phase: Phase::Build, line: *line, end_line: *line, message, needs_argument: false });
        }
    }
    refusals.sort_by_key(|refusal| (refusal.line, refusal.phase));
    let places = rule::places(&instructions, &graph);
    let LintInput { file, context, settings, bases, remarks, .. } = *input;
    let (ignored, ignore_fault) = copies::ignore_patterns(context);
    let dockerfile = Dockerfile {
        file: file.into(),
        source,
        directives,
        comments,
        instructions,
        graph,
        commands,
        slips,
        refusals,
        places,
        ends: rule::Ends::default(),
        calls: OnceCell::new(),
        context,
        ignored,
        settings,
        bases,
        bodies,
        remarks,
    };
    gaps.extend(dockerfile.context_gaps(ignore_fault.as_ref()));
    gaps.extend(dockerfile.unresolved_bases());
    (dockerfile, gaps)
}
