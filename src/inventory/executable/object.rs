//! An executable or library in, its sections and segments out, whichever of the three formats it has. Only tables are read.

use std::borrow::Cow;

use super::{
    elf,
    fields::{Order, Width},
    macho, pe,
};
use crate::layers::Body;

/// Most sections or segments that are looked at.
pub(super) const PARTS: usize = 20_000;
/// Most bytes of a section's name.
pub(super) const NAME: usize = 64;

/// The tables of one file.
#[derive(Debug)]
pub(super) struct Object {
    pub format: Format,
    pub order: Order,
    pub width: Width,
    pub sections: Vec<Part>,
    pub segments: Vec<Part>,
    /// What is wrong with the tables.
    pub faults: Vec<String>,
    /// PE: the address that places in the file's tables count from, the address of the folder of resources (0 for none), and whether there is
    /// managed code.
    pub base: u64,
    pub resources: u64,
    pub is_managed: bool,
    /// Bytes from the first on that the tables account for.
    pub end: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    Elf,
    Pe,
    MachO,
}

/// A section or segment.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct Part {
    pub name: String,
    pub address: u64,
    /// Place in the file, and how many bytes of it.
    pub at: u64,
    pub size: u64,
    pub access: Access,
    /// ELF: the number of the section that belongs to this one.
    pub link: usize,
}

/// What a part is loaded for.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) enum Access {
    /// Not at all.
    #[default]
    Unloaded,
    Code,
    /// Data that the program only reads.
    Constants,
    /// Data that it also writes.
    Data,
}

/// The format that a file has, told from its first bytes; none for files that nothing can run or load, such as objects that wait to be linked.
pub(super) fn format(head: &[u8]) -> Option<Format> {
    if elf::is_program(head) {
        Some(Format::Elf)
    } else if pe::is_program(head) {
        Some(Format::Pe)
    } else {
        macho::is_program(head).then_some(Format::MachO)
    }
}

impl Object {
    pub(super) const fn new(format: Format, order: Order, width: Width) -> Self {
        Self {
            format,
            order,
            width,
            sections: Vec::new(),
            segments: Vec::new(),
            faults: Vec::new(),
            base: 0,
            resources: 0,
            is_managed: false,
            end: 0,
        }
    }

    /// The tables of a file, and the file itself: of a Mach-O file for several processors the part for the first of them.
    pub(super) fn read<'a>(format: Format, body: &Body<'a>) -> Result<(Self, Body<'a>), String> {
        match format {
            Format::Elf => elf::read(body).map(|object| (object, *body)),
            Format::Pe => pe::read(body).map(|object| (object, *body)),
            Format::MachO => macho::read(body),
        }
    }

    /// The section of this name.
    pub(super) fn section(&self, name: &str) -> Option<&Part> {
        self.sections.iter().find(|section| section.name == name)
    }

    /// Whether there is a table of sections with names in it.
    pub(super) fn has_names(&self) -> bool {
        self.sections.iter().any(|section| !section.name.is_empty())
    }

    /// The first data that the program writes, as it stands in the file.
    pub(super) fn data(&self) -> Option<&Part> {
        let parts = if self.format == Format::Pe { &self.sections } else { &self.segments };
        parts.iter().find(|part| part.access == Access::Data && part.size > 0)
    }

    /// The place in the file of what is loaded to an address.
    pub(super) fn place(&self, address: u64) -> Option<u64> {
        let parts = if self.segments.is_empty() { &self.sections } else { &self.segments };
        parts.iter().filter(|part| part.address != 0 || part.size != 0).find_map(|part| {
            let skipped = address.checked_sub(part.address)?;
            (skipped < part.size).then(|| part.at.checked_add(skipped)).flatten()
        })
    }
}

impl Part {
    /// All its bytes, if they are at most `most` and all there.
    pub(super) fn bytes<'a>(&self, body: &Body<'a>, most: usize) -> Result<Cow<'a, [u8]>, String> {
        let size = usize::try_from(self.size).ok().filter(|&size| size <= most);
        let size = size.ok_or_else(|| format!("its section `{}` has {} bytes; the limit is {most}", self.name, self.size))?;
        body.range(self.at, size).ok_or_else(|| self.beyond(body))
    }

    /// That it does not end where the file does.
    pub(super) fn beyond(&self, body: &Body<'_>) -> String {
        let (name, at, size) = (&self.name, self.at, self.size);
        format!("its section `{name}` of {size} bytes at {at} ends behind the file's {} bytes", body.size())
    }
}
