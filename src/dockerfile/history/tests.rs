//! Histories in every builder's words, and what is said of them.

use super::*;
use crate::{
    dockerfile::rules::RULES,
    model::image::{HistoryEntry, fixture::image_of},
};

/// The findings, each as `rule place`.
fn told(image: &ResolvedImage) -> Vec<String> {
    let place = |location: &Location| match location {
        Location::History { index, .. } => index.to_string(),
        Location::Config => "config".to_owned(),
        other => format!("{other:?}"),
    };
    let report = lint_history(image, &LintSettings::DEFAULT);
    report.findings.iter().map(|finding| format!("{} {}", finding.id, finding.locations.iter().map(place).collect::<String>())).collect()
}

fn of_entry(created_by: &str) -> Vec<String> {
    told(&image_of(&[(created_by, false, "")]))
}

fn of_config(change: impl Fn(&mut crate::model::image::ImageConfig)) -> Vec<String> {
    let mut image = image_of(&[]);
    change(&mut image.config);
    told(&image)
}

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|&word| word.to_owned()).collect()
}

#[test]
fn every_shape_of_an_entry_is_judged() {
    let fires: &[&str] = &[
        "/bin/sh -c curl -k https://x.dev",
        "RUN /bin/sh -c curl -k https://x.dev # buildkit",
        "RUN |2 A=1 B=x y /bin/sh -c curl -k https://x.dev # buildkit",
        "|1 A=1 /bin/sh -c curl -k https://x.dev",
        "|1 OPTIONS=-k /bin/sh -c curl $OPTIONS https://x.dev",
        "|1 A=1 curl -k https://x.dev",
        "/bin/bash -o pipefail -c true && curl -k https://x.dev",
        "/bin/sh -c curl -k https://x.dev|inheritLabels=false",
        "RUN curl -k https://x.dev",
        "RUN --mount=type=cache,target=/c curl -k https://x.dev",
        "RUN [\"curl\", \"-k\", \"https://x.dev\"]",
        "RUN /bin/sh -c echo one\ncurl -k https://x.dev\n # buildkit",
        "RUN /bin/sh -c cat <<EOF > /x && sh /x\ncurl -k https://x.dev\nEOF # buildkit",
        "RUN /bin/sh -c true \\\n && curl -k https://x.dev # buildkit",
        "RUN /bin/sh -c : END_ \nEND_\ncurl -k https://x.dev # buildkit",
        "RUN /bin/sh -c # a comment\ncurl -k https://x.dev # buildkit",
    ];
    for created_by in fires {
        assert_eq!(of_entry(created_by), ["curl-insecure 0"], "{created_by}");
    }
    let silent: &[&str] = &[
        "/bin/sh -c #(nop) ADD file:0b6e1d9cd9b1f2a5e1a4c2b0 in / ",
        "ADD file:0b6e1d9cd9b1f2a5e1a4c2b0 in /",
        "COPY dir:0b6e in /srv",
        "/bin/sh -c #(nop)  CMD [\"curl\" \"-k\" \"https://x.dev\"]",
        "/bin/sh -c #(nop)  USER root",
        "MAINTAINER curl -k",
        "COPY <<EOF /x # buildkit",
        "COPY a C:\\ # buildkit",
        "ADD https://x.dev/a.tar.gz /a/ # buildkit",
        "RUN /bin/sh -c apt-get install --no-install-recommends curl # buildkit",
        "bazel build ...",
        "Imported from -",
        "",
        "RUN",
    ];
    for created_by in silent {
        assert_eq!(of_entry(created_by), [""; 0], "{created_by}");
    }
}

#[test]
fn variables_of_the_history_reach_the_commands_behind_them() {
    let history = [
        ("/bin/sh -c #(nop)  ENV OPTIONS=-k --silent OTHER=1", true, ""),
        ("/bin/sh -c curl $OPTIONS https://x.dev", false, ""),
        ("SHELL [/usr/bin/fish -c]", true, ""),
        ("RUN /usr/bin/fish -c curl -k https://x.dev # buildkit", false, ""),
    ];
    let mut image = image_of(&history);
    image.config.env = words(&["OPTIONS=-k --silent", "OTHER=1"]);
    assert_eq!(told(&image), ["curl-insecure 1"]);
    let gaps = lint_history(&image, &LintSettings::DEFAULT).gaps;
    assert!(
        matches!(gaps.as_slice(), [gap] if gap.kind == "unread-history" && gap.subject == "history/3" && gap.reason.contains("fish")),
        "{gaps:?}"
    );
}

