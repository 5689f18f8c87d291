//! A configuration of hadolint (<https://github.com/hadolint/hadolint>, `.hadolint.yaml` and `HADOLINT_*` variables) in, what it asks for as
//! parts of a policy out. What it silences or rates keeps the place that said so.

use std::collections::BTreeMap;

use crate::{
    model::{
        digest::Digest,
        lint::LabelForm,
        location::Span,
        policy::{Comparison, InlineIgnores, Policy, RuleSelection},
        rule::Group,
        severity::Severity,
    },
    policy::{
        Error, Place, canonical,
        fields::{list, map, scalar, unknown},
        schema::{is_label, is_registry_pattern},
        yaml::{Node, Value, parse as parse_yaml},
    },
};

/// Which command reads it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ForeignUse {
    /// `lint`: it is obeyed as a whole.
    Lint,
    /// `gate`: it lowers no rule about security, unless the policy says so, and no threshold.
    Gate,
}

/// What one file, or the environment, says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HadolintConfig {
    ignored: Vec<(String, Span)>,
    severities: Vec<(String, Severity, Span)>,
    registries: Vec<String>,
    labels: BTreeMap<String, LabelForm>,
    strict_labels: Option<bool>,
    disable_ignore_pragma: Option<bool>,
    /// The least severity that fails; `None` inside: nothing does.
    threshold: Option<Option<Severity>>,
    /// What is not obeyed, one line each.
    notices: Vec<String>,
    /// The file and its digest.
    file: Option<(String, Digest)>,
}

/// hadolint's words for severities.
const SEVERITIES: [(&str, Severity); 4] =
    [("error", Severity::High), ("warning", Severity::Medium), ("info", Severity::Low), ("style", Severity::Low)];
/// Its words for the forms of labels that are not ours.
const FORMS: [(&str, LabelForm); 2] = [("rawtext", LabelForm::Text), ("", LabelForm::Text)];
/// Keys that are known and not obeyed, and what does the same here.
const NOT_OBEYED: [(&str, &str); 6] = [
    ("no-fail", "a policy with `mode: audit` exits with 0"),
    ("format", "name formats with --output"),
    ("output-format", "name formats with --output"),
    ("no-color", "set NO_COLOR"),
    ("nofail", "a policy with `mode: audit` exits with 0"),
    ("verbose", "every file that was read stands in the report"),
];
const KEYS: [&str; 9] = [
    "ignored",
    "override",
    "trustedRegistries",
    "trusted-registries",
    "label-schema",
    "strict-labels",
    "disable-ignore-pragma",
    "failure-threshold",
    "no-fail",
];
const GROUPS: [Group; 5] = [Group::Security, Group::Correctness, Group::Reproducibility, Group::Size, Group::Style];

impl HadolintConfig {
    /// Reads a file.
    ///
    /// # Errors
    /// When it is no YAML, or a value is not of the type that hadolint takes; unknown keys are notices.
    pub fn parse(file: &str, text: &str) -> Result<Self, Error> {
        let mut this = Self { file: Some((file.to_owned(), Digest::sha256_of(text.as_bytes()))), ..Self::default() };
        if text.lines().all(|line| matches!(line.trim().chars().next(), None | Some('#'))) {
            return Ok(this);
        }
        let root = parse_yaml(file, text)?;
        for (key, name, node) in map(&root, "a configuration of hadolint")? {
            if node.value != Value::Null {
                this.key(name, node, &key.place)?;
            }
        }
        Ok(this)
    }

