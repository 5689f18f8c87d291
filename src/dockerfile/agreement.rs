//! Our rules beside hadolint's and BuildKit's findings on the corpus of real Dockerfiles, code by code and instruction by instruction: every
//! difference has been read and stands in `testdata/dockerfile/DIFFERENCES*.tsv`.

#[cfg(test)]
mod tests {
    use std::{
        collections::{BTreeMap, BTreeSet},
        fmt::Write as _,
        fs,
        path::{Path, PathBuf},
    };

    use serde_json::Value as Json;

    use crate::{
        dockerfile::{
            LintInput,
            corpus::tests::{corpus, dev_files},
            ignore,
            lint_cases::tests::is_check,
            parse, read,
            rules::RULES,
        },
        model::{lint::BaseImage, location::Location, policy::ExceptionOrigin},
    };

    /// What a difference may come from.
    const CLASSES: &[&str] =
        &["stage scope", "resolved value", "not a literal", "hadolint parse failure", "shell tree", "hadolint fault", "matter of taste"];

    /// Codes with less than 99 of 100 alike, all of it on purpose. The help of one of their rules says how it differs, and names the code.
    const FEWER_ALIKE: &[&str] = &[
        "DL1000",
        "DL3002",
        "DL3006",
        "DL3007",
        "DL3009",
        "DL3019",
        "DL3020",
        "DL3022",
        "DL3028",
        "DL3032",
        "DL3040",
        "DL3041",
        "DL3046",
        "DL3060",
        "DL3064",
        "DL3066",
        "DL3067",
        "SC2035",
        "SC2046",
        "SC2154",
        "SC2155",
        "SC2164",
        "JSONArgsRecommended",
        "SecretsUsedInArgOrEnv",
        "WorkdirRelativePath",
    ];

    /// A file and the first line of an instruction in it.
    type Place = (String, u32);

    /// What somebody found, by code or rule, and place.
    type Found = BTreeMap<String, BTreeSet<Place>>;

    /// A difference: the place, the code, and who reports it.
    type Difference = (String, u32, String, String);

    /// The first and last lines of the instructions of a file.
    fn spans(bytes: &[u8]) -> Vec<(u32, u32)> {
        parse::read(bytes).instructions.iter().map(|instruction| (instruction.line, instruction.end_line)).collect()
    }

    /// The first line of the instruction that a line lies in; lines between instructions are themselves.
    fn start(spans: &[(u32, u32)], line: u32) -> u32 {
        spans.iter().find(|(first, last)| (*first..=*last).contains(&line)).map_or(line, |(first, _)| *first)
    }

    /// What we find with every rule on.
    #[derive(Default)]
    struct Ours {
        /// By rule, no ignore heeded.
        all: Found,
        /// By rule, without what hadolint's own comments silence.
        heeded: Found,
        /// Instructions of stages that stand on no image, so that every variable is known.
        on_scratch: BTreeSet<Place>,
    }

    fn ours(files: &[(String, Vec<u8>)]) -> Ours {
        let mut ours = Ours::default();
        for (file, bytes) in files {
            let (dockerfile, _) = read(&LintInput::new(file, bytes));
            let spans: Vec<(u32, u32)> =
                dockerfile.instructions.iter().map(|instruction| (instruction.line, instruction.end_line)).collect();
            let of_hadolint: BTreeSet<u32> =
                dockerfile.comments.iter().filter(|comment| comment.text.starts_with("hadolint ")).map(|comment| comment.line).collect();
            let ignores = ignore::exceptions(&dockerfile);
            for instruction in &dockerfile.instructions {
                if instruction.stage.is_some_and(|stage| dockerfile.graph.root_image(stage).is_none()) {
                    ours.on_scratch.insert((file.clone(), instruction.line));
                }
            }
            for rule in RULES {
                for finding in rule.check(&dockerfile) {
                    let Some(Location::Dockerfile(span)) = finding.locations.first() else { continue };
                    let place = (file.clone(), start(&spans, span.line));
                    let is_silenced = ignores.iter().filter(|ignore| ignore.id == finding.id && of_hadolint.contains(&ignore.location.line)).any(
                        |ignore| matches!(ignore.origin, ExceptionOrigin::Inline { first, last } if (first..=last).contains(&span.line)),
                    );
                    if !is_silenced {
                        ours.heeded.entry(finding.id.clone()).or_default().insert(place.clone());
                    }
                    ours.all.entry(finding.id).or_default().insert(place);
                }
            }
        }
        ours
    }

