//! `--output FORMAT[=FILE]`: which reports are written and where.

use std::{
    collections::BTreeSet,
    fs,
    io::{self, IsTerminal as _, Write as _},
    path::{Path, PathBuf},
};

use clap::{Args, ValueEnum};

use super::{Failure, Global};
use crate::{
    exit::ExitStatus,
    model::report::ScanReport,
    pipeline::Platforms,
    report::{self, REPORTERS, Reporter, Show, Style},
};

/// Stands for the platform in a file's name.
const PLATFORM: &str = "{platform}";

/// Which reports are written.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Output options")]
pub(super) struct OutputOptions {
    /// Report: FORMAT, or FORMAT=FILE (repeatable; without FILE to standard output, once). With `{platform}` in FILE, each platform gets a file
    /// of its own. Formats: see the end of this help.
    #[arg(long, short, value_name = "FORMAT[=FILE]")]
    output: Vec<String>,
    /// How much the text report shows.
    #[arg(long, value_enum, default_value_t = ShowArg::Violations, value_name = "WHAT")]
    show: ShowArg,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum ShowArg {
    /// Violations, requirements and gaps.
    Violations,
    /// Warnings as well.
    Warnings,
    /// Everything that was found.
    All,
}

/// One report and where it goes.
struct Target {
    /// The format as it was typed.
    name: String,
    reporter: &'static dyn Reporter,
    file: Option<PathBuf>,
}

/// The checked targets of a run, so that a typing error ends it before the work and not after.
pub(super) struct Outputs {
    targets: Vec<Target>,
    show: Show,
}

impl OutputOptions {
    /// Whether a report was asked for by name.
    pub(super) const fn is_given(&self) -> bool {
        !self.output.is_empty()
    }

    /// Checks every `--output`; `default` is what is written to standard output when there is none.
    pub(super) fn check(&self, default: &str) -> Result<Outputs, Failure> {
        self.check_among(default, |_| true, "")
    }

    /// The same for a command that looks at no packages, so that a list of them would be empty.
    pub(super) fn check_reports(&self, default: &str, command: &str) -> Result<Outputs, Failure> {
        self.check_among(default, |reporter| !reporter.lists_packages(), command)
    }

    fn check_among(&self, default: &str, fits: fn(&dyn Reporter) -> bool, command: &str) -> Result<Outputs, Failure> {
        let fallback = [default.to_owned()];
        let wanted: &[String] = if self.output.is_empty() { &fallback } else { &self.output };
        let mut targets: Vec<Target> = Vec::new();
        for text in wanted {
            let (id, file) = text.split_once('=').map_or((text.as_str(), None), |(id, file)| (id, Some(file)));
            let known = || {
                let known: Vec<_> = REPORTERS.iter().filter(|reporter| fits(**reporter)).map(|reporter| reporter.id()).collect();
                known.join(", ")
            };
            let reporter = report::reporter(id)
                .ok_or_else(|| Failure::new(format!("unknown output format `{id}`")).hint(format!("known formats: {}", known())))?;
            if !fits(reporter) {
                return Err(Failure::new(format!("`{id}` is a list of packages, and `{command}` looks at none"))
                    .hint(format!("formats of `{command}`: {}", known())));
            }
            let file = match file {
                Some("") => return Err(Failure::new(format!("no file name in `--output {text}`"))),
                Some("-") | None => None,
                Some(file) => Some(PathBuf::from(file)),
            };
            let clash = targets.iter().any(|target| target.file == file);
            if clash {
                let place = file.as_ref().map_or_else(|| "standard output".to_owned(), |file| format!("`{}`", file.display()));
                return Err(Failure::new(format!("two reports go to {place}"))
                    .hint("give each --output its own FILE: --output text --output sarif=out.sarif"));
            }
            targets.push(Target { name: id.to_owned(), reporter, file });
        }
        let show = match self.show {
            ShowArg::Violations => Show::Violations,
            ShowArg::Warnings => Show::Warnings,
            ShowArg::All => Show::All,
        };
        Ok(Outputs { targets, show })
    }
}

impl Outputs {
    /// Checks that every report can speak of the images that are asked for.
    pub(super) fn check_platforms(&self, platforms: &Platforms) -> Result<(), Failure> {
        let is_unfit = |target: &&Target| !target.reporter.joins_platforms() && !target.file.as_deref().is_some_and(is_per_platform);
        match self.targets.iter().find(is_unfit).filter(|_| *platforms == Platforms::All) {
            Some(target) => {
                let name = &target.name;
                let extension = if name.contains("xml") { "xml" } else { "json" };
                Err(Failure::new(format!("a {name} document describes one image, and `--platform all` may find several"))
                    .hint(format!("give each platform a file of its own: --output '{name}=NAME-{PLATFORM}.{extension}'")))
            }
            None => Ok(()),
        }
    }

    /// Whether a report goes to standard output.
    pub(super) fn has_standard_output(&self) -> bool {
        self.targets.iter().any(|target| target.file.is_none())
    }

