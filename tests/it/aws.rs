//! The AWS sources against the replay server, and merging what they say: every status and error gives its Gap, nothing that is not ready ever passes.

use std::{
    cmp::Ordering,
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use aws_sdk_ecr::config::{BehaviorVersion, Credentials, Region, retry::RetryConfig};
use futures_util::future::BoxFuture;
use plimsoll::{
    findings::{
        FindingSource,
        ecr::Ecr,
        inspector::Inspector,
        merge::merge,
        target::SourceOptions,
        wait::{Clock, WaitOptions},
    },
    model::{
        coverage::{Completeness, SourceId},
        digest::Digest,
        evidence::{MatchKind, Observation, ObservedPackage, ObservedState, SourceReport},
        finding::{Finding, FindingState},
        image::{Descriptor, ImageConfig, Manifest, Platform, PlatformChoice, ResolvedImage},
        location::Location,
        package::{Basis, Inventory, Package, PackageKind, PackageUrl, SourcePackage},
        reference::ImageReference,
        severity::{Rating, RatingAuthor, Severity},
    },
    progress::Silent,
};
use serde_json::{Value, json};

use crate::aws_replay::{Replay, Scenario, start};

const CANARY: &str = "canary-session-token";
const AMD64: &str = "sha256:f81e934938df7c4ac9add1bfde456fada70c4e4fee7194cb4014c78330171ffa";

/// Time that passes only when somebody sleeps.
#[derive(Default)]
pub(crate) struct VirtualClock(Mutex<Duration>);

impl Clock for VirtualClock {
    fn now(&self) -> Duration {
        *self.0.lock().expect("unpoisoned")
    }

    fn sleep(&self, time: Duration) -> BoxFuture<'_, ()> {
        *self.0.lock().expect("unpoisoned") += time;
        Box::pin(async {})
    }
}

/// The two sources against one server, each with its own clock.
pub(crate) struct Rig {
    pub(crate) runtime: tokio::runtime::Runtime,
    pub(crate) ecr: aws_sdk_ecr::Client,
    pub(crate) inspector: aws_sdk_inspector2::Client,
}

impl Rig {
    pub(crate) fn new(url: &str) -> Self {
        let credentials = || Credentials::new("AKIDEXAMPLE", "canary-secret-key", Some(CANARY.to_owned()), None, "test");
        let retry = || {
            RetryConfig::standard()
                .with_max_attempts(3)
                .with_initial_backoff(Duration::from_millis(1))
                .with_max_backoff(Duration::from_millis(2))
        };
        let region = || Region::new("us-east-1");
        let ecr =
            aws_sdk_ecr::Config::builder().behavior_version(BehaviorVersion::latest()).region(region()).credentials_provider(credentials());
        let inspector = aws_sdk_inspector2::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(region())
            .credentials_provider(credentials());
        Self {
            runtime: tokio::runtime::Builder::new_current_thread().enable_all().build().expect("runtime"),
            ecr: aws_sdk_ecr::Client::from_conf(ecr.retry_config(retry()).endpoint_url(url).build()),
            inspector: aws_sdk_inspector2::Client::from_conf(inspector.retry_config(retry()).endpoint_url(url).build()),
        }
    }

    fn ecr(&self, image: &ResolvedImage) -> SourceReport {
        let source = Ecr::new(self.ecr.clone(), options()).with_coverage(self.inspector.clone());
        self.runtime.block_on(source.fetch(image, &Inventory::default())).expect("set up")
    }

    fn inspector(&self, image: &ResolvedImage) -> SourceReport {
        let source = Inspector::new(self.inspector.clone(), options());
        self.runtime.block_on(source.fetch(image, &Inventory::default())).expect("set up")
    }
}

fn options() -> SourceOptions {
    SourceOptions {
        wait: WaitOptions::default(),
        clock: Arc::new(VirtualClock::default()),
        progress: Arc::new(Silent),
        ..SourceOptions::default()
    }
}

fn image(reference: &str, digest: &str) -> ResolvedImage {
    let digest = Digest::parse(digest).expect("digest");
    let config = Descriptor {
        media_type: String::new(),
        digest: digest.clone(),
        size: 0,
        urls: Vec::new(),
        annotations: BTreeMap::new(),
        artifact_type: None,
        platform: None,
    };
    ResolvedImage {
        reference: ImageReference::parse(reference).expect("reference"),
        index_digest: None,
        platform: Platform::parse("linux/amd64").expect("platform"),
        platform_choice: PlatformChoice::Only,
        manifest: Manifest { digest, media_type: String::new(), size: 0, config, layers: Vec::new(), annotations: BTreeMap::new() },
        config: ImageConfig::default(),
        layers: Vec::new(),
    }
}

