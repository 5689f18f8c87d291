//! Every rule against its fixtures: `fires*` gives findings on exactly the lines that the file names, `clean*` gives none.

#[cfg(test)]
mod tests {
    use std::{collections::BTreeMap, fs, path::PathBuf};

    use crate::model::{lint::BaseImage, location::Location};

    use crate::dockerfile::{LintInput, read, rules, rules::RULES};

    fn lines(rule: &str, name: &str, bytes: &[u8]) -> Vec<u32> {
        let bases = bases(&String::from_utf8_lossy(bytes));
        let (dockerfile, _) = read(&LintInput { bases: &bases, ..LintInput::new(name, bytes) });
        let line = |location: &Location| if let Location::Dockerfile(span) = location { span.line } else { 0 };
        let found = RULES.iter().filter(|known| known.meta().id == rule).flat_map(|known| known.check(&dockerfile));
        let mut lines: Vec<u32> = found.filter_map(|finding| finding.locations.first().map(line)).collect();
        lines.sort_unstable();
        lines
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
