//! Every rule against its fixtures: `fires*` gives findings on exactly the lines that the file names, `clean*` gives none.

#[cfg(test)]
mod tests {
    use std::{fs, path::PathBuf};

    use crate::model::{
        lint::LintSettings,
        location::Location,
        shell_script::{ShellRemark, ShellRemarks},
    };

    use crate::dockerfile::{LintInput, read, rules, rules::RULES};

    fn lines(rule: &str, name: &str, bytes: &[u8]) -> Vec<u32> {
        let remarks = remarks(&String::from_utf8_lossy(bytes));
        let settings = LintSettings { on: [rule.to_owned()].into(), ..LintSettings::DEFAULT };
        let (dockerfile, _) = read(&LintInput { settings: &settings, remarks: Some(&remarks), ..LintInput::new(name, bytes) });
        let line = |location: &Location| if let Location::Dockerfile(span) = location { span.line } else { 0 };
        let found = RULES.iter().filter(|known| known.meta().id == rule).flat_map(|known| known.check(&dockerfile));
        let mut lines: Vec<u32> = found.filter_map(|finding| finding.locations.first().map(line)).collect();
        lines.sort_unstable();
        lines
    }

    /// What ShellCheck would say: comments `# remark: SCRIPT LINE COLUMN CODE`, scripts from 0.
    fn remarks(text: &str) -> ShellRemarks {
        let mut remarks = ShellRemarks::default();
        for line in text.lines().filter_map(|line| line.strip_prefix("# remark:")) {
            let numbers: Vec<u32> = line.split_whitespace().map(|number| number.parse().expect("a number")).collect();
            let [script, line, column, code] = numbers.as_slice() else { panic!("four numbers: {line}") };
            let script = usize::try_from(*script).expect("a place");
            if remarks.scripts.len() <= script {
                remarks.scripts.resize(script + 1, Ok(Vec::new()));
            }
            let remark = ShellRemark { line: *line, column: *column, code: *code, message: "it is so".to_owned() };
            remarks.scripts[script].as_mut().expect("remarks").push(remark);
        }
        remarks
    }

    /// The lines of the comment `# expect: 3 7`; an instruction may stand before the comment in a continued line.
    fn expected(text: &str) -> Vec<u32> {
        let marks = text.lines().filter_map(|line| line.trim().strip_prefix("# expect:"));
        marks.flat_map(|rest| rest.split_whitespace().map(|number| number.parse().expect("a line number")).collect::<Vec<u32>>()).collect()
    }

    #[test]
    fn every_rule_fires_on_its_fixtures_and_nowhere_else() {
        let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("testdata/dockerfile");
        let mut wrong = Vec::new();
        for meta in rules() {
            let (mut fires, mut clean) = (0, 0);
            let folder = fs::read_dir(root.join(meta.id)).unwrap_or_else(|error| panic!("{}: {error}", meta.id));
            for entry in folder {
                let path = entry.expect("an entry").path();
                let name = path.file_name().expect("a name").to_string_lossy().into_owned();
                let bytes = fs::read(&path).expect("a fixture");
                let found = lines(meta.id, &name, &bytes);
                let wanted = if name.starts_with("fires") { expected(&String::from_utf8_lossy(&bytes)) } else { Vec::new() };
                if name.starts_with("fires") {
                    fires += 1
                } else {
                    clean += 1
                }
                if found != wanted || (name.starts_with("fires") && wanted.is_empty()) {
                    wrong.push(format!("{}/{name}: found {found:?}, wanted {wanted:?}", meta.id));
                }
            }
            if fires == 0 || clean == 0 {
                wrong.push(format!("{}: needs a file that fires and a clean one", meta.id));
            }
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }
}
