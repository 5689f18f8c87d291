//! The merged policy in, one text out that is the same whenever the policy judges the same: what the policy's digest is taken over.
//! Places, file names and the policy's sources are no part of it.

use std::fmt::Write as _;

use crate::model::{
    lint::LintSettings,
    policy::{Clause, Comparison, Exception, ForeignRules, IdentityMatch, LogRequirement, Mode, Policy, RulePolicy, RuleSelection, Signer},
};

/// The canonical text: one `key value` line per fact, values in JSON's string form where they are free text.
pub(super) fn text(policy: &Policy) -> String {
    let mut out = Lines(String::new());
    let Policy {
        name,
        digest: _,
        files: _,
        mode,
        severity,
        fail,
        warn,
        at_most,
        rules,
        signers,
        trust_root,
        references,
        signatures,
        evidence,
        exceptions,
        inspector_suppressions,
        end_of_life_distro,
    } = policy;
    out.line("plimsoll-policy", "1");
    out.line("name", &quote(name));
    out.line(
        "mode",
        match mode {
            Mode::Enforce => "enforce",
            Mode::Audit => "audit",
        },
    );
    out.line("severity.source", &format!("{:?}", severity.source));
    out.line("severity.unknown_as", severity.unknown_as.name());
    for own in &severity.overrides {
        let ends = own.expires.map_or_else(String::new, |date| date.to_string());
        out.line(
            "severity.override",
            &format!(
                "{} {} {} {} {ends}",
                quote(&own.id),
                own.severity,
                quote(&own.reason),
                quote(own.owner.as_deref().unwrap_or_default())
            ),
        );
    }
    for (key, clauses) in [("findings.fail", fail), ("findings.warn", warn)] {
        clauses.iter().for_each(|clause| out.line(key, &clause_text(clause)));
    }
    at_most.iter().for_each(|(severity, most)| out.line("findings.at_most", &format!("{} {most}", severity.0)));
    for (key, selections) in [("rules.fail", &rules.fail), ("rules.warn", &rules.warn)] {
        selections.iter().for_each(|selection| out.line(key, &selection_text(selection)));
    }
    rules.set.iter().for_each(|(id, setting)| out.line("rules.set", &format!("{} {setting:?}", quote(id))));
    rules.inline_ignores.iter().for_each(|(group, say)| out.line("rules.inline_ignores", &format!("{} {say:?}", group.name())));
    rules_text(rules, &mut out);
    signers.iter().for_each(|(name, signer)| out.line("signers", &format!("{} {}", quote(name), signer_text(signer))));
    out.line("trust.root", &quote(trust_root.as_deref().unwrap_or_default()));
    references.iter().for_each(|(name, target)| out.line("references", &format!("{} {}", quote(name), quote(target))));
    for requirement in signatures {
        let annotations: Vec<_> = requirement.annotations.iter().map(|(key, value)| format!("{}={}", quote(key), quote(value))).collect();
        out.line(
            "signatures",
            &format!(
                "{} {} of {:?} annotations {annotations:?} images {:?}",
                quote(&requirement.id),
                requirement.at_least,
                requirement.of,
                requirement.images
            ),
        );
    }
    for any in &evidence.require {
        out.line("evidence.require", &any.iter().map(|source| source.name()).collect::<Vec<_>>().join("|"));
    }
    out.line("evidence.database_max_age", &evidence.database_max_age_seconds.map_or_else(String::new, |seconds| seconds.to_string()));
    out.line("evidence.gaps.default", &format!("{:?}", evidence.default));
    evidence.gaps.iter().for_each(|(kind, worth)| out.line("evidence.gaps", &format!("{kind} {worth:?}")));
    out.line("exceptions.max_days", &exceptions.max_days.map_or_else(String::new, |days| days.to_string()));
    out.line("exceptions.owners", &format!("{:?}", exceptions.owners));
    out.line("exceptions.unused", &format!("{:?}", exceptions.unused));
    out.line("exceptions.soon", &exceptions.soon_days.to_string());
    exceptions.list.iter().for_each(|exception| out.line("exceptions.list", &exception_text(exception)));
    out.line("inspector_suppressions", &format!("{inspector_suppressions:?}"));
    out.line("end_of_life.distro", &format!("{end_of_life_distro:?}"));
    out.0
}

