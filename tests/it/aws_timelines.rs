//! Made-up scans against the AWS sources: none may pass before its list of findings is whole, none may outlast the deadline.
//! A hundred run always; `cargo test --test it thousand -- --ignored` runs a thousand.

use std::{
    collections::BTreeSet,
    ops::RangeInclusive,
    path::Path,
    sync::{Arc, Mutex},
    time::Duration,
};

use plimsoll::{
    findings::{
        FindingSource,
        ecr::Ecr,
        inspector::Inspector,
        target::SourceOptions,
        wait::{Clock, WaitOptions},
    },
    model::{coverage::Completeness, package::Inventory},
    progress::Silent,
};
use serde_json::{Value, json};

use crate::{
    aws::{Rig, VirtualClock, made},
    aws_replay::{Scenario, start},
};

const SCANNED: u64 = 1_767_225_600;

/// Marsaglia's xorshift: small, and the same on every machine.
#[derive(Debug, Clone, Copy)]
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % limit
    }

    fn pick(&mut self, limit: u64) -> usize {
        usize::try_from(self.below(limit)).expect("small")
    }
}

/// One scan: when what becomes visible, in seconds.
#[derive(Debug, Clone)]
struct Timeline {
    /// `basic`, `enhanced` or `unknown`; the last is an enhanced registry that cannot be asked.
    registry: &'static str,
    /// Until then there is no scan.
    begins: u64,
    /// Until then it is pending.
    lists: u64,
    /// Until then lists are empty and look done.
    covered: u64,
    /// Row counts and the times from which they show.
    steps: Vec<(u64, usize)>,
    page: usize,
    empty_pages: bool,
    other_rows: usize,
    /// Per mille of calls that fail, and how.
    faults: u64,
    fault: &'static str,
    random: Random,
}

impl Timeline {
    fn new(seed: u64) -> Self {
        let mut random = Random(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1);
        let registry = ["basic", "enhanced", "unknown"][random.pick(3)];
        let begins = random.below(120);
        let lists = begins + random.below(120);
        let covered = if random.below(10) == 0 { u64::MAX } else { lists + random.below(120) };
        let mut steps = Vec::new();
        let (mut at, mut rows) = (covered, random.pick(3) * 4);
        steps.push((at, rows));
        // A basic scan shows all its rows at once.
        for _ in 0..if registry == "basic" { 0 } else { random.below(7) } {
            at = at.saturating_add(1 + random.below(10));
            rows += 1 + random.pick(40);
            steps.push((at, rows));
        }
        Self {
            registry,
            begins,
            lists,
            covered,
            steps,
            page: 1 + random.pick(100),
            empty_pages: random.below(4) == 0,
            other_rows: random.pick(3),
            faults: [0, 0, 20, 200, 1000][random.pick(5)],
            fault: ["throttle", "html", "credentials", "token", "unknown-status", "denied"][random.pick(6)],
            random,
        }
    }

    fn rows(&self, now: u64) -> usize {
        self.steps.iter().rev().find(|(at, _)| *at <= now).map_or(0, |(_, rows)| *rows)
    }

    fn last(&self) -> usize {
        self.steps.last().map_or(0, |(_, rows)| *rows)
    }

    /// The answer to one call.
    fn answer(&mut self, operation: &str, request: &Value, now: u64) -> Option<Value> {
        let token = request["nextToken"].as_str();
        if matches!(operation, "DescribeImageScanFindings" | "ListFindings" | "ListCoverage") && self.random.below(1000) < self.faults {
            match self.fault {
                "throttle" => return Some(error(400, "ThrottlingException")),
                "html" => {
                    return Some(
                        json!({"error": true, "inline": {"status": 502, "headers": {"Content-Type": "text/html"}, "body_text": "<html>502</html>"}}),
                    );
                }
                "credentials" => return Some(error(400, "ExpiredTokenException")),
                "denied" => return Some(error(400, "AccessDeniedException")),
                "token" if token.is_some() => return Some(error(400, "ValidationException")),
                "unknown-status" if operation == "DescribeImageScanFindings" => return Some(inline(head("NOT_A_WORD"))),
                _ => {}
            }
        }
        match operation {
            "GetRegistryScanningConfiguration" if self.registry != "unknown" => Some(inline(
                json!({"registryId": "111122223333", "scanningConfiguration": {"scanType": self.registry.to_uppercase(), "rules": []}}),
            )),
            "DescribeImageScanFindings" => Some(self.describe(token, now)),
            "ListFindings" => Some(inline(self.list(token, now))),
            "ListCoverage" => Some(inline(self.coverage(now))),
            _ => None,
        }
    }

