//! RUN, CMD, ENTRYPOINT and HEALTHCHECK in, the commands that they run out: which shell reads them, heredocs, JSON form.

use crate::model::coverage::{Gap, SourceId};

use super::{
    command::Command,
    dataflow::Files,
    dialect::{Dialect, Shell, stops_at_failure},
    ignore,
    instruction::Instruction,
    lines::Comment,
    remark::Body,
    scope::Scope,
    shell,
    shell::Reading,
    slip::Slip,
    source::{Logical, Source, slice},
    stages::{Base, Graph},
    wrapper::{interpreter, is_posix_shell},
};

/// The shell of a stage.
#[derive(Debug, Clone, Default)]
struct StageShell {
    /// Its name when it is one that we cannot read.
    foreign: Option<String>,
    shell: Shell,
}

impl StageShell {
    /// That of a SHELL instruction.
    fn of(instruction: &Instruction) -> Self {
        let words = || instruction.args.iter().map(|argument| argument.text.as_str());
        let name = words().map(|word| word.rsplit('/').next().unwrap_or(word)).find(|name| is_posix_shell(name)).unwrap_or_default();
        let shell = Shell { dialect: Dialect::of(name), errexit: stops_at_failure(words().skip(1)) };
        Self { foreign: unreadable_shell(instruction), shell }
    }

    /// The one that a comment names.
    fn named(name: &str) -> Self {
        let shell = Shell { dialect: Dialect::of(name), errexit: false };
        Self { foreign: (!is_posix_shell(name)).then(|| name.to_owned()), shell }
    }

    fn foreign(name: &str) -> Self {
        Self { foreign: Some(name.to_owned()), shell: Shell::default() }
    }
}

/// Reads the shell code of one file, instruction by instruction.
#[derive(Debug)]
pub(super) struct Scripts<'a> {
    file: &'a str,
    source: &'a Source,
    /// Per stage, the shell of the moment.
    shells: Vec<StageShell>,
    /// The shells that comments name, last first, with their lines.
    named: Vec<(u32, String)>,
    /// The files whose text the instructions so far say.
    files: Files,
    /// Per instruction, its commands.
    pub(super) commands: Vec<Vec<Command>>,
    /// Per instruction, the slips in its shell code.
    pub(super) slips: Vec<Vec<Slip>>,
    /// The code itself, for a program outside; only where it is wanted.
    pub(super) bodies: Vec<Body>,
    keeps_bodies: bool,
    /// What could not be read.
    pub(super) gaps: Vec<Gap>,
}

impl<'a> Scripts<'a> {
    /// Starts at the head of a file.
    pub(super) fn new(file: &'a str, source: &'a Source, comments: &[Comment], keeps_bodies: bool) -> Self {
        let mut named = ignore::shells(comments);
        named.reverse();
        Self {
            file,
            source,
            shells: Vec::new(),
            named,
            files: Files::default(),
            commands: Vec::new(),
            slips: Vec::new(),
            bodies: Vec::new(),
            keeps_bodies,
            gaps: Vec::new(),
        }
    }

    /// Reads the next instruction.
    pub(super) fn read(&mut self, index: usize, outer: &Instruction, graph: &Graph, scope: &Scope) {
        if let Some(stage) = graph.stages.last().filter(|stage| stage.from == index) {
            self.shells.push(match &stage.base {
                Base::Stage(below) => self.shells.get(*below).cloned().unwrap_or_default(),
                Base::Image(reference) if is_windows(&reference.text) => StageShell::foreign("cmd"),
                Base::Image(_) | Base::Scratch => StageShell::default(),
            });
        }
        while let Some((_, shell)) = self.named.pop_if(|(line, _)| *line < outer.line) {
            // It speaks of the stage that it stands in; one before a FROM is of no stage that has any code left.
            if let Some(current) = self.shells.last_mut().filter(|_| outer.keyword != "FROM") {
                let name = shell.rsplit(['/', '\\']).next().unwrap_or_default();
                *current = StageShell::named(name);
            }
        }
        if outer.keyword == "SHELL"
            && let Some(shell) = self.shells.last_mut()
        {
            *shell = StageShell::of(outer);
        }
        let instruction = outer.trigger.as_deref().unwrap_or(outer);
        if matches!(instruction.keyword.as_str(), "ADD" | "COPY") {
            self.note_files(outer, instruction);
        }
        let Some(code_at) = code_at(instruction) else {
            self.commands.push(Vec::new());
            self.slips.push(Vec::new());
            return;
        };
        let shell = self.shells.last().cloned().unwrap_or_default();
        let (reading, mut unread) = match of_code(outer, instruction, code_at, self.source, scope, &shell, &mut self.files) {
            Ok((mut reading, script)) => {
                if let Some((script, dialect)) = script.filter(|_| self.keeps_bodies && instruction.keyword == "RUN") {
                    self.bodies.push(Body { line: outer.line, dialect, script });
                }
                let unread: Vec<String> = reading.unread.drain(..).map(|unread| unread.reason().to_owned()).collect();
                (reading, unread)
            }
            Err(interpreter) => (Reading::default(), vec![format!("the code is for {interpreter}, which is not a POSIX shell")]),
        };
        unread.sort();
        unread.dedup();
        for reason in unread {
            let gap = Gap::new(SourceId::Dockerfile, "unread-shell", format!("{}:{}", self.file, outer.line), reason);
            self.gaps.push(gap.with_hint("no rule that reads shell code judged all of this instruction"));
        }
        self.commands.push(reading.commands);
        // What runs when the container starts may want its options split.
        self.slips.push(if instruction.keyword == "RUN" { reading.slips } else { Vec::new() });
    }

