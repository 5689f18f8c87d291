//! The words and commands of one script in, the slips in it out. What ShellCheck says about the same scripts is the reference, so a
//! script that another program runs (`sh -c '...'`) is its author's own affair.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Range,
};

use super::{
    dialect::{Dialect, Shell},
    quoted::{expansion, is_sed_address, shown},
    reference::Reference,
    scope::Scope,
    slip::{Mend, Slip, SlipKind},
    source::slice,
    spaces::{Space, Spaces},
    wrapper,
};

/// The most slips that are kept for one instruction.
const MAX_SLIPS: usize = 10_000;
/// The most variables that a function is known to change.
const MAX_CHANGES: usize = 64;
/// The most changes by calls of functions that are followed.
const MAX_CHANGES_BY_CALLS: usize = 20_000;
/// Variables that the shell keeps and that hold no blanks.
const WITHOUT_BLANKS: &[&str] = &[
    "#",
    "?",
    "$",
    "!",
    "-",
    "BASHPID",
    "BASH_SUBSHELL",
    "COLUMNS",
    "EPOCHREALTIME",
    "EPOCHSECONDS",
    "EUID",
    "HISTCMD",
    "LINENO",
    "LINES",
    "OPTIND",
    "PPID",
    "RANDOM",
    "SECONDS",
    "SHLVL",
    "SRANDOM",
    "UID",
];
/// Variables in lower case that are set without anyone's doing.
const GIVEN: &[&str] = &["all_proxy", "auto_resume", "ftp_proxy", "histchars", "http_proxy", "https_proxy", "no_proxy"];

/// What happens to what a word expands to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Use {
    /// It stays one word.
    Kept,
    /// It becomes several.
    Split,
    /// It is a program, which may be several words when nothing else stands in it.
    Program,
}

#[derive(Debug, Default)]
pub(super) struct Loop {
    written: BTreeSet<String>,
    /// Variables that were clean when they were read, before the loop changed them.
    reads: Vec<(String, Slip)>,
}

#[derive(Debug, Default)]
pub(super) struct Function {
    /// What a call leaves.
    pub(super) changes: Vec<(String, Space)>,
    /// Variables that nothing had set when the function was defined.
    pub(super) reads: Vec<(String, Slip)>,
}

#[derive(Debug, Default)]
pub(super) struct Body {
    written: BTreeSet<String>,
    pub(super) locals: BTreeSet<String>,
    reads: Vec<(String, Slip)>,
}

/// What an outer command is like, while an inner one is looked at.
#[derive(Debug, Clone, Copy)]
pub(super) struct Outer {
    pub(super) command: usize,
    pub(super) quoted: usize,
}

/// Looks at a script while it is walked.
#[derive(Debug)]
pub(super) struct Watch<'a> {
    scope: &'a Scope,
    pub(super) shell: Shell,
    /// What is known of variables.
    pub(super) spaces: Spaces,
    slips: Vec<Slip>,
    /// Where each variable is read first.
    reads: BTreeMap<String, Slip>,
    written: BTreeSet<String>,
    /// Expansions in single quotes, of commands that are not complete, and whether they would be addresses of sed.
    pub(super) quoted: Vec<(Slip, bool)>,
    pub(super) command: usize,
    commands: usize,
    /// The command that was complete last.
    pub(super) last: usize,
    /// How many conditions the next command stands in: somebody looks whether it fails.
    pub(super) conditions: usize,
    /// How many `` `...` `` are around the next command.
    pub(super) backquotes: usize,
    pub(super) is_sourced: bool,
    pub(super) loops: Vec<Loop>,
    pub(super) functions: BTreeMap<String, Function>,
    pub(super) changes_left: usize,
    pub(super) bodies: Vec<Body>,
}

impl<'a> Watch<'a> {
    /// Starts at the head of a script.
    pub(super) fn new(scope: &'a Scope, shell: Shell) -> Self {
        Self {
            scope,
            shell,
            spaces: Spaces::default(),
            slips: Vec::new(),
            reads: BTreeMap::new(),
            written: BTreeSet::new(),
            quoted: Vec::new(),
            command: 0,
            commands: 0,
            last: 0,
            conditions: 0,
            backquotes: 0,
            is_sourced: false,
            loops: Vec::new(),
            functions: BTreeMap::new(),
            changes_left: MAX_CHANGES_BY_CALLS,
            bodies: Vec::new(),
        }
    }

