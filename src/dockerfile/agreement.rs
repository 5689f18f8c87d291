//! Our rules beside hadolint's and BuildKit's findings on the corpus of real Dockerfiles, code by code and instruction by instruction.

#[cfg(test)]
mod tests {
    use std::{
        collections::{BTreeMap, BTreeSet},
        fmt::Write as _,
        fs,
        path::Path,
    };

    use serde_json::Value as Json;

    use crate::dockerfile::{LintInput, corpus::tests::{corpus, dev_files}, read, rules::RULES};
    use crate::model::{lint::BaseImage, location::Location};

    /// A file and the first line of an instruction in it.
    type Place = (String, u32);

    /// What a peer found, by code and place.
    type Found = BTreeMap<String, BTreeSet<Place>>;

    /// The first line of the instruction that a line lies in; lines between instructions are themselves.
    fn starts(bytes: &[u8]) -> Vec<(u32, u32)> {
        super::super::parse::read(bytes).instructions.iter().map(|instruction| (instruction.line, instruction.end_line)).collect()
    }

    fn start(spans: &[(u32, u32)], line: u32) -> u32 {
        spans.iter().find(|(first, last)| (*first..=*last).contains(&line)).map_or(line, |(first, _)| *first)
    }

    /// Every rule on, no ignore heeded: by rule and place.
    fn ours(files: &[(String, Vec<u8>)]) -> Found {
        let mut found = Found::new();
        for (file, bytes) in files {
            let (dockerfile, _) = read(&LintInput::new(file, bytes));
            let spans: Vec<(u32, u32)> = dockerfile.instructions.iter().map(|instruction| (instruction.line, instruction.end_line)).collect();
            for rule in RULES {
                for finding in rule.check(&dockerfile) {
                    if let Some(Location::Dockerfile(span)) = finding.locations.first() {
                        found.entry(finding.id.clone()).or_default().insert((file.clone(), start(&spans, span.line)));
                    }
                }
            }
        }
        found
    }

    fn hadolint(folder: &Path, files: &[(String, Vec<u8>)]) -> Found {
        let spans: BTreeMap<&str, Vec<(u32, u32)>> = files.iter().map(|(file, bytes)| (file.as_str(), starts(bytes))).collect();
        let rows: Vec<Json> = serde_json::from_slice(&fs::read(folder.join("dev/hadolint-2.15.1.json")).expect("rows")).expect("JSON");
        let mut found = Found::new();
        for row in &rows {
            let text = |key: &str| row[key].as_str().expect("text");
            let line = u32::try_from(row["line"].as_u64().expect("line")).expect("a line");
            let file = text("file");
            found.entry(text("code").to_owned()).or_default().insert((file.to_owned(), start(&spans[file], line)));
        }
        found
    }

    fn buildkit(folder: &Path, files: &[(String, Vec<u8>)]) -> Found {
        let spans: BTreeMap<&str, Vec<(u32, u32)>> = files.iter().map(|(file, bytes)| (file.as_str(), starts(bytes))).collect();
        let mut found = Found::new();
        for line in fs::read_to_string(folder.join("dev/buildkit-lint.jsonl")).expect("rows").lines() {
            let row: Json = serde_json::from_str(line).expect("JSON");
            let file = row["file"].as_str().expect("file");
            for warning in row["warnings"].as_array().into_iter().flatten() {
                let line = u32::try_from(warning["line"].as_u64().unwrap_or_default()).expect("a line");
                let code = warning["rule"].as_str().expect("rule");
                found.entry(code.to_owned()).or_default().insert((file.to_owned(), start(&spans[file], line)));
            }
        }
        found
    }

    /// The rules that stand for a peer's code.
    fn rows(code: &str) -> BTreeSet<&'static str> {
        let metas = RULES.iter().map(|rule| rule.meta());
        metas.filter(|meta| meta.aliases.contains(&code) || meta.also.contains(&code)).map(|meta| meta.id).collect()
    }

    /// One line per code; the differences go to the file in PLIMSOLL_LISTING.
    fn compare(peer: &str, theirs: &Found, ours: &Found) -> Vec<(String, usize, usize, usize)> {
        let mut table = Vec::new();
        let mut listing = String::new();
        for (code, theirs) in theirs {
            let rules = rows(code);
            if rules.is_empty() {
                eprintln!("{peer} {code}: {} found, no rule", theirs.len());
                continue;
            }
            let mine: BTreeSet<Place> = rules.iter().filter_map(|rule| ours.get(*rule)).flatten().cloned().collect();
            for (who, (file, line)) in theirs.difference(&mine).map(|place| (peer, place)).chain(mine.difference(theirs).map(|place| ("ours", place))) {
                let _ = writeln!(listing, "{file}\t{line}\t{code}\t{who}");
            }
            let both = theirs.intersection(&mine).count();
            let all = theirs.union(&mine).count();
            eprintln!("{peer} {code}: {both} of {all} alike, {} theirs alone, {} ours alone", theirs.len() - both, mine.len() - both);
            table.push((code.clone(), both, theirs.len(), mine.len()));
        }
        if let Some(path) = std::env::var_os("PLIMSOLL_LISTING") {
            fs::write(Path::new(&path).with_extension(peer), listing).expect("the listing");
        }
        table
    }

    #[test]
    fn peers_find_the_same_on_real_files() {
        let Some(folder) = corpus() else { return };
        let files = dev_files(&folder);
        let ours = ours(&files);
        compare("hadolint", &hadolint(&folder, &files), &ours);
        compare("buildkit", &buildkit(&folder, &files), &ours);
    }

    #[test]
    fn undefined_variables_are_those_of_buildkit_over_bare_bases() {
        let Some(folder) = corpus() else { return };
        let files = dev_files(&folder);
        let theirs = buildkit(&folder, &files).remove("UndefinedVar").unwrap_or_default();
        let rule = RULES.iter().find(|rule| rule.meta().id == "undefined-variable").expect("the rule");
        let mut ours = BTreeSet::new();
        for (file, bytes) in &files {
            // The recorded answers are about bases that set PATH and nothing else.
            let (plain, _) = read(&LintInput::new(file, bytes));
            let bases = plain.graph.images.iter().map(|image| (image.reference.text.clone(), BaseImage::default())).collect();
            let (dockerfile, _) = read(&LintInput { bases: &bases, ..LintInput::new(file, bytes) });
            let spans: Vec<(u32, u32)> = dockerfile.instructions.iter().map(|instruction| (instruction.line, instruction.end_line)).collect();
            for finding in rule.check(&dockerfile) {
                if let Some(Location::Dockerfile(span)) = finding.locations.first() {
                    ours.insert((file.clone(), start(&spans, span.line)));
                }
            }
        }
        let differences: Vec<_> = theirs.symmetric_difference(&ours).collect();
        eprintln!("{} theirs, {} ours, differences {differences:#?}", theirs.len(), ours.len());
        assert!(differences.len() * 100 < theirs.len());
    }
}
