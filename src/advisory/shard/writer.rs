//! Writes one shard. In: advisories in order, the OSV ecosystem strings that the shard is about, and facts; out: bytes that depend on nothing else
//! (advisories.md D8).

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    advisory::{
        Error, almalinux, ecosystem,
        shard::{
            CVE_ENTRY, MAGIC, RowStatus, Section,
            bytes::{put_bytes, put_number, size},
            container::{Counts, assemble},
            fields::Encoder,
            tables::{Coding, EXTRAS, IDS, KEYS, RECORDS, ROWS, SPECS, STRINGS, Writer},
            text,
        },
    },
    model::{advisory::Advisory, digest::Digest, package::PackageKind},
};

/// Names and values.
pub(in crate::advisory) type Facts = BTreeMap<&'static str, String>;

/// What a shard is made of.
pub(in crate::advisory) struct Contents<'a> {
    /// The OSV ecosystem strings that it is about, with what is known of each; rows of others are left out.
    pub(in crate::advisory) coverage: BTreeMap<String, Facts>,
    /// How names are written in the index.
    pub(in crate::advisory) kind: PackageKind,
    /// Facts about the shard.
    pub(in crate::advisory) facts: Facts,
    /// Newest record, seconds since 1970; 0 when no record says.
    pub(in crate::advisory) newest: u64,
    /// The records, sorted by id; each has at least one row here.
    pub(in crate::advisory) advisories: &'a [&'a Advisory],
}

/// A finished shard.
pub(in crate::advisory) struct Encoded {
    /// The file.
    pub(in crate::advisory) bytes: Vec<u8>,
    /// Its text file and the digest that is part of that file's name; shards without advisories have none.
    pub(in crate::advisory) text: Option<(Vec<u8>, Digest)>,
    /// How many rows it holds.
    pub(in crate::advisory) rows: u32,
}

/// Whether a record can match anything at all (advisories.md R13).
pub(in crate::advisory) fn status_of(advisory: &Advisory) -> RowStatus {
    let names_a_cve =
        || [&advisory.aliases, &advisory.upstream, &advisory.related].into_iter().flatten().any(|id| id.0.starts_with("CVE-"));
    if advisory.withdrawn.is_some() || (almalinux::is_errata_without_security(&advisory.id.0) && !names_a_cve()) {
        RowStatus::Inactive
    } else {
        RowStatus::Active
    }
}

/// The rows of one key while they are collected.
#[derive(Default)]
struct RowList {
    bytes: Vec<u8>,
    count: u32,
    last_record: u32,
}

