//! passwd and shadow in, accounts that let anybody in or are root under another name out.
//! Specification: <https://man7.org/linux/man-pages/man5/passwd.5.html>, <https://man7.org/linux/man-pages/man5/shadow.5.html>.

use std::collections::BTreeMap;

use crate::{
    inventory::Context,
    layers::FileEntry,
    model::facts::{AccountFact, AccountFault},
};

const PASSWD: &str = "etc/passwd";
const SHADOW: &str = "etc/shadow";
/// Most accounts that are read.
const ACCOUNTS: usize = 10_000;
/// Accounts of distributions that share a number with another one on purpose.
const KNOWN_PAIRS: &[&str] = &["toor", "operator", "halt", "sync", "shutdown"];
/// Shells that let nobody in.
const CLOSED: &[&str] = &["nologin", "false", "sync", "halt", "shutdown", "true"];

/// Whether the file names accounts.
pub(super) fn wants(path: &str) -> bool {
    matches!(path, PASSWD | SHADOW)
}

/// What is wrong with the accounts.
pub(super) fn read(context: &Context<'_>) -> Vec<AccountFact> {
    let (passwd, shadow) = (context.view.lookup(PASSWD), context.view.lookup(SHADOW));
    let text = |file: &Option<FileEntry<'_>>| file.map(|file| String::from_utf8_lossy(&file.bytes()).into_owned()).unwrap_or_default();
    let (names, passwords) = (text(&passwd), text(&shadow));
    let mut facts = Vec::new();
    let mut add = |file: &Option<FileEntry<'_>>, name: &str, fault: AccountFault| {
        let location = file.and_then(|file| context.location(file.layer, file.path).into_iter().next());
        facts.extend(location.map(|location| AccountFact { fault, name: name.to_owned(), location }));
    };
    for (name, is_shadow, fault) in faults(&names, &passwords) {
        add(if is_shadow { &shadow } else { &passwd }, &name, fault);
    }
    facts
}

/// What is wrong: the account, whether shadow says so, and what.
fn faults(passwd: &str, shadow: &str) -> Vec<(String, bool, AccountFault)> {
    let hidden: BTreeMap<&str, &str> = shadow.lines().take(ACCOUNTS).filter_map(|line| two(line)).collect();
    let mut found = Vec::new();
    let mut first: BTreeMap<u64, &str> = BTreeMap::new();
    for line in passwd.lines().take(ACCOUNTS) {
        let fields: Vec<&str> = line.split(':').collect();
        let [name, password, id, _, _, _, shell] = fields.as_slice() else { continue };
        if name.is_empty() || name.starts_with(['+', '-', '#']) {
            continue;
        }
        let shell = shell.trim().rsplit('/').next().unwrap_or_default();
        // An empty field of the shell means /bin/sh.
        let has_shell = !CLOSED.contains(&shell);
        let is_open = match *password {
            "" => Some(false),
            "x" => hidden.get(name).filter(|password| password.is_empty()).map(|_| true),
            _ => None,
        };
        if let Some(is_shadow) = is_open {
            found.push(((*name).to_owned(), is_shadow, AccountFault::EmptyPassword { has_shell }));
        }
        let Ok(id) = id.parse::<u64>() else { continue };
        match first.get(&id) {
            Some(_) if KNOWN_PAIRS.contains(name) => {}
            Some(_) if id == 0 => found.push(((*name).to_owned(), false, AccountFault::SecondRoot)),
            Some(other) => found.push(((*name).to_owned(), false, AccountFault::SharedId { other: (*other).to_owned(), id })),
            None => {
                first.insert(id, name);
            }
        }
    }
    found
}

fn two(line: &str) -> Option<(&str, &str)> {
    let mut fields = line.split(':');
    Some((fields.next()?, fields.next()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accounts_are_judged_as_login_reads_them() {
        let check = |passwd: &str, shadow: &str, expected: &[(&str, AccountFault)]| {
            let found: Vec<_> = faults(passwd, shadow).into_iter().map(|(name, _, fault)| (name, fault)).collect();
            let expected: Vec<_> = expected.iter().map(|(name, fault)| ((*name).to_owned(), fault.clone())).collect();
            assert_eq!(found, expected, "{passwd} {shadow}");
        };
        let open = |has_shell| AccountFault::EmptyPassword { has_shell };
        let root = "root:x:0:0:root:/root:/bin/sh\n";
        check(root, "root:*:19000:0:::::\n", &[]);
        check(root, "root:!:19000:0:::::\n", &[]);
        check(root, "", &[]);
        check(root, "root::19000:0:::::\n", &[("root", open(true))]);
        check("root::0:0:root:/root:/bin/sh", "", &[("root", open(true))]);
        check("app::10:10::/:/sbin/nologin", "", &[("app", open(false))]);
        check(&format!("{root}admin:x:0:0::/:/bin/sh\ntoor:x:0:0::/:/bin/sh\n"), "", &[("admin", AccountFault::SecondRoot)]);
        check("a:x:5:5::/:/bin/sh\nb:x:5:5::/:/bin/sh\n", "", &[("b", AccountFault::SharedId { other: "a".to_owned(), id: 5 })]);
        check("nonsense\n::::::\n+::::::\n", "x", &[]);
    }
}