    /// The slips of the whole script.
    pub(super) fn finish(mut self) -> Vec<Slip> {
        if self.shell.dialect == Dialect::Zsh {
            return Vec::new();
        }
        let never_called = std::mem::take(&mut self.functions).into_values().flat_map(|function| function.reads);
        let never_called: Vec<Slip> = never_called.map(|(_, slip)| slip).collect();
        self.slips.extend(never_called);
        // When the last command fails, so does the instruction.
        let (errexit, last) = (self.shell.errexit, self.last);
        self.slips.retain(|slip| slip.kind != SlipKind::UncheckedCd || !(errexit || slip.command == last));
        let reads = std::mem::take(&mut self.reads);
        let unset = |name: &str| !self.written.contains(name) && !GIVEN.contains(&name) && !self.scope.declares(name);
        let unset: Vec<Slip> = reads.into_iter().filter(|(name, _)| !self.is_sourced && unset(name)).map(|(_, slip)| slip).collect();
        self.slips.extend(unset);
        self.slips.sort_by_key(|slip| (slip.range.start, slip.kind));
        self.slips.dedup();
        self.slips
    }

    pub(super) fn add(&mut self, slip: Slip) {
        if self.slips.len() < MAX_SLIPS {
            self.slips.push(slip);
        }
    }

    pub(super) fn slip(&self, kind: SlipKind, name: &str, range: Range<usize>, mend: Mend) -> Slip {
        Slip { kind, command: self.command, name: shown(name), range, mend }
    }

    /// Begins a simple command.
    pub(super) fn open(&mut self) -> Outer {
        let outer = Outer { command: self.command, quoted: self.quoted.len() };
        self.commands += 1;
        self.command = self.commands;
        outer
    }

    /// Leaves what is no simple command; texts in single quotes are given to no program there.
    pub(super) fn close(&mut self, outer: Outer) {
        let quoted = self.quoted.split_off(outer.quoted.min(self.quoted.len()));
        quoted.into_iter().for_each(|(slip, _)| self.add(slip));
        self.command = outer.command;
    }

    /// Leaves a command that is none of ours.
    pub(super) fn leave(&mut self, outer: Outer) {
        self.quoted.truncate(outer.quoted);
        self.command = outer.command;
    }

    /// What is known of a variable's blanks.
    pub(super) fn space(&self, name: &str) -> Space {
        self.spaces.get(name).unwrap_or_else(|| self.before(name))
    }

    /// What is known of it where the script has not set it.
    pub(super) fn before(&self, name: &str) -> Space {
        if WITHOUT_BLANKS.contains(&name) || self.scope.declares(name) || GIVEN.contains(&name) { Space::Clean } else { Space::Dirty }
    }

    /// An assignment.
    pub(super) fn assign(&mut self, name: &str, space: Space) {
        let before = self.before(name);
        self.spaces.set(name, space, before);
        if let Some(around) = self.loops.last_mut() {
            around.written.insert(name.to_owned());
        }
        if let Some(body) = self.bodies.last_mut() {
            body.written.insert(name.to_owned());
        }
        self.mention(name);
    }

    /// A name that the script knows.
    pub(super) fn mention(&mut self, name: &str) {
        if name.bytes().any(|b| b.is_ascii_lowercase()) && !self.written.contains(name) {
            self.written.insert(name.to_owned());
        }
    }

    /// A variable that is read; what its value is known to be.
    pub(super) fn read(&mut self, text: &str, range: Range<usize>, splits: bool, is_exact: bool) -> Space {
        let reference = Reference::of(text);
        let name = reference.name;
        let is_variable = wrapper::is_name(name);
        if is_variable && name.bytes().any(|b| b.is_ascii_lowercase()) {
            if reference.is_guarded() {
                self.mention(name);
            } else {
                self.note_first_read(name, &range);
            }
        }
        let space = if reference.is_length { Space::Clean } else { self.space(name) };
        let operator = reference.operator();
        let is_alternative = operator.strip_prefix(':').unwrap_or(operator).starts_with('+');
        let is_number = matches!(name, "#" | "?" | "$" | "!" | "-") || reference.is_length;
        if splits && !is_number && !reference.is_array && !is_alternative {
            let mend = if is_exact && self.backquotes == 0 { Mend::Quotes } else { Mend::No };
            let slip = Slip { name: shown(text), ..self.slip(SlipKind::UnquotedVariable, "", range, mend) };
            self.note_read(name, is_variable, space, slip);
        }
        if reference.modifier.is_empty() { space } else { Space::Dirty }
    }

    /// Notes where a variable is read first.
    fn note_first_read(&mut self, name: &str, range: &Range<usize>) {
        let is_known = self.reads.contains_key(name);
        if !is_known {
            let slip = self.slip(SlipKind::UnassignedVariable, name, range.clone(), Mend::No);
            self.reads.insert(name.to_owned(), slip);
        }
    }

