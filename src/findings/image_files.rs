//! What is in an image besides packages in, findings out. No file is opened here and nothing is decided: the policy judges.

use std::collections::BTreeMap;

use jiff::civil::Date;

use crate::{
    findings::image_rules::{
        CREDENTIAL_IN_LAYER, DUPLICATE_UID, EMPTY_PASSWORD, PACKAGE_CACHE_LEFT, PRIVATE_KEY_IN_LAYER, RUNTIME_END_OF_LIFE, SETUID_FILE,
        TOOLS_IN_IMAGE, UNNEEDED_FILE,
    },
    model::{
        facts::{AccountFact, AccountFault, Fate, ImageFacts, ModeFact, SecretClass, SecretFact, ToolUse, UnneededFact},
        finding::Finding,
        location::Location,
        rule::RuleMeta,
        severity::Severity,
    },
};

/// The Dockerfile's rule that judges files of an image as well.
const WORLD_WRITABLE: &str = "world-writable-path";
/// How many files of one layer are findings of their own; more of them are one.
const EACH: usize = 20;
/// How many paths a title names.
const NAMED: usize = 5;

/// Everything that is wrong with the files by the rules that are on; `meta` knows the Dockerfile's rules.
pub fn judge(
    facts: &ImageFacts,
    today: Date,
    is_on: &dyn Fn(&RuleMeta) -> bool,
    meta: impl Fn(&str) -> Option<&'static RuleMeta>,
) -> Vec<Finding> {
    let mut findings: Vec<Finding> = facts.secrets.iter().map(secret).collect();
    let (runs, writable): (Vec<_>, Vec<_>) =
        (facts.modes.iter().filter(|fact| grants(fact)).collect(), facts.modes.iter().filter(|fact| fact.mode & 0o002 != 0).collect());
    modes(&mut findings, &SETUID_FILE, &runs, &rights);
    if let Some(meta) = meta(WORLD_WRITABLE) {
        modes(&mut findings, meta, &writable, &|_| "everybody may write to");
    }
    findings.extend(facts.accounts.iter().map(account));
    for left in &facts.leftovers {
        let title = format!("{} left what it downloaded in {} ({} files seen)", left.manager, left.folder, left.files);
        findings.push(Finding::of_rule(&PACKAGE_CACHE_LEFT, PACKAGE_CACHE_LEFT.severity, title, left.location.clone()));
    }
    findings.extend(tools(facts));
    if is_on(&UNNEEDED_FILE) {
        unneeded(&mut findings, &facts.unneeded);
    }
    for runtime in facts.runtimes.iter().filter(|runtime| runtime.last_day.parse::<Date>().is_ok_and(|last| last < today)) {
        let paths: Vec<&str> = runtime
            .locations
            .iter()
            .filter_map(|location| if let Location::Image { path, .. } = location { Some(path.as_str()) } else { None })
            .collect();
        let place = match paths.as_slice() {
            [] => "of no OS package".to_owned(),
            [only] => format!("{only}, of no OS package"),
            [first, rest @ ..] => format!("{first} and {} more, of no OS package", rest.len()),
        };
        let title = format!("{} {} ({place}) has had no security fixes since {}", runtime.name, runtime.version, runtime.last_day);
        let mut finding = Finding::of_rule(&RUNTIME_END_OF_LIFE, RUNTIME_END_OF_LIFE.severity, title, Location::Config);
        if !runtime.locations.is_empty() {
            finding.locations.clone_from(&runtime.locations);
        }
        findings.push(finding);
    }
    findings
}

