//! Mach-O in, sections and segments out (<https://developer.apple.com/documentation/kernel/mach_header_64>): both widths, both byte orders, and of a
//! file for several processors the part for the first.

use super::{
    fields::{Fields, Order, Width},
    object::{Access, Format, NAME, Object, PARTS, Part},
};
use crate::layers::Body;

const FAT: u32 = 0xcafe_babe;
const FAT_WIDE: u32 = 0xcafe_babf;
/// Java classes begin like files for several processors; then comes their version, which is a larger number.
const PROCESSORS: u32 = 30;
/// Kinds of files that are programs or libraries.
const RUNNABLE: [u32; 4] = [2, 6, 7, 8];
/// Most bytes of load commands.
const COMMANDS: usize = 4 << 20;

/// Whether a file that begins so can be run or loaded.
pub(super) fn is_program(head: &[u8]) -> bool {
    let big = Fields::new(head, Order::Big);
    if big.u32(0).is_some_and(|magic| magic == FAT || magic == FAT_WIDE) {
        return big.u32(4).is_some_and(|count| (1..PROCESSORS).contains(&count));
    }
    form(head).is_some_and(|(order, _)| Fields::new(head, order).u32(12).is_some_and(|kind| RUNNABLE.contains(&kind)))
}

fn form(head: &[u8]) -> Option<(Order, Width)> {
    [Order::Little, Order::Big].into_iter().find_map(|order| match Fields::new(head, order).u32(0)? {
        0xfeed_face => Some((order, Width::Narrow)),
        0xfeed_facf => Some((order, Width::Wide)),
        _ => None,
    })
}

/// The tables of a file, and the part of it that they speak of.
pub(super) fn read<'a>(body: &Body<'a>) -> Result<(Object, Body<'a>), String> {
    let head = body.up_to(0, 40);
    let big = Fields::new(&head, Order::Big);
    let slice = match big.u32(0) {
        Some(FAT) => Some((big.u32(16).map(u64::from), big.u32(20).map(u64::from))),
        Some(FAT_WIDE) => Some((big.u64(16), big.u64(24))),
        _ => None,
    };
    let Some((at, size)) = slice else { return Ok((thin(body)?, *body)) };
    let part = at.zip(size).and_then(|(at, size)| body.part(at, size));
    let part = part.ok_or_else(|| format!("its part for the first processor ends behind the file's {} bytes", body.size()))?;
    Ok((thin(&part)?, part))
}

fn thin(body: &Body<'_>) -> Result<Object, String> {
    let head = body.up_to(0, 32);
    let (order, width) = form(&head).ok_or("is no Mach-O file")?;
    let header = Fields::new(&head, order);
    let mut object = Object::new(Format::MachO, order, width);
    let size = header.u32(20).and_then(|size| usize::try_from(size).ok()).unwrap_or(usize::MAX);
    if size > COMMANDS {
        return Err(format!("has {size} bytes of load commands; the limit is {COMMANDS}"));
    }
    let at = width.pick(32, 28) as u64;
    let commands = body
        .range(at, size)
        .ok_or_else(|| format!("its load commands of {size} bytes at {at} end behind the file's {} bytes", body.size()))?;
    object.end = at + size as u64;
    let mut rest = Fields::new(&commands, order);
    while let (Some(kind), Some(size)) = (rest.u32(0), rest.u32(4).and_then(|size| usize::try_from(size).ok())) {
        if kind == if width == Width::Wide { 0x19 } else { 1 } {
            segment(&rest, &mut object);
        }
        let Some(next) = rest.from(size.max(8)) else { break };
        rest = next;
    }
    Ok(object)
}

fn segment(fields: &Fields<'_>, object: &mut Object) {
    let width = object.width;
    let parse = || {
        let part = Part {
            name: fields.text(8, 16)?,
            address: fields.word(24, width)?,
            at: fields.word(width.pick(40, 32), width)?,
            size: fields.word(width.pick(48, 36), width)?,
            // 1 read, 2 written, 4 executed.
            access: match fields.u32(width.pick(60, 44))? {
                3 => Access::Data,
                1 => Access::Constants,
                0 => Access::Unloaded,
                _ => Access::Code,
            },
            link: 0,
        };
        Some((part, usize::try_from(fields.u32(width.pick(64, 48))?).ok()?))
    };
    let Some((segment, count)) = parse() else { return };
    let (first, size) = (width.pick(72, 56), width.pick(80, 68));
    for number in 0..count.min(PARTS) {
        let Some(section) = fields.from(first + number * size).filter(|_| object.sections.len() < PARTS) else { break };
        let parse = || {
            Some(Part {
                name: section.text(0, 16.min(NAME))?,
                address: section.word(32, width)?,
                at: u64::from(section.u32(width.pick(48, 40))?),
                size: section.word(width.pick(40, 36), width)?,
                access: segment.access,
                link: 0,
            })
        };
        let Some(part) = parse() else { break };
        object.sections.push(part);
    }
    object.end = object.end.max(segment.at.saturating_add(segment.size));
    object.segments.push(segment);
}
