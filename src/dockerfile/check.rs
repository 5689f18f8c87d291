//! One instruction in, the reason for which BuildKit's typed instructions refuse it out.
//! Reference: `frontend/dockerfile/instructions/{parse,bflag}.go`.

use super::{instruction::Instruction, source::slice};

#[derive(Clone, Copy)]
enum FlagKind {
    Switch,
    Text,
    Texts,
}

use FlagKind::{Switch, Text, Texts};

/// The flags of each instruction; those without a row take none.
const FLAGS: &[(&str, &[(&str, FlagKind)])] = &[
    (
        "ADD",
        &[
            ("checksum", Text),
            ("chmod", Text),
            ("chown", Text),
            ("exclude", Texts),
            ("keep-git-dir", Switch),
            ("link", Switch),
            ("unpack", Switch),
        ],
    ),
    ("COPY", &[("chmod", Text), ("chown", Text), ("exclude", Texts), ("from", Text), ("link", Switch), ("parents", Switch)]),
    ("FROM", &[("platform", Text)]),
    ("HEALTHCHECK", &[("interval", Text), ("retries", Text), ("start-interval", Text), ("start-period", Text), ("timeout", Text)]),
    ("RUN", &[("device", Texts), ("mount", Texts), ("network", Text), ("security", Text)]),
];

/// Why the instruction is refused, if it is.
pub(super) fn refusal(instruction: &Instruction) -> Option<String> {
    check(instruction).err()
}

fn check(instruction: &Instruction) -> Result<(), String> {
    let word = instruction.keyword.as_str();
    let count = instruction.args.len();
    let first = instruction.args.first().map_or("", |argument| argument.text.as_str());
    let swallows_flags = matches!(word, "ARG" | "STOPSIGNAL") || (word == "HEALTHCHECK" && first.eq_ignore_ascii_case("NONE"));
    if !swallows_flags {
        check_flags(instruction)?;
    }
    let exactly_one = || if count == 1 { Ok(()) } else { Err(format!("{word} requires exactly one argument")) };
    let at_least_one = || if count == 0 { Err(format!("{word} requires at least one argument")) } else { Ok(()) };
    match word {
        "ADD" | "COPY" => {
            if count == 1 {
                return Err(format!(
                    "{word} requires at least two arguments, but only one was provided. Destination could not be determined"
                ));
            }
            if count == 0 {
                return Err(format!("{word} requires at least two arguments, but no arguments were provided"));
            }
            let last = instruction.args.last().map_or("", |argument| argument.text.as_str());
            if !instruction.json && instruction.heredocs.iter().any(|heredoc| names_heredoc(last, &heredoc.name)) {
                return Err(format!("{word} cannot accept a heredoc as a destination"));
            }
            Ok(())
        }
        "ARG" | "ENV" | "LABEL" => {
            at_least_one()?;
            if instruction.pairs().iter().any(|pair| pair.name.is_empty()) {
                return Err(format!("{word} names can not be blank"));
            }
            Ok(())
        }
        "CMD" | "ENTRYPOINT" => Ok(()),
        "EXPOSE" => at_least_one(),
        "FROM" => check_from(instruction),
        "HEALTHCHECK" => {
            at_least_one()?;
            check_healthcheck(instruction)
        }
        "MAINTAINER" | "STOPSIGNAL" | "USER" | "WORKDIR" => exactly_one(),
        "ONBUILD" => match &instruction.trigger {
            None => Err("ONBUILD requires at least one argument".to_owned()),
            Some(trigger) if trigger.keyword == "ONBUILD" => Err("Chaining ONBUILD via `ONBUILD ONBUILD` isn't allowed".to_owned()),
            Some(trigger) if matches!(trigger.keyword.as_str(), "FROM" | "MAINTAINER") => {
                Err(format!("{} isn't allowed as an ONBUILD trigger", trigger.keyword))
            }
            Some(_) => Ok(()),
        },
        "RUN" => check_run(instruction),
        "SHELL" if count == 0 => Err("SHELL requires at least one argument".to_owned()),
        "SHELL" if !instruction.json => Err("SHELL requires the arguments to be in JSON form".to_owned()),
        "SHELL" => Ok(()),
        "VOLUME" => {
            at_least_one()?;
            if instruction.args.iter().any(|argument| argument.text.trim().is_empty()) {
                return Err("VOLUME specified can not be an empty string".to_owned());
            }
            Ok(())
        }
        _ => Err(format!("unknown instruction: {}", instruction.word)),
    }
}

fn names_heredoc(argument: &str, name: &str) -> bool {
    let bare: String = argument.chars().filter(|c| !matches!(c, '\'' | '"' | '\\')).collect();
    bare.split_once("<<").is_some_and(|(_, rest)| rest.trim_start_matches('-') == name)
}

fn check_flags(instruction: &Instruction) -> Result<(), String> {
    let known = FLAGS.iter().find(|(word, _)| *word == instruction.keyword).map_or(&[][..], |(_, flags)| flags);
    for (index, flag) in instruction.flags.iter().enumerate() {
        let name = flag.name.as_str();
        let Some((_, kind)) = known.iter().find(|(known, _)| *known == name) else {
            return Err(format!("unknown flag: --{name}"));
        };
        let repeated = instruction.flags.iter().take(index).any(|earlier| earlier.name == name);
        if repeated && !matches!(kind, Texts) {
            return Err(format!("duplicate flag specified: --{name}"));
        }
        match (kind, flag.value.as_deref()) {
            (Switch, None) => {}
            (Switch, Some("")) | (Text | Texts, None) => return Err(format!("missing a value on flag: --{name}")),
            (Switch, Some(value)) if !value.eq_ignore_ascii_case("true") && !value.eq_ignore_ascii_case("false") => {
                return Err(format!("expecting boolean value for flag --{name}, not: {value}"));
            }
            _ => {}
        }
    }
    Ok(())
}

