//! Edits of CloudFront's document: the smallest piece of text that is ours, and no other byte.

use super::behavior::Behavior;
use super::document::{
    Document, EVENT, Place, child, children, content, element, escape, list_element, parse, text,
    walk, wrapped,
};
use super::nesting::end;
use roxmltree::Node;
use std::ops::Range;

/// What tells an entry of a list from the others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    /// The entry's own name.
    pub item: &'static str,
    /// The child that identifies it; `None`: its own text does.
    pub child: Option<&'static str>,
    /// What is there.
    pub text: String,
}

/// One change of the document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Edit {
    /// A child of the configuration, whole.
    Field(&'static str, String),
    /// The text of an element.
    Text(Place, String),
    /// The entry of a list that has this key; `None`: no such entry.
    Entry(Place, Key, Option<String>),
    /// Who answers [`EVENT`] in one behavior, without the request's body; `None`: nobody.
    Occupant(Behavior, Option<String>),
    /// The access control of the origin of this id, which is known when the edit is made.
    Access(String),
}

impl Edit {
    /// The same edit, now that the access control's id is known.
    #[must_use]
    pub fn knowing(self, access: &str) -> Self {
        match self {
            Self::Access(origin) => {
                Self::Text(Place::Origin(origin, "OriginAccessControlId"), access.to_owned())
            }
            edit => edit,
        }
    }
}

/// A range of the text, and what takes its place.
type Splice = (Range<usize>, String);

impl Document {
    /// Returns the document with the edits made and everything else, byte for byte, as it was.
    /// An edit that says what is there already changes nothing.
    ///
    /// # Errors
    /// A lower-case fragment: the document has no such place.
    pub fn edit(&self, edits: &[Edit]) -> Result<Self, String> {
        self.traced(edits).map(|(document, _)| document)
    }

    /// Is everything in this document, as it is `now`, on which these edits rest: what a plan reads,
    /// and what the edits replace? Then whoever moved the `ETag`, and CloudFront itself does so too,
    /// has changed nothing that the edits would undo or miss.
    #[must_use]
    pub fn rests(&self, now: &Self, edits: &[Edit]) -> bool {
        let replaced = |document: &Self| document.traced(edits).ok().map(|(_, replaced)| replaced);
        self.read() == now.read() && replaced(self).is_some_and(|seen| replaced(now) == Some(seen))
    }

    /// The document with the edits made, and what each of them has put in the place of what.
    fn traced(&self, edits: &[Edit]) -> Result<(Self, Vec<(String, String)>), String> {
        let mut document = self.clone();
        let mut replaced = Vec::new();
        for edit in edits {
            let tree = parse(&document.0)
                .map_err(|error| format!("CloudFront's document cannot be read: {error}"))?;
            let mut splices = document.splices(tree.root_element(), edit)?;
            splices.sort_by_key(|(range, _)| range.start);
            let mut edited = document.0.clone();
            for (range, text) in splices.into_iter().rev() {
                let before = edited.get(range.clone()).unwrap_or_default().to_owned();
                edited.replace_range(range, &text);
                replaced.push((before, text));
            }
            document = Self(edited);
        }
        Ok((document, replaced))
    }

    fn splices(&self, root: Node<'_, '_>, edit: &Edit) -> Result<Vec<Splice>, String> {
        match edit {
            Edit::Field(name, element) => Ok(vec![match child(root, name) {
                Some(node) => (node.range(), self.prefixed(root, element)),
                None => self.append(root, element),
            }]),
            Edit::Text(place, wanted) => {
                let (node, missing) = walk(root, place)?;
                if let Some((name, outer)) = missing.split_last() {
                    let innermost = element(name, wanted);
                    let nested =
                        outer.iter().rev().fold(innermost, |inner, name| wrapped(name, &inner));
                    return Ok(vec![self.append(node, &nested)]);
                }
                let is_so = content(node).trim() == wanted.trim();
                Ok(if is_so { Vec::new() } else { vec![self.fill(node, &escape(wanted))] })
            }
            Edit::Entry(list, key, entry) => self.entry(root, list, key, entry.as_deref()),
            Edit::Occupant(behavior, arn) => {
                let list = Place::Behavior(behavior.clone(), "LambdaFunctionAssociations");
                let key = Key {
                    item: "LambdaFunctionAssociation",
                    child: Some("EventType"),
                    text: EVENT.into(),
                };
                let entry = arn.as_deref().map(association);
                let is_so = |entry: &Node<'_, '_>| {
                    arn.as_ref().is_some_and(|arn| *arn == text(*entry, "LambdaFunctionARN"))
                        && text(*entry, "IncludeBody") != "true"
                };
                let (node, missing) = walk(root, &list)?;
                let seen = if missing.is_empty() { entries(node, &key) } else { Vec::new() };
                if seen.len() == 1 && seen.iter().all(is_so) {
                    Ok(Vec::new())
                } else {
                    self.entry(root, &list, &key, entry.as_deref())
                }
            }
            Edit::Access(origin) => {
                Err(format!("the access control of origin `{origin}` is not known yet"))
            }
        }
    }

