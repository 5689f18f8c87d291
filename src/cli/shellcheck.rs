//! Shell code of Dockerfiles in, what an installed ShellCheck says of it out: one run of the program for each script, each bounded in
//! time and output. Reference: <https://www.shellcheck.net/wiki/Integration> (`-f json1`).

use std::{
    io::{self, Read as _, Write as _},
    path::Path,
    process::{Child, Command, ExitStatus, Stdio},
    thread,
    time::{Duration, Instant},
};

use serde::Deserialize;

use crate::{
    model::{
        policy::RulePolicy,
        shell_script::{ShellRemark, ShellRemarks, ShellScript},
    },
    pipeline::{self, DockerfileInput},
};

/// How long one script may take.
const TIME: Duration = Duration::from_secs(10);
/// How long all scripts of a Dockerfile may take.
const TIME_FOR_ALL: Duration = Duration::from_secs(120);
/// The most that is read of an answer.
const BYTES: u64 = 8 << 20;

#[derive(Debug, Deserialize)]
struct Answer {
    comments: Vec<Comment>,
}

#[derive(Debug, Deserialize)]
struct Comment {
    line: u32,
    column: u32,
    code: u32,
    message: String,
}

/// Asks ShellCheck about every Dockerfile that it was not asked about, where the policy wants it.
pub(super) fn ask(program: &Path, dockerfiles: &mut [DockerfileInput], policy: &RulePolicy) {
    let Some(settings) = pipeline::shellcheck_settings(policy) else { return };
    for input in dockerfiles.iter_mut().filter(|input| input.remarks.is_none()) {
        let scripts = pipeline::shell_scripts(input, &settings);
        let began = Instant::now();
        let mut missing = None;
        let mut answers = Vec::with_capacity(scripts.len());
        for script in &scripts {
            // A program that is not there once is not there later on.
            let answer = match &missing {
                Some(reason) => Err(String::clone(reason)),
                None if began.elapsed() > TIME_FOR_ALL => {
                    Err(format!("{} took more than {} s for the scripts before", program.display(), TIME_FOR_ALL.as_secs()))
                }
                None => run(program, script),
            };
            if let Err(reason) = &answer
                && reason.starts_with("cannot run")
            {
                missing = Some(reason.clone());
            }
            answers.push(answer);
        }
        input.remarks = Some(ShellRemarks { program: program.display().to_string(), scripts: answers });
    }
}

fn run(program: &Path, script: &ShellScript) -> Result<Vec<ShellRemark>, String> {
    let name = program.display();
    let mut command = Command::new(program);
    command.args(["--norc", "-f", "json1", "-s", script.dialect, "-"]);
    let spawned = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn();
    let mut child = spawned.map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => format!("cannot run {name}, which is not there"),
        _ => format!("cannot run {name} ({error})"),
    })?;
    let (input, text) = (child.stdin.take(), script.text.clone().into_bytes());
    // It may answer before it has read everything, so both ends are served at once.
    let writer = thread::spawn(move || input.map(|mut input| input.write_all(&text)));
    let output = child.stdout.take();
    let reader = thread::spawn(move || {
        let mut text = Vec::new();
        output.map(|output| output.take(BYTES).read_to_end(&mut text)).transpose().map(|_| text)
    });
    let status = wait(&mut child).map_err(|reason| format!("{name} {reason}"))?;
    // What it did not read it did not want.
    let _ = writer.join();
    let text = reader.join().ok().and_then(Result::ok).unwrap_or_default();
    judge(status, &text).map_err(|reason| format!("{name} {reason}"))
}

/// What it said, if it ended as it does when it has judged the script: with 0, or with 1 where it has remarks.
fn judge(status: ExitStatus, text: &[u8]) -> Result<Vec<ShellRemark>, String> {
    if !matches!(status.code(), Some(0 | 1)) {
        return Err(format!("failed ({status})"));
    }
    parse_answer(text).map_err(|_| "gave no valid answer".to_owned())
}

/// Reads an answer in its format `json1`.
fn parse_answer(text: &[u8]) -> serde_json::Result<Vec<ShellRemark>> {
    let answer: Answer = serde_json::from_slice(text)?;
    let remark = |comment: Comment| {
        let Comment { line, column, code, message } = comment;
        ShellRemark { line, column, code, message }
    };
    Ok(answer.comments.into_iter().map(remark).collect())
}

/// Waits for its end.
fn wait(child: &mut Child) -> Result<ExitStatus, String> {
    let began = Instant::now();
    loop {
        match child.try_wait() {
            Ok(Some(status)) => return Ok(status),
            Ok(None) if began.elapsed() > TIME => {
                // Already gone is as good as killed.
                let _ = child.kill();
                let _ = child.wait();
                return Err(format!("did not answer within {} s", TIME.as_secs()));
            }
            Ok(None) => thread::sleep(Duration::from_millis(5)),
            Err(error) => return Err(error.to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn script(text: &str) -> ShellScript {
        ShellScript { line: 1, dialect: "sh", text: text.to_owned() }
    }

    #[test]
    fn answers_are_read() {
        let text = br#"{"comments":[{"file":"-","line":2,"endLine":2,"column":5,"endColumn":6,"level":"info","code":2102,"message":"m","fix":null}]}"#;
        let remark = ShellRemark { line: 2, column: 5, code: 2102, message: "m".to_owned() };
        assert_eq!(parse_answer(text).expect("an answer"), [remark]);
        assert!(parse_answer(b"[]").is_err() && parse_answer(b"").is_err());
    }

    #[test]
    fn a_program_that_is_missing_or_says_nothing_is_a_reason() {
        let reason = run(Path::new("/no/such/program"), &script("true")).expect_err("no program");
        assert!(reason.starts_with("cannot run"), "{reason}");
        let reason = run(Path::new("true"), &script("true")).expect_err("no answer");
        assert_eq!(reason, "true gave no valid answer");
    }

    #[cfg(unix)]
    #[test]
    fn a_program_that_fails_has_not_answered() {
        use std::os::unix::process::ExitStatusExt as _;
        let answer = |status| judge(ExitStatus::from_raw(status), br#"{"comments":[]}"#);
        assert_eq!((answer(0), answer(1 << 8)), (Ok(Vec::new()), Ok(Vec::new())));
        // Files that it could not read, options that it does not know, and a signal.
        let failures = [(2 << 8, "failed (exit status: 2)"), (4 << 8, "failed (exit status: 4)"), (9, "failed (signal: 9 (SIGKILL))")];
        for (status, reason) in failures {
            assert_eq!(answer(status), Err(reason.to_owned()));
        }
    }
}
