//! From XML text to a small tree of elements, within bounds.

#![warn(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use xml::common::Position;
use xml::reader::{EventReader, ParserConfig, XmlEvent};

use crate::config::{Error, Extra, Fault, Place, limits};

/// Deepest nesting that is followed. Configurations have 4.
const MAX_DEPTH: usize = 32;

/// One element.
#[derive(Debug, Default)]
pub(super) struct Element {
    pub(super) name: String,
    pub(super) attributes: Vec<(String, String)>,
    /// Text directly in the element; CDATA and entities resolved.
    pub(super) text: String,
    pub(super) children: Vec<Element>,
    /// Line of the start tag, from 1.
    pub(super) line: u64,
}

impl Element {
    /// The first child of that name.
    pub(super) fn child(&self, name: &str) -> Option<&Element> {
        self.children.iter().find(|child| child.name == name)
    }

    pub(super) fn attribute(&self, name: &str) -> Option<&str> {
        let found = self.attributes.iter().find(|(n, _)| n == name);
        found.map(|(_, value)| value.as_str())
    }

    /// Where the element stands.
    pub(super) fn place(&self) -> Place {
        Place::Line(self.line)
    }

    /// The element as something to be kept; layout between child elements is dropped.
    pub(super) fn to_extra(&self) -> Extra {
        let only_layout = !self.children.is_empty() && self.text.trim().is_empty();
        Extra {
            name: self.name.clone(),
            attributes: self.attributes.clone(),
            text: if only_layout {
                String::new()
            } else {
                self.text.clone()
            },
            children: self.children.iter().map(Element::to_extra).collect(),
        }
    }
}

/// The root element of `bytes`. What follows it is not looked at.
///
/// # Errors
/// [`Error::Damaged`] if there is none, or the text is not well-formed up to its end.
pub(super) fn parse(bytes: &[u8]) -> Result<Element, Error> {
    if bytes.len() > limits::MAX_FILE {
        return Err(Error::damaged(
            Place::Whole,
            Fault::TooLarge(limits::MAX_FILE),
        ));
    }
    let config = ParserConfig::new()
        .cdata_to_characters(true)
        .whitespace_to_characters(true)
        .ignore_invalid_encoding_declarations(true)
        .max_entity_expansion_length(64)
        .max_entity_expansion_depth(1)
        .max_attributes(64)
        .max_name_length(256)
        .max_attribute_length(4096)
        .max_data_length(limits::MAX_FILE);
    let mut reader = EventReader::new_with_config(bytes, config);
    let mut lines = Lines {
        rest: bytes,
        line: 1,
    };
    let mut open: Vec<Element> = Vec::new();
    loop {
        let event = reader.next().map_err(|error| {
            let line = error.position().row().saturating_add(1);
            Error::damaged(Place::Line(line), Fault::Syntax(error.msg()))
        })?;
        let line = lines.advance(reader.source().len());
        let place = Place::Line(line);
        match event {
            XmlEvent::StartElement {
                name, attributes, ..
            } => {
                if open.len() >= MAX_DEPTH {
                    return Err(Error::damaged(place, Fault::TooDeep));
                }
                let attributes = attributes
                    .into_iter()
                    .map(|a| (a.name.local_name, a.value))
                    .collect();
                open.push(Element {
                    name: name.local_name,
                    attributes,
                    line,
                    ..Element::default()
                });
            }
            XmlEvent::Doctype { syntax } if syntax.contains("<!ENTITY") => {
                return Err(Error::damaged(place, Fault::Entities));
            }
            XmlEvent::Characters(text) => {
                if let Some(element) = open.last_mut() {
                    element.text.push_str(&text);
                }
            }
            XmlEvent::EndElement { .. } => {
                // the reader has checked that tags match
                let Some(closed) = open.pop() else { continue };
                match open.last_mut() {
                    Some(parent) => parent.children.push(closed),
                    None => return Ok(closed),
                }
            }
            XmlEvent::EndDocument => {
                let fault = Fault::Syntax("no element found".to_owned());
                return Err(Error::damaged(place, fault));
            }
            _ => {}
        }
    }
}

/// Line numbers by bytes consumed. (The reader's own position of an event is that of one before it.)
struct Lines<'a> {
    rest: &'a [u8],
    line: u64,
}

impl Lines<'_> {
    /// The line where the reader is, which has `left` bytes still to read.
    fn advance(&mut self, left: usize) -> u64 {
        let consumed = self.rest.len().saturating_sub(left);
        if let Some((new, rest)) = self.rest.split_at_checked(consumed) {
            let breaks = new.iter().filter(|&&b| b == b'\n').count();
            self.line = self.line.saturating_add(breaks as u64);
            self.rest = rest;
        }
        self.line
    }
}
