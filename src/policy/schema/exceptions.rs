//! `exceptions` and `severity.override`: dated, reasoned, owned permissions of a policy file.

use crate::{
    model::{
        location::Span,
        policy::{Exception, ExceptionOrigin, SeverityOverride},
    },
    policy::{
        Error, Place,
        fields::{Fields, Keys, boolean, date, days, number, severity, text, worth},
        pattern,
        yaml::Node,
    },
};

use super::{Document, placed};

/// Reads `exceptions`.
pub(super) fn read(node: &Node, document: &mut Document) -> Result<(), Error> {
    let fields = Fields::of(node, "`exceptions`", &Keys { known: &["max_days", "owners", "unused", "soon", "list"], later: &["files"] })?;
    document.max_days = fields.read("max_days", |node| {
        let days = i64::try_from(number(node, 3_650)?).unwrap_or_default();
        placed(node, days)
    })?;
    document.owners = fields.read_list("owners", |node| placed(node, pattern::owner(node)?))?;
    document.unused = fields.read("unused", |node| placed(node, worth(node)?))?;
    document.soon_days = fields.read("soon", days)?;
    document.exceptions = fields.read_list("list", exception)?;
    Ok(())
}

fn exception(node: &Node) -> Result<Exception, Error> {
    let keys =
        Keys { known: &["id", "package", "path", "image", "reason", "owner", "expires", "ticket", "until_fix", "below"], later: &["vex"] };
    let what = "an exception";
    let fields = Fields::of(node, what, &keys)?;
    let exception = Exception {
        id: finding_id(fields.need("id", what)?)?,
        package: fields.read("package", pattern::package)?,
        path: fields.read("path", pattern::path)?,
        image: fields.read("image", pattern::image)?,
        reason: text(fields.need("reason", what)?)?,
        owner: Some(text(fields.need("owner", what)?)?),
        expires: Some(date(fields.need("expires", what)?)?),
        ticket: fields.read("ticket", text)?,
        until_fix: fields.read("until_fix", boolean)?.unwrap_or(false),
        below: fields.read("below", severity)?,
        location: span(&node.place),
        origin: ExceptionOrigin::Policy,
    };
    if exception.package.is_none() && exception.path.is_none() && exception.image.is_none() {
        return Err(Error::at(node.place.clone(), "an exception needs at least one of `package`, `path`, `image`")
            .advise("say what it covers, so that it covers nothing else"));
    }
    Ok(exception)
}

/// Reads one entry of `severity.override`.
pub(super) fn severity_override(node: &Node) -> Result<SeverityOverride, Error> {
    let what = "an own rating";
    let fields = Fields::of(node, what, &Keys { known: &["id", "severity", "reason", "owner", "expires"], later: &[] })?;
    Ok(SeverityOverride {
        id: finding_id(fields.need("id", what)?)?,
        severity: severity(fields.need("severity", what)?)?,
        reason: text(fields.need("reason", what)?)?,
        owner: Some(text(fields.need("owner", what)?)?),
        expires: Some(date(fields.need("expires", what)?)?),
        location: span(&node.place),
    })
}

/// An id without wildcards and blanks.
fn finding_id(node: &Node) -> Result<String, Error> {
    let id = text(node)?;
    if id.contains(['*', '?']) || id.contains(char::is_whitespace) {
        return Err(Error::at(node.place.clone(), format!("`{id}` is no single id")).advise("one id per entry, without wildcards"));
    }
    Ok(id)
}

fn span(place: &Place) -> Span {
    Span { file: place.file.as_str().into(), line: place.line, column: Some(place.column), end_line: place.line, end_column: None }
}