    /// Puts an entry into a list, in place of what has its key, or takes that out.
    fn entry(
        &self,
        root: Node<'_, '_>,
        list: &Place,
        key: &Key,
        entry: Option<&str>,
    ) -> Result<Vec<Splice>, String> {
        let (list, missing) = walk(root, list)?;
        if let Some((name, outer)) = missing.split_last() {
            let Some(entry) = entry else { return Ok(Vec::new()) };
            let nested = outer
                .iter()
                .rev()
                .fold(list_element(name, &[entry.to_owned()]), |inner, name| wrapped(name, &inner));
            return Ok(vec![self.append(list, &nested)]);
        }
        let found = entries(list, key);
        let held = child(list, "Items");
        let all = held.map_or(0, |held| children(held, key.item).count());
        let mut splices = Vec::new();
        let mut count = all - found.len();
        let mut rest = found.as_slice();
        if let Some(entry) = entry {
            count += 1;
            let new = self.prefixed(list, entry);
            splices.push(match (rest.split_first(), held) {
                (Some((first, others)), _) => {
                    rest = others;
                    (first.range(), new)
                }
                (None, Some(held)) => match held.children().rfind(Node::is_element) {
                    Some(before) => (before.range().end..before.range().end, new),
                    None => self.append(held, entry),
                },
                (None, None) => self.append(list, &wrapped("Items", entry)),
            });
        }
        // The frame goes with the last entry where there is nothing else in it.
        let emptied =
            held.filter(|held| entry.is_none() && found.len() == 1 && held.children().count() == 1);
        splices.extend(match emptied {
            Some(held) => vec![(held.range(), String::new())],
            None => rest.iter().map(|node| (node.range(), String::new())).collect(),
        });
        if let Some(quantity) = child(list, "Quantity").filter(|_| count != all) {
            splices.push(self.fill(quantity, &count.to_string()));
        }
        Ok(splices)
    }

    /// Another content for an element, whose tags stay.
    fn fill(&self, node: Node<'_, '_>, inside: &str) -> Splice {
        let range = node.range();
        let whole = &self.0[range.clone()];
        let open = end(whole).unwrap_or(whole.len());
        match whole[..open].strip_suffix("/>") {
            Some(tag) => {
                let name = tag
                    .trim_start_matches('<')
                    .split(char::is_whitespace)
                    .next()
                    .unwrap_or_default();
                (range, format!("{}>{inside}</{name}>", tag.trim_end()))
            }
            None => (
                range.start + open..range.start + whole.rfind("</").unwrap_or(whole.len()),
                inside.to_owned(),
            ),
        }
    }

    /// One more element at the end of `parent`.
    fn append(&self, parent: Node<'_, '_>, element: &str) -> Splice {
        let (content, new) = self.fill(parent, &self.prefixed(parent, element));
        if content == parent.range() { (content, new) } else { (content.end..content.end, new) }
    }

    /// Elements of ours with the prefix that names the namespace of `parent`.
    fn prefixed(&self, parent: Node<'_, '_>, elements: &str) -> String {
        let tag = &self.0[parent.range()];
        let name = tag.find(parent.tag_name().name()).unwrap_or(1);
        match &tag[1..name] {
            "" => elements.to_owned(),
            prefix => elements
                .replace('<', &format!("<{prefix}"))
                .replace(&format!("<{prefix}/"), &format!("</{prefix}")),
        }
    }
}

