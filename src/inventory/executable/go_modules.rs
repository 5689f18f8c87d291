//! The modules and settings of a Go program in, as lines (<https://pkg.go.dev/runtime/debug#BuildInfo>), the modules with their replacements out.

use std::{borrow::Cow, sync::LazyLock};

use regex::Regex;

/// What a program was built from.
#[derive(Debug, Default, PartialEq, Eq)]
pub(in crate::inventory) struct Modules<'a> {
    /// Import path of the main package.
    pub path: &'a str,
    /// The module that it belongs to.
    pub main: Option<Module<'a>>,
    pub dependencies: Vec<Module<'a>>,
    /// Settings, as `key` and `value`.
    pub settings: Vec<(&'a str, Cow<'a, str>)>,
}

/// One module.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(in crate::inventory) struct Module<'a> {
    pub path: &'a str,
    pub version: &'a str,
    /// What was built in its place: a module, or a folder when there is no version.
    pub replacement: Option<(&'a str, &'a str)>,
}

/// What the linker writes for a version that it does not know.
const UNKNOWN: &str = "(devel)";

impl<'a> Modules<'a> {
    /// Reads the lines; what is none of the known ones is passed over.
    pub(in crate::inventory) fn parse(text: &'a str) -> Self {
        let mut modules = Self::default();
        let mut last_is_main = false;
        for line in text.lines() {
            let mut cells = line.split('\t');
            let (kind, first, second) =
                (cells.next().unwrap_or_default(), cells.next().unwrap_or_default(), cells.next().unwrap_or_default());
            let module = Module { path: first, version: second, replacement: None };
            match kind {
                "path" => modules.path = first,
                "mod" => (modules.main, last_is_main) = (Some(module), true),
                "dep" => {
                    modules.dependencies.push(module);
                    last_is_main = false;
                }
                "=>" => {
                    let replaced = if last_is_main { modules.main.as_mut() } else { modules.dependencies.last_mut() };
                    if let Some(replaced) = replaced {
                        replaced.replacement = Some((first, second));
                    }
                }
                "build" => {
                    let setting = line.get(6..).unwrap_or_default();
                    if let Some((key, value)) = setting.split_once('=').filter(|_| !setting.starts_with('"')) {
                        modules.settings.push((key, unquote(value)));
                    }
                }
                _ => {}
            }
        }
        modules
    }

    /// The value of a setting.
    pub(in crate::inventory) fn setting(&self, name: &str) -> Option<&str> {
        self.settings.iter().find(|(key, _)| *key == name).map(|(_, value)| value.as_ref())
    }

    /// Whether the lines tell of a version of the main module, of its source, or that the program is of the toolchain.
    pub(in crate::inventory) fn lacks_version(&self) -> bool {
        let is_known = self.main.is_some_and(|main| !main.version.is_empty() && main.version != UNKNOWN);
        !is_known && !self.is_of_toolchain() && self.linked_version().is_none() && self.pseudo_version().is_none()
    }

    /// Whether this is a command of the Go toolchain itself.
    pub(in crate::inventory) fn is_of_toolchain(&self) -> bool {
        self.path.starts_with("cmd/") && self.main.is_none()
    }

