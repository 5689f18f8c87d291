//! Findings with edits in, the mended text out. Every fix is proved before it counts: the file is read and judged again, the finding is
//! gone, no rule finds anything new, and only the instructions that were touched have changed.

use std::{
    collections::{BTreeMap, BTreeSet, hash_map::DefaultHasher},
    hash::{Hash as _, Hasher as _},
    ops::Range,
};

use crate::model::{
    coverage::{Gap, SourceId},
    finding::Finding,
    fix::{Edit, FixKind, FixRecord, WithheldFix},
    location::Location,
    policy::Exception,
};

use super::{LintInput, LintReport, MAX_BYTES, instruction::Instruction, judge, rule::Dockerfile, secret_lines, source::Source};

/// The most rounds: a fix that overlaps another one waits for the next.
const MAX_ROUNDS: usize = 10;
/// How often a file is judged at most, and how many bytes in all.
const MAX_PROOFS: usize = 256;
const MAX_PROOF_BYTES: usize = 32 << 20;

/// The kind of the gaps that say that a part of the file was not looked at.
const CUT: &str = "too-large";
/// The gaps behind which there may be something to mend.
const UNREAD: &[&str] = &[CUT, "refused-instruction", "unread-shell"];

/// A mended file.
#[derive(Debug, Clone)]
pub struct Fixed {
    /// Its bytes; those that came in when nothing was mended.
    pub bytes: Vec<u8>,
    /// What was mended, in order.
    pub applied: Vec<FixRecord>,
    /// What was to be mended and was not.
    pub withheld: Vec<WithheldFix>,
    /// Why there may be more to mend than anybody knows of.
    pub gaps: Vec<Gap>,
}

/// Why a fix is withheld where secrets are left alone.
pub const HOLDS_SECRET: &str = "its lines hold a secret, which no diff shows; --fix makes it";

/// What is done about lines that hold a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Secrets {
    /// They are mended like others.
    Mend,
    /// They stay as they are, since what changes will be shown.
    Leave,
}

/// Says of each finding whether it is to be mended; it gets the ignores that the file holds as well.
pub type Chosen<'a> = dyn Fn(&[Finding], &[Exception]) -> Vec<bool> + 'a;

/// Mends what it can prove.
#[must_use]
pub fn fix(input: &LintInput<'_>, kinds: &BTreeSet<FixKind>, secrets: Secrets, is_chosen: &Chosen<'_>) -> Fixed {
    let mut fixed = Fixed { bytes: input.bytes.to_vec(), applied: Vec::new(), withheld: Vec::new(), gaps: Vec::new() };
    if input.bytes.len() > MAX_BYTES {
        let reason = format!("it is larger than {MAX_BYTES} bytes, so that nothing of it is mended");
        fixed.gaps.push(Gap::new(SourceId::Dockerfile, CUT, input.file, reason));
        return fixed;
    }
    // What ShellCheck said is about places in this text, and about none in the next.
    let input = &LintInput { remarks: None, ..*input };
    let budget = (MAX_PROOF_BYTES / input.bytes.len().max(1)).clamp(16, MAX_PROOFS);
    let mut prover = Prover { input, budget };
    let mut state = prover.judged(input.bytes.to_vec());
    let mut rounds = 0;
    // What failed for the text as it is; another text is another chance.
    let mut failed: BTreeMap<usize, String> = BTreeMap::new();
    loop {
        let candidates: Vec<(usize, &Finding)> = wanted(&state.report, kinds, is_chosen);
        if secrets == Secrets::Leave && !candidates.is_empty() {
            let hidden = secret_lines(&LintInput { bytes: &state.bytes, ..*input });
            let holds = |edit: &Edit| hidden.range(edit.span.line..=edit.span.end_line).next().is_some();
            let is_hidden = |finding: &Finding| finding.fix.iter().flat_map(|fix| &fix.edits).any(holds);
            failed.extend(candidates.iter().filter(|(_, finding)| is_hidden(finding)).map(|(at, _)| (*at, HOLDS_SECRET.to_owned())));
        }
        let open = candidates.iter().filter(|(at, _)| !failed.contains_key(at)).copied().collect();
        let selected = without_overlap(open);
        // What was not looked at before a fix may come to light behind it.
        let is_cut = state.report.gaps.iter().any(|gap| gap.kind == CUT);
        if selected.is_empty() || rounds == MAX_ROUNDS || is_cut {
            let unsettled = match (is_cut, rounds == MAX_ROUNDS) {
                (true, _) => "not all of the file was looked at, so that nothing can be proved",
                (_, true) => "there was no end to fixes of the same place",
                _ => "",
            };
            fixed.withheld = candidates
                .iter()
                // One is enough to say it of a whole file.
                .take(if is_cut { 1 } else { usize::MAX })
                .filter_map(|(at, finding)| {
                    let reason = failed.get(at).cloned().unwrap_or_else(|| unsettled.to_owned());
                    Some(WithheldFix { fix: record(finding)?, reason })
                })
                .collect();
            fixed.gaps = state.report.gaps.into_iter().filter(|gap| UNREAD.contains(&gap.kind)).collect();
            fixed.bytes = state.bytes;
            return fixed;
        }
        let mut round = Round { before: &state, accepted: Vec::new(), after: None, failed: BTreeMap::new() };
        prover.settle(&mut round, &selected);
        let Round { accepted, after, failed: newly, .. } = round;
        match after {
            Some(after) => {
                fixed.applied.extend(accepted.iter().filter_map(|(_, finding)| record(finding)));
                state = after;
                failed.clear();
                rounds += 1;
            }
            None => failed.extend(newly),
        }
    }
}

