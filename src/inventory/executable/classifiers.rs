//! Programs and libraries that nobody's package manager put there, told by texts that each release writes into them. A file is only searched for the
//! texts of what its name could be.

use std::sync::{LazyLock, OnceLock};

use regex::bytes::Regex;

use super::{
    facts::Program,
    object::{Access, Object, Part},
};
use crate::layers::{Body, Go};

/// Most bytes of a file that are searched.
const SEARCHED: u64 = 64 << 20;
/// Most bytes of a version.
const VERSION: usize = 100;

/// How one program or library is told.
pub(in crate::inventory) struct Classifier {
    /// What it is called in advisories, as the purl has it.
    pub name: &'static str,
    /// What stands before the name in the purl.
    pub namespace: Option<&'static str>,
    /// Names of files that it could have.
    files: &'static [File],
    /// Finds the version: the first group that matched.
    pattern: &'static str,
    /// Whether the pattern is for the file's name instead of its content.
    is_of_name: bool,
}

/// The name of a file, without its folder.
enum File {
    /// This.
    Is(&'static str),
    /// This, and maybe digits and dots, or a dash and a word, behind it: `python3.11`, `php-fpm8.2`.
    Numbered(&'static str),
    /// This library, with whatever stands between its name and `.so`: `libcrypto-1f2e3d.so.1.1`.
    Library(&'static str),
}

use File::{Is, Library, Numbered};

const fn text(name: &'static str, files: &'static [File], pattern: &'static str) -> Classifier {
    Classifier { name, namespace: None, files, pattern, is_of_name: false }
}

const fn java(name: &'static str, files: &'static [File], pattern: &'static str) -> Classifier {
    Classifier { namespace: Some("java"), ..text(name, files, pattern) }
}

const fn named(name: &'static str, files: &'static [File], pattern: &'static str) -> Classifier {
    Classifier { is_of_name: true, ..text(name, files, pattern) }
}

/// Every known one. Raise the version of the cataloger `binary` when this changes.
pub(in crate::inventory) static CLASSIFIERS: &[Classifier] = &[
    // Languages.
    text(
        "node",
        &[Is("node"), Is("nodejs"), Numbered("node"), Library("node")],
        r"node(?:\.js/|-)v([0-9]+\.[0-9]+\.[0-9]+(?:-(?:nightly|rc)[0-9a-z.]*)?)",
    ),
    text("deno", &[Is("deno")], r"Deno/([0-9]+\.[0-9]+\.[0-9]+)"),
    text("bun", &[Is("bun")], r"Bun/([0-9]+\.[0-9]+\.[0-9]+)|Bun v([0-9]+\.[0-9]+\.[0-9]+)"),
    text(
        "python",
        &[Is("python"), Numbered("python"), Library("python")],
        r"(?:^|[^0-9.])((?:2\.7|3\.[0-9]|3\.1[0-9])\.[0-9]{1,2}(?:(?:a|b|rc)[0-9]{1,2})?\+?)\x00",
    ),
    text("pypy", &[Numbered("pypy"), Library("pypy")], r"\[PyPy ([0-9]+\.[0-9]+\.[0-9]+)"),
    java("jre", &[Library("jvm")], r"for [0-9a-z-]{1,40} JRE \(([0-9][^)\x00]{1,80})\)"),
    java("jre", &[Is("java")], r"\x00openjdk\x00+java\x00+[0-9][0-9.]*\x00+([0-9][^\x00]{1,80})\x00"),
    text(
        "php",
        &[Numbered("php"), Numbered("php-fpm"), Numbered("php-cgi"), Library("php")],
        r"X-Powered-By: PHP/([0-9]+\.[0-9]+\.[0-9]+(?:(?:alpha|beta|RC)[0-9]+)?)",
    ),
    text("ruby", &[Numbered("ruby"), Library("ruby")], r"ruby ([0-9]+\.[0-9]+\.[0-9]+(?:(?:p|preview|rc|dev)[0-9]*)?) \(20"),
    text("perl", &[Numbered("perl"), Library("perl")], r"/perl5?/(5\.[0-9]+\.[0-9]+)"),
    text("lua", &[Numbered("lua"), Library("lua")], r"Lua ([0-9]+\.[0-9]+\.[0-9]+) +Copyright"),
    text("luajit", &[Numbered("luajit"), Library("luajit")], r"LuaJIT ([0-9]+\.[0-9]+\.[0-9]+(?:-[0-9a-z]+)?)"),
    text("erlang", &[Is("beam.smp"), Is("erlexec")], r"/otp(?:_src_|-)([0-9]+(?:\.[0-9]+){1,3}(?:-rc[0-9])?)/erts/"),
    text("dart", &[Is("dart"), Is("dartaotruntime")], r"\x00([0-9]+\.[0-9]+\.[0-9]+(?:-[0-9.]+\.(?:beta|dev))?) \((?:stable|beta|dev)\)"),
    text("swift", &[Is("swift"), Is("swift-frontend"), Library("swiftCore")], r"Swift version ([0-9]+\.[0-9]+(?:\.[0-9]+)?)"),
    text("julia", &[Library("julia-internal")], r"__init__\x00([0-9]+\.[0-9]+\.[0-9]+)\x00verify"),
    text("ghc", &[Numbered("ghc")], r"\x00GHC ([0-9]+\.[0-9]+\.[0-9]+)\x00"),
    text("swipl", &[Is("swipl")], r"swipl-([0-9]+\.[0-9]+\.[0-9]+)/"),
    text("rust", &[Is("rustc"), Library("std"), Library("rustc_driver")], r"rustc version ([0-9]+\.[0-9]+\.[0-9]+(?:-[0-9a-z.]+)?) \("),
    text(
        "gcc",
        &[Numbered("gcc"), Numbered("g++"), Is("cc1")],
        r"GCC: \([^)\x00]{1,60}\) ([0-9]+\.[0-9]+\.[0-9]+)|\x00((?:[4-9]|1[0-9])\.[0-9]\.[0-9])\x00",
    ),
    // Servers.
    text("nginx", &[Is("nginx"), Is("nginx-debug")], r"nginx version: [^/\x00]{1,30}/([0-9]+\.[0-9]+\.[0-9]+)"),
    text("httpd", &[Is("httpd"), Is("apache2")], r"Apache/([0-9]+\.[0-9]+\.[0-9]+)"),
    text("lighttpd", &[Is("lighttpd")], r"lighttpd/([0-9]+\.[0-9]+\.[0-9]+)"),
    text(
        "haproxy",
        &[Is("haproxy")],
        r"HA-?Proxy version ([0-9]+\.[0-9]+(?:\.|-dev|-rc)[0-9]+)|version ([0-9]+\.[0-9]+(?:\.|-dev|-rc)[0-9]+)[-0-9a-zA-Z]{0,40}, released 20",
    ),
    text("varnish", &[Is("varnishd")], r"varnish-([0-9]+\.[0-9]+\.[0-9]+) revision"),
    text("redis", &[Is("redis-server")], r"([0-9]+\.[0-9]+\.[0-9]{1,2})(?:[0-9a-f]{12}|[A-Za-z][0-9A-Za-z.-]{0,63})-[0-9]{10}"),
    text("valkey", &[Is("valkey-server")], r"([0-9]+\.[0-9]+\.[0-9]{1,2})(?:[0-9a-f]{12}|[A-Za-z][0-9A-Za-z.-]{0,63})-[0-9]{10}"),
    text("memcached", &[Is("memcached")], r"memcached ([0-9]+\.[0-9]+\.[0-9]+)"),
    text("postgresql", &[Is("postgres")], r"PostgreSQL ([0-9]+(?:\.[0-9]+){1,2}|[0-9]+(?:alpha|beta|rc)[0-9]+)[ \x00]"),
    text(
        "mariadb",
        &[Is("mariadbd"), Is("mariadb"), Is("mysqld"), Is("mysql"), Library("mariadb")],
        r"([0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3})-MariaDB",
    ),
    text("mysql", &[Is("mysqld"), Is("mysql")], r"/mysql-([0-9]+\.[0-9]+\.[0-9]+)/|\x00([5-9]\.[0-9]\.[0-9]{1,3})\x00+mysql"),
    text("percona-server", &[Is("mysqld"), Is("mysql")], r"/percona-server-([0-9]+\.[0-9]+\.[0-9]+)"),
    text("arangodb", &[Is("arangod"), Is("arangosh")], r"([0-9]+\.[0-9]+\.[0-9]+(?:-[0-9]+)?) (?:enterprise )?\[linux\]"),
    text("proftpd", &[Is("proftpd")], r"ProFTPD Version ([0-9]+\.[0-9]+\.[0-9]+[a-z]?)"),
    text("openldap", &[Is("slapd"), Is("ldapsearch")], r"OpenLDAP: [a-z]{1,20} ([0-9]+\.[0-9]+\.[0-9]+)"),
    text("openssh", &[Is("sshd"), Is("ssh")], r"OpenSSH_([0-9]+\.[0-9]+(?:p[0-9]+)?)"),
    text("dropbear", &[Is("dropbear"), Is("dropbearmulti"), Is("dbclient")], r"dropbear_(20[0-9]{2}\.[0-9]+)"),
    text("dnsmasq", &[Is("dnsmasq")], r"dnsmasq-([0-9]+\.[0-9]+(?:rc[0-9]+)?)"),
    text("fluent-bit", &[Is("fluent-bit")], r"\x00([0-9]+\.[0-9]+\.[0-9]+)\x00+(?:\x1b\[1m\x00+)?(?:%s)?Fluent"),
    // Shells and tools.
    text("busybox", &[Numbered("busybox"), Is("["), Is("[["), Is("sh"), Is("ash")], r"BusyBox v([0-9]+\.[0-9]+\.[0-9]+)"),
    text("toybox", &[Numbered("toybox"), Is("["), Is("sh")], r"toybox ([0-9]+\.[0-9]+\.[0-9]+)"),
    text("bash", &[Is("bash"), Is("sh")], r"Bash version ([0-9]+\.[0-9]+\.[0-9]+)\("),
    text("curl", &[Is("curl"), Library("curl")], r"curl/([0-9]+\.[0-9]+\.[0-9]+)"),
    text("git", &[Is("git"), Is("git-remote-http"), Is("git-remote-https")], r"git/([0-9]+\.[0-9]+\.[0-9]+)"),
    text("util-linux", &[Is("getopt"), Is("mount"), Is("su")], r"util-linux ([0-9]+\.[0-9]+(?:\.[0-9]+)?)\x00"),
    text("xz", &[Is("xz")], r"\(XZ Utils\) ([0-9]+\.[0-9]+\.[0-9]+)"),
    text("tini", &[Is("tini"), Is("tini-static"), Is("docker-init")], r"tini version ([0-9]+\.[0-9]+\.[0-9]+)"),
    text(
        "ffmpeg",
        &[Is("ffmpeg"), Is("ffprobe"), Library("avcodec"), Library("avutil")],
        r"(?:FFmpeg|%s) version n?([0-9]+\.[0-9]+(?:\.[0-9]+)?)",
    ),
    text("imagemagick", &[Is("magick"), Library("MagickCore")], r"ImageMagick ([0-9]+\.[0-9]+\.[0-9]+-[0-9]+)"),
    text("chrome", &[Is("chrome"), Is("chromium"), Is("headless_shell")], r"\x00([0-9]{2,3}\.0\.[0-9]{4}\.[0-9]{1,3})\x00"),
    // Libraries.
    text(
        "openssl",
        &[Is("openssl"), Library("crypto"), Library("ssl")],
        r"OpenSSL ([0-9]+\.[0-9]+\.[0-9]+[a-z]{0,2}(?:-[0-9a-z]+)?) +[0-9]{1,2} [A-Z][a-z]{2} [0-9]{4}",
    ),
    text("libressl", &[Is("openssl"), Library("crypto"), Library("ssl")], r"LibreSSL ([0-9]+\.[0-9]+\.[0-9]+)"),
    text("aws-lc", &[Is("openssl"), Is("bssl"), Library("crypto")], r"AWS-LC (?:FIPS )?([0-9]+\.[0-9]+\.[0-9]+)"),
    text("zlib", &[Library("z")], r" (?:de|in)flate ([0-9]+\.[0-9]+(?:\.[0-9]+){0,2})(?:\.f-[a-z0-9-]+)? Copyright"),
    text("zstd", &[Is("zstd"), Library("zstd")], r"(?:^|[^0-9.])(1\.[0-9]\.[0-9]{1,2})\x00"),
    text("xz", &[Library("lzma")], r"(?:^|[^0-9.])(5\.[0-9]+\.[0-9]+(?:alpha|beta)?)\x00"),
    named("libxml2", &[Library("xml2")], r"\.so\.(2\.[0-9]+\.[0-9]+)$"),
    text("expat", &[Library("expat")], r"expat_([0-9]+\.[0-9]+\.[0-9]+)"),
    text("sqlite", &[Numbered("sqlite"), Library("sqlite")], r"(?:^|[^0-9.])(3\.[0-9]{1,2}\.[0-9]{1,2}(?:\.[0-9])?)\x00"),
    text("libpng", &[Library("png"), Library("png16")], r"libpng version ([0-9]+\.[0-9]+\.[0-9]+)"),
    text("libjpeg-turbo", &[Library("jpeg"), Library("turbojpeg")], r"libjpeg-turbo version ([0-9]+\.[0-9]+(?:\.[0-9]+){0,2})"),
    text("glibc", &[Is("libc.so.6"), Library("c")], r"GNU C Library [^\x00]{0,80}version ([0-9]+\.[0-9]+(?:\.[0-9]+)?)"),
    text("musl", &[Library("c.musl"), Library("ld-musl")], r"(?:^|[^0-9.])(1\.[0-9]\.[0-9]{1,2})\x00"),
    text("qt", &[Library("Qt5Core"), Library("Qt6Core")], r"Qt ([0-9]+\.[0-9]+\.[0-9]+) \("),
];

impl File {
    fn fits(&self, name: &str) -> bool {
        let is_number = |rest: &str| {
            let rest = rest.strip_prefix('-').unwrap_or(rest);
            rest.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b'd' | b'm' | b't' | b'u'))
        };
        match self {
            Is(whole) => name == *whole,
            Numbered(start) => name.strip_prefix(start).is_some_and(is_number),
            Library(stem) => {
                let Some(rest) = name.strip_prefix("lib").unwrap_or(name).strip_prefix(stem) else { return false };
                let is_library = rest.contains(".so") || rest.ends_with(".dylib") || rest.ends_with(".dll") || rest.ends_with(".1");
                is_library
                    && rest.starts_with(|first: char| first == '.' || first == '-' || first.is_ascii_digit())
                    && (name.starts_with("lib") || name.starts_with("ld-"))
            }
        }
    }
}

/// The pattern of each classifier, once it was needed.
static REGEXES: LazyLock<Vec<OnceLock<Option<Regex>>>> = LazyLock::new(|| CLASSIFIERS.iter().map(|_| OnceLock::new()).collect());

/// One classifier that a file's name speaks for.
#[derive(Clone, Copy)]
struct Candidate {
    classifier: &'static Classifier,
    /// Its place in the list.
    place: usize,
}

impl Candidate {
    fn regex(self) -> Option<&'static Regex> {
        let compile = || Regex::new(&format!("(?-u){}", self.classifier.pattern)).ok();
        REGEXES.get(self.place)?.get_or_init(compile).as_ref()
    }