    /// Reads variables by their names.
    ///
    /// # Errors
    /// When a value is none that hadolint takes.
    pub fn from_variables(variables: &BTreeMap<String, String>) -> Result<Self, Error> {
        let mut this = Self::default();
        for (name, value) in variables {
            let place = Place { file: name.clone(), line: 1, column: 1 };
            let span = Span::lines(name.as_str(), 1, 1);
            let items = || value.split(',').map(str::trim).filter(|item| !item.is_empty()).map(str::to_owned);
            let is_true = matches!(value.to_ascii_lowercase().as_str(), "1" | "y" | "on" | "true" | "yes");
            let key = name.strip_prefix("HADOLINT_").unwrap_or_default();
            match key {
                "IGNORE" => this.ignored.extend(items().map(|id| (id, span.clone()))),
                "TRUSTED_REGISTRIES" | "ALLOWED_REGISTRIES" => this.registries.extend(items()),
                "STRICT_LABELS" => this.strict_labels = Some(is_true),
                "DISABLE_IGNORE_PRAGMA" => this.disable_ignore_pragma = Some(is_true),
                "FAILURE_THRESHOLD" => this.threshold = Some(threshold(value, &place)?),
                "REQUIRE_LABELS" => {
                    for item in items() {
                        let (label, word) = item.split_once(':').unwrap_or((&item, ""));
                        this.labels.insert(label.to_owned(), form(word, &place)?);
                    }
                }
                _ => match SEVERITIES
                    .iter()
                    .find(|(word, _)| key.strip_prefix("OVERRIDE_").is_some_and(|rest| rest.eq_ignore_ascii_case(word)))
                {
                    Some((_, severity)) => this.severities.extend(items().map(|id| (id, *severity, span.clone()))),
                    None => this.not_obeyed(name, &key.to_ascii_lowercase().replace('_', "-")),
                },
            }
        }
        Ok(this)
    }

    fn key(&mut self, name: &str, node: &Node, place: &Place) -> Result<(), Error> {
        let span = |node: &Node| Span::lines(node.place.file.as_str(), node.place.line, node.place.line);
        match name {
            "ignored" => {
                for item in list(node)? {
                    self.ignored.push((scalar(item)?.to_owned(), span(item)));
                }
            }
            "override" => {
                for (key, word, items) in map(node, "`override`")? {
                    let severity = SEVERITIES.iter().find(|(known, _)| known == word).map(|(_, severity)| *severity);
                    let known = SEVERITIES.iter().map(|(known, _)| *known);
                    let severity =
                        severity.ok_or_else(|| unknown(&key.place, &format!("`{word}` is no severity of hadolint"), word, known))?;
                    for item in if items.value == Value::Null { &[][..] } else { list(items)? } {
                        self.severities.push((scalar(item)?.to_owned(), severity, span(item)));
                    }
                }
            }
            "trustedRegistries" | "trusted-registries" => {
                for item in list(node)? {
                    self.registries.push(scalar(item)?.to_owned());
                }
            }
            "label-schema" => {
                for (_, label, value) in map(node, "`label-schema`")? {
                    self.labels.insert(label.clone(), form(scalar(value)?, &value.place)?);
                }
            }
            "strict-labels" => self.strict_labels = Some(truth(node)?),
            "disable-ignore-pragma" => self.disable_ignore_pragma = Some(truth(node)?),
            "failure-threshold" => self.threshold = Some(threshold(scalar(node)?, &node.place)?),
            other => self.not_obeyed(&format!("{}:{}: `{other}`", place.file, place.line), other),
        }
        Ok(())
    }

    fn not_obeyed(&mut self, what: &str, key: &str) {
        let notice = match NOT_OBEYED.iter().find(|(known, _)| *known == key) {
            Some((_, instead)) => format!("{what} is not obeyed: {instead}"),
            None => format!("{what} is no key of hadolint's that is known here; there are {}", KEYS.join(", ")),
        };
        self.notices.push(notice);
    }

    /// The same with what `over` says, which goes before it; lists are joined.
    #[must_use]
    pub fn joined(mut self, over: Self) -> Self {
        self.ignored.extend(over.ignored);
        self.severities.extend(over.severities);
        self.registries.extend(over.registries);
        self.labels.extend(over.labels);
        self.notices.extend(over.notices);
        Self {
            strict_labels: over.strict_labels.or(self.strict_labels),
            disable_ignore_pragma: over.disable_ignore_pragma.or(self.disable_ignore_pragma),
            threshold: over.threshold.or(self.threshold),
            file: self.file.or(over.file),
            ..self
        }
    }