fn secret(fact: &SecretFact) -> Finding {
    let meta = match fact.class {
        SecretClass::PrivateKey => &PRIVATE_KEY_IN_LAYER,
        SecretClass::Credential => &CREDENTIAL_IN_LAYER,
    };
    let shown = if fact.shown.is_empty() { String::new() } else { format!(" ({}…)", fact.shown) };
    let (line, path) = (fact.line, &fact.path);
    let gone = match fact.fate {
        Fate::Visible => "",
        Fate::Hidden => "; a layer above deletes or replaces the file, and whoever has the image has it all the same",
    };
    let title = format!("{}{shown} in {path}, line {line}{gone}", fact.kind);
    let first = fact.locations.first().cloned().unwrap_or(Location::Config);
    let mut finding = Finding::of_rule(meta, fact.severity, title, first);
    if !fact.locations.is_empty() {
        finding.locations.clone_from(&fact.locations);
    }
    finding
}

/// Whether who runs the file has somebody else's rights. On folders the bits mean something else.
const fn grants(fact: &ModeFact) -> bool {
    !fact.is_folder && (fact.mode & 0o6000 != 0 || fact.has_capability)
}

fn rights(fact: &ModeFact) -> &'static str {
    match (fact.mode & 0o4000 != 0, fact.mode & 0o2000 != 0) {
        (true, true) => "setuid and setgid:",
        (true, false) => "setuid:",
        (false, true) => "setgid:",
        (false, false) => "file with capabilities:",
    }
}

/// Files of OS packages are one finding; of the others each is one, as long as they are few.
fn modes(findings: &mut Vec<Finding>, meta: &'static RuleMeta, facts: &[&ModeFact], words: &dyn Fn(&ModeFact) -> &'static str) {
    let (owned, own): (Vec<&ModeFact>, Vec<&ModeFact>) = facts.iter().partition(|fact| fact.owner.is_some());
    let what = if meta.id == SETUID_FILE.id { "setuid, setgid or with capabilities" } else { "writable by everybody" };
    findings.extend(together(meta, Severity::Negligible, &owned, &format!("{} of OS packages, {what}", count(&owned))));
    let mut layers: BTreeMap<Option<usize>, Vec<&ModeFact>> = BTreeMap::new();
    for &fact in &own {
        let layer = if let Location::Image { index, .. } = &fact.location { Some(*index) } else { None };
        layers.entry(layer).or_default().push(fact);
    }
    for group in layers.into_values() {
        if group.len() > EACH {
            findings.extend(together(meta, meta.severity, &group, &format!("{} of one layer, {what}", count(&group))));
            continue;
        }
        for fact in group {
            let title = format!("{} {} (mode {:04o}), of no OS package", words(fact), fact.path, fact.mode & 0o7777);
            findings.push(Finding::of_rule(meta, meta.severity, title, fact.location.clone()));
        }
    }
}

fn count(facts: &[&ModeFact]) -> String {
    let noun = if facts.iter().any(|fact| fact.is_folder) { "files and folders" } else { "files" };
    match facts {
        [one] if one.is_folder => "1 folder".to_owned(),
        [_] => "1 file".to_owned(),
        many => format!("{} {noun}", many.len()),
    }
}

/// One finding for all of them.
fn together(meta: &'static RuleMeta, severity: Severity, facts: &[&ModeFact], words: &str) -> Option<Finding> {
    /// More places than anybody looks at.
    const PLACES: usize = 200;
    let first = facts.first()?;
    let named: Vec<&str> = facts.iter().take(NAMED).map(|fact| fact.path.as_str()).collect();
    let more = if facts.len() > NAMED { format!(" and {} more", facts.len() - NAMED) } else { String::new() };
    let mut finding = Finding::of_rule(meta, severity, format!("{words}: {}{more}", named.join(", ")), first.location.clone());
    finding.locations = facts.iter().take(PLACES).map(|fact| fact.location.clone()).collect();
    Some(finding)
}