    /// The same without what goes to standard output, which holds something else.
    pub(super) fn without_standard_output(mut self) -> Self {
        self.targets.retain(|target| target.file.is_some());
        self
    }

    /// Writes every report, files by renaming a finished one into place. A report that cannot be written makes exit 2, after the others were written.
    pub(super) fn write(&self, reports: &[ScanReport], global: &Global) -> Result<ExitStatus, Failure> {
        let mut failed = None;
        let mut files = BTreeSet::new();
        for target in &self.targets {
            let written = match &target.file {
                None => self.to_stdout(target.reporter, reports, global),
                Some(file) if is_per_platform(file) => {
                    report::file_parts(reports).into_iter().zip(reports).try_for_each(|(part, report)| {
                        let file = PathBuf::from(file.to_string_lossy().replace(PLATFORM, &part));
                        once(&mut files, &file)?;
                        self.to_file(target.reporter, std::slice::from_ref(report), &file)
                    })
                }
                Some(file) => once(&mut files, file).and_then(|()| self.to_file(target.reporter, reports, file)),
            };
            // Whoever reads standard output may stop early (`| head`): the verdict stands all the same.
            let written = match written {
                Err(error) if target.file.is_none() && error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
                other => other,
            };
            if let Err(error) = written {
                let place = target.file.as_ref().map_or_else(|| "standard output".to_owned(), |file| file.display().to_string());
                failed.get_or_insert_with(|| {
                    let failure = Failure::new(format!("cannot write {} report to {place}: {error}", target.name));
                    if error.kind() == io::ErrorKind::NotFound { failure.hint("make the folder first") } else { failure }
                });
            }
        }
        failed.map_or_else(|| Ok(status_of(reports)), Err)
    }

    fn to_stdout(&self, reporter: &dyn Reporter, reports: &[ScanReport], global: &Global) -> io::Result<()> {
        let terminal = io::stdout().is_terminal();
        let width = terminal_size::terminal_size().filter(|_| terminal).map_or(100, |(width, _)| usize::from(width.0));
        let style = Style { colour: global.colour(terminal), ascii: !unicode_locale(), width: width.clamp(60, 200), show: self.show };
        let mut out = io::BufWriter::new(io::stdout().lock());
        reporter.write(reports, &style, &mut out)?;
        out.flush()
    }

    fn to_file(&self, reporter: &dyn Reporter, reports: &[ScanReport], file: &Path) -> io::Result<()> {
        let style = Style { colour: false, ascii: false, width: 100, show: self.show };
        write_atomically(file, |out| reporter.write(reports, &style, out))
    }
}

/// Writes to a temporary name beside `file` and renames it: nobody ever reads half a report. Devices and pipes are written in place.
pub(super) fn write_atomically(file: &Path, write: impl Fn(&mut dyn io::Write) -> io::Result<()>) -> io::Result<()> {
    let write_all = |file: fs::File| {
        let mut out = io::BufWriter::new(file);
        write(&mut out)?;
        out.flush()
    };
    if fs::metadata(file).is_ok_and(|metadata| !metadata.is_file()) {
        return write_all(fs::OpenOptions::new().write(true).open(file)?);
    }
    let mut name = file.file_name().ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "not a file name"))?.to_owned();
    name.push(format!(".{}.tmp", std::process::id()));
    let temporary = file.with_file_name(name);
    let written = fs::File::create(&temporary).and_then(write_all).and_then(|()| fs::rename(&temporary, file));
    if written.is_err() {
        let _ = fs::remove_file(&temporary);
    }
    written
}

/// The worst of all; no verdict at all is no pass.
fn status_of(reports: &[ScanReport]) -> ExitStatus {
    let worst = reports.iter().max_by_key(|report| report.verdict.outcome);
    worst.map_or(ExitStatus::Error, |report| ExitStatus::of(report.verdict.outcome, report.policy.mode))
}

/// Refuses a file that another report of this run was written to.
fn once(files: &mut BTreeSet<PathBuf>, file: &Path) -> io::Result<()> {
    if files.insert(file.to_owned()) {
        return Ok(());
    }
    Err(io::Error::new(io::ErrorKind::AlreadyExists, format!("another report of this run is in {}", file.display())))
}

/// Whether a file name asks for one file for each platform.
fn is_per_platform(file: &Path) -> bool {
    file.to_string_lossy().contains(PLATFORM)
}

/// Whether the locale can show more than ASCII. No locale at all counts as UTF-8: containers seldom set one.
fn unicode_locale() -> bool {
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"].iter().find_map(|name| std::env::var(name).ok().filter(|value| !value.is_empty()));
    locale.is_none_or(|locale| {
        let locale = locale.to_ascii_uppercase();
        locale.contains("UTF-8") || locale.contains("UTF8") || locale == "C"
    })
}

/// Writes an answer to standard output; a reader that went away is no error.
pub(super) fn print(bytes: &[u8]) -> Result<ExitStatus, Failure> {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(bytes).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(Failure::new(format!("cannot write to standard output: {error}"))),
        _ => Ok(ExitStatus::Pass),
    }
}
