//! `Limits`: every size, count and depth that hostile image content is held to, in one place, each with its default.
//! Reaching one is a Gap that names the limit and its number, never a silent cut.

use std::time::Duration;

/// What layer content may cost. The numbers are per image unless the field says otherwise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Layers that are read.
    pub layers: usize,
    /// Tar entries per layer.
    pub entries: u64,
    /// Bytes of one path or link target.
    pub path_bytes: usize,
    /// Bytes of one PAX header or GNU long name.
    pub extended_header_bytes: u64,
    /// Bytes of paths and link targets remembered per layer, after shared prefixes are folded.
    pub remembered_path_bytes: usize,
    /// What the paths and link targets in the merged view may take, with the nodes that hold them.
    pub placed_path_bytes: usize,
    /// Bytes of one wanted file.
    pub file_bytes: u64,
    /// Bytes of wanted files kept over all layers, compressed as they wait.
    pub kept_bytes: u64,
    /// Bytes kept of the lower layers' versions of files that upper layers replace; they tell which layer brought a package.
    pub older_bytes: u64,
    /// Bytes that a layer may need before all layers below it are merged.
    pub early_bytes: u64,
    /// Bytes of one file that nobody wants by its name but that a link may yet give a wanted name.
    pub candidate_file_bytes: u64,
    /// Bytes of such files per layer.
    pub candidate_bytes: u64,
    /// Bytes of one file that is examined while it streams past.
    pub examined_bytes: u64,
    /// Bytes of such a file that are held in memory; a larger one waits in an unlinked temporary file while it is examined.
    pub examined_memory_bytes: usize,
    /// Bytes of what is said of one examined file.
    pub extract_bytes: usize,
    /// Bytes of one file that is searched for secrets; 0 for none.
    pub scanned_file_bytes: u64,
    /// Bytes of what is noted of one layer's files.
    pub note_bytes: u64,
    /// Paths with special permissions or notes, over all layers.
    pub marked_paths: usize,
    /// Archives that may stand inside each other.
    pub archive_depth: usize,
    /// Entries read from one file's archives, nested ones included.
    pub archive_entries: usize,
    /// Bytes inflated from one file's archives, nested ones included.
    pub archive_bytes: u64,
    /// Bytes of one layer's blob, as its descriptor promises them; whoever reads it holds it to that.
    pub blob_bytes: u64,
    /// Bytes of all layers' blobs.
    pub image_blob_bytes: u64,
    /// Uncompressed bytes of one layer.
    pub layer_bytes: u64,
    /// Uncompressed bytes of all layers.
    pub image_bytes: u64,
    /// How many times larger than its blob a layer may be that exceeds `ratio_floor`. gzip reaches 1,032, honest layers seldom 20.
    pub ratio: u64,
    /// Uncompressed bytes up to which no ratio is too much: so many are read in seconds.
    pub ratio_floor: u64,
    /// Wall-clock time for all layers of an image.
    pub time: Duration,
    /// Logarithm of the largest zstd window.
    pub zstd_window_log: u32,
    /// Symbolic links followed for one path.
    pub link_hops: usize,
    /// Path components looked up while layers are merged; long paths count more.
    pub link_steps: u64,
    /// Bytes of one line of a text record.
    pub line_bytes: usize,
    /// Nesting of one JSON record.
    pub json_depth: usize,
    /// Packages of one database, and of the whole image.
    pub packages: usize,
    /// Gaps of one kind that are listed one by one; the rest is counted in one more Gap.
    pub gaps_per_kind: usize,
    /// Layers read at the same time.
    pub threads: usize,
}

impl Default for Limits {
    fn default() -> Self {
        const KIB: u64 = 1024;
        const MIB: u64 = 1024 * KIB;
        Self {
            layers: 1_000,
            entries: 5_000_000,
            path_bytes: 64 * 1024,
            extended_header_bytes: MIB,
            remembered_path_bytes: 64 * 1024 * 1024,
            placed_path_bytes: 32 * 1024 * 1024,
            file_bytes: 128 * MIB,
            kept_bytes: 48 * MIB,
            older_bytes: 16 * MIB,
            early_bytes: 8 * MIB,
            candidate_file_bytes: 64 * KIB,
            candidate_bytes: 8 * MIB,
            examined_bytes: 1024 * MIB,
            examined_memory_bytes: 8 * 1024 * 1024,
            extract_bytes: 8 * 1024 * 1024,
            scanned_file_bytes: 0,
            note_bytes: 4 * MIB,
            marked_paths: 20_000,
            archive_depth: 8,
            archive_entries: 500_000,
            archive_bytes: 256 * MIB,
            blob_bytes: 32 * KIB * MIB,
            image_blob_bytes: 128 * KIB * MIB,
            layer_bytes: 64 * KIB * MIB,
            image_bytes: 256 * KIB * MIB,
            ratio: 500,
            ratio_floor: 4 * KIB * MIB,
            time: Duration::from_secs(15 * 60),
            zstd_window_log: 26,
            link_hops: 40,
            link_steps: 50_000_000,
            line_bytes: 1024 * 1024,
            json_depth: 128,
            packages: 100_000,
            gaps_per_kind: 50,
            threads: 4,
        }
    }
}

/// How many uncompressed bytes one layer may have, and the words for having more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct LayerRoom {
    pub bytes: u64,
    pub exceeded: String,
}

impl Limits {
    /// The room for a layer whose blob has `blob` bytes.
    pub(super) fn room_of(&self, blob: u64) -> LayerRoom {
        let by_ratio = blob.saturating_mul(self.ratio).max(self.ratio_floor);
        let (bytes, why) = if by_ratio < self.layer_bytes {
            (by_ratio, format!(", which is {} times its blob's {blob} bytes or {}, whichever is more", self.ratio, self.ratio_floor))
        } else {
            (self.layer_bytes, String::new())
        };
        LayerRoom { bytes, exceeded: format!("is larger than the limit of {bytes} uncompressed bytes{why}") }
    }
}
