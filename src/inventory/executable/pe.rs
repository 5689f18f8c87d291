//! PE in, sections out (<https://learn.microsoft.com/en-us/windows/win32/debug/pe-format>), with the places of resources and of managed code.

use super::{
    fields::{Fields, Order, Width},
    object::{Access, Format, Object, Part},
};
use crate::layers::Body;

/// Bytes of the header of one section.
const SECTION: usize = 40;
/// Most bytes of the optional header that are looked at.
const OPTIONAL: usize = 4096;

/// Whether a file that begins so can be run or loaded. What stands behind the first bytes is only known later.
pub(super) fn is_program(head: &[u8]) -> bool {
    if !head.starts_with(b"MZ") {
        return false;
    }
    let Some(at) = Fields::little(head).u32(60).and_then(|at| usize::try_from(at).ok()) else { return false };
    match at.checked_add(4).and_then(|end| head.get(at..end)) {
        Some(mark) => mark == b"PE\0\0",
        // Behind what is seen; programs for DOS seldom say so far a place.
        None => (512 - 4..1 << 20).contains(&at) && head.len() >= 512,
    }
}

/// The tables of a file.
pub(super) fn read(body: &Body<'_>) -> Result<Object, String> {
    let cut = || format!("its PE header ends behind the file's {} bytes", body.size());
    let head = body.up_to(0, 64);
    let at = u64::from(Fields::little(&head).u32(60).ok_or_else(cut)?);
    let header = body.range(at, 24).ok_or_else(cut)?;
    let fields = Fields::little(&header);
    if !header.starts_with(b"PE\0\0") {
        // A program for DOS, and nothing else.
        return Ok(Object::new(Format::Pe, Order::Little, Width::Narrow));
    }
    let count = usize::from(fields.u16(6).ok_or_else(cut)?);
    let size = usize::from(fields.u16(20).ok_or_else(cut)?);
    let optional = body.up_to(at + 24, size.min(OPTIONAL));
    let optional = Fields::little(&optional);
    let width = if optional.u16(0) == Some(0x20b) { Width::Wide } else { Width::Narrow };
    let mut object = Object::new(Format::Pe, Order::Little, width);
    let base = optional.word(width.pick(24, 28), width).unwrap_or_default();
    let directory = |number: usize| {
        let known = optional.u32(width.pick(108, 92)).and_then(|count| usize::try_from(count).ok()).unwrap_or_default();
        (number < known).then(|| optional.u32(width.pick(112, 96) + 8 * number)).flatten().map_or(0, u64::from)
    };
    object.base = base;
    object.resources = match directory(2) {
        0 => 0,
        place => base.saturating_add(place),
    };
    object.is_managed = directory(14) != 0;
    let table = at + 24 + size as u64;
    let Some(bytes) = body.range(table, SECTION * count) else {
        object.faults.push(format!(
            "its table of sections of {} bytes at {table} ends behind the file's {} bytes",
            SECTION * count,
            body.size()
        ));
        return Ok(object);
    };
    object.end = table + bytes.len() as u64;
    for section in bytes.chunks_exact(SECTION) {
        let fields = Fields::little(section);
        let parse = || {
            let flags = fields.u32(36)?;
            Some(Part {
                name: fields.text(0, 8)?,
                address: base.saturating_add(u64::from(fields.u32(12)?)),
                at: u64::from(fields.u32(20)?),
                size: u64::from(fields.u32(16)?),
                access: match (flags & 0x2000_0020 != 0, flags & 0x8000_0000 != 0) {
                    (true, _) => Access::Code,
                    (false, true) => Access::Data,
                    (false, false) => Access::Constants,
                },
                link: 0,
            })
        };
        if let Some(part) = parse() {
            object.end = object.end.max(part.at.saturating_add(part.size));
            object.sections.push(part);
        }
    }
    Ok(object)
}