/// The findings that can be mended and shall be, with their places in the report.
fn wanted<'a>(report: &'a LintReport, kinds: &BTreeSet<FixKind>, is_chosen: &Chosen<'_>) -> Vec<(usize, &'a Finding)> {
    let of_kind = |finding: &Finding| finding.fix.as_ref().is_some_and(|fix| kinds.contains(&fix.kind));
    if !report.findings.iter().any(of_kind) {
        return Vec::new();
    }
    let chosen = is_chosen(&report.findings, &report.ignores);
    report
        .findings
        .iter()
        .zip(chosen)
        .enumerate()
        .filter(|(_, (finding, chosen))| *chosen && of_kind(finding))
        .map(|(at, (finding, _))| (at, finding))
        .collect()
}

/// Those that do not overlap; of two that do, the one whose rule comes first.
fn without_overlap(mut candidates: Vec<(usize, &Finding)>) -> Vec<(usize, &Finding)> {
    let start = |finding: &Finding| finding.fix.as_ref().and_then(|fix| fix.edits.first()).map(|edit| edit.range.start);
    candidates.sort_by(|(_, a), (_, b)| (&a.id, start(a)).cmp(&(&b.id, start(b))));
    let mut taken = BTreeMap::<usize, usize>::new();
    let mut selected = Vec::new();
    for (at, finding) in candidates {
        let edits = finding.fix.iter().flat_map(|fix| &fix.edits);
        // Also two insertions at one place: their order would be chance.
        let meets = |edit: &Edit| taken.range(..=edit.range.end).next_back().is_some_and(|(_, end)| *end >= edit.range.start);
        if !edits.clone().any(meets) {
            taken.extend(edits.map(|edit| (edit.range.start, edit.range.end)));
            selected.push((at, finding));
        }
    }
    selected
}

fn record(finding: &Finding) -> Option<FixRecord> {
    let kind = finding.fix.as_ref()?.kind;
    Some(FixRecord { id: finding.id.clone(), title: finding.title.clone(), line: line(finding), kind })
}

fn line(finding: &Finding) -> u32 {
    finding.locations.first().map_or(0, |location| if let Location::Dockerfile(span) = location { span.line } else { 0 })
}

/// A text, what is found in it, and what its instructions are.
struct State {
    bytes: Vec<u8>,
    report: LintReport,
    outline: Outline,
}

/// The instructions of a file by place and content.
struct Outline {
    instructions: Vec<(Range<usize>, u64)>,
    comments: Vec<String>,
    escape: char,
    unread: usize,
}

impl Outline {
    fn of(dockerfile: &Dockerfile<'_>, report: &LintReport) -> Self {
        let of = |instruction: &Instruction| {
            let mut hasher = DefaultHasher::new();
            hash(instruction, &dockerfile.source, &mut hasher);
            (instruction.range.clone(), hasher.finish())
        };
        Self {
            instructions: dockerfile.instructions.iter().map(of).collect(),
            comments: dockerfile.comments.iter().map(|comment| comment.text.clone()).collect(),
            escape: dockerfile.directives.escape,
            unread: report.gaps.len(),
        }
    }

    /// What stands outside the given places, which are sorted; a place at the edge of an instruction touches it.
    fn untouched(&self, places: &[Range<usize>]) -> Vec<u64> {
        let is_touched = |range: &Range<usize>| {
            let next = places.partition_point(|place| place.end < range.start);
            places.get(next).is_some_and(|place| place.start <= range.end)
        };
        self.instructions.iter().filter(|(range, _)| !is_touched(range)).map(|(_, hash)| *hash).collect()
    }
}

