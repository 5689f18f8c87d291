//! Dockerfile text in, findings out (design: `.github/ARCHITECTURE.md`, "Dockerfiles"). Pure: no I/O, no clock.

mod accounts;
mod aliases;
mod alignment;
mod bounds;
mod calls;
mod check;
mod command;
mod copies;
mod coverage;
mod created_by;
mod credential;
mod credential_options;
mod credential_text;
mod dataflow;
mod detect;
mod dialect;
mod dockerignore;
mod download;
mod edits;
mod effort;
mod execution;
mod expand;
pub mod fix;
mod foreign;
mod guest;
mod heredoc;
mod history;
mod ignore;
mod ignore_review;
mod instruction;
mod label_form;
mod labels;
mod lines;
mod locals;
mod mode;
mod options;
mod origin;
mod outcome;
mod package_caches;
mod package_calls;
mod package_manager;
mod parse;
mod plain_script;
mod plain_word;
mod pragma;
mod printed;
mod quoted;
mod reading;
mod redaction;
mod reference;
mod remark;
mod rule;
mod rules;
mod scope;
mod scripts;
mod secret;
mod secret_file;
mod secret_lines;
mod shell;
mod shown;
mod simple;
mod slip;
mod source;
mod spaces;
mod stage_builder;
mod stages;
mod trusted;
mod unlike;
mod variable_names;
mod variables;
mod verification;
mod watch;
mod words;
mod wrapper;

#[cfg(test)]
mod agreement;
#[cfg(test)]
mod corpus;
#[cfg(test)]
mod fixing;
#[cfg(test)]
mod fixtures;
#[cfg(test)]
mod hadolint_cases;
#[cfg(test)]
mod lint_cases;
#[cfg(test)]
mod parser_cases;
#[cfg(test)]
mod rule_table;
#[cfg(test)]
mod security_read;

use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
};

use crate::model::{
    build_context::BuildContext,
    coverage::{Gap, SourceId},
    finding::{Finding, FindingKind},
    fix::{Edit, Fix},
    lint::{BaseImage, LintSettings},
    location::Location,
    policy::Exception,
    report::DockerfileSummary,
    rule::{Group, Need, RuleMeta},
    shell_script::{ShellRemarks, ShellScript},
};

pub use dockerignore::{IgnoreFault, IgnorePatterns};
pub use guest::panics_are_answers;
pub use history::{HistoryReport, lint_history};
pub use origin::{base_line, origins};
pub use secret_lines::secret_lines;
pub use unlike::unlike;

use instruction::Instruction;
use reading::read;
use redaction::Redaction;
use rule::Dockerfile;
use shown::{SecretPlaces, apart, folded, hide_quoted, is_about_secret, lines_of, secret_values, shown};

/// The largest Dockerfile that is read, in bytes.
const MAX_BYTES: usize = 8 << 20;

/// The most findings of one rule in one file.
const MAX_FINDINGS: usize = 2_000;

/// The most gaps of one kind in one file; that there are more is told by one of the same kind.
const MAX_GAPS: usize = 2_000;

/// One Dockerfile to judge.
#[derive(Debug, Clone, Copy)]
pub struct LintInput<'a> {
    /// The path as the user named it; appears in every location.
    pub file: &'a str,
    /// The bytes of the file; invalid UTF-8 is legal.
    pub bytes: &'a [u8],
    /// `--build-arg` values.
    pub build_args: &'a BTreeMap<String, String>,
    /// `--target` stage.
    pub target: Option<&'a str>,
    /// The files beside it; `None` where nobody looked.
    pub context: Option<&'a BuildContext>,
    /// What the user configured.
    pub settings: &'a LintSettings,
    /// What registries say of images that the file builds on, by the reference that the file names after expansion.
    pub bases: &'a BTreeMap<String, BaseImage>,
    /// What ShellCheck says of the file's [`shell_scripts`]; `None` where nobody asked it.
    pub remarks: Option<&'a ShellRemarks>,
    /// Whether no image is looked at beside it: then nothing but findings asks for the text of a line.
    pub is_alone: bool,
}

