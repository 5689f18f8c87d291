//! A command in, its options and operands out: one table says which short options of a program take a value, so that
//! `-o/path-k` is not read as `-k`. Sources: the programs' manual pages.

use super::command::{Command, Word};

/// Short options that take a value, and long ones that take it as the next word.
struct Grammar {
    program: &'static str,
    short: &'static str,
    long: &'static [&'static str],
}

/// Programs whose options are whole words behind one dash, with a value behind `=` or in the next word.
const SINGLE_DASH: &[&str] = &["go"];

const GRAMMARS: &[Grammar] = &[
    Grammar {
        program: "apk",
        short: "pXt",
        long: &["--root", "--repository", "--virtual", "--arch", "--repositories-file", "--keys-dir", "--cache-dir", "--wait"],
    },
    // Debian's, BusyBox's and, where it is another name of useradd, that one's.
    Grammar {
        program: "adduser",
        short: "bcdefgGhkKpsu",
        long: &[
            "--uid",
            "--gid",
            "--ingroup",
            "--home",
            "--shell",
            "--gecos",
            "--comment",
            "--conf",
            "--firstuid",
            "--lastuid",
            "--firstgid",
            "--lastgid",
            "--groups",
            "--home-dir",
            "--skel",
            "--password",
            "--base-dir",
            "--key",
        ],
    },
    Grammar { program: "apt", short: "otca", long: &["--option", "--target-release", "--config-file"] },
    Grammar { program: "apt-get", short: "otca", long: &["--option", "--target-release", "--config-file"] },
    Grammar {
        program: "curl",
        short: "AbcCdDeEFhHKmoPQrtTuUwxXyYz",
        long: &[
            "--output",
            "--header",
            "--user",
            "--user-agent",
            "--data",
            "--request",
            "--url",
            "--proxy",
            "--cacert",
            "--cert",
            "--key",
            "--config",
            "--retry",
            "--retry-delay",
            "--retry-max-time",
            "--max-time",
            "--connect-timeout",
            "--output-dir",
            "--form",
            "--data-binary",
            "--data-raw",
            "--cookie",
            "--cookie-jar",
            "--referer",
            "--range",
            "--write-out",
            "--upload-file",
            "--resolve",
            "--interface",
            "--limit-rate",
            "--continue-at",
            "--proto",
            "--tls-max",
            "--ciphers",
            "--capath",
            "--proxy-user",
            "--netrc-file",
        ],
    },
    Grammar {
        program: "dnf",
        short: "cdeRx",
        long: &["--setopt", "--installroot", "--releasever", "--repo", "--enablerepo", "--disablerepo", "--exclude"],
    },
    Grammar { program: "microdnf", short: "cdeRx", long: &["--setopt", "--installroot", "--releasever", "--enablerepo", "--disablerepo"] },
    Grammar { program: "git", short: "cC", long: &["--git-dir", "--work-tree", "--namespace"] },
    Grammar {
        program: "install",
        short: "gmoSt",
        long: &["--group", "--mode", "--owner", "--strip-program", "--suffix", "--target-directory"],
    },
    Grammar { program: "mkdir", short: "m", long: &["--mode"] },
    Grammar { program: "rpm", short: "DEr", long: &["--define", "--eval", "--root", "--dbpath", "--prefix", "--relocate", "--rcfile"] },
    Grammar { program: "tdnf", short: "c", long: &["--setopt", "--installroot", "--releasever", "--enablerepo", "--disablerepo"] },
    Grammar {
        program: "wget",
        short: "oaeiBtOTwQPUlAXRDI",
        long: &[
            "--output-document",
            "--output-file",
            "--header",
            "--user",
            "--password",
            "--directory-prefix",
            "--tries",
            "--timeout",
            "--user-agent",
            "--ca-certificate",
            "--post-data",
        ],
    },
    Grammar {
        program: "yum",
        short: "cdeRx",
        long: &["--setopt", "--installroot", "--releasever", "--enablerepo", "--disablerepo", "--exclude"],
    },
    Grammar {
        program: "zypper",
        short: "cDRpCrt",
        long: &[
            "--config",
            "--root",
            "--installroot",
            "--reposd-dir",
            "--cache-dir",
            "--raw-cache-dir",
            "--solv-cache-dir",
            "--pkg-cache-dir",
            "--from",
            "--repo",
            "--type",
            "--download",
        ],
    },
    Grammar {
        program: "cargo",
        short: "jFZC",
        long: &[
            "--version",
            "--vers",
            "--git",
            "--branch",
            "--tag",
            "--rev",
            "--path",
            "--root",
            "--registry",
            "--index",
            "--features",
            "--target",
            "--profile",
            "--jobs",
            "--bin",
            "--example",
            "--config",
            "--target-dir",
            "--color",
        ],
    },
    Grammar { program: "composer", short: "d", long: &["--working-dir"] },
    Grammar {
        program: "gem",
        short: "viPsnpgBW",
        long: &[
            "--version",
            "--install-dir",
            "--bindir",
            "--document",
            "--platform",
            "--source",
            "--trust-policy",
            "--file",
            "--without",
            "--build-root",
            "--http-proxy",
            "--bulk-threshold",
            "--target-rbconfig",
            "--config-file",
        ],
    },
    Grammar {
        program: "go",
        short: "",
        long: &[
            "-C",
            "-asmflags",
            "-buildmode",
            "-compiler",
            "-coverpkg",
            "-exec",
            "-gccgoflags",
            "-gcflags",
            "-installsuffix",
            "-ldflags",
            "-mod",
            "-modfile",
            "-o",
            "-overlay",
            "-p",
            "-pgo",
            "-pkgdir",
            "-tags",
            "-toolexec",
        ],
    },
    Grammar {
        program: "npm",
        short: "Cw",
        long: &[
            "--registry",
            "--prefix",
            "--cache",
            "--userconfig",
            "--globalconfig",
            "--loglevel",
            "--tag",
            "--workspace",
            "--omit",
            "--include",
            "--only",
            "--before",
            "--otp",
            "--fetch-retries",
            "--network-timeout",
            "--install-strategy",
        ],
    },
    Grammar {
        program: "pnpm",
        short: "CwF",
        long: &["--registry", "--dir", "--filter", "--store-dir", "--reporter", "--loglevel", "--global-dir"],
    },
    Grammar {
        program: "poetry",
        short: "CPE",
        long: &["--directory", "--project", "--extras", "--with", "--without", "--only", "--group", "--source"],
    },
    Grammar {
        program: "useradd",
        short: "bcdefgGkKpPRsuZ",
        long: &[
            "--uid",
            "--gid",
            "--groups",
            "--home-dir",
            "--shell",
            "--comment",
            "--password",
            "--base-dir",
            "--skel",
            "--key",
            "--expiredate",
            "--inactive",
            "--root",
            "--prefix",
            "--selinux-user",
        ],
    },
    Grammar {
        program: "usermod",
        short: "cdefgGlpRPsuvVwWZ",
        long: &[
            "--comment",
            "--home",
            "--expiredate",
            "--inactive",
            "--gid",
            "--groups",
            "--login",
            "--password",
            "--root",
            "--prefix",
            "--shell",
            "--uid",
            "--add-subuids",
            "--del-subuids",
            "--add-subgids",
            "--del-subgids",
            "--selinux-user",
        ],
    },
    Grammar {
        program: "yarn",
        short: "",
        long: &[
            "--cwd",
            "--registry",
            "--cache-folder",
            "--modules-folder",
            "--network-timeout",
            "--network-concurrency",
            "--mutex",
            "--prefix",
        ],
    },
    Grammar {
        program: "pip",
        short: "rcetdif",
        long: &[
            "--index-url",
            "--extra-index-url",
            "--trusted-host",
            "--requirement",
            "--constraint",
            "--target",
            "--find-links",
            "--proxy",
            "--cert",
            "--cache-dir",
            "--dest",
            "--python",
            "--python-version",
            "--platform",
            "--implementation",
            "--abi",
            "--prefix",
            "--root",
            "--src",
            "--timeout",
            "--retries",
            "--log",
            "--index",
            "--progress-bar",
            "--upgrade-strategy",
            "--no-binary",
            "--only-binary",
            "--config-settings",
            "--global-option",
            "--install-option",
            "--exists-action",
            "--report",
            "--client-cert",
            "--use-feature",
            "--use-deprecated",
            "--root-user-action",
            "--group",
            "--build",
        ],
    },
];

