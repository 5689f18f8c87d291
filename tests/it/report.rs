//! Reports: snapshots, schemas, hostile strings, limits, fingerprints. `PLIMSOLL_BLESS=1` rewrites the snapshots in `testdata/report`.

mod build;
mod hostile;

use std::{collections::BTreeSet, fs, io::Write as _, path::PathBuf, process::Command};

use plimsoll::{
    model::{
        location::{Location, Span},
        package::PackageUrl,
        report::ScanReport,
        verdict::Effect,
    },
    report::{REPORTERS, Show, Style, reporter},
};
use serde_json::Value;

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("testdata/report")
}

fn render(format: &str, report: &ScanReport, style: &Style) -> String {
    let mut bytes = Vec::new();
    reporter(format).expect("a format").write(std::slice::from_ref(report), style, &mut bytes).expect("written");
    String::from_utf8(bytes).expect("UTF-8")
}

fn plain(format: &str, report: &ScanReport) -> String {
    render(format, report, &Style::default())
}

fn json(format: &str, report: &ScanReport) -> Value {
    serde_json::from_str(&plain(format, report)).expect("JSON")
}

fn snapshot(name: &str, actual: &str) -> Option<String> {
    let path = folder().join(name);
    if std::env::var_os("PLIMSOLL_BLESS").is_some() {
        fs::create_dir_all(folder()).expect("folder");
        fs::write(&path, actual).expect("snapshot written");
        return None;
    }
    let expected = fs::read_to_string(&path).unwrap_or_default();
    (expected != actual).then(|| format!("{name} differs; PLIMSOLL_BLESS=1 rewrites it\n{actual}"))
}

