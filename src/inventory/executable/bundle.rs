//! A .NET program of one file in, the `deps.json` inside out
//! (<https://github.com/dotnet/designs/blob/main/accepted/2020/single-file/bundler.md>).

use std::collections::BTreeSet;

use super::{
    fields::Fields,
    object::{Access, Object},
};
use crate::layers::{Body, Go};

/// Stands behind the place of the bundle's header: the SHA-256 of `.net core bundle`.
const SIGNATURE: [u8; 32] = [
    0x8b, 0x12, 0x02, 0xb9, 0x6a, 0x61, 0x20, 0x38, 0x72, 0x7b, 0x93, 0x02, 0x14, 0xd7, 0xa0, 0x32, 0x13, 0xf5, 0xb9, 0xe6, 0xef, 0xae,
    0x33, 0x18, 0xee, 0x3b, 0x2d, 0xce, 0x24, 0xb3, 0x6a, 0xae,
];
/// Most bytes of `deps.json`.
const DEPS: u64 = 4 << 20;
/// Most files of a bundle of the first form, and most bytes of their list.
const FILES: u32 = 20_000;
const LIST: usize = 4 << 20;
/// Largest section that is searched for the signature, and most bytes that are searched in one file: tables may name the same bytes many times.
const SECTION: u64 = 8 << 20;
const SEARCHED: u64 = 64 << 20;
/// The type of `deps.json` in that list.
const DEPS_JSON: u8 = 3;

/// The text; none of other programs.
pub(super) fn deps(object: &Object, body: &Body<'_>) -> Result<Option<String>, String> {
    // A bundle stands behind everything that the tables account for.
    if body.size() <= object.end {
        return Ok(None);
    }
    let Some(header) = header(object, body, SEARCHED)?.filter(|&header| header != 0) else { return Ok(None) };
    let lies = || "its .NET bundle points behind its end".to_owned();
    let bytes = body.up_to(header, LIST.min(4096));
    let fields = Fields::little(&bytes);
    let major = fields.u32(0).ok_or_else(lies)?;
    let files = fields.u32(8).ok_or_else(lies)?;
    let after_id = text_end(fields.bytes(), 12).ok_or_else(lies)?;
    let (at, size) = if major >= 2 {
        (fields.u64(after_id).ok_or_else(lies)?, fields.u64(after_id + 8).ok_or_else(lies)?)
    } else {
        let list = body.up_to(header + after_id as u64, LIST);
        match listed(&list, files) {
            Some(found) => found,
            None => return Err("its .NET bundle lists no deps.json".to_owned()),
        }
    };
    if size == 0 {
        return Ok(None);
    }
    if size > DEPS {
        return Err(format!("the deps.json in its .NET bundle has {size} bytes; the limit is {DEPS}"));
    }
    let text = usize::try_from(size).ok().and_then(|size| body.range(at, size)).ok_or_else(lies)?;
    Ok(Some(String::from_utf8_lossy(&text).into_owned()))
}

/// What stands before the signature in the program's data, of which at most `most` bytes are searched, each part of it once.
fn header(object: &Object, body: &Body<'_>, most: u64) -> Result<Option<u64>, String> {
    let (mut found, mut seen, mut searched) = (None, BTreeSet::new(), 0_u64);
    for section in object.sections.iter().filter(|section| matches!(section.access, Access::Data | Access::Constants)) {
        if section.name.starts_with(".eh_frame") || section.size > SECTION || !seen.insert((section.at, section.size)) {
            continue;
        }
        let Some(data) = body.part(section.at, section.size) else { continue };
        searched = searched.saturating_add(section.size);
        if searched > most {
            return Err(format!("it has more than {most} bytes of data, of which the rest was not searched for a .NET bundle"));
        }
        super::windows(&data, |window| {
            let at = window.windows(SIGNATURE.len()).position(|bytes| bytes == SIGNATURE);
            found = at.and_then(|at| Fields::little(window).u64(at.checked_sub(8)?));
            if found.is_some() { Go::Stop } else { Go::On }
        });
        if found.is_some() {
            break;
        }
    }
    Ok(found)
}

/// Where `deps.json` stands, by the list of a bundle of the first form.
fn listed(list: &[u8], files: u32) -> Option<(u64, u64)> {
    let fields = Fields::little(list);
    let mut at = 0;
    for _ in 0..files.min(FILES) {
        let (start, size, kind) = (fields.u64(at)?, fields.u64(at + 8)?, *list.get(at + 16)?);
        if kind == DEPS_JSON {
            return Some((start, size));
        }
        at = text_end(list, at + 17)?;
    }
    None
}

/// The place behind a text that stands behind its length, seven bits a byte.
fn text_end(bytes: &[u8], at: usize) -> Option<usize> {
    let (mut size, mut digits) = (0_usize, 0);
    loop {
        let byte = *bytes.get(at + digits)?;
        size |= usize::from(byte & 0x7f) << (7 * digits);
        digits += 1;
        if byte & 0x80 == 0 {
            return (at + digits).checked_add(size).filter(|&end| end <= bytes.len());
        }
        if digits == 3 {
            return None;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::{
            fields::{Order, Width},
            object::{Format, Part},
        },
        *,
    };

    fn object(parts: impl Iterator<Item = (u64, u64)>) -> Object {
        let section = |(at, size)| Part { at, size, access: Access::Data, ..Part::default() };
        Object { sections: parts.map(section).collect(), ..Object::new(Format::Elf, Order::Little, Width::Wide) }
    }

    #[test]
    fn each_part_is_searched_once_and_all_of_them_within_the_limit() {
        const SIZE: u64 = 1 << 20;
        let mut bytes = vec![0; 1 << 20];
        bytes[1_000..1_032].copy_from_slice(&SIGNATURE);
        bytes[992] = 7;
        // Twenty thousand searches of the rest would take hours.
        let rest = SIZE - 2_000;
        let same = object(std::iter::repeat_n((2_000, rest), 20_000).chain([(0, SIZE)]));
        assert_eq!(header(&same, &Body::new(&bytes), 2 * SIZE), Ok(Some(7)));
        let shifted = object((0..20_000).map(|number| (2_000 + number, rest - number)));
        assert!(header(&shifted, &Body::new(&bytes), 2 * SIZE).is_err_and(|reason| reason.contains("2097152")));
    }
}
