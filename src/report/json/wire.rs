//! The members of `plimsoll/report/1` (`policies/report.schema.json`). Adding a member is allowed; any other change is `plimsoll/report/2`.

use std::{borrow::Cow, collections::BTreeMap};

use serde::Serialize;

/// The members of `plimsoll/reports/1`: the reports of one run, one for each platform of an image.
#[derive(Debug, Serialize)]
pub(super) struct Reports<'a> {
    pub(super) schema: &'static str,
    /// The worst of all.
    pub(super) verdict: Verdict,
    pub(super) reports: Vec<Report<'a>>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Report<'a> {
    pub(super) schema: &'static str,
    pub(super) tool: Tool<'a>,
    pub(super) command: &'a str,
    pub(super) evaluated_at: String,
    pub(super) mode: &'static str,
    pub(super) verdict: Verdict,
    pub(super) counts: Counts,
    pub(super) policy: Policy<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) image: Option<Image<'a>>,
    pub(super) dockerfiles: Vec<Dockerfile<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) fixes: Vec<FixSummary<'a>>,
    pub(super) sources: Vec<Source<'a>>,
    pub(super) findings: super::convert::Findings<'a>,
    pub(super) requirements: Vec<Requirement<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) evidence: Option<super::evidence::Found<'a>>,
    pub(super) gaps: Vec<Gap<'a>>,
    pub(super) exceptions: Vec<Exception<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) distro: Option<Distro<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) packages: Option<Vec<Package<'a>>>,
}

#[derive(Debug, Serialize)]
pub(super) struct Tool<'a> {
    pub(super) name: &'static str,
    pub(super) version: &'a str,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Verdict {
    pub(super) outcome: String,
    pub(super) exit_code: u8,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Counts {
    pub(super) findings: BTreeMap<&'static str, usize>,
    pub(super) violations_by_severity: BTreeMap<&'static str, usize>,
    pub(super) requirements_violated: usize,
    pub(super) gaps: usize,
    pub(super) gaps_blocking: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) packages: Option<usize>,
}

#[derive(Debug, Serialize)]
pub(super) struct Policy<'a> {
    pub(super) name: &'a str,
    pub(super) digest: String,
    pub(super) files: Vec<File<'a>>,
}

#[derive(Debug, Serialize)]
pub(super) struct File<'a> {
    pub(super) file: &'a str,
    pub(super) digest: String,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Image<'a> {
    pub(super) reference: String,
    pub(super) digest: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) index_digest: Option<String>,
    pub(super) platform: String,
    pub(super) platform_choice: &'static str,
    pub(super) media_type: &'a str,
    pub(super) config_digest: String,
    pub(super) config: Config<'a>,
    pub(super) layers: Vec<Layer<'a>>,
}

/// How the image runs, without credentials; of `Env` the names only, because values may be secrets.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Config<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) created: Option<&'a str>,
    pub(super) user: Cow<'a, str>,
    pub(super) env_names: Vec<Cow<'a, str>>,
    pub(super) entrypoint: Vec<Cow<'a, str>>,
    pub(super) cmd: Vec<Cow<'a, str>>,
    pub(super) working_dir: Cow<'a, str>,
    pub(super) exposed_ports: &'a [String],
    pub(super) volumes: Vec<Cow<'a, str>>,
    pub(super) labels: BTreeMap<Cow<'a, str>, Cow<'a, str>>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Layer<'a> {
    pub(super) index: usize,
    pub(super) digest: String,
    pub(super) diff_id: String,
    pub(super) media_type: &'a str,
    pub(super) size: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) history: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) created_by: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) origin: Option<Origin<'a>>,
}

/// Where a layer comes from, or what a finding is about.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Origin<'a> {
    /// `base`, `own` or `unknown`.
    pub(super) side: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) dockerfile: Option<Span<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) stage: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) copied_from: Option<&'a str>,
    pub(super) certain: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) doubt: Option<&'a str>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Dockerfile<'a> {
    pub(super) file: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) final_from_line: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) final_from: Option<&'a str>,
}

#[derive(Debug, Serialize)]
pub(super) struct Source<'a> {
    pub(super) id: &'static str,
    pub(super) state: &'static str,
    pub(super) asked: bool,
    pub(super) details: &'a BTreeMap<String, String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Finding<'a> {
    pub(super) id: &'a str,
    pub(super) aliases: Vec<&'a str>,
    pub(super) kind: &'static str,
    pub(super) title: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) package: Option<FindingPackage<'a>>,
    pub(super) severity: Severity<'a>,
    pub(super) fixed: &'a [String],
    pub(super) state: &'static str,
    pub(super) kev: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) epss: Option<String>,
    pub(super) locations: Vec<Location<'a>>,
    /// The line to edit.
    pub(super) place: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) origin: Option<Origin<'a>>,
    pub(super) evidence: Vec<Evidence<'a>>,
    pub(super) notes: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) fix: Option<Fix<'a>>,
    pub(super) decision: Decision<'a>,
    pub(super) fingerprint: String,
}