#[test]
fn the_configuration_beats_the_history() {
    let mut image = image_of(&[
        ("ENV NODE_TLS_REJECT_UNAUTHORIZED=0", true, ""),
        ("VOLUME [/var/run/docker.sock]", true, ""),
        ("WORKDIR /proc/x", false, ""),
        ("USER app", true, ""),
        ("HEALTHCHECK &{[\"CMD-SHELL\" \"curl -k https://x.dev\"]}", true, ""),
    ]);
    assert_eq!(told(&image), [""; 0]);
    image.config.env = words(&["NODE_TLS_REJECT_UNAUTHORIZED=0"]);
    image.config.volumes = words(&["/var/run/docker.sock"]);
    image.config.working_dir = "/proc/x".to_owned();
    image.config.user = "app".to_owned();
    image.config.healthcheck = words(&["CMD-SHELL", "curl -k https://x.dev"]);
    let expected = [
        "curl-insecure config",
        "docker-socket-volume config",
        "named-user config",
        "node-tls-verify-disabled config",
        "shell-form-cmd config",
        "system-directory-workdir config",
    ];
    assert_eq!(told(&image), expected);
}

#[test]
fn what_a_container_starts_with_is_judged() {
    let shell = ["/bin/sh", "-c", "exec curl -k https://x.dev"];
    assert_eq!(of_config(|config| config.cmd = words(&shell)), ["curl-insecure config", "shell-form-cmd config"]);
    assert_eq!(of_config(|config| config.entrypoint = words(&["curl", "-k", "https://x.dev"])), ["curl-insecure config"]);
    assert_eq!(of_config(|config| config.cmd = words(&["bash", "-c", "a\ncurl -k https://x.dev"])), ["curl-insecure config"]);
    assert_eq!(of_config(|config| config.cmd = words(&["sh", "-c", "a\\"])), [""; 0]);
    assert_eq!(of_config(|config| config.healthcheck = words(&["CMD", "curl", "-k", "https://x.dev"])), ["curl-insecure config"]);
    assert_eq!(of_config(|config| config.healthcheck = words(&["NONE"])), [""; 0]);
    assert_eq!(
        of_config(|config| config.on_build = words(&["RUN curl -k https://x.dev", "USER root"])),
        ["curl-insecure config", "named-user config", "root-user config"]
    );
    // Who the container starts as is told by those who read the configuration.
    assert_eq!(of_config(|config| config.user = "0:0".to_owned()), [""; 0]);
    assert_eq!(of_config(|config| config.user = "10001".to_owned()), [""; 0]);
    assert_eq!(of_config(|config| config.env = words(&["A=x\\", "B=\"$(x)", "=", "C", "D=a\nUSER root"])), [""; 0]);
}

#[test]
fn findings_name_the_layer_and_its_side() {
    let mut image =
        image_of(&[("ADD a /", false, ""), ("ENV A=1", true, ""), ("RUN /bin/sh -c curl -k https://x.dev # buildkit", false, "")]);
    let finding = |image: &ResolvedImage| lint_history(image, &LintSettings::DEFAULT).findings.remove(0);
    let layer = Some(image.layers[1].descriptor.digest.clone());
    assert_eq!(finding(&image).locations, [Location::History { index: 2, layer }]);
    assert!(finding(&image).title.ends_with("(from image history)"), "{:?}", finding(&image).title);
    image.config.history[2].side = Some(Side::Base);
    assert!(finding(&image).title.ends_with("(from image history, the base image's)"));
    // Where history and layers do not align, no layer is named, and no other one instead.
    for layer in &mut image.layers {
        layer.history = None;
    }
    assert_eq!(finding(&image).locations, [Location::History { index: 2, layer: None }]);
}

#[test]
fn no_title_shows_a_secret() {
    let image = image_of(&[("RUN |1 API_TOKEN=kz7Rw4qvT /bin/sh -c curl -k -H kz7Rw4qvT https://kz7Rw4qvT.dev # buildkit", false, "")]);
    let findings = lint_history(&image, &LintSettings::DEFAULT).findings;
    assert!(!findings.is_empty() && !format!("{findings:?}").contains("kz7Rw4qvT"), "{findings:?}");
}

#[test]
fn the_list_of_rules_is_sorted_and_says_why() {
    assert!(LEFT_OUT.windows(2).all(|pair| pair[0].0 < pair[1].0) && OF_RUNNING.is_sorted());
    assert!(LEFT_OUT.iter().all(|(_, why)| !why.is_empty()));
    let judged = |id: &str| RULES.iter().any(|rule| rule.meta().id == id && applies(rule.meta()));
    for id in ["curl-insecure", "setuid-bit-added", "shell-form-cmd", "large-uid-log", "root-user"] {
        assert!(judged(id), "{id}");
    }
    for id in ["missing-user", "secret-in-env", "untagged-image", "instruction-casing", "legacy-key-value", "apt-lists-left", "parse-error"]
    {
        assert!(!judged(id), "{id}");
    }
}

