//! A loaded policy in, the same policy in sentences out.

use std::collections::BTreeSet;

use crate::model::{
    origin::Side,
    policy::{
        Clause, FixCondition, IdentityMatch, InlineIgnores, LogRequirement, Mode, PackageClass, Policy, RuleSelection, RuleSetting,
        SeveritySource, Signer, Suppressions, Worth,
    },
};

use super::{canonical::sign, evidence::duration};

/// The policy in sentences, one per line.
#[must_use]
pub fn explain(policy: &Policy) -> String {
    let mut lines = vec![format!("Policy `{}`, {}.", policy.name, policy.digest)];
    let files: Vec<_> = policy.files.iter().map(|(file, digest)| format!("{file} ({})", digest.short())).collect();
    lines.push(format!("It was read from {}.", files.join(", ")));
    if policy.mode == Mode::Audit {
        lines.push("It only audits: the verdict is printed and the exit code is 0.".to_owned());
    }
    lines.push(format!(
        "A finding is as severe as {}; one that nobody rates counts as {}.",
        severity_source(policy.severity.source),
        policy.severity.unknown_as
    ));
    for own in &policy.severity.overrides {
        let ends = own.expires.map_or_else(String::new, |date| format!(" until {date}"));
        lines.push(format!("{} counts as {}{ends}: {}.", own.id, own.severity, own.reason));
    }
    clauses(&mut lines, "fails", &policy.fail);
    clauses(&mut lines, "is a warning", &policy.warn);
    for (severity, most) in &policy.at_most {
        lines
            .push(format!("More than {most} findings of severity {} or worse fail, accepted and suppressed ones not counted.", severity.0));
    }
    rules(&mut lines, policy);
    signatures(&mut lines, policy);
    evidence(&mut lines, policy);
    exceptions(&mut lines, policy);
    lines.push(match policy.inspector_suppressions {
        Suppressions::Honour => "What Inspector's own rules suppress is suppressed here too, counted and shown.".to_owned(),
        Suppressions::Refuse => "What Inspector's own rules suppress counts all the same.".to_owned(),
    });
    lines.push(format!("A distribution past its end of life {}.", worth(policy.end_of_life_distro)));
    lines.push(String::new());
    lines.join("\n")
}

fn clauses(lines: &mut Vec<String>, verb: &str, clauses: &[Clause]) {
    for clause in clauses {
        lines.push(format!("A package finding {verb} when {} ({}).", conditions(clause), clause.id));
    }
}

fn conditions(clause: &Clause) -> String {
    let Clause { id: _, severity, fix, kev, epss_millionths, source, sources, package, finding, kind, origin } = clause;
    let mut all = Vec::new();
    if let Some((comparison, severity)) = severity {
        all.push(format!("its severity is {} {severity}", sign(*comparison)));
    }
    match fix {
        Some(FixCondition::Available) => all.push("a fix is known".to_owned()),
        Some(FixCondition::None) => all.push("no fix is known".to_owned()),
        Some(FixCondition::Any) => all.push("a fix is known or not".to_owned()),
        None => {}
    }
    match kev {
        Some(true) => all.push("it is known to be exploited".to_owned()),
        Some(false) => all.push("it is not known to be exploited".to_owned()),
        None => {}
    }
    if let Some((comparison, millionths)) = epss_millionths {
        let decimals = format!("{:06}", millionths % 1_000_000);
        let decimals = decimals.trim_end_matches('0');
        let point = if decimals.is_empty() { "" } else { "." };
        all.push(format!("its EPSS probability is {} {}{point}{decimals}", sign(*comparison), millionths / 1_000_000));
    }
    if !source.is_empty() {
        all.push(format!("{} reports it", source.iter().map(|source| source.name()).collect::<Vec<_>>().join(" or ")));
    }
    if let Some((comparison, count)) = sources {
        all.push(format!("the number of sources that report it is {} {count}", sign(*comparison)));
    }
    if let Some(pattern) = package {
        all.push(format!("its package fits {pattern}"));
    }
    if let Some(id) = finding {
        all.push(format!("it is {id}"));
    }
    if !kind.is_empty() {
        let words = kind.iter().map(|kind| match kind {
            PackageClass::Os => "a package of the distribution",
            PackageClass::Language => "a package of a language",
            PackageClass::Binary => "a binary without a package",
        });
        all.push(format!("it is in {}", words.collect::<Vec<_>>().join(" or ")));
    }
    match origin {
        Some(Side::Base) => all.push("the base image may have brought it".to_owned()),
        Some(Side::Own) => all.push("the build itself, not the base image, may have brought it".to_owned()),
        None => {}
    }
    all.join(" and ")
}

