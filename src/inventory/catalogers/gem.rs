//! `gem`: installed Ruby gems, one specification each; where none is installed, what `Gemfile.lock` declares.
//! Specifications: <https://guides.rubygems.org/specification-reference/>, <https://bundler.io/guides/rationale.html#checking-your-code-into-version-control>.

mod bundle;

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    inventory::{CatalogError, Cataloger, Context, Found, attribution, listing, lockfile},
    layers::{Limits, Want},
    model::package::{Basis, Package, PackageKind, PackageUrl},
};

/// Longest name of a file that is taken for a gem's: what file systems hold.
const FILE_NAME: usize = 255;

/// Reads the specifications that RubyGems, Debian's packages and Bundler leave, and `Gemfile.lock`.
pub(super) struct Gem;

impl Cataloger for Gem {
    fn id(&self) -> &'static str {
        "gem"
    }

    fn version(&self) -> u32 {
        2
    }

    fn wants(&self, path: &str) -> Want {
        match is_specification(path) || is_lock(path) {
            true => Want::Bytes,
            false => Want::No,
        }
    }

    fn catalog(&self, context: &Context<'_>) -> Found {
        let mut found = Found::default();
        found.each(context.view.files().filter(|file| is_specification(file.path)), context.limits().packages, |file| {
            let package = parse(file.path, &file.bytes(), context.limits())?;
            Ok(Some(Package { locations: context.location(attribution::content_layer(&file), file.path), ..package }))
        });
        let installed: BTreeSet<(String, String)> =
            found.packages.iter().map(|package| (package.name.clone(), package.version.clone())).collect();
        listing::read(&mut found, context, context.view.files().filter(|file| is_lock(file.path)), |_, bytes| {
            let mut listing = bundle::parse(bytes, context.limits())?;
            // Gems stand far from the project. If a good part of what it wants is installed, then the rest was left out on purpose.
            let there = listing.packages.iter().filter(|wanted| installed.contains(&(wanted.name.clone(), wanted.version.clone()))).count();
            if there.saturating_mul(4) >= listing.packages.len() {
                listing.packages.clear();
            }
            Ok(listing)
        });
        found
    }
}

fn is_lock(path: &str) -> bool {
    let name = path.rsplit_once('/').map_or(path, |(_, name)| name);
    matches!(name, "Gemfile.lock" | "gems.locked") && !lockfile::is_shipped(path)
}

fn is_specification(path: &str) -> bool {
    let mut parts = path.rsplit('/');
    if !parts.next().is_some_and(|name| name.ends_with(".gemspec")) {
        return false;
    }
    match (parts.next(), parts.next(), parts.next()) {
        (Some("specifications"), _, _) | (Some("default"), Some("specifications"), _) => true,
        // What Bundler takes out of a repository, where it writes the specification as RubyGems would.
        (Some(_), Some("gems"), Some("bundler")) => true,
        _ => false,
    }
}

/// What identifies a gem.
#[derive(Debug, Default, PartialEq, Eq)]
struct Identity {
    name: String,
    version: String,
    platform: Option<String>,
}

impl Identity {
    fn new(name: &str, version: &str, platform: Option<&str>) -> Option<Self> {
        let is_name = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte));
        let is_version = version.starts_with(|first: char| first.is_ascii_digit()) && is_name(version);
        // The name is looked at last, because names of files are tried at each of their hyphens.
        (is_version && is_name(name)).then(|| Self {
            name: name.to_owned(),
            version: version.to_owned(),
            platform: platform.filter(|&platform| platform != "ruby" && is_name(platform)).map(str::to_owned),
        })
    }

    fn package(self, kind: PackageKind) -> Package {
        let qualifiers = BTreeMap::from([("platform", self.platform.unwrap_or_default())]);
        let purl = PackageUrl::new(kind, None, &self.name, Some(&self.version), &qualifiers);
        Package::new(kind, self.name, self.version, purl, "gem")
    }
}

/// Reads a specification as RubyGems writes it: the line that it has for those who do not want to run Ruby, else the assignments, else the name of
/// the file.
fn parse(path: &str, bytes: &[u8], limits: &Limits) -> Result<Package, CatalogError> {
    if bytes.split(|&byte| byte == b'\n').any(|line| line.len() > limits.line_bytes) {
        return Err(CatalogError(format!("a line exceeds the limit of {} bytes", limits.line_bytes)));
    }
    let text = String::from_utf8_lossy(bytes);
    let identity = stub(&text).or_else(|| {
        let variable = variable(&text)?;
        let version = assigned(&text, variable, "version")?;
        Identity::new(assigned(&text, variable, "name")?, version, assigned(&text, variable, "platform"))
    });
    let file = path.rsplit_once('/').map_or(path, |(_, name)| name).strip_suffix(".gemspec").unwrap_or_default();
    let (identity, basis) = match identity {
        Some(identity) => (identity, Basis::Installed),
        None => (from_file_name(file).ok_or_else(|| CatalogError(unnamed(file)))?, Basis::Guessed),
    };
    let mut licences = variable(&text).map(|variable| licence_texts(&text, variable)).unwrap_or_default();
    licences.sort();
    licences.dedup();
    Ok(Package { basis, licences, ..identity.package(PackageKind::Gem) })
}