fn account(fact: &AccountFact) -> Finding {
    let name = &fact.name;
    let (meta, severity, title) = match &fact.fault {
        AccountFault::EmptyPassword { has_shell: true } => {
            (&EMPTY_PASSWORD, Severity::High, format!("the account {name} has an empty password"))
        }
        AccountFault::EmptyPassword { has_shell: false } => {
            (&EMPTY_PASSWORD, Severity::Low, format!("the account {name} has an empty password and no shell to log in with"))
        }
        AccountFault::SecondRoot => {
            (&DUPLICATE_UID, Severity::High, format!("the account {name} has the user id 0: it is root under another name"))
        }
        AccountFault::SharedId { other, id } => {
            (&DUPLICATE_UID, DUPLICATE_UID.severity, format!("the accounts {other} and {name} share the user id {id}"))
        }
    };
    Finding::of_rule(meta, severity, title, fact.location.clone())
}

/// Each file is a finding, as long as they are few.
fn unneeded(findings: &mut Vec<Finding>, facts: &[UnneededFact]) {
    let meta = &UNNEEDED_FILE;
    let (each, rest) = facts.split_at(facts.len().min(EACH));
    for fact in each {
        let title = format!("nobody needs {} in a container: {}", fact.what, fact.path);
        findings.push(Finding::of_rule(meta, meta.severity, title, fact.location.clone()));
    }
    if let Some(first) = rest.first() {
        let named: Vec<&str> = rest.iter().take(NAMED).map(|fact| fact.path.as_str()).collect();
        let title = format!("{} more files that nobody needs in a container: {}", rest.len(), named.join(", "));
        findings.push(Finding::of_rule(meta, meta.severity, title, first.location.clone()));
    }
}

