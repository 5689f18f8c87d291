//! Erlang and Elixir terms in, their tokens out; enough to find names and versions in what build tools write.
//! Specification: <https://www.erlang.org/doc/system/data_types.html>.

/// One token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Token {
    /// A bracket, brace, comma, colon or the like.
    Mark(u8),
    /// An atom, a variable or a number.
    Word(String),
    /// What stands between double quotes.
    Text(String),
}

/// Bytes of one token that are kept.
const TOKEN_BYTES: usize = 4096;

/// Hands over each token, and how many brackets it stands in, until `take` says that it has enough.
pub(super) fn each_token(bytes: &[u8], comment: u8, mut take: impl FnMut(usize, Token) -> bool) {
    let (mut at, mut depth) = (0, 0_usize);
    while let Some(&byte) = bytes.get(at) {
        at += 1;
        let token = match byte {
            _ if byte.is_ascii_whitespace() => continue,
            _ if byte == comment => {
                while bytes.get(at).is_some_and(|&byte| byte != b'\n') {
                    at += 1;
                }
                continue;
            }
            b'"' => Token::Text(quoted(bytes, &mut at, b'"')),
            b'\'' => Token::Word(quoted(bytes, &mut at, b'\'')),
            _ if is_word(byte) => {
                let from = at - 1;
                while bytes.get(at).is_some_and(|&byte| is_word(byte)) {
                    at += 1;
                }
                Token::Word(text(bytes.get(from..at).unwrap_or_default()))
            }
            mark => {
                if matches!(mark, b'}' | b']' | b')') {
                    depth = depth.saturating_sub(1);
                }
                Token::Mark(mark)
            }
        };
        if !take(depth, token) {
            return;
        }
        depth += usize::from(matches!(byte, b'{' | b'[' | b'('));
    }
}

const fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'@' | b'.' | b'-')
}

/// What stands before the closing quote; goes behind it.
fn quoted(bytes: &[u8], at: &mut usize, quote: u8) -> String {
    let mut out = Vec::new();
    while let Some(&byte) = bytes.get(*at) {
        *at += 1;
        match byte {
            _ if byte == quote => break,
            b'\\' => {
                out.extend(bytes.get(*at).filter(|_| out.len() < TOKEN_BYTES));
                *at += 1;
            }
            _ if out.len() < TOKEN_BYTES => out.push(byte),
            _ => {}
        }
    }
    text(&out)
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes.get(..TOKEN_BYTES).unwrap_or(bytes)).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_know_their_depth() {
        let mut seen = Vec::new();
        each_token(
            br#"{a,%{"}b
 [<<"c\"d">>,'E f']}."#,
            b'%',
            |depth, token| {
                match token {
                    Token::Word(word) => seen.push(format!("{depth}{word}")),
                    Token::Text(text) => seen.push(format!("{depth}\"{text}")),
                    Token::Mark(_) => {}
                }
                true
            },
        );
        assert_eq!(seen, ["1a", "2\"c\"d", "2E f", "0."]);
        for text in [&b"\"abc"[..], b"'a\\", b"{{{{", b"}}}}", b"\xff\xfe"] {
            each_token(text, b'%', |_, _| true);
        }
    }
}