fn hash(instruction: &Instruction, source: &Source, hasher: &mut DefaultHasher) {
    instruction.word.hash(hasher);
    instruction.json.hash(hasher);
    for flag in &instruction.flags {
        (&flag.name, &flag.value).hash(hasher);
    }
    for argument in &instruction.args {
        argument.text.hash(hasher);
    }
    for heredoc in &instruction.heredocs {
        (&heredoc.name, heredoc.expand, heredoc.chomp, source.text.get(heredoc.body.clone())).hash(hasher);
    }
    if let Some(trigger) = &instruction.trigger {
        hash(trigger, source, hasher);
    }
}

/// Fixes that are tried on one text.
struct Round<'a> {
    before: &'a State,
    accepted: Vec<(usize, &'a Finding)>,
    /// The text with all that are accepted; none while there are none.
    after: Option<State>,
    failed: BTreeMap<usize, String>,
}

struct Prover<'a> {
    input: &'a LintInput<'a>,
    budget: usize,
}

impl Prover<'_> {
    fn judged(&mut self, bytes: Vec<u8>) -> State {
        self.budget = self.budget.saturating_sub(1);
        let (report, outline) = {
            let (report, dockerfile) = judge(&LintInput { bytes: &bytes, ..*self.input });
            let outline = Outline::of(&dockerfile, &report);
            (report, outline)
        };
        State { bytes, report, outline }
    }

    /// Accepts as many of a group as hold together with those accepted before: all at once, else its halves.
    fn settle<'a>(&mut self, round: &mut Round<'a>, group: &[(usize, &'a Finding)]) {
        if group.is_empty() {
            return;
        }
        if self.budget == 0 {
            round.failed.extend(group.iter().map(|(at, _)| (*at, "too many fixes of this file had to be withheld".to_owned())));
            return;
        }
        let together: Vec<(usize, &Finding)> = round.accepted.iter().chain(group).copied().collect();
        match (self.prove(round.before, &together), group) {
            (Ok(after), _) => {
                round.accepted.extend(group);
                round.after = Some(after);
            }
            (Err(reason), [(at, _)]) => {
                round.failed.insert(*at, reason);
            }
            (Err(_), group) => {
                let (left, right) = group.split_at(group.len() / 2);
                self.settle(round, left);
                self.settle(round, right);
            }
        }
    }

    fn prove(&mut self, before: &State, fixes: &[(usize, &Finding)]) -> Result<State, String> {
        let mut edits: Vec<&Edit> = fixes.iter().flat_map(|(_, finding)| finding.fix.iter().flat_map(|fix| &fix.edits)).collect();
        edits.sort_by_key(|edit| (edit.range.start, edit.range.end));
        let changed = Changed::new(&before.bytes, &edits).ok_or_else(|| "its edits overlap".to_owned())?;
        let after = self.judged(changed.bytes.clone());
        let mended = fixes.iter().map(|(at, _)| *at).collect::<BTreeSet<_>>();
        let mut allowed = BTreeMap::<(&str, u32), usize>::new();
        for (at, finding) in before.report.findings.iter().enumerate() {
            if !mended.contains(&at) {
                *allowed.entry((finding.id.as_str(), changed.line(line(finding)))).or_default() += 1;
            }
        }
        for finding in &after.report.findings {
            match allowed.get_mut(&(finding.id.as_str(), line(finding))) {
                Some(count) if *count > 0 => *count -= 1,
                _ if fixes.iter().any(|(_, fixed)| fixed.id == finding.id && changed.line(line(fixed)) == line(finding)) => {
                    return Err(format!("{} would still be found on line {}", finding.id, line(finding)));
                }
                _ => return Err(format!("{} would be found on line {}", finding.id, line(finding))),
            }
        }
        if after.outline.unread > before.outline.unread {
            return Err("a part of the file could no longer be read".to_owned());
        }
        let old: Vec<Range<usize>> = edits.iter().map(|edit| edit.range.clone()).collect();
        let is_same =
            before.outline.escape == after.outline.escape && before.outline.untouched(&old) == after.outline.untouched(&changed.places);
        if !is_same {
            return Err("another instruction would change".to_owned());
        }
        let in_comment = |edit: &&Edit| is_comment(&before.bytes, edit.range.start);
        if before.outline.comments != after.outline.comments && !edits.iter().any(in_comment) {
            return Err("a comment would change".to_owned());
        }
        Ok(after)
    }
}

