//! A Dockerfile and an image's history in, the instruction that made each layer out. History is compared from its end: the last instruction of the
//! final stage wrote the last entry, and what is left when all instructions have found theirs is the base image's. Never a guess: what does not fit
//! is said to be unknown, and why.

use std::collections::BTreeSet;

use crate::model::{
    image::{Layer, ResolvedImage},
    location::Span,
    mask::masked,
    origin::{Origin, Side},
};

use super::{
    LintInput, MAX_BYTES,
    alignment::{Alignment, align, is_other_run, steps},
    created_by::{Builder, Entry, Step},
    read,
    rule::Dockerfile,
    stages::Base,
};

/// How many instructions and history entries are compared to find other stages that fit: more than any build has.
pub(super) const COMPARED: usize = 50_000;

/// Where each layer of `image` comes from, in the order of its layers, if it was built from this Dockerfile.
#[must_use]
pub fn origins(input: &LintInput<'_>, image: &ResolvedImage) -> Vec<Origin> {
    let bytes = input.bytes.get(..MAX_BYTES).unwrap_or(input.bytes);
    let (dockerfile, _) = read(&LintInput { bytes, ..*input });
    let unknown = |why: &str| image.layers.iter().map(|_| Origin::unknown(why)).collect();
    let Some(last) = dockerfile.graph.final_stage else { return unknown("the Dockerfile has no stage") };
    if input.target.is_some_and(|target| !has_stage(&dockerfile, target)) {
        return unknown("the Dockerfile has no stage of the name that was given");
    }
    let makers = image.config.history.iter().filter(|entry| !entry.empty_layer).count();
    if image.layers.iter().any(|layer| layer.history.is_none()) {
        return unknown(&format!(
            "the history tells of {makers} layers and the image has {}: it was squashed or rewritten",
            image.layers.len()
        ));
    }
    let entries: Vec<Entry> = image.config.history.iter().map(Entry::of).collect();
    let mut traced = trace(&dockerfile, last, image, &entries);
    if input.target.is_none() && traced.fits {
        doubt_between_stages(&dockerfile, last, &mut traced, image, &entries);
    }
    traced.origins
}

/// What a stage says of an image, if the image was built from it.
struct Traced {
    origins: Vec<Origin>,
    /// How many instructions that make a layer were found again.
    found: usize,
    /// Whether all of them were.
    fits: bool,
}

fn trace(dockerfile: &Dockerfile<'_>, last: usize, image: &ResolvedImage, entries: &[Entry]) -> Traced {
    let steps = steps(dockerfile, last);
    let alignment = align(dockerfile, &steps, entries, last);
    let attribution = Attribution { dockerfile, steps: &steps, entries, alignment: &alignment, last };
    let mut previous = None;
    let mut origins = Vec::with_capacity(image.layers.len());
    for layer in &image.layers {
        origins.push(attribution.of_layer(layer, previous));
        previous = layer.history;
    }
    let found = alignment.pairs.iter().filter(|(_, step)| attribution.makes_layer(*step)).count();
    Traced { origins, found, fits: alignment.misfit.is_none() }
}

/// When nobody said which stage was built, the last one is only likely: where another one explains the history as well, nothing that the two say
/// differently is certain.
fn doubt_between_stages(dockerfile: &Dockerfile<'_>, last: usize, traced: &mut Traced, image: &ResolvedImage, entries: &[Entry]) {
    let graph = &dockerfile.graph;
    let built: BTreeSet<usize> = graph.chain(last).collect();
    let mut left = COMPARED;
    for stage in (0..graph.stages.len()).filter(|stage| !built.contains(stage)) {
        let chain = graph.chain(stage).filter_map(|at| graph.stages.get(at));
        let cost = chain.map(|stage| stage.instructions.len()).sum::<usize>() + entries.len();
        let Some(rest) = left.checked_sub(cost) else {
            for origin in traced.origins.iter_mut().filter(|origin| origin.doubt.is_none()) {
                origin.doubt = Some("the Dockerfile has more stages than were compared; name the target of the build".to_owned());
            }
            return;
        };
        left = rest;
        let other = trace(dockerfile, stage, image, entries);
        if !other.fits || other.found == 0 || other.found < traced.found {
            continue;
        }
        let name = stage_name(dockerfile, stage);
        for (origin, other) in traced.origins.iter_mut().zip(other.origins) {
            if (origin.side, &origin.span) != (other.side, &other.span) {
                origin.side = origin.side.filter(|side| other.side == Some(*side));
                origin.doubt.get_or_insert_with(|| format!("the stage {name} explains the history as well; name the target of the build"));
            }
        }
    }
}