    fn hadolint(folder: &Path, spans: &BTreeMap<&str, Vec<(u32, u32)>>) -> Found {
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

    /// BuildKit's findings, and the files that it gave up.
    fn buildkit(folder: &Path, spans: &BTreeMap<&str, Vec<(u32, u32)>>) -> (Found, BTreeSet<String>) {
        let (mut found, mut refused) = (Found::new(), BTreeSet::new());
        for line in fs::read_to_string(folder.join("dev/buildkit-lint.jsonl")).expect("rows").lines() {
            let row: Json = serde_json::from_str(line).expect("JSON");
            let file = row["file"].as_str().expect("file");
            if ["parseError", "instrError", "buildError"].iter().any(|key| row[*key].is_string()) {
                refused.insert(file.to_owned());
            }
            for warning in row["warnings"].as_array().into_iter().flatten() {
                let line = u32::try_from(warning["line"].as_u64().unwrap_or_default()).expect("a line");
                let code = warning["rule"].as_str().expect("rule");
                found.entry(code.to_owned()).or_default().insert((file.to_owned(), start(&spans[file], line)));
            }
        }
        (found, refused)
    }

    /// The rules that stand for a peer's code.
    fn rows(code: &str) -> BTreeSet<&'static str> {
        let metas = RULES.iter().map(|rule| rule.meta());
        metas.filter(|meta| meta.aliases.contains(&code) || meta.also.contains(&code)).map(|meta| meta.id).collect()
    }

