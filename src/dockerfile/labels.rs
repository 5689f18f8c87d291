//! The LABEL instructions of a Dockerfile beside the labels that are configured.

use crate::model::{finding::Finding, lint::LabelForm, mask::masked, rule::RuleMeta};

use super::{
    expand::{Certainty, Value},
    instruction::{Instruction, Pair},
    label_form,
    rule::Dockerfile,
};

/// Longest value that a message shows.
const SHOWN: usize = 60;

/// One label that an instruction sets.
pub(super) struct Label<'a> {
    /// The LABEL.
    pub(super) instruction: &'a Instruction,
    /// Its stage; `None` behind ONBUILD, where it is of another image.
    pub(super) stage: Option<usize>,
    /// Its key and value as written.
    pub(super) pair: Pair<'a>,
    /// The key without quotes.
    pub(super) key: &'a str,
    /// The value after expansion.
    pub(super) value: &'a Value,
}

impl Label<'_> {
    /// Whether the file alone says what the value is; a caller may change defaults.
    pub(super) fn is_certain(&self) -> bool {
        self.value.certainty == Certainty::Known && !self.pair.value.unwrap_or_default().contains('$')
    }
}

impl Dockerfile<'_> {
    /// Every label with a key that is known.
    pub(super) fn labels(&self) -> Vec<Label<'_>> {
        let mut found = Vec::new();
        for (index, instruction) in self.with_keyword("LABEL") {
            let stage = self.instructions.get(index).filter(|outer| outer.trigger.is_none()).and_then(|outer| outer.stage);
            let values = self.graph.values.get(index).map_or(&[][..], Vec::as_slice);
            for (pair, value) in instruction.pairs().into_iter().zip(values) {
                let key = pair.name.trim_matches(['"', '\'']);
                if !key.contains('$') {
                    found.push(Label { instruction, stage, pair, key, value });
                }
            }
        }
        found
    }

    /// A finding about the value of a label.
    pub(super) fn finding_on_label(&self, meta: &'static RuleMeta, label: &Label<'_>, title: String) -> Finding {
        let part = label.pair.at..label.pair.at + label.pair.name.len();
        self.finding_at(meta, meta.severity, label.instruction, &part, title)
    }

    /// A finding for each label that is to have a form and has another.
    pub(super) fn labels_without_form(&self, meta: &'static RuleMeta, form: LabelForm, what: &str) -> Vec<Finding> {
        if !self.settings.labels.values().any(|asked| *asked == form) {
            return Vec::new();
        }
        let is_asked = |label: &Label<'_>| self.settings.labels.get(label.key) == Some(&form);
        let is_wrong = |label: &Label<'_>| label.is_certain() && !label.value.text.is_empty() && !label_form::has(form, &label.value.text);
        let wrong = self.labels().into_iter().filter(|label| is_asked(label) && is_wrong(label));
        wrong
            .map(|label| {
                let value: String = masked(&label.value.text).chars().take(SHOWN).collect();
                self.finding_on_label(meta, &label, format!("the label {} is to be {what}, and `{value}` is none", label.key))
            })
            .collect()
    }
}