/// Edits of a Dockerfile: all of them, or none.
#[derive(Debug, Serialize)]
pub(super) struct Fix<'a> {
    pub(super) kind: &'static str,
    pub(super) edits: Vec<Edit<'a>>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Edit<'a> {
    /// Offset of the first byte that goes.
    pub(super) byte_offset: usize,
    /// How many bytes go; 0 where something is only put in.
    pub(super) byte_length: usize,
    pub(super) line: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) column: Option<u32>,
    pub(super) replacement: &'a str,
}

/// What `lint --fix` did in one file.
#[derive(Debug, Serialize)]
pub(super) struct FixSummary<'a> {
    pub(super) file: &'a str,
    pub(super) applied: Vec<FixRecord<'a>>,
    pub(super) withheld: Vec<FixRecord<'a>>,
}

#[derive(Debug, Serialize)]
pub(super) struct FixRecord<'a> {
    pub(super) id: &'a str,
    pub(super) line: u32,
    pub(super) kind: &'static str,
    pub(super) title: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) reason: Option<&'a str>,
}

#[derive(Debug, Serialize)]
pub(super) struct FindingPackage<'a> {
    pub(super) name: &'a str,
    pub(super) version: &'a str,
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub(super) kind: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) purl: Option<&'a str>,
}

#[derive(Debug, Serialize)]
pub(super) struct Severity<'a> {
    pub(super) effective: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) author: Option<&'static str>,
    pub(super) ratings: Vec<Rating<'a>>,
}

#[derive(Debug, Serialize)]
pub(super) struct Rating<'a> {
    pub(super) author: &'static str,
    pub(super) severity: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) word: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) vector: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) score: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(tag = "kind", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub(super) enum Location<'a> {
    Dockerfile(Span<'a>),
    Policy(Span<'a>),
    Image {
        layer: String,
        layer_index: usize,
        path: &'a str,
    },
    History {
        index: usize,
        #[serde(skip_serializing_if = "Option::is_none")]
        layer: Option<String>,
    },
    Config,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Span<'a> {
    pub(super) file: &'a str,
    pub(super) line: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) column: Option<u32>,
    pub(super) end_line: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) end_column: Option<u32>,
}

#[derive(Debug, Serialize)]
pub(super) struct Evidence<'a> {
    pub(super) source: &'static str,
    pub(super) id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) package: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) version: Option<&'a str>,
    pub(super) matched: &'static str,
    pub(super) fixed: &'a [String],
    pub(super) state: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) link: Option<&'a str>,
    pub(super) attributes: &'a BTreeMap<String, String>,
}

#[derive(Debug, Serialize)]
pub(super) struct Decision<'a> {
    pub(super) effect: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) clause: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) exception: Option<Span<'a>>,
    pub(super) reason: &'a str,
}

#[derive(Debug, Serialize)]
pub(super) struct Requirement<'a> {
    pub(super) id: &'a str,
    pub(super) asks: &'a str,
    pub(super) state: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) code: Option<&'static str>,
    pub(super) detail: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) decision: Option<Decision<'a>>,
}

#[derive(Debug, Serialize)]
pub(super) struct Gap<'a> {
    pub(super) source: &'static str,
    pub(super) kind: &'static str,
    pub(super) subject: &'a str,
    pub(super) reason: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) hint: Option<&'a str>,
    pub(super) decision: Decision<'a>,
}

#[derive(Debug, Serialize)]
pub(super) struct Exception<'a> {
    pub(super) id: &'a str,
    pub(super) location: Span<'a>,
    pub(super) state: &'static str,
    pub(super) hits: usize,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Distro<'a> {
    pub(super) id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) version_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) codename: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) pretty_name: Option<&'a str>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Package<'a> {
    pub(super) purl: &'a str,
    pub(super) name: &'a str,
    pub(super) version: &'a str,
    #[serde(rename = "type")]
    pub(super) kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) arch: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) source: Option<SourcePackage<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) owner: Option<&'a str>,
    pub(super) licences: Vec<&'a str>,
    pub(super) locations: Vec<Location<'a>>,
    pub(super) found_by: &'a str,
    pub(super) basis: &'static str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) hashes: Vec<String>,
}

#[derive(Debug, Serialize)]
pub(super) struct SourcePackage<'a> {
    pub(super) name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) version: Option<&'a str>,
}
