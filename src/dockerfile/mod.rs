//! Dockerfile text in, findings out (design: `.github/ARCHITECTURE.md`, "Dockerfiles"). Pure: no I/O, no clock.

mod bounds;
mod check;
mod command;
mod coverage;
mod created_by;
mod execution;
mod expand;
mod foreign;
mod heredoc;
mod history;
mod ignore;
mod instruction;
mod locals;
mod mode;
mod options;
mod origin;
mod package_manager;
mod parse;
mod rule;
mod rules;
mod scope;
mod scripts;
mod secret;
mod shell;
mod source;
mod stages;
mod unlike;
mod wrapper;

#[cfg(test)]
mod agreement;
#[cfg(test)]
mod corpus;
#[cfg(test)]
mod fixtures;

use std::collections::{BTreeMap, BTreeSet};

use crate::model::{
    build_context::BuildContext,
    coverage::{Gap, SourceId},
    finding::Finding,
    fix::Fix,
    lint::{BaseImage, LintSettings},
    location::{Location, Span},
    mask::{self, masked},
    policy::Exception,
    report::DockerfileSummary,
    rule::{Need, RuleMeta},
};

pub use history::{HistoryReport, lint_history};
pub use origin::{base_line, origins};
pub use unlike::unlike;

use instruction::Instruction;
use parse::{Phase, Refusal};
use rule::Dockerfile;
use scope::Scope;
use scripts::Scripts;
use stages::Graph;

/// The largest Dockerfile that is read, in bytes.
const MAX_BYTES: usize = 8 << 20;

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
}

impl<'a> LintInput<'a> {
    /// A file by itself: no build arguments, no target, nothing beside it and nothing configured.
    #[must_use]
    pub const fn new(file: &'a str, bytes: &'a [u8]) -> Self {
        static NO_ARGUMENTS: BTreeMap<String, String> = BTreeMap::new();
        static NO_SETTINGS: LintSettings = LintSettings::DEFAULT;
        static NO_BASES: BTreeMap<String, BaseImage> = BTreeMap::new();
        Self { file, bytes, build_args: &NO_ARGUMENTS, target: None, context: None, settings: &NO_SETTINGS, bases: &NO_BASES }
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
    /// Every instruction in order, to find the line that made a layer.
    pub instructions: Vec<InstructionLine>,
    /// The user that the image ends with, when the file says so.
    pub user: Option<String>,
    /// The rules that are on and had to pass over the file, by what they need.
    pub unmet: BTreeMap<Need, Vec<&'static str>>,
    /// How many rules about security saw only a part of the shell code, because something of it could not be read.
    pub half_read: usize,
}

/// One instruction of a Dockerfile, for the attribution of layers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InstructionLine {
    /// The instruction word in capitals.
    pub keyword: String,
    /// The instruction on one line, blanks folded, cut at 300 bytes.
    pub text: String,
    /// Where it stands.
    pub span: Span,
    /// Its stage, from 0; `None` before the first FROM.
    pub stage: Option<usize>,
    /// Whether it stands in the final stage or in an own stage below it.
    pub in_final_chain: bool,
}