#[test]
fn hostile_histories_are_bounded() {
    let entry = |text: String| HistoryEntry { created_by: text, ..HistoryEntry::default() };
    let report = |history: Vec<HistoryEntry>| {
        let mut image = image_of(&[]);
        image.config.history = history;
        lint_history(&image, &LintSettings::DEFAULT)
    };
    let many = report((0..10_000).map(|at| entry(format!("RUN |1 A={at} /bin/sh -c curl -k https://x.dev/{at} # buildkit"))).collect());
    assert_eq!(many.findings.iter().filter(|finding| finding.id == "curl-insecure").count(), 10_000);
    let long = report(vec![entry(format!("RUN /bin/sh -c {}curl -k https://x.dev", "true; ".repeat(1_400_000)))]);
    assert!(matches!(long.gaps.as_slice(), [gap] if gap.kind == "too-large" || gap.kind == "unread-history"), "{:?}", long.gaps);
    let all = report((0..40).map(|_| entry(format!("RUN /bin/sh -c : {}", "x".repeat(400_000)))).collect());
    assert!(all.gaps.iter().any(|gap| gap.kind == "too-large"), "{:?}", all.gaps);
    let deep = report(vec![entry(format!("RUN /bin/sh -c {}", "$(".repeat(100_000)))]);
    assert!(deep.gaps.iter().any(|gap| gap.kind == "unread-history"), "{:?}", deep.gaps);
    let foreign = report((0..100).map(|_| entry("powershell -Command dir".to_owned())).collect());
    assert_eq!(foreign.gaps.len(), EACH + 1);
}

/// What is found in real Dockerfiles is found in the histories that BuildKit would write of them.
#[test]
fn histories_of_real_files_say_what_the_files_say() {
    use crate::dockerfile::corpus::tests::{corpus, dev_files};
    let Some(folder) = corpus() else { return };
    let (mut same, mut differences) = (0, Vec::new());
    for (file, bytes) in dev_files(&folder) {
        let (dockerfile, _) = read(&LintInput::new(&file, &bytes));
        if dockerfile.graph.stages.len() != 1 {
            continue;
        }
        let mut history: Vec<(String, bool, &str)> = Vec::new();
        let mut lines: BTreeMap<u32, usize> = BTreeMap::new();
        let mut shell = "/bin/sh -c".to_owned();
        let mut arguments: Vec<String> = Vec::new();
        for (index, instruction) in dockerfile.instructions.iter().enumerate() {
            let values = dockerfile.graph.values.get(index).map_or(&[][..], Vec::as_slice);
            let pairs = instruction.pairs();
            let set = pairs.iter().zip(values).filter(|(_, value)| value.is_decided());
            let set: Vec<String> = set.map(|(pair, value)| format!("{}={}", pair.name, value.text)).collect();
            match instruction.keyword.as_str() {
                "SHELL" => shell = instruction.args.iter().map(|word| word.text.as_str()).collect::<Vec<_>>().join(" "),
                "ARG" if instruction.stage.is_some() => arguments.extend(set),
                "ENV" if !set.is_empty() => history.push((format!("ENV {} # buildkit", set.join(" ")), true, "buildkit.dockerfile.v0")),
                "RUN" if instruction.heredocs.is_empty() && !instruction.json => {
                    let front = if arguments.is_empty() { String::new() } else { format!("|{} {} ", arguments.len(), arguments.join(" ")) };
                    lines.insert(instruction.line, history.len());
                    history.push((format!("RUN {front}{shell} {} # buildkit", instruction.rest), false, "buildkit.dockerfile.v0"));
                }
                _ => {}
            }
        }
        let entries: Vec<(&str, bool, &str)> =
            history.iter().map(|(text, is_empty, comment)| (text.as_str(), *is_empty, *comment)).collect();
        let judged = |finding: &Finding| match finding.kind {
            FindingKind::Rule(meta) => meta.group == Group::Security && meta.needs.contains(&Need::Shell) && applies(meta),
            _ => false,
        };
        let of_file: BTreeSet<(usize, String)> = rules_on(&LintSettings::DEFAULT)
            .flat_map(|rule| rule.check(&dockerfile))
            .filter(|finding| judged(finding))
            .filter_map(|finding| {
                let at = line(&finding)?;
                let run = dockerfile.instructions.iter().rfind(|one| one.line <= at)?;
                Some((*lines.get(&run.line)?, finding.id))
            })
            .collect();
        let found = lint_history(&image_of(&entries), &LintSettings::DEFAULT).findings;
        let of_history: BTreeSet<(usize, String)> = found
            .into_iter()
            .filter(|finding| judged(finding))
            .filter_map(|finding| match finding.locations.first() {
                Some(Location::History { index, .. }) if lines.values().any(|at| at == index) => Some((*index, finding.id)),
                _ => None,
            })
            .collect();
        same += of_file.intersection(&of_history).count();
        differences.extend(of_file.symmetric_difference(&of_history).map(|(index, id)| {
            format!(
                "{file}: {id} {} in {}",
                if of_file.contains(&(*index, id.clone())) { "only in the file" } else { "only in the history" },
                entries[*index].0
            )
        }));
    }
    for difference in &differences {
        eprintln!("{}", difference.chars().take(400).collect::<String>());
    }
    eprintln!("{same} findings are the same, {} are not", differences.len());
    assert!(same > 50 && differences.len() * 50 < same);
}
