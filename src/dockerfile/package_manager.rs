//! Commands in, what they do with which packages out: one model of the package managers that Dockerfiles call. Sources: the programs' manual pages.

use super::{
    command::{Command, Word},
    options::{Arguments, Name, Opt},
};

/// A package manager.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Manager {
    /// Alpine's `apk`.
    Apk,
    /// `apt-get`, `apt` and `aptitude`.
    Apt,
    /// Rust's `cargo`.
    Cargo,
    /// PHP's `composer`.
    Composer,
    /// `dnf` and `dnf5`, also `tdnf`.
    Dnf,
    /// Ruby's `gem`.
    Gem,
    /// The `go` command.
    Go,
    /// `microdnf`.
    Microdnf,
    /// `npm`.
    Npm,
    /// `pip`, also as `python -m pip`, and `pip` of `uv`.
    Pip,
    /// `pnpm`.
    Pnpm,
    /// `poetry`.
    Poetry,
    /// `yarn`.
    Yarn,
    /// `yum`.
    Yum,
    /// `zypper`.
    Zypper,
}

/// What a package manager is told to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Action {
    /// Packages come in, also downgraded or installed again.
    Install,
    /// The index is fetched anew.
    Refresh,
    /// Installed packages become newer ones.
    Upgrade,
    /// The same across releases of the distribution.
    DistUpgrade,
    /// Caches go.
    Clean,
    /// Packages go.
    Remove,
    /// Something else.
    Other,
}

/// One call of a package manager.
#[derive(Debug)]
pub(super) struct Invocation<'a> {
    /// Which one.
    pub(super) manager: Manager,
    /// The name by which it is called: `apt` and `apt-get` are one manager.
    pub(super) program: &'a str,
    /// What it is told to do.
    pub(super) action: Action,
    /// The word that says so, as written; empty where there is none.
    pub(super) verb: &'a str,
    /// Every option, those of the program and those of the action.
    pub(super) options: Vec<Opt<'a>>,
    /// What the action is about: packages, files, addresses.
    pub(super) packages: Vec<&'a Word>,
}

impl<'a> Invocation<'a> {
    /// Reads a command; `None` for one that calls no package manager.
    pub(super) fn of(command: &'a Command) -> Option<Self> {
        manager(command).map(|row| Self::of_row(command, row))
    }

    /// Reads a command; `None` for one that does not call this package manager.
    pub(super) fn by(command: &'a Command, wanted: Manager) -> Option<Self> {
        manager(command).filter(|(manager, ..)| *manager == wanted).map(|row| Self::of_row(command, row))
    }

    fn of_row(command: &'a Command, (manager, program, words): (Manager, &'static str, &'a [Word])) -> Self {
        let arguments = Arguments::of_words(program, words);
        let mut operands = arguments.operands.into_iter().peekable();
        let mut verb = operands.next().map_or("", |word| word.text.as_str());
        // Groups, modules and global packages have a verb of two words.
        let mut action = action(manager, verb);
        if let Some(second) = operands.peek().map(|word| word.text.as_str())
            && is_prefix(manager, verb)
        {
            action = self::action(manager, second);
            verb = second;
            operands.next();
        }
        Self { manager, program: &command.name, action, verb, options: arguments.options, packages: operands.collect() }
    }

    /// Whether an option is given: long ones with their dashes, short ones as one letter.
    pub(super) fn has(&self, names: &[&str]) -> bool {
        self.options.iter().any(|option| match option.name {
            Name::Long(name) => names.contains(&name),
            Name::Short(letter) => names.iter().any(|name| name.chars().eq([letter])),
        })
    }

    /// How often a one-letter option is given.
    pub(super) fn count(&self, letter: char) -> usize {
        self.options.iter().filter(|option| option.name == Name::Short(letter)).count()
    }

    /// The values of an option, long with its dashes or one letter.
    pub(super) fn values<'b>(&'b self, names: &'b [&str]) -> impl Iterator<Item = &'a str> + 'b {
        self.options.iter().filter_map(move |option| {
            let is_named = match option.name {
                Name::Long(name) => names.contains(&name),
                Name::Short(letter) => names.iter().any(|name| name.chars().eq([letter])),
            };
            option.value.filter(|_| is_named)
        })
    }
}