    /// Notes a variable that is split here, now or once more is known.
    pub(super) fn note_read(&mut self, name: &str, is_variable: bool, space: Space, slip: Slip) {
        if space == Space::Clean {
            if let Some(around) = self.loops.last_mut().filter(|around| is_variable && !around.written.contains(name)) {
                around.reads.push((name.to_owned(), slip));
            }
            return;
        }
        let is_open = is_variable && self.spaces.get(name).is_none();
        match self.bodies.last_mut() {
            // A call decides.
            Some(body) if is_open && !body.written.contains(name) => body.reads.push((name.to_owned(), slip)),
            _ => self.add(slip),
        }
    }

    /// The variables of an arithmetic expression: those with a `$` are read elsewhere.
    pub(super) fn arithmetic(&mut self, text: &str, range: &Range<usize>) {
        let is_name = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
        let bytes = text.as_bytes();
        let has_code = text.contains("$(") || text.contains('`');
        let mut at = 0;
        while let Some(&b) = bytes.get(at) {
            if !is_name(b) {
                at += 1;
                continue;
            }
            let length = bytes.iter().skip(at).take_while(|b| is_name(**b)).count();
            let name = slice(text, at..at + length);
            let before = at.checked_sub(1).and_then(|at| bytes.get(at)).copied().unwrap_or(b' ');
            at += length;
            let rest = slice(text, at..text.len()).trim_start();
            if !wrapper::is_name(name) || has_code || matches!(before, b'$' | b'{' | b'#' | b'!' | b'"' | b'\'') {
                continue;
            }
            let sets = ["++", "--", "+=", "-=", "*=", "/=", "%=", "&=", "|=", "^=", "<<=", ">>="];
            if (rest.starts_with('=') && !rest.starts_with("==")) || sets.iter().any(|operator| rest.starts_with(operator)) {
                self.assign(name, Space::Clean);
            } else if name.bytes().any(|b| b.is_ascii_lowercase()) {
                self.note_first_read(name, range);
            }
        }
    }

    /// A `$(...)` that becomes several words.
    pub(super) fn substitution(&mut self, code: &str, range: Range<usize>, can_mend: bool) {
        let can_mend = can_mend && self.backquotes == 0;
        let name = format!("$({})", code.trim());
        let slip = self.slip(SlipKind::UnquotedSubstitution, &name, range, if can_mend { Mend::Quotes } else { Mend::No });
        self.add(slip);
    }

    /// A text in single quotes.
    pub(super) fn single_quoted(&mut self, text: &str, range: Range<usize>) {
        if let Some(expansion) = expansion(text) {
            let slip = self.slip(SlipKind::QuotedExpansion, expansion, range, Mend::No);
            self.quoted.push((slip, is_sed_address(text)));
        }
    }

    /// How many texts in single quotes there are so far.
    pub(super) fn quotes(&self) -> usize {
        self.quoted.len()
    }

    /// Forgets those since then that are the value of a prompt, which the shell expands itself.
    pub(super) fn assigned(&mut self, name: &str, quotes: usize) {
        if matches!(name, "PS1" | "PS2" | "PS3" | "PS4" | "PROMPT_COMMAND") {
            self.quoted.truncate(quotes);
        }
    }

    /// Begins a loop.
    pub(super) fn open_loop(&mut self) {
        self.loops.push(Loop::default());
    }

    /// Ends a loop: what it changed was changed already when it ran again.
    pub(super) fn close_loop(&mut self) {
        let Some(Loop { written, reads }) = self.loops.pop() else { return };
        for (name, slip) in reads {
            let space = self.space(&name);
            self.note_read(&name, true, space, slip);
        }
        if let Some(around) = self.loops.last_mut() {
            around.written.extend(written);
        }
    }

    /// Begins the body of a function.
    pub(super) fn open_function(&mut self) {
        self.bodies.push(Body::default());
    }

    /// Ends the body of a function, which has not run.
    pub(super) fn close_function(&mut self, name: &str, changes: BTreeMap<String, Space>) {
        let Some(Body { locals, reads, written }) = self.bodies.pop() else { return };
        if let Some(around) = self.bodies.last_mut() {
            around.written.extend(written);
        }
        let changes = changes.into_iter().filter(|(name, _)| !locals.contains(name)).take(MAX_CHANGES).collect();
        self.functions.insert(name.to_owned(), Function { changes, reads });
    }

    /// Whether an assignment behind this program is kept in one word.
    pub(super) fn keeps_assignments(&self, program: &str) -> bool {
        matches!(program, "export" | "readonly" | "declare" | "typeset" | "local") && self.shell.dialect != Dialect::Sh
    }
}

/// Whether a value of `for` is more than one word.
pub(super) fn may_be_many(raw: &str) -> bool {
    let is_quoted = raw.contains(['"', '\'']);
    raw.contains(['*', '?', '[', '{']) || (!is_quoted && raw.contains(['$', '`']))
}