    /// The first version in `bytes` that begins with `least`.
    fn version(self, bytes: &[u8], least: &str) -> Option<String> {
        let regex = self.regex()?;
        let mut from = 0;
        // What ends one text begins the next, so that the search goes on where the version ends and not where its text does.
        while let Some(captures) = regex.captures_at(bytes, from) {
            let version = captures.iter().skip(1).flatten().next()?;
            from = version.end();
            let text = std::str::from_utf8(version.as_bytes()).ok().filter(|text| text.len() <= VERSION && text.starts_with(least));
            if let Some(text) = text {
                return Some(text.to_owned());
            }
        }
        None
    }
}

/// What a file of this name could be.
fn candidates(name: &str) -> impl Iterator<Item = Candidate> {
    let all = CLASSIFIERS.iter().enumerate().map(|(place, classifier)| Candidate { classifier, place });
    all.filter(move |candidate| candidate.classifier.files.iter().any(|file| file.fits(name)))
}

/// What the file at `path` is, by its name and the texts in it.
pub(super) fn programs(path: &str, object: &Object, body: &Body<'_>) -> Vec<Program> {
    let mut found: Vec<Program> = Vec::new();
    let name = path.rsplit('/').next().unwrap_or(path);
    let name = name.strip_suffix(".exe").unwrap_or(name);
    for candidate in candidates(name) {
        let classifier = candidate.classifier;
        let version = if classifier.is_of_name {
            candidate.version(name.as_bytes(), "")
        } else {
            // Of the language whose version stands in the file's name, other versions in the file speak of something else.
            let least = if classifier.name == "python" { number(name) } else { "" };
            search(candidate, least, object, body)
        };
        if let Some(version) = version {
            found.push(Program { name: classifier.name.to_owned(), version });
        }
    }
    // The servers that were built from MySQL hold its name as well.
    if found.iter().any(|program| matches!(program.name.as_str(), "mariadb" | "percona-server")) {
        found.retain(|program| program.name != "mysql");
    }
    found
}