    fn describe(&mut self, token: Option<&str>, now: u64) -> Value {
        if now < self.begins {
            return error(400, "ScanNotFoundException");
        }
        if now < self.lists {
            return inline(head("PENDING"));
        }
        let key = if self.registry == "basic" { "findings" } else { "enhancedFindings" };
        if now < self.covered {
            // Looks done, and is not.
            return inline(match (self.registry, self.random.below(3)) {
                ("basic", _) => head("IN_PROGRESS"),
                (_, 0) => with(head("COMPLETE"), json!({"findings": []})),
                (_, 1) => with(head("ACTIVE"), json!({"enhancedFindings": []})),
                _ => with(head("ACTIVE"), json!({"enhancedFindings": [], "imageScanCompletedAt": SCANNED, "findingSeverityCounts": {}})),
            });
        }
        let (rows, next) = self.slice(token, now);
        let shown: Vec<Value> =
            rows.iter().map(|row| if self.registry == "basic" { json!({"name": row, "severity": "HIGH"}) } else { finding(row) }).collect();
        let mut page =
            with(head("ACTIVE"), json!({key: shown, "imageScanCompletedAt": SCANNED, "findingSeverityCounts": {"HIGH": rows.len()}}));
        page["nextToken"] = json!(next);
        inline(page)
    }

    fn list(&mut self, token: Option<&str>, now: u64) -> Value {
        let (rows, next) = self.slice(token, now);
        json!({"findings": rows.iter().map(|row| finding(row)).collect::<Vec<_>>(), "nextToken": next})
    }

    /// One page of what shows now; a token carries its place.
    fn slice(&self, token: Option<&str>, now: u64) -> (Vec<String>, Option<String>) {
        let (from, was_empty) =
            token.and_then(|token| token.split_once('-')).map_or((0, false), |(at, kind)| (at.parse().unwrap_or(0), kind == "e"));
        if self.empty_pages && !was_empty {
            return (Vec::new(), Some(format!("{from}-e")));
        }
        let mut all: Vec<String> = (0..self.rows(now)).map(|n| format!("CVE-2099-{n:04}")).collect();
        if self.registry != "basic" {
            all.extend((0..self.other_rows).map(|n| format!("other-{n}")));
        }
        let to = (from + self.page).min(all.len());
        (all.get(from..to).unwrap_or_default().to_vec(), (to < all.len()).then(|| format!("{to}-r")))
    }

    fn coverage(&self, now: u64) -> Value {
        if now < self.begins {
            return json!({"coveredResources": []});
        }
        let done = now >= self.covered;
        let mut row = json!({
            "resourceType": "AWS_ECR_CONTAINER_IMAGE", "resourceId": format!("arn:aws:ecr:eu-central-1:111122223333:repository/acme/app/{}", made().digest()),
            "accountId": "111122223333", "scanType": "PACKAGE", "scanStatus": {"statusCode": "ACTIVE", "reason": if done { "SUCCESSFUL" } else { "PENDING_INITIAL_SCAN" }},
        });
        if done {
            row["lastScannedAt"] = json!(SCANNED);
        }
        json!({"coveredResources": [row]})
    }
}

fn head(status: &str) -> Value {
    json!({"registryId": "111122223333", "repositoryName": "acme/app", "imageId": {"imageDigest": made().digest().to_string()}, "imageScanStatus": {"status": status}})
}

fn with(mut head: Value, findings: Value) -> Value {
    head["imageScanFindings"] = findings;
    head
}

#[expect(clippy::needless_pass_by_value, reason = "every caller has just made the value")]
fn inline(value: Value) -> Value {
    json!({ "inline": value })
}

fn error(status: u16, code: &str) -> Value {
    json!({"error": true, "inline": {"status": status, "headers": {"x-amzn-ErrorType": code}, "body": {"__type": code, "message": "made up"}}})
}

