//! Every rule against its fixtures: `fires*` gives findings on exactly the lines that the file names, `clean*` gives none.

#[cfg(test)]
mod tests {
    use std::{collections::BTreeMap, fs, path::PathBuf};

    use crate::model::{
        build_context::{BuildContext, ContextEntry},
        lint::{BaseImage, LabelForm, LintSettings},
        location::Location,
        rule::Group,
        shell_script::{ShellRemark, ShellRemarks},
    };

    use crate::dockerfile::{LintInput, ignore, read, rules, rules::RULES, rules_on};

    fn lines(rule: &str, name: &str, bytes: &[u8]) -> Vec<u32> {
        let text = String::from_utf8_lossy(bytes);
        let (mut settings, context, bases, remarks) = (settings(&text), context(&text), bases(&text), remarks(&text));
        settings.on.insert(rule.to_owned());
        let input = LintInput {
            settings: &settings,
            context: context.as_ref(),
            bases: &bases,
            remarks: Some(&remarks),
            ..LintInput::new(name, bytes)
        };
        let (dockerfile, _) = read(&input);
        let line = |location: &Location| if let Location::Dockerfile(span) = location { span.line } else { 0 };
        let this = || RULES.iter().filter(|known| known.meta().id == rule);
        let mut found: Vec<_> = this().flat_map(|known| known.check(&dockerfile)).collect();
        if rule.starts_with("inline-ignore") {
            let all: Vec<_> = rules_on(&settings).flat_map(|known| known.check(&dockerfile)).collect();
            let ignores = ignore::exceptions(&dockerfile);
            found.extend(this().flat_map(|known| known.review(&dockerfile, &all, &ignores)));
        }
        let mut lines: Vec<u32> = found.iter().filter_map(|finding| finding.locations.first().map(line)).collect();
        lines.sort_unstable();
        lines
    }

    /// The words of every comment `# name: word word`.
    fn said<'t>(text: &'t str, name: &str) -> Vec<Vec<&'t str>> {
        let mark = format!("# {name}:");
        text.lines().filter_map(|line| line.trim().strip_prefix(mark.as_str())).map(|rest| rest.split_whitespace().collect()).collect()
    }

    /// What a fixture configures: `# trusted:`, `# frontends:`, `# label: NAME FORM`, `# strict-labels:`, `# ignores: refuse|with-reason GROUP...`.
    fn settings(text: &str) -> LintSettings {
        let mut settings = LintSettings::default();
        settings.trusted_registries.extend(said(text, "trusted").into_iter().flatten().map(str::to_owned));
        settings.trusted_frontends.extend(said(text, "frontends").into_iter().flatten().map(str::to_owned));
        for words in said(text, "label") {
            let [name, form] = words.as_slice() else { panic!("{words:?}") };
            let (_, form) = LabelForm::ALL.iter().find(|(word, _)| word == form).expect("a form");
            settings.labels.insert((*name).to_owned(), *form);
        }
        settings.strict_labels = !said(text, "strict-labels").is_empty();
        let groups = [Group::Security, Group::Correctness, Group::Reproducibility, Group::Size, Group::Style];
        for words in said(text, "ignores") {
            let named = groups.into_iter().filter(|group| words.contains(&group.name()));
            match words.first() {
                Some(&"refuse") => settings.ignores_refused.extend(named),
                Some(&"with-reason") => settings.ignores_with_reason.extend(named),
                _ => panic!("{words:?}"),
            }
        }
        settings
    }

    /// The folder of a fixture: `# context: PATH PATH` (a folder ends in `/`), `# content: PATH TEXT`, `# dockerignore: PATTERN PATTERN`.
    fn context(text: &str) -> Option<BuildContext> {
        let mut entries = BTreeMap::new();
        for path in said(text, "context").into_iter().flatten() {
            let entry = ContextEntry { is_folder: path.ends_with('/'), content: None };
            entries.insert(path.trim_end_matches('/').to_owned(), entry);
        }
        for words in said(text, "content") {
            let (path, text) = words.split_first().expect("a path");
            let content = text.join(" ").replace("\\n", "\n").into_bytes();
            entries.insert((*path).to_owned(), ContextEntry { is_folder: false, content: Some(content) });
        }
        let patterns: Vec<&str> = said(text, "dockerignore").into_iter().flatten().collect();
        let ignore_file = (!patterns.is_empty()).then(|| (".dockerignore".to_owned(), patterns.join("\n").into_bytes()));
        (!entries.is_empty() || ignore_file.is_some()).then_some(BuildContext { entries, ignore_file, unread: None })
    }

    /// What comments say of base images: `# base: IMAGE OS/ARCHITECTURE USER NAME=VALUE...`, `-` for no user.
    fn bases(text: &str) -> BTreeMap<String, BaseImage> {
        let marks = text.lines().filter_map(|line| line.trim().strip_prefix("# base:"));
        let base = |rest: &str| {
            let mut words = rest.split_whitespace();
            let image = words.next().expect("an image").to_owned();
            let (os, architecture) = words.next().and_then(|platform| platform.split_once('/')).expect("a platform");
            let user = words.next().filter(|user| *user != "-").unwrap_or_default();
            let env = words.filter_map(|pair| pair.split_once('=')).map(|(name, value)| (name.to_owned(), value.to_owned()));
            let of = |text: &str| text.to_owned();
            (image, BaseImage { os: of(os), architecture: of(architecture), user: of(user), env: env.collect(), ..BaseImage::default() })
        };
        marks.map(base).collect()
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

    /// The lines of the comment `# expect: 3 7`; an instruction may stand before the comment in a continued line. JSON has no comments, so that it
    /// stands in a string there.
    fn expected(text: &str) -> Vec<u32> {
        let marks = text.lines().filter_map(|line| line.trim().trim_matches('"').strip_prefix("# expect:"));
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