fn check_from(instruction: &Instruction) -> Result<(), String> {
    match instruction.args.as_slice() {
        [_] => Ok(()),
        [_, word, name] if word.text.eq_ignore_ascii_case("as") => {
            let name = name.text.to_lowercase();
            let legal = name.starts_with(|c: char| c.is_ascii_lowercase())
                && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'-' | b'_' | b'.'));
            if legal {
                Ok(())
            } else {
                Err(format!("invalid name for build stage: \"{name}\", name can't start with a number or contain symbols"))
            }
        }
        _ => Err("FROM requires either one or three arguments".to_owned()),
    }
}

fn check_run(instruction: &Instruction) -> Result<(), String> {
    if let Some(mode) = instruction.flag("network")
        && !matches!(mode, "default" | "none" | "host")
    {
        return Err(format!("invalid network mode \"{mode}\""));
    }
    if let Some(mode) = instruction.flag("security")
        && !matches!(mode, "sandbox" | "insecure")
    {
        return Err(format!("security \"{mode}\" is not valid"));
    }
    let from_variable = instruction
        .flag_values("mount")
        .flat_map(|mount| mount.split(','))
        .any(|field| field.strip_prefix("from=").is_some_and(|value| value.contains('$')));
    if from_variable {
        return Err("'from' doesn't support variable expansion, define alias stage instead".to_owned());
    }
    Ok(())
}

fn check_healthcheck(instruction: &Instruction) -> Result<(), String> {
    let Some((kind, command)) = instruction.args.split_first() else { return Ok(()) };
    if kind.text.eq_ignore_ascii_case("NONE") {
        return if command.is_empty() { Ok(()) } else { Err("HEALTHCHECK NONE takes no arguments".to_owned()) };
    }
    if !kind.text.eq_ignore_ascii_case("CMD") {
        return Err(format!("Unknown type \"{}\" in HEALTHCHECK (try CMD)", kind.text));
    }
    if command.is_empty() {
        return Err("Missing command after HEALTHCHECK CMD".to_owned());
    }
    for name in ["interval", "timeout", "start-period", "start-interval"] {
        let Some(value) = instruction.flag(name) else { continue };
        let nanoseconds = go_duration(value).ok_or_else(|| format!("time: invalid duration \"{value}\""))?;
        if nanoseconds < 0.0 || (nanoseconds > 0.0 && nanoseconds < 1e6) {
            return Err(format!("Interval \"{name}\" cannot be less than 1ms"));
        }
    }
    if let Some(retries) = instruction.flag("retries") {
        let count: i32 = retries.parse().map_err(|_| format!("parsing \"{retries}\": invalid syntax"))?;
        if count < 0 {
            return Err(format!("--retries cannot be negative ({count})"));
        }
    }
    Ok(())
}

/// A duration in Go's syntax, in nanoseconds.
fn go_duration(text: &str) -> Option<f64> {
    let (sign, mut rest) = match text.strip_prefix('-') {
        Some(rest) => (-1.0, rest),
        None => (1.0, text.strip_prefix('+').unwrap_or(text)),
    };
    if rest == "0" {
        return Some(0.0);
    }
    if rest.is_empty() {
        return None;
    }
    let mut total = 0.0;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let value: f64 = slice(rest, 0..digits).parse().ok()?;
        rest = slice(rest, digits..rest.len());
        let unit_len = rest.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(rest.len());
        let unit = match slice(rest, 0..unit_len) {
            "ns" => 1.0,
            "us" | "µs" | "μs" => 1e3,
            "ms" => 1e6,
            "s" => 1e9,
            "m" => 60e9,
            "h" => 3600e9,
            _ => return None,
        };
        total += value * unit;
        rest = slice(rest, unit_len..rest.len());
    }
    Some(sign * total)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_those_of_go() {
        let table = [
            ("5s", Some(5e9)),
            ("1m30s", Some(90e9)),
            ("0", Some(0.0)),
            ("5", None),
            ("", None),
            ("1.5h", Some(5400e9)),
            ("1us", Some(1e3)),
        ];
        for (text, expected) in table {
            assert_eq!(go_duration(text), expected, "{text}");
        }
    }

    #[test]
    fn instructions_are_refused_as_buildkit_refuses_them() {
        let table = [
            ("COPY a", true),
            ("COPY --link= a b", true),
            ("COPY --link=TRUE a b", false),
            ("COPY --exclude=a --exclude=b c d", false),
            ("COPY --chown=a --chown=b c d", true),
            ("RUN ls --network=none", false),
            ("RUN --foo ls", true),
            ("ARG --foo=bar X=1", false),
            ("HEALTHCHECK --interval=5s NONE", false),
            ("HEALTHCHECK --interval=5 CMD x", true),
            ("ONBUILD onbuild RUN x", true),
            ("ONBUILD FOO x", false),
            ("SHELL []", true),
            ("VOLUME [\"\"]", true),
            ("CMD", false),
            ("FOO x", true),
        ];
        for (text, refused) in table {
            let reading = crate::dockerfile::parse::read(text.as_bytes());
            let instruction = reading.instructions.first().expect("one instruction");
            assert_eq!(refusal(instruction).is_some(), refused, "{text}");
        }
    }
}
