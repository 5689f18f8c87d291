//! The text of `plimsoll inventory`: a row for each package, then what they add up to. The end is what a long list leaves on the screen,
//! so the numbers and Gaps stand there.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    model::{
        image::ResolvedImage,
        location::Location,
        origin::Origin,
        package::{Basis, Inventory, Package, PackageKind},
        report::ScanReport,
        verdict::Outcome,
    },
    report::{
        Show, Style,
        count::plural,
        escape,
        place::{Place, history_text},
    },
};

use super::{
    coverage,
    layout::{Layout, Piece, faint, outcome, strong},
    sections,
};

/// Widest columns; what is wider pushes the rest of its row to the right and is never cut.
const NAME: usize = 40;
const VERSION: usize = 28;
/// Layers that are shown without `--show all`.
const LAYERS: usize = 12;
/// Longest instruction in characters.
const INSTRUCTION: usize = 70;
/// Names of records that say no more than the folder they are in.
const PLAIN_RECORDS: [&str; 4] = ["/METADATA", "/PKG-INFO", "/package.json", "/desc"];

/// A table for each type, the distribution's first: columns are as wide as its own names need.
pub(super) fn tables(inventory: &Inventory, image: Option<&ResolvedImage>, style: Style, layout: &mut Layout) {
    let mut packages: Vec<&Package> = inventory.packages.iter().collect();
    packages.sort_by(|a, b| (!a.kind.is_os(), kind(a), &a.name, a.sort_key()).cmp(&(!b.kind.is_os(), kind(b), &b.name, b.sort_key())));
    let databases = databases(&packages);
    for packages in packages.chunk_by(|a, b| a.kind == b.kind) {
        table(packages, &databases, image, style, layout);
    }
}

fn table(
    packages: &[&Package],
    databases: &BTreeSet<(PackageKind, &str)>,
    image: Option<&ResolvedImage>,
    style: Style,
    layout: &mut Layout,
) {
    let widest = |text: &dyn Fn(&Package) -> usize, most: usize| packages.iter().map(|one| text(one)).max().unwrap_or(0).clamp(4, most);
    let columns = [
        widest(&|package| package.name.chars().count(), NAME),
        widest(&|package| package.version.chars().count(), VERSION).max(7),
        widest(&|package| kind(package).len(), NAME),
        widest(&|package| origin(package, image).chars().count(), NAME),
    ];
    let is_plain = |package: &&Package| places(package, databases).next().is_none() && note(package, 0).is_none();
    layout.gap();
    let heads = ["NAME", "VERSION", "TYPE", "FROM", if packages.iter().all(is_plain) { "" } else { "WHERE" }];
    let heads = heads.into_iter().zip(columns.into_iter().chain([0])).map(|(head, width)| Piece::name(head).with(faint()).padded(width));
    layout.line(0, 2, &heads.collect::<Vec<_>>());
    for package in packages {
        let cells = [&*package.name, &*package.version, kind(package), &*origin(package, image)].map(Piece::name);
        let mut line: Vec<Piece> = cells.into_iter().zip(columns).map(|(cell, width)| cell.padded(width)).collect();
        let mut places = places(package, databases);
        line.extend(places.next().map(|path| Piece::name(shown(path, style)).with(faint())));
        let more: Vec<&str> = places.collect();
        line.extend(note(package, more.len()).map(|note| Piece::prose(note).with(faint())));
        layout.line(0, 4, &line);
        for path in more.into_iter().filter(|_| style.show == Show::All) {
            layout.line(4, 6, &[Piece::name(shown(path, style)).with(faint())]);
        }
    }
}

/// The paths of a package's records, without those of the distribution's database.
fn places<'a>(package: &'a Package, databases: &BTreeSet<(PackageKind, &str)>) -> impl Iterator<Item = &'a str> {
    package.locations.iter().filter_map(image_path).filter(|path| !databases.contains(&(package.kind, *path)))
}

/// Records that hold most of a distribution's packages: to name them in each row would drown what differs.
fn databases<'a>(packages: &[&'a Package]) -> BTreeSet<(PackageKind, &'a str)> {
    let mut records: BTreeMap<(PackageKind, &str), usize> = BTreeMap::new();
    for package in packages.iter().filter(|package| package.kind.is_os()) {
        for path in package.locations.iter().filter_map(image_path) {
            *records.entry((package.kind, path)).or_default() += 1;
        }
    }
    records.into_iter().filter(|(_, count)| *count > 1).map(|(record, _)| record).collect()
}

const fn kind(package: &Package) -> &'static str {
    package.kind.purl_type()
}

/// The line of the Dockerfile, else the layer.
fn origin(package: &Package, image: Option<&ResolvedImage>) -> String {
    let span = image.and_then(|image| image.origin(&package.locations)).and_then(Origin::certain_span);
    let line = span.map(|span| format!("{}:{}", span.file, span.line));
    let layer = || layer_of(package).map(|index| format!("layer {index}"));
    line.or_else(layer).unwrap_or_default()
}

fn layer_of(package: &Package) -> Option<usize> {
    package.locations.iter().find_map(|location| match location {
        Location::Image { index, .. } => Some(*index),
        _ => None,
    })
}

const fn image_path(location: &Location) -> Option<&str> {
    match location {
        Location::Image { path, .. } => Some(path.as_str()),
        _ => None,
    }
}

/// A path, without the record's own name where that says nothing.
fn shown(path: &str, style: Style) -> String {
    let plain = PLAIN_RECORDS.iter().find_map(|record| path.strip_suffix(record)).filter(|_| style.show < Show::All);
    format!("/{}", plain.unwrap_or(path))
}

