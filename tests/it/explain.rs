//! `plimsoll explain` of rules: for people, for programs, and as the page of all rules that stands in the repository.

use std::fs;

use crate::program::{plimsoll, root};

#[test]
fn the_page_of_rules_is_what_the_program_prints() {
    let run = plimsoll(&["explain", "--format", "markdown"]).expect(0);
    let page = fs::read_to_string(root().join(".github/RULES.md")).unwrap_or_default();
    assert!(page == run.stdout, "`.github/RULES.md` is out of date; rewrite it: cargo run -- explain --format markdown > .github/RULES.md");
}

#[test]
fn rules_are_printed_for_programs() {
    let run = plimsoll(&["explain", "--format", "json"]).expect(0);
    let rules: Vec<serde_json::Value> = serde_json::from_str(&run.stdout).expect("a JSON array");
    let ids: Vec<_> = rules.iter().filter_map(|rule| rule["id"].as_str()).collect();
    assert!(ids.len() > 100 && ids.is_sorted_by(|a, b| a < b), "{ids:?}");
    for rule in &rules {
        for key in ["id", "group", "severity", "summary", "help"] {
            assert!(rule[key].as_str().is_some_and(|text| !text.is_empty()), "{key} of {rule}");
        }
        assert!(matches!(rule["default"].as_str(), Some("on" | "off")), "{rule}");
        assert!(["aliases", "also", "needs"].iter().all(|key| rule[*key].is_array()), "{rule}");
        assert!(rule["fix"].is_null() || matches!(rule["fix"].as_str(), Some("safe" | "unsafe" | "network")), "{rule}");
        // What one tool calls a rule leads to it, whatever the spelling.
        for alias in rule["aliases"].as_array().into_iter().flatten().filter_map(|alias| alias.as_str()) {
            assert!(!alias.trim().is_empty(), "{rule}");
        }
    }
    let one = plimsoll(&["explain", "DL3002", "--format", "json"]).expect(0);
    let one: Vec<serde_json::Value> = serde_json::from_str(&one.stdout).expect("a JSON array");
    assert_eq!(one.iter().filter_map(|rule| rule["id"].as_str()).collect::<Vec<_>>(), ["root-user"]);
    plimsoll(&["explain", "no-such-rule", "--format", "json"]).expect(2).complains("no rule is called `no-such-rule`");
}

#[test]
fn one_rule_or_code_is_a_page_of_its_own() {
    let page = plimsoll(&["explain", "DL3002", "--format", "markdown"]).expect(0).stdout;
    assert!(page.starts_with("# root-user\n\n") && page.contains("\n- severity: high\n") && page.contains("```dockerfile\n"), "{page}");
    assert_eq!(page.matches("\n#").count() + 1, 1 + page.matches("\n# syntax").count(), "one heading, and no table of groups: {page}");
    let page = plimsoll(&["explain", "rule-unjudged", "--format", "markdown"]).expect(0).stdout;
    assert!(page.starts_with("# rule-unjudged\n\nThe policy names a rule"), "{page}");
    plimsoll(&["explain", "no-such-rule", "--format", "markdown"])
        .expect(2)
        .complains("no rule, code or kind of gap is called `no-such-rule`");
}

#[test]
fn a_rule_is_known_by_every_name_that_tools_give_it() {
    for name in [
        "DS-0029",
        "ds-0029",
        "DS029",
        "ds29",
        "AVD-DS-0029",
        "avd-ds-0029",
        "DL3015",
        "dl3015",
        "missing-no-install-recommends",
        "7384dfb2",
    ] {
        plimsoll(&["explain", name])
            .expect(0)
            .says("apt-recommends  (size, low)")
            .says("default: on")
            .says("needs: ast, shell")
            .says("fix: unsafe")
            .says("also known as: 7384dfb2, AVD-DS-0029, DL3015");
    }
}