/// Encodes a shard.
pub(in crate::advisory) fn encode(mut contents: Contents<'_>) -> Result<Encoded, Error> {
    let mut encoder = Encoder::new();
    let mut keys: BTreeMap<Vec<u8>, RowList> = BTreeMap::new();
    let (mut ids, mut records) = (Writer::new(Coding::Front), Writer::new(Coding::Plain));
    let mut rows = BTreeMap::<&str, (u32, u32)>::new();
    for advisory in contents.advisories {
        let number = ids.push(advisory.id.0.as_bytes())?;
        let is_inactive = u32::from(status_of(advisory) == RowStatus::Inactive);
        let mut texts = BTreeSet::new();
        for affected in advisory.affected.iter().filter(|affected| contents.coverage.contains_key(&affected.ecosystem)) {
            let spec = encoder.spec(affected)?;
            let extras = encoder.extras_of_row(affected)?;
            let name = ecosystem::index_name(contents.kind, &affected.name);
            let list = keys.entry([affected.ecosystem.as_bytes(), b"\0", name.as_bytes()].concat()).or_default();
            put_number(&mut list.bytes, number - list.last_record);
            let head = spec.checked_mul(4).ok_or(Error::TooLarge("ranges"))?;
            put_number(&mut list.bytes, head | u32::from(extras.is_some()) << 1 | is_inactive);
            if let Some(extras) = extras {
                put_number(&mut list.bytes, extras);
            }
            list.count += 1;
            list.last_record = number;
            let counts = rows.entry(&affected.ecosystem).or_default();
            counts.1 = counts.1.checked_add(1).ok_or(Error::TooLarge("rows"))?;
            counts.0 += u32::from(texts.insert(&affected.ecosystem));
        }
        records.push(&encoder.record(advisory)?)?;
    }
    let total = rows.values().try_fold(0_u32, |sum, (_, rows)| sum.checked_add(*rows)).ok_or(Error::TooLarge("rows"))?;
    for (text, facts) in &mut contents.coverage {
        let (records, rows) = rows.get(text.as_str()).copied().unwrap_or_default();
        facts.insert("records", records.to_string());
        facts.insert("rows", rows.to_string());
    }
    let (text, text_digest) = text::encode(contents.advisories)?;
    contents.facts.insert("text-digest", text_digest.to_string());
    let counts = Counts {
        newest: contents.newest,
        records: ids.count(),
        rows: total,
        names: size(keys.len(), "names")?,
        longest: size(keys.keys().map(Vec::len).max().unwrap_or(0), "name")?,
    };
    let (mut names, mut lists) = (Writer::new(Coding::Front), Writer::new(Coding::Plain));
    for (key, list) in keys {
        let mut entry = Vec::with_capacity(list.bytes.len() + 2);
        put_number(&mut entry, list.count);
        entry.extend_from_slice(&list.bytes);
        names.push(&key)?;
        lists.push(&entry)?;
    }
    let mut sections = vec![(Section::Meta, facts(&contents.facts)?), (Section::Coverage, coverage(&contents.coverage)?)];
    for (table, writer) in [
        (STRINGS, encoder.strings.table),
        (KEYS, names),
        (ROWS, lists),
        (SPECS, encoder.specs.table),
        (EXTRAS, encoder.extras.table),
        (IDS, ids),
        (RECORDS, records),
    ] {
        sections.extend(writer.sections(table)?);
    }
    Ok(Encoded { bytes: assemble(MAGIC, counts, &sections).0, text: Some((text, text_digest)), rows: total })
}

/// Encodes a shard of facts by CVE; `entries` are sorted and name each CVE once. `name` stands where others have their OSV ecosystem.
pub(in crate::advisory) fn encode_by_cve(name: &str, about: &Facts, newest: u64, entries: &[[u8; CVE_ENTRY]]) -> Result<Encoded, Error> {
    let rows = size(entries.len(), "entries")?;
    let mut covered: Facts = about.iter().filter(|(name, _)| **name == "as-of").map(|(name, value)| (*name, value.clone())).collect();
    covered.insert("records", rows.to_string());
    covered.insert("rows", rows.to_string());
    let sections = [
        (Section::Meta, facts(about)?),
        (Section::Coverage, coverage(&BTreeMap::from([(name.to_owned(), covered)]))?),
        (Section::ByCve, entries.concat()),
    ];
    let counts = Counts { newest, records: rows, rows, ..Counts::default() };
    Ok(Encoded { bytes: assemble(MAGIC, counts, &sections).0, text: None, rows })
}

fn facts(facts: &Facts) -> Result<Vec<u8>, Error> {
    let mut out = Vec::new();
    put_facts(&mut out, facts)?;
    Ok(out)
}

fn coverage(coverage: &BTreeMap<String, Facts>) -> Result<Vec<u8>, Error> {
    let mut out = Vec::new();
    put_number(&mut out, size(coverage.len(), "releases")?);
    for (text, facts) in coverage {
        put_bytes(&mut out, text.as_bytes())?;
        put_facts(&mut out, facts)?;
    }
    Ok(out)
}

fn put_facts(out: &mut Vec<u8>, facts: &Facts) -> Result<(), Error> {
    put_number(out, size(facts.len(), "facts")?);
    for (name, value) in facts {
        put_bytes(out, name.as_bytes())?;
        put_bytes(out, value.as_bytes())?;
    }
    Ok(())
}