/// `# stub: name version platform require_paths`, among the comments that open the file.
fn stub(text: &str) -> Option<Identity> {
    let line = text.lines().map(str::trim).take_while(|line| line.starts_with('#')).find_map(|line| line.strip_prefix("# stub: "))?;
    let mut words = line.split_ascii_whitespace();
    Identity::new(words.next()?, words.next()?, Some(words.next()?))
}

/// The name under which the specification's block knows it.
fn variable(text: &str) -> Option<&str> {
    let (_, rest) = text.split_once("Gem::Specification.new")?;
    let (_, rest) = rest.split_once('|')?;
    let (variable, _) = rest.split_once('|')?;
    let variable = variable.trim();
    variable.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_').then_some(variable)
}

/// What follows `variable.field =` on its line.
fn assignment<'a>(text: &'a str, variable: &str, field: &str) -> Option<&'a str> {
    text.split('\n').find_map(|line| {
        let rest = line.trim_start().strip_prefix(variable)?.strip_prefix('.')?.strip_prefix(field)?.trim_start().strip_prefix('=')?;
        Some(rest.trim())
    })
}

/// The text that is assigned, if it is one and not code.
fn assigned<'a>(text: &'a str, variable: &str, field: &str) -> Option<&'a str> {
    let value = assignment(text, variable, field)?;
    literal(value.strip_prefix("Gem::Version.new(").or_else(|| value.strip_prefix("Gem::Version.new ")).unwrap_or(value).trim())
}

/// A text in quotes at the start of an expression.
fn literal(expression: &str) -> Option<&str> {
    const QUOTES: [(&str, char); 4] = [("\"", '"'), ("'", '\''), ("%q{", '}'), ("%q[", ']')];
    let (rest, end) = QUOTES.iter().find_map(|&(start, end)| Some((expression.strip_prefix(start)?, end)))?;
    rest.split_once(end).map(|(text, _)| text).filter(|text| !text.contains(['#', '\\']))
}

/// `licenses = ["MIT".freeze, …]` or `license = "MIT"`.
fn licence_texts(text: &str, variable: &str) -> Vec<String> {
    let value = assignment(text, variable, "licenses").or_else(|| assignment(text, variable, "license")).unwrap_or_default();
    let parts = value.split_once(']').map_or(value, |(list, _)| list).split(['"', '\'']);
    parts.skip(1).step_by(2).filter(|text| !text.is_empty() && text.len() <= 200).take(20).map(str::to_owned).collect()
}

fn unnamed(file: &str) -> String {
    let long = if file.len() > FILE_NAME { format!("; of names above the limit of {FILE_NAME} bytes none is read") } else { String::new() };
    format!("says neither in its text nor in its name which gem it is{long}")
}