/// Whose it is and how sure it is, where that is not plain.
fn note(package: &Package, more: usize) -> Option<String> {
    let mut said = Vec::new();
    if more > 0 {
        said.push(format!("and {}", plural(more, "more place")));
    }
    said.extend(package.owner.as_ref().map(|owner| format!("part of {owner}")));
    match package.basis {
        Basis::Installed => {}
        Basis::Declared => said.push("declared, not seen installed".to_owned()),
        Basis::Guessed => said.push("guessed".to_owned()),
        Basis::Application => said.push("the application itself".to_owned()),
    }
    (!said.is_empty()).then(|| format!("({})", said.join(", ")))
}

/// What the rows add up to: by ecosystem and by layer, what could not be read, and the exit code.
pub(super) fn summary(report: &ScanReport, inventory: &Inventory, style: Style, layout: &mut Layout) {
    layout.gap();
    let system = inventory.distro.as_ref().map(|distro| distro.pretty_name.clone().unwrap_or_else(|| distro.id.clone()));
    let on = system.map(|system| Piece::prose(format!("on {system}")));
    let count = Piece::name(inventory.packages.len().to_string()).with(strong());
    sections::labelled(layout, "Packages", std::iter::once(count).chain(on).collect());
    kinds(inventory, layout);
    layers(report, inventory, style, layout);
    coverage::gaps(report, style, layout);
    let said = match report.verdict.outcome {
        Outcome::Pass if report.verdict.gaps.is_empty() => "all that was found could be read",
        Outcome::Pass => "",
        Outcome::Incomplete => "not everything could be read: packages may be missing",
        Outcome::Fail => "",
    };
    let verdict = Piece::name(report.verdict.outcome.name()).with(outcome(report.verdict.outcome)).padded(sections::LABEL - 2);
    layout.line(0, sections::LABEL, &[verdict, Piece::prose(said), Piece::name(format!("exit {}", report.exit_code)).with(strong())]);
}

/// How many there are of each type, the distribution's first.
fn kinds(inventory: &Inventory, layout: &mut Layout) {
    let mut kinds: BTreeMap<(bool, &'static str), Vec<&Package>> = BTreeMap::new();
    for package in &inventory.packages {
        kinds.entry((!package.kind.is_os(), kind(package))).or_default().push(package);
    }
    let name_width = kinds.keys().map(|(_, name)| name.len()).max().unwrap_or(0);
    let count_width = kinds.values().map(|packages| packages.len().to_string().len()).max().unwrap_or(0);
    for ((_, name), packages) in kinds {
        let count = |wanted: &dyn Fn(&Package) -> bool, said: &str| match packages.iter().filter(|package| wanted(package)).count() {
            0 => None,
            all if all == packages.len() => Some(said.to_owned()),
            some => Some(format!("{some} {said}")),
        };
        let notes: Vec<String> = [
            count(&|package| package.owner.is_some(), "part of OS packages"),
            count(&|package| package.basis == Basis::Declared, "declared in lock files"),
            count(&|package| package.basis == Basis::Guessed, "guessed"),
        ]
        .into_iter()
        .flatten()
        .collect();
        let records: BTreeSet<&str> = if packages.iter().all(|package| package.kind.is_os()) {
            packages.iter().flat_map(|package| &package.locations).filter_map(image_path).take(10_000).collect()
        } else {
            BTreeSet::new()
        };
        let mut line = vec![Piece::name(format!("{:>count_width$}", packages.len())), Piece::name(name).padded(name_width)];
        if let [record] = records.into_iter().collect::<Vec<_>>().as_slice() {
            line.push(Piece::name(format!("/{record}")).with(faint()));
        }
        line.push(Piece::prose(notes.join(", ")).with(faint()));
        layout.line(sections::LABEL, sections::LABEL + 2, &line);
    }
}

/// The layers, or lines of the Dockerfile, that brought packages.
fn layers(report: &ScanReport, inventory: &Inventory, style: Style, layout: &mut Layout) {
    let Some(image) = &report.image else { return };
    let mut layers: BTreeMap<usize, usize> = BTreeMap::new();
    for index in inventory.packages.iter().filter_map(layer_of) {
        *layers.entry(index).or_default() += 1;
    }
    let width = layers.keys().map(|index| index.to_string().len()).max().unwrap_or(0);
    let count_width = layers.values().map(|count| plural(*count, "package").len()).max().unwrap_or(0);
    let most = if style.show == Show::All { usize::MAX } else { LAYERS };
    let mut label = "Layers";
    for (index, count) in layers.iter().take(most) {
        let Some(layer) = image.layers.iter().find(|layer| layer.index == *index) else { continue };
        let digest = &layer.descriptor.digest;
        let text = Place::Layer { index: *index, digest }.text(report);
        let text = text.map(|text| escape::shortened(&history_text(&text), INSTRUCTION).into_owned()).unwrap_or_default();
        let line = vec![
            Piece::name(format!("{index:>width$}")),
            Piece::name(format!("{}:{}", digest.algorithm().name(), digest.short())),
            Piece::name(plural(*count, "package")).padded(count_width),
            Piece::prose(text).with(faint()),
        ];
        sections::labelled(layout, std::mem::take(&mut label), line);
    }
    if layers.len() > most {
        let rest = format!("... {}: --show all", plural(layers.len() - most, "more layer"));
        sections::labelled(layout, "", vec![Piece::prose(rest).with(faint())]);
    }
}