impl<'a> LintInput<'a> {
    /// A file by itself: no build arguments, no target, nothing beside it and nothing configured.
    #[must_use]
    pub const fn new(file: &'a str, bytes: &'a [u8]) -> Self {
        static NO_ARGUMENTS: BTreeMap<String, String> = BTreeMap::new();
        static NO_SETTINGS: LintSettings = LintSettings::DEFAULT;
        static NO_BASES: BTreeMap<String, BaseImage> = BTreeMap::new();
        Self {
            file,
            bytes,
            build_args: &NO_ARGUMENTS,
            target: None,
            context: None,
            settings: &NO_SETTINGS,
            bases: &NO_BASES,
            remarks: None,
            is_alone: false,
        }
    }
}

/// What there is to say about one Dockerfile.
#[derive(Debug, Clone)]
pub struct LintReport {
    /// Findings in file order, then by rule id.
    pub findings: Vec<Finding>,
    /// In-file ignores, as exceptions with the lines they cover.
    pub ignores: Vec<Exception>,
    /// What could not be judged.
    pub gaps: Vec<Gap>,
    /// The final stage's FROM, for package findings.
    pub summary: DockerfileSummary,
    /// The user that the image ends with, when the file says so.
    pub user: Option<String>,
    /// The rules that are on and had to pass over the file, by what they need.
    pub unmet: BTreeMap<Need, Vec<&'static str>>,
    /// How many rules about security saw only a part of the shell code, because something of it could not be read.
    pub half_read: usize,
}

/// Judges one Dockerfile with every rule that is on by default; a refused instruction is a finding, never an error.
#[must_use]
pub fn lint(input: &LintInput<'_>) -> LintReport {
    judge(input).0
}

