//! A path in, what sort of file stands there out: one that is never looked at, configuration, or a library's own.

/// Folders that hold examples, tests and manuals. Keys in them open nothing.
const IDLE_FOLDERS: &[&str] = &[
    "__tests__",
    "demo",
    "demos",
    "doc",
    "docs",
    "documentation",
    "example",
    "examples",
    "fixture",
    "fixtures",
    "man",
    "mock",
    "mocks",
    "sample",
    "samples",
    "spec",
    "specs",
    "test",
    "test-data",
    "test_data",
    "testdata",
    "testing",
    "tests",
    "testsuite",
    "testutil",
    "testutils",
];

/// Folders that package managers fill with other people's code.
const LIBRARY_FOLDERS: &[&str] = &["node_modules", "site-packages", "dist-packages", "gems", "vendor", "bower_components", "perl5"];
/// The same, in the folders of users.
const LIBRARY_CACHES: &[&str] = &["cargo/registry/", "go/pkg/mod/", ".m2/repository/", ".gradle/caches/", ".nuget/packages/"];

/// What programs are written in. The keys that libraries quote there are those of their tests.
const SOURCES: &[&str] =
    &["c", "cc", "cpp", "cs", "go", "h", "java", "js", "kt", "mjs", "php", "pl", "pm", "py", "rb", "rs", "scala", "swift", "ts"];

/// What configuration ends with.
const CONFIGURATION: &[&str] =
    &["cfg", "cnf", "conf", "config", "env", "ini", "json", "list", "properties", "service", "sh", "sources", "toml", "xml", "yaml", "yml"];

/// Whether the file is a test, an example or a manual.
pub(super) fn is_passed_over(path: &str) -> bool {
    let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
    let extension = name.rsplit_once('.').map_or("", |(_, extension)| extension);
    let idle_name = matches!(
        extension,
        "example" | "sample" | "template" | "tmpl" | "dist" | "tpl" | "md" | "rst" | "html" | "htm" | "svg" | "po" | "map"
    ) || name.ends_with(".d.ts")
        || name.contains(".example.")
        || name.contains(".sample.")
        || name.starts_with("test_")
        || name.contains("_test.")
        || name.contains(".test.")
        || name.contains(".spec.")
        || name.split_once('.').is_some_and(|(stem, _)| IDLE_FOLDERS.contains(&stem));
    idle_name
        || folder.split('/').any(|part| IDLE_FOLDERS.contains(&part))
        || ["proc/", "sys/", "usr/share/zoneinfo/", "usr/share/locale/", "var/lib/dpkg/", "lib/apk/db/", "var/lib/rpm/"]
            .iter()
            .any(|start| path.starts_with(start))
}

/// Whether other people wrote it: their sources quote addresses and tokens that are nobody's.
pub(super) fn is_library(path: &str) -> bool {
    let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
    folder.split('/').any(|part| LIBRARY_FOLDERS.contains(&part))
        || LIBRARY_CACHES.iter().any(|part| path.contains(part))
        || ["usr/lib/", "usr/share/", "usr/include/", "usr/local/lib/", "lib/"].iter().any(|start| path.starts_with(start))
}

/// Whether it is a program text of a library.
pub(super) fn is_library_source(path: &str) -> bool {
    let extension = path.rsplit_once('.').map_or("", |(_, extension)| extension);
    SOURCES.contains(&extension) && is_library(path)
}

/// Whether it is configuration of this image's own.
pub(super) fn is_configuration(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    let extension = name.rsplit_once('.').map_or("", |(_, extension)| extension);
    let is_lock = matches!(name, "package.json" | "package-lock.json" | "composer.json" | "tsconfig.json");
    let is_named = CONFIGURATION.contains(&extension) || is_environment(name) || name == ".gitconfig" || path.ends_with(".git/config");
    is_named && !is_lock && !is_library(path)
}

/// Whether a file of this name holds environment variables.
pub(super) fn is_environment(name: &str) -> bool {
    name == ".env" || name.starts_with(".env.") || (name.ends_with(".env") && name.len() > 4)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_told_by_path() {
        let check = |path: &str, passed_over: bool, library: bool, configuration: bool| {
            assert_eq!((is_passed_over(path), is_library(path), is_configuration(path)), (passed_over, library, configuration), "{path}");
        };
        check("app/.env", false, false, true);
        check("app/.env.production", false, false, true);
        check("app/.env.sample", true, false, true);
        check("etc/app/config.yaml", false, false, true);
        check("app/node_modules/x/config.json", false, true, false);
        check("usr/lib/python3/dist-packages/x/key.pem", false, true, false);
        check("usr/share/doc/x/key.pem", true, true, false);
        check("usr/local/lib/python3.12/test/keycert.pem", true, true, false);
        check("app/latest/key.pem", false, false, false);
        check("app/test_key.py", true, false, false);
        check("app/jwt/tests.rs", true, false, false);
        check("root/.cargo/registry/src/x/lib.rs", false, true, false);
        assert!(is_library_source("root/.cargo/registry/src/x/lib.rs") && !is_library_source("app/node_modules/x/key.pem"));
        check("app/package.json", false, false, false);
        check("root/.ssh/id_rsa", false, false, false);
    }
}