    /// The version that the linker was told to put into a variable of a name such as `version`.
    pub(in crate::inventory) fn linked_version(&self) -> Option<String> {
        static LINKED: LazyLock<Option<Regex>> = LazyLock::new(|| {
            Regex::new(r#"(?i)-X[ =]['"]?[^\s=]*\.(?:(?:build|release|git|app|program|core)?_?version|semver|gitdescribe|tag)=['"]?v?([0-9]+\.[0-9]+\.[0-9]+(?:[-+][0-9A-Za-z.+-]+)?)(?:['"\s]|$)"#)
                .ok()
        });
        let flags = self.setting("-ldflags")?;
        let version = LINKED.as_ref()?.captures(flags)?.get(1)?;
        Some(format!("v{}", version.as_str()))
    }

    /// The version that the `go` command would give the commit that the program was built from (<https://go.dev/ref/mod#pseudo-versions>).
    pub(in crate::inventory) fn pseudo_version(&self) -> Option<String> {
        let revision =
            self.setting("vcs.revision")?.get(..12).filter(|revision| revision.bytes().all(|byte| byte.is_ascii_alphanumeric()))?;
        let time: String = self.setting("vcs.time")?.bytes().filter(u8::is_ascii_digit).take(14).map(char::from).collect();
        (time.len() == 14).then(|| format!("v0.0.0-{time}-{revision}"))
    }
}

impl Module<'_> {
    /// The version, if the linker knew it.
    pub(in crate::inventory) fn known_version(&self) -> Option<&str> {
        Some(self.version).filter(|version| !version.is_empty() && *version != UNKNOWN)
    }
}

/// A value as it was before it was written as a Go literal. Escapes other than those of quotes and backslashes stay.
fn unquote(value: &str) -> Cow<'_, str> {
    let inner = |quote: char| value.strip_prefix(quote)?.strip_suffix(quote);
    if let Some(raw) = inner('`') {
        return Cow::Borrowed(raw);
    }
    match inner('"') {
        Some(quoted) => Cow::Owned(quoted.replace("\\\"", "\"").replace("\\\\", "\\")),
        None => Cow::Borrowed(value),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_read() {
        let text = "path\texample.com/a/cmd/a\nmod\texample.com/a\t(devel)\t\ndep\texample.com/b\tv1.0.0\th1:x=\ndep\texample.com/c\tv1.2.0\n=>\texample.com/d\tv1.3.0\th1:y=\ndep\texample.com/e\tv1.0.0\n=>\t./e\t\t\nbuild\t-compiler=gc\nbuild\tvcs.revision=2a18b3d6ab3d1003afbcfcb4a6ffca61e04fcb57\nbuild\tvcs.time=2023-01-14T04:33:15Z\nnoise\nbuild\n";
        let modules = Modules::parse(text);
        assert_eq!((modules.path, modules.main.unwrap().path), ("example.com/a/cmd/a", "example.com/a"));
        assert_eq!(modules.main.unwrap().known_version(), None);
        let dependencies: Vec<_> = modules.dependencies.iter().map(|module| (module.path, module.version, module.replacement)).collect();
        assert_eq!(
            dependencies,
            [
                ("example.com/b", "v1.0.0", None),
                ("example.com/c", "v1.2.0", Some(("example.com/d", "v1.3.0"))),
                ("example.com/e", "v1.0.0", Some(("./e", "")))
            ]
        );
        assert_eq!(modules.pseudo_version().as_deref(), Some("v0.0.0-20230114043315-2a18b3d6ab3d"));
        assert!(!modules.lacks_version());
        assert!(Modules::parse("").lacks_version() && !Modules::parse("path\tcmd/go\n").lacks_version());
    }

    #[test]
    fn versions_come_out_of_linker_flags() {
        let check = |flags: &str, expected: Option<&str>| {
            let text = format!("build\t-ldflags={flags}\n");
            assert_eq!(Modules::parse(&text).linked_version().as_deref(), expected, "{flags}");
        };
        check(r#""-w -s -extldflags '-static' -X main.version=1.18.1 -X main.gitCommit=5e16e50 ""#, Some("v1.18.1"));
        check("-X=github.com/a/b/version.Version=v2.0.0-rc.1+x", Some("v2.0.0-rc.1+x"));
        check(r#""-X 'github.com/a/b.GitVersion=v1.29.3' -s""#, Some("v1.29.3"));
        check("`-X \"main.BuildVersion=1.2.3\"`", Some("v1.2.3"));
        check("-X main.commit=1.2.3", None);
        check("-X main.goVersion=1.22.1", None);
        check("-X main.version=abc", None);
    }
}
