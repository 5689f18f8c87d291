//! `add-instead-of-copy`: ADD of local files that are not archives.

use crate::model::{
    finding::Finding,
    fix::FixKind,
    rule::{Group, Need, RuleMeta},
    severity::Severity,
};

use crate::dockerfile::rule::{Dockerfile, Rule, fixed_by};

const META: RuleMeta = RuleMeta {
    id: "add-instead-of-copy",
    group: Group::Style,
    severity: Severity::Low,
    default_on: true,
    aliases: &["9513a694", "AVD-DS-0005", "CIS-4.9", "CIS-DI-0009", "CKV_DOCKER_4", "DL3020", "DS-0005", "DS005", "prefer-copy-over-add"],
    also: &[],
    needs: &[Need::Ast],
    fix: Some(FixKind::Safe),
    summary: "ADD of local files that are not archives.",
    help: r#"ADD unpacks archives and fetches addresses; for files of the build context COPY does what is meant, and no more. Unlike hadolint's DL3020, a variable that becomes an address is one, and triggers of ONBUILD count.

Fails:

```dockerfile
FROM debian:12
ADD app.py /app/
```

Clean:

```dockerfile
FROM debian:12
COPY app.py /app/
```
"#,
};

/// ADD of local files that are not archives.
pub(super) struct AddInsteadOfCopy;

impl Rule for AddInsteadOfCopy {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, dockerfile: &Dockerfile<'_>) -> Vec<Finding> {
        let mut findings = Vec::new();
        for (index, instruction) in dockerfile.with_keyword("ADD") {
            let values = dockerfile.graph.values.get(index).map_or(&[][..], Vec::as_slice);
            let sources = values.split_last().map_or(&[][..], |(_, sources)| sources);
            let is_own = instruction.flags.iter().any(|flag| matches!(flag.name.as_str(), "checksum" | "unpack" | "keep-git-dir"));
            if is_own || sources.is_empty() || sources.iter().all(|source| !source.is_decided() || wants_add(&source.text)) {
                continue;
            }
            let finding =
                dockerfile.finding(&META, META.severity, instruction, "ADD of files of the build context: COPY is enough".to_owned());
            let is_plain = sources.iter().all(|source| source.is_decided() && is_no_archive(dockerfile, &source.text));
            let word = instruction.at..instruction.at + instruction.word.len();
            let copy = if instruction.word == instruction.keyword { "COPY" } else { "copy" };
            findings.push(match dockerfile.edit_in(instruction, &word, copy).filter(|_| is_plain) {
                Some(edit) => fixed_by(finding, FixKind::Safe, vec![edit]),
                None => finding,
            });
        }
        findings
    }
}

/// Whether a source is certainly no archive. ADD looks at what a file holds, not at its name.
fn is_no_archive(dockerfile: &Dockerfile<'_>, source: &str) -> bool {
    const TEXTS: &[&str] = &[
        ".c",
        ".cfg",
        ".cnf",
        ".conf",
        ".cpp",
        ".css",
        ".csv",
        ".env",
        ".go",
        ".h",
        ".html",
        ".ini",
        ".java",
        ".js",
        ".json",
        ".jsx",
        ".lock",
        ".md",
        ".mjs",
        ".php",
        ".pl",
        ".properties",
        ".py",
        ".rb",
        ".repo",
        ".rs",
        ".service",
        ".sh",
        ".sql",
        ".toml",
        ".ts",
        ".tsx",
        ".txt",
        ".vue",
        ".xml",
        ".yaml",
        ".yml",
    ];
    if source.contains(['*', '?', '[']) || source.contains("://") || wants_add(source) {
        return false;
    }
    let path = source.trim_start_matches("./").trim_matches('/');
    let is_folder = || dockerfile.context.and_then(|context| context.entries.get(path)).is_some_and(|entry| entry.is_folder);
    path.is_empty() || path == "." || source.ends_with('/') || TEXTS.iter().any(|end| path.ends_with(end)) || is_folder()
}

/// Whether a source is what ADD is for: an archive, which it unpacks, or an address.
fn wants_add(source: &str) -> bool {
    const ARCHIVES: &[&str] = &[
        ".Z", ".bz2", ".gz", ".lz", ".lzma", ".tZ", ".tar", ".tb2", ".tbz", ".tbz2", ".tgz", ".tlz", ".txz", ".tzst", ".xz", ".zip", ".zst",
    ];
    let is_address =
        ["http://", "https://", "git://", "git@", "ssh://"].iter().any(|start| source.starts_with(start)) || source.ends_with(".git");
    is_address || ARCHIVES.iter().any(|end| source.ends_with(end))
}
