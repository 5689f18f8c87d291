//! Paths in, the files out that a container has no use for: what version control, editors, builds and package managers left behind. Those that a
//! package brought are its own affair.

use crate::{
    inventory::{Context, facts::Owners},
    model::facts::UnneededFact,
};

/// A kind of file: what it is, and which names tell of it.
struct Kind {
    what: &'static str,
    tells: fn(&str, &str) -> bool,
}

/// By the name of the file and its path.
const KINDS: &[Kind] = &[
    // One file of each kind of repository tells of all.
    Kind { what: "a git repository", tells: |name, path| name == "HEAD" && in_folder(path, ".git") },
    Kind { what: "a Subversion working copy", tells: |name, path| name == "wc.db" && in_folder(path, ".svn") },
    Kind { what: "a Mercurial repository", tells: |name, path| name == "requires" && in_folder(path, ".hg") },
    Kind {
        what: "a build file",
        tells: |name, _| {
            matches!(
                name,
                "Dockerfile"
                    | "Containerfile"
                    | ".dockerignore"
                    | "docker-compose.yml"
                    | "docker-compose.yaml"
                    | "compose.yml"
                    | "compose.yaml"
            ) || name.ends_with(".Dockerfile")
                || name.ends_with(".dockerfile")
                || name.starts_with("Dockerfile.") && !name.ends_with(".md")
        },
    },
    Kind { what: "a pipeline's file", tells: |name, _| matches!(name, ".gitlab-ci.yml" | ".travis.yml" | "Jenkinsfile") },
    Kind {
        what: "an editor's file",
        tells: |name, path| {
            matches!(name, ".DS_Store" | "Thumbs.db" | "desktop.ini" | ".viminfo" | ".vimrc")
                || name.starts_with('.') && (name.ends_with(".swp") || name.ends_with(".swo"))
                || name == "workspace.xml" && in_folder(path, ".idea")
                || name == "settings.json" && in_folder(path, ".vscode")
        },
    },
    Kind {
        what: "a package manager's leftover",
        tells: |name, path| {
            matches!(name, "yarn-error.log" | "lerna-debug.log" | "get-pip.py" | "pip-log.txt")
                || name.starts_with("npm-debug.log")
                || name.ends_with("-debug-0.log") && in_folder(path, "_logs")
        },
    },
    Kind {
        what: "a shell's history",
        tells: |name, _| matches!(name, ".bash_history" | ".ash_history" | ".zsh_history" | ".python_history" | ".node_repl_history"),
    },
];

/// Below these stands what packages of programming languages brought, or a system's own.
const OF_PACKAGES: &[&str] = &[
    "node_modules",
    "site-packages",
    "dist-packages",
    "gems",
    "vendor",
    "pkg",
    "registry",
    ".m2",
    ".nuget",
    "bower_components",
    "share",
    "doc",
    "testdata",
];

/// Whether the file lies in a folder of this name.
fn in_folder(path: &str, folder: &str) -> bool {
    path.rsplit('/').nth(1) == Some(folder)
}

/// Whether the file is one that a container has no use for.
pub(super) fn wants(path: &str) -> bool {
    kind(path).is_some()
}

fn kind(path: &str) -> Option<&'static str> {
    let name = path.rsplit('/').next().unwrap_or(path);
    let kind = KINDS.iter().find(|kind| (kind.tells)(name, path))?;
    let is_of_package = path.split('/').any(|part| OF_PACKAGES.contains(&part));
    (!is_of_package).then_some(kind.what)
}

/// The paths that an owner is asked for.
pub(super) fn paths<'a>(context: &Context<'a>) -> impl Iterator<Item = &'a str> {
    context.view.files().map(|file| file.path).filter(|path| wants(path))
}

/// The files that are there and that no package brought.
pub(super) fn read(context: &Context<'_>, owners: &Owners) -> Vec<UnneededFact> {
    let mut found: Vec<UnneededFact> = context
        .view
        .files()
        .filter_map(|file| {
            let what = kind(file.path)?;
            if owners.owner(file.path, file.layer).is_some() {
                return None;
            }
            let location = context.location(file.layer, file.path).into_iter().next()?;
            // Of a repository the folder is what nobody needs.
            let path = match what {
                "a git repository" | "a Subversion working copy" | "a Mercurial repository" => {
                    file.path.rsplit_once('/').map_or(file.path, |(folder, _)| folder)
                }
                _ => file.path,
            };
            Some(UnneededFact { what, path: path.to_owned(), location })
        })
        .collect();
    found.sort_by(|a, b| a.path.cmp(&b.path));
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_told_by_their_names() {
        let check = |path: &str, expected: Option<&str>| assert_eq!(kind(path), expected, "{path}");
        check("app/.git/HEAD", Some("a git repository"));
        check("app/.git/config", None);
        check("app/HEAD", None);
        check("Dockerfile", Some("a build file"));
        check("app/docker/Dockerfile.prod", Some("a build file"));
        check("app/Dockerfile.md", None);
        check("app/.main.rs.swp", Some("an editor's file"));
        check("app/.idea/workspace.xml", Some("an editor's file"));
        check("app/workspace.xml", None);
        check("root/.bash_history", Some("a shell's history"));
        check("root/.npm/_logs/2026-01-01T00_00_00_000Z-debug-0.log", Some("a package manager's leftover"));
        check("app/node_modules/x/Dockerfile", None);
        check("usr/share/doc/x/Dockerfile", None);
        check("etc/passwd", None);
    }
}