/// Judges one Dockerfile and keeps what was read of it.
fn judge<'a>(input: &LintInput<'a>) -> (LintReport, Dockerfile<'a>) {
    let bytes = input.bytes.get(..MAX_BYTES).unwrap_or(input.bytes);
    let (mut dockerfile, mut gaps) = read(&LintInput { bytes, ..*input });
    let redaction = Redaction::of(secret_values(&dockerfile, input.build_args), &dockerfile);
    let mut secret_lines = hide_quoted(&mut dockerfile, &redaction);
    gaps.extend(dockerfile.unremarked());
    if bytes.len() < input.bytes.len() {
        gaps.push(Gap::new(SourceId::Dockerfile, "too-large", input.file, format!("only the first {MAX_BYTES} bytes were read")));
    }
    let mut findings: Vec<Finding> = Vec::new();
    let rules: Vec<_> = rules_on(input.settings).collect();
    for rule in &rules {
        let mut found = rule.check(&dockerfile);
        secret_lines.extend(found.iter().filter(|finding| is_about_secret(finding)).flat_map(lines_of));
        if found.len() > MAX_FINDINGS {
            let reason = format!("{} finds more than {MAX_FINDINGS} places, of which only the first are reported", rule.meta().id);
            gaps.push(Gap::new(SourceId::Dockerfile, "too-large", input.file, reason));
            found.truncate(MAX_FINDINGS);
        }
        findings.append(&mut found);
    }
    let mut ignores = ignore::exceptions(&dockerfile);
    if ignores.len() >= ignore::MAX_IGNORES {
        let reason = format!("only the first {} in-file ignores were heeded", ignore::MAX_IGNORES);
        gaps.push(Gap::new(SourceId::Dockerfile, "too-large", input.file, reason));
    }
    let reviews: Vec<Finding> = rules.iter().flat_map(|rule| rule.review(&dockerfile, &findings, &ignores)).collect();
    findings.extend(reviews);
    let text = fix::Text::of(bytes, &dockerfile);
    let secret_lines = apart(secret_lines);
    let mut places = SecretPlaces::new(&dockerfile, &redaction, &secret_lines);
    for finding in &mut findings {
        places.hide_code(finding);
        if let Cow::Owned(told) = redaction.told_of(&finding.title, dockerfile.index_at(place(finding).0)) {
            finding.title = told;
        }
        // What a report does not show, it does not show as a correction, either.
        let is_told = |fix: &Fix| !fix.edits.iter().any(|edit| redaction.hides_of(&edit.replacement, dockerfile.index_at(edit.span.line)));
        // What cannot be built at all has no style to mend.
        let is_style = matches!(&finding.kind, FindingKind::Rule(meta) if meta.group == Group::Style);
        let is_refused = |edit: &Edit| {
            let next = dockerfile.refusals.partition_point(|refusal| refusal.end_line < edit.span.line);
            dockerfile.refusals.get(next).is_some_and(|refusal| refusal.line <= edit.span.end_line)
        };
        let is_built = |fix: &Fix| !is_style || !fix.edits.iter().any(is_refused);
        finding.fix = finding.fix.take().filter(is_told).filter(is_built).filter(|fix| fix::is_sound(&fix.edits, &text));
    }
    findings.sort_by(|a, b| place(a).cmp(&place(b)).then_with(|| a.id.cmp(&b.id)).then_with(|| a.title.cmp(&b.title)));
    findings.dedup();
    // Reports of many files are kept side by side.
    findings.shrink_to_fit();
    let mut refused_line = None;
    for refusal in dockerfile.refusals.iter().filter(|refusal| !refusal.needs_argument) {
        // One is enough to say of a line that it was not judged.
        if refused_line.replace(refusal.line) == Some(refusal.line) {
            continue;
        }
        let subject = format!("{}:{}", input.file, refusal.line);
        let reason = format!("BuildKit refuses it, so that it was not judged: {}", refusal.message);
        gaps.push(Gap::new(SourceId::Dockerfile, "refused-instruction", subject, reason));
    }
    if let Some(target) = input.target
        && !dockerfile.graph.stages.iter().any(|stage| stage.name.as_deref() == Some(target.to_lowercase().as_str()))
        && target.parse::<usize>().map_or(true, |index| index >= dockerfile.graph.stages.len())
    {
        let names: Vec<_> = dockerfile.graph.stages.iter().filter_map(|stage| stage.name.as_deref()).collect();
        let there = if names.is_empty() { "no stage has a name".to_owned() } else { format!("there are {}", names.join(", ")) };
        let reason = format!("no stage is called `{target}`; the last one was taken instead");
        gaps.push(Gap::new(SourceId::Dockerfile, "unknown-target", input.file, reason).with_hint(there));
    }
    coverage::cut(&mut gaps, input.file);
    for gap in &mut gaps {
        gap.reason = redaction.told_of(&gap.reason, dockerfile.index_at(coverage::line(gap))).into_owned();
    }
    gaps.sort();
    gaps.dedup();
    let half_read = coverage::half_read(input.settings, &gaps);
    for ignore in &mut ignores {
        ignore.reason = redaction.told(&ignore.reason).into_owned();
    }
    let from = dockerfile.final_stage().map(|stage| stage.from);
    // A user that is no name but a secret is not told, not even for a comparison.
    let user = final_user(&dockerfile).filter(|(user, line)| !redaction.hides_of(user, dockerfile.index_at(*line))).map(|(user, _)| user);
    let told_lines: BTreeSet<u32> = findings.iter().flat_map(lines_of).map(|(line, _)| line).collect();
    let is_told = |(_, instruction): &(usize, &Instruction)| !input.is_alone || told_lines.contains(&instruction.line);
    let told = dockerfile.instructions.iter().enumerate().filter(is_told);
    let instructions = told.filter_map(|(index, own)| Some((own.line, shown(&dockerfile, index, &secret_lines, &redaction)?))).collect();
    let report = LintReport {
        findings,
        user,
        unmet: coverage::unmet(&rules, &dockerfile),
        half_read,
        ignores,
        gaps,
        summary: DockerfileSummary {
            file: input.file.to_owned(),
            final_from_line: from.and_then(|from| dockerfile.instructions.get(from)).map(|from| from.line),
            final_from: from.and_then(|from| folded(&dockerfile, from, &redaction)),
            instructions,
        },
    };
    (report, dockerfile)
}

/// The shell code that ShellCheck may judge, when the rule `shellcheck` is on.
#[must_use]
pub fn shell_scripts(input: &LintInput<'_>) -> Vec<ShellScript> {
    let bytes = input.bytes.get(..MAX_BYTES).unwrap_or(input.bytes);
    read(&LintInput { bytes, ..*input }).0.shell_scripts()
}

/// The rules that run.
fn rules_on(settings: &LintSettings) -> impl Iterator<Item = &'static &'static dyn rule::Rule> + use<'_> {
    let configured: Vec<&str> = settings.configured().collect();
    let is_on = move |meta: &RuleMeta| meta.default_on || settings.on.contains(meta.id) || configured.contains(&meta.id);
    rules::RULES.iter().filter(move |rule| is_on(rule.meta()))
}

