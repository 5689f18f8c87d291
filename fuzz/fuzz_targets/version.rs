//! Up to three texts, one a line, in every version order: nothing panics, a version is equal to itself, turning a comparison round turns its answer
//! round, and three versions are never in a circle.
#![no_main]

use std::cmp::Ordering;

use libfuzzer_sys::fuzz_target;
use plimsoll::advisory::version::{Scheme, Version};

fuzz_target!(|data: &[u8]| {
    let text = String::from_utf8_lossy(data);
    for scheme in Scheme::ALL {
        let versions: Vec<(&str, Version)> =
            text.splitn(3, '\n').filter_map(|line| Some((line, scheme.parse(line).or_else(|| scheme.parse_event(line))?))).collect();
        let order = |a: &(&str, Version), b: &(&str, Version)| a.1.compare(&b.1).expect("one scheme, one order");
        for a in &versions {
            assert_eq!(order(a, a), Ordering::Equal, "{scheme:?} {:?}", a.0);
            for b in &versions {
                assert_eq!(order(a, b), order(b, a).reverse(), "{scheme:?} {:?} {:?}", a.0, b.0);
                for c in &versions {
                    if order(a, b) != Ordering::Greater && order(b, c) != Ordering::Greater {
                        let strict = order(a, b) == Ordering::Less || order(b, c) == Ordering::Less;
                        let expected = if strict { Ordering::Less } else { Ordering::Equal };
                        assert_eq!(order(a, c), expected, "{scheme:?} {:?} {:?} {:?}", a.0, b.0, c.0);
                    }
                }
            }
        }
    }
});