fn app(digest: &str) -> ResolvedImage {
    image("123456789012.dkr.ecr.us-east-1.amazonaws.com/team/app:v1", digest)
}

pub(crate) fn made() -> ResolvedImage {
    image("111122223333.dkr.ecr.eu-central-1.amazonaws.com/acme/app:v1", &format!("sha256:{}", "ab".repeat(32)))
}

fn kinds(report: &SourceReport) -> Vec<&'static str> {
    // A source that says it is complete and has a Gap, or the other way round, would be a false pass in waiting.
    assert_eq!(report.state.completeness == Completeness::Complete, report.gaps.is_empty(), "{report:?}");
    assert!(report.state.asked);
    assert!(report.gaps.iter().all(|gap| gap.source == report.state.source), "{report:?}");
    assert!(!format!("{report:?}").contains("canary"), "a secret in {report:?}");
    report.gaps.iter().map(|gap| gap.kind).collect()
}

fn waited(report: &SourceReport) -> u64 {
    report.state.details["waited_seconds"].parse().expect("seconds")
}

/// Debian's order for debs, numbers between dots for everything else.
fn compare(kind: PackageKind, a: &str, b: &str) -> Option<Ordering> {
    if kind == PackageKind::Deb {
        return Some(a.parse::<debversion::Version>().ok()?.cmp(&b.parse().ok()?));
    }
    let parts = |text: &str| text.split('.').map(|part| part.parse::<u64>().ok()).collect::<Option<Vec<_>>>();
    Some(parts(a)?.cmp(&parts(b)?))
}

