//! Numbers and texts as bytes: LEB128 varints, texts with their length in front. Reading never trusts a length.

/// Appends a varint.
pub(in crate::advisory) fn put_number(out: &mut Vec<u8>, mut number: u32) {
    while number >= 0x80 {
        out.push((number & 0x7f) as u8 | 0x80);
        number >>= 7;
    }
    out.push((number & 0x7f) as u8);
}

/// Takes numbers and texts from the front of a slice; `None` is damage.
#[derive(Debug, Clone, Copy)]
pub(in crate::advisory) struct Cursor<'a>(pub(in crate::advisory) &'a [u8]);

impl<'a> Cursor<'a> {
    /// The next varint.
    pub(in crate::advisory) fn number(&mut self) -> Option<u32> {
        let mut value = 0_u64;
        for shift in [0, 7, 14, 21, 28] {
            let (byte, rest) = self.0.split_first()?;
            self.0 = rest;
            value |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return u32::try_from(value).ok();
            }
        }
        None
    }

    /// The next `length` bytes.
    pub(in crate::advisory) fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (head, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(head)
    }

    /// The next text with its length in front.
    pub(in crate::advisory) fn text(&mut self) -> Option<&'a str> {
        let length = usize::try_from(self.number()?).ok()?;
        std::str::from_utf8(self.take(length)?).ok()
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
        assert_eq!(Cursor(&[0xff; 5]).number(), None);
        assert_eq!(Cursor(&[0x80]).number(), None);
        assert_eq!(Cursor(&[5, b'a']).text(), None);
    }
}
