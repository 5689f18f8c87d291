//! Tests of every order on vectors: lists of our own, and the corpus of answers of the real tools, where it is present.

#[cfg(test)]
mod tests {
    use std::{
        cmp::Ordering,
        collections::{BTreeMap, BTreeSet},
        fs,
        path::PathBuf,
    };

    use proptest::{prelude::*, test_runner::TestRunner};

    use super::super::{MAX_LENGTH, Scheme, apk, composer};

    /// The files of the corpus, and whose order they are.
    const CORPUS: [(&str, Scheme); 14] = [
        ("apk", Scheme::Apk),
        ("cran", Scheme::Cran),
        ("dpkg", Scheme::Dpkg),
        ("hackage", Scheme::Hackage),
        ("maven", Scheme::Maven),
        ("nuget", Scheme::Nuget),
        ("packagist", Scheme::Composer),
        ("pub", Scheme::Pub),
        ("pypi", Scheme::Pep440),
        ("rpm", Scheme::Rpm),
        ("rubygems", Scheme::Gem),
        ("semver", Scheme::Go),
        ("semver", Scheme::Npm),
        ("semver", Scheme::Semver),
    ];

    type Row = (String, Ordering, String);

    fn corpus() -> Option<PathBuf> {
        let folder = std::env::var_os("PLIMSOLL_CORPUS").map(|root| PathBuf::from(root).join("corpus/versions"));
        let folder = folder.filter(|folder| folder.is_dir());
        if folder.is_none() {
            eprintln!("skipped: PLIMSOLL_CORPUS is not set");
        }
        folder
    }

    fn order(op: &str) -> Ordering {
        match op {
            "<" => Ordering::Less,
            "=" => Ordering::Equal,
            ">" => Ordering::Greater,
            _ => panic!("{op}"),
        }
    }

    fn rows(name: &str) -> Vec<Row> {
        let Some(folder) = corpus() else { return Vec::new() };
        let rows: Vec<(String, String, String)> = serde_json::from_slice(&fs::read(folder.join(format!("{name}.json"))).unwrap()).unwrap();
        rows.into_iter().map(|(a, op, b)| (a, order(&op), b)).collect()
    }

    /// Our own vectors: from the lowest to the highest, the equal ones together.
    fn fixture(scheme: Scheme) -> Vec<Vec<String>> {
        let name = format!("testdata/advisory/versions/{}.txt", format!("{scheme:?}").to_lowercase());
        let text = fs::read_to_string(PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(&name)).expect(&name);
        let lines = text.lines().filter(|line| !line.starts_with('#'));
        lines.map(|line| line.split_whitespace().map(str::to_owned).collect()).collect()
    }

    /// Every text of a scheme that we have.
    fn texts(scheme: Scheme) -> Vec<String> {
        let mut texts: BTreeSet<String> = fixture(scheme).into_iter().flatten().collect();
        if corpus().is_some() {
            for (name, _) in CORPUS.iter().filter(|(_, of)| *of == scheme) {
                texts.extend(rows(name).into_iter().flat_map(|(a, _, b)| [a, b]));
            }
        }
        texts.into_iter().collect()
    }

    fn compare(scheme: Scheme, a: &str, b: &str) -> Option<Ordering> {
        scheme.parse(a)?.compare(&scheme.parse(b)?)
    }

    #[test]
    fn our_vectors_are_in_order() {
        for scheme in Scheme::ALL {
            let classes = fixture(scheme);
            for (place, class) in classes.iter().enumerate() {
                for (other_place, other) in classes.iter().enumerate() {
                    for (a, b) in class.iter().flat_map(|a| other.iter().map(move |b| (a, b))) {
                        assert_eq!(compare(scheme, a, b), Some(place.cmp(&other_place)), "{scheme:?}: {a} {b}");
                    }
                }
            }
            assert!(classes.len() >= 10, "{scheme:?}");
        }
    }

    /// What a scheme says of a row that was decided by a tool.
    #[derive(Debug, Default)]
    struct Tally {
        rows: usize,
        right: usize,
        refused: usize,
        other: Vec<String>,
    }

    fn tally(rows: &[Row], answer: impl Fn(&str, &str) -> Option<Ordering>) -> Tally {
        let mut tally = Tally { rows: rows.len(), ..Tally::default() };
        for (a, order, b) in rows {
            match (answer(a, b), answer(b, a)) {
                (None, None) => tally.refused += 1,
                (x, y) if x == Some(*order) && y == Some(order.reverse()) => tally.right += 1,
                answers => tally.other.push(format!("{a} {order:?} {b}: {answers:?}")),
            }
        }
        tally
    }

