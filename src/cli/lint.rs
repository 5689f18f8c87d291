//! `plimsoll lint`: Dockerfiles alone, judged by the same policy, and mended.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::Write as _,
    path::{Path, PathBuf},
};

use clap::Args;

use super::{
    Failure, Global,
    diff::{Diff, Side, diff},
    gate::{BuildOptions, INPUT_BYTES},
    options::{PolicyOptions, RegistryOptions, source_date},
    output::OutputOptions,
    pin,
    rewrite::{self, Rewritten},
    search, setup, shellcheck,
};
use crate::{
    exit::ExitStatus,
    model::{
        coverage::{Gap, SourceId},
        fix::{FixKind, FixSummary, WithheldFix},
        lint::BaseImage,
        policy::{Policy, RuleSetting},
        verdict::Outcome,
    },
    pipeline::{self, DockerfileInput, FixedDockerfile, HOLDS_SECRET, Inputs, Limits, Prepared, Secrets, Wanted},
    policy::hadolint::ForeignUse,
};

/// Arguments of `lint`.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  plimsoll lint                                 every Dockerfile in and below this folder\n  plimsoll lint docker/ Dockerfile.dev          what is named, folders searched\n  plimsoll lint --diff                          show what --fix would change; exit code 1 when there is something\n  plimsoll lint --fix --pin                     mend what is safe, write digests behind tags\n\nFormats: text, json, sarif, sarif-github, junit, markdown, github"
)]
pub(super) struct LintArgs {
    /// Dockerfiles, or folders that are searched for Dockerfile, dockerfile, Containerfile, Dockerfile.*, Containerfile.*, *.Dockerfile, *.dockerfile and
    /// *.Containerfile; hidden files and folders, links, and what .gitignore names and git does not track are passed over. `-` is standard input.
    /// Default: this folder.
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// Leave out what is found in folders and fits this pattern of .gitignore's kind (repeatable).
    #[arg(long, value_name = "GLOB")]
    exclude: Vec<String>,
    /// Also report what an installed ShellCheck says of shell code: its program. Default of PATH: `shellcheck` in PATH.
    #[arg(long, value_name = "PATH", num_args = 0..=1, require_equals = true, default_missing_value = "shellcheck")]
    shellcheck: Option<PathBuf>,
    #[command(flatten)]
    build: BuildOptions,
    #[command(flatten)]
    policy: PolicyOptions,
    #[command(flatten)]
    fix: FixOptions,
    #[command(flatten)]
    registry: RegistryOptions,
    #[command(flatten)]
    output: OutputOptions,
}

/// What is mended.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Fix options")]
struct FixOptions {
    /// Mend what can be mended without changing the image otherwise, and report on the mended files. With `-` the text goes to standard output, and a
    /// report only to the file of --output.
    #[arg(long)]
    fix: bool,
    /// Make fixes that may change the image or the build in other ways as well, besides the safe ones.
    #[arg(long, visible_alias = "fix-unsafe")]
    unsafe_fixes: bool,
    /// Write the digest that the registry names behind every tag of an image, in FROM, COPY --from and mounts.
    #[arg(long, visible_alias = "fix-network")]
    pin: bool,
    /// Print the changes as a diff in the place of a report, and write nothing; exit code 1 when there are some, 3 when there may be more in what was
    /// not looked at. Instructions that hold a secret are not shown: standard error names their fixes.
    #[arg(long)]
    diff: bool,
}

impl FixOptions {
    /// The kinds of fixes that are wanted; none where nothing is to be mended.
    fn kinds(&self) -> BTreeSet<FixKind> {
        let safe = self.fix || self.unsafe_fixes || (self.diff && !self.pin);
        let wanted = [(safe, FixKind::Safe), (self.unsafe_fixes, FixKind::Unsafe), (self.pin, FixKind::Network)];
        wanted.into_iter().filter(|(is_wanted, _)| *is_wanted).map(|(_, kind)| kind).collect()
    }
}

