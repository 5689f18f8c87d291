//! Strings that images, registries and policy files may hold and that must not act on anything that shows a report.

use super::build;

use plimsoll::model::{
    coverage::{Gap, SourceId},
    finding::FindingPackage,
    location::{Location, Span},
    package::PackageUrl,
    report::ScanReport,
    verdict::{Effect, JudgedGap},
};

/// About 200 strings: hand-written ones, and each hidden character in the middle of a word.
pub(super) fn strings() -> Vec<String> {
    let written = [
        "",
        " ",
        "\n",
        "\r\n::error::pwned",
        "::error file=a,line=1::pwned",
        "::set-output name=a::b",
        "##[error]pwned",
        "a\n::stop-commands::x",
        "%0A::error::x",
        "%25",
        "\u{1b}[31mred\u{1b}[0m",
        "\u{1b}]0;title\u{7}",
        "\u{1b}]8;;http://evil.example\u{7}link\u{1b}]8;;\u{7}",
        "\u{9b}31m",
        "\u{8}\u{8}\u{8}PASS",
        "\rPASS  nothing violates the policy",
        "user\u{202e}nimda",
        "a\u{2066}b\u{2069}c",
        "\u{200b}",
        "\u{feff}x",
        "\u{e0041}\u{e0042}",
        "x\u{2028}y\u{2029}z",
        "\u{0}",
        "a\u{0}b",
        "\u{7f}",
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "</failure></testcase>",
        "]]>",
        "<![CDATA[",
        "&lt;",
        "&#0;",
        "\"><x y=\"",
        "' or '1'='1",
        "<!--",
        "-->",
        "[click](http://evil.example)",
        "![x](http://evil.example/x.png)",
        "[a]: http://evil.example",
        "`code`",
        "```\nfence\n```",
        "| a | b |",
        "a|b",
        "**bold**",
        "_em_",
        "~~x~~",
        "# head",
        "@everyone",
        "@octocat",
        "#1",
        "acme/app#1",
        "http://evil.example",
        "https://evil.example/?a=b&c=d",
        "www.evil.example",
        "mailto:a@b.example",
        "$x^2$",
        "<details>",
        "</details>",
        "{0}",
        "{1}",
        "{{0}}",
        "{",
        "}",
        "%s%n",
        "${jndi:ldap://evil.example}",
        "${{ github.token }}",
        "$(id)",
        "`id`",
        "; rm -rf /",
        "\\",
        "\\\\",
        "\\u{202e}",
        "\\u202e",
        "\"",
        "'",
        "../../etc/passwd",
        "/etc/passwd",
        "..",
        ".",
        "//",
        "a/../b",
        "C:\\Windows",
        "file:///etc/passwd",
        "data:text/html,x",
        "javascript:alert(1)",
        "a b/c d",
        "a?b#c",
        "a%2e%2e/b",
        "builtin:x",
        "é",
        "漢字",
        "🙂",
        "👩‍👩‍👧",
        "ﷺ",
        "Z\u{300}\u{301}\u{302}",
        "\u{fffd}",
        "\u{fffe}",
        "\u{ffff}",
        "\u{10ffff}",
        "İ",
        "ß",
        "\t",
        "a\tb",
        "null",
        "true",
        "NaN",
        "1e999",
        "-0",
        "CON",
        "pkg:npm/a@1",
        "pkg:",
        "sha256:",
        "CVE-2026-1",
        "a,b",
        "a:b",
        "a=b",
        "a;b",
        "a&b",
        "<",
        ">",
        "&",
        "*",
        "-",
        "--",
        "---",
        "- [ ] x",
        "1. x",
        "> x",
        "    x",
        "x  ",
    ];
    let mut all: Vec<String> = written.iter().map(|&text| text.to_owned()).collect();
    let hidden =
        (0x00..=0x1f).chain(0x7f..=0x9f).chain(0x200b..=0x200f).chain(0x2028..=0x202e).chain(0x2060..=0x2064).chain(0x2066..=0x2069);
    all.extend(hidden.filter_map(char::from_u32).map(|character| format!("a{character}b")));
    all.push("long ".repeat(2_000));
    all.push("x".repeat(10_000));
    all
}

