//! BuildKit's own cases for its parser: the dump of the tree, refusals, and line numbers.

#[cfg(test)]
mod tests {
    use std::{fmt::Write as _, fs};

    use serde_json::Value as Json;

    use crate::dockerfile::{
        corpus::tests::{corpus, outcome, trees, without_original},
        instruction::Instruction,
        parse,
    };

    /// A text as Go quotes it.
    fn quoted(text: &str) -> String {
        let mut out = String::from("\"");
        for ch in text.chars() {
            match ch {
                '"' | '\\' => out.extend(['\\', ch]),
                '\t' => out.push_str("\\t"),
                '\n' => out.push_str("\\n"),
                '\r' => out.push_str("\\r"),
                '\u{8}' => out.push_str("\\b"),
                '\u{c}' => out.push_str("\\f"),
                ch if ch.is_control() => {
                    let _ = write!(out, "\\x{:02x}", u32::from(ch));
                }
                ch => out.push(ch),
            }
        }
        out.push('"');
        out
    }

    /// An instruction as BuildKit's tests show it.
    fn dump(instruction: &Instruction) -> String {
        let mut text = instruction.word.to_lowercase();
        if !instruction.flags.is_empty() {
            let flag = |name: &str, value: Option<&str>| quoted(&value.map_or(format!("--{name}"), |value| format!("--{name}={value}")));
            let flags: Vec<String> = instruction.flags.iter().map(|one| flag(&one.name, one.value.as_deref())).collect();
            let _ = write!(text, " [{}]", flags.join(" "));
        }
        if let Some(trigger) = &instruction.trigger {
            let _ = write!(text, " ({})", dump(trigger));
        }
        for argument in &instruction.args {
            let _ = write!(text, " {}", quoted(&argument.text));
        }
        text
    }

    #[test]
    fn trees_and_lines_are_those_of_buildkit() {
        let Some(folder) = corpus() else { return };
        let cases: Vec<Json> = serde_json::from_slice(&fs::read(folder.join("buildkit/parser-cases.json")).expect("cases")).expect("JSON");
        let (mut dumps, mut refused, mut lines, mut wrong) = (0, 0, 0, Vec::new());
        for case in &cases {
            let name = case["name"].as_str().expect("a name");
            let bytes = case["dockerfile"].as_str().expect("a text").as_bytes();
            if case["kind"] == "negative" {
                match outcome(bytes) {
                    ("parse-error", _) => refused += 1,
                    (class, _) => wrong.push(format!("{name}: {class}, wanted a parse-error")),
                }
                continue;
            }
            if let Some(expected) = case["expected_dump"].as_str() {
                let found: Vec<String> = parse::read(bytes).instructions.iter().map(|one| format!("({})\n", dump(one))).collect();
                let found = found.concat();
                if found.trim_end() == expected.trim_end() {
                    dumps += 1;
                } else {
                    wrong.push(format!("{name}:\n{found}wanted\n{expected}"));
                }
            }
            let theirs: Vec<Json> =
                case["oracle"]["instructions"].as_array().expect("a tree").iter().cloned().map(without_original).collect();
            let ours = trees(bytes);
            if ours == theirs {
                lines += 1;
            } else {
                wrong.push(format!("{name}:\n  ours   {ours:?}\n  theirs {theirs:?}"));
            }
        }
        eprintln!("parser cases: {dumps} dumps, {refused} refused, {lines} trees with their lines");
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
        assert_eq!((dumps, refused, lines), (33, 4, 34));
    }
}
