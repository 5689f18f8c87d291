//! Numbers and texts at places of a table, in either byte order. Whatever is not there is `None`.

/// How numbers of several bytes are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    Little,
    Big,
}

/// Bytes of one table.
#[derive(Debug, Clone, Copy)]
pub(super) struct Fields<'a> {
    bytes: &'a [u8],
    order: Order,
}

impl<'a> Fields<'a> {
    pub(super) const fn new(bytes: &'a [u8], order: Order) -> Self {
        Self { bytes, order }
    }

    pub(super) const fn little(bytes: &'a [u8]) -> Self {
        Self::new(bytes, Order::Little)
    }

    pub(super) fn u16(&self, at: usize) -> Option<u16> {
        let bytes = self.array::<2>(at)?;
        Some(match self.order {
            Order::Little => u16::from_le_bytes(bytes),
            Order::Big => u16::from_be_bytes(bytes),
        })
    }

    pub(super) fn u32(&self, at: usize) -> Option<u32> {
        let bytes = self.array::<4>(at)?;
        Some(match self.order {
            Order::Little => u32::from_le_bytes(bytes),
            Order::Big => u32::from_be_bytes(bytes),
        })
    }

    pub(super) fn u64(&self, at: usize) -> Option<u64> {
        let bytes = self.array::<8>(at)?;
        Some(match self.order {
            Order::Little => u64::from_le_bytes(bytes),
            Order::Big => u64::from_be_bytes(bytes),
        })
    }

    /// A number of eight bytes, or of four in a table that is not wide.
    pub(super) fn word(&self, at: usize, width: Width) -> Option<u64> {
        match width {
            Width::Wide => self.u64(at),
            Width::Narrow => self.u32(at).map(u64::from),
        }
    }

    /// The text from `at` to the next NUL, or to the end of at most `most` bytes.
    pub(super) fn text(&self, at: usize, most: usize) -> Option<String> {
        let rest = self.bytes.get(at..)?;
        let rest = rest.get(..most).unwrap_or(rest);
        let text = rest.split(|&byte| byte == 0).next().unwrap_or_default();
        Some(String::from_utf8_lossy(text).into_owned())
    }

    /// The table from `at` on.
    pub(super) fn from(&self, at: usize) -> Option<Self> {
        Some(Self { bytes: self.bytes.get(at..)?, order: self.order })
    }

    pub(super) const fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    fn array<const N: usize>(&self, at: usize) -> Option<[u8; N]> {
        self.bytes.get(at..at.checked_add(N)?)?.try_into().ok()
    }
}

/// Whether addresses have eight bytes or four.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Width {
    Wide,
    Narrow,
}

impl Width {
    /// The number of bytes.
    pub(super) const fn bytes(self) -> usize {
        match self {
            Self::Wide => 8,
            Self::Narrow => 4,
        }
    }

    /// One of two, such as the place of a field in the two forms of a header.
    pub(super) const fn pick(self, wide: usize, narrow: usize) -> usize {
        match self {
            Self::Wide => wide,
            Self::Narrow => narrow,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_there_is_none() {
        let fields = Fields::new(&[1, 2, 3, 4, 5, 6, 7, 8, b'a', 0, b'b'], Order::Big);
        assert_eq!((fields.u16(0), fields.u32(0), fields.u64(0)), (Some(0x0102), Some(0x0102_0304), Some(0x0102_0304_0506_0708)));
        assert_eq!((fields.u64(4), fields.u32(usize::MAX), fields.word(0, Width::Narrow)), (None, None, Some(0x0102_0304)));
        assert_eq!((fields.text(8, 9).as_deref(), fields.text(10, 9).as_deref(), fields.text(12, 1)), (Some("a"), Some("b"), None));
        assert_eq!(Fields::little(&[1, 2]).u16(0), Some(0x0201));
    }
}
