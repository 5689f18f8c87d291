//! Instructions in, the stage graph out: variables take effect in order, and every FROM, COPY and RUN mount finds the stage or image that it
//! names. Reference: BuildKit's `frontend/dockerfile/dockerfile2llb/convert.go`.

use std::collections::BTreeMap;

use crate::model::reference::RegistryReference;

use super::{
    expand::{Certainty, Value},
    instruction::Instruction,
    parse::{Phase, Refusal, from_words, image_name},
    scope::{Scope, Unset},
    stages::{Base, Graph, ImageUse, Stage},
};

/// Gets every instruction with the variables that it sees, in file order.
pub(super) type Visitor<'a> = dyn FnMut(usize, &Instruction, &Graph, &Scope) + 'a;

/// Builds the graph; `stage` of every instruction is filled in, and `visit` sees it with its variables.
pub(super) fn build(
    instructions: &mut [Instruction],
    refused: &[bool],
    escape: char,
    arguments: &BTreeMap<String, String>,
    target: Option<&str>,
    visit: &mut Visitor<'_>,
) -> Graph {
    let global = Scope::global(escape);
    let mut builder = Builder {
        graph: Graph::default(),
        scope: global.clone(),
        global,
        scopes_at_end: Vec::new(),
        arguments,
        names: BTreeMap::new(),
        later: later_names(instructions),
    };
    for (index, instruction) in instructions.iter_mut().enumerate() {
        builder.instruction(index, instruction, refused.get(index).copied().unwrap_or_default(), visit);
    }
    let mut graph = builder.graph;
    graph.is_overrun = builder.global.is_overrun();
    let count = graph.stages.len();
    graph.final_stage = match target {
        None => count.checked_sub(1),
        Some(target) => {
            let by_name = graph.stages.iter().rposition(|stage| stage.name.as_deref() == Some(target.to_lowercase().as_str()));
            by_name.or_else(|| target.parse().ok().filter(|&index: &usize| index < count)).or(count.checked_sub(1))
        }
    };
    if count == 0 && !instructions.is_empty() {
        graph
            .refusals
            .extend(instructions.last().map(|last| Refusal::new(Phase::Build, last, "dockerfile contains no stages to build".to_owned())));
    }
    let mut open: Vec<usize> = graph.final_stage.into_iter().collect();
    while let Some(at) = open.pop() {
        let Some(stage) = graph.stages.get_mut(at).filter(|stage| !stage.reachable) else { continue };
        stage.reachable = true;
        open.extend(stage.sources.iter().copied());
        if let Base::Stage(below) = stage.base {
            open.push(below);
        }
    }
    graph.note_uses();
    graph
}

/// Every stage name with the place of its last FROM, to tell a later stage from an image.
fn later_names(instructions: &[Instruction]) -> BTreeMap<String, usize> {
    let named = |(index, instruction): (usize, &Instruction)| match (instruction.keyword.as_str(), instruction.args.as_slice()) {
        ("FROM", [_, _, name]) => Some((name.text.to_lowercase(), index)),
        _ => None,
    };
    instructions.iter().enumerate().filter_map(named).collect()
}

struct Builder<'a> {
    graph: Graph,
    global: Scope,
    scope: Scope,
    scopes_at_end: Vec<Scope>,
    arguments: &'a BTreeMap<String, String>,
    /// The last stage so far with each name.
    names: BTreeMap<String, usize>,
    later: BTreeMap<String, usize>,
}