fn stage_name(dockerfile: &Dockerfile<'_>, stage: usize) -> String {
    let name = dockerfile.graph.stages.get(stage).and_then(|stage| stage.name.as_deref());
    name.map_or_else(|| format!("stage {stage}"), |name| masked(name).into_owned())
}

fn has_stage(dockerfile: &Dockerfile<'_>, target: &str) -> bool {
    let stages = &dockerfile.graph.stages;
    let name = target.to_lowercase();
    stages.iter().any(|stage| stage.name.as_deref() == Some(name.as_str())) || target.parse().is_ok_and(|index: usize| index < stages.len())
}

struct Attribution<'a> {
    dockerfile: &'a Dockerfile<'a>,
    steps: &'a [Step<'a>],
    entries: &'a [Entry],
    alignment: &'a Alignment,
    last: usize,
}

impl Attribution<'_> {
    /// The origin of a layer; `previous` is the entry of the layer below it.
    fn of_layer(&self, layer: &Layer, previous: Option<usize>) -> Origin {
        let Some(at) = layer.history else { return Origin::unknown("no history entry tells of it") };
        if self.alignment.misfit.is_none() && at < self.alignment.left {
            return self.of_base();
        }
        let first = previous.map_or(0, |previous| previous + 1);
        // An entry without a layer of its own may have left its files in this one.
        let pairs = &self.alignment.pairs;
        let bounds = pairs.partition_point(|(entry, _)| *entry < first)..pairs.partition_point(|(entry, _)| *entry <= at);
        let inside = pairs.get(bounds).unwrap_or_default();
        let own = inside.iter().find(|(entry, _)| *entry == at).map(|(_, step)| *step);
        let Some(entry) = self.entries.get(at) else { return Origin::unknown("no history entry tells of it") };
        if own.is_none() && (!entry.is_merge || inside.is_empty()) {
            return self.misfit();
        }
        let makers: Vec<usize> = inside.iter().map(|(_, step)| *step).filter(|step| self.makes_layer(*step)).collect();
        let is_bottom = previous.is_none() && self.root_is_image();
        if is_bottom {
            let lines = self.lines(&inside.iter().map(|(_, step)| *step).collect::<Vec<_>>());
            return Origin::unknown(format!("the layer holds the base image and what {lines} made: it was squashed"));
        }
        let merges = entry.is_merge || self.may_merge(at, first);
        let step = match (own.filter(|step| self.makes_layer(*step)), makers.as_slice()) {
            (Some(step), _) if !merges => step,
            (_, [step]) => *step,
            (None, []) => match own {
                Some(step) => step,
                None => return self.misfit(),
            },
            (_, several) => {
                let doubt = format!("the builder merged what {} made into one layer", self.lines(several));
                return Origin { side: Some(Side::Own), ..Origin::unknown(doubt) };
            }
        };
        let mut origin = self.of_step(step);
        if let Some(misfit) = self.alignment.misfit {
            let line = self.line(misfit.step);
            origin.doubt =
                Some(format!("the history does not have the instruction of line {line}, so that the image may come from another file"));
        }
        origin
    }

    /// Whether the entries from `first` on may have left their files in the layer of entry `at`.
    fn may_merge(&self, at: usize, first: usize) -> bool {
        let writers = self.entries.iter().skip(self.alignment.left);
        let keeps_apart = |builder| matches!(builder, Builder::BuildKit | Builder::Classic);
        let Some(entry) = self.entries.get(at) else { return true };
        // Docker's own builders never merge; one entry of the build that only they write is enough. buildah says on which image it put a layer.
        if keeps_apart(entry.builder)
            || !entry.names_parent && (self.root_is_image() || writers.clone().any(|entry| keeps_apart(entry.builder)))
        {
            return false;
        }
        self.entries.get(first.max(self.alignment.left)..at).is_some_and(|below| below.iter().any(is_other_run))
    }

    fn makes_layer(&self, step: usize) -> bool {
        self.steps.get(step).is_some_and(Step::makes_layer)
    }

    fn root_is_image(&self) -> bool {
        self.dockerfile.graph.root_image(self.last).is_some()
    }

    /// A layer below all instructions of the file.
    fn of_base(&self) -> Origin {
        let graph = &self.dockerfile.graph;
        let root = graph.chain(self.last).last().and_then(|stage| graph.stages.get(stage));
        let from = root.and_then(|stage| self.dockerfile.instructions.get(stage.from));
        match (root.map(|stage| &stage.base), from) {
            (Some(Base::Image(_)), Some(from)) => {
                // A file of which not one instruction was found again says nothing about this image.
                let is_seen = !self.alignment.pairs.is_empty() || self.steps.is_empty();
                let doubt = (!is_seen).then(|| "no instruction of the file is in the history".to_owned());
                Origin { side: Some(Side::Base), span: Some(self.dockerfile.span(from)), doubt, ..Origin::default() }
            }
            _ => Origin::unknown("the Dockerfile starts from scratch and the history does not"),
        }
    }

    fn of_step(&self, at: usize) -> Origin {
        let Some(step) = self.steps.get(at) else { return self.misfit() };
        Origin {
            side: Some(Side::Own),
            span: Some(self.dockerfile.span(step.outer)),
            stage: (step.stage != self.last).then(|| stage_name(self.dockerfile, step.stage)),
            copied_from: self.copied_from(step),
            doubt: None,
        }
    }

    fn copied_from(&self, step: &Step<'_>) -> Option<String> {
        let from = step.instruction.flag("from").filter(|_| step.instruction.keyword == "COPY")?;
        // A number says nothing to a reader, and a reference may hold a password.
        let number = from.parse::<usize>().ok().filter(|stage| *stage < self.dockerfile.graph.stages.len());
        Some(number.map_or_else(|| masked(from).into_owned(), |stage| stage_name(self.dockerfile, stage)))
    }

    fn misfit(&self) -> Origin {
        Origin::unknown(match self.alignment.misfit {
            Some(misfit) => format!("the history does not have the instruction of line {}", self.line(misfit.step)),
            None => "no instruction of the Dockerfile fits its history entry".to_owned(),
        })
    }

    fn line(&self, step: usize) -> u32 {
        self.steps.get(step).map_or(0, |step| step.outer.line)
    }

    /// `line 3`, or `lines 3, 5 and 9`.
    fn lines(&self, steps: &[usize]) -> String {
        let mut lines: Vec<u32> = steps.iter().map(|step| self.line(*step)).collect();
        lines.sort_unstable();
        lines.dedup();
        let texts: Vec<String> = lines.iter().map(u32::to_string).collect();
        match texts.split_last() {
            None => "the Dockerfile".to_owned(),
            Some((only, [])) => format!("line {only}"),
            Some((last, rest)) => format!("lines {} and {last}", rest.join(", ")),
        }
    }
}