/// The manager that a command calls, the row of the table of options, and the words behind its name.
fn manager(command: &Command) -> Option<(Manager, &'static str, &[Word])> {
    let words = command.arguments();
    let found = match command.name.as_str() {
        "apk" | "apk.static" => (Manager::Apk, "apk"),
        "apt" | "apt-get" | "aptitude" => (Manager::Apt, "apt-get"),
        "cargo" => (Manager::Cargo, "cargo"),
        "composer" | "composer.phar" => (Manager::Composer, "composer"),
        "dnf" | "dnf-3" | "dnf4" | "dnf5" => (Manager::Dnf, "dnf"),
        "tdnf" => (Manager::Dnf, "tdnf"),
        "gem" => (Manager::Gem, "gem"),
        "go" => (Manager::Go, "go"),
        "microdnf" => (Manager::Microdnf, "microdnf"),
        "npm" => (Manager::Npm, "npm"),
        "pnpm" => (Manager::Pnpm, "pnpm"),
        "poetry" => (Manager::Poetry, "poetry"),
        "yarn" | "yarnpkg" => (Manager::Yarn, "yarn"),
        "yum" => (Manager::Yum, "yum"),
        "zypper" => (Manager::Zypper, "zypper"),
        name if is_python_tool(name, "pip") => (Manager::Pip, "pip"),
        name if is_python_tool(name, "python") || is_python_tool(name, "pypy") => return module(words),
        "uv" => {
            let [first, rest @ ..] = words else { return None };
            return (first.text == "pip").then_some((Manager::Pip, "pip", rest));
        }
        _ => return None,
    };
    Some((found.0, found.1, words))
}

/// `pip`, `pip3`, `pip3.12`, `pip-3`: the name of a tool, with the version of Python behind it.
fn is_python_tool(name: &str, tool: &str) -> bool {
    name.strip_prefix(tool)
        .is_some_and(|rest| rest.strip_prefix('-').unwrap_or(rest).bytes().all(|byte| byte.is_ascii_digit() || byte == b'.'))
}

/// What `python -m pip` is given: `-m` ends the options of Python, alone, in a bundle, or with the module behind it.
fn module(words: &[Word]) -> Option<(Manager, &'static str, &[Word])> {
    let mut at = 0;
    loop {
        let option = words.get(at)?.text.strip_prefix('-').filter(|option| !matches!(*option, "" | "-"))?;
        at += 1;
        // Long options, and those whose value stands behind the letter or in the next word.
        match option.find(['m', 'W', 'X', 'c']).filter(|_| !option.starts_with('-')) {
            None => at += usize::from(option == "-check-hash-based-pycs"),
            Some(place) if option.get(place..)?.starts_with('c') => return None,
            Some(place) => {
                let value = Some(option.get(place + 1..)?).filter(|value| !value.is_empty());
                if option.get(place..)?.starts_with('m') {
                    let is_pip = value.or_else(|| words.get(at).map(|word| word.text.as_str())) == Some("pip");
                    let rest = words.get(at + usize::from(value.is_none())..).unwrap_or_default();
                    return is_pip.then_some((Manager::Pip, "pip", rest));
                }
                at += usize::from(value.is_none());
            }
        }
    }
}

fn is_prefix(manager: Manager, verb: &str) -> bool {
    match manager {
        Manager::Dnf | Manager::Yum | Manager::Microdnf => matches!(verb, "group" | "groups" | "module"),
        Manager::Yarn => verb == "global",
        _ => false,
    }
}