impl Builder<'_> {
    fn instruction(&mut self, index: usize, instruction: &mut Instruction, refused: bool, visit: &mut Visitor<'_>) {
        if instruction.keyword == "FROM" && !refused {
            self.from(index, instruction);
            visit(index, instruction, &self.graph, &self.scope);
            return;
        }
        instruction.stage = self.graph.stages.len().checked_sub(1);
        if let Some(stage) = self.graph.stages.last_mut() {
            stage.instructions.end = index + 1;
        }
        visit(index, instruction, &self.graph, &self.scope);
        let values = if refused { Vec::new() } else { self.values(instruction) };
        if instruction.stage.is_some() && !refused {
            self.sources(index, instruction);
        }
        self.graph.values.push(values);
    }

    /// Expands what BuildKit expands, and lets ARG and ENV take effect.
    fn values(&mut self, instruction: &Instruction) -> Vec<Value> {
        let word = instruction.keyword.as_str();
        let index = self.graph.values.len();
        let mut values = Vec::new();
        self.names(index, instruction.trigger.as_deref().unwrap_or(instruction));
        self.mode(index, instruction.trigger.as_deref().unwrap_or(instruction));
        match word {
            "ARG" => {
                for (at, pair) in instruction.pairs().iter().enumerate() {
                    let default = pair.value.map(|text| self.expand(text, instruction));
                    values.push(default.clone().unwrap_or_else(Value::unset));
                    let name = self.graph.name(index, at, pair.name);
                    if self.graph.stages.is_empty() {
                        self.global.declare(name, default, self.arguments, None);
                    } else {
                        self.scope.declare(name, default, self.arguments, Some(&self.global));
                    }
                }
            }
            "ENV" => {
                // One instruction sees the values from before it.
                let pairs = instruction.pairs();
                values = pairs.iter().map(|pair| self.expand(pair.value.unwrap_or_default(), instruction)).collect();
                for (at, (pair, value)) in pairs.iter().zip(&values).enumerate() {
                    self.scope.set(self.graph.name(index, at, pair.name), value.clone());
                }
            }
            "LABEL" => values = instruction.pairs().iter().map(|pair| self.expand(pair.value.unwrap_or_default(), instruction)).collect(),
            "ADD" | "COPY" | "EXPOSE" | "STOPSIGNAL" | "USER" | "VOLUME" | "WORKDIR" => {
                values = instruction.args.iter().map(|argument| self.expand(&argument.text, instruction)).collect();
                if word == "EXPOSE" {
                    self.ports(instruction, &values);
                }
                if word == "STOPSIGNAL"
                    && let [Value { text, certainty: Certainty::Known }] = values.as_slice()
                    && !is_signal(text)
                {
                    self.refuse(instruction, format!("invalid signal: {text}"));
                }
            }
            "ONBUILD" => values = instruction.trigger.as_deref().map(|trigger| self.trigger_values(trigger)).unwrap_or_default(),
            _ => {}
        }
        values
    }

    /// Notes the names that ARG and ENV set where they are not what is written.
    fn names(&mut self, index: usize, instruction: &Instruction) {
        if !matches!(instruction.keyword.as_str(), "ARG" | "ENV") {
            return;
        }
        let scope = if self.graph.stages.is_empty() { &self.global } else { &self.scope };
        for (at, pair) in instruction.pairs().iter().enumerate().filter(|(_, pair)| pair.name.contains(['$', '"', '\'', '\\', '`'])) {
            let name = scope.expand(pair.name).ok().filter(|name| name.is_decided() && !name.text.is_empty());
            self.graph.names.extend(name.map(|name| ((index, at), name.text)));
        }
    }

    /// Notes the mode that an ADD or COPY gives to files.
    fn mode(&mut self, index: usize, instruction: &Instruction) {
        let Some(flag) = instruction.flag("chmod").filter(|_| matches!(instruction.keyword.as_str(), "ADD" | "COPY")) else { return };
        let mode = self.scope.expand(flag).unwrap_or_else(|_| Value::unknown());
        self.graph.modes.insert(index, mode);
    }

    /// What a trigger would give here; it takes effect in another build, where its faults show.
    fn trigger_values(&self, trigger: &Instruction) -> Vec<Value> {
        let scope = if self.graph.stages.is_empty() { &self.global } else { &self.scope };
        let expand = |text: &str| scope.expand(text).unwrap_or_else(|_| Value::unknown());
        match trigger.keyword.as_str() {
            "ARG" => trigger.pairs().iter().map(|pair| pair.value.map_or_else(Value::unset, expand)).collect(),
            "ENV" | "LABEL" => trigger.pairs().iter().map(|pair| expand(pair.value.unwrap_or_default())).collect(),
            "ADD" | "COPY" | "EXPOSE" | "STOPSIGNAL" | "USER" | "VOLUME" | "WORKDIR" => {
                trigger.args.iter().map(|argument| expand(&argument.text)).collect()
            }
            _ => Vec::new(),
        }
    }

    fn expand(&mut self, text: &str, instruction: &Instruction) -> Value {
        let scope = if self.graph.stages.is_empty() { &self.global } else { &self.scope };
        expand_in(scope, text, instruction, &mut self.graph.refusals)
    }

    fn refuse(&mut self, instruction: &Instruction, message: String) {
        self.graph.refusals.push(Refusal::new(Phase::Build, instruction, message));
    }

    fn from(&mut self, index: usize, instruction: &mut Instruction) {
        let at = self.graph.stages.len();
        if at > 0 {
            self.scopes_at_end.push(self.scope.clone());
        }
        instruction.stage = Some(at);
        let (image, name) = from_words(instruction).unwrap_or_default();
        let global = self.global.clone();
        let mut failed = false;
        let reference = match global.expand(&image) {
            Ok(value) => value,
            Err(message) => {
                failed = true;
                self.refuse(instruction, format!("failed to process \"{image}\": {message}"));
                Value::unknown()
            }
        };
        let base = match self.names.get(&reference.text) {
            Some(&stage) => Base::Stage(stage),
            None if reference.text == "scratch" => Base::Scratch,
            None => Base::Image(reference.clone()),
        };
        self.scope = match &base {
            Base::Stage(stage) => self.scopes_at_end.get(*stage).cloned().unwrap_or_else(|| global.stage(Unset::Unknown)),
            Base::Scratch => global.stage(Unset::Empty),
            Base::Image(_) => global.stage(Unset::Unknown),
        };
        if matches!(base, Base::Image(_)) {
            if !failed {
                self.check_reference(instruction, &reference);
            }
            self.image(index, reference.clone());
        }
        if let Some(platform) = instruction.flag("platform") {
            self.check_platform(instruction, platform, &global);
        }
        let name = name.map(|name| name.to_lowercase());
        if let Some(name) = &name {
            self.names.insert(name.clone(), at);
        }
        self.graph.stages.push(Stage { from: index, name, base, instructions: index..index + 1, sources: Vec::new(), reachable: false });
        self.graph.values.push(vec![reference]);
    }

    fn image(&mut self, instruction: usize, reference: Value) {
        let name = image_name(&reference.text);
        self.graph.images.push(ImageUse { instruction, reference, name });
    }

    fn check_reference(&mut self, instruction: &Instruction, reference: &Value) {
        let text = reference.text.as_str();
        let message = if text.is_empty() {
            format!("base name ({}) should not be blank", instruction.args.first().map_or("", |argument| argument.text.as_str()))
        } else if text != "scratch" && !is_reference(text) {
            format!("failed to parse stage name \"{text}\": invalid reference format")
        } else {
            return;
        };
        let needs_argument = !reference.is_decided();
        self.graph.refusals.push(Refusal { needs_argument, ..Refusal::new(Phase::Build, instruction, message) });
    }

    fn check_platform(&mut self, instruction: &Instruction, platform: &str, global: &Scope) {
        let Ok(value) = global.expand(platform) else {
            self.refuse(instruction, format!("failed to process arguments for platform {platform}"));
            return;
        };
        if value.text.is_empty() {
            let needs_argument = !value.is_decided();
            let message = format!("empty platform value from expression {platform}");
            self.graph.refusals.push(Refusal { needs_argument, ..Refusal::new(Phase::Build, instruction, message) });
        } else if value.text.split('/').count() > 3 || !value.text.chars().all(|c| c.is_ascii_alphanumeric() || "/_-.()".contains(c)) {
            self.refuse(instruction, format!("failed to parse platform {}", value.text));
        }
    }

    fn ports(&mut self, instruction: &Instruction, values: &[Value]) {
        for port in values.iter().filter(|value| value.certainty == Certainty::Known).flat_map(|value| value.text.split_whitespace()) {
            let (numbers, protocol) = port.rsplit_once('/').unwrap_or((port, "tcp"));
            let container = numbers.rsplit(':').next().unwrap_or_default();
            let legal = |text: &str| text.parse::<u16>().is_ok();
            let range_legal = match container.split_once('-') {
                Some((low, high)) => legal(low) && legal(high),
                None => legal(container),
            };
            if !range_legal {
                self.refuse(instruction, format!("invalid containerPort: {container}"));
            } else if !matches!(protocol.to_ascii_lowercase().as_str(), "tcp" | "udp" | "sctp") {
                self.refuse(instruction, format!("invalid proto: {protocol}"));
            }
        }
    }
}