/// Whether a character may not stand in any report as itself.
pub(super) fn is_hidden(character: char) -> bool {
    (character.is_control() && character != '\n')
        || matches!(character, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}' | '\u{e0000}'..='\u{e007f}')
}

/// A report that holds `text` wherever a text can stand.
pub(super) fn report(text: &str) -> ScanReport {
    let mut report = build::fail();
    let put = |field: &mut String| text.clone_into(field);
    put(&mut report.policy.name);
    report.policy.files.push((text.to_owned(), build::digest("file")));
    if let Some(image) = &mut report.image {
        put(&mut image.config.user);
        image.config.labels.insert(text.to_owned(), text.to_owned());
        image.config.env.push(text.to_owned());
        for entry in &mut image.config.history {
            put(&mut entry.created_by);
        }
    }
    for state in &mut report.sources {
        state.details.insert(text.to_owned(), text.to_owned());
    }
    let span = || Span { file: text.into(), line: 3, column: Some(2), end_line: 3, end_column: Some(2) };
    for (at, judged) in report.verdict.findings.iter_mut().enumerate() {
        let finding = &mut judged.finding;
        put(&mut finding.title);
        finding.aliases.insert(text.to_owned());
        finding.notes.push(text.to_owned());
        finding.fixed = vec![text.to_owned()];
        judged.decision.reason = text.into();
        judged.decision.clause = Some(text.into());
        if finding.package.is_some() {
            put(&mut finding.id);
            let purl = PackageUrl::parse(&format!("pkg:generic/{text}"));
            finding.package = Some(Box::new(FindingPackage {
                kind: None,
                name: text.to_owned(),
                version: text.to_owned(),
                purl: purl.filter(|_| at % 2 == 0),
            }));
        }
        for evidence in &mut finding.evidence {
            evidence.link = Some(text.to_owned());
            evidence.package = Some(text.to_owned());
            evidence.attributes.insert(text.to_owned(), text.to_owned());
        }
        for rating in &mut finding.ratings {
            rating.word = Some(text.to_owned());
        }
        finding.locations = match at % 3 {
            0 => vec![build::layer_location(0, text)],
            1 => vec![Location::Dockerfile(span()), build::layer_location(1, text)],
            _ => finding.locations.clone(),
        };
        if judged.decision.exception.is_some() {
            judged.decision.exception = Some(Box::new(span()));
        }
    }
    for requirement in &mut report.verdict.requirements {
        put(&mut requirement.id);
        put(&mut requirement.asks);
        put(&mut requirement.detail);
    }
    let gap = Gap::new(SourceId::Image, "limit", text, text).with_hint(text);
    report.verdict.gaps.push(JudgedGap { gap, decision: build::decision(Effect::Violation, Some(text), text) });
    for exception in &mut report.verdict.exceptions {
        put(&mut exception.id);
        exception.location = span();
    }
    for summary in &mut report.dockerfiles {
        summary.final_from = Some(text.to_owned());
        summary.instructions.insert(3, text.to_owned());
        summary.file = text.to_owned();
    }
    if let Some(inventory) = &mut report.inventory {
        for package in &mut inventory.packages {
            put(&mut package.name);
            put(&mut package.version);
            package.licences.push(text.to_owned());
            package.vendor = Some(text.to_owned());
            package.owner = Some(text.to_owned());
            package.modularity = Some(text.to_owned());
            package.purl = PackageUrl::parse(&format!("pkg:generic/{text}")).unwrap_or_else(|| package.purl.clone());
            package.locations.push(build::layer_location(1, text));
            package.locations.push(Location::Dockerfile(span()));
        }
        if let Some(distro) = &mut inventory.distro {
            put(&mut distro.id);
            distro.version_id = Some(text.to_owned());
            distro.pretty_name = Some(text.to_owned());
        }
    }
    report
}
