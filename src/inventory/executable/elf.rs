//! ELF in, sections and segments out (<https://refspecs.linuxfoundation.org/elf/gabi4+/contents.html>): both widths, both byte orders.

use super::{
    fields::{Fields, Order, Width},
    object::{Access, Format, NAME, Object, PARTS, Part},
};
use crate::layers::Body;

/// `e_type` of programs and of libraries (also of programs at any address).
const RUNNABLE: [u16; 2] = [2, 3];
/// `sh_type` of sections without bytes in the file.
const NO_BITS: u32 = 8;
/// `p_type` of segments that are loaded.
const LOAD: u32 = 1;
/// Most bytes of all names of sections.
const NAMES: usize = 4 << 20;

/// Whether a file that begins so can be run or loaded.
pub(super) fn is_program(head: &[u8]) -> bool {
    ident(head).is_some_and(|(order, _)| Fields::new(head, order).u16(16).is_some_and(|kind| RUNNABLE.contains(&kind)))
}

fn ident(head: &[u8]) -> Option<(Order, Width)> {
    let ident = head.strip_prefix(b"\x7fELF")?;
    let width = match ident.first()? {
        1 => Width::Narrow,
        2 => Width::Wide,
        _ => return None,
    };
    let order = match ident.get(1)? {
        1 => Order::Little,
        2 => Order::Big,
        _ => return None,
    };
    Some((order, width))
}

/// The tables of a file.
pub(super) fn read(body: &Body<'_>) -> Result<Object, String> {
    let head = body.up_to(0, 64);
    let (order, width) = ident(&head).ok_or("is no ELF file")?;
    let header = Fields::new(&head, order);
    let mut object = Object::new(Format::Elf, order, width);
    let tables = Header::of(&header, width).ok_or_else(|| format!("its ELF header ends behind the file's {} bytes", body.size()))?;
    object.end = u64::try_from(head.len()).unwrap_or_default();
    if let Err(fault) = segments(&tables, body, &mut object) {
        object.faults.push(fault);
    }
    if let Err(fault) = sections(&tables, body, &mut object) {
        object.faults.push(fault);
        object.sections.clear();
    }
    Ok(object)
}

/// Where the tables stand: first byte, bytes of an entry, entries.
struct Header {
    segments: (u64, usize, usize),
    sections: (u64, usize, usize),
    names: usize,
}

impl Header {
    fn of(header: &Fields<'_>, width: Width) -> Option<Self> {
        let half = |at: usize| header.u16(at).map(usize::from);
        let counts = width.pick(54, 42);
        Some(Self {
            segments: (header.word(width.pick(32, 28), width)?, half(counts)?, half(counts + 2)?),
            sections: (header.word(width.pick(40, 32), width)?, half(counts + 4)?, half(counts + 6)?),
            names: half(counts + 8)?,
        })
    }
}

fn segments(header: &Header, body: &Body<'_>, object: &mut Object) -> Result<(), String> {
    let (at, entry, count) = header.segments;
    if count == 0 {
        return Ok(());
    }
    let width = object.width;
    let table = table(body, "segments", at, entry, count, width.pick(56, 32))?;
    object.end = object.end.max(at.saturating_add(table.len() as u64));
    for segment in table.chunks_exact(entry) {
        let fields = Fields::new(segment, object.order);
        let parse = || {
            let flags = fields.u32(width.pick(4, 24))?;
            let part = Part {
                name: String::new(),
                address: fields.word(width.pick(16, 8), width)?,
                at: fields.word(width.pick(8, 4), width)?,
                size: fields.word(width.pick(32, 16), width)?,
                access: match flags & 3 {
                    2 => Access::Data,
                    0 => Access::Constants,
                    _ => Access::Code,
                },
                link: 0,
            };
            Some((fields.u32(0)?, part))
        };
        if let Some((LOAD, part)) = parse() {
            object.end = object.end.max(part.at.saturating_add(part.size));
            object.segments.push(part);
        }
    }
    Ok(())
}

fn sections(header: &Header, body: &Body<'_>, object: &mut Object) -> Result<(), String> {
    let (at, entry, mut count) = header.sections;
    if at == 0 {
        return Ok(());
    }
    let (order, width) = (object.order, object.width);
    let least = width.pick(64, 40);
    if count == 0 {
        // Of very many sections the first one tells the number.
        let first = body.range(at, least).ok_or_else(|| beyond("sections", at, least as u64, body))?;
        let told = Fields::new(&first, order).word(width.pick(32, 20), width).unwrap_or_default();
        count = usize::try_from(told).unwrap_or(usize::MAX);
        if count == 0 {
            return Ok(());
        }
    }
    let table = table(body, "sections", at, entry, count, least)?;
    object.end = object.end.max(at.saturating_add(table.len() as u64));
    let parse = |section: &[u8]| {
        let fields = Fields::new(section, order);
        let flags = fields.word(8, width)?;
        let is_empty = fields.u32(4)? == NO_BITS;
        let part = Part {
            name: String::new(),
            address: fields.word(width.pick(16, 12), width)?,
            at: fields.word(width.pick(24, 16), width)?,
            size: if is_empty { 0 } else { fields.word(width.pick(32, 20), width)? },
            // Flags: 1 written, 2 loaded, 4 executed.
            access: match flags & 7 {
                2 => Access::Constants,
                3 => Access::Data,
                6 | 7 => Access::Code,
                _ => Access::Unloaded,
            },
            link: usize::try_from(fields.u32(width.pick(40, 24))?).ok()?,
        };
        Some((usize::try_from(fields.u32(0)?).ok()?, part))
    };
    let (places, mut parts): (Vec<usize>, Vec<Part>) = table.chunks_exact(entry).filter_map(parse).unzip();
    let end = parts.iter().filter(|part| part.size > 0).map(|part| part.at.saturating_add(part.size)).max().unwrap_or_default();
    object.end = object.end.max(end);
    if let Some(names) = parts.get(header.names).filter(|names| header.names != 0 && names.size > 0) {
        let names = names.bytes(body, NAMES).map_err(|fault| format!("{fault}, and it has the names of the others"))?;
        let names = Fields::new(&names, order);
        for (part, place) in parts.iter_mut().zip(places) {
            part.name = names.text(place, NAME).unwrap_or_default();
        }
    }
    object.sections = parts;
    Ok(())
}

/// A table of `count` entries.
fn table<'a>(body: &Body<'a>, what: &str, at: u64, entry: usize, count: usize, least: usize) -> Result<std::borrow::Cow<'a, [u8]>, String> {
    if entry < least {
        return Err(format!("its table of {what} has entries of {entry} bytes instead of {least}"));
    }
    if count > PARTS && what == "sections" {
        return Err(format!("has {count} {what}; the limit is {PARTS}"));
    }
    let size = entry.saturating_mul(count);
    body.range(at, size).ok_or_else(|| beyond(what, at, size as u64, body))
}

fn beyond(what: &str, at: u64, size: u64, body: &Body<'_>) -> String {
    format!("its table of {what} of {size} bytes at {at} ends behind the file's {} bytes", body.size())
}
