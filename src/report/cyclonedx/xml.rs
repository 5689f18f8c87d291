//! The members of a CycloneDX document in, XML out (<https://cyclonedx.org/docs/1.6/xml/>): every text escaped, elements in the schema's order.

use std::io::{self, Write};

use super::wire::{Bom, Component, Composition, Dependency, Evidence, LicenseChoice, Metadata, Property};
use crate::report::escape;

/// Writes the document.
pub(super) fn write(bom: &Bom<'_>, out: &mut dyn Write) -> io::Result<()> {
    let mut xml = Xml { out, depth: 0 };
    writeln!(xml.out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>")?;
    let namespace = format!("http://cyclonedx.org/schema/bom/{}", bom.spec_version);
    let version = bom.version.to_string();
    xml.open("bom", &[("xmlns", &namespace), ("serialNumber", &bom.serial_number), ("version", &version)])?;
    metadata(&bom.metadata, &mut xml)?;
    xml.list("components", bom.components.iter(), |one, xml| component(&one, xml))?;
    xml.list("dependencies", bom.dependencies.iter(), |one, xml| dependency(&one, xml))?;
    xml.list("compositions", &bom.compositions, composition)?;
    xml.close("bom")
}

fn metadata(metadata: &Metadata, xml: &mut Xml<'_>) -> io::Result<()> {
    xml.open("metadata", &[])?;
    xml.maybe("timestamp", metadata.timestamp.as_deref())?;
    xml.list("lifecycles", &metadata.lifecycles, |one, xml| {
        xml.open("lifecycle", &[])?;
        xml.text("phase", &[], one.phase)?;
        xml.close("lifecycle")
    })?;
    xml.open("tools", &[])?;
    xml.list("components", &metadata.tools.components, component)?;
    xml.close("tools")?;
    if let Some(subject) = &metadata.component {
        component(subject, xml)?;
    }
    xml.list("properties", &metadata.properties, property)?;
    xml.close("metadata")
}

fn component(component: &Component, xml: &mut Xml<'_>) -> io::Result<()> {
    let mut attributes = vec![("type", component.kind)];
    attributes.extend(component.bom_ref.as_deref().map(|reference| ("bom-ref", reference)));
    xml.open("component", &attributes)?;
    if let Some(supplier) = &component.supplier {
        xml.open("supplier", &[])?;
        xml.text("name", &[], &supplier.name)?;
        xml.close("supplier")?;
    }
    xml.text("name", &[], &component.name)?;
    xml.maybe("version", component.version.as_deref())?;
    xml.maybe("description", component.description.as_deref())?;
    xml.list("hashes", &component.hashes, |hash, xml| xml.text("hash", &[("alg", hash.alg)], &hash.content))?;
    xml.list("licenses", &component.licenses, licence)?;
    xml.maybe("purl", component.purl.as_deref())?;
    xml.list("properties", &component.properties, property)?;
    if let Some(found) = &component.evidence {
        evidence(found, xml)?;
    }
    xml.close("component")
}

fn licence(choice: &LicenseChoice, xml: &mut Xml<'_>) -> io::Result<()> {
    let said = |acknowledgement: Option<&'static str>| acknowledgement.map(|by| ("acknowledgement", by));
    match choice {
        LicenseChoice::Expression { expression, acknowledgement } => xml.text("expression", said(*acknowledgement).as_slice(), expression),
        LicenseChoice::License { license } => {
            xml.open("license", said(license.acknowledgement).as_slice())?;
            xml.maybe("id", license.id)?;
            xml.maybe("name", license.name.as_deref())?;
            if let Some(text) = &license.text {
                xml.text("text", &[("content-type", text.content_type)], &text.content)?;
            }
            xml.close("license")
        }
    }
}

fn property(property: &Property, xml: &mut Xml<'_>) -> io::Result<()> {
    xml.text("property", &[("name", property.name)], &property.value)
}

fn evidence(evidence: &Evidence, xml: &mut Xml<'_>) -> io::Result<()> {
    let number = |tenths: u8| if tenths >= 10 { "1".to_owned() } else { format!("0.{tenths}") };
    let identity = &evidence.identity;
    xml.open("evidence", &[])?;
    xml.open("identity", &[])?;
    xml.text("field", &[], identity.field)?;
    xml.text("confidence", &[], &number(identity.confidence.0))?;
    xml.list("methods", &identity.methods, |method, xml| {
        xml.open("method", &[])?;
        xml.text("technique", &[], method.technique)?;
        xml.text("confidence", &[], &number(method.confidence.0))?;
        xml.text("value", &[], &method.value)?;
        xml.close("method")
    })?;
    xml.close("identity")?;
    xml.list("occurrences", &evidence.occurrences, |occurrence, xml| {
        xml.open("occurrence", &[])?;
        xml.text("location", &[], &occurrence.location)?;
        xml.close("occurrence")
    })?;
    xml.close("evidence")
}

fn dependency(dependency: &Dependency, xml: &mut Xml<'_>) -> io::Result<()> {
    xml.open("dependency", &[("ref", &dependency.reference)])?;
    for part in &dependency.depends_on {
        xml.empty("dependency", &[("ref", part)])?;
    }
    xml.close("dependency")
}

fn composition(composition: &Composition, xml: &mut Xml<'_>) -> io::Result<()> {
    xml.open("composition", &[])?;
    xml.text("aggregate", &[], composition.aggregate)?;
    xml.list("assemblies", &composition.assemblies, |part, xml| xml.empty("assembly", &[("ref", part)]))?;
    xml.list("dependencies", &composition.dependencies, |part, xml| xml.empty("dependency", &[("ref", part)]))?;
    xml.close("composition")
}

/// Writes elements, one a line.
struct Xml<'a> {
    out: &'a mut dyn Write,
    depth: usize,
}

impl Xml<'_> {
    fn open(&mut self, name: &str, attributes: &[(&str, &str)]) -> io::Result<()> {
        self.start(name, attributes)?;
        self.depth += 1;
        writeln!(self.out, ">")
    }

    fn close(&mut self, name: &str) -> io::Result<()> {
        self.depth = self.depth.saturating_sub(1);
        writeln!(self.out, "{:1$}</{name}>", "", self.depth * 2)
    }

    fn empty(&mut self, name: &str, attributes: &[(&str, &str)]) -> io::Result<()> {
        self.start(name, attributes)?;
        writeln!(self.out, "/>")
    }

    fn text(&mut self, name: &str, attributes: &[(&str, &str)], text: &str) -> io::Result<()> {
        self.start(name, attributes)?;
        writeln!(self.out, ">{}</{name}>", escape::xml_lossless(text))
    }

    fn maybe(&mut self, name: &str, text: Option<&str>) -> io::Result<()> {
        text.map_or(Ok(()), |text| self.text(name, &[], text))
    }

    /// An element around others; nothing when there are none.
    fn list<T>(
        &mut self,
        name: &str,
        items: impl IntoIterator<Item = T>,
        mut write: impl FnMut(T, &mut Self) -> io::Result<()>,
    ) -> io::Result<()> {
        let mut items = items.into_iter().peekable();
        if items.peek().is_none() {
            return Ok(());
        }
        self.open(name, &[])?;
        for item in items {
            write(item, self)?;
        }
        self.close(name)
    }

    fn start(&mut self, name: &str, attributes: &[(&str, &str)]) -> io::Result<()> {
        write!(self.out, "{:1$}<{name}", "", self.depth * 2)?;
        for (name, value) in attributes {
            write!(self.out, " {name}=\"{}\"", escape::xml_lossless(value))?;
        }
        Ok(())
    }
}
