//! A report of nothing but an inventory, for tests.

use jiff::Timestamp;

use crate::model::{
    digest::Digest,
    package::Inventory,
    policy::Mode,
    report::{PolicySummary, ScanReport},
    verdict::{Outcome, Verdict},
};

pub(in crate::report) fn report(inventory: Inventory) -> ScanReport {
    ScanReport {
        command: "inventory",
        tool_version: "0.0.0",
        evaluated_at: Timestamp::UNIX_EPOCH,
        source_date: None,
        policy: PolicySummary { name: String::new(), digest: Digest::sha256_of(b""), files: Vec::new(), mode: Mode::Enforce },
        image: None,
        dockerfiles: Vec::new(),
        fixes: Vec::new(),
        inventory: Some(inventory),
        verification: None,
        sources: Vec::new(),
        verdict: Verdict {
            outcome: Outcome::Pass,
            findings: Vec::new(),
            gaps: Vec::new(),
            requirements: Vec::new(),
            exceptions: Vec::new(),
        },
        exit_code: 0,
    }
}