/// The last USER of the final stage's chain, as far as its value is known, and its line.
fn final_user(dockerfile: &Dockerfile<'_>) -> Option<(String, u32)> {
    let is_user = |index: usize| dockerfile.instructions.get(index).is_some_and(|instruction| instruction.keyword == "USER");
    let index = dockerfile.graph.last_in_chain(dockerfile.graph.final_stage?, is_user)?;
    let user = dockerfile.graph.values.get(index)?.first()?;
    let line = dockerfile.instructions.get(index)?.line;
    Some((user.text.trim().to_owned(), line)).filter(|(text, _)| user.is_decided() && !text.is_empty())
}

/// The images that a Dockerfile names and a registry can be asked for; with the frontend, when the rule about it is on.
#[must_use]
pub fn images(input: &LintInput<'_>) -> BTreeSet<String> {
    let bytes = input.bytes.get(..MAX_BYTES).unwrap_or(input.bytes);
    let (dockerfile, _) = read(&LintInput { bytes, ..*input });
    let named = dockerfile.graph.images.iter().map(|image| &image.reference).filter(|reference| reference.is_decided());
    let frontend = dockerfile.directives.syntax.iter().filter(|_| input.settings.on.contains("frontend-not-pinned"));
    let images = named.map(|reference| reference.text.clone()).chain(frontend.map(|frontend| frontend.reference.clone()));
    images.filter(|image| !image.is_empty()).collect()
}

/// Whether a rule wants to look into the file of a build's folder that is called like this.
#[must_use]
pub fn looks_inside(path: &str) -> bool {
    secret_file::suspect(path).is_some()
}

/// Every rule of Dockerfiles, sorted by id.
#[must_use]
pub fn rules() -> Vec<&'static RuleMeta> {
    rules::RULES.iter().map(|rule| rule.meta()).collect()
}

/// The rule with this id or alias, in any case; Trivy's ids in each of their spellings.
#[must_use]
pub fn rule(id_or_alias: &str) -> Option<&'static RuleMeta> {
    let all = || rules::RULES.iter().map(|rule| rule.meta());
    let wanted = id_or_alias.trim();
    let named = |wanted: &str| all().find(|meta| meta.aliases.iter().any(|alias| alias.eq_ignore_ascii_case(wanted)));
    all().find(|meta| meta.id.eq_ignore_ascii_case(wanted)).or_else(|| named(wanted)).or_else(|| named(&of_trivy(wanted)?))
}

/// The spelling of today for a Trivy id: `AVD-DS-0002`, `DS002` and `ds2` are `DS-0002`.
fn of_trivy(id: &str) -> Option<String> {
    let upper = id.to_ascii_uppercase();
    let number = upper.strip_prefix("AVD-").unwrap_or(&upper).strip_prefix("DS")?;
    let number: u16 = number.strip_prefix('-').unwrap_or(number).parse().ok()?;
    Some(format!("DS-{number:04}"))
}