/// One finding for all tools.
fn tools(facts: &ImageFacts) -> Option<Finding> {
    let mut uses: BTreeMap<ToolUse, Vec<&str>> = BTreeMap::new();
    for tool in &facts.tools {
        uses.entry(tool.use_).or_default().push(&tool.name);
    }
    let parts: Vec<String> = uses.iter().map(|(use_, names)| format!("{} ({})", use_.name(), names.join(", "))).collect();
    let title = format!("the image holds {}", parts.join("; "));
    (!parts.is_empty()).then(|| Finding::of_rule(&TOOLS_IN_IMAGE, TOOLS_IN_IMAGE.severity, title, Location::Config))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{
        digest::Digest,
        facts::{RuntimeFact, ToolFact},
        rule::Group,
    };

    fn at(index: usize, path: &str) -> Location {
        Location::Image { layer: Digest::sha256_of(b""), index, path: path.to_owned() }
    }

    fn mode(index: usize, path: &str, mode: u16, owner: Option<&str>) -> ModeFact {
        ModeFact {
            mode,
            is_folder: false,
            has_capability: false,
            owner: owner.map(str::to_owned),
            location: at(index, path),
            path: path.to_owned(),
        }
    }

    fn judged(facts: &ImageFacts) -> Vec<(String, Severity, String)> {
        static META: RuleMeta = RuleMeta::blank(WORLD_WRITABLE, Group::Security, Severity::Medium);
        let today = Date::constant(2026, 11, 22);
        let findings = judge(facts, today, &|_| true, |id| (id == WORLD_WRITABLE).then_some(&META));
        findings.into_iter().map(|one| (one.id, one.severity, one.title)).collect()
    }

    #[test]
    fn files_of_packages_are_told_together_and_others_one_by_one() {
        let facts = ImageFacts {
            modes: vec![
                mode(0, "bin/su", 0o4755, Some("util-linux")),
                mode(0, "bin/mount", 0o4755, Some("util-linux")),
                mode(1, "usr/bin/helper", 0o2755, None),
                mode(1, "app/world", 0o666, None),
            ],
            ..ImageFacts::default()
        };
        let expected = [
            ("setuid-file", Severity::Negligible, "2 files of OS packages, setuid, setgid or with capabilities: bin/su, bin/mount"),
            ("setuid-file", Severity::Medium, "setgid: usr/bin/helper (mode 2755), of no OS package"),
            (WORLD_WRITABLE, Severity::Medium, "everybody may write to app/world (mode 0666), of no OS package"),
        ];
        assert_eq!(judged(&facts), expected.map(|(id, severity, title)| (id.to_owned(), severity, title.to_owned())));
        let many = ImageFacts { modes: (0..50).map(|at| mode(1, &format!("app/{at:02}"), 0o777, None)).collect(), ..ImageFacts::default() };
        let found = judged(&many);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].2, "50 files of one layer, writable by everybody: app/00, app/01, app/02, app/03, app/04 and 45 more");
    }

    #[test]
    fn a_deleted_credential_is_one_all_the_same() {
        let fact = |fate| SecretFact {
            kind: "npm token".to_owned(),
            severity: Severity::Critical,
            class: SecretClass::Credential,
            shown: "npm_".to_owned(),
            line: 3,
            path: "app/.npmrc".to_owned(),
            locations: vec![at(1, "app/.npmrc")],
            fate,
        };
        let facts = ImageFacts { secrets: vec![fact(Fate::Visible), fact(Fate::Hidden)], ..ImageFacts::default() };
        let found = judged(&facts);
        assert_eq!(found[0].2, "npm token (npm_…) in app/.npmrc, line 3");
        assert!(found[1].2.contains("a layer above deletes or replaces the file"), "{found:?}");
        assert!(found.iter().all(|(id, severity, _)| id == "credential-in-layer" && *severity == Severity::Critical));
    }

    #[test]
    fn unneeded_files_are_findings_where_that_is_asked() {
        let fact = |at: usize| UnneededFact { what: "a build file", path: format!("app/{at:02}/Dockerfile"), location: self::at(1, "x") };
        let facts = ImageFacts { unneeded: (0..22).map(fact).collect(), ..ImageFacts::default() };
        let found = judged(&facts);
        assert_eq!(found.len(), 21);
        assert_eq!(found[0].2, "nobody needs a build file in a container: app/00/Dockerfile");
        assert_eq!(found[20].2, "2 more files that nobody needs in a container: app/20/Dockerfile, app/21/Dockerfile");
        let off = judge(&facts, Date::constant(2026, 11, 22), &|meta| meta.default_on, |_| None);
        assert_eq!(off, []);
    }

    #[test]
    fn accounts_tools_and_runtimes_are_findings() {
        let account = |fault| AccountFact { fault, name: "admin".to_owned(), location: at(0, "etc/passwd") };
        let runtime = |version: &str, day: &str| RuntimeFact {
            name: "Node.js".to_owned(),
            version: version.to_owned(),
            last_day: day.to_owned(),
            locations: vec![at(1, "usr/local/bin/node")],
        };
        let tool = |use_, name: &str| ToolFact { use_, name: name.to_owned() };
        let facts = ImageFacts {
            accounts: vec![account(AccountFault::SecondRoot), account(AccountFault::EmptyPassword { has_shell: true })],
            tools: vec![tool(ToolUse::Shell, "bash"), tool(ToolUse::Network, "curl"), tool(ToolUse::Network, "wget")],
            runtimes: vec![runtime("18.20.4", "2025-04-30"), runtime("24.1.0", "2028-04-30")],
            ..ImageFacts::default()
        };
        let found = judged(&facts);
        let told: Vec<_> = found.iter().map(|(id, severity, _)| (id.as_str(), *severity)).collect();
        assert_eq!(
            told,
            [
                ("duplicate-uid", Severity::High),
                ("empty-password", Severity::High),
                ("tools-in-image", Severity::Negligible),
                ("runtime-end-of-life", Severity::Low)
            ]
        );
        assert_eq!(found[2].2, "the image holds shells (bash); network tools (curl, wget)");
        assert_eq!(found[3].2, "Node.js 18.20.4 (usr/local/bin/node, of no OS package) has had no security fixes since 2025-04-30");
    }
}
