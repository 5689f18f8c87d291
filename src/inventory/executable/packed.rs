//! An executable in, the packer that compressed it out. A packed program is unreadable without being run.

use super::object::{Format, Object};
use crate::layers::Body;

/// How far behind the table of segments UPX puts its mark.
const BEHIND: usize = 64;

/// The name of the packer.
pub(super) fn packer(object: &Object, body: &Body<'_>) -> Option<&'static str> {
    let is_upx = match object.format {
        // The stub stands in front of everything, right behind the table of segments.
        Format::Elf => {
            let head = body.up_to(0, 4096);
            let at = match object.width {
                super::fields::Width::Wide => 64 + 56 * segments(&head, 56),
                super::fields::Width::Narrow => 52 + 32 * segments(&head, 44),
            };
            let near = head.get(at..).unwrap_or_default();
            near.get(..BEHIND).unwrap_or(near).windows(4).any(|word| word == b"UPX!")
        }
        Format::Pe => object.sections.iter().filter(|section| matches!(section.name.as_str(), "UPX0" | "UPX1")).count() == 2,
        Format::MachO => object.section("__upx0").is_some() || object.segments.iter().any(|segment| segment.name.starts_with("UPX")),
    };
    is_upx.then_some("UPX")
}

/// How many segments an ELF header promises; UPX writes few, all in one byte order.
fn segments(head: &[u8], at: usize) -> usize {
    let byte = |at: usize| head.get(at).copied().map_or(0, usize::from);
    byte(at).max(byte(at + 1)).min(32)
}
