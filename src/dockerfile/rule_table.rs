//! The rules beside the table that they are made from: `design/dockerfile-rules.tsv` in the folder of `PLIMSOLL_CORPUS`.

#[cfg(test)]
mod tests {
    use std::{
        collections::{BTreeMap, BTreeSet},
        fs,
        path::PathBuf,
    };

    use crate::{
        model::{
            fix::FixKind,
            rule::{Need, RuleMeta},
        },
        pipeline,
    };

    /// A row by the names of its columns.
    type Row = BTreeMap<String, String>;

    /// The columns that hold the ids of other tools.
    const PEERS: &[&str] = &["hadolint", "buildkit", "trivy", "checkov", "kics", "semgrep", "dockle_cis"];

    /// Rules about built images that no Dockerfile linter has and the table has no row for.
    const IMAGE_ONLY: &[&str] =
        &["credential-in-layer", "package-cache-left", "private-key-in-layer", "runtime-end-of-life", "tools-in-image"];

    fn table() -> Option<Vec<Row>> {
        let path = std::env::var_os("PLIMSOLL_CORPUS").map(|root| PathBuf::from(root).join("design/dockerfile-rules.tsv"));
        let Some(text) = path.and_then(|path| fs::read_to_string(path).ok()) else {
            eprintln!("skipped: PLIMSOLL_CORPUS is not set, or has no design/dockerfile-rules.tsv");
            return None;
        };
        let mut lines = text.lines();
        let header: Vec<String> = lines.next().expect("a header").split('\t').map(str::to_owned).collect();
        Some(lines.map(|line| header.iter().cloned().zip(line.split('\t').map(str::to_owned)).collect()).collect())
    }

    fn cell(text: &str) -> BTreeSet<String> {
        text.split(',').filter(|id| *id != "-").map(str::to_owned).collect()
    }

    /// The ids of one column with every spelling of Trivy's.
    fn spelled(ids: BTreeSet<String>) -> BTreeSet<String> {
        let spellings = |id: String| match id.strip_prefix("DS-") {
            Some(number) => vec![format!("AVD-DS-{number}"), format!("DS{}", number.strip_prefix('0').unwrap_or(number)), id],
            None => vec![id],
        };
        ids.into_iter().flat_map(spellings).collect()
    }

    fn set(ids: &[&str]) -> BTreeSet<String> {
        ids.iter().map(|&id| id.to_owned()).collect()
    }

    /// What a rule says otherwise than its row.
    fn faults(meta: &RuleMeta, row: &Row) -> Vec<String> {
        let mut faults = Vec::new();
        let mut compare = |column: &str, found: String, wanted: String| {
            if found != wanted {
                faults.push(format!("{}: {column} is {found}, the table says {wanted}", meta.id));
            }
        };
        compare("group", meta.group.name().to_owned(), row["group"].clone());
        compare("severity", meta.severity.to_string().to_lowercase(), row["severity"].clone());
        compare("default", if meta.default_on { "on" } else { "off" }.to_owned(), row["default"].clone());
        let needs: Vec<&str> = meta.needs.iter().copied().map(Need::name).collect();
        compare("needs", needs.join(","), row["needs"].clone());
        let fix = match meta.fix {
            Some(FixKind::Safe) => "safe",
            Some(FixKind::Unsafe) => "unsafe",
            Some(FixKind::Network) => "network",
            None => "no",
        };
        compare("fix", fix.to_owned(), row["fix"].clone());
        let aliases = spelled(PEERS.iter().flat_map(|peer| cell(&row[*peer])).collect());
        compare("aliases", format!("{:?}", set(meta.aliases)), format!("{aliases:?}"));
        let also = cell(&row["also"]);
        // The spellings may be written out there, or left to the reader of ignores.
        if set(meta.also) != also && set(meta.also) != spelled(also.clone()) {
            compare("also", format!("{:?}", set(meta.also)), format!("{also:?}"));
        }
        if !meta.aliases.is_sorted() || !meta.also.is_sorted() {
            faults.push(format!("{}: ids of other tools are not sorted", meta.id));
        }
        faults
    }

    #[test]
    fn rules_say_what_their_rows_say() {
        let Some(table) = table() else { return };
        let rows: BTreeMap<&str, &Row> = table.iter().map(|row| (row["id"].as_str(), row)).collect();
        let mut wrong = Vec::new();
        for meta in pipeline::rules() {
            match rows.get(meta.id) {
                Some(row) => wrong.extend(faults(meta, row)),
                None if IMAGE_ONLY.contains(&meta.id) => {}
                None => wrong.push(format!("{}: not in the table", meta.id)),
            }
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }

    #[test]
    fn every_row_has_a_rule() {
        let Some(table) = table() else { return };
        assert_eq!(table.len(), 152);
        let known: BTreeSet<&str> = pipeline::rules().iter().map(|meta| meta.id).collect();
        let missing: Vec<&str> = table.iter().map(|row| row["id"].as_str()).filter(|id| !known.contains(id)).collect();
        assert!(missing.is_empty(), "{} of {} rows have no rule: {}", missing.len(), table.len(), missing.join(", "));
    }
}