    /// Keeps the text of heredocs that become files: a later command may run one.
    fn note_files(&mut self, outer: &Instruction, instruction: &Instruction) {
        let Some((destination, sources)) = instruction.args.split_last() else { return };
        for heredoc in &outer.heredocs {
            let text = slice(&self.source.text, heredoc.body.clone());
            let into_folder = destination.text.ends_with('/') || sources.len() > 1;
            let path = if into_folder { heredoc.name.as_str() } else { destination.text.as_str() };
            self.files.write(path, text, heredoc.body.start);
        }
    }
}

/// Where the code of an instruction starts that runs some, in the build or when the container starts.
fn code_at(instruction: &Instruction) -> Option<usize> {
    let argument = match instruction.keyword.as_str() {
        "RUN" | "CMD" | "ENTRYPOINT" => instruction.args.first(),
        "HEALTHCHECK" if instruction.args.first().is_some_and(|kind| kind.text.eq_ignore_ascii_case("CMD")) => instruction.args.get(1),
        _ => None,
    };
    argument.map(|argument| argument.at)
}

fn of_code(
    outer: &Instruction,
    instruction: &Instruction,
    code_at: usize,
    source: &Source,
    scope: &Scope,
    stage: &StageShell,
    files: &mut Files,
) -> Result<(Reading, Option<(Logical, Dialect)>), String> {
    let foreign = stage.foreign.as_deref();
    if instruction.json {
        let skipped = usize::from(instruction.keyword == "HEALTHCHECK");
        let elements: Vec<&str> = instruction.args.iter().skip(skipped).map(|argument| argument.text.as_str()).collect();
        return Ok((shell::exec_form(&elements, &outer.range, files, scope), None));
    }
    let body_of = |at: usize| outer.heredocs.get(at).map(|heredoc| (slice(&source.text, heredoc.body.clone()), heredoc.body.start));
    // A heredoc that is the whole command is a script of its own, with its own shebang.
    let alone = outer.heredocs.len() == 1 && is_one_opener(&instruction.rest);
    if alone && let Some((body, start)) = body_of(0) {
        let mut shell = stage.shell;
        if let Some(shebang) = body.strip_prefix("#!") {
            let line = shebang.lines().next().unwrap_or_default();
            let interpreter = interpreter(line);
            if !is_posix_shell(interpreter) {
                return Err(interpreter.to_owned());
            }
            shell = Shell { dialect: Dialect::of(interpreter), errexit: stops_at_failure(line.split_whitespace().skip(1)) };
        } else if let Some(foreign) = foreign {
            return Err(foreign.to_owned());
        }
        let script = Logical::of(body, start);
        return Ok((shell::commands(&script, files, scope, shell), Some((script, shell.dialect))));
    }
    if let Some(foreign) = foreign {
        return Err(foreign.to_owned());
    }
    let mut script = instruction.logical.tail(code_at);
    for (at, heredoc) in outer.heredocs.iter().enumerate() {
        let Some((body, start)) = body_of(at) else { continue };
        script.append("\n", start.saturating_sub(1));
        script.append(body, start);
        script.append(&heredoc.name, heredoc.body.end);
    }
    if !outer.heredocs.is_empty() {
        script.append("\n", outer.range.end);
    }
    Ok((shell::commands(&script, files, scope, stage.shell), Some((script, stage.shell.dialect))))
}

