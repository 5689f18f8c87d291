//! A PE file in, what its version resource says out (<https://learn.microsoft.com/en-us/windows/win32/menurc/vs-versioninfo>).

use super::{facts::Assembly, fields::Fields, object::Object};
use crate::layers::Body;

/// The type of version resources.
const VERSION: u32 = 16;
/// Most entries of a folder of resources, bytes of the resource, and texts in it.
const ENTRIES: usize = 4096;
const RESOURCE: usize = 64 * 1024;
const TEXTS: usize = 256;
/// Most characters of one text.
const TEXT: usize = 256;

/// What it says; none without such a resource.
pub(super) fn read(object: &Object, body: &Body<'_>) -> Result<Option<Assembly>, String> {
    if object.resources == 0 {
        return Ok(None);
    }
    let unreadable = || "its version resource cannot be read".to_owned();
    let root = object.place(object.resources).ok_or_else(unreadable)?;
    let Some(of_type) = entry(body, root, root, Some(VERSION)) else { return Ok(None) };
    version(object, body, root, of_type).map(Some).ok_or_else(unreadable)
}

fn version(object: &Object, body: &Body<'_>, root: u64, of_type: u64) -> Option<Assembly> {
    let of_name = entry(body, root, of_type, None)?;
    let leaf = entry(body, root, of_name, None)?;
    let leaf = body.range(leaf, 8)?;
    let leaf = Fields::little(&leaf);
    // Its place counts from where the file is loaded, as the folder's does.
    let at = object.place(object.base.checked_add(u64::from(leaf.u32(0)?))?)?;
    let size = usize::try_from(leaf.u32(4)?).ok()?.min(RESOURCE);
    let bytes = body.range(at, size)?;
    let mut assembly = parse(&bytes)?;
    assembly.is_managed = object.is_managed;
    Some(assembly)
}

/// The place of an entry of the folder of resources at `at`: of this number, or the first.
fn entry(body: &Body<'_>, root: u64, at: u64, number: Option<u32>) -> Option<u64> {
    let header = body.range(at, 16)?;
    let fields = Fields::little(&header);
    let count = usize::from(fields.u16(12)?) + usize::from(fields.u16(14)?);
    let table = body.range(at + 16, 8 * count.min(ENTRIES))?;
    table.chunks_exact(8).find_map(|entry| {
        let fields = Fields::little(entry);
        if number.is_some_and(|number| fields.u32(0) != Some(number)) {
            return None;
        }
        root.checked_add(u64::from(fields.u32(4)? & 0x7fff_ffff))
    })
}

/// One block: its key, its value, and where its children start and end.
struct Block {
    key: String,
    value: usize,
    value_size: usize,
    children: usize,
    end: usize,
}

fn block(bytes: &[u8], at: usize) -> Option<Block> {
    let fields = Fields::little(bytes);
    let size = usize::from(fields.u16(at)?);
    let (value_size, is_text) = (usize::from(fields.u16(at + 2)?), fields.u16(at + 4)? == 1);
    let key = wide_text(&fields, at + 6)?;
    let value = (at + 6 + 2 * (key.chars().map(char::len_utf16).sum::<usize>() + 1)).next_multiple_of(4);
    let value_size = if is_text { 2 * value_size } else { value_size };
    let end = at + size;
    (size >= 6 && end <= bytes.len()).then(|| Block { key, value, value_size, children: (value + value_size).next_multiple_of(4), end })
}

fn wide_text(fields: &Fields<'_>, at: usize) -> Option<String> {
    let mut units = Vec::new();
    for place in (at..).step_by(2).take(TEXT) {
        match fields.u16(place)? {
            0 => break,
            unit => units.push(unit),
        }
    }
    Some(String::from_utf16_lossy(&units))
}

fn parse(bytes: &[u8]) -> Option<Assembly> {
    let root = block(bytes, 0).filter(|root| root.key == "VS_VERSION_INFO")?;
    let fields = Fields::little(bytes);
    let mut assembly = Assembly::default();
    if root.value_size >= 24 && fields.u32(root.value) == Some(0xfeef_04bd) {
        let version = |at: usize| {
            let (high, low) = (fields.u32(root.value + at)?, fields.u32(root.value + at + 4)?);
            Some(format!("{}.{}.{}.{}", high >> 16, high & 0xffff, low >> 16, low & 0xffff))
        };
        assembly.file_version = version(8).unwrap_or_default();
        assembly.product_version = version(16).unwrap_or_default();
    }
    // Three levels: all texts, the texts of one language, one text.
    let mut left = TEXTS;
    each(bytes, &root, &mut left, |texts, left| {
        if texts.key == "StringFileInfo" {
            each(bytes, texts, left, |language, left| {
                each(bytes, language, left, |text, _| {
                    let value = wide_text(&fields, text.value).filter(|_| text.value_size > 0 && text.value < text.end).unwrap_or_default();
                    let value = value.trim().to_owned();
                    let slot = match text.key.as_str() {
                        "FileVersion" => &mut assembly.file_version,
                        "ProductVersion" => &mut assembly.product_version,
                        "ProductName" => &mut assembly.product,
                        "CompanyName" => &mut assembly.company,
                        "InternalName" => &mut assembly.internal_name,
                        _ => return,
                    };
                    if !value.is_empty() {
                        *slot = value;
                    }
                });
            });
        }
    });
    Some(assembly)
}

/// Walks over the children of a block, as long as some are left to be looked at.
fn each(bytes: &[u8], parent: &Block, left: &mut usize, mut take: impl FnMut(&Block, &mut usize)) {
    let mut at = parent.children;
    while at < parent.end && *left > 0 {
        *left -= 1;
        let Some(child) = block(bytes, at) else { return };
        take(&child, left);
        at = child.end.next_multiple_of(4);
    }
}