#[cfg(test)]
mod tests {
    use crate::dockerfile::{LintInput, read};

    /// The slips of a RUN, each as the text that it is about.
    fn slips(shell: &str, code: &str) -> String {
        let text = format!("FROM debian:12\nENV E=1\nSHELL [\"{shell}\", \"-c\"]\nRUN {code}\n");
        let (dockerfile, _) = read(&LintInput::new("Dockerfile", text.as_bytes()));
        let told = dockerfile.slips.iter().flatten().map(|slip| {
            let number = match slip.kind {
                super::SlipKind::UnquotedVariable => 2086,
                super::SlipKind::UnquotedSubstitution => 2046,
                super::SlipKind::MaskedStatus => 2155,
                super::SlipKind::QuotedExpansion => 2016,
                super::SlipKind::EchoEscape => 2028,
                super::SlipKind::UncheckedCd => 2164,
                super::SlipKind::LeadingGlob => 2035,
                super::SlipKind::UnassignedVariable => 2154,
            };
            format!("{number} {}", text.get(slip.range.clone()).unwrap_or_default())
        });
        told.collect::<Vec<_>>().join(", ")
    }

    #[test]
    fn slips_stand_where_they_are() {
        let table = [
            ("sh", "echo $A \"$B\" ${C%x}$E", "2086 $A, 2086 ${C%x}"),
            ("sh", "a=1; a=$a$E; echo $a; a=$a$B; echo $a", "2086 $a"),
            ("sh", "echo > $A 2>&1 < \"$B\"", "2086 $A"),
            ("sh", "A=1; y && A=2 && A='b c' && echo $A", "2086 $A"),
            ("sh", "A=1; (A='b c'; echo $A); echo $A", "2086 $A"),
            ("sh", "A=1; while read -r A; do echo $A; done; echo $A", "2086 $A, 2086 $A"),
            ("sh", "A=1; f() { A=$(y); }; echo $A; f; echo $A", "2086 $A"),
            ("sh", "f() { local A='b c'; echo $A; }; A=1; f; echo $A", "2086 $A"),
            ("sh", "case $A in a) B=1 ;; b) exit ;; *) B=2 ;; esac; echo $B", ""),
            ("sh", "if a; then B=1; elif b; then B=2; fi; echo $B", "2086 $B"),
            ("sh", "echo \"$(echo $A | tr $B c)\"", "2086 $A, 2086 $B"),
            ("sh", "echo $((A + $B)) \"${C:-$D}\" ${F:+$G}", ""),
            ("sh", "export A=$B; readonly C=\"$B\"", "2086 $B"),
            ("bash", "export A=$B; x=($B); [[ $B = $C ]]; cat <<< $B", ""),
            ("ash", "export A=$B", ""),
            ("zsh", "echo $A $(b) *", ""),
            ("sh", "$A $B; ${A}b; exec $A; sudo $A", "2086 $B, 2086 ${A}, 2086 $A"),
            ("sh", "x $(a) `b` \"$(c)\" $(seq 1 2) $(seq 1 2 | d)", "2046 $(a), 2046 `b`, 2046 $(seq 1 2 | d)"),
            ("sh", "export a=$(b) c=\"x`d`\"; e=$(f) g", "2155 a=$(b), 2046 $(b), 2155 c=\"x`d`\""),
            ("sh", "echo '$a' '$$' 'a$' '`b`'; awk '{print $1}'; sed 's/$a/b/; $d'; sed '$d'", "2016 '$a', 2016 '`b`'"),
            ("sh", "echo \"a\\n\" 'b' \"c\\t\"; echo -e \"a\\n\"", "2028 \"a\\n\", 2028 \"c\\t\""),
            ("sh", "cd a; cd b && c; d || cd e; f", "2164 cd a, 2164 cd e"),
            ("sh", "c && cd a", ""),
            ("sh", "set -e; cd a; b", ""),
            ("sh", "rm *.c -- *.d; ls ?x [a]* \"*\"; echo *; a=* b", "2035 *.c, 2035 ?x"),
            ("sh", "echo \"$a ${a} $b ${c:-x} ${#d}\"; b=1", "2154 $a, 2154 ${#d}"),
            ("sh", "a=1 : && echo \"$a\"; b=1 c && echo \"$b\"", "2154 $b"),
            ("bash", "a=1 : && echo \"$a\"; ((n = m)); echo \"$n\"", "2154 $a, 2154 ("),
            ("sh", "[ -n \"$a\" ] && echo \"$a\"; [ \"$b\" = c ]", "2154 $b"),
            ("sh", "sh -c 'cd a; echo $b'; eval 'cd a; echo $b'", ""),
        ];
        for (shell, code, expected) in table {
            assert_eq!(slips(shell, code), expected, "{shell}: {code}");
        }
    }
}