/// Settings of rules; what is not said makes no line.
fn rules_text(rules: &RulePolicy, out: &mut Lines) {
    let RulePolicy { fail: _, warn: _, set: _, inline_ignores: _, ignores_until_max, settings, foreign } = rules;
    // What in-file ignores may do stands in `inline_ignores`, and which rules run follows from the rest.
    let LintSettings {
        on: _,
        off: _,
        trusted_registries,
        trusted_frontends,
        allowed_setuid,
        labels,
        strict_labels,
        ignores_refused: _,
        ignores_with_reason: _,
    } = settings;
    ignores_until_max.iter().for_each(|days| out.line("rules.inline_ignores.until_max", &days.to_string()));
    let lists = [
        ("rules.settings.untrusted-base-registry", trusted_registries),
        ("rules.settings.untrusted-frontend", trusted_frontends),
        ("rules.settings.setuid-file", allowed_setuid),
    ];
    for (key, list) in lists {
        list.iter().for_each(|entry| out.line(key, &quote(entry)));
    }
    labels.iter().for_each(|(name, form)| out.line("rules.settings.labels", &format!("{} {}", quote(name), form.name())));
    if *strict_labels {
        out.line("rules.settings.strict_labels", "true");
    }
    let ForeignRules { ignored, severities, lowers_security } = foreign;
    ignored.keys().for_each(|id| out.line("rules.foreign.ignored", &quote(id)));
    severities.iter().for_each(|(id, (severity, _))| out.line("rules.foreign.severity", &format!("{} {severity}", quote(id))));
    if *lowers_security {
        out.line("rules.foreign.lowers_security", "true");
    }
}

struct Lines(String);

impl Lines {
    fn line(&mut self, key: &str, value: &str) {
        self.0.push_str(key);
        self.0.push(' ');
        self.0.push_str(value);
        self.0.push('\n');
    }
}

/// The sign of a comparison as policies write it.
pub(super) const fn sign(comparison: Comparison) -> &'static str {
    match comparison {
        Comparison::AtLeast => ">=",
        Comparison::Above => ">",
        Comparison::AtMost => "<=",
        Comparison::Below => "<",
        Comparison::Equal => "=",
    }
}

fn clause_text(clause: &Clause) -> String {
    let Clause { id, severity, fix, kev, epss_millionths, source, sources, package, finding, kind, origin } = clause;
    let mut text = quote(id);
    if let Some((comparison, severity)) = severity {
        let _ = write!(text, " severity {} {severity}", sign(*comparison));
    }
    if let Some(fix) = fix {
        let _ = write!(text, " fix {fix:?}");
    }
    if let Some(kev) = kev {
        let _ = write!(text, " kev {kev}");
    }
    if let Some((comparison, millionths)) = epss_millionths {
        let _ = write!(text, " epss {} {millionths}", sign(*comparison));
    }
    if let Some((comparison, count)) = sources {
        let _ = write!(text, " sources {} {count}", sign(*comparison));
    }
    source.iter().for_each(|source| text.push_str(&format!(" source {source}")));
    for (key, value) in [("package", package), ("finding", finding)] {
        if let Some(value) = value {
            let _ = write!(text, " {key} {}", quote(value));
        }
    }
    kind.iter().for_each(|kind| text.push_str(&format!(" kind {kind:?}")));
    if let Some(side) = origin {
        let _ = write!(text, " origin {}", side.name());
    }
    text
}

fn selection_text(selection: &RuleSelection) -> String {
    let groups: Vec<_> = selection.groups.iter().map(|group| group.name()).collect();
    let severity = selection.severity.map_or_else(String::new, |(comparison, severity)| format!("{} {severity}", sign(comparison)));
    let origin = selection.origin.map_or_else(String::new, |side| format!(" origin {}", side.name()));
    format!("{groups:?} {severity}{origin}")
}

fn signer_text(signer: &Signer) -> String {
    match signer {
        Signer::Key { pem, origin: _, log } => {
            // Blanks around the lines of a PEM block carry nothing.
            let pem = pem.split_whitespace().collect::<Vec<_>>().join(" ");
            format!("key {} log {}", quote(&pem), log_word(*log))
        }
        Signer::Keyless { issuer, identity, extensions } => {
            let identity = match identity {
                IdentityMatch::Exact(text) => format!("identity {}", quote(text)),
                IdentityMatch::Pattern(text) => format!("identity_pattern {}", quote(text)),
            };
            format!("keyless {} {identity} {extensions:?}", quote(issuer))
        }
    }
}

const fn log_word(log: LogRequirement) -> &'static str {
    match log {
        LogRequirement::Require => "require",
        LogRequirement::AllowMissing => "allow-missing",
    }
}

fn exception_text(exception: &Exception) -> String {
    let Exception { id, package, path, image, reason, owner, expires, ticket, until_fix, below, location: _, origin: _ } = exception;
    let part = |value: &Option<String>| quote(value.as_deref().unwrap_or_default());
    let ends = expires.map_or_else(String::new, |date| date.to_string());
    let below = below.map_or("", |severity| severity.name());
    format!(
        "{} {} {} {} {} {} {ends} {} {until_fix} {below}",
        quote(id),
        part(package),
        part(path),
        part(image),
        quote(reason),
        part(owner),
        part(ticket)
    )
}

/// Free text in quotes, so that no value can look like another line.
fn quote(text: &str) -> String {
    format!("{text:?}")
}
