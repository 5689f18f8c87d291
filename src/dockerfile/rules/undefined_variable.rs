//! `undefined-variable`: an instruction uses a variable nothing in the chain defines.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::{
    finding::Finding,
    rule::{Group, Need, RuleMeta},
    severity::Severity,
};

use crate::dockerfile::{
    expand::Quotes,
    instruction::Instruction,
    rule::{Dockerfile, Rule},
    source::slice,
    stages::Base,
    variable_names::{COMPARISONS, nearest, used},
};

const META: RuleMeta = RuleMeta {
    id: "undefined-variable",
    group: Group::Correctness,
    severity: Severity::Low,
    default_on: true,
    aliases: &["UndefinedVar"],
    also: &[],
    needs: &[Need::Ast, Need::Stages, Need::Network],
    fix: None,
    summary: "An instruction uses a variable nothing in the chain defines.",
    help: r#"The builder puts nothing in the place of a variable that nobody set, and says nothing: a path loses a part, a user becomes root. Declare it by ARG or ENV in this stage; an ARG before the first FROM must be repeated in the stage. Where the base image is not known, only names that look like a slip of the pen for a declared one are reported, since the image may set the others.

Fails:

```dockerfile
FROM scratch
ARG VERSION=1
COPY app-$VERSOIN /app
```

Clean:

```dockerfile
FROM scratch
ARG VERSION=1
COPY app-$VERSION /app
```
"#,
};

/// An instruction uses a variable nothing in the chain defines.
pub(super) struct UndefinedVariable;

impl Rule for UndefinedVariable {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, dockerfile: &Dockerfile<'_>) -> Vec<Finding> {
        let stages = &dockerfile.graph.stages;
        let mut children = vec![Vec::new(); stages.len()];
        let mut open = Vec::new();
        for (at, stage) in stages.iter().enumerate().rev() {
            match stage.base {
                Base::Stage(below) => children.get_mut(below).into_iter().for_each(|list: &mut Vec<usize>| list.push(at)),
                Base::Scratch => open.push(Step::Enter(at, Foot::Known)),
                Base::Image(ref value) => {
                    let base = dockerfile.bases.get(&value.text).filter(|_| value.is_decided());
                    open.push(Step::Enter(at, base.map_or(Foot::Unknown, |_| Foot::Known)));
                }
            }
        }
        let global = dockerfile.instructions.iter().filter(|instruction| instruction.stage.is_none() && instruction.keyword == "ARG");
        let mut walk = Walk {
            dockerfile,
            global: global.flat_map(|instruction| instruction.pairs()).map(|pair| pair.name).collect(),
            defined: BTreeMap::new(),
            order: Vec::new(),
            left: COMPARISONS,
            findings: Vec::new(),
        };
        while let Some(step) = open.pop() {
            match step {
                Step::Leave(length) => walk.forget(length),
                Step::Enter(at, foot) => {
                    open.push(Step::Leave(walk.order.len()));
                    walk.stage(at, foot);
                    open.extend(children.get(at).into_iter().flatten().map(|child| Step::Enter(*child, foot)));
                }
            }
        }
        walk.findings
    }
}

/// What is known of the variables that a chain of stages starts with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Foot {
    /// All of them.
    Known,
    /// The base image may set any.
    Unknown,
}

/// A step through the tree of stages.
#[derive(Debug)]
enum Step {
    Enter(usize, Foot),
    /// A stage and all that stand on it are done; so many names were there before.
    Leave(usize),
}

/// Goes through the stages, each with the names that those below it set.
struct Walk<'a> {
    dockerfile: &'a Dockerfile<'a>,
    /// The arguments before the first FROM.
    global: BTreeSet<&'a str>,
    /// Names that are set here, and how often.
    defined: BTreeMap<&'a str, usize>,
    order: Vec<&'a str>,
    left: usize,
    findings: Vec<Finding>,
}

impl<'a> Walk<'a> {
    fn define(&mut self, name: &'a str) {
        *self.defined.entry(name).or_default() += 1;
        self.order.push(name);
    }

    fn forget(&mut self, length: usize) {
        for name in self.order.split_off(length) {
            if let Some(count) = self.defined.get_mut(name) {
                *count -= 1;
                if *count == 0 {
                    self.defined.remove(name);
                }
            }
        }
    }

    fn stage(&mut self, at: usize, foot: Foot) {
        let dockerfile = self.dockerfile;
        let Some(stage) = dockerfile.graph.stages.get(at) else { return };
        if let Base::Image(value) = &stage.base
            && let Some(base) = dockerfile.bases.get(&value.text)
        {
            base.env.iter().for_each(|(name, _)| self.define(name));
        }
        for index in stage.instructions.clone().skip(1) {
            let Some(instruction) = dockerfile.instructions.get(index) else { continue };
            self.instruction(instruction, foot);
            if matches!(instruction.keyword.as_str(), "ARG" | "ENV") {
                for (at, pair) in instruction.pairs().iter().enumerate() {
                    self.define(dockerfile.graph.name(index, at, pair.name));
                }
            }
        }
    }