    #[test]
    fn corpus_vectors_are_all_right() {
        if corpus().is_none() {
            return;
        }
        println!("| ecosystem | order | right | rows | refused as no versions | decided by the package manager |");
        println!("|---|---|---|---|---|---|");
        for (name, scheme) in CORPUS {
            let rows = rows(name);
            let own = tally(&rows, |a, b| compare(scheme, a, b));
            // Two tools put any two texts in an order, versions or not, and the vectors are theirs.
            let of_tool = match scheme {
                Scheme::Apk => tally(&rows, |a, b| Some(apk::compare(a, b))),
                Scheme::Composer => tally(&rows, |a, b| Some(composer::version_compare(a, b))),
                _ => tally(&rows, |a, b| compare(scheme, a, b)),
            };
            println!("| {name} | {} | {} | {} | {} | {} |", scheme.name(), of_tool.right, of_tool.rows, own.refused, own.other.len());
            assert_eq!((of_tool.right, &of_tool.other[..]), (of_tool.rows, [].as_slice()), "{name}");
            let (refused, other) = match scheme {
                Scheme::Apk => (APK_REFUSES, 0),
                Scheme::Composer => (COMPOSER_REFUSES, COMPOSER_DECIDES),
                _ => (0, 0),
            };
            assert_eq!((own.refused, own.other.len()), (refused, other), "{name}: {:#?}", own.other);
        }
    }

    /// Rows of the apk vectors with a text that breaks the grammar of versions.
    const APK_REFUSES: usize = 15;
    /// Rows of the Packagist vectors with a text that Composer refuses, or with a branch that has no number.
    const COMPOSER_REFUSES: usize = 16;
    /// Rows of the Packagist vectors that PHP decides over the texts, and Composer over their normal forms: `3.0` and `3.0.0` are equal to it.
    const COMPOSER_DECIDES: usize = 11;

    /// How an entry of `disagreements/` was decided.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
    enum Decision {
        /// The order is the one of the real tool.
        AsTheTool,
        /// The real tool calls a text invalid, and so do we.
        RefusedAsByTheTool,
        /// The real tool puts any texts in an order, but calls one of these no version when asked.
        RefusedByTheGrammar,
        /// PHP says one thing of the texts, Composer another of its normal forms.
        AsThePackageManager,
    }

    fn decision(scheme: Scheme, a: &str, says: &str, b: &str) -> Option<Decision> {
        let ours = compare(scheme, a, b);
        match (says, ours) {
            ("invalid", None) => Some(Decision::RefusedAsByTheTool),
            ("invalid", Some(_)) => None,
            (op, Some(ours)) if ours == order(op) => Some(Decision::AsTheTool),
            (op, None) if scheme == Scheme::Apk && apk::compare(a, b) == order(op) => Some(Decision::RefusedByTheGrammar),
            (_, None) if scheme == Scheme::Composer => Some(Decision::RefusedByTheGrammar),
            (_, Some(_)) if scheme == Scheme::Composer => Some(Decision::AsThePackageManager),
            _ => None,
        }
    }

    #[test]
    fn corpus_disagreements_are_decided() {
        #[derive(serde::Deserialize)]
        struct File {
            rows: Vec<(String, Option<String>, String, String, String)>,
        }
        let Some(folder) = corpus() else { return };
        let mut decided: BTreeMap<(&str, Decision), usize> = BTreeMap::new();
        let mut wrong = Vec::new();
        for (name, scheme) in CORPUS.into_iter().filter(|(_, scheme)| *scheme != Scheme::Go) {
            let Ok(bytes) = fs::read(folder.join(format!("disagreements/{name}.json"))) else { continue };
            for (a, _, b, says, _) in serde_json::from_slice::<File>(&bytes).unwrap().rows {
                match decision(scheme, &a, &says, &b) {
                    Some(decision) => *decided.entry((scheme.name(), decision)).or_default() += 1,
                    None => wrong.push(format!("{scheme:?}: {a} {says} {b}: {:?}", compare(scheme, &a, &b))),
                }
            }
        }
        for ((name, decision), count) in &decided {
            println!("{name}: {count} {decision:?}");
        }
        assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
        // Every file was read; those of semantic versions twice.
        assert_eq!(decided.values().sum::<usize>(), 245 + 102);
    }