    /// The codes of a peer that rules stand for: what we alone find under one of them is a difference, too.
    fn codes(peer: &str) -> impl Iterator<Item = &'static str> {
        /// Off there unless somebody asks for it.
        const ASKED_FOR: &str = "DL3057";
        let aliases = RULES.iter().flat_map(|rule| rule.meta().aliases).copied();
        aliases.filter(move |alias| if peer == "hadolint" { alias.starts_with("DL") && *alias != ASKED_FOR } else { is_check(alias) })
    }

    /// Both sides of one peer; `unread` files say nothing against us where the peer has nothing.
    struct Side<'a> {
        peer: &'a str,
        theirs: &'a Found,
        ours: &'a Found,
        unread: &'a BTreeSet<String>,
    }

    impl Side<'_> {
        /// One line per code; gives the differences and the codes with too few alike.
        fn compare(&self, is_judged: impl Fn(&str, &Place) -> bool) -> (BTreeSet<Difference>, Vec<String>) {
            let (mut differences, mut low) = (BTreeSet::new(), Vec::new());
            let nothing = BTreeSet::new();
            let mut codes: BTreeSet<&str> = codes(self.peer).collect();
            codes.extend(self.theirs.keys().map(String::as_str));
            for code in codes {
                let theirs = self.theirs.get(code).unwrap_or(&nothing);
                let rules = rows(code);
                if rules.is_empty() {
                    eprintln!("{} {code}: {} found, no rule", self.peer, theirs.len());
                    continue;
                }
                let theirs: BTreeSet<&Place> = theirs.iter().filter(|place| is_judged(code, place)).collect();
                let mine = rules.iter().filter_map(|rule| self.ours.get(*rule)).flatten();
                let mine: BTreeSet<&Place> =
                    mine.filter(|place| is_judged(code, place) && (theirs.contains(place) || !self.unread.contains(&place.0))).collect();
                let alone = |who: &str, places: Vec<&&Place>| -> Vec<Difference> {
                    places.iter().map(|(file, line)| (file.clone(), *line, code.to_owned(), who.to_owned())).collect()
                };
                differences.extend(alone(self.peer, theirs.difference(&mine).collect()));
                differences.extend(alone("ours", mine.difference(&theirs).collect()));
                let (both, all) = (theirs.intersection(&mine).count(), theirs.union(&mine).count());
                if all == 0 {
                    continue;
                }
                eprintln!(
                    "{} {code}: {both} of {all} alike, {} theirs alone, {} ours alone",
                    self.peer,
                    theirs.len() - both,
                    mine.len() - both
                );
                if both * 100 < all * 99 {
                    low.push(code.to_owned());
                }
            }
            (differences, low)
        }
    }

    /// The differences that somebody has read. Those of shell code stand in a file of their own.
    fn reviewed() -> BTreeMap<Difference, String> {
        let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("testdata/dockerfile");
        let mut known = BTreeMap::new();
        for entry in fs::read_dir(folder).expect("fixtures") {
            let path = entry.expect("an entry").path();
            let name = path.file_name().expect("a name").to_string_lossy().into_owned();
            if !name.starts_with("DIFFERENCES") || !name.ends_with(".tsv") {
                continue;
            }
            for (index, line) in fs::read_to_string(&path).expect("a list").lines().enumerate().skip(1) {
                let at = format!("{name}:{}", index + 1);
                let cells: Vec<&str> = line.split('\t').collect();
                let [file, place, code, who, class, why] = cells.as_slice() else { panic!("{at}: six cells are wanted") };
                assert!(CLASSES.contains(class), "{at}: no class is called `{class}`");
                assert!(["hadolint", "buildkit", "ours"].contains(who), "{at}: nobody is called `{who}`");
                assert!(why.ends_with('.'), "{at}: a sentence is wanted");
                let key = ((*file).to_owned(), place.parse().expect("a line"), (*code).to_owned(), (*who).to_owned());
                assert!(known.insert(key, at.clone()).is_none(), "{at}: listed twice");
            }
        }
        known
    }

    #[test]
    fn peers_find_the_same_on_real_files() {
        let Some(folder) = corpus() else { return };
        let files = dev_files(&folder);
        let ours = ours(&files);
        let spans: BTreeMap<&str, Vec<(u32, u32)>> = files.iter().map(|(file, bytes)| (file.as_str(), spans(bytes))).collect();
        let hadolint = hadolint(&folder, &spans);
        // Of a file that it cannot parse hadolint says nothing but that.
        let unparsed: BTreeSet<String> = hadolint["DL1000"].iter().map(|(file, _)| file.clone()).collect();
        let (buildkit, refused) = buildkit(&folder, &spans);
        let side = Side { peer: "hadolint", theirs: &hadolint, ours: &ours.heeded, unread: &unparsed };
        let (mut differences, mut low) = side.compare(|_, _| true);
        let side = Side { peer: "buildkit", theirs: &buildkit, ours: &ours.all, unread: &refused };
        // The recording knew nothing of base images but PATH; and BuildKit looks at descriptions only in files that ask for it, as none of them does.
        let is_judged = |code: &str, place: &Place| match code {
            "UndefinedVar" => ours.on_scratch.contains(place),
            "InvalidDefinitionDescription" => false,
            _ => true,
        };
        let (more, lower) = side.compare(is_judged);
        differences.extend(more);
        low.extend(lower);
        if let Some(path) = std::env::var_os("PLIMSOLL_LISTING") {
            let listed = |peer: &str| -> String {
                let is_of_peer = |code: &str, who: &str| who == peer || (who == "ours" && is_check(code) == (peer == "buildkit"));
                differences.iter().filter(|(_, _, code, who)| is_of_peer(code, who)).fold(
                    String::new(),
                    |mut text, (file, line, code, who)| {
                        let _ = writeln!(text, "{file}\t{line}\t{code}\t{who}");
                        text
                    },
                )
            };
            for peer in ["hadolint", "buildkit"] {
                fs::write(Path::new(&path).with_extension(peer), listed(peer)).expect("the listing");
            }
        }
        let mut reviewed = reviewed();
        let mut wrong = Vec::new();
        for difference in &differences {
            if reviewed.remove(difference).is_none() {
                let (file, line, code, who) = difference;
                wrong.push(format!("not reviewed: {file}\t{line}\t{code}\t{who}"));
            }
        }
        wrong.extend(reviewed.values().map(|at| format!("{at}: there is no such difference any more")));
        for code in low.iter().filter(|code| !FEWER_ALIKE.contains(&code.as_str())) {
            wrong.push(format!("{code}: less than 99 of 100 alike, and nothing says why"));
        }
        for code in FEWER_ALIKE.iter().filter(|code| !low.iter().any(|low| low == *code)) {
            wrong.push(format!("{code}: at least 99 of 100 alike, and listed as if it were less"));
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }

    #[test]
    fn rules_that_differ_on_purpose_say_so() {
        let mut wrong = Vec::new();
        for code in FEWER_ALIKE {
            let is_told = RULES.iter().map(|rule| rule.meta()).any(|meta| rows(code).contains(meta.id) && meta.help.contains(code));
            if !is_told {
                wrong.push(format!("{code}: none of the rules {:?} says how it differs", rows(code)));
            }
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }

    #[test]
    fn undefined_variables_are_those_of_buildkit_over_bare_bases() {
        let Some(folder) = corpus() else { return };
        let files = dev_files(&folder);
        let spans: BTreeMap<&str, Vec<(u32, u32)>> = files.iter().map(|(file, bytes)| (file.as_str(), spans(bytes))).collect();
        let theirs = buildkit(&folder, &spans).0.remove("UndefinedVar").unwrap_or_default();
        let rule = RULES.iter().find(|rule| rule.meta().id == "undefined-variable").expect("the rule");
        let mut ours = BTreeSet::new();
        for (file, bytes) in &files {
            // The recorded answers are about bases that set PATH and nothing else.
            let (plain, _) = read(&LintInput::new(file, bytes));
            let bases = plain.graph.images.iter().map(|image| (image.reference.text.clone(), BaseImage::default())).collect();
            let (dockerfile, _) = read(&LintInput { bases: &bases, ..LintInput::new(file, bytes) });
            let spans: Vec<(u32, u32)> =
                dockerfile.instructions.iter().map(|instruction| (instruction.line, instruction.end_line)).collect();
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
