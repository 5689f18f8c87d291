//! `pear`: PHP packages and extensions that PEAR or PECL installed, one `.reg` file each: a PHP value as `serialize` writes it.
//! Specifications: <https://www.php.net/manual/en/function.serialize.php>, <https://pear.php.net/manual/en/guide.developers.package2.php>.

use crate::{
    inventory::{CatalogError, Cataloger, Context, Found, attribution},
    layers::{Limits, Want},
    model::package::{Package, PackageKind, PackageUrl},
};

/// Reads the registries of PEAR.
pub(super) struct Pear;

impl Cataloger for Pear {
    fn id(&self) -> &'static str {
        "pear"
    }

    fn wants(&self, path: &str) -> Want {
        let mut parts = path.rsplit('/');
        let wanted = parts.next().is_some_and(|name| name.ends_with(".reg"))
            && match (parts.next(), parts.next()) {
                (Some(".registry"), _) => true,
                (Some(channel), Some(".registry")) => channel.starts_with(".channel."),
                _ => false,
            };
        if wanted { Want::Bytes } else { Want::No }
    }

    fn catalog(&self, context: &Context<'_>) -> Found {
        let mut found = Found::default();
        found.each(context.view.files().filter(|file| self.wants(file.path) == Want::Bytes), context.limits().packages, |file| {
            let package = parse(&file.bytes(), context.limits())?;
            Ok(Some(Package { locations: context.location(attribution::content_layer(&file), file.path), ..package }))
        });
        found
    }
}

/// Reads the fields of one package. `pear` is a purl type that advisories do not use yet, so the kind is a generic one.
fn parse(bytes: &[u8], limits: &Limits) -> Result<Package, CatalogError> {
    let mut reader = Reader { rest: bytes, depth: limits.json_depth };
    let broken = || CatalogError("is no readable PHP value".to_owned());
    let mut fields = Fields::default();
    reader.array(&mut |reader, key| fields.read(reader, key)).ok_or_else(broken)?;
    // Registries of PEAR before 1.4 say `package` and know no channels.
    let (Some(name), Some(version)) = (fields.name, fields.version) else {
        return Err(CatalogError("holds no name or no version".to_owned()));
    };
    let channel = fields.channel.unwrap_or_else(|| "pear.php.net".to_owned());
    let is_plain = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-~/".contains(&byte));
    let is_version = !version.is_empty() && version.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-~+".contains(&byte));
    let purl = PackageUrl::parse(&format!("pkg:pear/{channel}/{name}@{}", version.replace('+', "%2B")))
        .filter(|_| is_plain(&channel) && is_plain(&name) && is_version)
        .ok_or_else(|| CatalogError("holds a name, a channel or a version that is none".to_owned()))?;
    Ok(Package { licences: fields.licences, ..Package::new(PackageKind::Generic, name, version, purl, "pear") })
}

#[derive(Default)]
struct Fields {
    name: Option<String>,
    channel: Option<String>,
    version: Option<String>,
    licences: Vec<String>,
}

impl Fields {
    fn read(&mut self, reader: &mut Reader<'_>, key: &[u8]) -> Option<()> {
        match key {
            b"name" | b"package" => {
                let name = reader.texts(b"")?;
                self.name = self.name.take().or(name);
            }
            b"channel" => self.channel = reader.texts(b"")?,
            b"version" => self.version = reader.texts(b"release")?,
            b"license" => {
                let licence = reader.texts(b"_content")?;
                self.licences.extend(licence.filter(|licence| !licence.is_empty() && licence.len() <= 200));
            }
            _ => reader.skip()?,
        }
        Some(())
    }
}

/// Reads values from the front; `None` for what is no value, or nested too deep.
struct Reader<'a> {
    rest: &'a [u8],
    /// How many more arrays may stand inside each other.
    depth: usize,
}

impl<'a> Reader<'a> {
    fn byte(&mut self) -> Option<u8> {
        let (&first, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(first)
    }

    fn expect(&mut self, expected: u8) -> Option<()> {
        (self.byte()? == expected).then_some(())
    }

    fn until(&mut self, end: u8) -> Option<&'a [u8]> {
        let at = self.rest.iter().position(|&byte| byte == end)?;
        let (value, rest) = self.rest.split_at_checked(at)?;
        self.rest = rest.get(1..)?;
        Some(value)
    }

    fn number(&mut self, end: u8) -> Option<usize> {
        std::str::from_utf8(self.until(end)?).ok()?.parse().ok()
    }