    fn instruction(&mut self, instruction: &'a Instruction, foot: Foot) {
        let mut names: Vec<&str> = Vec::new();
        for (text, quotes) in texts(self.dockerfile, instruction) {
            if text.contains('$') {
                names.extend(used(text, self.dockerfile.directives.escape, quotes));
            }
        }
        names.retain(|name| !self.defined.contains_key(name) && !is_always_set(name));
        names.sort_unstable();
        names.dedup();
        match foot {
            Foot::Known => {
                let [name, rest @ ..] = names.as_slice() else { return };
                let more = match rest {
                    [] => String::new(),
                    [other] => format!(" and `${other}`"),
                    [other, rest @ ..] => format!(", `${other}` and {} more", rest.len()),
                };
                let hint = if self.global.contains(name) {
                    format!(": the ARG before the first FROM counts here only if the stage has an `ARG {name}`, too")
                } else if PLATFORM.contains(name) {
                    format!(": the builder gives it to a stage that has an `ARG {name}`")
                } else {
                    let near = nearest(name, self.defined.keys().copied(), &mut self.left);
                    near.map_or_else(String::new, |near| format!(": perhaps `${near}` is meant"))
                };
                let title = format!("nothing sets `${name}`{more}{hint}");
                self.findings.push(self.dockerfile.finding(&META, META.severity, instruction, title));
            }
            Foot::Unknown => {
                let slip = names.iter().find_map(|name| Some((*name, self.slip(name)?)));
                if let Some((name, near)) = slip {
                    let title = format!("nothing here sets `${name}`: perhaps `${near}` is meant");
                    self.findings.push(self.dockerfile.finding(&META, META.severity, instruction, title));
                }
            }
        }
    }

    /// A declared name that somebody meant who wrote this one, as far as one can tell without the base image.
    fn slip(&mut self, name: &str) -> Option<&'a str> {
        const SHORTEST: usize = 5;
        if name.len() < SHORTEST || self.global.contains(name) || PLATFORM.contains(&name) || OF_IMAGES.contains(&name) {
            return None;
        }
        let letters = |text: &str| text.chars().filter(|c| c.is_ascii_alphabetic()).collect::<String>();
        let near = nearest(name, self.defined.keys().copied(), &mut self.left)?;
        // Two versions of one thing are no slip, nor are a name and its plural in a long file.
        (near.len() >= SHORTEST && !OF_IMAGES.contains(&near) && letters(near) != letters(name)).then_some(near)
    }
}

/// Arguments that the builder gives to a stage that declares them.
const PLATFORM: &[&str] =
    &["BUILDARCH", "BUILDOS", "BUILDPLATFORM", "BUILDVARIANT", "TARGETARCH", "TARGETOS", "TARGETPLATFORM", "TARGETSTAGE", "TARGETVARIANT"];
/// Variables that many images set.
const OF_IMAGES: &[&str] = &[
    "CARGO_HOME",
    "CFLAGS",
    "CONDA_DIR",
    "CPPFLAGS",
    "CXXFLAGS",
    "GEM_HOME",
    "GOPATH",
    "GOROOT",
    "JAVA_HOME",
    "JRE_HOME",
    "LDFLAGS",
    "LD_LIBRARY_PATH",
    "LIBRARY_PATH",
    "NODE_PATH",
    "PKG_CONFIG_PATH",
    "PYTHONHOME",
    "PYTHONPATH",
    "RUBYLIB",
    "RUSTUP_HOME",
];

/// PATH, which the builder sets where the image does not, and what it hands from the client.
fn is_always_set(name: &str) -> bool {
    name == "PATH"
        || ["http_proxy", "https_proxy", "ftp_proxy", "no_proxy", "all_proxy"].iter().any(|proxy| proxy.eq_ignore_ascii_case(name))
}

/// The texts of an instruction that the builder expands and whose variables it reports.
fn texts<'a>(dockerfile: &'a Dockerfile<'_>, instruction: &'a Instruction) -> Vec<(&'a str, Quotes)> {
    let plain = |text: &'a str| (text, Quotes::Remove);
    match instruction.keyword.as_str() {
        "ARG" | "ENV" | "LABEL" => {
            instruction.pairs().into_iter().flat_map(|pair| [Some(pair.name), pair.value]).flatten().map(plain).collect()
        }
        "STOPSIGNAL" | "USER" | "VOLUME" | "WORKDIR" => instruction.args.iter().map(|argument| plain(&argument.text)).collect(),
        "ADD" | "COPY" => {
            let bodies = instruction.heredocs.iter().filter(|heredoc| heredoc.expand);
            let bodies = bodies.map(|heredoc| (slice(&dockerfile.source.text, heredoc.body.clone()), Quotes::Keep));
            let flags = ["chown", "chmod", "checksum"].into_iter().filter_map(|flag| instruction.flag(flag));
            instruction.args.iter().map(|argument| argument.text.as_str()).chain(flags).map(plain).chain(bodies).collect()
        }
        "RUN" => instruction.flag_values("mount").map(plain).collect(),
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use crate::{
        dockerfile::{LintInput, read, rule::Rule},
        model::lint::BaseImage,
    };

    #[test]
    fn what_the_base_sets_is_set() {
        let env = vec![("NODE_VERSION".to_owned(), "22".to_owned())];
        let bases = BTreeMap::from([("node:22".to_owned(), BaseImage { env, ..BaseImage::default() })]);
        let text =
            "ARG TAG=22\nFROM node:$TAG\nENV A=$NODE_VERSION\nENV B=$NODE_VERSOIN\nWORKDIR /$TAG\nFROM node:20\nENV A=$NODE_VERSION\n";
        let (dockerfile, _) = read(&LintInput { bases: &bases, ..LintInput::new("Dockerfile", text.as_bytes()) });
        let titles: Vec<String> = super::UndefinedVariable.check(&dockerfile).into_iter().map(|finding| finding.title).collect();
        assert_eq!(
            titles,
            [
                "nothing sets `$NODE_VERSOIN`: perhaps `$NODE_VERSION` is meant",
                "nothing sets `$TAG`: the ARG before the first FROM counts here only if the stage has an `ARG TAG`, too",
            ]
        );
    }
}
