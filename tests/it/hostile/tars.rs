//! Tars written byte by byte, because an honest library refuses to write most of what is needed here.

/// A tar that grows entry by entry.
#[derive(Clone)]
pub(crate) struct Tar(Vec<u8>);

/// One header, before it is written.
pub(crate) struct Header {
    block: tar::Header,
}

impl Header {
    pub(crate) fn new(kind: u8, name: impl AsRef<[u8]>) -> Self {
        let mut block = tar::Header::new_gnu();
        block.set_mode(0o644);
        block.set_size(0);
        block.set_entry_type(tar::EntryType::new(kind));
        let name = name.as_ref();
        block.as_old_mut().name[..name.len()].copy_from_slice(name);
        Self { block }
    }

    pub(crate) fn size(mut self, size: u64) -> Self {
        self.block.set_size(size);
        self
    }

    pub(crate) fn link(mut self, target: impl AsRef<[u8]>) -> Self {
        let target = target.as_ref();
        self.block.as_old_mut().linkname[..target.len()].copy_from_slice(target);
        self
    }

    /// The size field as these bytes.
    pub(crate) fn size_field(mut self, field: [u8; 12]) -> Self {
        self.block.as_old_mut().size = field;
        self
    }

    /// Magic and version as these bytes, and what stands where ustar has a prefix.
    pub(crate) fn prefix(mut self, magic: &[u8; 8], prefix: &str) -> Self {
        let block = self.block.as_mut_bytes();
        block[257..265].copy_from_slice(magic);
        block[345..345 + prefix.len()].copy_from_slice(prefix.as_bytes());
        self
    }

    pub(crate) fn bytes(mut self) -> [u8; 512] {
        self.block.set_cksum();
        *self.block.as_bytes()
    }
}

impl Tar {
    pub(crate) const fn new() -> Self {
        Self(Vec::new())
    }

    /// Bytes as they are.
    pub(crate) fn raw(mut self, bytes: impl AsRef<[u8]>) -> Self {
        self.0.extend_from_slice(bytes.as_ref());
        self
    }

    /// Bytes, filled up to a whole block.
    pub(crate) fn padded(mut self, bytes: impl AsRef<[u8]>) -> Self {
        self.0.extend_from_slice(bytes.as_ref());
        self.0.resize(self.0.len().next_multiple_of(512), 0);
        self
    }

    pub(crate) fn file(self, name: impl AsRef<[u8]>, content: impl AsRef<[u8]>) -> Self {
        let content = content.as_ref();
        let tar = if name.as_ref().len() > 100 { self.long(b'L', name.as_ref()) } else { self };
        let name = &name.as_ref()[..name.as_ref().len().min(100)];
        tar.raw(Header::new(b'0', name).size(content.len() as u64).bytes()).padded(content)
    }

    pub(crate) fn symlink(self, name: impl AsRef<[u8]>, target: &str) -> Self {
        let tar = if target.len() > 100 { self.long(b'K', target.as_bytes()) } else { self };
        tar.raw(Header::new(b'2', name).link(&target.as_bytes()[..target.len().min(100)]).bytes())
    }

    pub(crate) fn hardlink(self, name: &str, target: &str) -> Self {
        self.raw(Header::new(b'1', name).link(target).bytes())
    }

    pub(crate) fn folder(self, name: &str) -> Self {
        self.raw(Header::new(b'5', name).bytes())
    }

    /// A GNU long name (`L`) or link target (`K`) for the next entry.
    pub(crate) fn long(self, kind: u8, text: &[u8]) -> Self {
        self.raw(Header::new(kind, "././@LongLink").size(text.len() as u64 + 1).bytes()).padded([text, b"\0"].concat())
    }

    /// A PAX header of these records for the next entry.
    pub(crate) fn pax(self, records: &[(&str, &[u8])]) -> Self {
        let mut body = Vec::new();
        for (key, value) in records {
            let rest = key.len() + value.len() + 3;
            let mut length = rest + 1;
            while rest + length.to_string().len() != length {
                length = rest + length.to_string().len();
            }
            body.extend_from_slice(format!("{length} {key}=").as_bytes());
            body.extend_from_slice(value);
            body.push(b'\n');
        }
        self.pax_body(&body)
    }

    /// A PAX header with this body, whatever it is.
    pub(crate) fn pax_body(self, body: &[u8]) -> Self {
        self.raw(Header::new(b'x', "PaxHeaders/x").size(body.len() as u64).bytes()).padded(body)
    }

    /// An npm package record.
    pub(crate) fn npm(self, name: &str) -> Self {
        self.file(record(name), manifest(name))
    }

    /// The tar with its two end blocks.
    pub(crate) fn end(self) -> Vec<u8> {
        self.raw([0; 1024]).0
    }

    /// The tar as far as it is written.
    pub(crate) fn unfinished(self) -> Vec<u8> {
        self.0
    }
}

/// Where npm's record of a package stands.
pub(crate) fn record(name: &str) -> String {
    format!("node_modules/{name}/package.json")
}

/// What npm's record of a package says.
pub(crate) fn manifest(name: &str) -> String {
    format!(r#"{{"name":"{name}","version":"1.0.0"}}"#)
}

/// Noise that no compressor shrinks; always the same.
pub(crate) fn noise(size: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    std::iter::repeat_with(move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()[7]
    })
    .take(size)
    .collect()
}
