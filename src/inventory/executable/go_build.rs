//! A Go program in, its build information out (<https://pkg.go.dev/debug/buildinfo>): texts in place since Go 1.18, pointers to them before.

use std::sync::LazyLock;

use regex::bytes::Regex;

use super::{
    facts::GoBuild,
    fields::{Fields, Order},
    go_modules::Modules,
    object::{Access, Object, Part},
};
use crate::layers::{Body, Go};

/// How build information begins, at a multiple of sixteen bytes.
const MAGIC: &[u8] = b"\xff Go buildinf:";
/// Bytes before the texts.
const HEADER: usize = 32;
/// Most bytes of the toolchain's name, and of the modules.
const TOOLCHAIN: usize = 1024;
const MODULES: usize = 4 << 20;
/// What the linker puts around the modules.
const GUARD: usize = 16;
/// Most bytes that are searched where no section says where to look.
const SEARCHED: u64 = 64 << 20;

/// The build information; nothing of a program that Go did not build.
pub(super) fn read(object: &Object, body: &Body<'_>) -> Result<Option<GoBuild>, String> {
    let section = object.section(".go.buildinfo").or_else(|| object.section("__go_buildinfo"));
    let at = match section {
        Some(section) => {
            let found = search(section, body).ok_or_else(|| match body.part(section.at, section.size) {
                Some(_) => "its section for Go build information holds none".to_owned(),
                None => section.beyond(body),
            })?;
            Some(found)
        }
        None if object.section(".gopclntab").or_else(|| object.section("__gopclntab")).is_some() => {
            return Err("was built by a Go older than 1.13, or its build information was removed; its modules are not known".to_owned());
        }
        None if object.format == super::object::Format::Elf && object.has_names() => None,
        None => object.data().and_then(|data| search(data, body)),
    };
    at.map(|at| decode(object, body, at)).transpose()
}

/// The place of the magic in a part of the file.
fn search(part: &Part, body: &Body<'_>) -> Option<u64> {
    // Places count from the address, which is what the linker aligned.
    let skipped = (16 - part.address % 16) % 16;
    let start = part.at.checked_add(skipped)?;
    let size = part.size.saturating_sub(skipped).min(SEARCHED).min(body.size().saturating_sub(start));
    let mut found = None;
    body.part(start, size)?.for_each_piece(1 << 20, |at, piece| match piece.chunks(16).position(|step| step.starts_with(MAGIC)) {
        Some(step) => {
            found = Some(start + at + 16 * step as u64);
            Go::Stop
        }
        None => Go::On,
    });
    found
}

fn decode(object: &Object, body: &Body<'_>, at: u64) -> Result<GoBuild, String> {
    let lies = || "its Go build information points behind its end".to_owned();
    let header = body.range(at, HEADER).ok_or_else(lies)?;
    let (width, flags) = (header.get(14).copied().unwrap_or_default(), header.get(15).copied().unwrap_or_default());
    let (toolchain, modules) = if flags & 2 != 0 {
        let (toolchain, next) = inline(body, at + HEADER as u64, TOOLCHAIN).ok_or_else(lies)?;
        let (modules, _) = inline(body, next, MODULES).ok_or_else(lies)?;
        (toolchain, modules)
    } else {
        let order = if flags & 1 != 0 { Order::Big } else { Order::Little };
        let fields = Fields::new(&header, order);
        let pointer = |at: usize| if width == 8 { fields.u64(at) } else { fields.u32(at).map(u64::from) };
        if width != 4 && width != 8 {
            return Err(format!("its Go build information has pointers of {width} bytes"));
        }
        let text = |pointer: Option<u64>, most: usize| {
            let header = body.range(object.place(pointer?)?, 2 * usize::from(width))?;
            let fields = Fields::new(&header, order);
            let word = |at: usize| if width == 8 { fields.u64(at) } else { fields.u32(at).map(u64::from) };
            let size = usize::try_from(word(usize::from(width))?).ok().filter(|&size| size <= most)?;
            if size == 0 { Some(Vec::new()) } else { Some(body.range(object.place(word(0)?)?, size)?.into_owned()) }
        };
        let modules = pointer(16 + usize::from(width));
        (
            text(pointer(16), TOOLCHAIN).ok_or_else(lies)?,
            if modules == Some(0) { Vec::new() } else { text(modules, MODULES).ok_or_else(lies)? },
        )
    };
    if toolchain.is_empty() {
        return Err("its Go build information does not name the toolchain".to_owned());
    }
    // The modules stand between two guards; without them there are none.
    let is_guarded = modules.len() > 2 * GUARD && modules.len().checked_sub(GUARD + 1).and_then(|at| modules.get(at)) == Some(&b'\n');
    let modules = if is_guarded { modules.get(GUARD..modules.len() - GUARD).unwrap_or_default() } else { &[] };
    let mut build = GoBuild {
        toolchain: String::from_utf8_lossy(&toolchain).into_owned(),
        modules: String::from_utf8_lossy(modules).into_owned(),
        lone_version: None,
    };
    if Modules::parse(&build.modules).lacks_version() {
        build.lone_version = lone_version(object, body);
    }
    Ok(build)
}

/// A text behind its length, and the place behind it.
fn inline(body: &Body<'_>, at: u64, most: usize) -> Option<(Vec<u8>, u64)> {
    let (mut size, mut digits) = (0_usize, 0);
    for byte in body.up_to(at, 5).iter() {
        size |= usize::from(byte & 0x7f) << (7 * digits);
        digits += 1;
        if byte & 0x80 == 0 {
            let start = at + digits;
            return (size <= most).then(|| body.range(start, size)).flatten().map(|text| (text.into_owned(), start + size as u64));
        }
    }
    None
}

/// What a release build wrote over a variable of the program, when it is the only text that reads like a version and ends where one does.
fn lone_version(object: &Object, body: &Body<'_>) -> Option<String> {
    static VERSION: LazyLock<Option<Regex>> =
        LazyLock::new(|| Regex::new(r"(?-u)\x00(v?[0-9]{1,4}\.[0-9]{1,4}\.[0-9]{1,4}(?:[-+][0-9A-Za-z.+-]{1,40})?)\x00").ok());
    let version = VERSION.as_ref()?;
    let mut found: Option<Vec<u8>> = None;
    for section in object
        .sections
        .iter()
        .filter(|section| section.access == Access::Constants && matches!(section.name.as_str(), ".rodata" | "__rodata" | ".rdata"))
    {
        let constants = body.part(section.at, section.size.min(body.size().saturating_sub(section.at)))?;
        let mut is_lone = true;
        super::windows(&constants, |window| {
            for text in version.captures_iter(window).filter_map(|captures| captures.get(1)) {
                is_lone &= found.as_ref().is_none_or(|known| known == text.as_bytes());
                found = Some(text.as_bytes().to_vec());
            }
            if is_lone { Go::On } else { Go::Stop }
        });
        if !is_lone {
            return None;
        }
    }
    found.and_then(|version| String::from_utf8(version).ok())
}
