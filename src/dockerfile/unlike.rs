//! A Dockerfile and an image in, whether it is plain to see that the one was not built from the other out.

use crate::model::image::ResolvedImage;

use super::{
    LintInput, MAX_BYTES,
    alignment::{is_overwritten, steps},
    created_by::{Builder, Entry},
    origin::COMPARED,
    read,
};

/// How many stages are compared with the uppermost layer.
const STAGES: usize = 100;

/// Why the image cannot have been built from this Dockerfile, where that is plain to see: its uppermost layer is one of Docker's builders', and none of
/// the instructions that could have made it did, in whatever stage.
#[must_use]
pub fn unlike(input: &LintInput<'_>, image: &ResolvedImage) -> Option<String> {
    let bytes = input.bytes.get(..MAX_BYTES).unwrap_or(input.bytes);
    if image.layers.iter().any(|layer| layer.history.is_none()) {
        return None;
    }
    let (at, top) = image.config.history.iter().enumerate().rfind(|(_, entry)| !entry.empty_layer)?;
    let top = Entry::of(top);
    let is_plain = matches!(top.builder, Builder::BuildKit | Builder::Classic) && !top.is_merge;
    if !is_plain || !matches!(top.keyword.as_str(), "ADD" | "COPY" | "RUN") {
        return None;
    }
    let (dockerfile, _) = read(&LintInput { bytes, ..*input });
    let graph = &dockerfile.graph;
    let stages = graph.stages.len();
    let last = graph.final_stage.filter(|_| stages <= STAGES)?;
    // A stage may have been built that nobody named, so that each of them has to differ.
    let candidates: Vec<usize> = if input.target.is_some() { vec![last] } else { (0..stages).collect() };
    let mut left = COMPARED;
    let mut differs = None;
    for stage in candidates {
        let steps = steps(&dockerfile, stage);
        left = left.checked_sub(steps.len() + 1)?;
        let maker = steps.iter().rfind(|step| step.makes_layer())?;
        if top.is_of(maker) || is_overwritten(&dockerfile, maker, &top, stage) {
            return None;
        }
        if stage == last {
            differs = Some((maker.outer.keyword.clone(), maker.outer.line));
        }
    }
    let (keyword, line) = differs?;
    Some(format!("its last {keyword} (line {line}) is not the uppermost layer of the image, by entry {at} of the history"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::image::fixture::image_of;

    type History<'a> = &'a [(&'a str, bool, &'a str)];

    const BK: &str = "buildkit.dockerfile.v0";
    const BASE: (&str, bool, &str) = ("ADD base.tar /", false, "");

    #[test]
    fn another_file_is_told_by_its_last_layer() {
        let other = |text: &str, history: History<'_>| unlike(&LintInput::new("D", text.as_bytes()), &image_of(history)).is_some();
        let history: History<'_> = &[BASE, ("RUN /bin/sh -c make all # buildkit", false, BK), ("CMD [\"sh\"]", true, BK)];
        for (text, expected) in [
            ("FROM a\nRUN make all\nCMD sh\n", false),
            ("FROM a\nRUN make\n", true),
            ("FROM a\nRUN make all\nCOPY a /b\n", true),
            // Another stage may have been built, and a file without layers fits all images.
            ("FROM a AS b\nRUN make all\nFROM a\nCOPY a /b\n", false),
            ("FROM a\nUSER app\n", false),
        ] {
            assert_eq!(other(text, history), expected, "{text}");
        }
        let by_nobody: History<'_> = &[BASE, ("RUN make all", false, "")];
        assert!(!other("FROM a\nRUN make\n", by_nobody), "who squashes leaves one entry");
        assert!(!other("FROM a\nRUN make\n", &[]));
    }
}
