//! Cases for hadolint's codes that real files hardly show, with the answers of hadolint 2.15.1: `testdata/dockerfile/hadolint/CODE.Dockerfile`.

#[cfg(test)]
mod tests {
    use std::{
        collections::{BTreeMap, BTreeSet},
        fs,
        path::PathBuf,
    };

    use crate::{
        dockerfile::{LintInput, read, rules::RULES},
        model::location::Location,
    };

    /// The lines behind a mark in a comment; a comma ends them, and the reason follows.
    fn marked(text: &str, mark: &str) -> Option<BTreeSet<u32>> {
        let rest = text.lines().find_map(|line| line.strip_prefix(mark))?;
        let lines = rest.split(',').next().unwrap_or_default();
        Some(lines.split_whitespace().map(|line| line.parse().expect("a line")).collect())
    }

    fn ours(code: &str, bytes: &[u8]) -> Option<BTreeSet<u32>> {
        let (dockerfile, _) = read(&LintInput::new(code, bytes));
        let rules: Vec<_> = RULES.iter().filter(|rule| rule.meta().aliases.contains(&code) || rule.meta().also.contains(&code)).collect();
        let found = rules.iter().flat_map(|rule| rule.check(&dockerfile));
        let line = |location: &Location| if let Location::Dockerfile(span) = location { span.line } else { 0 };
        let found = found.filter_map(|finding| finding.locations.first().map(line)).collect();
        (!rules.is_empty()).then_some(found)
    }

    #[test]
    fn rare_codes_are_found_where_hadolint_finds_them() {
        let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("testdata/dockerfile/hadolint");
        let files: BTreeMap<String, Vec<u8>> = fs::read_dir(folder)
            .expect("cases")
            .map(|entry| entry.expect("an entry").path())
            .map(|path| (path.file_stem().expect("a name").to_string_lossy().into_owned(), fs::read(&path).expect("a case")))
            .collect();
        let (mut same, mut wrong) = (0, Vec::new());
        for (code, bytes) in &files {
            let text = String::from_utf8_lossy(bytes);
            let theirs = marked(&text, "# found by hadolint:").unwrap_or_else(|| panic!("{code}: no answer of hadolint"));
            // Where we differ on purpose, the case says so.
            let wanted = marked(&text, "# found by us:");
            let Some(found) = ours(code, bytes) else {
                eprintln!("{code}: no rule stands for it");
                continue;
            };
            same += usize::from(found == theirs);
            if wanted.as_ref().is_some_and(|wanted| *wanted == theirs) {
                wrong.push(format!("{code}: says that we differ, and names the same lines"));
            }
            let wanted = wanted.unwrap_or(theirs);
            if found != wanted {
                wrong.push(format!("{code}: found {found:?}, wanted {wanted:?}"));
            }
        }
        eprintln!("{same} of {} cases are answered as hadolint answers them", files.len());
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }
}