/// The first number with a dot in a file's name, such as `3.11`.
fn number(name: &str) -> &str {
    let start = name.find(|char: char| char.is_ascii_digit()).unwrap_or(name.len());
    let rest = name.get(start..).unwrap_or_default();
    let mut dots = 0;
    let end = rest.find(|char: char| {
        dots += usize::from(char == '.');
        !(char.is_ascii_digit() || char == '.') || dots > 1
    });
    let number = rest.get(..end.unwrap_or(rest.len())).unwrap_or_default();
    if number.contains('.') && !number.ends_with('.') { number } else { "" }
}

fn search(candidate: Candidate, least: &str, object: &Object, body: &Body<'_>) -> Option<String> {
    let mut left = SEARCHED;
    let mut found = None;
    let mut look = |part: &Body<'_>| {
        super::windows(part, |window| {
            found = candidate.version(window, least);
            if found.is_some() { Go::Stop } else { Go::On }
        });
        found.is_some()
    };
    if object.has_names() {
        for section in object.sections.iter().filter(|section| holds_texts(section)) {
            let size = section.size.min(body.size().saturating_sub(section.at)).min(left);
            left -= size;
            if body.part(section.at, size).is_some_and(|part| look(&part)) {
                break;
            }
        }
    } else if let Some(part) = body.part(0, body.size().min(left)) {
        look(&part);
    }
    found
}