/// Lints the files.
pub(super) async fn run(args: LintArgs, global: &Global) -> Result<ExitStatus, Failure> {
    let outputs = args.output.check_reports("text", "lint")?;
    let mut policy = args.build.policy(&args.policy, ForeignUse::Lint)?;
    if args.shellcheck.is_some() {
        policy.rules.set.entry("shellcheck".to_owned()).or_insert(RuleSetting::Warn);
    }
    let from_input = args.paths.iter().any(|path| path == Path::new("-"));
    let kinds = args.fix.kinds();
    if from_input && args.paths.len() > 1 && !kinds.is_empty() && !args.fix.diff {
        return Err(Failure::new("the mended text of `-` goes to standard output, and other files are named as well")
            .hint("fix standard input and files in two runs, or add --diff"));
    }
    if args.fix.diff && args.output.is_given() {
        return Err(Failure::new("--diff prints the changes in the place of a report, and --output asks for one")
            .hint("leave one of them out; `--fix` makes the changes and reports on what it leaves"));
    }
    let text_to_output = from_input && !kinds.is_empty() && !args.fix.diff;
    if text_to_output && args.output.is_given() && outputs.has_standard_output() {
        return Err(Failure::new("the mended text of `-` goes to standard output, and so would the report")
            .hint("give the report a file: --output FORMAT=FILE, for example --output json=report.json"));
    }
    let found = search::dockerfiles(&args.paths, &args.exclude)?;
    let mut dockerfiles = args.build.read(&found.files)?;
    let mut gaps = found.gaps;
    let shellcheck = args.shellcheck.as_deref().unwrap_or_else(|| Path::new("shellcheck"));
    shellcheck::ask(shellcheck, &mut dockerfiles, &policy.rules);
    let now = setup::now();
    if args.fix.pin || pipeline::asks_registries(&policy) {
        gaps.extend(pin::ask(&mut dockerfiles, &policy, &args.registry, global.progress()).await?);
    }
    let mut fixes = Vec::new();
    if !kinds.is_empty() {
        let besides: &[&str] = if args.fix.pin { &["image-not-pinned"] } else { &[] };
        let secrets = if args.fix.diff { Secrets::Leave } else { Secrets::Mend };
        let fixed = pipeline::fix_dockerfiles(&dockerfiles, &kinds, secrets, besides, &policy, now);
        gaps.extend(fixed.iter().flat_map(|fixed| fixed.gaps.iter().cloned()));
        if args.fix.diff {
            return show_changes(&dockerfiles, &fixed, &gaps);
        }
        if text_to_output {
            if dockerfiles.first().is_some_and(|input| input.bytes.len() > INPUT_BYTES) {
                return Err(Failure::new(format!(
                    "standard input holds more than {INPUT_BYTES} bytes, of which no mended text is written"
                ))
                .hint("no Dockerfile is as large as that"));
            }
            let text = fixed.first().map_or(&[][..], |fixed| fixed.bytes.as_slice());
            let _ = super::output::print(text)?;
        }
        fixes = write(&mut dockerfiles, fixed, from_input)?;
        // What was said of the code before is not about this code.
        shellcheck::ask(shellcheck, &mut dockerfiles, &policy.rules);
    }
    let unknown = pin::forget_unknown(&mut dockerfiles);
    if pipeline::asks_registries(&policy) {
        gaps.extend(unknown);
    }
    let inputs = inputs(dockerfiles, policy, now, source_date()?, global);
    let report = pipeline::run_lint(inputs, Prepared { gaps, fixes });
    if !text_to_output {
        return outputs.write(&[report], global);
    }
    if !args.output.is_given() && report.verdict.outcome != Outcome::Pass {
        let said = format!("{}, and no report was written", report.verdict.outcome.name());
        let _ = writeln!(std::io::stderr().lock(), "plimsoll: note: {said}; name a file for it: --output text=FILE");
    }
    outputs.without_standard_output().write(&[report], global)
}