/// One option of a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Opt<'a> {
    /// `--long` without its value, or `-k`: one letter of a bundle.
    pub(super) name: Name<'a>,
    /// Its value: after `=`, in the same word, or the next word.
    pub(super) value: Option<&'a str>,
}

/// The name of an option.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Name<'a> {
    /// `--name` or a single-dash word of a program without bundles.
    Long(&'a str),
    /// One letter.
    Short(char),
}

/// Options and operands of a command.
#[derive(Debug)]
pub(super) struct Arguments<'a> {
    /// Options in order.
    pub(super) options: Vec<Opt<'a>>,
    /// Everything else in order.
    pub(super) operands: Vec<&'a Word>,
}

impl<'a> Arguments<'a> {
    /// Splits a command's arguments by its program's table; a program without a row has no options with separate values.
    pub(super) fn of(command: &'a Command) -> Self {
        let program = match command.name.as_str() {
            "pip3" | "pip2" => "pip",
            name => name,
        };
        Self::of_words(program, command.arguments())
    }

    /// Splits the words behind a program's name by its row of the table.
    pub(super) fn of_words(program: &str, words: &'a [Word]) -> Self {
        let has_bundles = !SINGLE_DASH.contains(&program);
        let grammar = GRAMMARS.iter().find(|grammar| grammar.program == program);
        let short = grammar.map_or("", |grammar| grammar.short);
        let long = grammar.map_or(&[][..], |grammar| grammar.long);
        let mut this = Self { options: Vec::new(), operands: Vec::new() };
        let mut words = words.iter();
        while let Some(word) = words.next() {
            let text = word.text.as_str();
            if text == "--" {
                this.operands.extend(words);
                break;
            }
            if text.starts_with("--") || (!has_bundles && text.starts_with('-') && text.len() > 1) {
                let (name, value) = text.split_once('=').map_or((text, None), |(name, value)| (name, Some(value)));
                let value = if value.is_none() && long.contains(&name) { words.next().map(|word| word.text.as_str()) } else { value };
                this.options.push(Opt { name: Name::Long(name), value });
            } else if let Some(bundle) = text.strip_prefix('-').filter(|bundle| !bundle.is_empty()) {
                for (at, letter) in bundle.char_indices() {
                    if short.contains(letter) {
                        let attached = bundle.get(at + letter.len_utf8()..).filter(|value| !value.is_empty());
                        let value = attached.or_else(|| words.next().map(|word| word.text.as_str()));
                        this.options.push(Opt { name: Name::Short(letter), value });
                        break;
                    }
                    // apt-get takes `-q=2`: what follows is no bundle.
                    let rest = bundle.get(at + letter.len_utf8()..).unwrap_or_default();
                    if let Some(value) = rest.strip_prefix('=') {
                        this.options.push(Opt { name: Name::Short(letter), value: Some(value) });
                        break;
                    }
                    this.options.push(Opt { name: Name::Short(letter), value: None });
                }
            } else {
                this.operands.push(word);
            }
        }
        this
    }