fn entries<'a>(list: Node<'a, 'a>, key: &Key) -> Vec<Node<'a, 'a>> {
    let held = child(list, "Items").into_iter().flat_map(|held| children(held, key.item));
    let named = |entry: &Node<'_, '_>| match key.child {
        Some(name) => text(*entry, name) == key.text,
        None => content(*entry).trim() == key.text,
    };
    held.filter(named).collect()
}

fn association(arn: &str) -> String {
    let inside = [
        element("LambdaFunctionARN", arn),
        element("EventType", EVENT),
        element("IncludeBody", "false"),
    ];
    wrapped("LambdaFunctionAssociation", &inside.concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The list of the default behavior, before and after our slot is filled and left.
    const LISTS: [[&str; 3]; 7] = [
        [
            "<Ls><Quantity>0</Quantity></Ls>",
            "<Ls><Quantity>1</Quantity><Items>OURS</Items></Ls>",
            "<Ls><Quantity>0</Quantity></Ls>",
        ],
        [
            "",
            "<Ls><Quantity>1</Quantity><Items>OURS</Items></Ls>",
            "<Ls><Quantity>0</Quantity></Ls>",
        ],
        ["<Ls/>", "<Ls><Items>OURS</Items></Ls>", "<Ls></Ls>"],
        [
            "<Ls a='1'>\n <Items x='/'/><!-- 1 --><Quantity>0</Quantity><New/></Ls>",
            "<Ls a='1'>\n <Items x='/'>OURS</Items><!-- 1 --><Quantity>1</Quantity><New/></Ls>",
            "<Ls a='1'>\n <!-- 1 --><Quantity>0</Quantity><New/></Ls>",
        ],
        [
            "<Ls>\n <Quantity>1</Quantity>\n <Items>\n  THEIRS<!-- x -->\n </Items>\n <New/></Ls>",
            "<Ls>\n <Quantity>2</Quantity>\n <Items>\n  THEIRSOURS<!-- x -->\n </Items>\n \
                <New/></Ls>",
            "<Ls>\n <Quantity>1</Quantity>\n <Items>\n  THEIRS<!-- x -->\n </Items>\n <New/></Ls>",
        ],
        [
            "<Ls><Quantity>3</Quantity><Items><Unknown/>OLD THEIRS OLD</Items></Ls>",
            "<Ls><Quantity>2</Quantity><Items><Unknown/>OURS THEIRS </Items></Ls>",
            "<Ls><Quantity>1</Quantity><Items><Unknown/> THEIRS </Items></Ls>",
        ],
        [
            "<Ls><Quantity>1</Quantity><Items>OLD</Items></Ls>",
            "<Ls><Quantity>1</Quantity><Items>OURS</Items></Ls>",
            "<Ls><Quantity>0</Quantity></Ls>",
        ],
    ];

    fn document(list: &str) -> Document {
        let old = association("arn:old:1").replace("false", "true");
        let theirs = "<L><LambdaFunctionARN>arn:theirs:1</LambdaFunctionARN> \
            <EventType>origin-request</EventType><New/></L>";
        let list = list
            .replace("OURS", &association("arn:ours:2"))
            .replace("OLD", &old)
            .replace("THEIRS", theirs);
        let list = list
            .replace("Ls>", "LambdaFunctionAssociations>")
            .replace("<Ls", "<LambdaFunctionAssociations");
        let list = list.replace("L>", "LambdaFunctionAssociation>");
        Document(format!("<C><DefaultCacheBehavior><Before/>{list}</DefaultCacheBehavior></C>"))
    }

    #[test]
    fn one_entry_and_the_quantity_change_and_nothing_else() {
        let turn = |before: &Document, arn: Option<&str>| {
            let edit = Edit::Occupant(Behavior::Default, arn.map(str::to_owned));
            before.edit(&[edit]).unwrap()
        };
        for [before, filled, left] in LISTS {
            // What is added to a behavior without a list comes last in it, as there is nothing
            // after it here.
            let after = turn(&document(before), Some("arn:ours:2"));
            assert_eq!(after, document(filled), "{before}");
            assert_eq!(turn(&after, Some("arn:ours:2")), after, "{before}");
            assert_eq!(turn(&after, None), document(left), "{before}");
        }
    }

    /// Whoever wrote in between: did they change what the edits rest on?
    #[test]
    fn edits_rest_on_what_a_plan_reads_and_on_what_they_replace() {
        let of = |comment: &str, version: &str, slot: &str, other: &str| {
            Document(format!(
                "<C><Comment>{comment}</Comment><HttpVersion>{version}</HttpVersion>\
                    <DefaultCacheBehavior>{slot}</DefaultCacheBehavior><CacheBehaviors><Items>\
                    <CacheBehavior><PathPattern>/a</PathPattern>{other}</CacheBehavior></Items>\
                    </CacheBehaviors></C>"
            ))
        };
        let filled = |arn: &str| {
            format!(
                "<LambdaFunctionAssociations><Quantity>1</Quantity><Items>{}</Items>\
                    </LambdaFunctionAssociations>",
                association(arn)
            )
        };
        let (ours, theirs) = (filled("arn:ours:1"), filled("arn:theirs:1"));
        let seen = of("a", "http2", &ours, "");
        let edits = [
            Edit::Text(Place::Config("Comment"), "b".into()),
            Edit::Occupant(Behavior::Default, Some("arn:ours:2".into())),
        ];
        for (what, now, rests) in [
            ("nothing", of("a", "http2", &ours, ""), true),
            ("what nobody here reads", of("a", "http3", &ours, ""), true),
            ("what an edit replaces", of("c", "http2", &ours, ""), false),
            ("what an edit wants", of("b", "http2", &ours, ""), false),
            ("our slot", of("a", "http2", &theirs, ""), false),
            ("our slot, emptied", of("a", "http2", "", ""), false),
            ("another slot", of("a", "http2", &ours, &theirs), false),
            ("everything", Document("<C/>".into()), false),
        ] {
            assert_eq!(seen.rests(&now, &edits), rests, "{what}");
        }
    }

    #[test]
    fn a_text_is_changed_between_its_tags() {
        let rows = [
            ("<C><Comment>a</Comment></C>", "<C><Comment>&lt;new&gt;</Comment></C>"),
            ("<C><Comment\n a='>' /><X/></C>", "<C><Comment\n a='>'>&lt;new&gt;</Comment><X/></C>"),
            (
                "<C><Comment a='>'><!-- </Comment> -->x</Comment ></C>",
                "<C><Comment a='>'>&lt;new&gt;</Comment ></C>",
            ),
            ("<C></C>", "<C><Comment>&lt;new&gt;</Comment></C>"),
            ("<C/>", "<C><Comment>&lt;new&gt;</Comment></C>"),
            (
                "<c:C xmlns:c='x'><Comment/></c:C>",
                "<c:C xmlns:c='x'><Comment/><c:Comment>&lt;new&gt;</c:Comment></c:C>",
            ),
            (
                "<C><Comment> <![CDATA[<new>]]></Comment></C>",
                "<C><Comment> <![CDATA[<new>]]></Comment></C>",
            ),
        ];
        for (before, after) in rows {
            let edit = Edit::Text(Place::Config("Comment"), "<new>".into());
            assert_eq!(Document(before.into()).edit(&[edit]).unwrap().0, after);
        }
        let nested = Edit::Text(Place::Config("A/B/C"), "x".into());
        assert_eq!(
            Document("<D><A/></D>".into()).edit(&[nested]).unwrap().0,
            "<D><A><B><C>x</C></B></A></D>"
        );
    }

    #[test]
    fn a_place_that_is_not_there_is_refused() {
        let document = document("");
        let edits = [
            (Edit::Occupant("/none".into(), None), "no behavior `/none`"),
            (Edit::Text(Place::Origin("o".into(), "DomainName"), String::new()), "no origin `o`"),
            (Edit::Access("o".into()), "not known yet"),
        ];
        for (edit, said) in edits {
            assert!(document.edit(&[edit]).unwrap_err().contains(said), "{said}");
        }
    }
}
