//! The reader and all rules against real Dockerfiles and BuildKit's own answers. Needs the folder in `PLIMSOLL_CORPUS`.

#[cfg(test)]
pub(super) mod tests {
    use std::{
        collections::BTreeMap,
        fs,
        io::Read,
        path::{Path, PathBuf},
        time::Instant,
    };

    use serde_json::{Value as Json, json};

    use crate::dockerfile::{
        LintInput,
        instruction::Instruction,
        lint,
        parse::{self, Opinion, Phase},
        read,
    };

    pub(in crate::dockerfile) fn corpus() -> Option<PathBuf> {
        let folder =
            std::env::var_os("PLIMSOLL_CORPUS").map(|root| PathBuf::from(root).join("corpus/dockerfiles")).filter(|folder| folder.is_dir());
        if folder.is_none() {
            eprintln!("skipped: PLIMSOLL_CORPUS is not set");
        }
        folder
    }

    pub(in crate::dockerfile) fn dev_files(folder: &Path) -> Vec<(String, Vec<u8>)> {
        let mut files: Vec<_> = fs::read_dir(folder.join("dev/files")).expect("files").map(|entry| entry.expect("entry").path()).collect();
        files.sort();
        files
            .into_iter()
            .map(|path| (format!("files/{}", path.file_name().expect("name").to_string_lossy()), fs::read(&path).expect("file")))
            .collect()
    }

    fn tree(instruction: &Instruction, source: &str) -> Json {
        let mut node = json!({ "v": instruction.word });
        if let Some(trigger) = &instruction.trigger {
            node["children"] = json!([tree(trigger, source)]);
        }
        if !instruction.args.is_empty() {
            node["next"] = instruction.args.iter().map(|argument| argument.text.clone()).collect();
        }
        if instruction.json {
            node["attrs"] = json!({ "json": true });
        }
        if !instruction.flags.is_empty() {
            node["flags"] = instruction
                .flags
                .iter()
                .map(|flag| flag.value.as_ref().map_or(format!("--{}", flag.name), |value| format!("--{}={value}", flag.name)))
                .collect();
        }
        if !instruction.heredocs.is_empty() {
            let heredoc = |h: &crate::dockerfile::heredoc::Heredoc| json!({ "Name": h.name, "FileDescriptor": h.descriptor, "Expand": h.expand, "Chomp": h.chomp, "Content": source.get(h.body.clone()) });
            node["heredocs"] = instruction.heredocs.iter().map(heredoc).collect();
        }
        node
    }

    pub(in crate::dockerfile) fn trees(bytes: &[u8]) -> Vec<Json> {
        let reading = parse::read(bytes);
        let with_lines = |instruction: &Instruction| {
            let mut node = tree(instruction, &reading.source.text);
            node["start"] = instruction.line.into();
            node["end"] = instruction.end_line.into();
            node
        };
        reading.instructions.iter().map(with_lines).collect()
    }

    pub(in crate::dockerfile) fn without_original(mut node: Json) -> Json {
        if let Some(map) = node.as_object_mut() {
            map.remove("original");
            if let Some(children) = map.get_mut("children").and_then(Json::as_array_mut) {
                for child in children {
                    *child = without_original(child.take());
                }
            }
        }
        node
    }

    pub(in crate::dockerfile) fn outcome(bytes: &[u8]) -> (&'static str, Vec<String>) {
        let (dockerfile, _) = read(&LintInput::new("Dockerfile", bytes));
        let messages = dockerfile.refusals.iter().map(|refusal| format!("{}: {}", refusal.line, refusal.message)).collect();
        let class = match dockerfile.refusals.iter().map(|refusal| refusal.phase).min() {
            None => "accept",
            Some(Phase::Parse) => "parse-error",
            Some(Phase::Instruction) => "instruction-error",
            Some(Phase::Build) => "build-error",
        };
        (class, messages)
    }

