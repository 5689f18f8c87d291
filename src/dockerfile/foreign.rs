//! A command of another language's interpreter in, whether it gets code that no rule reads out; what awk hands to a shell is read.

use super::{
    bounds::Unread,
    command::{Command, HOLE, Word},
    dataflow::{Flow, MAX_FLOW, unescaped},
    shell::Walker,
    source::slice,
};

/// Interpreters of other languages, whose code no rule reads.
const FOREIGN: &[&str] =
    &["python", "pypy", "perl", "ruby", "node", "nodejs", "php", "lua", "Rscript", "tclsh", "expect", "awk", "gawk", "mawk"];
/// Shells of another family: what they are given to run is shell code that no rule reads.
const FOREIGN_SHELLS: &[&str] = &["pwsh", "powershell", "pwsh.exe", "powershell.exe", "cmd", "cmd.exe", "fish", "csh", "tcsh", "nu"];
/// What the code of another language says when it starts programs.
const STARTS_PROGRAMS: &[&str] =
    &["system(", "system ", "subprocess", "popen", "exec(", "execsync", "spawn", "child_process", "`", "qx", "%x", "passthru"];

/// Programs that run the recipes of a file, or of their input.
const MAKES: &[&str] = &["make", "gmake", "just", "ninja"];
const AWKS: &[&str] = &["awk", "gawk", "mawk"];

/// Whether the program runs code of another language.
pub(super) fn is_interpreter(name: &str) -> bool {
    FOREIGN_SHELLS.contains(&name) || MAKES.contains(&name) || FOREIGN.contains(&without_version(name))
}

fn without_version(name: &str) -> &str {
    name.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.')
}

impl Walker<'_> {
    /// Notes code that is not read; what awk hands to a shell comes back.
    pub(super) fn foreign(&mut self, command: &Command) -> Option<Flow> {
        if AWKS.contains(&command.name.as_str()) {
            let mut flow = Flow::default();
            for word in command.arguments() {
                if pipes_to_a_program(&word.text) {
                    self.unread.push(Unread::Foreign);
                }
                for code in awk_system(&word.text) {
                    flow.add(&code, command.range.start);
                }
            }
            return Some(flow);
        }
        let is_unread =
            if MAKES.contains(&command.name.as_str()) { self.makes_what_is_said(command) } else { self.runs_foreign_code(command) };
        if is_unread {
            self.unread.push(Unread::Foreign);
        }
        None
    }

    /// Whether the recipes stand in this Dockerfile.
    fn makes_what_is_said(&self, command: &Command) -> bool {
        let recipes = ["Makefile", "makefile", "GNUmakefile", "justfile", "build.ninja"];
        command.arguments().iter().any(|word| matches!(word.text.as_str(), "-" | "/dev/stdin"))
            || recipes.iter().any(|file| self.files.get(file).is_some_and(Flow::is_said))
    }

    /// Whether the interpreter gets code of this Dockerfile that starts programs, or whole scripts of it.
    fn runs_foreign_code(&self, command: &Command) -> bool {
        let words = command.arguments();
        if words.iter().any(|word| self.files.get(&word.text).is_some_and(Flow::is_said)) {
            return true;
        }
        let has_operands = words.iter().any(|word| !word.text.starts_with('-') && word.text != "/dev/stdin");
        if !has_operands && self.input(command, MAX_FLOW).is_said() {
            return true;
        }
        let has_options = words.iter().any(|word| word.text.len() > 1 && word.text.starts_with(['-', '/']));
        has_options && if FOREIGN_SHELLS.contains(&command.name.as_str()) { has_operands } else { words.iter().any(starts_programs) }
    }
}

fn starts_programs(word: &Word) -> bool {
    let lower = word.text.to_ascii_lowercase();
    STARTS_PROGRAMS.iter().any(|mark| lower.contains(mark))
}

/// Whether an awk program reads from a command or writes to one: `"date" | getline`, `print | "sh"`.
fn pipes_to_a_program(code: &str) -> bool {
    // Only the code counts: of a string, its quotes are left.
    let mut bare = String::new();
    let mut in_string = false;
    let mut chars = code.chars().filter(|c| !c.is_whitespace());
    while let Some(c) = chars.next() {
        match c {
            '\\' => {
                chars.next();
            }
            '"' => {
                in_string = !in_string;
                bare.push(c);
            }
            c if !in_string => bare.push(c),
            _ => {}
        }
    }
    let bare = bare.replace("||", "");
    bare.contains("|getline") || bare.contains("|&") || bare.contains("|\"")
}

/// The shell code of every `system(...)` of an awk program, with a hole for each part that is no string.
fn awk_system(code: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (at, mark) in code.match_indices("system") {
        let rest = slice(code, at + mark.len()..code.len()).trim_start();
        let Some(rest) = rest.strip_prefix('(') else { continue };
        let mut text = String::new();
        let mut depth = 1_usize;
        let mut chars = rest.chars();
        while let Some(c) = chars.next() {
            match c {
                '"' => {
                    let mut piece = String::new();
                    while let Some(c) = chars.next().filter(|&c| c != '"') {
                        piece.push(c);
                        if c == '\\' {
                            piece.extend(chars.next());
                        }
                    }
                    text.push_str(&unescaped(&piece));
                    continue;
                }
                '(' => depth += 1,
                ')' => depth -= 1,
                c if c.is_whitespace() => continue,
                _ => {}
            }
            if depth == 0 {
                break;
            }
            if !text.ends_with(HOLE) {
                text.push(HOLE);
            }
        }
        found.push(text);
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_awk_hands_to_a_shell_is_found() {
        let table: &[(&str, &[&str])] = &[
            (r#"{ system("rm " $1) }"#, &["rm \u{0}"]),
            (r#"system("[ -e " d "/" f(1) " ]") == 0 { next }"#, &["[ -e \u{0}/\u{0} ]"]),
            (r#"{ system ( "echo \"a\"" ) } END { system(x) }"#, &["echo \"a\"", "\u{0}"]),
            ("{ print $1 }", &[]),
            (r#"system("x"#, &["x"]),
        ];
        for (code, expected) in table {
            assert_eq!(awk_system(code), *expected, "{code}");
        }
        assert!(pipes_to_a_program(r#"{ print | "sh" }"#) && pipes_to_a_program(r#""date" | getline d"#));
        assert!(!pipes_to_a_program(r#"a || "b" { print "|" }"#));
    }
}
