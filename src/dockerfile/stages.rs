//! The stage graph: what each stage stands on, what it copies from, which one is final. [`super::stage_builder`] builds it.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Range,
};

use super::{
    expand::Value,
    instruction::{Instruction, Pair},
    parse::{ImageName, Refusal},
};

/// One build stage.
#[derive(Debug)]
pub(super) struct Stage {
    /// Place of its FROM among the instructions.
    pub(super) from: usize,
    /// Name in lower case.
    pub(super) name: Option<String>,
    /// What it stands on.
    pub(super) base: Base,
    /// Its instructions, FROM included.
    pub(super) instructions: Range<usize>,
    /// Stages that COPY and RUN mounts take from.
    pub(super) sources: Vec<usize>,
    /// Whether the final stage needs it.
    pub(super) reachable: bool,
}

/// What a stage stands on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Base {
    /// An earlier stage.
    Stage(usize),
    /// Nothing.
    Scratch,
    /// An image, after expansion.
    Image(Value),
}

/// An image that an instruction names.
#[derive(Debug)]
pub(super) struct ImageUse {
    /// Place of the instruction.
    pub(super) instruction: usize,
    /// The reference after expansion.
    pub(super) reference: Value,
    /// Its parts; empty parts when the reference is not wholly known.
    pub(super) name: ImageName,
}

/// Stages, values and images of one file.
#[derive(Debug, Default)]
pub(super) struct Graph {
    /// Stages in order.
    pub(super) stages: Vec<Stage>,
    /// The stage that becomes the image.
    pub(super) final_stage: Option<usize>,
    /// Images named by FROM, COPY --from and RUN --mount=from, in file order.
    pub(super) images: Vec<ImageUse>,
    /// Per instruction, its arguments after expansion; values only for ENV, LABEL and ARG.
    pub(super) values: Vec<Vec<Value>>,
    /// Names in ARG and ENV that are written with quotes or variables, as they come out; by instruction and place in it.
    pub(super) names: BTreeMap<(usize, usize), String>,
    /// What `--chmod` of ADD and COPY says after expansion, by instruction.
    pub(super) modes: BTreeMap<usize, Value>,
    /// What BuildKit refuses at this level.
    pub(super) refusals: Vec<Refusal>,
    /// Whether values were so long that some were taken for unknown.
    pub(super) is_overrun: bool,
    /// Per stage, how images come to hold its layers.
    uses: Vec<Use>,
}

/// How images come to hold the layers of a stage.
#[derive(Debug, Clone, Copy, Default)]
struct Use {
    in_final_chain: bool,
    is_base: bool,
}

impl Graph {
    /// The name that the pair at this place of an ARG or ENV sets.
    pub(super) fn name<'a>(&'a self, index: usize, at: usize, written: &'a str) -> &'a str {
        self.names.get(&(index, at)).map_or(written, String::as_str)
    }

    /// The value of such a pair as far as the file decides it, else as written.
    pub(super) fn value<'a>(&'a self, index: usize, at: usize, pair: &Pair<'a>) -> &'a str {
        let value = self.values.get(index).and_then(|values| values.get(at)).filter(|value| value.is_decided());
        value.map_or(pair.value.unwrap_or_default(), |value| value.text.as_str())
    }

    /// What `--chmod` of the ADD or COPY at this place says, as far as the file decides it.
    pub(super) fn mode(&self, index: usize) -> Option<&str> {
        self.modes.get(&index).filter(|value| value.is_decided()).map(|value| value.text.as_str())
    }

    /// The stage and the own stages below it, nearest first.
    pub(super) fn chain(&self, stage: usize) -> impl Iterator<Item = usize> {
        std::iter::successors(Some(stage), |&at| match self.stages.get(at)?.base {
            // A base is always an earlier stage, so the chain ends.
            Base::Stage(below) if below < at => Some(below),
            _ => None,
        })
    }

    /// The last instruction in a stage's chain for which `wanted` holds.
    pub(super) fn last_in_chain(&self, stage: usize, wanted: impl Fn(usize) -> bool) -> Option<usize> {
        self.chain(stage)
            .filter_map(|at| self.stages.get(at))
            .find_map(|stage| stage.instructions.clone().rev().find(|&index| wanted(index)))
    }

    /// The image at the foot of a stage's chain; `None` for scratch.
    pub(super) fn root_image(&self, stage: usize) -> Option<&Value> {
        let root = self.chain(stage).last()?;
        match &self.stages.get(root)?.base {
            Base::Image(value) => Some(value),
            _ => None,
        }
    }

    /// Whether the instruction stands in the final stage, or in one that another stage is built upon: its layers are in images.
    pub(super) fn is_built_upon(&self, instruction: &Instruction) -> bool {
        let Some(at) = instruction.stage else { return true };
        self.final_stage == Some(at) || self.uses.get(at).is_some_and(|usage| usage.is_base)
    }

    /// The final stage, and those that another stage is built upon.
    pub(super) fn built_upon(&self) -> BTreeSet<usize> {
        let below = self.stages.iter().filter_map(|stage| if let Base::Stage(below) = stage.base { Some(below) } else { None });
        below.chain(self.final_stage).collect()
    }

    /// Whether the instruction stands in the final stage or below it.
    pub(super) fn in_final_chain(&self, instruction: &Instruction) -> bool {
        instruction.stage.and_then(|stage| self.uses.get(stage)).is_some_and(|usage| usage.in_final_chain)
    }

    /// Notes for every stage what rules ask about each of its instructions.
    pub(super) fn note_uses(&mut self) {
        let mut uses = vec![Use::default(); self.stages.len()];
        for at in self.final_stage.into_iter().flat_map(|last| self.chain(last)) {
            if let Some(usage) = uses.get_mut(at) {
                usage.in_final_chain = true;
            }
        }
        for stage in &self.stages {
            if let Base::Stage(below) = stage.base
                && let Some(usage) = uses.get_mut(below)
            {
                usage.is_base = true;
            }
        }
        self.uses = uses;
    }
}