/// The shell of a SHELL instruction when we cannot read its code.
fn unreadable_shell(instruction: &Instruction) -> Option<String> {
    let mut names = instruction.args.iter().map(|argument| argument.text.rsplit(['/', '\\']).next().unwrap_or_default());
    if names.clone().any(is_posix_shell) { None } else { names.next().map(str::to_owned) }
}

fn is_windows(image: &str) -> bool {
    let image = image.to_ascii_lowercase();
    ["windows", "nanoserver", "servercore"].iter().any(|word| image.contains(word))
}

/// Whether the text is a heredoc's opener and nothing else; a quoted name may hold blanks, and a file descriptor changes nothing.
pub(super) fn is_one_opener(text: &str) -> bool {
    let Some(name) = text.trim().trim_start_matches(|c: char| c.is_ascii_digit()).strip_prefix("<<") else { return false };
    let name = name.strip_prefix('-').unwrap_or(name);
    match name.chars().next() {
        Some(quote @ ('"' | '\'')) => {
            name.len() > 1 && name.find(quote).is_some() && name.match_indices(quote).count() == 2 && name.ends_with(quote)
        }
        _ => name.split_whitespace().count() == 1,
    }
}

#[cfg(test)]
mod tests {

    use crate::{
        dockerfile::{LintInput, LintReport, lint},
        model::location::Location,
    };

    fn report(text: &str) -> LintReport {
        let text = format!("FROM alpine:3.22\n{text}\n");
        lint(&LintInput::new("Dockerfile", text.as_bytes()))
    }

