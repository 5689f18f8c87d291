//! Instructions and history entries in, which instruction wrote which entry out. Both are compared from their end: the last instruction of the
//! final stage wrote the last entry, and what is left when all instructions have found theirs is the base image's.

use std::cell::OnceCell;

use super::{
    created_by::{Builder, Entry, Step},
    rule::Dockerfile,
    stages::Base,
};

/// The instructions that became the image, those of the lowest stage first.
pub(super) fn steps<'a>(dockerfile: &'a Dockerfile<'a>, last: usize) -> Vec<Step<'a>> {
    let graph = &dockerfile.graph;
    let mut chain: Vec<usize> = graph.chain(last).collect();
    chain.reverse();
    let mut steps = Vec::new();
    let mut shell: Option<String> = None;
    let mut triggers: Vec<usize> = Vec::new();
    for stage_at in chain {
        let Some(stage) = graph.stages.get(stage_at) else { continue };
        let own = stage.instructions.clone().skip(1);
        // The triggers of the stage below run first.
        let order: Vec<(usize, bool)> = triggers.drain(..).map(|at| (at, true)).chain(own.map(|at| (at, false))).collect();
        for (at, is_trigger) in order {
            let Some(outer) = dockerfile.instructions.get(at) else { continue };
            let instruction = if is_trigger { outer.trigger.as_deref().unwrap_or(outer) } else { outer };
            if outer.keyword == "ONBUILD" && !is_trigger {
                triggers.push(at);
            }
            if instruction.keyword == "SHELL" {
                let words: Vec<&str> = instruction.args.iter().map(|argument| argument.text.as_str()).collect();
                shell = Some(words.join(" "));
            }
            let values = graph.values.get(at).map_or(&[][..], Vec::as_slice);
            steps.push(Step {
                instruction,
                outer,
                values,
                source: &dockerfile.source,
                shell: shell.clone(),
                stage: outer.stage.unwrap_or(stage_at),
                texts: OnceCell::new(),
            });
        }
    }
    steps
}

/// Which entries the instructions wrote.
#[derive(Debug, Default)]
pub(super) struct Alignment {
    /// Entry and step of each pair, the first entry first.
    pub(super) pairs: Vec<(usize, usize)>,
    /// How many entries are left when every instruction has been looked for: the base image's.
    pub(super) left: usize,
    /// What did not fit: no more can be said below it.
    pub(super) misfit: Option<Misfit>,
}

/// Where the history stops fitting.
#[derive(Debug, Clone, Copy)]
pub(super) struct Misfit {
    /// The step that did not write the entry.
    pub(super) step: usize,
}

/// Pairs instructions with entries, both from the end.
pub(super) fn align(dockerfile: &Dockerfile<'_>, steps: &[Step<'_>], entries: &[Entry], last: usize) -> Alignment {
    let mut alignment = aligned(dockerfile, steps, entries, last);
    alignment.pairs.reverse();
    alignment
}

fn aligned(dockerfile: &Dockerfile<'_>, steps: &[Step<'_>], entries: &[Entry], last: usize) -> Alignment {
    let mut alignment = Alignment::default();
    let (mut step_at, mut entry_at) = (steps.len(), entries.len());
    let mut has_merge = false;
    // Each round leaves an instruction or an entry behind, and one that was compared in vain is compared with at most two.
    loop {
        let Some(step) = step_at.checked_sub(1).and_then(|at| steps.get(at)) else {
            alignment.left = entry_at;
            return alignment;
        };
        let entry = entry_at.checked_sub(1).and_then(|at| entries.get(at));
        if entry.is_some_and(|entry| entry.is_of(step) || is_overwritten(dockerfile, step, entry, last)) {
            (step_at, entry_at) = (step_at - 1, entry_at - 1);
            alignment.pairs.push((entry_at, step_at));
        } else if !step.makes_layer() {
            // Some builders write nothing of what changes no file.
            step_at -= 1;
        } else if entry.is_some_and(|entry| entry.is_empty && !is_other_run(entry) || entry.is_merge && !has_merge) {
            // Labels given to the builder, or a mark of its own.
            has_merge |= entry.is_some_and(|entry| entry.is_merge);
            entry_at -= 1;
        } else {
            break;
        }
    }
    alignment.left = 0;
    alignment.misfit = Some(Misfit { step: step_at.saturating_sub(1) });
    alignment
}

/// Whether BuildKit wrote an entry of a later stage over this one: of two stages on the same own stage the second's history may overwrite the
/// first's, place by place, while the layers stay right (seen in 0.24). What stands behind the stage that is built is no part of the build.
pub(super) fn is_overwritten(dockerfile: &Dockerfile<'_>, step: &Step<'_>, entry: &Entry, last: usize) -> bool {
    let stages = &dockerfile.graph.stages;
    let Some(own) = stages.get(step.stage).filter(|_| entry.builder == Builder::BuildKit && !entry.is_empty && step.makes_layer()) else {
        return false;
    };
    let place =
        dockerfile.instructions.get(own.instructions.clone()).unwrap_or_default().iter().position(|one| one.line == step.outer.line);
    let (Base::Stage(_), Some(place)) = (&own.base, place) else { return false };
    stages.iter().enumerate().take(last + 1).skip(step.stage + 1).filter(|(_, other)| other.base == own.base).any(|(stage, other)| {
        let at = other.instructions.start + place;
        let found = dockerfile.instructions.get(at).filter(|one| other.instructions.contains(&at) && one.keyword != "ONBUILD");
        found.is_some_and(|instruction| {
            let values = dockerfile.graph.values.get(at).map_or(&[][..], Vec::as_slice);
            let source = &dockerfile.source;
            entry.is_of(&Step { instruction, outer: instruction, values, source, shell: None, stage, texts: OnceCell::new() })
        })
    })
}

/// Whether an entry without a layer says that it ran or copied something, so that it cannot be passed over.
pub(super) fn is_other_run(entry: &Entry) -> bool {
    matches!(entry.keyword.as_str(), "ADD" | "COPY" | "RUN")
}
