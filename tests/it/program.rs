//! Runs the binary as a user would, with an environment that holds nothing but what a test gives it.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

/// What one run printed and returned.
pub(crate) struct Run {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// The repository's root.
pub(crate) fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// A file or folder below `testdata/`.
pub(crate) fn testdata(path: &str) -> PathBuf {
    root().join("testdata").join(path)
}

/// A new folder with these files.
pub(crate) fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, text) in files {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
        std::fs::write(path, text).expect("a file");
    }
    folder
}

/// Runs `plimsoll ARGS` in the repository's root.
pub(crate) fn plimsoll<S: AsRef<std::ffi::OsStr>>(args: &[S]) -> Run {
    plimsoll_with(args, &[], &root())
}

/// Runs `plimsoll ARGS` in `folder` with `environment` added to an empty one.
pub(crate) fn plimsoll_with<S: AsRef<std::ffi::OsStr>>(args: &[S], environment: &[(&str, &str)], folder: &Path) -> Run {
    let output = Command::new(env!("CARGO_BIN_EXE_plimsoll"))
        .args(args)
        .current_dir(folder)
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("HOME", folder.join("no-home"))
        .env("SOURCE_DATE_EPOCH", "1795000000")
        .envs(environment.iter().copied())
        .output()
        .expect("the binary that cargo built starts");
    Run {
        code: output.status.code().unwrap_or(-1),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

impl Run {
    /// Fails the test with everything that was printed unless the exit code is `code`.
    #[track_caller]
    pub(crate) fn expect(self, code: i32) -> Self {
        assert_eq!(self.code, code, "exit code\n--- stdout\n{}\n--- stderr\n{}", self.stdout, self.stderr);
        self
    }

    /// Fails the test unless standard output holds `text`.
    #[track_caller]
    pub(crate) fn says(self, text: &str) -> Self {
        assert!(self.stdout.contains(text), "no `{text}` in\n--- stdout\n{}\n--- stderr\n{}", self.stdout, self.stderr);
        self
    }

    /// Fails the test unless standard error is one error line, an optional hint, and holds `text`.
    #[track_caller]
    pub(crate) fn complains(self, text: &str) -> Self {
        assert!(self.stderr.contains(text), "no `{text}` in\n--- stderr\n{}\n--- stdout\n{}", self.stderr, self.stdout);
        let errors = self.stderr.lines().filter(|line| line.starts_with("plimsoll: error:")).count();
        assert_eq!(errors, 1, "one clear message\n--- stderr\n{}", self.stderr);
        assert!(self.stderr.lines().count() <= 3, "one clear message\n--- stderr\n{}", self.stderr);
        self
    }
}