    /// The lines on which a command that switches certificates off is found; `?` when something was not read.
    fn seen(text: &str) -> String {
        let report = report(text);
        let faults = report.findings.iter().filter(|finding| finding.id == "curl-insecure");
        let lines = faults.flat_map(|finding| &finding.locations).filter_map(|location| match location {
            Location::Dockerfile(span) => Some(span.line.to_string()),
            _ => None,
        });
        let unread = report.gaps.iter().filter(|gap| gap.kind == "unread-shell").map(|_| "?".to_owned()).take(1);
        lines.chain(unread).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn no_command_goes_unseen() {
        let table = [
            ("RUN curl -k https://x.dev", "2"),
            ("RUN [[ -n $(curl -k https://x.dev) ]] && true", "2"),
            ("RUN [[ a == b || ! ( c =~ \"$(curl -k https://x.dev)\" ) ]]", "2"),
            ("RUN echo $(( $(curl -k https://x.dev) + 1 ))", "2"),
            ("RUN (( a = $(curl -k https://x.dev) ))", "2"),
            ("RUN for ((i=$(curl -k https://x.dev); i<3; i++)); do true; done", "2"),
            ("RUN echo ${X:-$(curl -k https://x.dev)}", "2"),
            ("RUN echo \"${X:-${Y:=\"$(curl -k https://x.dev)\"}}\"", "2"),
            ("RUN echo ${X:-`curl -k https://x.dev`}", "2"),
            ("RUN echo ${X#$(curl -k https://x.dev)} ${X/a/b}", "2"),
            ("RUN a[$(curl -k https://x.dev)]=1", "2"),
            ("RUN a=(1 $(curl -k https://x.dev))", "2"),
            ("RUN case a in $(curl -k https://x.dev)) true;; esac", "2"),
            ("RUN f() { true; } > $(curl -k https://x.dev); f", "2"),
            ("RUN echo a >&$(curl -k https://x.dev)", "2"),
            ("RUN cat < <(curl -k https://x.dev)", "2"),
            ("RUN sh <<EOF\ncurl -k https://x.dev\nEOF", "3"),
            ("RUN sh -s -- a <<EOF\ntrue\ncurl -k https://x.dev\nEOF", "4"),
            ("RUN 3<<EOF\ncurl -k https://x.dev\nEOF", "3"),
            ("RUN 0<<-'EOF'\n\tcurl -k https://x.dev\nEOF", "3"),
            ("RUN cat <<EOF | sh\ncurl -k https://x.dev\nEOF", "3"),
            ("RUN cat <<EOF | tee /x | sudo bash -e\ncurl -k https://x.dev\nEOF", "3"),
            ("RUN cat <<'EOF' | (cd /; sh)\ncurl -k https://x.dev\nEOF", "3"),
            ("RUN sh <<< 'curl -k https://x.dev'", "2"),
            ("RUN echo 'curl -k https://x.dev' | sh", "2"),
            ("RUN echo -e 'true\\ncurl -k https://x.dev' | sh 2>/dev/null", "2"),
            ("RUN printf '%s\\n' 'curl -k https://x.dev' | sh -x", "2"),
            ("RUN { echo 'curl \\'; echo '-k https://x.dev'; } | sh", "2"),
            ("RUN sh -c \"echo 'curl -k https://x.dev'\" | sh", "2"),
            ("RUN sh < <(echo 'curl -k https://x.dev')", "2"),
            ("RUN <<EOF tee /x && sh /x\ncurl -k https://x.dev\nEOF", "3"),
            ("RUN <<EOF cat > /x && sh /x\ncurl -k https://x.dev\nEOF", "3"),
            ("RUN cat <<EOF > /x.sh\ncurl -k https://x.dev\nEOF\nRUN chmod +x /x.sh && ./x.sh", "3"),
            ("RUN echo 'curl -k https://x.dev' > /x && . /x", "2"),
            ("RUN f=$(mktemp) && echo 'curl -k https://x.dev' > \"$f\" && sh \"$f\"", "2"),
            ("COPY <<EOF /bin/x\n#!/bin/sh\ncurl -k https://x.dev\nEOF\nRUN x", "4"),
            ("COPY <<EOF /bin/x\ncurl -k https://x.dev\nEOF\nENTRYPOINT [\"/bin/x\"]", "3"),
            ("COPY <<EOF /bin/x\ncurl -k https://x.dev\nEOF", ""),
            ("COPY <<x.sh /bin/\ncurl -k https://x.dev\nx.sh\nRUN [\"sh\", \"/bin/x.sh\"]", "3"),
            ("RUN bash -c 'sh -c \"curl -k https://x.dev\"'", "2"),
            ("RUN eval \"curl -k https://x.dev\"", "2"),
            ("RUN su app -lc 'curl -k https://x.dev'", "2"),
            ("RUN env -S 'curl -k https://x.dev'", "2"),
            ("RUN trap 'curl -k https://x.dev' EXIT", "2"),
            ("RUN flock /x curl -k https://x.dev", "2"),
            ("RUN bash -euo pipefail -c 'curl -k https://x.dev'", "2"),
            ("RUN bash -c -o pipefail 'curl -k https://x.dev'", "2"),
            ("RUN bash -euo pipefail <<EOF\ncurl -k https://x.dev\nEOF", "3"),
            ("RUN bash <(echo 'curl -k https://x.dev')", "2"),
            ("RUN . /dev/stdin <<EOF\ncurl -k https://x.dev\nEOF", "3"),
            ("RUN install -m755 /dev/stdin /bin/x <<EOF\ncurl -k https://x.dev\nEOF\nRUN x", "3"),
            ("RUN echo 'curl -k https://x.dev' > /a && mv /a /bin/b && b", "2"),
            ("RUN dd of=/x <<EOF && sh /x\ncurl -k https://x.dev\nEOF", "3"),
            ("RUN X='curl -k https://x.dev'; $X", "2"),
            ("RUN $'curl' $'-k' https://x.dev", "2"),
            ("RUN parallel curl -k ::: https://x.dev", "2"),
            ("RUN conda run -n base curl -k https://x.dev", "2"),
            ("RUN awk 'BEGIN { system(\"curl -k https://x.dev\") }'", "2"),
            ("RUN f() { \"$@\"; }; f curl -k https://x.dev", "2"),
            ("RUN sh -c 'exec \"$@\"' -- curl -k https://x.dev", "2"),
            ("RUN set -- curl -k https://x.dev; \"$@\"", "2"),
            ("RUN alias c='curl -k'; c https://x.dev", "2"),
            ("RUN echo '-k https://x.dev' | xargs curl", "2"),
            ("RUN su - app <<EOF\ncurl -k https://x.dev\nEOF", "3"),
            ("RUN sudo -s <<EOF\ncurl -k https://x.dev\nEOF", "3"),
            ("RUN nix-shell --run 'curl -k https://x.dev'", "2"),
            ("RUN find / -okdir curl -k https://x.dev ';'", "2"),
            ("RUN scl enable x 'curl -k https://x.dev'", "2"),
            ("RUN f() { curl -k https://x.dev; }; f", "2"),
            ("CMD curl -k https://x.dev", "2"),
            ("CMD [\"sh\", \"-c\", \"curl -k https://x.dev\"]", "2"),
            ("ENTRYPOINT exec curl -k https://x.dev", "2"),
            ("HEALTHCHECK --interval=5s CMD curl -k https://x.dev || exit 1", "2"),
            ("HEALTHCHECK CMD [\"curl\", \"-k\", \"https://x.dev\"]", "2"),
            ("HEALTHCHECK NONE", ""),
            ("ONBUILD HEALTHCHECK CMD curl -k https://x.dev", "2"),
            ("ONBUILD RUN curl -k https://x.dev", "2"),
        ];
        for (text, expected) in table {
            assert_eq!(seen(text), expected, "{text}\n{:?}", report(text).gaps);
        }
    }

    #[test]
    fn triggers_are_judged_like_instructions() {
        let table = [
            ("ONBUILD ENV NODE_TLS_REJECT_UNAUTHORIZED=0", "node-tls-verify-disabled"),
            ("ONBUILD ADD https://u:hunter22@x.dev/a /", "credentials-in-url"),
            ("ONBUILD ARG API_TOKEN=hunter22", "secret-in-arg"),
        ];
        for (text, rule) in table {
            assert!(report(text).findings.iter().any(|finding| finding.id == rule), "{text}");
        }
    }

    #[test]
    fn what_cannot_be_read_is_a_gap() {
        let table = [
            ("RUN echo Y3VybAo= | base64 -d | sh", true),
            ("RUN sed s/a/b/ <<EOF | sh\ncurl -k https://x.dev\nEOF", true),
            ("RUN sed s/a/b/ <<EOF > /x; sh /x\ncurl -k https://x.dev\nEOF", true),
            ("RUN printf '%x' 12 | sh", true),
            ("RUN make-script | sh", true),
            ("RUN sh -c \"$SCRIPT\"", true),
            ("RUN echo \"$SCRIPT\" | sh", true),
            ("RUN eval \"$SCRIPT\"", true),
            ("RUN echo 'curl -k' | xargs -I{} sh -c '{}'", true),
            ("RUN python3 <<EOF\nprint(1)\nEOF", true),
            ("RUN echo 'print(1)' | python3", true),
            ("RUN python3 -c 'import os; os.system(\"curl -k https://x.dev\")'", true),
            ("COPY <<EOF /x.py\nprint(1)\nEOF\nRUN python3 /x.py", true),
            ("COPY <<EOF /x\n#!/usr/bin/env python3\nprint(1)\nEOF\nRUN /x", true),
            ("RUN pwsh -Command 'curl -k https://x.dev'", true),
            ("RUN [\"powershell\", \"-c\", \"x\"]", true),
            ("SHELL [\"pwsh\", \"-c\"]\nCMD x", true),
            ("RUN ${CMD} -k", true),
            ("RUN curl${IFS}-k https://x.dev", true),
            ("RUN cur? -k https://x.dev", true),
            ("RUN {curl,-k,https://x.dev}", true),
            ("RUN $'cur\\x6c' -k https://x.dev", true),
            ("RUN eval $(opam env)", true),
            ("RUN sh -c \"$(cat /x)\"", true),
            ("RUN . <(kubectl completion bash)", true),
            ("RUN echo 'curl -k https://x.dev' > >(sh)", true),
            ("RUN make -f - <<EOF\nall:\nEOF", true),
            ("COPY <<EOF /src/Makefile\nall:\nEOF\nRUN make", true),
            ("RUN make -C /src all", false),
            ("RUN awk '{ system($1) }' /x", true),
            ("RUN awk '{ print $1 | \"sh\" }' /x", true),
            ("RUN awk '{ if (system(\"[ -e \" $1 \" ]\") == 0) { next } }' /x", false),
            ("RUN awk '{ print $1 }' /x", false),
            ("RUN sh -c \"$(curl -fsSL https://x.dev)\"", false),
            ("RUN eval \"$(curl -fsSL https://x.dev)\"", false),
            ("RUN bash <(curl -fsSL https://x.dev)", false),
            ("RUN [ -f /x ] && { true; } && [[ a == b* ]]", false),
            ("RUN python3 -c 'print(1)'", false),
            ("RUN python3 /x.py", false),
            ("RUN curl -fsSL https://x.dev | sh", false),
            ("RUN curl -fsSL https://x.dev | gunzip | sh", false),
            ("RUN cat /x | sh", false),
            ("RUN sh /x", false),
            ("RUN A=make && $A all", false),
            ("CMD [\"sh\", \"-c\", \"exec java $OPTS\"]", false),
            ("COPY <<EOF /x\nexec \"$@\"\nEOF\nENTRYPOINT [\"/x\"]", false),
            ("CMD [\"bash\"]", false),
            ("CMD [\"python3\"]", false),
            ("CMD [\"pwsh\"]", false),
            ("CMD", false),
        ];
        for (text, expected) in table {
            assert_eq!(seen(text).ends_with('?'), expected, "{text}\n{:?}", report(text).gaps);
        }
    }
}
