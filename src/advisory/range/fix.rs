//! The version that mends. In: an installed version and the ranges of a row, parsed and sorted; out: the lowest fixed version above it that lies
//! outside all of them (advisories.md O5). All ranges are swept at once from the lowest event up, so that the time is that of sorting.

use std::cmp::Ordering;

use super::{Bound, Installed, Line, Reading};
use crate::{advisory::version::Version, model::advisory::Event};

/// The lowest fixed version above the installed one that lies outside all ranges.
pub(super) fn lowest_fix(installed: &Installed<'_>, lines: &[Line<'_>]) -> Option<String> {
    // Most rows have one range from somewhere to one fix, and nothing behind it.
    if let [line] = lines
        && let [(_, Event::Introduced(_)), (Bound::At(fix), Event::Fixed(text))] = line.events.as_slice()
        && line.limits.is_empty()
    {
        let from = line.place(installed).ok()?;
        return (fix.compare(&from) == Some(Ordering::Greater)).then(|| text.clone());
    }
    let mut candidates: Vec<Candidate<'_>> = Vec::new();
    let mut readings: Vec<Reading> = Vec::new();
    for line in lines {
        if !readings.contains(&line.reading) {
            readings.push(line.reading);
        }
        let Ok(from) = line.place(installed) else { continue };
        candidates.extend(line.events.iter().filter_map(|(bound, event)| match (bound, event) {
            (Bound::At(version), Event::Fixed(text)) if version.compare(&from) == Some(Ordering::Greater) => {
                Some(Candidate { version, text, is_outside: true })
            }
            _ => None,
        }));
    }
    // A row has ranges in its own order and in that of semver, at most: a version must be outside in both.
    for reading in readings {
        let of_reading: Vec<&Line<'_>> = lines.iter().filter(|line| line.reading == reading).collect();
        sweep(reading, &of_reading, &mut candidates);
    }
    let mut best: Option<&Candidate<'_>> = None;
    for candidate in candidates.iter().filter(|candidate| candidate.is_outside) {
        if best.is_none_or(|best| candidate.version.compare(best.version) == Some(Ordering::Less)) {
            best = Some(candidate);
        }
    }
    best.map(|candidate| candidate.text.to_owned())
}

/// A version that some range calls fixed.
struct Candidate<'a> {
    version: &'a Version,
    text: &'a str,
    /// No range was found to hold it so far.
    is_outside: bool,
}

/// What happens at a place of the version line.
enum Step<'a> {
    /// An event of the range with this number.
    Event(usize, &'a Event),
    /// The range with this number ends here for good.
    End(usize),
    /// The candidate with this number is here.
    Ask(usize),
}

