//! A small XML tree that can be changed and written back, as the rules need it.

use std::fmt::Write;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Element {
    pub name: String,
    pub text: String,
    pub children: Vec<Element>,
}

impl Element {
    pub fn new(name: &str, text: &str) -> Self {
        Self { name: name.to_owned(), text: text.to_owned(), children: Vec::new() }
    }

    /// Reads a document. Namespaces and attributes are dropped: AWS's bodies use one and none.
    pub fn parse(body: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(body).ok()?;
        let document = roxmltree::Document::parse(text).ok()?;
        Some(Self::read(document.root_element()))
    }

    fn read(node: roxmltree::Node<'_, '_>) -> Self {
        let children: Vec<_> =
            node.children().filter(roxmltree::Node::is_element).map(Self::read).collect();
        let text = if children.is_empty() {
            node.text().unwrap_or_default().to_owned()
        } else {
            String::new()
        };
        Self { name: node.tag_name().name().to_owned(), text, children }
    }

    /// Writes the document that has this element as its root.
    pub fn document(&self, namespace: &str) -> String {
        let mut text = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
        self.write(&mut text, &format!(" xmlns=\"{namespace}\""));
        text
    }

    fn write(&self, text: &mut String, attributes: &str) {
        write!(text, "<{}{attributes}>", self.name).unwrap();
        for character in self.text.chars() {
            match character {
                '&' => text.push_str("&amp;"),
                '<' => text.push_str("&lt;"),
                '>' => text.push_str("&gt;"),
                '\r' => text.push_str("&#13;"),
                _ => text.push(character),
            }
        }
        for child in &self.children {
            child.write(text, "");
        }
        write!(text, "</{}>", self.name).unwrap();
    }

    /// The element at the end of a path of names.
    pub fn at(&self, path: &[&str]) -> Option<&Self> {
        path.iter().try_fold(self, |element, name| {
            element.children.iter().find(|child| child.name == *name)
        })
    }

    pub fn at_mut(&mut self, path: &[&str]) -> Option<&mut Self> {
        path.iter().try_fold(self, |element, name| {
            element.children.iter_mut().find(|child| child.name == *name)
        })
    }

    /// The text at the end of a path; empty where there is none.
    pub fn text_at(&self, path: &[&str]) -> &str {
        self.at(path).map_or("", |element| element.text.trim())
    }

    pub fn set(&mut self, name: &str, text: &str) {
        match self.at_mut(&[name]) {
            Some(child) => text.clone_into(&mut child.text),
            None => self.children.push(Self::new(name, text)),
        }
    }

    /// The members of the list at a path: the children of its `Items`.
    pub fn items(&self, path: &[&str]) -> impl Iterator<Item = &Self> {
        let items = self.at(path).and_then(|list| list.at(&["Items"]));
        items.into_iter().flat_map(|items| &items.children)
    }

    /// Adds what `template` has and this element lacks, at every level.
    pub fn fill_from(&mut self, template: &Self) {
        for wanted in &template.children {
            match self.at_mut(&[&wanted.name]) {
                Some(present) => present.fill_from(wanted),
                None => self.children.push(wanted.clone()),
            }
        }
    }

    /// Whether every list is as long as it says.
    pub fn has_true_quantities(&self) -> bool {
        let is_true = self.at(&["Quantity"]).is_none_or(|quantity| {
            let items = self.at(&["Items"]).map_or(0, |items| items.children.len());
            quantity.text.trim().parse() == Ok(items)
        });
        is_true && self.children.iter().all(Self::has_true_quantities)
    }
}
