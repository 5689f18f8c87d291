//! Whose rating counts (rule M7): the distribution first because of backports, then Inspector, GHSA or OSV, NVD, ECR basic; the first that really rates.

use std::collections::BTreeSet;

use crate::model::{
    evidence::Observation,
    severity::{Rating, RatingAuthor, Severity},
};

/// Every rating of all rows, sorted.
pub(super) fn ratings(rows: &[&Observation]) -> Vec<Rating> {
    let all: BTreeSet<Rating> = rows.iter().flat_map(|row| row.ratings.iter().cloned()).collect();
    all.into_iter().collect()
}

/// The effective severity and its author. Of several ratings of one author words go before scores, and the highest wins.
pub(super) fn effective(ratings: &[Rating]) -> (Severity, Option<RatingAuthor>) {
    let rated = ratings.iter().filter_map(|rating| {
        let severity = rating.severity();
        let by_word = rating.word.as_deref().is_some_and(|word| Severity::from_word(word) != Severity::Unknown);
        (severity != Severity::Unknown).then_some((rating.author, !by_word, severity.report_order(), severity))
    });
    rated
        .min_by_key(|(author, by_score, order, _)| (*author, *by_score, *order))
        .map_or((Severity::Unknown, None), |(author, _, _, severity)| (severity, Some(author)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_author_that_really_rates_decides() {
        let rating =
            |author, word: Option<&str>, score_tenths| Rating { author, word: word.map(str::to_owned), vector: None, score_tenths };
        let check = |ratings: &[Rating], expected| assert_eq!(effective(ratings), expected);
        check(&[], (Severity::Unknown, None));
        check(&[rating(RatingAuthor::EcrBasic, Some("UNDEFINED"), None)], (Severity::Unknown, None));
        check(
            &[
                rating(RatingAuthor::Vendor, Some("not yet assigned"), None),
                rating(RatingAuthor::Inspector, Some("HIGH"), Some(81)),
                rating(RatingAuthor::Nvd, None, Some(98)),
            ],
            (Severity::High, Some(RatingAuthor::Inspector)),
        );
        check(
            &[rating(RatingAuthor::Vendor, Some("low"), None), rating(RatingAuthor::Vendor, None, Some(98))],
            (Severity::Low, Some(RatingAuthor::Vendor)),
        );
        check(
            &[rating(RatingAuthor::Nvd, None, Some(50)), rating(RatingAuthor::Nvd, None, Some(98))],
            (Severity::Critical, Some(RatingAuthor::Nvd)),
        );
    }
}