/// Whether a section may hold the texts of a program, or of the compiler that made it.
fn holds_texts(section: &Part) -> bool {
    let is_text = [".rodata", ".rdata", ".data", "__cstring", "__const", "__data"].iter().any(|start| section.name.starts_with(start));
    (is_text && section.access != Access::Unloaded) || section.name == ".comment"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pattern_is_one() {
        for (place, classifier) in CLASSIFIERS.iter().enumerate() {
            let regex = Candidate { classifier, place }.regex().expect(classifier.name);
            assert!(regex.captures_len() > 1, "{}", classifier.name);
        }
    }

    #[test]
    fn files_are_told_by_name() {
        let check = |name: &str, expected: &[&str]| {
            assert_eq!(candidates(name).map(|candidate| candidate.classifier.name).collect::<Vec<_>>(), expected, "{name}");
        };
        check("python3.11", &["python"]);
        check("libpython3.11.so.1.0", &["python"]);
        check("python-config", &[]);
        check("libcrypto.so.3", &["openssl", "libressl", "aws-lc"]);
        check("libcrypto-9d2ca1e5.so.1.1", &["openssl", "libressl", "aws-lc"]);
        check("libz.so.1.2.13", &["zlib"]);
        check("libzstd.so.1", &["zstd"]);
        check("libc.so.6", &["glibc"]);
        check("libcurl-gnutls.so.4.8.0", &["curl"]);
        check("libcups.so.2", &[]);
        check("busybox", &["busybox"]);
        check("ld-musl-x86_64.so.1", &["musl"]);
        check("perl5.36-x86_64-linux-gnu", &[]);
    }

    #[test]
    fn versions_are_found() {
        let check = |name: &str, text: &[u8], expected: Option<&str>| {
            let all = CLASSIFIERS.iter().enumerate().map(|(place, classifier)| Candidate { classifier, place });
            let found = all.filter(|candidate| candidate.classifier.name == name).find_map(|candidate| candidate.version(text, ""));
            assert_eq!(found.as_deref(), expected, "{name}");
        };
        check("node", b"node-v20.20.2-headers.tar.gz", Some("20.20.2"));
        check("python", b"\x003.40.1\x00/opt/versions/3.11.7\x00", Some("3.11.7"));
        check("python", b"\x003.40.1\x002.5.0\x003.12.0rc1\x00", Some("3.12.0rc1"));
        check("zstd", b"\x851.5.4\0", Some("1.5.4"));
        check("xz", b"5.4.1\0\0", Some("5.4.1"));
        check("gcc", b"\x0012.2.0\x00", Some("12.2.0"));
        check("openssl", b"OpenSSL 3.0.22 25 Aug 2026\0", Some("3.0.22"));
        check("openssl", b"OpenSSL 1.0.2k-fips  26 Jan 2017\0", Some("1.0.2k-fips"));
        check("openssl", b"OpenSSL 1.1.1 (compatible; AWS-LC 1.30.1)\0", None);
        check("aws-lc", b"OpenSSL 1.1.1 (compatible; AWS-LC 1.30.1)\0", Some("1.30.1"));
        check("redis", b"\x007.0.14buildkitsandbox-1702957741000000000\0", Some("7.0.14"));
        check("redis", b"4.0.11841ce7054bd9-1542359302000000000", Some("4.0.11"));
        check("haproxy", b"HA-Proxy version 1.8.22 2019/10/25", Some("1.8.22"));
        check("haproxy", b"version 2.8-dev3-8f6e9a3, released 2023/02/04", Some("2.8-dev3"));
        check(
            "jre",
            b"OpenJDK 64-Bit Server VM (17.0.6+10) for linux-amd64 JRE (17.0.6+10-Debian-1), built on",
            Some("17.0.6+10-Debian-1"),
        );
        check("postgresql", b"PostgreSQL 15.1 (Debian 15.1-1)", Some("15.1"));
        check("mysql", b"/build/mysql-8.0.36/sql/x.cc", Some("8.0.36"));
        check("zlib", b" deflate 1.2.13 Copyright 1995-2022", Some("1.2.13"));
        check("zlib", b" deflate 1.3.1.f-debian Copyright", Some("1.3.1"));
        check("glibc", b"GNU C Library (Debian GLIBC 2.36-9+deb12u14) stable release version 2.36.\n", Some("2.36"));
        check("openssh", b"OpenSSH_9.2p1 Debian-2", Some("9.2p1"));
        check("bash", b"@(#)Bash version 5.2.15(1) release GNU", Some("5.2.15"));
        check("perl", b"/usr/local/lib/x86_64-linux-gnu/perl/5.36.0", Some("5.36.0"));
    }

    #[test]
    fn numbers_come_out_of_names() {
        let check = |name: &str, expected: &str| assert_eq!(number(name), expected, "{name}");
        check("python3.11", "3.11");
        check("libpython3.11.so.1.0", "3.11");
        check("libpython3.so", "");
        check("python3", "");
        check("python", "");
    }
}