fn place(finding: &Finding) -> (u32, u32) {
    match finding.locations.first() {
        Some(Location::Dockerfile(span)) => (span.line, span.column.unwrap_or_default()),
        _ => (0, 0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(text: &str) -> LintReport {
        lint(&LintInput::new("Dockerfile", text.as_bytes()))
    }

    #[test]
    fn no_text_shows_a_credential() {
        let table = [
            "FROM u:kz7Rw4qv@host.acme.dev/r:1\n",
            "ARG API_TOKEN=kz7Rw4qv\nFROM alpine:3.22\n",
            "FROM alpine:3.22\nLABEL password=kz7Rw4qv\n",
            "FROM alpine:3.22\nRUN export DB_PASSWORD=kz7Rw4qv\n",
            "FROM alpine:3.22\nADD https://u:kz7Rw4qv@host.acme.dev/r /\n",
            "FROM alpine:3.22\nADD https://u:kz7Rw4qv@host.acme.dev/r.git#main /\n",
            "FROM alpine:3.22\nADD --keep-git-dir https://kz7Rw4qv@host.acme.dev/r.git /\n",
            "FROM alpine:3.22\nADD [\"https://u:kz7Rw4qv@host.acme.dev/r.git\", \"/\"]\n",
            "FROM alpine:3.22\nCOPY https://u:kz7Rw4qv@host.acme.dev/r.git /\n",
            "FROM alpine:3.22\nCOPY --from=u:kz7Rw4qv@host.acme.dev/r:1 /a /b\n",
            "FROM alpine:3.22\nRUN --mount=from=u:kz7Rw4qv@host.acme.dev/r:1 make\n",
            "FROM alpine:3.22\nONBUILD ADD https://u:kz7Rw4qv@host.acme.dev/r /\n",
            "FROM alpine:3.22\nONBUILD ENV API_TOKEN=kz7Rw4qv\n",
            "FROM alpine:3.22\nONBUILD ENV API_TOKEN kz7Rw4qv\n",
            "FROM alpine:3.22\nONBUILD ARG API_TOKEN=kz7Rw4qv\n",
            "FROM alpine:3.22\nONBUILD RUN curl -u bot:kz7Rw4qv https://host.acme.dev/r\n",
            "FROM alpine:3.22\nONBUILD RUN export API_TOKEN='kz7Rw4qv'\n",
            "FROM alpine:3.22\nENV API_TOKEN kz7Rw4qv\n",
            "FROM alpine:3.22\nENV API_TOKEN a kz7Rw4qv\n",
            "FROM alpine:3.22\nENV A=1 \\\n  API_TOKEN=\"a kz7Rw4qv\" B=2\n",
            "FROM alpine:3.22\nENV API_TOKEN='a kz7Rw4qv' B=2\n",
            "FROM alpine:3.22\nENV API_TOKEN=a\\ kz7Rw4qv B=2\n",
            "FROM alpine:3.22\nARG A=1 API_TOKEN=kz7Rw4qv\n",
            "FROM alpine:3.22\nARG PASS=kz7Rw4qv\nUSER $PASS\n",
            "FROM alpine:3.22\nARG API_TOKEN=kz7Rw4qv\nUSER $API_TOKEN\n",
            "FROM alpine:3.22\nARG API_TOKEN=kz7Rw4qv\nADD https://host.acme.dev/r?t=$API_TOKEN /\n",
            "FROM alpine:3.22\nARG API_TOKEN=kz7Rw4qv\nEXPOSE $API_TOKEN\nSTOPSIGNAL $API_TOKEN\n",
            "ARG API_TOKEN=kz7Rw4qv\nFROM u:$API_TOKEN@host.acme.dev/r:1\n",
            "ARG API_TOKEN=kz7Rw4qv\nFROM host.acme.dev/$API_TOKEN/r:1\n",
            "ARG API_TOKEN=kz7Rw4qv\nFROM --platform=linux/$API_TOKEN alpine:3.22\n",
            "FROM alpine:3.22\nARG API_TOKEN=kz7Rw4qv\nRUN chmod 777 /srv/$API_TOKEN\nRUN $API_TOKEN -k\n",
            "FROM alpine:3.22\nRUN curl -u bot:kz7Rw4qv https://host.acme.dev/r\n",
            "FROM alpine:3.22\nRUN [\"curl\", \"--user\", \"bot:kz7Rw4qv\", \"https://host.acme.dev/r\"]\n",
            "FROM alpine:3.22\nRUN curl -k \"https://u:kz7Rw4qv@host.acme.dev/r\" | sh\n",
            "FROM alpine:3.22\nRUN <<EOF\nexport API_TOKEN=kz7Rw4qv\ncurl -k -u bot:kz7Rw4qv https://x.dev | sh\nEOF\n",
            "FROM alpine:3.22\nCOPY <<EOF /etc/app.conf\npassword=kz7Rw4qv\nEOF\n",
            "FROM alpine:3.22\nRUN cat <<EOF | sh\nmysql -pkz7Rw4qv\nEOF\n",
            "FROM alpine:3.22\nRUN echo root:kz7Rw4qv | chpasswd\n",
            "FROM alpine:3.22\nRUN echo 'API_TOKEN=kz7Rw4qv' >> /etc/environment\n",
            "FROM alpine:3.22\nHEALTHCHECK CMD curl -u bot:kz7Rw4qv http://localhost/\n",
            "FROM alpine:3.22\nHEALTHCHECK CMD [\"redis-cli\", \"--pass\", \"kz7Rw4qv\", \"ping\"]\n",
            "FROM alpine:3.22\nHEALTHCHECK CMD mysqladmin ping -uroot -pkz7Rw4qv\n",
            "FROM alpine:3.22\nCMD [\"app\", \"--token\", \"kz7Rw4qv\"]\n",
            "FROM alpine:3.22\nENTRYPOINT app --token=kz7Rw4qv\n",
            "FROM alpine:3.22\nSHELL [\"env\", \"API_TOKEN=kz7Rw4qv\"]\nRUN x\n",
            "FROM alpine:3.22\nENV A\nENV API_TOKEN=kz7Rw4qv B\n",
            "FROM alpine:3.22 API_TOKEN=kz7Rw4qv\nHEALTHCHECK API_TOKEN=kz7Rw4qv\nAPI_TOKEN=kz7Rw4qv\n",
            "FROM alpine:3.22\nENV PASSWORD=\"kz7Rw4qv\n",
            "API_TOKEN=kz7Rw4qv\n",
            "# check=API_TOKEN=kz7Rw4qv\nFROM alpine:3.22\n",
            "FROM alpine:3.22\n# plimsoll ignore=root-user reason=API_TOKEN=kz7Rw4qv\nUSER root\n",
            "# syntax=u:kz7Rw4qv@host.acme.dev/r:1\nFROM alpine:3.22\n",
            "FROM alpine:3.22\nRUN docker login -u bot -p kz7Rw4qv host.acme.dev\n",
            "FROM alpine:3.22\nRUN npm config set //host.acme.dev/:_authToken kz7Rw4qv\n",
            "FROM alpine:3.22\nRUN echo '//host.acme.dev/:_authToken=kz7Rw4qv' > .npmrc\n",
            "FROM alpine:3.22\nRUN echo kz7Rw4qv | docker login --password-stdin host.acme.dev\n",
            "FROM alpine:3.22\nRUN redis-cli -a kz7Rw4qv ping && PGPASSWORD=kz7Rw4qv psql\n",
            "FROM alpine:3.22\nRUN composer config github-oauth.github.com kz7Rw4qv\n",
            "FROM alpine:3.22\nRUN curl -fO http://u:kz7Rw4qv@host.acme.dev/r.tgz && tar xf r.tgz\n",
            "FROM alpine:3.22\nRUN wget https://u:kz7Rw4qv@host.acme.dev && sh host.acme.dev\n",
            "ARG API_TOKEN=kz7Rw4qv\nFROM $API_TOKEN/\n",
            "FROM scratch\nENV API_TOKEN=kz7Rw4qv A=$B\n",
            "FROM alpine:3.22\nENV DB_PASSWORD=kz7Rw4qv\nRUN cd /x && setup kz7Rw4qv\n",
            "ARG API_TOKEN=kz7Rw4qv\nFROM host.acme.dev/kz7Rw4qv:1\n",
        ];
        // The rules' own help shows passwords, so this one is not among them.
        let leaky = |text: &&&str| format!("{:?}", report(text)).contains("kz7Rw4qv");
        assert_eq!(table.iter().filter(leaky).collect::<Vec<_>>(), Vec::<&&str>::new());
    }

    #[test]
    fn every_refusal_that_no_argument_mends_is_a_gap() {
        let kinds = |text: &str| report(text).gaps.iter().map(|gap| gap.kind).collect::<Vec<_>>();
        assert_eq!(kinds("FROM u:p@host.acme.dev/r:1\nUSER 1\n"), ["refused-instruction"]);
        assert!(kinds("ARG IMAGE\nFROM ${IMAGE}\nUSER 1\n").is_empty());
        let reasons = |text: &str| report(text).gaps.into_iter().map(|gap| format!("{}: {}", gap.subject, gap.reason)).collect::<Vec<_>>();
        let told = |line, message| vec![format!("Dockerfile:{line}: BuildKit refuses it, so that it was not judged: {message}")];
        assert_eq!(reasons(""), told(1, "file with no instructions"));
        assert_eq!(reasons("![\n"), told(1, "unknown instruction: !["));
        assert_eq!(reasons("ARG A\n"), told(1, "dockerfile contains no stages to build"));
        assert_eq!(reasons("FROM scratch\nENV A\n"), told(2, "ENV must have two arguments"));
    }
}
