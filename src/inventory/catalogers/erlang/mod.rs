//! `erlang`: applications of Erlang and Elixir as they are installed, the runtime itself, and lock files of mix and rebar3.
//! Specifications: <https://www.erlang.org/doc/apps/kernel/app.html>, <https://hexdocs.pm/mix/Mix.Tasks.Deps.html>.

mod terms;

use std::collections::BTreeMap;

use self::terms::{Token, each_token};
use crate::{
    inventory::{
        CatalogError, Cataloger, Context, Found, attribution,
        lockfile::{self, LockFiles},
    },
    layers::Want,
    model::package::{Package, PackageKind, PackageUrl},
};

/// Reads `ebin/*.app`, `releases/*/OTP_VERSION`, `mix.lock` and `rebar.lock`.
pub(super) struct Erlang;

const LOCKS: LockFiles = LockFiles { is_lock, is_installed: is_application, parse: parse_lock };

/// Applications that Elixir itself consists of.
const ELIXIR: &[&str] = &["eex", "elixir", "ex_unit", "iex", "logger", "mix"];

impl Cataloger for Erlang {
    fn id(&self) -> &'static str {
        "erlang"
    }

    fn wants(&self, path: &str) -> Want {
        if is_application(path) || is_lock(path) || is_runtime(path) { Want::Bytes } else { Want::No }
    }

    fn catalog(&self, context: &Context<'_>) -> Found {
        let mut found = Found::default();
        let files = context.view.files().filter(|file| is_application(file.path) || is_runtime(file.path));
        found.each(files, context.limits().packages, |file| {
            let bytes = file.bytes();
            let package = if is_runtime(file.path) { parse_runtime(&bytes)? } else { parse_application(file.path, &bytes)? };
            Ok(Some(Package { locations: context.location(attribution::content_layer(&file), file.path), ..package }))
        });
        LOCKS.catalog(context, &mut found);
        found
    }
}

fn is_application(path: &str) -> bool {
    path.strip_suffix(".app")
        .and_then(|stem| stem.rsplit_once('/'))
        .is_some_and(|(folder, _)| folder == "ebin" || folder.ends_with("/ebin"))
}

fn is_runtime(path: &str) -> bool {
    path.ends_with("/OTP_VERSION") && path.contains("releases/")
}

fn is_lock(path: &str) -> bool {
    matches!(path.rsplit('/').next(), Some("mix.lock" | "rebar.lock"))
}

/// The number of the release, with which the runtime is named in advisories.
fn parse_runtime(bytes: &[u8]) -> Result<Package, CatalogError> {
    let text = String::from_utf8_lossy(bytes.get(..100).unwrap_or(bytes)).into_owned();
    // Installations that were patched by hand have two asterisks behind the number.
    let version = text.trim().trim_end_matches('*');
    if !version.starts_with(|first: char| first.is_ascii_digit()) {
        return Err(CatalogError("holds no version of Erlang/OTP".to_owned()));
    }
    let purl = PackageUrl::new(PackageKind::Generic, None, "erlang", Some(version), &BTreeMap::new());
    Ok(Package::new(PackageKind::Generic, "erlang".to_owned(), version.to_owned(), purl, "erlang"))
}

/// `{application, NAME, [{vsn, "VERSION"}, …]}.`
fn parse_application(path: &str, bytes: &[u8]) -> Result<Package, CatalogError> {
    let (mut words, mut version, mut name) = (Vec::new(), None, None);
    let mut licences = Vec::new();
    let mut key = String::new();
    each_token(bytes, b'%', |depth, token| {
        match (depth, token) {
            (1, Token::Word(word)) if words.len() < 2 => {
                words.push(word);
                if let [first, second] = words.as_slice() {
                    name = (first == "application").then(|| second.clone());
                }
            }
            // The list of properties is depth 2, each property depth 3.
            (3, Token::Word(word)) if key.is_empty() => key = word,
            (3, Token::Text(text)) if key == "vsn" => version = version.take().or(Some(text)),
            (4, Token::Text(text)) if key == "licenses" && licences.len() < 20 => licences.push(text),
            (2, Token::Mark(b'}')) => key.clear(),
            _ => {}
        }
        true
    });
    let (Some(name), Some(version)) = (name, version.filter(|version| !version.is_empty())) else {
        return Err(CatalogError("is no application resource file with a name and a vsn".to_owned()));
    };
    licences.sort();
    let mut package = package(&name, &version);
    package.licences = licences;
    let folders: Vec<&str> = path.split('/').collect();
    let below = |runtime: &str| folders.windows(2).any(|pair| pair == [runtime, "lib"]);
    if below("erlang") || (below("elixir") && ELIXIR.contains(&name.as_str())) {
        // What is part of the runtime is no package of Hex, where other people's packages may have the same names.
        let text = package.purl.as_str().replacen("pkg:hex/", "pkg:otp/", 1);
        package.kind = PackageKind::Generic;
        package.purl = PackageUrl::parse(&text).unwrap_or(package.purl);
    }
    Ok(package)
}

