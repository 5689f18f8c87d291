//! Calls of `brush_parser`: an answer or none. Its grammar panics at some texts that no shell takes either; such a text is one that cannot be read.

use std::{
    cell::Cell,
    panic::{AssertUnwindSafe, catch_unwind},
};

thread_local! {
    static ASKING: Cell<bool> = const { Cell::new(false) };
}

/// What the crate answers; `None` when it refuses or panics.
pub(super) fn ask<T>(call: impl FnOnce() -> Option<T>) -> Option<T> {
    let before = ASKING.replace(true);
    let answer = catch_unwind(AssertUnwindSafe(call)).unwrap_or_default();
    ASKING.set(before);
    answer
}

/// Whether a panic of this thread is taken for an answer, so that nobody needs to hear of it.
#[must_use]
pub fn panics_are_answers() -> bool {
    ASKING.get()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dockerfile::{LintInput, lint};

    #[test]
    fn a_panic_is_no_answer() {
        assert_eq!(ask(|| Some(panics_are_answers())), Some(true));
        assert_eq!(ask(|| "x".parse::<u8>().expect("no number").into()), None::<u8>);
        assert!(!panics_are_answers());
    }

    #[test]
    fn what_the_grammar_panics_at_is_a_gap() {
        for code in ["<<EOF ${${R}\nEOF", "(true 99999999999<a)", "a $(b <<  ", "a $(b <<''", "a $(b <<- <<  "] {
            let text = format!("FROM debian:12\nRUN {code}\nRUN curl -k https://x.dev\n");
            let report = lint(&LintInput::new("Dockerfile", text.as_bytes()));
            assert!(report.gaps.iter().any(|gap| gap.kind == "unread-shell"), "{code}: {:?}", report.gaps);
            assert!(report.findings.iter().any(|finding| finding.id == "curl-insecure"), "{code}");
        }
    }

    #[test]
    fn the_grammar_comes_to_an_end() {
        for code in
            ["cat <<''", "cat <<'' \\\n x", "a <<\"\" <<''", "(a <<'')", "{ a <<''", "<<EOF\na $(b <<  \n\nEOF", "<<EOF\ncat <<''\nEOF"]
        {
            let text = format!("FROM debian:12\nRUN {code}\n\nRUN curl -k https://x.dev\n");
            let report = lint(&LintInput::new("Dockerfile", text.as_bytes()));
            assert!(report.findings.iter().any(|finding| finding.id == "curl-insecure"), "{code}");
        }
    }
}