/// Edges to the stages that COPY --from and RUN --mount=from name.
impl Builder<'_> {
    /// Edges to the stages that COPY --from and RUN --mount=from name.
    fn sources(&mut self, index: usize, instruction: &Instruction) {
        match instruction.keyword.as_str() {
            "COPY" => {
                if let Some(from) = instruction.flag("from") {
                    self.source(index, instruction, from);
                }
            }
            "RUN" => {
                for mount in instruction.flag_values("mount") {
                    self.mount(index, instruction, mount);
                }
            }
            _ => {}
        }
    }

    fn mount(&mut self, index: usize, instruction: &Instruction, mount: &str) {
        for field in mount.split(',') {
            let (key, value) = field.split_once('=').map_or((field, None), |(key, value)| (key, Some(value)));
            match (key.trim_matches('"').to_ascii_lowercase().as_str(), value) {
                ("type", Some(kind))
                    if !matches!(kind.to_ascii_lowercase().as_str(), "bind" | "cache" | "tmpfs" | "secret" | "ssh")
                        && !kind.contains('$') =>
                {
                    self.refuse(instruction, format!("unsupported mount type \"{kind}\""));
                }
                ("from", Some(from)) => self.source(index, instruction, from),
                ("readonly" | "ro" | "readwrite" | "rw" | "required", _) | (_, Some(_)) => {}
                (other, None) => self.refuse(instruction, format!("invalid field '{other}' must be a key=value pair")),
            }
        }
    }

    fn source(&mut self, index: usize, instruction: &Instruction, from: &str) {
        if from.contains('$') {
            let message =
                "variable expansion is not supported for --from, define a new stage with FROM using ARG from global scope as a workaround";
            self.refuse(instruction, message.to_owned());
            return;
        }
        let own = self.graph.stages.len().saturating_sub(1);
        let name = from.to_lowercase();
        // The stage itself is named too: taking from it is a circle.
        let found = self.names.get(&name).copied();
        let found = found.or_else(|| from.parse().ok());
        match found {
            Some(stage) if stage == own => self.refuse(instruction, format!("circular dependency detected on stage: {from}")),
            Some(stage) if stage > own => self.refuse(instruction, format!("invalid stage index {stage}")),
            Some(stage) => {
                if let Some(this) = self.graph.stages.last_mut() {
                    this.sources.push(stage);
                }
            }
            None if self.later.get(&name).is_some_and(|&later| later > index) => {
                self.refuse(instruction, format!("cannot copy from stage \"{from}\", it needs to be defined before current stage"));
            }
            None if name == "scratch" || name == "context" => {}
            None => self.image(index, Value::known(from)),
        }
    }
}