    /// Makes it a part of a policy; what comes back are notices of what is not obeyed.
    pub fn apply(self, policy: &mut Policy, used_by: ForeignUse) -> Vec<String> {
        let mut notices = self.notices;
        let rules = &mut policy.rules;
        for (id, span) in self.ignored {
            rules.foreign.ignored.entry(id.to_ascii_lowercase()).or_insert(span);
        }
        for (id, severity, span) in self.severities {
            rules.foreign.severities.insert(id.to_ascii_lowercase(), (severity, span));
        }
        for entry in self.registries {
            if is_registry_pattern(&entry) {
                rules.settings.trusted_registries.insert(entry);
            } else {
                notices.push(format!("`{entry}` is no registry, and trusted by nobody here"));
            }
        }
        for (label, form) in self.labels {
            if is_label(&label) {
                rules.settings.labels.insert(label, form);
            } else {
                notices.push(format!("`{label}` is no key of a label, and asked for by nobody here"));
            }
        }
        rules.settings.strict_labels |= self.strict_labels == Some(true);
        if self.disable_ignore_pragma == Some(true) {
            rules.inline_ignores.extend(GROUPS.map(|group| (group, InlineIgnores::Refuse)));
        }
        match (used_by, self.threshold) {
            (ForeignUse::Lint, Some(least)) => {
                let all = |severity| RuleSelection {
                    groups: std::collections::BTreeSet::new(),
                    severity: Some((Comparison::AtLeast, severity)),
                    origin: None,
                };
                rules.fail = least.map(all).into_iter().collect();
            }
            (ForeignUse::Gate, Some(_)) => {
                notices.push("`failure-threshold` is for `lint` and not obeyed by `gate`: the policy says what fails".to_owned())
            }
            (_, None) => {}
        }
        rules.foreign.lowers_security |= used_by == ForeignUse::Lint;
        policy.files.extend(self.file);
        policy.digest = Digest::sha256_of(canonical::text(policy).as_bytes());
        notices
    }
}

fn threshold(word: &str, place: &Place) -> Result<Option<Severity>, Error> {
    if matches!(word, "none" | "ignore") {
        return Ok(None);
    }
    let found = SEVERITIES.iter().find(|(known, _)| *known == word).map(|(_, severity)| Some(*severity));
    found.ok_or_else(|| {
        unknown(place, &format!("`{word}` is no threshold of hadolint"), word, SEVERITIES.iter().map(|(known, _)| *known).chain(["none"]))
    })
}

fn form(word: &str, place: &Place) -> Result<LabelForm, Error> {
    let lower = word.to_ascii_lowercase();
    let found = LabelForm::ALL.iter().chain(&FORMS).find(|(known, _)| *known == lower).map(|(_, form)| *form);
    found.ok_or_else(|| unknown(place, &format!("`{word}` is no form of a label"), word, LabelForm::ALL.iter().map(|(known, _)| *known)))
}