    fn check_triple(scheme: Scheme, triple: [&str; 3]) {
        let Some(versions) = triple.iter().map(|text| scheme.parse(text)).collect::<Option<Vec<_>>>() else { return };
        let at = |x: usize, y: usize| versions[x].compare(&versions[y]).expect("one scheme, one order");
        for (x, y, z) in [(0, 1, 2), (0, 2, 1), (1, 0, 2), (1, 2, 0), (2, 0, 1), (2, 1, 0)] {
            assert_eq!(at(x, x), Ordering::Equal, "{scheme:?}: {triple:?}");
            assert_eq!(at(x, y), at(y, x).reverse(), "{scheme:?}: {triple:?}");
            if at(x, y) != Ordering::Greater && at(y, z) != Ordering::Greater {
                let strict = at(x, y) == Ordering::Less || at(y, z) == Ordering::Less;
                assert_eq!(at(x, z), if strict { Ordering::Less } else { Ordering::Equal }, "{scheme:?}: {triple:?}");
            }
        }
    }

    #[test]
    fn triples_of_vectors_are_in_a_total_order() {
        for scheme in Scheme::ALL {
            let texts = texts(scheme);
            let pick = || any::<prop::sample::Index>();
            let mut runner = TestRunner::new(ProptestConfig { failure_persistence: None, cases: 3000, ..ProptestConfig::default() });
            let result = runner.run(&(pick(), pick(), pick()), |(a, b, c)| {
                check_triple(scheme, [&a, &b, &c].map(|index| index.get(&texts).as_str()));
                Ok(())
            });
            result.unwrap_or_else(|error| panic!("{scheme:?}: {error}"));
        }
    }

    /// Texts that look like versions of some scheme, with everything in them that some order reads in its own way.
    fn lookalike() -> impl Strategy<Value = String> {
        let part = prop_oneof![
            4 => prop::sample::select(vec![".", "-", "_", "+", "~", "^", ":", "!", "@"]).prop_map(str::to_owned),
            4 => prop::sample::select(vec!["0", "1", "2", "01", "10", "2024", "99999999999999999999"]).prop_map(str::to_owned),
            3 => prop::sample::select(vec![
                "a", "b", "m", "p", "x", "alpha", "beta", "rc", "RC", "dev", "post", "SNAPSHOT", "final", "sp", "pre", "v", "r1", "git", "foo"
            ])
            .prop_map(str::to_owned),
        ];
        (prop::sample::select(vec!["", "1", "1.0", "1.0.0", "v1.2.3", "1.0-"]), prop::collection::vec(part, 0..6))
            .prop_map(|(start, parts)| format!("{start}{}", parts.concat()))
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, cases: 4000, ..ProptestConfig::default() })]

        #[test]
        fn triples_of_lookalikes_are_in_a_total_order(a in lookalike(), b in lookalike(), c in lookalike()) {
            for scheme in Scheme::ALL {
                check_triple(scheme, [&a, &b, &c]);
            }
        }

        #[test]
        fn nothing_panics_on_any_text(a in "\\PC{0,24}", b in "[0-9a-z.:~^+_-]{0,16}", bytes in prop::collection::vec(any::<u8>(), 0..40)) {
            let lossy = String::from_utf8_lossy(&bytes).into_owned();
            for scheme in Scheme::ALL {
                for text in [&a, &b, &lossy] {
                    let _ = scheme.parse_event(text);
                }
                check_triple(scheme, [&a, &b, &lossy]);
            }
            let _ = (apk::compare(&a, &lossy), composer::version_compare(&a, &lossy));
        }

        #[test]
        fn dpkg_agrees_with_another_reading(
            a in "([0-3]:)?[0-9][0-9a-z.+~]{0,6}(-[0-9a-z.+~]{1,4})?",
            b in "([0-3]:)?[0-9][0-9a-z.+~]{0,6}(-[0-9a-z.+~]{1,4})?",
        ) {
            let other = |text: &str| text.parse::<debversion::Version>().unwrap();
            prop_assert_eq!(compare(Scheme::Dpkg, &a, &b), Some(other(&a).cmp(&other(&b))));
        }
    }

    #[test]
    fn the_longest_texts_equal_themselves() {
        for unit in ["1", "0", ".", "-", "1.", "0.", "a1", "a.", "-a", "0-", "_p1", "~", "^", "1-", "\u{e9}", ".0-final"] {
            for head in ["", "1", "1.0.0-", "1:"] {
                let mut text = format!("{head}{}", unit.repeat(MAX_LENGTH));
                text.truncate(text.floor_char_boundary(MAX_LENGTH));
                let longer = text.clone();
                for scheme in Scheme::ALL {
                    if let (Some(a), Some(b)) = (scheme.parse(&text), scheme.parse(&longer)) {
                        assert_eq!(a.compare(&b), Some(Ordering::Equal), "{scheme:?}");
                    }
                }
            }
        }
    }
}
