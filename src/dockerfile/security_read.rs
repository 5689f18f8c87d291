//! Every security finding of severity high or critical on real Dockerfiles has been read by a person: `testdata/dockerfile/READ.tsv`.

#[cfg(test)]
mod tests {
    use std::{collections::BTreeSet, fs, path::PathBuf};

    use crate::{
        dockerfile::{
            LintInput,
            corpus::tests::{corpus, dev_files},
            read,
            rules::RULES,
        },
        model::{location::Location, rule::Group, severity::Severity},
    };

    /// What a reader may say of a finding. One that is false is mended, and becomes a fixture.
    const CLASSES: &[&str] = &["true", "true and meant"];

    /// File, line and rule.
    type Place = (String, u32, String);

    fn noted() -> BTreeSet<Place> {
        let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("testdata/dockerfile/READ.tsv");
        let text = fs::read_to_string(path).expect("the notes");
        let mut noted = BTreeSet::new();
        for (index, line) in text.lines().enumerate().skip(1) {
            let cells: Vec<&str> = line.split('\t').collect();
            let [file, place, rule, class, why] = cells.as_slice() else { panic!("READ.tsv:{}: five cells are wanted", index + 1) };
            assert!(CLASSES.contains(class) && why.ends_with('.'), "READ.tsv:{}: a class and a sentence are wanted", index + 1);
            assert!(
                noted.insert(((*file).to_owned(), place.parse().expect("a line"), (*rule).to_owned())),
                "READ.tsv:{}: twice",
                index + 1
            );
        }
        noted
    }

    #[test]
    fn every_grave_finding_has_been_read() {
        let Some(folder) = corpus() else { return };
        let mut noted = noted();
        let (mut seen, mut wrong) = (BTreeSet::new(), Vec::new());
        for (file, bytes) in dev_files(&folder) {
            let (dockerfile, _) = read(&LintInput::new(&file, &bytes));
            for rule in RULES.iter().filter(|rule| rule.meta().group == Group::Security) {
                for finding in
                    rule.check(&dockerfile).iter().filter(|finding| matches!(finding.severity, Severity::High | Severity::Critical))
                {
                    let Some(Location::Dockerfile(span)) = finding.locations.first() else { continue };
                    let place = (file.clone(), span.line, finding.id.clone());
                    if seen.insert(place.clone()) && !noted.remove(&place) {
                        wrong.push(format!("not read: {file}\t{}\t{}", span.line, finding.id));
                    }
                }
            }
        }
        eprintln!("{} findings, {} not read", seen.len(), wrong.len());
        wrong.extend(noted.iter().map(|(file, line, rule)| format!("READ.tsv: no such finding any more: {file}\t{line}\t{rule}")));
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }
}
