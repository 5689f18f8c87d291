//! The words of a SHELL or a shebang in, which shell that is out, as far as rules about shell code ask.

/// Which shell reads a script, as far as it decides what a slip is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Dialect {
    /// `sh`: nothing says more.
    #[default]
    Sh,
    /// dash and BusyBox's ash.
    Dash,
    /// bash.
    Bash,
    /// ksh.
    Ksh,
    /// One whose words are not split.
    Zsh,
}

impl Dialect {
    /// That of a shell's base name.
    pub(super) fn of(name: &str) -> Self {
        match name {
            "bash" => Self::Bash,
            "dash" | "ash" | "busybox" => Self::Dash,
            "ksh" => Self::Ksh,
            "zsh" => Self::Zsh,
            _ => Self::Sh,
        }
    }
}

/// The shell of an instruction.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Shell {
    /// Which one it is.
    pub(super) dialect: Dialect,
    /// Whether it stops at a failure.
    pub(super) errexit: bool,
}

/// Whether the words of a SHELL say that it stops at a failure.
pub(super) fn stops_at_failure<'w>(mut words: impl Iterator<Item = &'w str>) -> bool {
    words.any(|word| word == "errexit" || (word.starts_with('-') && !word.starts_with("--") && word.contains('e')))
}