    /// Whether the operands are URLs, all of them on this machine.
    pub(super) fn all_local(&self) -> bool {
        let on_this_machine = |url: &str| {
            let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
            let host = rest.split(['/', ':']).next().unwrap_or_default();
            host == "localhost" || host.starts_with("127.")
        };
        !self.operands.is_empty() && self.operands.iter().all(|word| on_this_machine(&word.text))
    }

    /// Whether the long option is given.
    pub(super) fn has_long(&self, name: &str) -> bool {
        self.options.iter().any(|option| option.name == Name::Long(name))
    }

    /// Whether the one-letter option is given, alone or in a bundle.
    pub(super) fn has_short(&self, letter: char) -> bool {
        self.options.iter().any(|option| option.name == Name::Short(letter))
    }

    /// The first operand's text.
    pub(super) fn operand(&self, index: usize) -> &'a str {
        self.operands.get(index).map_or("", |word| word.text.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_not_options() {
        let table = [
            ("curl -fsSLk https://a", true),
            ("curl -o/path-k https://a", false),
            ("curl -o k https://a", false),
            ("curl -o -k https://a", false),
            ("curl -sK k https://a", false),
            ("curl -H x -k https://a", true),
            ("curl -- -k", false),
        ];
        for (text, expected) in table {
            let words: Vec<Word> = text.split(' ').map(Word::literal).collect();
            let command = Command { name: "curl".to_owned(), words, ..Command::default() };
            assert_eq!(Arguments::of(&command).has_short('k'), expected, "{text}");
        }
    }
}