fn expand_in(scope: &Scope, text: &str, instruction: &Instruction, refusals: &mut Vec<Refusal>) -> Value {
    match scope.expand(text) {
        Ok(value) => value,
        Err(message) => {
            refusals.push(Refusal::new(Phase::Build, instruction, format!("a word of it cannot be processed: {message}")));
            Value::unknown()
        }
    }
}

/// Whether BuildKit takes the text for an image reference. A digest is only looked at, not hashed, so its case counts.
pub(super) fn is_reference(text: &str) -> bool {
    RegistryReference::parse(text).is_ok() && !text.contains(char::is_whitespace)
}

fn is_signal(text: &str) -> bool {
    const NAMES: &[&str] = &[
        "ABRT", "ALRM", "BUS", "CHLD", "CLD", "CONT", "FPE", "HUP", "ILL", "INT", "IO", "IOT", "KILL", "PIPE", "POLL", "PROF", "PWR",
        "QUIT", "SEGV", "STKFLT", "STOP", "SYS", "TERM", "TRAP", "TSTP", "TTIN", "TTOU", "URG", "USR1", "USR2", "VTALRM", "WINCH", "XCPU",
        "XFSZ",
    ];
    if let Ok(number) = text.parse::<u32>() {
        return number > 0 && number <= 64;
    }
    let upper = text.to_ascii_uppercase();
    let name = upper.strip_prefix("SIG").unwrap_or(&upper);
    NAMES.contains(&name) || name.starts_with("RTMIN") || name.starts_with("RTMAX")
}