/// Judges one Dockerfile with every rule that is on by default; a refused instruction is a finding, never an error.
#[must_use]
pub fn lint(input: &LintInput<'_>) -> LintReport {
    let bytes = input.bytes.get(..MAX_BYTES).unwrap_or(input.bytes);
    let (dockerfile, mut gaps) = read(&LintInput { bytes, ..*input });
    if bytes.len() < input.bytes.len() {
        gaps.push(Gap::new(SourceId::Dockerfile, "too-large", input.file, format!("only the first {MAX_BYTES} bytes were read")));
    }
    let mut findings: Vec<Finding> =
        rules_on(input.settings).flat_map(|rule| rule.check(&dockerfile)).collect();
    let mut ignores = ignore::exceptions(&dockerfile);
    let reviews: Vec<Finding> = rules_on(input.settings).flat_map(|rule| rule.review(&dockerfile, &findings, &ignores)).collect();
    findings.extend(reviews);
    let secrets = secret_values(&dockerfile, input.build_args);
    let told = |text: &str| secrets.iter().fold(masked(text).into_owned(), |text, secret| text.replace(secret, "***"));
    for finding in &mut findings {
        finding.title = told(&finding.title);
        // What a report does not show, it does not show as a correction, either.
        let is_told = |fix: &Fix| fix.edits.iter().all(|edit| told(&edit.replacement) == edit.replacement);
        finding.fix = finding.fix.take().filter(is_told);
    }
    findings.sort_by_cached_key(|finding| (place(finding), finding.id.clone(), finding.title.clone()));
    findings.dedup();
    for refusal in dockerfile.refusals.iter().filter(|refusal| !refusal.needs_argument) {
        let subject = format!("{}:{}", input.file, refusal.line);
        gaps.push(Gap::new(SourceId::Dockerfile, "refused-instruction", subject, "an instruction that cannot be built was not judged"));
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
    for gap in &mut gaps {
        gap.reason = told(&gap.reason);
    }
    gaps.sort();
    gaps.dedup();
    let half_read = coverage::half_read(input.settings, &gaps);
    for ignore in &mut ignores {
        ignore.reason = told(&ignore.reason);
    }
    let secret_lines = secret_lines(&findings);
    let from = dockerfile.final_stage().and_then(|stage| dockerfile.instructions.get(stage.from));
    // A user that is no name but a secret is not told, not even for a comparison.
    let user = final_user(&dockerfile).filter(|user| told(user) == *user);
    LintReport {
        findings,
        user,
        unmet: coverage::unmet(&dockerfile),
        half_read,
        ignores,
        gaps,
        summary: DockerfileSummary {
            file: input.file.to_owned(),
            final_from_line: from.map(|from| from.line),
            final_from: from.map(stages::folded),
            instructions: dockerfile.instructions.iter().map(|instruction| (instruction.line, shown(instruction, &secret_lines))).collect(),
        },
        instructions: dockerfile
            .instructions
            .iter()
            .map(|instruction| InstructionLine {
                keyword: instruction.keyword.clone(),
                text: shown(instruction, &secret_lines),
                span: dockerfile.span(instruction),
                stage: instruction.stage,
                in_final_chain: dockerfile.graph.in_final_chain(instruction),
            })
            .collect(),
    }
}

/// The rules that run.
fn rules_on(settings: &LintSettings) -> impl Iterator<Item = &'static &'static dyn rule::Rule> {
    rules::RULES.iter().filter(|rule| rule.meta().default_on || settings.on.contains(rule.meta().id))
}

/// The last USER of the final stage's chain, as far as its value is known.
fn final_user(dockerfile: &Dockerfile<'_>) -> Option<String> {
    let is_user = |index: usize| dockerfile.instructions.get(index).is_some_and(|instruction| instruction.keyword == "USER");
    let index = dockerfile.graph.last_in_chain(dockerfile.graph.final_stage?, is_user)?;
    let user = dockerfile.graph.values.get(index)?.first()?;
    Some(user.text.trim().to_owned()).filter(|text| user.is_decided() && !text.is_empty())
}

/// The values of variables with secret names: a message may show what a variable became.
fn secret_values(dockerfile: &Dockerfile<'_>, build_args: &BTreeMap<String, String>) -> Vec<String> {
    // Shorter ones say nothing, and hiding them would riddle the messages.
    const SHORTEST: usize = 4;
    let instructions = dockerfile.instructions.iter().map(|instruction| instruction.trigger.as_deref().unwrap_or(instruction));
    let pairs = instructions.zip(&dockerfile.graph.values).filter(|(instruction, _)| matches!(instruction.keyword.as_str(), "ARG" | "ENV"));
    let set = pairs.flat_map(|(instruction, values)| {
        let names = instruction.pairs().into_iter().map(|pair| pair.name.to_owned()).collect::<Vec<_>>();
        names.into_iter().zip(values.iter().map(|value| value.text.clone()))
    });
    let given = build_args.iter().map(|(name, value)| (name.clone(), value.clone()));
    let assigned = dockerfile.all_commands().flat_map(|(_, command)| &command.assignments);
    let assigned = assigned.filter_map(|assignment| Some((assignment.name.clone(), assignment.value.known()?.to_owned())));
    let mut values: Vec<String> = set
        .chain(given)
        .chain(assigned)
        .filter(|(name, value)| {
            (secret::is_secret_name(name) || mask::is_secret_name(name)) && value.len() >= SHORTEST && secret::is_literal_secret(value)
        })
        .map(|(_, value)| value)
        .collect();
    // The longest first: one may be the head of another.
    values.sort_by(|a, b| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
    values.dedup();
    values
}

/// Lines on which a rule found a secret; every report shows instructions, none may show what makes them a finding.
fn secret_lines(findings: &[Finding]) -> Vec<(u32, u32)> {
    let secret = |finding: &&Finding| finding.id.starts_with("secret-") || finding.id == "credentials-in-url";
    let spans = findings.iter().filter(secret).flat_map(|finding| &finding.locations);
    spans.filter_map(|location| if let Location::Dockerfile(span) = location { Some((span.line, span.end_line)) } else { None }).collect()
}

/// The instruction on one line, or its keyword alone where it holds a secret.
fn shown(instruction: &Instruction, secret_lines: &[(u32, u32)]) -> String {
    if secret_lines.iter().any(|(first, last)| *first <= instruction.end_line && instruction.line <= *last) {
        return format!("{} (hidden: it holds a secret)", instruction.keyword);
    }
    stages::folded(instruction)
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
    all()
        .find(|meta| meta.id.eq_ignore_ascii_case(wanted))
        .or_else(|| all().find(|meta| meta.aliases.iter().any(|alias| alias.eq_ignore_ascii_case(wanted))))
}

/// Reads and resolves a Dockerfile.
fn read<'a>(input: &LintInput<'a>) -> (Dockerfile<'a>, Vec<Gap>) {
    let parse::Reading { source, directives, mut instructions, comments, mut refusals } = parse::read(input.bytes);
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
    let mut scripts = Scripts::new(input.file, &source);
    let mut visit = |index: usize, instruction: &Instruction, graph: &Graph, scope: &Scope| scripts.read(index, instruction, graph, scope);
    let mut graph = stages::build(&mut instructions, &refused, directives.escape, input.build_args, input.target, &mut visit);
    let Scripts { commands, gaps, .. } = scripts;
    refusals.append(&mut graph.refusals);
    if let Some((value, line)) = &directives.check {
        let options = value.split_whitespace().next().unwrap_or_default().split(';');
        for option in options.filter(|option| !matches!(option.split_once('='), Some(("skip" | "error" | "experimental", _)))) {
            let message = format!("failed to parse check options: invalid check option \"{option}\"");
            refusals.push(Refusal { phase: Phase::Build, line: *line, end_line: *line, message, needs_argument: false });
        }
    }
    refusals.sort_by_key(|refusal| (refusal.line, refusal.phase));
    let places = rule::places(&instructions);
    let LintInput { file, context, settings, bases, .. } = *input;
    let dockerfile =
        Dockerfile { file, source, directives, comments, instructions, graph, commands, refusals, places, context, settings, bases };
    (dockerfile, gaps)
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
    }
}
