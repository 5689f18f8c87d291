//! Numbers and texts as bytes: LEB128 varints, texts with their length in front. Reading never trusts a length.

use crate::advisory::Error;

/// Appends a varint.
pub(in crate::advisory) fn put_number(out: &mut Vec<u8>, mut number: u32) {
    while number >= 0x80 {
        out.push((number & 0x7f) as u8 | 0x80);
        number >>= 7;
    }
    out.push((number & 0x7f) as u8);
}

/// Appends the distance from `before` to `number`; near ones take one byte.
pub(in crate::advisory) fn put_distance(out: &mut Vec<u8>, before: u32, number: u32) {
    let distance = i64::from(number) - i64::from(before);
    let zigzag = ((distance << 1) ^ (distance >> 63)).cast_unsigned();
    let mut rest = zigzag;
    while rest >= 0x80 {
        out.push((rest & 0x7f) as u8 | 0x80);
        rest >>= 7;
    }
    out.push((rest & 0x7f) as u8);
}

/// Appends bytes with their length in front.
pub(in crate::advisory) fn put_bytes(out: &mut Vec<u8>, bytes: &[u8]) -> Result<(), Error> {
    put_number(out, size(bytes.len(), "text")?);
    out.extend_from_slice(bytes);
    Ok(())
}

/// A length as the format writes it.
pub(in crate::advisory) fn size(number: usize, what: &'static str) -> Result<u32, Error> {
    u32::try_from(number).map_err(|_| Error::TooLarge(what))
}

/// Takes numbers and texts from the front of a slice; `None` is damage.
#[derive(Debug, Clone, Copy)]
pub(in crate::advisory) struct Cursor<'a>(pub(in crate::advisory) &'a [u8]);

impl<'a> Cursor<'a> {
    /// The next varint.
    #[inline]
    pub(in crate::advisory) fn number(&mut self) -> Option<u32> {
        u32::try_from(self.long()?).ok()
    }

    #[inline]
    fn long(&mut self) -> Option<u64> {
        // Most numbers are small.
        if let [byte @ ..0x80, rest @ ..] = self.0 {
            self.0 = rest;
            return Some(u64::from(*byte));
        }
        self.longer()
    }

    fn longer(&mut self) -> Option<u64> {
        let mut value = 0_u64;
        for shift in [0, 7, 14, 21, 28] {
            let (byte, rest) = self.0.split_first()?;
            self.0 = rest;
            value |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Some(value);
            }
        }
        None
    }

    /// The next number, written as its distance from `before`.
    pub(in crate::advisory) fn distance(&mut self, before: u32) -> Option<u32> {
        let zigzag = self.long()?;
        let distance = (zigzag >> 1).cast_signed() ^ -(zigzag & 1).cast_signed();
        u32::try_from(i64::from(before).checked_add(distance)?).ok()
    }

    /// The next bytes with their length in front.
    #[inline]
    pub(in crate::advisory) fn bytes(&mut self) -> Option<&'a [u8]> {
        let length = usize::try_from(self.number()?).ok()?;
        self.take(length)
    }

    /// The next `length` bytes.
    pub(in crate::advisory) fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (head, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(head)
    }

    /// The next text with its length in front.
    pub(in crate::advisory) fn text(&mut self) -> Option<&'a str> {
        std::str::from_utf8(self.bytes()?).ok()
    }

    /// Fixed little-endian numbers.
    pub(in crate::advisory) fn u16(&mut self) -> Option<u16> {
        Some(u16::from_le_bytes(self.take(2)?.try_into().ok()?))
    }

    /// The next 32 bits.
    pub(in crate::advisory) fn u32(&mut self) -> Option<u32> {
        Some(u32::from_le_bytes(self.take(4)?.try_into().ok()?))
    }

    /// The next 64 bits as an offset or a length in memory.
    pub(in crate::advisory) fn u64(&mut self) -> Option<usize> {
        usize::try_from(u64::from_le_bytes(self.take(8)?.try_into().ok()?)).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_come_back() {
        for number in [0, 1, 127, 128, 300, 65_535, u32::MAX] {
            let mut out = Vec::new();
            put_number(&mut out, number);
            assert_eq!(Cursor(&out).number(), Some(number));
        }
        for (before, number) in [(0, 0), (5, 4), (0, u32::MAX), (u32::MAX, 0), (1000, 1063)] {
            let mut out = Vec::new();
            put_distance(&mut out, before, number);
            assert_eq!(Cursor(&out).distance(before), Some(number));
        }
        assert_eq!(Cursor(&[1]).distance(0), None, "below zero");
        assert_eq!(Cursor(&[0xff; 5]).number(), None);
        assert_eq!(Cursor(&[0x80]).number(), None);
        assert_eq!(Cursor(&[5, b'a']).text(), None);
    }
}