fn rules(lines: &mut Vec<String>, policy: &Policy) {
    for (verb, selections) in [("fails", &policy.rules.fail), ("is a warning", &policy.rules.warn)] {
        for selection in selections {
            lines.push(format!("What a {} finds {verb}.", selected(selection)));
        }
    }
    for (id, setting) in &policy.rules.set {
        let say = match setting {
            RuleSetting::Fail => "fails",
            RuleSetting::Warn => "is a warning",
            RuleSetting::Note => "is noted",
            RuleSetting::Off => "is suppressed",
        };
        lines.push(format!("What rule {id} finds {say}."));
    }
    for (group, say) in &policy.rules.inline_ignores {
        let say = match say {
            InlineIgnores::Allow => "count",
            InlineIgnores::WithReason => "count when they give a reason",
            InlineIgnores::Refuse => "do not count",
        };
        lines.push(format!("In-file ignores of {} rules {say}.", group.name()));
    }
    if let Some(days) = policy.rules.ignores_until_max {
        lines.push(format!("An in-file ignore counts only with an `until` at most {days} days ahead."));
    }
    settings(lines, policy);
}

fn settings(lines: &mut Vec<String>, policy: &Policy) {
    let settings = &policy.rules.settings;
    let listed = |entries: &BTreeSet<String>| entries.iter().cloned().collect::<Vec<_>>().join(", ");
    if !settings.trusted_registries.is_empty() {
        lines.push(format!("Base images may come from {} (untrusted-base-registry).", listed(&settings.trusted_registries)));
    }
    if !settings.trusted_frontends.is_empty() {
        lines.push(format!(
            "Besides Docker's own, builds may run in the frontends {} (untrusted-frontend).",
            listed(&settings.trusted_frontends)
        ));
    }
    if !settings.allowed_setuid.is_empty() {
        lines.push(format!("These files may be setuid, setgid or have capabilities: {} (setuid-file).", listed(&settings.allowed_setuid)));
    }
    if !settings.labels.is_empty() {
        let labels: Vec<_> = settings.labels.iter().map(|(name, form)| format!("{name} ({})", form.name())).collect();
        let others = if settings.strict_labels { ", and no others" } else { "" };
        lines.push(format!("Images have the labels {}{others} (the label rules).", labels.join(", ")));
    }
    let foreign = &policy.rules.foreign;
    for (id, span) in &foreign.ignored {
        lines.push(format!("{}:{} ignores {id}.", span.file, span.line));
    }
    for (id, (severity, span)) in &foreign.severities {
        lines.push(format!("{}:{} rates {id} as {severity}.", span.file, span.line));
    }
}

fn selected(selection: &RuleSelection) -> String {
    let groups = selection.groups.iter().map(|group| group.name()).collect::<Vec<_>>().join(" or ");
    let groups = if groups.is_empty() { String::new() } else { format!("{groups} ") };
    let origin = match selection.origin {
        Some(Side::Base) => " about what the base image may have brought",
        Some(Side::Own) => " about what the build itself may have brought",
        None => "",
    };
    match selection.severity {
        Some((comparison, severity)) => format!("{groups}rule of severity {} {severity}{origin}", sign(comparison)),
        None => format!("{groups}rule{origin}"),
    }
}

