//! An image reference: what is accepted prints as something that is accepted again and means the same.
#![no_main]

use libfuzzer_sys::fuzz_target;
use plimsoll::model::reference::ImageReference;

fuzz_target!(|text: &str| {
    if let Ok(reference) = ImageReference::parse(text)
        && reference.registry().is_some()
    {
        let printed = reference.to_string();
        assert_eq!(ImageReference::parse(&printed).as_ref(), Ok(&reference), "{text:?} prints as {printed:?}");
    }
});
