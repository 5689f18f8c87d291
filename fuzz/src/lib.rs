//! What several targets share: a source of images held in memory, images of one file, and tars whose checksums are right whatever the fuzzer did to them.

use std::{
    io::{Cursor, Read},
    panic::{set_hook, take_hook},
    sync::Once,
};

use futures_util::future::{BoxFuture, FutureExt as _, ready};
use plimsoll::{
    dockerfile::{self, LintInput, LintReport},
    inventory,
    layers::{self, LayerInput, Limits},
    model::{
        digest::Digest,
        finding::Finding,
        fix::FixKind,
        image::{Descriptor, Layer, Platform, ResolvedImage},
        lint::LintSettings,
        location::{Location, Span},
        reference::ImageReference,
    },
    registry::{self, Error, ImageSource, RawManifest},
};

/// One manifest or index, and one blob that it may name.
pub struct Memory {
    /// The manifest or index.
    pub root: Vec<u8>,
    /// The blob: an image's configuration.
    pub blob: Vec<u8>,
}

impl Memory {
    /// Resolves the image as a scan would.
    pub fn resolve(&self) -> Result<ResolvedImage, Error> {
        let reference = ImageReference::parse("localhost/fuzz").expect("reference");
        let host = Platform::parse("linux/amd64").expect("platform");
        registry::resolve(self, &reference, None, &host).now_or_never().expect("nothing to wait for")
    }

    fn missing<T>() -> Result<T, Error> {
        Err(Error::Incomplete { place: "the fuzzer".to_owned(), part: "such blob".to_owned() })
    }
}

impl ImageSource for Memory {
    fn fetch_root(&self) -> BoxFuture<'_, Result<RawManifest, Error>> {
        let raw = RawManifest { bytes: self.root.clone(), media_type: String::new(), digest: Digest::sha256_of(&self.root) };
        ready(Ok(raw)).boxed()
    }

    fn fetch_manifest<'a>(&'a self, _: &'a Digest) -> BoxFuture<'a, Result<RawManifest, Error>> {
        self.fetch_root()
    }

    fn fetch_tag<'a>(&'a self, _: &'a str) -> BoxFuture<'a, Result<Option<RawManifest>, Error>> {
        ready(Ok(None)).boxed()
    }

    fn fetch_referrers<'a>(&'a self, _: &'a Digest) -> BoxFuture<'a, Result<Option<Vec<Descriptor>>, Error>> {
        ready(Ok(None)).boxed()
    }

    fn fetch_blob<'a>(&'a self, descriptor: &'a Descriptor, _: u64) -> BoxFuture<'a, Result<Vec<u8>, Error>> {
        ready(if descriptor.digest.matches(&self.blob) { Ok(self.blob.clone()) } else { Self::missing() }).boxed()
    }

    fn open_blob<'a>(&'a self, _: &'a Descriptor) -> BoxFuture<'a, Result<Box<dyn Read + Send>, Error>> {
        ready(Ok(Box::new(Cursor::new(self.blob.clone())) as Box<dyn Read + Send>)).boxed()
    }

    fn holds_signatures(&self) -> bool {
        false
    }
}

/// Gives every block that would be read as a tar header the checksum that it needs, so that the fuzzer gets past it. Returns where the headers stand.
pub fn mend_checksums(bytes: &mut [u8]) -> Vec<usize> {
    let mut headers = Vec::new();
    let mut at = 0;
    while let Some(block) = bytes.get_mut(at..at + 512) {
        if block.iter().all(|&byte| byte == 0) {
            at += 512;
            continue;
        }
        headers.push(at);
        block[148..156].fill(b' ');
        let sum: u32 = block.iter().map(|&byte| u32::from(byte)).sum();
        block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        let has_content = !matches!(block[156], b'1'..=b'6');
        let mut header = tar::Header::new_old();
        header.as_mut_bytes().copy_from_slice(block);
        let size = if has_content { header.entry_size().unwrap_or(0) } else { 0 };
        let Some(next) = usize::try_from(size).ok().and_then(|size| size.checked_next_multiple_of(512)?.checked_add(at + 512)) else {
            break;
        };
        at = next;
    }
    headers
}

/// Where text records stand; their places in this list are those in `seeds.py`.
pub const RECORDS: &[&str] = &include!("records.in");

/// Limits that small inputs reach.
#[must_use]
pub fn small_limits() -> Limits {
    Limits {
        threads: 1,
        file_bytes: 60_000,
        kept_bytes: 200_000,
        examined_memory_bytes: 10_000,
        extract_bytes: 100_000,
        archive_depth: 3,
        archive_entries: 300,
        archive_bytes: 1 << 20,
        packages: 500,
        scanned_file_bytes: 60_000,
        ..Limits::default()
    }
}