/// The lines that name the base image of the final stage: the first FROM that leaves the file.
#[must_use]
pub fn base_line(input: &LintInput<'_>) -> Option<Span> {
    let bytes = input.bytes.get(..MAX_BYTES).unwrap_or(input.bytes);
    let (dockerfile, _) = read(&LintInput { bytes, ..*input });
    let last = dockerfile.graph.final_stage?;
    let root = dockerfile.graph.chain(last).last()?;
    let from = dockerfile.graph.stages.get(root).filter(|stage| matches!(stage.base, Base::Image(_)))?.from;
    Some(dockerfile.span(dockerfile.instructions.get(from)?))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::model::image::fixture::image_of;

    type History<'a> = &'a [(&'a str, bool, &'a str)];

    /// One word per layer: `b2` the base's by line 2, `o5` own by line 5, `?` in front of what is uncertain, `?` alone for what is unknown;
    /// behind it the stage of the line and where a COPY took it from.
    fn told(text: &str, arguments: &[(&str, &str)], target: Option<&str>, history: History<'_>) -> String {
        let build_args: BTreeMap<String, String> =
            arguments.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let input = LintInput { build_args: &build_args, target, ..LintInput::new("Dockerfile", text.as_bytes()) };
        let word = |origin: &Origin| {
            let mut word = if origin.doubt.is_some() { "?".to_owned() } else { String::new() };
            word.push_str(match origin.side {
                Some(Side::Base) => "b",
                Some(Side::Own) => "o",
                None => "",
            });
            word.push_str(&origin.span.as_ref().map_or_else(String::new, |span| span.line.to_string()));
            word.push_str(&origin.stage.as_ref().map_or_else(String::new, |stage| format!("@{stage}")));
            word.push_str(&origin.copied_from.as_ref().map_or_else(String::new, |stage| format!("<{stage}")));
            word
        };
        origins(&input, &image_of(history)).iter().map(word).collect::<Vec<_>>().join(" ")
    }

    fn check(text: &str, history: History<'_>, expected: &str) {
        assert_eq!(told(text, &[], None, history), expected, "{text}");
    }

    const BK: &str = "buildkit.dockerfile.v0";
    const BASE: (&str, bool, &str) = ("ADD base.tar /", false, "");

    #[test]
    fn buildkit() {
        let file = "ARG V=1\nFROM alpine:3.$V AS base\nENV A=1 B=\"x y\"\nARG X=hello\nRUN echo $X > /x && \\\n    # a comment\n    echo two\nWORKDIR /srv/app\n\
                    RUN <<EOF\necho one\necho two > /two\nEOF\nCOPY <<a.txt <<b.txt /srv/\nhello\na.txt\nbb\nb.txt\nFROM base AS mid\n\
                    RUN [\"/bin/sh\", \"-c\", \"echo exec > /e\"]\nCOPY --chown=1:1 D1 $A/dst/\nSHELL [\"/bin/sh\", \"-ec\"]\nRUN echo shell > /s\nFROM mid\n\
                    COPY --from=base /x /y\nADD D1 /add\nCMD [\"sh\"]\nRUN --mount=type=bind,from=mid,source=/x,target=/mnt/x cat /mnt/x\n\
                    COPY --link --chmod=755 D1 D2 /multi/\nWORKDIR sub\nRUN <<EOF\n#!/bin/sh\necho shebang\nEOF\nRUN cat <<EOF > /z && echo hi\nbody $A\nEOF\n";
        let history: History<'_> = &[
            BASE,
            ("ENV A=1 B=x y", true, BK),
            ("ARG X=hello", true, BK),
            ("RUN |1 X=hello /bin/sh -c echo $X > /x &&     echo two # buildkit", false, BK),
            ("WORKDIR /srv/app", false, BK),
            ("RUN |1 X=hello /bin/sh -c echo one\necho two > /two\n # buildkit", false, BK),
            ("COPY <<a.txt <<b.txt /srv/ # buildkit", false, BK),
            ("RUN |1 X=hello /bin/sh -c echo exec > /e # buildkit", false, BK),
            ("COPY --chown=1:1 D1 1/dst/ # buildkit", false, BK),
            ("SHELL [/bin/sh -ec]", true, BK),
            ("RUN |1 X=hello /bin/sh -ec echo shell > /s # buildkit", false, BK),
            ("COPY /x /y # buildkit", false, BK),
            ("ADD D1 /add # buildkit", false, BK),
            ("CMD [\"sh\"]", true, BK),
            ("RUN |1 X=hello /bin/sh -ec cat /mnt/x # buildkit", false, BK),
            ("COPY --chmod=755 D1 D2 /multi/ # buildkit", false, BK),
            ("WORKDIR /srv/app/sub", false, BK),
            ("RUN |1 X=hello /bin/sh -ec /dev/pipes/EOF # buildkit", false, BK),
            ("RUN |1 X=hello /bin/sh -ec cat <<EOF > /z && echo hi\nbody $A\nEOF # buildkit", false, BK),
        ];
        check(file, history, "b2 o5@base o8@base o9@base o13@base o19@mid o20@mid o22@mid o24<base o25 o27 o28 o29 o30 o34");
    }

    #[test]
    fn classic_builder() {
        let file = "FROM a AS base\nENV A=1\nARG X=hello\nRUN echo $X > /x && \\\n  echo two\nWORKDIR /srv/app\nRUN [\"/bin/sh\", \"-c\", \"echo exec > /e\"]\n\
                    COPY --chown=1:1 D1 $A/dst/\nSHELL [\"/bin/bash\", \"-o\", \"pipefail\", \"-c\"]\nRUN true\nRUN echo shell > /s\nCOPY --from=0 /x /y\nCMD [\"sh\"]\n";
        let history: History<'_> = &[
            BASE,
            ("/bin/sh -c #(nop)  ENV A=1", true, ""),
            ("/bin/sh -c #(nop)  ARG X=hello", true, ""),
            ("|1 X=bye /bin/sh -c echo $X > /x &&   echo two", false, ""),
            ("/bin/sh -c #(nop) WORKDIR /srv/app", false, ""),
            ("/bin/sh -c echo exec > /e", false, ""),
            ("/bin/sh -c #(nop) COPY --chown=1:1file:f516af in 1/dst/ ", false, ""),
            ("/bin/bash -o pipefail -c #(nop)  SHELL [/bin/bash -o pipefail -c]", true, ""),
            ("/bin/bash -o pipefail -c true", true, ""),
            ("/bin/bash -o pipefail -c echo shell > /s", false, ""),
            ("/bin/bash -o pipefail -c #(nop) COPY file:861c1 in /y ", false, ""),
            ("/bin/bash -o pipefail -c #(nop)  CMD [\"sh\"]", true, ""),
        ];
        // `--from=0` is the stage itself here, which the builder would refuse; the line stands all the same.
        check(file, history, "b1 o4 o6 o7 o8 o11 o12<base");
    }

    #[test]
    fn buildah() {
        let file = "FROM a AS base\nRUN echo a > /x\nFROM a\nARG A=1\nARG B\nENV X=y\nRUN --mount=type=bind,from=base,source=/x,target=/mnt/x cat /mnt/x > /b\n\
                    LABEL a=b\nRUN true\nWORKDIR sub\nRUN [\"/bin/sh\",\"-c\", \"echo hi >  /q\"]\nCOPY --from=base /x /z\nCMD [\"a\"]\n";
        let layered: History<'_> = &[
            BASE,
            ("/bin/sh -c #(nop) ARG A", true, "FROM localhost/a:latest"),
            ("/bin/sh -c #(nop) ARG A B", true, "FROM a94f77bf04f7"),
            ("/bin/sh -c #(nop) ENV X=y", true, "FROM 7654271e1c93"),
            ("|2 A=1 B=2 /bin/sh -c --mount=type=bind,from=base,source=/x,target=/mnt/x cat /mnt/x > /b", false, "FROM b41bee21d7ab"),
            ("/bin/sh -c #(nop) LABEL a=b", true, "FROM 6a1b1ae45533"),
            ("|2 A=1 B=2 /bin/sh -c true", false, "FROM e4c96624d988"),
            ("/bin/sh -c #(nop) WORKDIR sub", true, "FROM 5ddede081b54"),
            ("|2 A=1 B=2 /bin/sh -c [\"/bin/sh\",\"-c\", \"echo hi >  /q\"]", false, "FROM a7e2957248ee"),
            ("/bin/sh -c #(nop) COPY file:f83a4cc in /z ", false, "FROM aeadad8a6bcf"),
            ("/bin/sh -c #(nop) CMD [\"a\"]|unsetLabel=true", true, "FROM d2fc49250e19"),
        ];
        check(file, layered, "b3 o7 o9 o11 o12<base");
        let squashed: Vec<(&str, bool, &str)> = layered
            .iter()
            .enumerate()
            .map(|(at, (text, _, _))| (*text, at != 0 && at != 10, if at == 10 { "FROM a" } else { "" }))
            .collect();
        let squashed: Vec<_> =
            squashed.into_iter().map(|(text, empty, comment)| (text.trim_end_matches("|unsetLabel=true"), empty, comment)).collect();
        check(file, &squashed, "b3 ?o");
        // The base is in there too.
        check(file, squashed.get(1..).unwrap_or_default(), "?");
        let one = "FROM a\nENV X=y\nRUN make\nCMD [\"a\"]\n";
        let history: History<'_> = &[
            BASE,
            ("/bin/sh -c #(nop) ENV X=y", true, ""),
            ("/bin/sh -c make", true, ""),
            ("/bin/sh -c #(nop) CMD [\"a\"]", false, "FROM a"),
        ];
        check(one, history, "b1 o3");
    }

    #[test]
    fn kaniko_and_windows() {
        check(
            "FROM a\nENV X=y\nRUN --mount=type=cache,target=/c make all\nCOPY --from=b $X /d\nWORKDIR /w\n",
            &[BASE, ("RUN --mount=type=cache,target=/c make all", false, ""), ("COPY --from=b $X /d", false, "")],
            "b1 o3 o4<b",
        );
        check(
            "# escape=`\nFROM mcr.example/servercore\nRUN echo hi\nSHELL [\"powershell\", \"-Command\", \"$ErrorActionPreference = 'Stop';\"]\nRUN Install-It\n",
            &[
                BASE,
                ("cmd /S /C echo hi", false, ""),
                (
                    "powershell -Command $ErrorActionPreference = 'Stop'; #(nop)  SHELL [powershell -Command $ErrorActionPreference = 'Stop';]",
                    true,
                    "",
                ),
                ("powershell -Command $ErrorActionPreference = 'Stop'; Install-It", false, ""),
            ],
            "b2 o3 o5",
        );
    }

    #[test]
    fn variables_that_the_caller_set_fit_what_they_may_be() {
        let file = "FROM a\nARG SRC\nARG DST=/opt\nCOPY $SRC/app ${DST}/app\nRUN make\n";
        let history: History<'_> = &[
            BASE,
            ("ARG SRC=out", true, BK),
            ("ARG DST=/usr", true, BK),
            ("COPY out/app /usr/app # buildkit", false, BK),
            ("RUN |2 SRC=out DST=/usr /bin/sh -c make # buildkit", false, BK),
        ];
        check(file, history, "b1 o4 o5");
        assert_eq!(told(file, &[("SRC", "out"), ("DST", "/usr")], None, history), "b1 o4 o5");
        assert_eq!(told(file, &[("SRC", "other"), ("DST", "/usr")], None, history), "? ? ?o5");
    }

    #[test]
    fn buildkit_writes_a_later_stage_over_an_earlier_one() {
        let file = "FROM a AS base\nCOPY x /\nFROM base AS tools\nRUN mast\nFROM base AS unused\nRUN anchor\nFROM tools\nRUN rudder\n";
        let history = |second: &'static str| {
            [BASE, ("COPY x / # buildkit", false, BK), (second, false, BK), ("RUN /bin/sh -c rudder # buildkit", false, BK)]
        };
        check(file, &history("RUN /bin/sh -c mast # buildkit"), "b1 o2@base o4@tools o8");
        check(file, &history("RUN /bin/sh -c anchor # buildkit"), "b1 o2@base o4@tools o8");
        check(file, &history("RUN /bin/sh -c rudder # buildkit"), "? ? ? ?o8");
    }

    #[test]
    fn the_same_run_twice_is_told_by_order() {
        let history: History<'_> = &[
            BASE,
            ("RUN /bin/sh -c a # buildkit", false, BK),
            ("RUN /bin/sh -c b # buildkit", false, BK),
            ("RUN /bin/sh -c a # buildkit", false, BK),
        ];
        check("FROM x\nRUN a\nRUN b\nRUN a\n", history, "b1 o2 o3 o4");
    }

    #[test]
    fn another_file_is_no_line() {
        let history: History<'_> = &[BASE, ("RUN /bin/sh -c a # buildkit", false, BK), ("RUN /bin/sh -c b # buildkit", false, BK)];
        for (file, expected) in [
            ("FROM x\nRUN a\nRUN b\n", "b1 o2 o3"),
            ("FROM x\nRUN b\n", "b1 b1 o2"),
            ("FROM x\nRUN a\nRUN c\nRUN b\n", "? ? ?o4"),
            ("FROM x\nRUN c\nRUN b\n", "? ? ?o3"),
            ("FROM x\nRUN a\nRUN b\nRUN c\n", "? ? ?"),
            ("FROM x\nRUN a && b\n", "? ? ?"),
            ("FROM x\nRUN x -c a\nRUN b\n", "? ? ?o3"),
            ("FROM scratch\nRUN a\nRUN b\n", "? o2 o3"),
            ("FROM x\nUSER 1\n", "?b1 ?b1 ?b1"),
            ("FROM x\n", "b1 b1 b1"),
            ("", "? ? ?"),
        ] {
            check(file, history, expected);
        }
        assert_eq!(told("FROM x AS y\nRUN a\nFROM y AS z\nRUN b\nFROM z\nRUN c\n", &[], Some("z"), history), "b1 o2@y o4");
        assert_eq!(told("FROM x AS y\nRUN a\nRUN b\n", &[], Some("q"), history), "? ? ?");
    }

    #[test]
    fn without_a_target_another_stage_that_fits_is_a_doubt() {
        let history: History<'_> = &[BASE, ("RUN /bin/sh -c a # buildkit", false, BK), ("RUN /bin/sh -c make # buildkit", false, BK)];
        let file = "FROM x AS builder\nRUN make\nFROM y\nRUN make\n";
        check(file, history, "?b3 ?b3 ?o4");
        assert_eq!(told(file, &[], Some("builder"), history), "b1 b1 o2");
        assert_eq!(told(file, &[], Some("1"), history), "b3 b3 o4");
        // What both say is certain, and the side is unknown where they disagree.
        check("FROM x AS base\nRUN a\nFROM base AS dev\nRUN make\nFROM base\nRUN make\n", history, "b1 o2@base ?o6");
        check("FROM x AS builder\nRUN a\nRUN make\nFROM y\nRUN make\n", history, "?b4 ?4 ?o5");
        check("FROM x AS base\nRUN a\nRUN make\nFROM base AS dev\nCMD x\nFROM base\nCMD y\n", history, "b1 o2@base o3@base");
        // One that explains less, or nothing, is no rival.
        check("FROM x AS builder\nRUN make\nFROM y\nRUN a\nRUN make\n", history, "b3 o4 o5");
        check("FROM x AS builder\nCMD make\nFROM x AS test\nRUN test\nFROM y\nRUN make\n", history, "b5 b5 o6");
        check("FROM x AS base\nRUN a\nFROM base AS dev\nRUN dev\nFROM base\nRUN make\n", history, "b1 o2@base o6");
    }

    #[test]
    fn layers_without_history_are_unknown() {
        let mut image = image_of(&[BASE, ("RUN /bin/sh -c a # buildkit", false, BK)]);
        for layer in &mut image.layers {
            layer.history = None;
        }
        let input = LintInput::new("D", b"FROM x\nRUN a\n");
        assert!(origins(&input, &image).iter().all(|origin| origin.span.is_none() && origin.side.is_none() && origin.doubt.is_some()));
    }

    #[test]
    fn docker_squash_is_said() {
        let history: History<'_> = &[
            BASE,
            ("/bin/sh -c a", true, ""),
            ("/bin/sh -c #(nop)  ENV A=b", true, ""),
            ("/bin/sh -c b", true, ""),
            ("", false, "merge sha256:1 to sha256:2"),
        ];
        check("FROM x\nRUN a\nENV A=b\nRUN b\n", history, "b1 ?o");
    }

    #[test]
    fn triggers_of_an_own_stage_stand_where_they_are_written() {
        check(
            "FROM a AS base\nONBUILD RUN make\nONBUILD COPY . /src\nFROM base\nRUN b\n",
            &[
                BASE,
                ("ONBUILD RUN make", true, BK),
                ("ONBUILD COPY . /src", true, BK),
                ("RUN /bin/sh -c make # buildkit", false, BK),
                ("COPY . /src # buildkit", false, BK),
                ("RUN /bin/sh -c b # buildkit", false, BK),
            ],
            "b1 o2@base o3@base o5",
        );
    }

    #[test]
    fn no_origin_shows_a_credential() {
        let history: History<'_> = &[("COPY /a /b # buildkit", false, BK)];
        let shown = told("FROM scratch\nCOPY --from=u:kz7Rw4qv@host.acme.dev/r:1 /a /b\n", &[], None, history);
        assert!(shown.starts_with("o2<") && !shown.contains("kz7Rw4qv"), "{shown}");
    }

    #[test]
    fn hostile_histories_take_no_time() {
        let file = format!("FROM a\n{}", "COPY $A$A$A$A$A$A /x\nRUN a\n".repeat(2_000));
        let long = format!("COPY {} /y # buildkit", "a ".repeat(1_000));
        for comment in ["", "merge sha256:1 to sha256:2"] {
            let history: Vec<(&str, bool, &str)> = (0..2_000).map(|_| (long.as_str(), comment.is_empty(), comment)).chain([BASE]).collect();
            assert!(told(&file, &[], None, &history).starts_with('?'));
        }
        let stages = "FROM a\nRUN a\nRUN a\nRUN a\n".repeat(2_000);
        let history: Vec<_> = [BASE].into_iter().chain((0..100).map(|_| ("RUN /bin/sh -c a # buildkit", false, BK))).collect();
        assert!(told(&stages, &[], None, &history).starts_with('?'));
    }
}