fn parse_lock(path: &str, bytes: &[u8], context: &Context<'_>) -> (Vec<Package>, Option<CatalogError>) {
    let is_mix = path.ends_with("mix.lock");
    let (mut packages, mut broken) = (Vec::new(), 0);
    let most = context.limits().packages;
    let mut any = false;
    // mix writes `{:hex, :name, "version", …`, rebar3 `{pkg,<<"name">>,<<"version">>…`.
    let mut stage = Stage::Outside;
    each_token(bytes, if is_mix { b'#' } else { b'%' }, |_, token| {
        any = true;
        let next = match (std::mem::replace(&mut stage, Stage::Outside), token) {
            (Stage::Opened, Token::Mark(b':')) => Stage::Opened,
            (Stage::Opened, Token::Word(word)) if word == if is_mix { "hex" } else { "pkg" } => Stage::Package,
            (Stage::Package, Token::Word(name)) if is_mix => Stage::Named(name),
            (Stage::Package, Token::Text(name)) => Stage::Named(name),
            (Stage::Named(name), Token::Text(version)) => {
                packages.push(package(&name, &version));
                Stage::Outside
            }
            (stage @ (Stage::Package | Stage::Named(_)), Token::Mark(b',' | b':' | b'<' | b'>')) => stage,
            (Stage::Outside | Stage::Opened, Token::Mark(b'{')) => Stage::Opened,
            (Stage::Outside | Stage::Opened, _) => Stage::Outside,
            (Stage::Package | Stage::Named(_), _) => {
                broken += 1;
                Stage::Outside
            }
        };
        stage = next;
        packages.len() <= most
    });
    let error = (!any && !bytes.trim_ascii().is_empty()).then(|| CatalogError("holds nothing that could be understood".to_owned()));
    (packages, error.or_else(|| lockfile::dropped(broken, "could not be understood")))
}

/// How much of an entry of a lock file was seen.
enum Stage {
    Outside,
    /// Its brace.
    Opened,
    /// That it is of Hex.
    Package,
    /// Its name.
    Named(String),
}

fn package(name: &str, version: &str) -> Package {
    let purl = PackageUrl::new(PackageKind::Hex, None, &name.to_ascii_lowercase(), Some(version), &BTreeMap::new());
    Package::new(PackageKind::Hex, name.to_owned(), version.to_owned(), purl, "erlang")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inventory::fixture;

    #[test]
    fn applications_are_read() {
        let found = fixture::catalog(
            &Erlang,
            &[
                ("app/lib/mooring-1.2.0/ebin/mooring.app", "erlang/mooring.app"),
                ("usr/lib/erlang/lib/ssl-11.0/ebin/mooring.app", "erlang/mooring.app"),
                ("usr/lib/erlang/releases/26/OTP_VERSION", "erlang/OTP_VERSION"),
                ("app/src/mooring.app", "erlang/malformed.app"),
            ],
        );
        assert_eq!(fixture::purls(&found), ["pkg:generic/erlang@26.2.1", "pkg:hex/mooring@1.2.0", "pkg:otp/mooring@1.2.0"]);
        assert_eq!(found.packages[1].licences, ["Apache-2.0"]);
        assert_eq!(found.gaps, []);
    }

    #[test]
    fn lock_files_are_read() {
        for (path, name) in [("app/mix.lock", "erlang/mix.lock"), ("app/rebar.lock", "erlang/rebar.lock")] {
            let found = fixture::catalog(&Erlang, &[(path, name)]);
            assert_eq!(fixture::purls(&found), ["pkg:hex/bilge@0.3.0", "pkg:hex/mooring@1.2.0"], "{name}");
            assert_eq!(found.gaps, [], "{name}");
        }
    }

    #[test]
    fn damaged_files_are_told() {
        let found = fixture::catalog(
            &Erlang,
            &[
                ("a/ebin/a.app", "erlang/malformed.app"),
                ("b/rebar.lock", "erlang/malformed.lock"),
                ("usr/lib/erlang/releases/26/OTP_VERSION", "erlang/malformed.app"),
            ],
        );
        assert_eq!((found.packages.len(), found.gaps.len()), (0, 3));
    }

    #[test]
    fn damaged_terms_end() {
        let (view, layers) = fixture::image(&[&[]]);
        let context = Context { view: &view, layers: &layers, distro: None };
        for name in ["mooring.app", "mix.lock", "rebar.lock"] {
            let whole = fixture::read(&format!("erlang/{name}"));
            for at in 0..whole.len() {
                let mut bytes = whole.clone();
                bytes[at] = b"\"{}[]\\,'<\xff"[at % 10];
                let _ = (parse_application(name, &bytes), parse_lock(name, &bytes[..at], &context));
            }
        }
    }
}