fn inputs(
    dockerfiles: Vec<DockerfileInput>,
    policy: Policy,
    now: jiff::Timestamp,
    source_date: Option<jiff::Timestamp>,
    global: &Global,
) -> Inputs {
    Inputs {
        command: "lint",
        stages: BTreeSet::from([SourceId::Dockerfile]),
        image: None,
        dockerfiles,
        sources: Vec::new(),
        verifier: None,
        signer_fingerprints: BTreeMap::new(),
        policy,
        now,
        source_date,
        files: Wanted::No,
        limits: Limits::default(),
        progress: global.progress(),
    }
}

/// Prints what would change, and what was withheld to standard error.
fn show_changes(dockerfiles: &[DockerfileInput], fixed: &[FixedDockerfile], gaps: &[Gap]) -> Result<ExitStatus, Failure> {
    let mut text = Vec::new();
    let mut is_hidden = false;
    let mut stderr = std::io::stderr().lock();
    for (before, after) in dockerfiles.iter().zip(fixed) {
        if after.bytes != before.bytes {
            let hidden = [&before.bytes, &after.bytes].map(|bytes| pipeline::secret_lines(before, bytes));
            let [old, new] = hidden.each_ref();
            let (shown, note) =
                match diff(&before.file, Side { bytes: &before.bytes, hidden: old }, Side { bytes: &after.bytes, hidden: new }) {
                    Diff::Whole(shown) => (shown, ""),
                    Diff::Narrowed(shown) => {
                        (shown, "lines of the context that hold a secret are left out (patch takes it so, git apply with --unidiff-zero)")
                    }
                    Diff::Hidden => {
                        (Vec::new(), "a line that holds a secret is among the changes, so that none are shown; --fix makes them")
                    }
                };
            is_hidden |= shown.is_empty();
            text.extend(shown);
            if !note.is_empty() {
                let _ = writeln!(stderr, "{}: {note}", before.file);
            }
        }
        for WithheldFix { fix, reason } in &after.summary.withheld {
            is_hidden |= reason == HOLDS_SECRET;
            let _ = writeln!(stderr, "{}:{}: {} not fixed: {reason}", before.file, fix.line, fix.id);
        }
    }
    for gap in gaps {
        let _ = writeln!(stderr, "{}: {}", gap.subject, gap.reason);
    }
    // What was not looked at may need a change as well.
    let status = match (text.is_empty() && !is_hidden, gaps.is_empty()) {
        (false, _) => ExitStatus::Fail,
        (true, false) => ExitStatus::Incomplete,
        (true, true) => ExitStatus::Pass,
    };
    super::output::print(&text)?;
    Ok(status)
}

/// Writes what was mended into the files, and tells what became of each.
fn write(dockerfiles: &mut [DockerfileInput], fixed: Vec<FixedDockerfile>, from_input: bool) -> Result<Vec<FixSummary>, Failure> {
    let mut summaries = Vec::new();
    for (input, FixedDockerfile { bytes, mut summary, .. }) in dockerfiles.iter_mut().zip(fixed) {
        if bytes != input.bytes {
            let written = if from_input { Rewritten::Done } else { rewrite::replace(Path::new(&input.file), &input.bytes, &bytes)? };
            match written {
                Rewritten::Done => {
                    input.bytes = bytes;
                    input.remarks = None;
                    // An image that got its digest is the one that was asked for, and one without a tag has that tag now.
                    let pinned = |(name, base): (&String, &BaseImage)| {
                        let digest = base.digest.as_ref().filter(|_| !base.os.is_empty())?;
                        Some(["", ":latest"].map(|tag| (format!("{name}{tag}@{digest}"), base.clone())))
                    };
                    let pinned: Vec<_> = input.bases.iter().filter_map(pinned).flatten().collect();
                    input.bases.extend(pinned);
                }
                Rewritten::Refused(reason) => {
                    let withheld = summary.applied.drain(..).map(|fix| WithheldFix { fix, reason: reason.to_owned() });
                    summary.withheld = withheld.chain(std::mem::take(&mut summary.withheld)).collect();
                }
            }
        }
        summaries.push(summary);
    }
    Ok(summaries)
}