    /// `s:5:"hello";`, behind `s:`.
    fn string(&mut self) -> Option<&'a [u8]> {
        let length = self.number(b':')?;
        self.expect(b'"')?;
        let (value, rest) = self.rest.split_at_checked(length)?;
        self.rest = rest;
        self.expect(b'"')?;
        self.expect(b';')?;
        Some(value)
    }

    /// `a:2:{key;value;key;value;}`: hands each key to `each`, which reads the value.
    fn array(&mut self, each: &mut dyn FnMut(&mut Self, &[u8]) -> Option<()>) -> Option<()> {
        self.expect(b'a')?;
        self.expect(b':')?;
        let count = self.number(b':')?;
        self.expect(b'{')?;
        self.depth = self.depth.checked_sub(1)?;
        for _ in 0..count {
            let kind = self.byte()?;
            self.expect(b':')?;
            let key = match kind {
                b's' => self.string()?,
                b'i' => self.until(b';')?,
                _ => return None,
            };
            each(self, key)?;
        }
        self.depth += 1;
        self.expect(b'}')
    }

    /// A text, or the text behind `key` in an array; the first text of an array without that key is no answer.
    fn texts(&mut self, key: &[u8]) -> Option<Option<String>> {
        match self.rest.first()? {
            b's' => self.rest = self.rest.get(2..)?,
            b'a' => {
                let mut text = None;
                self.array(&mut |reader, found| {
                    if found == key && reader.rest.first() == Some(&b's') {
                        text = reader.texts(b"")?;
                        return Some(());
                    }
                    reader.skip()
                })?;
                return Some(text);
            }
            _ => return self.skip().map(|()| None),
        }
        let text = String::from_utf8_lossy(self.string()?);
        Some(Some(text.trim().to_owned()).filter(|text| !text.is_empty()))
    }

    fn skip(&mut self) -> Option<()> {
        match self.rest.first()? {
            b'a' => self.array(&mut |reader, _| reader.skip()),
            b's' => {
                self.rest = self.rest.get(2..)?;
                self.string().map(|_| ())
            }
            b'N' | b'i' | b'b' | b'd' => self.until(b';').map(|_| ()),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inventory::fixture;

    #[test]
    fn registries_are_told_by_path() {
        let check = |path: &str, expected: bool| assert_eq!(Pear.wants(path) == Want::Bytes, expected, "{path}");
        check("usr/share/php/.registry/archive_tar.reg", true);
        check("usr/share/php/.registry/.channel.pecl.php.net/redis.reg", true);
        check("usr/share/php/.registry/other/redis.reg", false);
        check("usr/share/php/.channels/pear.php.net.reg", false);
        check("windows.reg", false);
    }

    #[test]
    fn packages_and_extensions_are_read() {
        let found = fixture::catalog(
            &Pear,
            &[
                ("usr/share/php/.registry/example_tar.reg", "pear/example_tar.reg"),
                ("usr/share/php/.registry/.channel.pecl.php.net/example.reg", "pear/example.reg"),
                ("usr/share/php/.registry/older.reg", "pear/older.reg"),
            ],
        );
        assert_eq!(
            fixture::purls(&found),
            ["pkg:pear/pear.php.net/Example_Tar@1.4.3", "pkg:pear/pear.php.net/Older@0.9", "pkg:pear/pecl.php.net/example@5.3.7RC1"]
        );
        assert!(found.gaps.is_empty());
        assert_eq!(found.packages.iter().map(|package| package.licences.join(" ")).collect::<Vec<_>>(), ["New BSD License", "", "PHP"]);
    }

    #[test]
    fn damaged_registries_are_told() {
        let found = fixture::catalog(&Pear, &[("usr/share/php/.registry/a.reg", "pear/malformed.reg")]);
        assert_eq!((found.packages.len(), found.gaps.len()), (0, 1));
        let check = |text: &str, expected: Option<&str>| {
            let found = parse(text.as_bytes(), &Limits::default()).ok();
            assert_eq!(found.as_ref().map(|package| package.purl.as_str()), expected, "{text:.80}");
        };
        let good = r#"a:2:{s:4:"name";s:1:"a";s:7:"version";a:2:{s:3:"api";s:1:"0";s:7:"release";s:1:"1";}}"#;
        check(good, Some("pkg:pear/pear.php.net/a@1"));
        for cut in 0..good.len() {
            check(good.get(..cut).unwrap_or_default(), None);
        }
        check(r#"a:1:{s:4:"name";s:1:"a";}"#, None);
        check(r#"a:2:{s:4:"name";s:3:"a b";s:7:"version";s:1:"1";}"#, None);
        check(r#"a:99999999999:{s:4:"name";s:1:"a";}"#, None);
        check(r#"a:1:{s:99999999999999999999:"name";s:1:"a";}"#, None);
        check(&"a:1:{i:0;".repeat(100_000), None);
        check(r#"a:3:{s:1:"x";O:1:"a":0:{}s:4:"name";s:1:"a";s:7:"version";s:1:"1";}"#, None);
    }
}