#[test]
fn snapshots() {
    let mut wrong = Vec::new();
    for (name, report) in build::all() {
        for format in REPORTERS {
            let extension = match format.id() {
                "text" => "txt".to_owned(),
                "markdown" => "md".to_owned(),
                "junit" => "xml".to_owned(),
                "github" => "github.txt".to_owned(),
                "sarif-github" => "github.sarif".to_owned(),
                "cyclonedx-json" => "cdx.json".to_owned(),
                "cyclonedx-json-1.5" => "cdx-1.5.json".to_owned(),
                "cyclonedx-xml" => "cdx.xml".to_owned(),
                "cyclonedx-xml-1.5" => "cdx-1.5.xml".to_owned(),
                "spdx-json" => "spdx.json".to_owned(),
                other => other.to_owned(),
            };
            wrong.extend(snapshot(&format!("{name}.{extension}"), &plain(format.id(), &report)));
        }
    }
    let fail = build::fail();
    wrong.extend(snapshot("fail.all.txt", &render("text", &fail, &Style { show: Show::All, ..Style::default() })));
    wrong.extend(snapshot("fail.warnings.txt", &render("text", &fail, &Style { show: Show::Warnings, ..Style::default() })));
    wrong.extend(snapshot("fail.narrow.txt", &render("text", &fail, &Style { width: 60, ascii: true, ..Style::default() })));
    wrong.extend(snapshot("fail.colour.txt", &render("text", &fail, &Style { colour: true, ..Style::default() })));
    wrong.extend(snapshot("many.txt", &plain("text", &build::many(400))));
    let listing = build::listing();
    wrong.extend(snapshot("inventory.txt", &plain("text", &listing)));
    wrong.extend(snapshot("inventory.all.txt", &render("text", &listing, &Style { show: Show::All, ..Style::default() })));
    wrong.extend(snapshot("inventory.narrow.txt", &render("text", &listing, &Style { width: 60, ascii: true, ..Style::default() })));
    for (format, name) in [
        ("json", "json"),
        ("cyclonedx-json", "cdx.json"),
        ("cyclonedx-json-1.5", "cdx-1.5.json"),
        ("cyclonedx-xml", "cdx.xml"),
        ("spdx-json", "spdx.json"),
    ] {
        wrong.extend(snapshot(&format!("inventory.{name}"), &plain(format, &listing)));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The published schema lets members be added; the test does not, so that schema and reports cannot drift apart.
fn strict(schema: &mut Value) {
    match schema {
        Value::Object(members) => {
            if members.contains_key("properties") {
                members.insert("additionalProperties".to_owned(), Value::Bool(false));
            }
            members.values_mut().for_each(strict);
        }
        Value::Array(items) => items.iter_mut().for_each(strict),
        _ => {}
    }
}

fn schema() -> jsonschema::Validator {
    let text = fs::read_to_string(PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("policies/report.schema.json")).expect("schema");
    let mut schema: Value = serde_json::from_str(&text).expect("JSON");
    strict(&mut schema);
    jsonschema::draft202012::new(&schema).expect("a schema")
}

fn has_null(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(items) => items.iter().any(has_null),
        Value::Object(members) => members.values().any(has_null),
        Value::Number(number) => number.is_f64(),
        _ => false,
    }
}

#[test]
fn json_fits_its_schema() {
    let schema = schema();
    for (name, report) in build::all().into_iter().chain([("many", build::many(50)), ("hostile", hostile::report("\u{202e}x"))]) {
        let value = json("json", &report);
        let errors: Vec<_> = schema.iter_errors(&value).map(|error| format!("{}: {error}", error.instance_path())).collect();
        assert!(errors.is_empty(), "{name}: {errors:#?}");
        assert!(!has_null(&value), "{name} holds null or a fraction");
    }
    let mut wrong = json("json", &build::pass());
    wrong["verdict"]["exitCode"] = Value::from(7);
    assert!(!schema.is_valid(&wrong));
}

#[test]
fn secrets_of_the_configuration_stay_out() {
    for (name, report) in build::all() {
        for format in REPORTERS {
            assert!(
                !render(format.id(), &report, &Style { show: Show::All, ..Style::default() }).contains("canary-secret"),
                "{name} {}",
                format.id()
            );
        }
    }
}

#[test]
fn the_same_report_gives_the_same_bytes_in_any_order() {
    let report = build::many(300);
    let mut turned = report.clone();
    turned.verdict.findings.reverse();
    turned.verdict.gaps.reverse();
    turned.sources.reverse();
    for format in ["github", "json", "junit", "markdown", "sarif", "sarif-github"] {
        if format == "junit" {
            turned.sources = report.sources.clone();
        }
        assert_eq!(plain(format, &report), plain(format, &turned), "{format}");
    }
}

#[test]
fn hostile_strings_stay_inert_in_every_format() {
    let strings = hostile::strings();
    assert!(strings.len() >= 200, "{}", strings.len());
    let schema = schema();
    for text in &strings {
        let report = hostile::report(text);
        for style in [Style { show: Show::All, ..Style::default() }, Style { ascii: true, width: 40, ..Style::default() }] {
            let listing = render("text", &ScanReport { command: "inventory", ..report.clone() }, &style);
            assert!(!listing.chars().any(hostile::is_hidden) && (!style.ascii || listing.is_ascii()), "{text:?}: {listing}");
        }
        for format in REPORTERS {
            for style in [Style { show: Show::All, ..Style::default() }, Style { ascii: true, width: 40, ..Style::default() }] {
                let written = render(format.id(), &report, &style);
                let hidden: Vec<_> = written.chars().filter(|character| hostile::is_hidden(*character)).collect();
                assert!(hidden.is_empty(), "{}: {text:?} leaves {hidden:?}", format.id());
                match format.id() {
                    "json" => {
                        let value: Value = serde_json::from_str(&written).expect("JSON");
                        assert!(schema.is_valid(&value) || text.is_empty(), "{text:?}");
                        assert_eq!(value["policy"]["name"], text.as_str());
                        assert_eq!(value["image"]["config"]["user"], text.as_str());
                        assert!(
                            value["findings"]
                                .as_array()
                                .is_some_and(|all| all.iter().any(|finding| finding["package"]["name"] == text.as_str()))
                        );
                    }
                    "sarif" | "sarif-github" => check_sarif(&serde_json::from_str(&written).expect("JSON")),
                    "github" => {
                        for line in written.lines() {
                            let commands = ["::error ", "::warning ", "::notice "];
                            assert!(commands.iter().any(|command| line.starts_with(command)), "{text:?}: {line}");
                        }
                        assert!(!written.contains('\r'));
                    }
                    "junit" => check_xml(&written),
                    "cyclonedx-json" | "cyclonedx-json-1.5" | "spdx-json" => {
                        let value: Value = serde_json::from_str(&written).expect("JSON");
                        let name = if format.id() == "spdx-json" { &value["packages"] } else { &value["components"] };
                        assert!(name.as_array().is_some_and(|all| all.iter().any(|one| one["name"] == text.as_str())), "{text:?}");
                    }
                    "cyclonedx-xml" | "cyclonedx-xml-1.5" => check_xml(&written),
                    "markdown" => {
                        for line in written.lines() {
                            for bad in ["<script", "<img", "](http", "@octocat", "@everyone", " http://", "| www."] {
                                assert!(!line.contains(bad), "{text:?}: {line}");
                            }
                        }
                    }
                    "text" => assert!(!style.ascii || written.is_ascii(), "{text:?}"),
                    other => panic!("no check for {other}"),
                }
            }
        }
    }
}

/// Well-formed enough: tags nest, attributes are quoted, references are known.
fn check_xml(text: &str) {
    let mut open: Vec<String> = Vec::new();
    let mut rest = text.strip_prefix("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n").expect("a declaration");
    while let Some((content, tail)) = rest.split_once('<') {
        assert!(!content.contains('>'), "{content}");
        for reference in content.split('&').skip(1) {
            let is_character = reference.strip_prefix("#x").and_then(|rest| u32::from_str_radix(rest.split(';').next()?, 16).ok());
            let is_allowed = is_character.is_some_and(|code| matches!(code, 9 | 10 | 13) || code > 0x1f);
            assert!(is_allowed || ["amp;", "lt;", "gt;", "quot;", "#39;"].iter().any(|known| reference.starts_with(known)), "{reference}");
        }
        let (tag, tail) = tail.split_once('>').expect("a closed tag");
        assert_eq!(tag.matches('"').count() % 2, 0, "{tag}");
        let name = |tag: &str| tag.split([' ', '/']).next().unwrap_or_default().to_owned();
        if let Some(closing) = tag.strip_prefix('/') {
            assert_eq!(open.pop().as_deref(), Some(closing));
        } else if !tag.ends_with('/') {
            open.push(name(tag));
        }
        rest = tail;
    }
    assert!(open.is_empty() && rest.trim().is_empty());
}

/// GitHub's limits and our own rules, on any SARIF we write.
fn check_sarif(value: &Value) {
    let runs = value["runs"].as_array().expect("runs");
    assert!((1..=20).contains(&runs.len()));
    let categories: BTreeSet<_> = runs.iter().map(|run| run["automationDetails"]["id"].as_str().expect("an id")).collect();
    assert_eq!(categories.len(), runs.len());
    for run in runs {
        assert!(run["automationDetails"]["id"].as_str().is_some_and(|id| id.ends_with('/')));
        let rules = run["tool"]["driver"]["rules"].as_array().expect("rules");
        for rule in rules {
            assert!(rule["properties"]["tags"].as_array().is_some_and(|tags| tags.len() <= 10));
        }
        let results = run["results"].as_array().expect("results");
        assert!(results.len() <= 5_000);
        for result in results {
            let rule = usize::try_from(result["ruleIndex"].as_u64().expect("an index")).expect("small");
            assert_eq!(rules[rule]["id"], result["ruleId"]);
            assert_eq!(result["locations"].as_array().map(Vec::len), Some(1));
            let related = result["relatedLocations"].as_array().cloned().unwrap_or_default();
            assert!(related.len() <= 20);
            for location in result["locations"].as_array().expect("locations").iter().chain(&related) {
                let uri = location["physicalLocation"]["artifactLocation"]["uri"].as_str().expect("a uri");
                assert!(
                    !uri.is_empty()
                        && !uri.starts_with('/')
                        && !uri.contains(':')
                        && !uri.split('/').any(|part| part == ".." || part.is_empty()),
                    "{uri}"
                );
                assert!(uri.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~/%".contains(&byte)), "{uri}");
            }
            assert!(result["partialFingerprints"]["primaryLocationLineHash"].is_string());
            assert!(!result["message"]["text"].as_str().expect("text").contains("]("));
        }
    }
}

#[test]
fn sarif_keeps_the_limits_with_ten_thousand_findings() {
    let report = build::many(10_000);
    for format in ["sarif", "sarif-github"] {
        let text = plain(format, &report);
        let value: Value = serde_json::from_str(&text).expect("JSON");
        check_sarif(&value);
        let results = value["runs"][0]["results"].as_array().expect("results");
        assert_eq!(results.len(), 5_000);
        let last = results.last().expect("one");
        assert_eq!(last["ruleId"], "results-truncated");
        // 10,000 findings, one requirement and one gap of the image; one place is taken by the last row.
        assert!(last["message"]["text"].as_str().is_some_and(|text| text.starts_with("5003 more")), "{last}");
        let severities: Vec<_> = results.iter().filter_map(|result| result["properties"]["severity"].as_str()).collect();
        assert!(severities.iter().filter(|severity| **severity == "critical").count() >= 1_500, "the worst stay");
        assert!(!severities.contains(&"negligible"), "the least go");
        let mut zip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        zip.write_all(text.as_bytes()).expect("zipped");
        let zipped = zip.finish().expect("zipped").len();
        assert!(zipped < 10_000_000, "{zipped}");
    }
    let text = plain("text", &report);
    assert!(text.lines().count() < 120, "{}", text.lines().count());
    assert!(text.contains("more here (") && text.contains("--show all"));
    let shown = render("text", &report, &Style { show: Show::All, ..Style::default() });
    let words: BTreeSet<_> = shown.split_whitespace().collect();
    assert!((0..10_000).all(|at| words.contains(&*format!("CVE-2026-{at:06}"))), "--show all shows all");
    check_xml(&plain("junit", &report));
    assert!(plain("junit", &report).matches("<testcase").count() <= 500);
    assert!(plain("markdown", &report).len() < 1 << 20);
    assert!(plain("github", &report).lines().count() <= 21);
}

#[test]
fn huge_texts_do_not_make_huge_sarif() {
    let mut report = build::many(1_200);
    for judged in &mut report.verdict.findings {
        judged.finding.title = "t".repeat(10_000);
        judged.decision.reason = "r".repeat(10_000).into();
        judged.finding.locations = (0..25).map(|at| build::layer_location(0, &format!("{at}/{}", "p".repeat(900)))).collect();
    }
    let text = plain("sarif", &report);
    assert!(text.len() <= 24 << 20, "{}", text.len());
    check_sarif(&serde_json::from_str(&text).expect("JSON"));
}

fn fingerprints(report: &ScanReport) -> BTreeSet<String> {
    let value = json("sarif", report);
    let runs = value["runs"].as_array().cloned().unwrap_or_default();
    runs.iter()
        .flat_map(|run| run["results"].as_array().cloned().unwrap_or_default())
        .map(|result| result["partialFingerprints"].to_string())
        .collect()
}

#[test]
fn fingerprints_survive_what_is_no_change() {
    let report = build::fail();
    let before = fingerprints(&report);
    assert_eq!(before.len(), 10);

    let mut moved = report.clone();
    for judged in &mut moved.verdict.findings {
        for location in &mut judged.finding.locations {
            if let Location::Dockerfile(Span { line, end_line, .. }) = location {
                (*line, *end_line) = (*line + 7, *end_line + 7);
            }
        }
    }
    for summary in &mut moved.dockerfiles {
        summary.final_from_line = summary.final_from_line.map(|line| line + 7);
        summary.instructions = summary.instructions.iter().map(|(line, text)| (line + 7, text.replace(' ', "  "))).collect();
    }
    assert_eq!(fingerprints(&moved), before, "moving lines");

    let mut later = build::fail();
    later.image = Some(build::image("registry.acme.example/team/app:1.5"));
    later.tool_version = "9.9.9";
    later.evaluated_at = "2027-01-01T00:00:00Z".parse().expect("a time");
    for judged in &mut later.verdict.findings {
        judged.finding.kev = false;
        if let Some(package) = &mut judged.finding.package {
            package.version.push_str(".1");
            package.purl = package.purl.as_ref().and_then(|purl| PackageUrl::parse(&format!("{}@9?arch=arm64", purl.without_version())));
        }
    }
    assert_eq!(fingerprints(&later), before, "a newer tag, version and database");

    let mut other = report;
    other.verdict.findings[0].finding.id = "CVE-2026-9999".to_owned();
    assert_ne!(fingerprints(&other), before);
}

#[test]
fn formats_agree_on_the_numbers() {
    for (name, report) in build::all() {
        let value = json("json", &report);
        let violations = value["counts"]["findings"]["violation"].as_u64().expect("a number")
            + value["counts"]["requirementsViolated"].as_u64().expect("a number");
        let sarif = json("sarif", &report);
        let levels: Vec<_> =
            sarif["runs"].as_array().expect("runs").iter().flat_map(|run| run["results"].as_array().cloned().unwrap_or_default()).collect();
        let errors = levels.iter().filter(|result| result["level"] == "error" && result["properties"]["source"].is_null()).count();
        assert_eq!(errors as u64, violations, "{name}");
        let text = plain("text", &report);
        if violations > 0 {
            assert!(text.contains(&format!("{violations} violation")), "{name}\n{text}");
        }
        assert!(text.contains(&format!("exit {}", report.exit_code)), "{name}");
    }
}

#[test]
fn github_gets_no_suppressed_results_and_their_number() {
    let report = build::fail();
    let suppressed = |format: &str| {
        let value = json(format, &report);
        let runs = value["runs"].as_array().cloned().unwrap_or_default();
        let shown: usize = runs
            .iter()
            .map(|run| {
                run["results"].as_array().map_or(0, |results| results.iter().filter(|result| result["suppressions"].is_array()).count())
            })
            .sum();
        let counted: u64 = runs.iter().filter_map(|run| run["properties"]["suppressedResults"].as_u64()).sum();
        (shown, counted)
    };
    assert_eq!(suppressed("sarif"), (2, 2));
    assert_eq!(suppressed("sarif-github"), (0, 2));
    let kinds: BTreeSet<_> = json("sarif", &report)["runs"]
        .as_array()
        .expect("runs")
        .iter()
        .flat_map(|run| run["results"].as_array().cloned().unwrap_or_default())
        .filter_map(|result| result["suppressions"][0]["kind"].as_str().map(str::to_owned))
        .collect();
    assert_eq!(kinds, BTreeSet::from(["external".to_owned(), "inSource".to_owned()]));
}

#[test]
fn text_says_first_what_matters() {
    let pass = plain("text", &build::pass());
    assert!(pass.lines().count() <= 6, "{pass}");
    assert!(pass.lines().nth(1).is_some_and(|line| line.starts_with("PASS")), "{pass}");
    let audit = plain("text", &build::audit());
    assert!(audit.lines().next().is_some_and(|line| line.contains("AUDIT")), "{audit}");
    let fail = build::fail();
    for width in [20, 40, 60, 80, 100, 200] {
        let text = render("text", &fail, &Style { width, ..Style::default() });
        for line in text.lines() {
            // Names with blanks, such as commands to copy, may stand out.
            assert!(line.chars().count() <= width.max(44) || !line.trim().contains(' '), "{width}: {line}");
            assert_eq!(line.trim_end(), line);
        }
        for name in ["CVE-2026-1234", "3.0.11-1 ", "-> 2.32.4", "untagged-image", "absent.signature"] {
            assert!(text.contains(name), "{width}: {name}\n{text}");
        }
    }
    let accepted = fail.verdict.findings.iter().filter(|judged| judged.decision.effect == Effect::Accepted).count();
    let text = plain("text", &fail);
    assert!(text.contains(&format!("{accepted} accepted")) && text.contains("1 suppressed") && text.contains("1 noted"), "{text}");
    assert!(text.contains("(base image, or layer not attributed)"), "{text}");
}

/// Microsoft's own validator, when `PLIMSOLL_SARIF_MULTITOOL` names it.
#[test]
fn sarif_satisfies_the_multitool() {
    let Some(program) = std::env::var_os("PLIMSOLL_SARIF_MULTITOOL") else {
        eprintln!("skipped: PLIMSOLL_SARIF_MULTITOOL is not set, SARIF was NOT validated by its reference tool");
        return;
    };
    let folder = tempfile::tempdir().expect("a folder");
    let hostile =
        hostile::strings().into_iter().enumerate().step_by(29).map(|(at, text)| (format!("hostile-{at}"), hostile::report(&text)));
    let reports = build::all()
        .into_iter()
        .map(|(name, report)| (name.to_owned(), report))
        .chain([("many".to_owned(), build::many(200))])
        .chain(hostile);
    let mut files = Vec::new();
    for (name, report) in reports {
        for format in ["sarif", "sarif-github"] {
            let path = folder.path().join(format!("{name}-{format}.sarif"));
            fs::write(&path, render(format, &report, &Style { show: Show::All, ..Style::default() })).expect("written");
            files.push(path);
        }
    }
    let output = Command::new(&program)
        .arg("validate")
        .args(&files)
        .env("DOTNET_SYSTEM_GLOBALIZATION_INVARIANT", "1")
        .output()
        .expect("the multitool runs");
    let said = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    // SARIF2007 asks for version control details, which only the CI knows; SARIF2005 for the project's address.
    let allowed = |line: &str| line.contains("SARIF2007") || (env!("CARGO_PKG_REPOSITORY").is_empty() && line.contains("SARIF2005"));
    let bad: Vec<_> =
        said.lines().filter(|line| (line.contains(": error ") || line.contains(": warning ")) && !allowed(line)).take(20).collect();
    assert!(bad.is_empty(), "{}", bad.join("\n"));
    assert!(said.contains(&format!("{} files scanned", files.len())) && said.contains("Analysis completed successfully"), "{said}");
    eprintln!("{} files validated", files.len());
}