    #[test]
    fn trees_are_those_of_buildkit() {
        let Some(folder) = corpus() else { return };
        let mut text = String::new();
        flate2::read::GzDecoder::new(fs::File::open(folder.join("dev/buildkit-ast.jsonl.gz")).expect("trees"))
            .read_to_string(&mut text)
            .expect("text");
        let expected: BTreeMap<String, Json> = text
            .lines()
            .map(|line| serde_json::from_str::<Json>(line).expect("JSON"))
            .map(|row| (row["file"].as_str().expect("file").to_owned(), row))
            .collect();
        let (mut words, mut whole, mut count) = (0, 0, 0);
        for (file, bytes) in dev_files(&folder) {
            count += 1;
            let ours = trees(&bytes);
            let Some(theirs) = expected.get(&file).and_then(|row| row["instructions"].as_array()) else {
                let refused = outcome(&bytes).0 == "parse-error";
                (words, whole) = (words + usize::from(refused), whole + usize::from(refused));
                continue;
            };
            let theirs: Vec<Json> = theirs.iter().cloned().map(without_original).collect();
            let short = |nodes: &[Json]| nodes.iter().map(|node| (node["v"].clone(), node["start"].clone())).collect::<Vec<_>>();
            words += usize::from(short(&ours) == short(&theirs));
            if ours == theirs {
                whole += 1;
            } else if let Some((ours, theirs)) = ours.iter().zip(&theirs).find(|(a, b)| a != b) {
                eprintln!("{file}:\n  ours   {ours}\n  theirs {theirs}");
            }
        }
        eprintln!("instruction words and start lines: {words} of {count} files; whole trees: {whole} of {count} files");
        assert!(count == 1558 && words == 1558 && whole == 1558, "words {words}, trees {whole} of {count}");
    }

    /// Where BuildKit refuses a file of the corpus; its answer does not always say.
    const REFUSED_LINES: &[(&str, u32)] = &[
        ("08d42c0aba1521e1", 3),
        ("688a5068c1aa90d0", 4),
        ("72801403e0a14d29", 4),
        ("736bcbe5e9ada9f8", 1),
        ("782fce2c4e67a255", 3),
        ("7c0636623ac8c003", 17),
        ("a5eac0c1a34c029d", 4),
        ("b77a85e129749b99", 12),
    ];

    #[test]
    fn refusals_are_those_of_buildkit() {
        let Some(folder) = corpus() else { return };
        let rows: BTreeMap<String, Json> = fs::read_to_string(folder.join("dev/buildkit-lint.jsonl"))
            .expect("rows")
            .lines()
            .map(|line| serde_json::from_str::<Json>(line).expect("JSON"))
            .map(|row| (row["file"].as_str().expect("file").to_owned(), row))
            .collect();
        let (mut same, mut count, mut in_place, mut crashed) = (0, 0, 0, Vec::new());
        for (file, bytes) in dev_files(&folder) {
            let row = &rows[&file];
            if row["buildError"].as_str().is_some_and(|text| text.starts_with("panic")) {
                crashed.push(file.clone());
            }
            let text = |key: &str| row[key].as_str().is_some_and(|text| !text.starts_with("panic"));
            let expected = if text("parseError") {
                "parse-error"
            } else if text("instrError") {
                "instruction-error"
            } else if text("buildError") {
                "build-error"
            } else {
                "accept"
            };
            count += 1;
            let (class, messages) = outcome(&bytes);
            let line = REFUSED_LINES.iter().find(|(name, _)| file.contains(name)).map(|(_, line)| format!("{line}: "));
            in_place += usize::from(line.is_some_and(|line| messages.iter().any(|message| message.starts_with(&line))));
            if class == expected {
                same += 1;
            } else {
                eprintln!("{file}: we say {class} {messages:?}, BuildKit says {expected} {}", row["buildError"]);
            }
        }
        eprintln!("outcome class of dev files: {same} of {count}; the recording crashed on {crashed:?}, which are taken for accepted");
        assert!(same == 1558 && count == 1558 && crashed.len() == 8, "{same} of {count}, {} crashed", crashed.len());
        assert_eq!(in_place, REFUSED_LINES.len(), "refusals on the line where BuildKit has them");
    }