fn finding(id: &str) -> Value {
    let digest = if id.starts_with("other") { format!("sha256:{}", "0".repeat(64)) } else { made().digest().to_string() };
    json!({
        "findingArn": format!("arn:finding/{id}"), "awsAccountId": "111122223333", "description": "made up", "severity": "HIGH", "status": "ACTIVE", "type": "PACKAGE_VULNERABILITY",
        "firstObservedAt": SCANNED, "lastObservedAt": SCANNED, "updatedAt": SCANNED, "remediation": {},
        "resources": [{"type": "AWS_ECR_CONTAINER_IMAGE", "id": format!("arn:aws:ecr:eu-central-1:111122223333:repository/acme/app/{digest}")}],
        "packageVulnerabilityDetails": {"vulnerabilityId": id, "source": "NVD", "vulnerablePackages": [{"name": "p", "version": "1", "packageManager": "OS"}]},
    })
}

#[test]
fn no_scan_passes_before_its_list_is_whole() {
    play(1..=100);
}

#[test]
#[ignore = "takes minutes; the hundred above are the same in small"]
fn none_of_a_thousand_scans_passes_before_its_list_is_whole() {
    play(1..=1_000);
}

/// The scan that the server plays, and its time.
type Running = (Timeline, Arc<VirtualClock>);

fn play(seeds: RangeInclusive<u64>) {
    let least = seeds.clone().count();
    let current: Arc<Mutex<Option<Running>>> = Arc::new(Mutex::new(None));
    let shared = Arc::clone(&current);
    let mut scenario = Scenario::of(Path::new("."), &json!({}));
    scenario.live = Some(Arc::new(move |operation, request| {
        let mut current = shared.lock().expect("unpoisoned");
        let (timeline, clock) = current.as_mut()?;
        let now = clock.now().as_secs();
        timeline.answer(operation, request, now)
    }));
    let (url, _replay) = start(scenario);
    let rig = Rig::new(&url);
    let (mut complete, mut incomplete) = (0, 0);
    for seed in seeds {
        let timeline = Timeline::new(seed);
        let asked: &[&str] = if timeline.registry == "basic" { &["ecr"] } else { &["ecr", "inspector"] };
        for source in asked {
            let clock = Arc::new(VirtualClock::default());
            *current.lock().expect("unpoisoned") = Some((timeline.clone(), Arc::clone(&clock)));
            let options = SourceOptions {
                wait: WaitOptions::default(),
                clock: clock.clone(),
                progress: Arc::new(Silent),
                ..SourceOptions::default()
            };
            let inventory = Inventory::default();
            let image = made();
            let report = if *source == "ecr" {
                rig.runtime.block_on(Ecr::new(rig.ecr.clone(), options).with_coverage(rig.inspector.clone()).fetch(&image, &inventory))
            } else {
                rig.runtime.block_on(Inspector::new(rig.inspector.clone(), options).fetch(&image, &inventory))
            }
            .expect("set up");
            assert!(clock.now() <= Duration::from_secs(901), "{source} {seed}: {:?}", clock.now());
            assert_eq!(report.state.completeness == Completeness::Complete, report.gaps.is_empty(), "{source} {seed}");
            let ids: BTreeSet<&str> = report.observations.iter().map(|row| row.id.as_str()).collect();
            assert!(ids.iter().all(|id| id.starts_with("CVE-")), "{source} {seed}: rows of another image");
            if report.gaps.is_empty() {
                complete += 1;
                assert_eq!(ids.len(), timeline.last(), "{source} {seed}: a false pass: {timeline:?} {:?}", report.state);
                assert!(clock.now().as_secs() >= timeline.covered, "{source} {seed}: passed before the scan had ended");
            } else {
                incomplete += 1;
            }
            if timeline.faults == 0 && timeline.covered != u64::MAX {
                assert!(report.gaps.is_empty(), "{source} {seed}: {:?} {timeline:?}", report.gaps);
            }
        }
    }
    eprintln!("{complete} complete, {incomplete} incomplete");
    assert!(complete > least / 4 && incomplete > least / 10, "{complete} complete, {incomplete} incomplete");
}