/// Takes the inventory of an image that holds these bytes at this path, twice, and compares.
///
/// # Panics
/// When the two differ, or when a package has no name or no place.
pub fn catalog_file(path: &str, bytes: &[u8]) {
    let take = || {
        let mut archive = tar::Builder::new(Vec::new());
        let mut header = tar::Header::new_ustar();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o755);
        archive.append_data(&mut header, path, bytes).expect("tar");
        let tar = archive.into_inner().expect("tar");
        let digest = Digest::sha256_of(&tar);
        let descriptor = Descriptor {
            media_type: String::new(),
            digest: digest.clone(),
            size: tar.len() as u64,
            urls: Vec::new(),
            annotations: Default::default(),
            artifact_type: None,
            platform: None,
        };
        let layer = Layer { index: 0, descriptor, diff_id: digest, history: None, origin: None };
        let input = LayerInput { layer: layer.clone(), reader: Box::new(Cursor::new(tar)) };
        let view = layers::walk(vec![input], &inventory::Interests, &small_limits()).expect("the layer is whole");
        let found = inventory::catalog(&view, std::slice::from_ref(&layer));
        let facts = inventory::facts(&view, &[layer], &found);
        (found, facts)
    };
    let first = take();
    for package in &first.0.packages {
        assert!(!package.name.is_empty() && !package.locations.is_empty(), "{package:?}");
    }
    assert_eq!(first, take());
}

/// Lints a Dockerfile with every rule on, and looks at what comes out.
///
/// # Panics
/// When a second look gives something else, when a place lies outside of the text or ends before it starts, or when edits overlap or cut a character.
pub fn lint(bytes: &[u8]) -> LintReport {
    static HOOK: Once = Once::new();
    // libFuzzer ends at every panic, also at one that is caught.
    HOOK.call_once(|| {
        let tell = take_hook();
        set_hook(Box::new(move |panic| {
            if !dockerfile::panics_are_answers() {
                tell(panic);
            }
        }));
    });
    let settings = LintSettings { on: dockerfile::rules().iter().map(|meta| meta.id.to_owned()).collect(), ..LintSettings::DEFAULT };
    let judge = || dockerfile::lint(&LintInput { settings: &settings, ..LintInput::new("Dockerfile", bytes) });
    let report = judge();
    let again = judge();
    assert_eq!((&report.findings, &report.gaps, &report.ignores), (&again.findings, &again.gaps, &again.ignores));
    assert_eq!((&report.summary, &report.user), (&again.summary, &again.user));
    // Bytes that are no UTF-8 read as one character each, so lines and columns are counted in this text.
    let text: String = bytes.utf8_chunks().flat_map(|chunk| chunk.valid().chars().chain(chunk.invalid().iter().map(|_| '?'))).collect();
    let widths: Vec<usize> = text.split('\n').map(|line| line.chars().count()).collect();
    for finding in &report.findings {
        check_places(finding, &widths);
        for edits in finding.fix.iter().map(|fix| &fix.edits) {
            assert!(!edits.is_empty(), "{finding:?}");
            assert!(edits.windows(2).all(|pair| pair[0].range.end <= pair[1].range.start), "{finding:?}");
            for edit in edits {
                assert!(text.get(edit.range.clone()).is_some(), "{finding:?}");
                check_span(&edit.span, &widths);
            }
        }
    }
    assert!(report.summary.instructions.keys().all(|line| (1..=widths.len()).contains(&(*line as usize))), "{:?}", report.summary);
    report
}

/// Makes every fix that can be proved, with every rule on.
pub fn mend(bytes: &[u8]) -> Vec<u8> {
    let settings = LintSettings { on: dockerfile::rules().iter().map(|meta| meta.id.to_owned()).collect(), ..LintSettings::DEFAULT };
    let input = LintInput { settings: &settings, ..LintInput::new("Dockerfile", bytes) };
    let kinds = [FixKind::Safe, FixKind::Unsafe, FixKind::Network].into();
    dockerfile::fix::fix(&input, &kinds, dockerfile::fix::Secrets::Mend, &|findings, _| vec![true; findings.len()]).bytes
}

fn check_places(finding: &Finding, widths: &[usize]) {
    assert!(!finding.id.is_empty() && !finding.title.is_empty(), "{finding:?}");
    for location in &finding.locations {
        let Location::Dockerfile(span) = location else { panic!("{finding:?}") };
        check_span(span, widths);
    }
}

fn check_span(span: &Span, widths: &[usize]) {
    let place = |line: u32, column: Option<u32>| (line, column.unwrap_or(1));
    assert!(span.line >= 1 && place(span.line, span.column) <= place(span.end_line, span.end_column.or(Some(u32::MAX))), "{span:?}");
    for (line, column) in [(span.line, span.column), (span.end_line, span.end_column)] {
        let width = widths.get(line as usize - 1).copied();
        let width = width.unwrap_or_else(|| panic!("{span:?} ends behind the text's {} lines", widths.len()));
        // The line's end is a place, too.
        assert!(column.is_none_or(|column| column >= 1 && column as usize <= width + 1), "{span:?} in a line of {width}");
    }
}
