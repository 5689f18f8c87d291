//! Numbers of any length, as version orders need them: runs of ASCII digits in, an order out. No order here has a largest number, so that none
//! can overflow.

use std::cmp::Ordering;

/// Compares two runs of digits by value; an empty run is 0.
pub(super) fn compare(a: &[u8], b: &[u8]) -> Ordering {
    let (a, b) = (without_zeros(a), without_zeros(b));
    a.len().cmp(&b.len()).then_with(|| a.cmp(b))
}

/// Whether a text is digits, at least one, and nothing else.
pub(super) fn are_all(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Whether the value of a run of digits is 0.
pub(super) fn are_zero(digits: &[u8]) -> bool {
    digits.iter().all(|byte| *byte == b'0')
}

/// The digits without leading zeros.
pub(super) fn without_zeros(digits: &[u8]) -> &[u8] {
    let zeros = digits.iter().take_while(|byte| **byte == b'0').count();
    digits.get(zeros..).unwrap_or_default()
}

/// Compares two texts of numbers with separators number by number; where one ends, it is below the other.
pub(super) fn compare_lists(a: &str, b: &str, is_separator: fn(char) -> bool) -> Ordering {
    let (mut a, mut b) = (a.split(is_separator), b.split(is_separator));
    loop {
        match (a.next(), b.next()) {
            (Some(x), Some(y)) => match compare(x.as_bytes(), y.as_bytes()) {
                Ordering::Equal => {}
                order => return order,
            },
            (x, y) => return x.is_some().cmp(&y.is_some()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_no_largest() {
        for (a, order, b) in [
            ("0", Ordering::Equal, "000"),
            ("", Ordering::Equal, "0"),
            ("9", Ordering::Less, "10"),
            ("007", Ordering::Equal, "7"),
            ("99999999999999999999999999998", Ordering::Less, "99999999999999999999999999999"),
        ] {
            assert_eq!(compare(a.as_bytes(), b.as_bytes()), order, "{a} {b}");
            assert_eq!(compare(b.as_bytes(), a.as_bytes()), order.reverse(), "{b} {a}");
        }
        assert_eq!(compare_lists("1.2", "1.2.0", |ch| ch == '.'), Ordering::Less);
        assert!(are_zero(b"00") && !are_zero(b"01") && are_all("12") && !are_all("") && !are_all("1a"));
    }
}