fn signatures(lines: &mut Vec<String>, policy: &Policy) {
    for (name, signer) in &policy.signers {
        lines.push(match signer {
            Signer::Key { origin, log, .. } => {
                let log = if *log == LogRequirement::Require { ", and a transparency log vouches for it" } else { "" };
                format!("`{name}` has signed when the key of {origin} verifies the signature{log}.")
            }
            Signer::Keyless { issuer, identity, extensions } => {
                let identity = match identity {
                    IdentityMatch::Exact(exact) => format!("is {exact}"),
                    IdentityMatch::Pattern(pattern) => format!("fits {pattern}"),
                };
                let more: String = extensions.iter().map(|(key, values)| format!(", its {key} is {}", values.iter().cloned().collect::<Vec<_>>().join(" or "))).collect();
                format!("`{name}` has signed when the certificate's identity {identity}, its issuer is {issuer}{more}, and a transparency log vouches for it.")
            }
        });
    }
    if policy.signatures.is_empty() {
        lines.push("No signature is required.".to_owned());
    }
    for asked in &policy.signatures {
        let images = if asked.images.is_empty() { "every image".to_owned() } else { asked.images.join(" and ") };
        lines.push(format!("On {images}, {} must be there ({}).", super::evaluate::asks(asked), asked.id));
    }
    if let Some(root) = &policy.trust_root {
        lines.push(format!("Certificates and logs are trusted by the root {root}."));
    }
    for (name, target) in &policy.references {
        lines.push(format!("A signature made for {target} also counts for {name}."));
    }
}

fn evidence(lines: &mut Vec<String>, policy: &Policy) {
    for any in &policy.evidence.require {
        lines.push(format!(
            "The run is incomplete unless {} was heard to the end.",
            any.iter().map(|source| source.name()).collect::<Vec<_>>().join(" or ")
        ));
    }
    if let Some(seconds) = policy.evidence.database_max_age_seconds {
        lines.push(format!("Advisory data older than {} is a gap.", duration(seconds)));
    }
    lines.push(format!("A gap {}.", worth(policy.evidence.default)));
    for (kind, of_kind) in &policy.evidence.gaps {
        lines.push(format!("A gap of kind {kind} {}.", worth(*of_kind)));
    }
}

fn exceptions(lines: &mut Vec<String>, policy: &Policy) {
    let rules = &policy.exceptions;
    if let Some(days) = rules.max_days {
        lines.push(format!("An exception may last {days} days from the day of the run."));
    }
    if !rules.owners.is_empty() {
        lines.push(format!("An exception belongs to {}.", rules.owners.join(" or ")));
    }
    lines.push(format!(
        "An exception that nothing needs {}; one is announced {} days before its end.",
        worth(rules.unused),
        rules.soon_days
    ));
    for exception in &rules.list {
        let mut scope = Vec::new();
        for (word, value) in [("package", &exception.package), ("path", &exception.path), ("image", &exception.image)] {
            if let Some(value) = value {
                scope.push(format!("{word} {value}"));
            }
        }
        if exception.until_fix {
            scope.push("until a fix is known".to_owned());
        }
        if let Some(below) = exception.below {
            scope.push(format!("while its severity is below {below}"));
        }
        let ends = exception.expires.map_or_else(String::new, |date| format!(" until {date}"));
        let owner = exception.owner.as_deref().unwrap_or("nobody");
        lines.push(format!("{} passes{ends} ({}): {}, says {owner}.", exception.id, scope.join(", "), exception.reason));
    }
}

const fn worth(worth: Worth) -> &'static str {
    match worth {
        Worth::Fail => "stops the gate",
        Worth::Warn => "is a warning",
        Worth::Ignore => "is only shown",
    }
}

const fn severity_source(source: SeveritySource) -> &'static str {
    match source {
        SeveritySource::Vendor => "the first says of: distribution, Inspector, GitHub or OSV, NVD, ECR",
        SeveritySource::Max => "the worst rating of all says",
        SeveritySource::Inspector => "Inspector says, then in the default order",
        SeveritySource::Nvd => "NVD says, then in the default order",
    }
}