fn truth(node: &Node) -> Result<bool, Error> {
    match &node.value {
        Value::Scalar { text, plain: true } if matches!(text.as_str(), "true" | "True" | "TRUE") => Ok(true),
        Value::Scalar { text, plain: true } if matches!(text.as_str(), "false" | "False" | "FALSE") => Ok(false),
        _ => Err(Error::at(node.place.clone(), "this must be true or false")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::load;

    const FULL: &str = "---\nignored:\n  - DL3008\n  - SC2086\noverride:\n  error: [DL3001]\n  style:\n    - DL3015\ntrustedRegistries:\n  - docker.io\n  - '*.acme.example'\n\
                        label-schema:\n  author: text\n  contact: email\nstrict-labels: true\ndisable-ignore-pragma: true\nfailure-threshold: warning\nno-fail: true\nfromat: json\n";

    #[test]
    fn a_file_becomes_a_part_of_the_policy() {
        let mut policy = load::builtin("baseline").unwrap();
        let before = policy.digest.clone();
        let notices = HadolintConfig::parse(".hadolint.yaml", FULL).unwrap().apply(&mut policy, ForeignUse::Lint);
        let rules = &policy.rules;
        assert_eq!(rules.foreign.ignored["dl3008"], Span::lines(".hadolint.yaml", 3, 3));
        assert_eq!(rules.foreign.severities["dl3001"].0, Severity::High);
        assert_eq!(rules.foreign.severities["dl3015"].0, Severity::Low);
        assert_eq!(rules.settings.trusted_registries.len(), 2);
        assert_eq!(rules.settings.labels["contact"], LabelForm::Email);
        assert!(rules.settings.strict_labels && rules.foreign.lowers_security);
        assert_eq!(rules.inline_ignores.len(), 5);
        assert_eq!(
            rules.fail,
            [RuleSelection {
                groups: std::collections::BTreeSet::new(),
                severity: Some((Comparison::AtLeast, Severity::Medium)),
                origin: None
            }]
        );
        assert_eq!(notices.len(), 2, "{notices:?}");
        assert!(notices[0].contains("`no-fail` is not obeyed") && notices[1].starts_with(".hadolint.yaml:19: `fromat`"), "{notices:?}");
        assert!(policy.digest != before && policy.files.iter().any(|(file, _)| file == ".hadolint.yaml"));
        let mut gated = load::builtin("baseline").unwrap();
        let kept = gated.rules.fail.clone();
        let notices = HadolintConfig::parse(".hadolint.yaml", FULL).unwrap().apply(&mut gated, ForeignUse::Gate);
        assert!(gated.rules.fail == kept && !gated.rules.foreign.lowers_security && notices.len() == 3);
    }

    #[test]
    fn wrong_types_are_errors_and_nothing_is_nothing() {
        for wrong in [
            "ignored: DL3008",
            "override: [a]",
            "override: { fatal: [a] }",
            "strict-labels: 1",
            "label-schema: { a: word }",
            "failure-threshold: high",
            "trustedRegistries: { a: b }",
            "ignored: [[a]]",
            "- a",
        ] {
            assert!(HadolintConfig::parse("h", wrong).is_err(), "{wrong}");
        }
        for empty in ["", "# ignored:\n\n", "ignored:\n", "override:\n  error:\n"] {
            let read = HadolintConfig::parse("h", empty).unwrap();
            assert_eq!(HadolintConfig { file: None, ..read }, HadolintConfig::default(), "{empty}");
        }
    }

    #[test]
    fn variables_go_before_the_file() {
        let set = [
            ("HADOLINT_IGNORE", "DL3001, DL3002"),
            ("HADOLINT_OVERRIDE_WARNING", "DL3003"),
            ("HADOLINT_TRUSTED_REGISTRIES", "quay.io"),
            ("HADOLINT_REQUIRE_LABELS", "a:url,b"),
            ("HADOLINT_STRICT_LABELS", "no"),
            ("HADOLINT_FAILURE_THRESHOLD", "none"),
            ("HADOLINT_NOFAIL", "1"),
        ];
        let variables = set.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        let read = HadolintConfig::parse("h", "ignored: [DL3008]\nstrict-labels: true\nfailure-threshold: error\n").unwrap();
        let joined = read.joined(HadolintConfig::from_variables(&variables).unwrap());
        assert_eq!(joined.ignored.iter().map(|(id, _)| id.as_str()).collect::<Vec<_>>(), ["DL3008", "DL3001", "DL3002"]);
        assert_eq!((joined.strict_labels, joined.threshold), (Some(false), Some(None)));
        assert_eq!(joined.labels.len(), 2);
        assert_eq!(joined.notices, ["HADOLINT_NOFAIL is not obeyed: a policy with `mode: audit` exits with 0"]);
        let wrong = [("HADOLINT_FAILURE_THRESHOLD".to_owned(), "high".to_owned())].into();
        assert!(HadolintConfig::from_variables(&wrong).is_err());
    }
}