#[test]
fn made_scenarios_give_their_gaps() {
    // Scenario, ECR's source and gaps and observations, Inspector's gaps and observations (none: not asked).
    type Expected = (&'static str, SourceId, &'static [&'static str], usize, Option<(&'static [&'static str], usize)>);
    let table: &[Expected] = &[
        ("basic-complete", SourceId::EcrBasic, &[], 3, None),
        ("basic-clean", SourceId::EcrBasic, &[], 0, None),
        ("basic-in-progress", SourceId::EcrBasic, &[], 3, None),
        ("enhanced", SourceId::Inspector, &[], 2, Some((&[], 2))),
        ("enhanced-clean", SourceId::Inspector, &[], 0, Some((&[], 0))),
        ("enhanced-unconfirmed", SourceId::Inspector, &["incomplete"], 0, Some((&["incomplete"], 0))),
        ("not-yet-scanned", SourceId::Ecr, &["not-scanned"], 0, Some((&["pending"], 0))),
        ("pending", SourceId::Ecr, &["pending"], 0, Some((&["pending"], 0))),
        ("manual", SourceId::Ecr, &["not-scanned"], 0, None),
        ("access-denied", SourceId::Ecr, &["denied"], 0, Some((&["denied"], 0))),
        ("throttled", SourceId::Ecr, &["throttled"], 0, Some((&["throttled"], 0))),
        ("throttled-midway", SourceId::EcrBasic, &["throttled"], 2, None),
        ("bad-signature", SourceId::Ecr, &["credentials"], 0, None),
    ];
    for (name, source, gaps, rows, inspector) in table {
        let (url, _replay) = start(Scenario::testdata(name));
        let rig = Rig::new(&url);
        let report = rig.ecr(&made());
        assert_eq!(
            (report.state.source, kinds(&report), report.observations.len()),
            (*source, gaps.to_vec(), *rows),
            "{name}: {report:#?}"
        );
        if let Some((gaps, rows)) = inspector {
            let report = rig.inspector(&made());
            assert_eq!(
                (report.state.source, kinds(&report), report.observations.len()),
                (SourceId::Inspector, gaps.to_vec(), *rows),
                "{name}: {report:#?}"
            );
        }
    }
}

#[test]
fn an_empty_list_of_an_unknown_registry_is_no_answer() {
    let root = Scenario::testdata("basic-clean").root;
    let (rig, _replay) = serve(
        &root,
        &json!({"DescribeImageScanFindings": ["ecr/basic-clean.json"], "ListCoverage": [{"inline": {"coveredResources": []}}]}),
    );
    let report = rig.ecr(&made());
    assert_eq!((report.state.source, kinds(&report), waited(&report)), (SourceId::Ecr, vec!["incomplete"], 900));
    assert!(report.gaps[0].hint.as_deref().is_some_and(|hint| hint.contains("ecr:GetRegistryScanningConfiguration")));
}

#[test]
fn answers_about_something_else_are_not_believed() {
    let root = Scenario::testdata("basic-clean").root;
    let file = std::fs::read_to_string(root.join("ecr/basic-clean.json")).expect("fixture");
    let own: Value = serde_json::from_str(&file.replace("sha256:@digest@", &made().digest().to_string())).expect("JSON");
    let row = json!({"name": "CVE-2099-0009", "severity": "LOW"});
    // What is written over the answer, and whether it is still one.
    let table = [
        (json!({}), true),
        (json!({"registryId": null, "repositoryName": null}), true),
        (json!({"imageId": null}), false),
        (json!({"imageId": {"imageTag": "v1"}}), false),
        (json!({"imageId": {"imageDigest": "zzz"}}), false),
        (json!({"imageId": {"imageDigest": format!("sha256:{}", "0".repeat(64))}}), false),
        (json!({"registryId": "999999999999"}), false),
        (json!({"repositoryName": "acme/other"}), false),
        (json!({"imageId": null, "imageScanStatus": {"status": "FAILED"}}), false),
    ];
    for (change, believed) in table {
        for rows in [json!([]), json!([row])] {
            let mut answer = own.clone();
            answer["imageScanFindings"]["findingSeverityCounts"] = json!({});
            if rows != json!([]) {
                answer["imageScanFindings"]["findingSeverityCounts"] = json!({"LOW": 1});
            }
            answer["imageScanFindings"]["findings"] = rows.clone();
            for (key, value) in change.as_object().expect("object") {
                answer[key] = value.clone();
            }
            let registry = json!({"registryId": "111122223333", "scanningConfiguration": {"scanType": "BASIC", "rules": []}});
            let (rig, _replay) = serve(
                &root,
                &json!({"GetRegistryScanningConfiguration": [{"inline": registry}], "DescribeImageScanFindings": [{"inline": answer}]}),
            );
            let report = rig.ecr(&made());
            let expected = if believed { (vec![], rows.as_array().map_or(0, Vec::len)) } else { (vec!["incomplete"], 0) };
            assert_eq!((kinds(&report), report.observations.len()), expected, "{change}: {report:#?}");
            if !believed {
                let dropped = rows.as_array().map_or(0, Vec::len).to_string();
                assert_eq!((report.state.details["dropped_rows"].as_str(), waited(&report)), (dropped.as_str(), 60), "{change}");
            }
        }
    }
}

#[test]
fn denied_gaps_name_the_action() {
    let (url, _replay) = start(Scenario::testdata("access-denied"));
    let rig = Rig::new(&url);
    for (report, action) in [(rig.ecr(&made()), "ecr:DescribeImageScanFindings"), (rig.inspector(&made()), "inspector2:ListFindings")] {
        let gap = &report.gaps[0];
        assert!(gap.reason.contains(action) && gap.hint.as_deref().is_some_and(|hint| hint.contains(action)), "{gap:?}");
    }
    let (url, _replay) = start(Scenario::testdata("enhanced-unconfirmed"));
    let gap = Rig::new(&url).ecr(&made()).gaps.remove(0);
    assert!(gap.reason.contains("inspector2:ListCoverage") && gap.hint.is_some_and(|hint| hint.contains("inspector2:ListCoverage")));
}

#[test]
fn the_digest_of_the_image_is_asked_about_and_calls_are_few() {
    let (url, replay) = start(Scenario::testdata("enhanced"));
    let rig = Rig::new(&url);
    let reports = [rig.ecr(&made()), rig.inspector(&made())];
    let calls = replay.calls();
    assert!(calls.len() <= 12, "{} calls", calls.len());
    for call in &calls {
        let request = call.request.to_string();
        match call.operation.as_str() {
            "DescribeImageScanFindings" | "ListFindings" | "ListCoverage" => {
                assert!(
                    request.contains(&made().digest().to_string()) && request.contains("111122223333") && request.contains("acme/app"),
                    "{call:?}"
                );
            }
            _ => {}
        }
    }
    // The two views are one source: two findings, one evidence each.
    let findings = merge(&reports, None, &compare);
    assert_eq!(
        findings.iter().map(|finding| (finding.id.as_str(), finding.evidence.len())).collect::<Vec<_>>(),
        [("CVE-2099-0004", 1), ("CVE-2099-0001", 1)]
    );
    assert_eq!(findings[0].evidence[0].attributes["view"], "ecr, inspector");
    assert_eq!((findings[0].epss_millionths, findings[0].fixed.as_slice()), (Some(250_000), ["1.0.1".to_owned()].as_slice()));
    assert_eq!(findings[1].package.as_ref().map(|package| package.version.as_str()), Some("1.2.3-4"));
}

#[test]
fn images_outside_ecr_need_to_be_told_their_account() {
    let (url, replay) = start(Scenario::testdata("basic-clean"));
    let rig = Rig::new(&url);
    let digest = made().digest().to_string();
    let foreign = image("ghcr.io/acme/app:v1", &digest);
    assert!(rig.runtime.block_on(Ecr::new(rig.ecr.clone(), options()).fetch(&foreign, &Inventory::default())).is_err());
    assert!(rig.runtime.block_on(Inspector::new(rig.inspector.clone(), options()).fetch(&foreign, &Inventory::default())).is_err());
    let told = SourceOptions { registry_id: Some("444455556666".to_owned()), repository: Some("mirror/app".to_owned()), ..options() };
    let report = rig.runtime.block_on(Ecr::new(rig.ecr.clone(), told).fetch(&foreign, &Inventory::default())).expect("told");
    // The registry answers for another account, so nothing is assumed about the scan type, and nobody confirms the empty list.
    assert_eq!(kinds(&report), ["incomplete"]);
    let asked = replay.calls().into_iter().find(|call| call.operation == "DescribeImageScanFindings").expect("asked").request;
    assert_eq!((asked["registryId"].as_str(), asked["repositoryName"].as_str()), (Some("444455556666"), Some("mirror/app")));
    assert_eq!(kinds(&rig.ecr(&image("127.0.0.1:5000/acme/app:v1", &digest))), [""; 0]);
}

#[test]
fn merging_is_fast_and_pure() {
    let observations: Vec<Observation> = (0..100_000)
        .map(|n| {
            let mut row = observation(SourceId::Inspector, &format!("CVE-2024-{}", n % 20_000), "p", "1.0", PackageKind::Npm);
            row.aliases = BTreeSet::from([format!("GHSA-{}", n % 20_000)]);
            if let Some(package) = &mut row.package {
                package.name = format!("p{}", n % 7);
            }
            row
        })
        .collect();
    let report = |observations| SourceReport { observations, ..Rig::new("http://127.0.0.1:1").nothing() };
    let mut reversed = observations.clone();
    reversed.reverse();
    let began = Instant::now();
    let merged = merge(&[report(observations)], None, &compare);
    eprintln!("merged 100000 observations into {} findings in {:?}", merged.len(), began.elapsed());
    assert_eq!(merged, merge(&[report(reversed)], None, &compare));
}

impl Rig {
    /// The report of a source that nobody answers.
    fn nothing(&self) -> SourceReport {
        let report = self.inspector(&made());
        assert_eq!(kinds(&report), ["error"], "{report:#?}");
        report
    }
}

fn observation(source: SourceId, id: &str, name: &str, version: &str, kind: PackageKind) -> Observation {
    Observation {
        source,
        id: id.to_owned(),
        aliases: BTreeSet::new(),
        title: None,
        package: Some(ObservedPackage {
            kind: Some(kind),
            name: name.to_owned(),
            version: version.to_owned(),
            locations: Vec::new(),
            path: None,
        }),
        ratings: Vec::new(),
        fixed: Vec::new(),
        says_no_fix: false,
        state: ObservedState::Open,
        link: None,
        updated: None,
        attributes: BTreeMap::new(),
    }
}

/// The folder of AWS answers, when there is one.
fn corpus() -> Option<PathBuf> {
    let folder = std::env::var_os("PLIMSOLL_CORPUS").map(|root| Path::new(&root).join("corpus/aws")).filter(|folder| folder.is_dir());
    if folder.is_none() {
        eprintln!("skipped: PLIMSOLL_CORPUS is not set");
    }
    folder
}

fn read(root: &Path, file: &str) -> Value {
    serde_json::from_str(&std::fs::read_to_string(root.join(file)).unwrap_or_else(|error| panic!("{file}: {error}"))).expect("JSON")
}

fn serve(root: &Path, operations: &Value) -> (Rig, Replay) {
    let (url, replay) = start(Scenario::of(root, operations));
    (Rig::new(&url), replay)
}

const BASIC: &str = "ecr/get_registry_scanning_configuration/basic.json";
const ENHANCED: &str = "ecr/get_registry_scanning_configuration/enhanced.json";
const COVERED: &str = "inspector2/list_coverage/active_successful.json";

#[test]
fn single_answers_mean_what_the_corpus_expects() {
    let Some(root) = corpus() else { return };
    let expected = read(&root, "merge-expected.json");
    for (file, outcome) in expected["single_answers"]["answers"].as_object().map(|map| map.iter().collect::<Vec<_>>()).unwrap_or_default() {
        let outcome = outcome.as_str().expect("outcome");
        let of_coverage = file.contains("list_coverage");
        let answer = read(&root, file);
        let digest = answer["imageId"]["imageDigest"].as_str().unwrap_or(AMD64).to_owned();
        let repository = answer["repositoryName"].as_str().unwrap_or("team/app").to_owned();
        let region = if repository == "team/app" { "us-east-1" } else { "us-west-2" };
        let account = answer["registryId"].as_str().unwrap_or("123456789012").to_owned();
        let image = image(&format!("{account}.dkr.ecr.{region}.amazonaws.com/{repository}:v1"), &digest);
        let mut covered = read(&root, COVERED);
        covered["coveredResources"][0]["resourceId"] = json!(format!("arn:aws:ecr:{region}:123456789012:repository/{repository}/{digest}"));
        let registry = if file.contains("basic") { BASIC } else { ENHANCED };
        let operations = if of_coverage {
            json!({"ListFindings": ["inspector2/list_findings/empty.json"], "ListCoverage": [file]})
        } else {
            json!({"GetRegistryScanningConfiguration": [registry], "DescribeImageScanFindings": [file], "ListCoverage": [{"inline": covered}]})
        };
        let (rig, _replay) = serve(&root, &operations);
        let report = if of_coverage { rig.inspector(&image) } else { rig.ecr(&image) };
        let found = kinds(&report);
        match outcome {
            "list-ready" | "covered" => assert!(found.is_empty(), "{file}: {found:?} {report:#?}"),
            "wait" => assert!(found.len() == 1 && waited(&report) == 900, "{file}: {found:?}"),
            // The same page again and again: its token comes back, so the list never ends.
            "next-page" => assert_eq!((found, report.state.details["pages"].as_str()), (vec!["incomplete"], "2"), "{file}"),
            gap => assert_eq!(found, [gap.strip_prefix("gap:").expect("gap")], "{file}"),
        }
    }
}

#[test]
fn errors_give_their_gaps() {
    let Some(root) = corpus() else { return };
    let expected = read(&root, "merge-expected.json");
    let mut seen = 0;
    for (file, outcome) in expected["errors"]["answers"].as_object().map(|map| map.iter().collect::<Vec<_>>()).unwrap_or_default() {
        let outcome = outcome["outcome"].as_str().expect("outcome");
        // Starting scans and ScanSbom are not part of this run.
        if file.contains("start_scan") || file.contains("inspector_scan") {
            continue;
        }
        seen += 1;
        let of_inspector = file.starts_with("errors/inspector2");
        let operations = if file.contains("next_token") {
            json!({"ListFindings": {"": "inspector2/list_findings/p1.json", "tok-i2-2": file}, "ListCoverage": [COVERED]})
        } else if of_inspector {
            json!({"ListFindings": [file], "ListCoverage": [COVERED]})
        } else {
            json!({"DescribeImageScanFindings": [file], "ListCoverage": [COVERED]})
        };
        let (rig, replay) = serve(&root, &operations);
        let report = if of_inspector { rig.inspector(&app(AMD64)) } else { rig.ecr(&app(AMD64)) };
        let calls = replay.count(if of_inspector { "ListFindings" } else { "DescribeImageScanFindings" });
        let (gap, time) = match outcome {
            "wait" => ("not-scanned", 900),
            "wait-60s" => ("not-found", 60),
            other => (other.split("gap:").nth(1).expect("gap"), if outcome == "gap:credentials" { 5 } else { 0 }),
        };
        assert_eq!((kinds(&report), waited(&report)), (vec![gap], time), "{file}: {report:#?}");
        match outcome {
            _ if outcome.starts_with("retry") => assert_eq!(calls, 3, "{file}"),
            _ if outcome.starts_with("restart") => assert_eq!((calls, report.observations.is_empty()), (6, false), "{file}"),
            "gap:credentials" => assert_eq!(calls, 2, "{file}"),
            _ => {}
        }
    }
    assert!(seen >= 18, "{seen} errors");
}

#[test]
fn sequences_end_as_the_corpus_expects() {
    let Some(root) = corpus() else { return };
    let expected = read(&root, "merge-expected.json");
    for (name, wanted) in expected["sequences"].as_object().expect("sequences") {
        let mut scenario = Scenario::read(&root, &format!("sequences/{name}.json"));
        match wanted["registry"].as_str() {
            Some("BASIC") => scenario = scenario.or("GetRegistryScanningConfiguration", json!([BASIC])),
            Some("ENHANCED") => scenario = scenario.or("GetRegistryScanningConfiguration", json!([ENHANCED])),
            _ => {}
        }
        let complete = wanted["outcome"] == "complete";
        if complete && wanted["registry"] == "ENHANCED" {
            scenario = scenario.or("ListCoverage", json!([COVERED]));
        }
        let lists = scenario.operations.contains_key("ListFindings");
        let (url, replay) = start(scenario);
        let rig = Rig::new(&url);
        let mut reports = vec![rig.ecr(&app(AMD64))];
        if lists {
            reports.push(rig.inspector(&app(AMD64)));
        }
        let found: Vec<&str> = reports.iter().flat_map(|report| kinds(report)).collect();
        let findings = merge(&reports, None, &compare);
        assert_eq!(Some(findings.len() as u64), wanted["findings"].as_u64(), "{name}");
        if let Some(least) = wanted["min_describe_calls"].as_u64() {
            assert!(replay.count("DescribeImageScanFindings") as u64 >= least, "{name}");
        }
        if !complete {
            let gap = wanted["outcome"].as_str().and_then(|text| text.strip_prefix("gap:")).expect("gap");
            assert!(!found.is_empty() && found.iter().all(|kind| *kind == gap), "{name}: {found:?}");
            continue;
        }
        assert_eq!(found, [""; 0], "{name}: {reports:#?}");
        if let Some(same) = wanted["same_as"].as_str() {
            let case = expected["cases"].as_array().and_then(|cases| cases.iter().find(|case| case["name"] == same)).expect("case");
            let ours: Vec<Value> = findings.iter().map(shown).collect();
            assert_eq!(without_epss(&ours), without_epss(case["findings"].as_array().expect("findings")), "{name}");
        }
    }
}

/// Sequences are compared without EPSS, which ListFindings alone brings.
fn without_epss(findings: &[Value]) -> Vec<Value> {
    let strip = |finding: &Value| {
        let mut finding = finding.clone();
        finding.as_object_mut().expect("object").remove("epss");
        finding
    };
    findings.iter().map(strip).collect()
}

#[test]
fn merges_equal_the_corpus() {
    let Some(root) = corpus() else { return };
    let expected = read(&root, "merge-expected.json");
    let inventory = inventory(&expected["inventory"]);
    let cases = expected["cases"].as_array().expect("cases");
    assert_eq!(cases.len(), 17);
    for case in cases {
        let name = case["name"].as_str().expect("name");
        let digest = expected["constants"][format!("digest_{}", case["platform"].as_str().expect("platform"))].as_str().expect("digest");
        let (mut reports, mut dropped) = (Vec::new(), 0);
        for (view, files) in inputs(&root, case) {
            let registry = if view == "basic" { BASIC } else { ENHANCED };
            let operation = if view == "list" { "ListFindings" } else { "DescribeImageScanFindings" };
            let (rig, _replay) = serve(
                &root,
                &json!({"GetRegistryScanningConfiguration": [registry], "ListCoverage": [COVERED], operation: pages(&root, &files)}),
            );
            let report = if view == "list" { rig.inspector(&app(digest)) } else { rig.ecr(&app(digest)) };
            assert_eq!(kinds(&report), [""; 0], "{name}: {report:#?}");
            dropped += report.state.details["dropped_rows"].parse::<u64>().expect("count");
            reports.push(report);
        }
        assert_eq!(case["discarded_other_digest"].as_u64(), Some(dropped), "{name}");
        let mut wanted: Vec<Value> = case["findings"].as_array().expect("findings").clone();
        if let Some(offline) = offline(case, &mut wanted) {
            reports.push(SourceReport { observations: offline, ..reports[0].clone() });
        }
        let given = case["inventory"].as_bool().filter(|given| *given).map(|_| &inventory);
        let merged = merge(&reports, given, &compare);
        let mut turned = reports.clone();
        turned.reverse();
        turned.iter_mut().for_each(|report| report.observations.reverse());
        assert_eq!(merged, merge(&turned, given, &compare), "{name}: the order of the inputs shows");
        let mut ours: Vec<Value> = merged.iter().map(shown).collect();
        if case["policy"]["inspector_suppressions"] == "refuse" {
            // This is the policy's work; the merger only says that the finding is suppressed.
            for finding in ours.iter_mut().filter(|finding| finding["state"] == "suppressed") {
                finding["state"] = json!("open");
                finding["notes"] = json!(["inspector suppression not honoured by policy"]);
            }
        }
        if wanted.iter().any(|finding| finding["severity_by"].is_null() && finding["sources"] == json!(["offline"])) {
            let order = |finding: &Value| (severity_order(finding), finding["id"].to_string(), finding["package"].to_string());
            wanted.sort_by_key(order);
        }
        assert_eq!(ours.len(), wanted.len(), "{name}");
        for (ours, wanted) in ours.iter().zip(&wanted) {
            assert_eq!(ours, wanted, "{name}");
        }
        let mut by_state: BTreeMap<&str, u64> = BTreeMap::new();
        let mut open: BTreeMap<&str, u64> = BTreeMap::new();
        for finding in &ours {
            *by_state.entry(finding["state"].as_str().expect("state")).or_default() += 1;
            if finding["state"] == "open" {
                *open.entry(finding["severity"].as_str().expect("severity")).or_default() += 1;
            }
        }
        assert_eq!(json!({"by_state": by_state, "open_by_severity": open}), case["counts"], "{name}");
    }
}

/// The input files of a case by view.
fn inputs(root: &Path, case: &Value) -> Vec<(&'static str, Vec<String>)> {
    let mut views: BTreeMap<&'static str, Vec<String>> = BTreeMap::new();
    for file in case["inputs"].as_array().expect("inputs").iter().filter_map(Value::as_str) {
        let view = if file.contains("list_findings") {
            "list"
        } else if read(root, file)["imageScanFindings"]["enhancedFindings"].is_array() {
            "enhanced"
        } else {
            "basic"
        };
        views.entry(view).or_default().push(file.to_owned());
    }
    views.into_iter().collect()
}

/// Files as the pages of one listing, each under the token of the one before.
fn pages(root: &Path, files: &[String]) -> Value {
    let mut pages = serde_json::Map::new();
    let mut token = String::new();
    for file in files {
        pages.insert(token, json!(file));
        token = read(root, file)["nextToken"].as_str().unwrap_or_default().to_owned();
    }
    Value::Object(pages)
}

fn inventory(packages: &Value) -> Inventory {
    let one = |value: &Value| {
        let text = |key: &str| value[key].as_str().map(str::to_owned);
        let kind = kind_of(value["type"].as_str().expect("type"));
        let (name, version) = (text("name").expect("name"), text("version").expect("version"));
        let layer = Digest::sha256_of(b"layer");
        Package {
            kind,
            purl: PackageUrl::new(kind, kind.is_os().then_some("debian"), &name, Some(&version), &BTreeMap::new()),
            arch: None,
            source: text("source").map(|name| SourcePackage { name, version: text("source_version") }),
            modularity: None,
            vendor: None,
            licences: Vec::new(),
            locations: text("path").map(|path| Location::Image { layer, index: 0, path }).into_iter().collect(),
            owner: None,
            found_by: "test",
            name,
            version,
            basis: Basis::Installed,
            hashes: Vec::new(),
        }
    };
    Inventory { distro: None, packages: packages.as_array().expect("inventory").iter().map(one).collect(), gaps: Vec::new() }
}

fn kind_of(word: &str) -> PackageKind {
    match word {
        "deb" => PackageKind::Deb,
        "npm" => PackageKind::Npm,
        "pypi" => PackageKind::Pypi,
        "cargo" => PackageKind::Cargo,
        "golang" => PackageKind::Golang,
        other => panic!("{other}"),
    }
}

/// What the offline database says in this case, and the findings that it alone sees.
fn offline(case: &Value, wanted: &mut Vec<Value>) -> Option<Vec<Observation>> {
    let mut said = Vec::new();
    for row in case["extra_observations"].as_array().into_iter().flatten() {
        let text = |key: &str| row[key].as_str().expect("text");
        let mut observation = observation(SourceId::Offline, text("id"), text("package"), text("version"), kind_of(text("type")));
        observation.aliases = row["aliases"].as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect();
        observation.ratings = vec![rating(RatingAuthor::Vendor, row["ratings"]["vendor"].as_str().expect("rating"))];
        said.push(observation);
    }
    let advisory_of = |finding: &Value| {
        finding["aliases"].as_array().into_iter().flatten().filter_map(Value::as_str).find(|id| !id.starts_with("GHSA-")).map(str::to_owned)
    };
    if case["offline_only"].is_object() {
        for finding in wanted.iter().filter(|finding| finding["sources"] == json!(["inspector", "offline"])) {
            let text = |key: &str| finding[key].as_str().expect("text");
            let mut observation = observation(
                SourceId::Offline,
                &advisory_of(finding).expect("advisory"),
                text("package"),
                text("version"),
                kind_of(text("type")),
            );
            observation.aliases = BTreeSet::from([text("id").to_owned()]);
            observation.fixed = vec![text("fixed").to_owned()];
            observation.ratings = finding["ratings"]["osv"].as_str().map(|word| rating(RatingAuthor::Osv, word)).into_iter().collect();
            said.push(observation);
        }
        for row in case["offline_only"]["rows"].as_array().expect("rows") {
            let text = |n: usize| row[n].as_str().expect("text");
            let mut observation = observation(SourceId::Offline, text(1), text(2), text(3), PackageKind::Golang);
            let aliases: Vec<&str> = if text(0) == text(1) { Vec::new() } else { vec![text(1)] };
            if text(0) != text(1) {
                observation.aliases = BTreeSet::from([text(0).to_owned()]);
            }
            observation.fixed = row[4].as_str().map(str::to_owned).into_iter().collect();
            said.push(observation);
            wanted.push(json!({
                "id": text(0), "aliases": aliases, "type": "golang", "package": text(2), "version": text(3), "match": "exact", "sources": ["offline"], "ratings": {},
                "severity": "unknown", "severity_by": null, "severity_max": "unknown", "fixed": row[4], "state": "open", "paths": ["usr/local/bin/helper"],
            }));
        }
    }
    (!said.is_empty()).then_some(said)
}

fn rating(author: RatingAuthor, word: &str) -> Rating {
    Rating { author, word: Some(word.to_owned()), vector: None, score_tenths: None }
}

fn severity_order(finding: &Value) -> u8 {
    finding["severity"]
        .as_str()
        .and_then(|word| Severity::ALL.into_iter().find(|severity| severity.name() == word))
        .map_or(9, Severity::report_order)
}

/// A finding in the shape of merge-expected.json.
fn shown(finding: &Finding) -> Value {
    let package = finding.package.as_ref();
    let by_author = |author: RatingAuthor| {
        let severities = finding.ratings.iter().filter(|rating| rating.author == author).map(Rating::severity);
        severities.min_by_key(|severity| severity.report_order()).unwrap_or(Severity::Unknown)
    };
    let ratings: BTreeMap<&str, &str> =
        finding.ratings.iter().map(|rating| (rating.author.name(), by_author(rating.author).name())).collect();
    let highest = finding
        .ratings
        .iter()
        .map(Rating::severity)
        .filter(|severity| *severity != Severity::Unknown)
        .min_by_key(|severity| severity.report_order());
    let sources: BTreeSet<&str> = finding.evidence.iter().map(|evidence| evidence.source.name()).collect();
    let matched = finding.evidence.iter().map(|evidence| evidence.matched).min().unwrap_or(MatchKind::Unlocated);
    let kind = package.and_then(|package| package.kind);
    let as_reported = matched == MatchKind::AsReported;
    let mut value = json!({
        "id": finding.id,
        "aliases": finding.aliases,
        "type": kind.filter(|kind| !(kind.is_os() && as_reported)).map_or("os", PackageKind::purl_type),
        "package": package.map(|package| &package.name),
        "version": package.map(|package| &package.version),
        "match": matched.name(),
        "sources": sources,
        "ratings": ratings,
        "severity": finding.severity.name(),
        "severity_by": finding.severity_author.map(RatingAuthor::name),
        "severity_max": highest.unwrap_or(Severity::Unknown).name(),
        "fixed": finding.fixed.first(),
        "state": match finding.state { FindingState::Open => "open", FindingState::Suppressed => "suppressed", FindingState::Closed => "closed" },
    });
    let mut paths: BTreeSet<String> = finding.evidence.iter().filter_map(|evidence| evidence.attributes.get("path").cloned()).collect();
    for location in &finding.locations {
        if let Location::Image { path, .. } = location {
            paths.insert(path.clone());
        }
    }
    if !paths.is_empty() {
        value["paths"] = json!(paths);
    }
    if let Some(millionths) = finding.epss_millionths {
        value["epss"] = json!(f64::from(millionths) / 1_000_000.0);
    }
    if finding.evidence.iter().any(|evidence| evidence.attributes.get("exploit").is_some_and(|word| word == "YES")) {
        value["exploit"] = json!(true);
    }
    if !finding.notes.is_empty() {
        value["notes"] = json!(finding.notes);
    }
    value
}