/// Whether an offset stands in a line that starts like a comment.
fn is_comment(bytes: &[u8], at: usize) -> bool {
    let head = bytes.get(..at).unwrap_or_default();
    let start = head.iter().rposition(|byte| *byte == b'\n').map_or(0, |newline| newline + 1);
    let line = bytes.get(start..).unwrap_or_default();
    line.iter().find(|byte| !matches!(byte, b' ' | b'\t' | 0xEF | 0xBB | 0xBF)).is_some_and(|byte| *byte == b'#')
}

/// A text after edits, and the way from the lines before to those after.
struct Changed {
    bytes: Vec<u8>,
    /// Where the replacements stand.
    places: Vec<Range<usize>>,
    /// Where the lines before started, and on which line that is now.
    lines: Vec<u32>,
}

impl Changed {
    /// Makes the edits, which are sorted; `None` where they overlap.
    fn new(before: &[u8], edits: &[&Edit]) -> Option<Self> {
        let mut bytes = Vec::with_capacity(before.len() + 64);
        let mut places = Vec::new();
        let mut lines = vec![0, 1];
        let mut now = 1_u32;
        let mut at = 0;
        let keep = |range: Range<usize>, bytes: &mut Vec<u8>, now: &mut u32, lines: &mut Vec<u32>| {
            for byte in before.get(range)? {
                bytes.push(*byte);
                if *byte == b'\n' {
                    *now += 1;
                    lines.push(*now);
                }
            }
            Some(())
        };
        for edit in edits {
            keep(at..edit.range.start, &mut bytes, &mut now, &mut lines)?;
            let start = bytes.len();
            let at_line_start = bytes.last().is_none_or(|byte| *byte == b'\n');
            bytes.extend_from_slice(edit.replacement.as_bytes());
            now += u32::try_from(edit.replacement.matches('\n').count()).ok()?;
            // What comes in before a line moves that line as well.
            if let Some(line) = lines.last_mut().filter(|_| at_line_start && edit.replacement.ends_with('\n')) {
                *line = now;
            }
            // A line whose start went is now where the replacement ends.
            let gone = before.get(edit.range.clone())?.iter().filter(|byte| **byte == b'\n').count();
            lines.extend(std::iter::repeat_n(now, gone));
            places.push(start..bytes.len());
            at = edit.range.end;
        }
        keep(at..before.len(), &mut bytes, &mut now, &mut lines)?;
        Some(Self { bytes, places, lines })
    }

    /// The line now of a line before.
    fn line(&self, before: u32) -> u32 {
        usize::try_from(before).ok().and_then(|before| self.lines.get(before)).copied().unwrap_or(before)
    }
}

/// A file as bytes and as it was read.
pub(super) struct Text<'a> {
    bytes: &'a [u8],
    read: &'a str,
    is_utf8: bool,
    /// The bodies of here-documents, in order.
    bodies: Vec<Range<usize>>,
}

impl<'a> Text<'a> {
    pub(super) fn of(bytes: &'a [u8], dockerfile: &'a Dockerfile<'_>) -> Self {
        let heredocs = dockerfile.instructions.iter().flat_map(|instruction| &instruction.heredocs);
        let read = dockerfile.source.text.as_str();
        Self { bytes, read, is_utf8: bytes == read.as_bytes(), bodies: heredocs.map(|heredoc| heredoc.body.clone()).collect() }
    }
}

/// Whether a fix can be made at all: its edits are in order, in no here-document but for whole lines before its first one, and touch no byte
/// that is no text.
pub(super) fn is_sound(edits: &[Edit], text: &Text<'_>) -> bool {
    let is_ordered = edits.windows(2).all(|pair| matches!(pair, [a, b] if a.range.end <= b.range.start && a.range != b.range));
    // A body ends where the line of its end word begins.
    let in_body = |range: &Range<usize>| {
        let next = text.bodies.partition_point(|body| body.end < range.start);
        text.bodies.get(next).is_some_and(|body| range.start < body.end && body.start <= range.end)
    };
    let is_before_body = |edit: &Edit| {
        let starts = text.bodies.binary_search_by_key(&edit.range.start, |body| body.start).is_ok();
        starts && edit.range.is_empty() && edit.replacement.ends_with('\n')
    };
    let is_text = |edit: &Edit| {
        let read = text.read.get(edit.range.clone()).map(str::as_bytes);
        read.is_some() && read == text.bytes.get(edit.range.clone())
    };
    !edits.is_empty()
        && is_ordered
        && edits.iter().all(|edit| {
            is_text(edit) && (!in_body(&edit.range) || is_before_body(edit)) && (text.is_utf8 || !edit.replacement.contains('?'))
        })
}