/// Marks the candidates that a range of this reading holds, and those that it cannot read.
fn sweep(reading: Reading, lines: &[&Line<'_>], candidates: &mut [Candidate<'_>]) {
    let places: Vec<Option<Version>> = candidates.iter().map(|candidate| reading.event(candidate.text)).collect();
    let mut steps: Vec<(Option<&Version>, Step<'_>)> = Vec::new();
    for (number, line) in lines.iter().enumerate() {
        steps.extend(line.events.iter().map(|(bound, event)| (at(bound), Step::Event(number, event))));
        // Below one of several limits is below the highest of them.
        if !line.limits.is_empty() && line.limits.iter().all(Option::is_some) {
            let highest =
                line.limits.iter().flatten().filter_map(at).reduce(|a, b| if place(Some(a), Some(b)) == Ordering::Less { b } else { a });
            steps.push((highest, Step::End(number)));
        }
    }
    for (number, (version, candidate)) in places.iter().zip(candidates.iter_mut()).enumerate() {
        match version {
            Some(version) => steps.push((Some(version), Step::Ask(number))),
            None => candidate.is_outside = false,
        }
    }
    // The sort is stable: events of one range at one version keep the order in which the range has them.
    steps.sort_by(|(a, _), (b, _)| place(*a, *b));
    let mut state = State { inside: vec![false; lines.len()], ended: vec![false; lines.len()], held: 0 };
    for group in steps.chunk_by(|(a, _), (b, _)| place(*a, *b) == Ordering::Equal) {
        // At the version itself the last affected one is still affected, and behind it no more.
        let mut undo = Vec::new();
        for (_, step) in group {
            match step {
                Step::Event(line, Event::Introduced(_)) => undo.extend(state.set(*line, true)),
                Step::Event(line, Event::Fixed(_)) => undo.extend(state.set(*line, false)),
                Step::End(line) => state.end(*line),
                Step::Event(..) | Step::Ask(_) => {}
            }
        }
        for (_, step) in group {
            if let Step::Ask(number) = step
                && state.held > 0
                && let Some(candidate) = candidates.get_mut(*number)
            {
                candidate.is_outside = false;
            }
        }
        for (line, was) in undo.into_iter().rev() {
            state.set(line, was);
        }
        for (_, step) in group {
            match step {
                Step::Event(line, Event::Introduced(_)) => state.set(*line, true),
                Step::Event(line, Event::Fixed(_) | Event::LastAffected(_)) => state.set(*line, false),
                Step::Event(..) | Step::End(_) | Step::Ask(_) => None,
            };
        }
    }
}

/// Nothing where a range begins before every version.
fn at(bound: &Bound) -> Option<&Version> {
    match bound {
        Bound::Start => None,
        Bound::At(version) => Some(version),
    }
}

fn place(a: Option<&Version>, b: Option<&Version>) -> Ordering {
    match (a, b) {
        (Some(a), Some(b)) => a.compare(b).unwrap_or(Ordering::Equal),
        (a, b) => a.is_some().cmp(&b.is_some()),
    }
}

/// Which ranges hold the place where the sweep is.
struct State {
    inside: Vec<bool>,
    ended: Vec<bool>,
    /// How many do.
    held: usize,
}

impl State {
    /// Returns the line and what it was, if this changed it.
    fn set(&mut self, line: usize, inside: bool) -> Option<(usize, bool)> {
        let counts = self.ended.get(line) == Some(&false);
        let known = self.inside.get_mut(line).filter(|known| **known != inside)?;
        *known = inside;
        if counts {
            self.held = if inside { self.held.saturating_add(1) } else { self.held.saturating_sub(1) };
        }
        Some((line, !inside))
    }

    fn end(&mut self, line: usize) {
        if let Some(ended) = self.ended.get_mut(line).filter(|ended| !**ended) {
            *ended = true;
            if self.inside.get(line) == Some(&true) {
                self.held = self.held.saturating_sub(1);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{
        advisory::version::Scheme,
        model::advisory::{AffectedRange, RangeScheme},
    };

    /// The same without any haste: every candidate against every range.
    fn slowly(installed: &Installed<'_>, lines: &[Line<'_>]) -> Option<String> {
        let mut best: Option<(&Version, &str)> = None;
        for line in lines {
            let from = line.place(installed).unwrap();
            for (bound, event) in &line.events {
                let (Bound::At(fixed), Event::Fixed(text)) = (bound, event) else { continue };
                let better = best.is_none_or(|(known, _)| fixed.compare(known) == Some(Ordering::Less));
                let is_outside = |other: &Line<'_>| other.reading.event(text).is_some_and(|fixed| !other.holds(&fixed));
                if fixed.compare(&from) == Some(Ordering::Greater) && better && lines.iter().all(is_outside) {
                    best = Some((fixed, text));
                }
            }
        }
        best.map(|(_, text)| text.to_owned())
    }

    fn event() -> impl Strategy<Value = Event> {
        (0..4_u8, 0..6_u8, 0..2_u8).prop_map(|(kind, major, minor)| {
            let text = if (major, minor) == (0, 0) { "0".to_owned() } else { format!("{major}.{minor}.0") };
            match kind {
                0 => Event::Introduced(text),
                1 => Event::Fixed(text),
                2 => Event::LastAffected(text),
                _ => Event::Limit(if minor == 0 { "*".to_owned() } else { text }),
            }
        })
    }

    proptest! {
        #[test]
        fn the_sweep_finds_what_the_long_way_finds(
            ranges in prop::collection::vec((prop::collection::vec(event(), 0..7), any::<bool>()), 0..4),
            major in 0..6_u8,
        ) {
            let scheme = |is_semver| if is_semver { RangeScheme::Semver } else { RangeScheme::Ecosystem };
            let ranges: Vec<_> = ranges.into_iter().map(|(events, is_semver)| AffectedRange { scheme: scheme(is_semver), events }).collect();
            let reading = Reading::plain(Scheme::Pep440);
            let text = format!("{major}.0.0");
            let installed = reading.installed(&text).unwrap();
            let lines: Vec<_> = ranges.iter().filter_map(|range| Line::of(reading, range).ok()).collect();
            prop_assert_eq!(lowest_fix(&installed, &lines), slowly(&installed, &lines));
        }
    }

    /// Every fix of the first range lies in the second, which has one of its own at the end of all.
    #[test]
    fn as_many_events_as_a_row_may_have_are_swept_once() {
        let pairs = |from: &str, step: usize| -> Vec<Event> {
            let pair = |number: usize| [Event::Introduced(format!("{number}.{from}.0")), Event::Fixed(format!("{number}.{step}.0"))];
            (1..=4_999).flat_map(pair).collect()
        };
        let of = |events| AffectedRange { scheme: RangeScheme::Semver, events };
        let ranges =
            [of(pairs("0", 5)), of(pairs("4", 6)), of(vec![Event::Introduced("0".to_owned()), Event::Fixed("5000.0.0".to_owned())])];
        let reading = Reading::plain(Scheme::Semver);
        let installed = reading.installed("1.0.0").unwrap();
        let lines: Vec<_> = ranges.iter().map(|range| Line::of(reading, range).unwrap()).collect();
        assert_eq!(lowest_fix(&installed, &lines).as_deref(), Some("5000.0.0"));
    }
}
