//! A text before and after in, a unified diff out that shows no line of those that hold a secret. What it shows can be applied: context is left
//! out, never masked.

use std::{collections::BTreeSet, ops::Range, time::Duration};

use similar::{Algorithm, ChangeTag, DiffOp, DiffTag, TextDiff, group_diff_ops, udiff::UnifiedDiffHunk};

/// How long the smallest diff is looked for.
const DIFF_TIME: Duration = Duration::from_secs(2);
/// Lines of context on each side of a change.
const CONTEXT: usize = 3;

/// One side of a diff.
#[derive(Debug, Clone, Copy)]
pub(super) struct Side<'a> {
    /// The text.
    pub(super) bytes: &'a [u8],
    /// Its lines that are not shown, from 1.
    pub(super) hidden: &'a BTreeSet<u32>,
}

/// What changed.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Diff {
    /// A unified diff; nothing for the same text.
    Whole(Vec<u8>),
    /// The same without some of its context, which holds a secret.
    Narrowed(Vec<u8>),
    /// A line with a secret would be among those that change.
    Hidden,
}

/// Compares two texts of a file.
pub(super) fn diff(file: &str, before: Side<'_>, after: Side<'_>) -> Diff {
    let compared = TextDiff::configure().algorithm(Algorithm::Myers).timeout(DIFF_TIME).diff_lines(before.bytes, after.bytes);
    let (old, new) = (lines(compared.old_slices()), lines(compared.new_slices()));
    let touches = |lines: &[u32], range: Range<usize>, side: Side<'_>| {
        lines.get(range).unwrap_or_default().iter().any(|line| side.hidden.contains(line))
    };
    let is_hidden = |op: &DiffOp| touches(&old, op.old_range(), before) || touches(&new, op.new_range(), after);
    if compared.ops().iter().any(|op| op.tag() != DiffTag::Equal && is_hidden(op)) {
        return Diff::Hidden;
    }
    let groups = group_diff_ops(compared.ops().to_vec(), CONTEXT);
    let is_narrowed = groups.iter().flatten().any(is_hidden);
    let groups = groups.into_iter().flat_map(|ops| narrowed(ops, &is_hidden, CONTEXT));
    let text = written(file, groups.map(|ops| UnifiedDiffHunk::new(ops, &compared, true)));
    if is_narrowed { Diff::Narrowed(text) } else { Diff::Whole(text) }
}

/// For each piece of a diff's text its line in the file: a lone carriage return ends a piece, and no line.
fn lines(pieces: &[&[u8]]) -> Vec<u32> {
    let mut line = 1;
    let numbered = |piece: &&[u8]| {
        let this = line;
        line += u32::from(piece.ends_with(b"\n"));
        this
    };
    pieces.iter().map(numbered).collect()
}

/// The hunks as text, under the names of both sides.
fn written<'a>(file: &str, hunks: impl Iterator<Item = UnifiedDiffHunk<'a, 'a, 'a, 'a, [u8]>>) -> Vec<u8> {
    let name = |side: &str| if file.starts_with('/') || file.starts_with('<') { file.to_owned() } else { format!("{side}/{file}") };
    let (old, new) = (name("a"), name("b"));
    let mut text = Vec::new();
    // The library's own writer takes bytes that are no UTF-8 for text.
    for hunk in hunks {
        if text.is_empty() {
            text.extend(format!("--- {old}\n+++ {new}\n").bytes());
        }
        text.extend(format!("{}\n", hunk.header()).bytes());
        for change in hunk.iter_changes() {
            text.push(match change.tag() {
                ChangeTag::Equal => b' ',
                ChangeTag::Delete => b'-',
                ChangeTag::Insert => b'+',
            });
            text.extend(change.value());
            if change.missing_newline() {
                text.extend(b"\n\\ No newline at end of file\n");
            }
        }
    }
    text
}

/// The same changes with less context, on both sides alike, so that none of it is hidden.
fn narrowed(ops: Vec<DiffOp>, is_hidden: &impl Fn(&DiffOp) -> bool, context: usize) -> Vec<Vec<DiffOp>> {
    let Some(less) = context.checked_sub(1).filter(|_| ops.iter().any(is_hidden)) else { return vec![ops] };
    group_diff_ops(ops, less).into_iter().flat_map(|ops| narrowed(ops, is_hidden, less)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(before: &[u8], after: &[u8], hidden: &[u32]) -> Diff {
        let hidden = hidden.iter().copied().collect();
        diff("Dockerfile", Side { bytes: before, hidden: &hidden }, Side { bytes: after, hidden: &hidden })
    }

    #[test]
    fn a_diff_keeps_every_byte() {
        let found = check(b"FROM a\r\nRUN \xff\n", b"FROM b\r\nRUN \xff\n", &[]);
        let expected = b"--- a/Dockerfile\n+++ b/Dockerfile\n@@ -1,2 +1,2 @@\n-FROM a\r\n+FROM b\r\n RUN \xff\n";
        assert_eq!(found, Diff::Whole(expected.to_vec()));
        assert_eq!(check(b"x", b"x", &[1]), Diff::Whole(Vec::new()));
    }

    #[test]
    fn context_with_a_secret_is_left_out_on_both_sides() {
        let table: [(&[u8], &[u8], &[u32], &str); 3] = [
            (b"1\n2\nSECRET\n4\n5\n6\n7\n8\n9\n", b"1\n2\nSECRET\n4\nFIVE\n6\n7\n8\n9\n", &[3], "@@ -4,3 +4,3 @@\n 4\n-5\n+FIVE\n 6\n"),
            // Between two changes, and right before what is put in.
            (b"1\nSECRET\n3\n", b"ONE\nSECRET\nTHREE\n", &[2], "@@ -1 +1 @@\n-1\n+ONE\n@@ -3 +3 @@\n-3\n+THREE\n"),
            (b"SECRET\n2\n", b"SECRET\nnew\n2\n", &[1], "@@ -1,0 +2 @@\n+new\n"),
        ];
        for (before, after, hidden, expected) in table {
            let expected = format!("--- a/Dockerfile\n+++ b/Dockerfile\n{expected}");
            assert_eq!(check(before, after, hidden), Diff::Narrowed(expected.into_bytes()));
        }
    }

    #[test]
    fn a_changed_line_with_a_secret_hides_all() {
        assert_eq!(check(b"1\nold SECRET\n", b"1\nnew SECRET\n", &[2]), Diff::Hidden);
        assert_eq!(check(b"1\n", b"1\nnew SECRET", &[2]), Diff::Hidden);
    }
}