fn action(manager: Manager, verb: &str) -> Action {
    match manager {
        Manager::Apk => match verb {
            "add" => Action::Install,
            "update" => Action::Refresh,
            "upgrade" => Action::Upgrade,
            "cache" => Action::Clean,
            "del" => Action::Remove,
            _ => Action::Other,
        },
        Manager::Apt => match verb {
            "install" | "reinstall" | "build-dep" | "satisfy" => Action::Install,
            "update" => Action::Refresh,
            "upgrade" | "safe-upgrade" => Action::Upgrade,
            "dist-upgrade" | "full-upgrade" => Action::DistUpgrade,
            "clean" | "autoclean" | "auto-clean" | "distclean" | "dist-clean" => Action::Clean,
            "remove" | "purge" | "autoremove" | "autopurge" => Action::Remove,
            _ => Action::Other,
        },
        Manager::Dnf | Manager::Microdnf | Manager::Yum => match verb {
            "install" | "localinstall" | "groupinstall" | "reinstall" | "downgrade" | "in" | "swap" => Action::Install,
            "makecache" | "check-update" | "mc" => Action::Refresh,
            "update" | "upgrade" | "up" | "upgrade-minimal" | "update-minimal" | "localupdate" | "groupupdate" => Action::Upgrade,
            "distro-sync" | "dsync" | "distribution-synchronization" | "system-upgrade" => Action::DistUpgrade,
            "clean" => Action::Clean,
            "remove" | "erase" | "rm" | "autoremove" | "groupremove" => Action::Remove,
            _ => Action::Other,
        },
        Manager::Zypper => match verb {
            "install" | "in" => Action::Install,
            "refresh" | "ref" => Action::Refresh,
            "update" | "up" | "patch" => Action::Upgrade,
            "dist-upgrade" | "dup" => Action::DistUpgrade,
            "clean" | "cc" => Action::Clean,
            "remove" | "rm" => Action::Remove,
            _ => Action::Other,
        },
        Manager::Pip => match verb {
            "install" | "download" | "wheel" | "sync" => Action::Install,
            "uninstall" => Action::Remove,
            "cache" => Action::Clean,
            _ => Action::Other,
        },
        Manager::Npm | Manager::Pnpm | Manager::Yarn => match verb {
            "install" | "i" | "in" | "ins" | "inst" | "insta" | "instal" | "isnt" | "isnta" | "isntal" | "isntall" | "add" | "ci"
            | "clean-install" | "install-test" => Action::Install,
            "update" | "up" | "upgrade" => Action::Upgrade,
            "cache" | "store" => Action::Clean,
            "uninstall" | "remove" | "rm" | "un" => Action::Remove,
            // Yarn without a verb installs.
            "" if manager == Manager::Yarn => Action::Install,
            _ => Action::Other,
        },
        Manager::Gem => match verb {
            "install" | "i" => Action::Install,
            "update" => Action::Upgrade,
            "cleanup" => Action::Clean,
            "uninstall" => Action::Remove,
            _ => Action::Other,
        },
        Manager::Go => match verb {
            "install" | "get" | "run" => Action::Install,
            "clean" => Action::Clean,
            _ => Action::Other,
        },
        Manager::Cargo => match verb {
            "install" | "binstall" => Action::Install,
            "update" => Action::Upgrade,
            "clean" => Action::Clean,
            "uninstall" => Action::Remove,
            _ => Action::Other,
        },
        Manager::Composer | Manager::Poetry => match verb {
            "install" | "require" | "add" => Action::Install,
            "update" | "upgrade" => Action::Upgrade,
            "clear-cache" | "clearcache" | "cc" | "cache" => Action::Clean,
            "remove" => Action::Remove,
            _ => Action::Other,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_are_read() {
        for (text, manager, action, packages) in [
            ("apt-get -y install --no-install-recommends curl git", Manager::Apt, Action::Install, "curl git"),
            ("apt-get -o a=b -qq update", Manager::Apt, Action::Refresh, ""),
            ("apk --no-cache add -t .build gcc musl-dev", Manager::Apk, Action::Install, "gcc musl-dev"),
            ("apk add -X https://mirror.example/x gcc", Manager::Apk, Action::Install, "gcc"),
            ("dnf -y --setopt a=b module install nodejs:18", Manager::Dnf, Action::Install, "nodejs:18"),
            ("yum groupinstall -y Tools", Manager::Yum, Action::Install, "Tools"),
            ("microdnf clean all", Manager::Microdnf, Action::Clean, "all"),
            ("zypper -n in curl", Manager::Zypper, Action::Install, "curl"),
            ("zypper dup", Manager::Zypper, Action::DistUpgrade, ""),
            ("pip3.12 install -r req.txt -i https://x flask==1", Manager::Pip, Action::Install, "flask==1"),
            ("python3 -m pip install flask", Manager::Pip, Action::Install, "flask"),
            ("python -u -m pip install flask", Manager::Pip, Action::Install, "flask"),
            ("python3.11 -W ignore -X utf8 -Im pip install flask", Manager::Pip, Action::Install, "flask"),
            ("python -Wignore --check-hash-based-pycs never -mpip install flask", Manager::Pip, Action::Install, "flask"),
            ("pypy3 -m pip install flask", Manager::Pip, Action::Install, "flask"),
            ("pip-3 install flask", Manager::Pip, Action::Install, "flask"),
            ("dnf-3 install curl", Manager::Dnf, Action::Install, "curl"),
            ("uv pip install flask", Manager::Pip, Action::Install, "flask"),
            ("npm i -g yarn", Manager::Npm, Action::Install, "yarn"),
            ("yarn global add serve", Manager::Yarn, Action::Install, "serve"),
            ("yarn", Manager::Yarn, Action::Install, ""),
            ("gem install rails -v 7", Manager::Gem, Action::Install, "rails"),
            ("go install -ldflags x example.org/a@v1", Manager::Go, Action::Install, "example.org/a@v1"),
            ("composer require a/b", Manager::Composer, Action::Install, "a/b"),
        ] {
            let words: Vec<Word> = text.split(' ').map(Word::literal).collect();
            let command = Command { name: words[0].text.clone(), words, ..Command::default() };
            let found = Invocation::of(&command).unwrap();
            let names: Vec<&str> = found.packages.iter().map(|word| word.text.as_str()).collect();
            assert_eq!((found.manager, found.action, names.join(" ").as_str()), (manager, action, packages), "{text}");
        }
        for text in [
            "python -m venv /x",
            "python -c pip -m pip install",
            "python",
            "python setup.py install",
            "python x.py -m pip install",
            "uv sync",
            "pipx install x",
            "aptly x",
        ] {
            let words: Vec<Word> = text.split(' ').map(Word::literal).collect();
            let command = Command { name: words[0].text.clone(), words, ..Command::default() };
            assert!(Invocation::of(&command).is_none(), "{text}");
        }
    }
}