    #[test]
    fn traps_are_answered_as_buildkit_answers_them() {
        let Some(folder) = corpus() else { return };
        let traps: Json = serde_json::from_slice(&fs::read(folder.join("buildkit/traps.json")).expect("traps")).expect("JSON");
        let (mut same, mut same_tree, mut accepted) = (0, 0, 0);
        let cases = traps["cases"].as_array().expect("cases");
        for case in cases {
            let bytes = match case["dockerfile"].as_str() {
                Some(text) => text.as_bytes().to_vec(),
                None => {
                    use base64::Engine;
                    base64::engine::general_purpose::STANDARD.decode(case["dockerfile_base64"].as_str().expect("base64")).expect("bytes")
                }
            };
            let (class, messages) = outcome(&bytes);
            if case["outcome"] == class {
                same += 1;
            } else {
                eprintln!("{}: we say {class} {messages:?}, BuildKit says {} {}", case["name"], case["outcome"], case["message"]);
            }
            if case["outcome"] == "accept" {
                accepted += 1;
                let theirs: Vec<Json> = case["instructions"].as_array().expect("tree").iter().cloned().map(without_original).collect();
                // BuildKit's tree of a trigger that it does not know holds one empty argument, and JSON has no bytes that are no UTF-8.
                let comparable = |tree: &[Json]| {
                    let text = serde_json::to_string(tree).expect("text").replace('\u{fffd}', "?");
                    text.replace(r#""next":[""],"v":"FOO""#, r#""v":"FOO""#)
                };
                let (ours, theirs) = (comparable(&trees(&bytes)), comparable(&theirs));
                if ours == theirs {
                    same_tree += 1;
                } else {
                    eprintln!("{}:\n  ours   {ours}\n  theirs {theirs}", case["name"]);
                }
            }
        }
        eprintln!("traps: outcome class {same} of {}, trees {same_tree} of {accepted} accepted", cases.len());
        assert!(same == 198 && same_tree == 130 && accepted == 130, "{same}, {same_tree} of {accepted}");
    }

    #[test]
    fn the_second_reader_agrees_where_it_is_believed() {
        let Some(folder) = corpus() else { return };
        let (mut asked, mut different) = (0, BTreeMap::<String, usize>::new());
        for (_, bytes) in dev_files(&folder) {
            for instruction in parse::read(&bytes).instructions {
                let Some(opinion) = parse::second_opinion(&instruction) else { continue };
                asked += 1;
                let agrees = match opinion {
                    Opinion::From { image, alias } => parse::from_words(&instruction) == Some((image, alias)),
                    Opinion::Pairs(pairs) => {
                        let ours: Vec<_> = instruction.pairs().iter().map(|pair| pair.name.trim_matches('"').to_owned()).collect();
                        ours == pairs.into_iter().map(|(name, _)| name).collect::<Vec<_>>()
                    }
                    Opinion::Exec(elements) => elements.is_some() == instruction.json,
                };
                if !agrees {
                    *different.entry(instruction.keyword.clone()).or_default() += 1;
                }
            }
        }
        eprintln!("dockerfile_parser answered {asked} instructions, differs from ours: {different:?}");
        assert!(different.values().sum::<usize>() * 50 < asked, "{different:?} of {asked}");
    }

    #[test]
    fn all_rules_run_over_all_dev_files() {
        let Some(folder) = corpus() else { return };
        let files = dev_files(&folder);
        let start = Instant::now();
        let mut by_rule = BTreeMap::<String, usize>::new();
        let mut gaps = BTreeMap::<String, usize>::new();
        let mut listing = String::new();
        let mut unread = 0;
        for (file, bytes) in &files {
            let report = lint(&LintInput::new(file, bytes));
            for finding in report.findings {
                if let Some(crate::model::location::Location::Dockerfile(span)) = finding.locations.first() {
                    listing.push_str(&format!("{} {} {}:{} {}\n", finding.id, finding.severity, span.file, span.line, finding.title));
                }
                *by_rule.entry(finding.id).or_default() += 1;
            }
            unread += usize::from(report.gaps.iter().any(|gap| gap.kind == "unread-shell"));
            for gap in report.gaps {
                if gap.kind == "unread-shell" {
                    listing.push_str(&format!("{} {} {}\n", gap.kind, gap.subject, gap.reason));
                }
                *gaps.entry(format!("{}: {}", gap.kind, gap.reason)).or_default() += 1;
            }
        }
        let wall = start.elapsed();
        if let Some(path) = std::env::var_os("PLIMSOLL_LISTING") {
            fs::write(path, listing).expect("the listing");
        }
        eprintln!("{} files in {wall:?} (one thread)\nfindings {by_rule:#?}\ngaps {gaps:#?}", files.len());
        eprintln!("files with shell code that was not read: {unread}");
        assert!(files.len() == 1558 && unread * 100 < files.len() * 3, "{unread} of {} files with unread shell code", files.len());
    }

    #[test]
    fn hostile_input_is_linear_and_never_overflows() {
        let table = [
            ("10,000 substitutions", format!("FROM a\nRUN echo {}x{}\n", "$(".repeat(10_000), ")".repeat(10_000))),
            ("10,000 open brackets", format!("FROM a\nRUN {}\n", "(".repeat(10_000))),
            ("20 nested subshells", format!("FROM a\nRUN {}true{}\n", "( ".repeat(20), " )".repeat(20))),
            ("20 doubled brackets", format!("FROM a\nRUN {}true{}\n", "(".repeat(20), ")".repeat(20))),
            ("20 nested substitutions", format!("FROM a\nRUN echo {}x{}\n", "\"$(echo ".repeat(20), ")\"".repeat(20))),
            ("20 nested ifs", format!("FROM a\nRUN {}true{}\n", "if true; then ".repeat(20), "; fi".repeat(20))),
            ("10,000 ifs", format!("FROM a\nRUN {}\n", "if true; then ".repeat(4_000))),
            ("10,000 bangs", format!("FROM a\nRUN {} true\n", "! ".repeat(10_000))),
            ("nested defaults", format!("FROM a\nENV A={}x{}\n", "${A:-".repeat(10_000), "}".repeat(10_000))),
            ("backticks", format!("FROM a\nRUN {}\n", "`".repeat(10_000))),
            ("a word of 65,000 bytes", format!("FROM a\nRUN echo {}\n", "x".repeat(65_000))),
            ("a quoted word of 65,000 bytes", format!("FROM a\nRUN echo \"{}\"\n", "x\\\"".repeat(21_000))),
            ("16,000 commands on a line", format!("FROM a\nRUN {}true\n", "a&&".repeat(16_000))),
            ("a pipeline of 16,000", format!("FROM a\nRUN {}true\n", "a | ".repeat(16_000))),
            ("a pipeline of 16,000 shells", format!("FROM a\nRUN {}sh\n", "sh|".repeat(16_000))),
            ("groups of cats", format!("FROM a\nRUN echo x {}| sh\n", format!("| {{ {}; }}", "cat;".repeat(200)).repeat(12))),
            ("10,000 texts for shells", format!("FROM a\nRUN {}true\n", "echo x|sh;".repeat(6_000))),
            ("a file that doubles", format!("FROM a\nRUN echo curl -k x > f; {}sh f\n", "cat f f f f > f;".repeat(3_000))),
            ("a file that grows and runs", format!("FROM a\nRUN {}true\n", "echo sh f >> f; sh f;".repeat(3_000))),
            (
                "files that run each other",
                format!("FROM a\nCOPY <<E /f\n{}E\nRUN cp f g; sh f; sh g\n", "sh f; sh g; cat f g >> f\n".repeat(2_000)),
            ),
            ("10,000 instructions", format!("FROM a\n{}", "RUN apt-get update && curl -k https://x | sh\n".repeat(10_000))),
            ("10,000 variables", format!("FROM a\n{}", (0..10_000).map(|i| format!("ENV A{i}=b\n")).collect::<String>())),
            (
                "1,000 stages",
                (0..1_000)
                    .map(|i| {
                        format!("FROM {} AS s{}\nENV A{i}=b\nRUN true\n", if i == 0 { "a".to_owned() } else { format!("s{}", i - 1) }, i)
                    })
                    .collect(),
            ),
            ("onbuild chain", format!("FROM a\n{}x\n", "ONBUILD ".repeat(8_000))),
            ("open quotes", format!("FROM a\nENV {}\n", "A='".repeat(20_000))),
            ("escaped quotes", format!("FROM a\nENV A=\"{}\"\nCMD [\"{}\"]\n", "\\\"".repeat(30_000), "\\\"".repeat(30_000))),
            ("deep JSON", format!("FROM a\nCMD {}\n", "[".repeat(60_000))),
            ("heredocs", format!("FROM a\nRUN {}\n", "<<A ".repeat(10_000))),
            ("unquoted variables on long lines", format!("FROM a\n{}", format!("RUN é {}\n", "rm $a;".repeat(9_000)).repeat(2))),
            ("unquoted words of one command", format!("FROM a\nRUN rm {}\n", "$a *$(b) '$c' ".repeat(4_600))),
            (
                "assignments in loops",
                format!("FROM a\nRUN {}\n", (0..3_000).map(|i| format!("while a; do x{i}=$x{i}; done;")).collect::<String>()),
            ),
            (
                "branches",
                format!("FROM a\nRUN if a; then b; {} fi\n", (0..2_500).map(|i| format!("elif c; then x{i}=1;")).collect::<String>()),
            ),
            (
                "functions",
                format!(
                    "FROM a\nRUN f() {{ {} }}; {}\n",
                    (0..1_500).map(|i| format!("x{i}=1; a $y{i};")).collect::<String>(),
                    "f;".repeat(10_000)
                ),
            ),
            ("declarations", format!("FROM a\nRUN export {}\n", "a=$(b) ".repeat(9_000))),
            ("arithmetic", format!("FROM a\nRUN echo $(({}1))\n", "x+".repeat(30_000))),
            ("comments", format!("FROM a\n{}USER x\n", "# trivy:ignore:DS002\n".repeat(2_000))),
        ];
        for (name, text) in table {
            let start = Instant::now();
            let report = lint(&LintInput::new("Dockerfile", text.as_bytes()));
            let wall = start.elapsed();
            eprintln!("{name}: {wall:?}, {} findings, {} gaps", report.findings.len(), report.gaps.len());
            assert!(wall.as_secs() < 20, "{name}: {wall:?}");
        }
    }
}
