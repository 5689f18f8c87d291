//! A command in, what it downloads and where to out: curl, wget and aria2c. Sources: the programs' manual pages.

use super::{
    command::{Command, HOLE, RedirectKind},
    options::{Arguments, Name},
    source::slice,
};

/// What a command downloads.
#[derive(Debug, Default)]
pub(super) struct Download<'a> {
    /// The addresses.
    pub(super) urls: Vec<&'a str>,
    /// The last part of the name of every file that is written, with holes for what is not known.
    pub(super) files: Vec<&'a str>,
    /// Whether what it gets goes to its output.
    pub(super) is_printed: bool,
}

impl<'a> Download<'a> {
    /// Reads a command; `None` for one that downloads nothing.
    pub(super) fn of(command: &'a Command) -> Option<Self> {
        if !command.is_one_of(&["curl", "wget", "aria2c"]) {
            return None;
        }
        let arguments = Arguments::of(command);
        let mut this = Self { urls: arguments.operands.iter().map(|word| word.text.as_str()).collect(), ..Self::default() };
        let values = |long: &'static str, short: char| {
            let options =
                arguments.options.iter().filter(move |option| option.name == Name::Long(long) || option.name == Name::Short(short));
            options.filter_map(|option| option.value)
        };
        match command.name.as_str() {
            "curl" => {
                // An upload is no download.
                if arguments.has_short('T') || arguments.has_long("--upload-file") {
                    return None;
                }
                this.urls.extend(values("--url", HOLE));
                this.files.extend(values("--output", 'o'));
                if arguments.has_short('O') || arguments.has_long("--remote-name") || arguments.has_long("--remote-name-all") {
                    this.files.extend(this.urls.iter().map(|url| file_of(url)));
                }
                this.is_printed = this.files.is_empty();
            }
            "wget" => {
                this.files.extend(values("--output-document", 'O'));
                if this.files.is_empty() {
                    this.files.extend(this.urls.iter().map(|url| file_of(url)));
                }
            }
            _ => {
                if arguments.has_long("--checksum") {
                    return None;
                }
                this.files.extend(values("--out", 'o'));
                if this.files.is_empty() {
                    this.files.extend(this.urls.iter().map(|url| file_of(url)));
                }
            }
        }
        this.is_printed |= this.files.iter().any(|file| is_output(file));
        if this.is_printed {
            let written = command.redirects.iter().filter(|redirect| redirect.kind == RedirectKind::Write);
            let written = written.map(|redirect| redirect.target.text.as_str()).filter(|path| !path.starts_with("/dev/"));
            this.files.extend(written);
        }
        this.files.retain(|file| !is_output(file) && *file != "/dev/null");
        for file in &mut this.files {
            *file = base(file);
        }
        (!this.urls.is_empty()).then_some(this)
    }
}

fn is_output(file: &str) -> bool {
    matches!(file, "-" | "/dev/stdout" | "/dev/fd/1" | "/proc/self/fd/1")
}

/// The file that an address is kept in.
fn file_of(url: &str) -> &str {
    let path = url.split(['?', '#']).next().unwrap_or(url);
    let path = path.split_once("://").map_or(path, |(_, rest)| rest);
    // Before the first slash stands the server, perhaps with a password.
    path.trim_end_matches('/').rsplit_once('/').map_or("index.html", |(_, file)| file)
}

/// The last part of a path.
pub(super) fn base(path: &str) -> &str {
    path.trim_end_matches('/').rsplit('/').next().unwrap_or(path)
}

/// The host of an address over plain HTTP; `None` where the address is another one, or nothing says which host it is.
pub(super) fn plain_host(url: &str) -> Option<&str> {
    let scheme = url.get(..7).filter(|scheme| scheme.eq_ignore_ascii_case("http://"))?;
    let rest = slice(url, scheme.len()..url.len());
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = authority.rsplit('@').next().unwrap_or_default();
    let is_known = !host.is_empty() && !host.contains([HOLE, '$', '{', '%']);
    (is_known && !is_loopback(host)).then_some(host)
}

/// Whether a host, with its port, is this machine.
pub(super) fn is_loopback(host: &str) -> bool {
    let name = host.rsplit_once(':').filter(|(_, port)| port.bytes().all(|byte| byte.is_ascii_digit())).map_or(host, |(name, _)| name);
    name.eq_ignore_ascii_case("localhost") || name.starts_with("127.") || matches!(name, "[::1]" | "::1" | "0.0.0.0")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dockerfile::command::Word;

    #[test]
    fn files_are_those_that_are_written() {
        for (text, files, is_printed) in [
            ("curl -fsSL https://a.dev/x.tgz", "", true),
            ("curl -fsSLo /tmp/y https://a.dev/x.tgz", "y", false),
            ("curl -fsSLO https://a.dev/x.tgz?a=/b", "x.tgz", false),
            ("curl -o - https://a.dev/x", "", true),
            ("wget https://a.dev/x.tgz", "x.tgz", false),
            ("wget -qO- https://a.dev/x.tgz", "", true),
            ("wget -O y -P /z https://a.dev/x.tgz", "y", false),
            ("wget https://a.dev/x https://a.dev/y", "x y", false),
        ] {
            let words: Vec<Word> = text.split(' ').map(Word::literal).collect();
            let command = Command { name: words[0].text.clone(), words, ..Command::default() };
            let download = Download::of(&command).unwrap();
            assert_eq!((download.files.join(" ").as_str(), download.is_printed), (files, is_printed), "{text}");
        }
    }

    #[test]
    fn only_known_hosts_elsewhere_count() {
        for (url, expected) in [
            ("http://a.dev/x", Some("a.dev")),
            ("HTTP://u:p@a.dev:80?x", Some("a.dev:80")),
            ("https://a.dev", None),
            ("http://localhost:8080/x", None),
            ("http://127.0.0.1", None),
            ("http://[::1]:80/", None),
            ("http://\u{0}/x", None),
            ("http://", None),
        ] {
            assert_eq!(plain_host(url), expected, "{url}");
        }
    }
}