/// `name-version[-platform]`; the name may hold hyphens too.
fn from_file_name(file: &str) -> Option<Identity> {
    if file.len() > FILE_NAME {
        return None;
    }
    file.match_indices('-').find_map(|(at, _)| {
        let (name, rest) = file.split_at_checked(at)?;
        let rest = rest.strip_prefix('-')?;
        let (version, platform) = rest.split_once('-').map_or((rest, None), |(version, platform)| (version, Some(platform)));
        if platform.is_some_and(|platform| !platform.starts_with(|first: char| first.is_ascii_alphabetic())) {
            return None;
        }
        Identity::new(name, version, platform)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inventory::fixture;

    #[test]
    fn specifications_are_told_by_path() {
        let check = |path: &str, expected: bool| assert_eq!(Gem.wants(path) == Want::Bytes, expected, "{path}");
        check("var/lib/gems/3.1.0/specifications/rack-2.2.8.gemspec", true);
        check("usr/lib/ruby/gems/3.1.0/specifications/default/json-2.6.1.gemspec", true);
        check("usr/share/rubygems-integration/all/specifications/rake-13.0.6.gemspec", true);
        check("usr/local/bundle/ruby/3.1.0/bundler/gems/tool-0c0ffee/tool.gemspec", true);
        check("usr/local/bundle/gems/rack-2.2.8/rack.gemspec", false);
        check("app/app.gemspec", false);
        check("app/specifications/other/x-1.gemspec", false);
        check("app/Gemfile.lock", true);
        check("usr/local/bundle/gems/rack-2.2.8/Gemfile.lock", false);
    }

    #[test]
    fn specifications_are_read() {
        let found = fixture::catalog(
            &Gem,
            &[
                ("gems/specifications/stubbed-1.2.3.gemspec", "gem/stubbed.gemspec"),
                ("gems/specifications/native-2.0.0.pre1-x86_64-linux.gemspec", "gem/native.gemspec"),
                ("gems/specifications/default/plain-0.9.gemspec", "gem/plain.gemspec"),
                ("gems/specifications/by-name-4.5-java.gemspec", "gem/malformed.gemspec"),
            ],
        );
        assert_eq!(
            fixture::purls(&found),
            [
                "pkg:gem/by-name@4.5?platform=java",
                "pkg:gem/native@2.0.0.pre1?platform=x86_64-linux",
                "pkg:gem/plain@0.9",
                "pkg:gem/stubbed@1.2.3"
            ]
        );
        assert!(found.gaps.is_empty());
        let bases: Vec<_> = found.packages.iter().map(|package| package.basis).collect();
        assert_eq!(bases, [Basis::Guessed, Basis::Installed, Basis::Installed, Basis::Installed]);
        let licences: Vec<_> = found.packages.iter().map(|package| package.licences.join(" ")).collect();
        assert_eq!(licences, ["", "MIT", "BSD-2-Clause Ruby", "MIT"]);
    }

    #[test]
    fn specifications_that_do_not_say_what_they_are_become_gaps() {
        let found = fixture::catalog(&Gem, &[("gems/specifications/what.gemspec", "gem/malformed.gemspec")]);
        assert!(found.packages.is_empty());
        assert_eq!(found.gaps.len(), 1);
        let check = |text: &str, expected: Option<&str>| {
            let found = parse("specifications/x.gemspec", text.as_bytes(), &Limits::default()).ok();
            assert_eq!(found.as_ref().map(|package| package.purl.as_str()), expected, "{text}");
        };
        let block = |body: &str| format!("Gem::Specification.new do |spec|\n{body}\nend\n");
        check(&block("  spec.name = 'a'\n  spec.version = '1'"), Some("pkg:gem/a@1"));
        check(&block("  spec.name = %q{a}\n  spec.version = Gem::Version.new(\"1.0\")"), Some("pkg:gem/a@1.0"));
        check(&block("  s.name = 'a'\n  s.version = '1'"), None);
        check(&block("  spec.name = 'a'\n  spec.version = A::VERSION"), None);
        check(&block("  spec.name = 'a'\n  spec.version = \"#{x}\""), None);
        check("spec.name = 'a'\nspec.version = '1'\n", None);
        check("# stub: a b\n", None);
        check("# stub: a x.1 ruby lib\n", None);
        check("# frozen_string_literal: true\n# x   \n# stub: a 1 ruby lib   \n", Some("pkg:gem/a@1"));
        check(&"x".repeat(2_000_000), None);
    }

    #[test]
    fn names_of_files_are_split_where_the_version_begins() {
        let check = |file: &str, expected: Option<(&str, &str, Option<&str>)>| {
            let found = from_file_name(file);
            assert_eq!(found.as_ref().map(|id| (id.name.as_str(), id.version.as_str(), id.platform.as_deref())), expected, "{file}");
        };
        check("rack-2.2.8", Some(("rack", "2.2.8", None)));
        check("net-http2-0.18.5", Some(("net-http2", "0.18.5", None)));
        check("foo-2-1.0", Some(("foo-2", "1.0", None)));
        check("nokogiri-1.13.10-x86_64-linux", Some(("nokogiri", "1.13.10", Some("x86_64-linux"))));
        check("rack", None);
        check("-1", None);
        // Tried at each hyphen, a name of this length would take minutes.
        check(&format!("{}1", "1-".repeat(500_000)), None);
        check(&format!("{}-1", "a".repeat(253)), Some((&"a".repeat(253), "1", None)));
        check(&format!("{}-1", "a".repeat(254)), None);
        assert!(unnamed(&"a-".repeat(500)).contains("255") && !unnamed("a").contains("255"));
    }

    #[test]
    fn lock_files_count_where_their_gems_are_not_installed() {
        let lock = ("app/Gemfile.lock", "gem/Gemfile.lock");
        let found = fixture::catalog(&Gem, &[lock]);
        assert_eq!(found.packages.len(), 5);
        assert!(found.packages.iter().all(|package| package.basis == Basis::Declared));
        let found = fixture::catalog(&Gem, &[lock, ("gems/specifications/stubbed-1.2.3.gemspec", "gem/stubbed.gemspec")]);
        assert_eq!(found.packages.len(), 6);
        let plain = ("gems/specifications/plain-0.9.gemspec", "gem/plain.gemspec");
        let found = fixture::catalog(&Gem, &[lock, plain, ("gems/specifications/native-2.0.0.pre1.gemspec", "gem/native.gemspec")]);
        assert_eq!(fixture::purls(&found), ["pkg:gem/native@2.0.0.pre1?platform=x86_64-linux", "pkg:gem/plain@0.9"]);
    }
}
