//! What somebody wants to know of the files that stream past, told from their paths and first bytes.

use crate::layers::{Body, Limits};

/// Who wants what of which file.
pub trait Interest: Sync {
    /// How much is wanted of the file at this path. A path that ends with a slash asks of a folder: anything but `No` says that records are looked
    /// for in it, so that a link of this name must not be lost.
    fn wants(&self, path: &str) -> Want;

    /// Whether [`Self::scan`] wants the whole of a file of `size` bytes that begins with `head`, whatever else becomes of it. Not asked of files
    /// above `Limits::scanned_file_bytes`.
    fn scans(&self, _path: &str, _head: &[u8], _size: u64) -> bool {
        false
    }

    /// What is noted of a file of one layer, whether or not an upper layer deletes or replaces it.
    fn scan(&self, _path: &str, _bytes: &[u8]) -> Option<Vec<u8>> {
        None
    }
}

impl<F: Fn(&str) -> Want + Sync> Interest for F {
    fn wants(&self, path: &str) -> Want {
        self(path)
    }
}

/// How much somebody wants of a file, told from its path alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Want {
    /// Nothing.
    No,
    /// Only to know that it is there.
    Presence,
    /// What this examiner says of it, if its first bytes are of the kind that it looks at.
    ExamineIf(&'static dyn Examiner),
    /// What this examiner says of it; the file may be too large, or too much of it irrelevant, to keep its bytes.
    Examine(&'static dyn Examiner),
    /// Its bytes.
    Bytes,
}

impl Want {
    /// Whether the path alone says that the file matters.
    #[must_use]
    pub const fn by_name(self) -> bool {
        matches!(self, Self::Presence | Self::Examine(_) | Self::Bytes)
    }

    /// Whether the path alone says that something of the file's content matters.
    #[must_use]
    pub const fn by_content(self) -> bool {
        matches!(self, Self::Examine(_) | Self::Bytes)
    }
}

/// Takes what matters out of files that are large or of which little matters, while they stream past. It sees each file once, in its layer, before
/// it is known whether an upper layer deletes it or which package owns it; what it says waits in its place, also from run to run in a cache.
pub trait Examiner: Sync {
    /// The permanent id, without NUL.
    fn id(&self) -> &'static str;

    /// Whether to look at a file of `size` bytes that begins with `head`, its first 512 bytes or all there are. What is not wanted is as good as
    /// not there.
    fn is_wanted(&self, path: &str, head: &[u8], size: u64) -> bool;

    /// Looks at a file; what it gives is what [`FileEntry::extract`](crate::layers::FileEntry::extract) gives later. Nothing (no bytes) for a file
    /// that turned out not to matter. What could not be read has to be in the extract, so that it becomes a Gap. Never reads more, or takes
    /// longer, than in proportion to the file's size and the limits, whatever its bytes are.
    fn examine(&self, path: &str, body: &Body<'_>, limits: &Limits) -> Vec<u8>;
}

impl std::fmt::Debug for dyn Examiner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.id())
    }
}

impl PartialEq for dyn Examiner {
    fn eq(&self, other: &Self) -> bool {
        self.id() == other.id()
    }
}

impl Eq for dyn Examiner {}
