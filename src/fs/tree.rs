//! The nodes the kernel knows: identity, names, lookup counts.
//!
//! A node id is what users see as inode number. It is the raw inode number if no live node has
//! that, else one from a high range; the root is 1. Two names share a node only if both are
//! non-directories and the storage reports one raw file with several names: joined nodes share
//! page cache, so joining two files wrongly would corrupt data.
//!
//! One mutex, held for microseconds and never across raw I/O. Steadiness of names is the
//! business of `tree_lock`, whose counters live in the nodes.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Instant;

use parking_lot::{Condvar, Mutex};

use super::direction::{ShownName, StoredName};
use crate::nameio::{NameCoding, PlainName, ROOT_IV};
use crate::raw::{Kind, Pinned, RawId, Stat};

/// Number of a node; users see it as inode number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct NodeId(pub u64);

/// The root directory.
pub const ROOT: NodeId = NodeId(1);

/// Ids from here on belong to nodes whose raw inode number was taken.
const HIGH_RANGE: u64 = 1 << 62;

/// One name of a node.
#[derive(Debug, Clone)]
pub(super) struct Link {
    pub(super) parent: NodeId,
    /// As the kernel sees it.
    pub(super) name: ShownName,
    /// As it lies in storage.
    pub(super) raw: StoredName,
    /// The chain after this name: the IV of names below it, and the external IV of a file.
    pub(super) iv: u64,
}

/// What the kernel holds a number of.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) raw_id: RawId,
    /// The raw file before that one, where storage cannot cut files: a lookup under way meanwhile
    /// may bring its number.
    former_id: Option<RawId>,
    pub(super) kind: Kind,
    pub(super) links: Vec<Link>,
    pub(super) children: HashMap<ShownName, NodeId>,
    /// References of the kernel.
    pub(super) lookups: u64,
    /// Open handles.
    pub(super) opens: u32,
    /// Plain length of a symbolic link's target: it never changes.
    pub(super) link_len: Option<u64>,
    /// The chain after the last name that the node lost.
    pub(super) last_iv: u64,
    /// When this mount last let go of the file after changing it, and its raw length then:
    /// storage that lags shows another for a while.
    pub(super) left: Option<(Instant, u64)>,
    /// A file that lost its name to another: whoever looked it up before may still open it.
    pub(super) pinned: Option<Arc<Pinned>>,
    /// Operations under way that use names through this node.
    pub(super) shared: u32,
    /// A change of this node's own names is under way.
    pub(super) exclusive: bool,
    /// Changes that wait for `shared` to become 0.
    pub(super) wanted: u32,
}

#[derive(Debug)]
pub(super) struct Nodes {
    pub(super) nodes: HashMap<NodeId, Node>,
    pub(super) by_raw: HashMap<RawId, NodeId>,
    pub(super) next_high: u64,
}

/// All nodes.
#[derive(Debug)]
pub(super) struct Tree {
    pub(super) nodes: Mutex<Nodes>,
    pub(super) steady: Condvar,
}

/// A name of a node, copied out of the tree.
#[derive(Debug, Clone)]
pub(super) struct Place {
    pub(super) parent: NodeId,
    pub(super) raw: StoredName,
    pub(super) iv: u64,
}

impl Node {
    pub(super) fn new(raw_id: RawId, kind: Kind) -> Self {
        Self {
            raw_id,
            former_id: None,
            kind,
            links: Vec::new(),
            children: HashMap::new(),
            lookups: 0,
            opens: 0,
            link_len: None,
            left: None,
            pinned: None,
            last_iv: ROOT_IV,
            shared: 0,
            exclusive: false,
            wanted: 0,
        }
    }

    fn unused(&self) -> bool {
        self.lookups == 0
            && self.opens == 0
            && self.children.is_empty()
            && self.shared == 0
            && !self.exclusive
            && self.wanted == 0
    }
}

impl Nodes {
    fn add(&mut self, stat: &Stat) -> NodeId {
        let raw = NodeId(stat.id.ino);
        let usable = raw.0 > ROOT.0 && raw.0 < HIGH_RANGE && !self.nodes.contains_key(&raw);
        let id = if usable {
            raw
        } else {
            self.next_high += 1;
            NodeId(HIGH_RANGE | self.next_high)
        };
        self.nodes.insert(id, Node::new(stat.id, stat.kind));
        self.by_raw.insert(stat.id, id);
        id
    }

    pub(super) fn attach(&mut self, id: NodeId, link: Link) {
        if let Some(parent) = self.nodes.get_mut(&link.parent) {
            parent.children.insert(link.name.clone(), id);
        }
        if let Some(node) = self.nodes.get_mut(&id) {
            node.links.push(link);
        }
    }

    /// Takes the name `name` in `parent` from its node, if a node has it.
    fn detach(&mut self, parent: NodeId, name: &ShownName) -> Option<(NodeId, Link)> {
        let id = self.nodes.get_mut(&parent)?.children.remove(name)?;
        let node = self.nodes.get_mut(&id)?;
        let at = node
            .links
            .iter()
            .position(|link| link.parent == parent && link.name == *name)?;
        let link = node.links.remove(at);
        node.last_iv = link.iv;
        self.collect(id);
        self.collect(parent);
        Some((id, link))
    }

    /// Removes a node that nobody refers to, and then perhaps its parents.
    pub(super) fn collect(&mut self, id: NodeId) {
        let mut next = vec![id];
        while let Some(id) = next.pop() {
            if id == ROOT || !self.nodes.get(&id).is_some_and(Node::unused) {
                continue;
            }
            let Some(node) = self.nodes.remove(&id) else {
                continue;
            };
            if self.by_raw.get(&node.raw_id) == Some(&id) {
                self.by_raw.remove(&node.raw_id);
            }
            for link in node.links {
                if let Some(parent) = self.nodes.get_mut(&link.parent) {
                    parent.children.remove(&link.name);
                    next.push(link.parent);
                }
            }
        }
    }
}

impl Tree {
    pub(super) fn new(root: &Stat) -> Self {
        let mut node = Node::new(root.id, Kind::Dir);
        node.lookups = 1;
        let nodes = Nodes {
            nodes: HashMap::from([(ROOT, node)]),
            by_raw: HashMap::new(),
            next_high: 0,
        };
        Self {
            nodes: Mutex::new(nodes),
            steady: Condvar::new(),
        }
    }

    /// The node behind a name that was just looked up or made; the kernel gets one reference.
    /// `join`: whether raw files with several names may share a node.
    pub(super) fn enter(&self, link: Link, stat: &Stat, join: bool) -> NodeId {
        let mut nodes = self.nodes.lock();
        let known = nodes
            .nodes
            .get(&link.parent)
            .and_then(|parent| parent.children.get(&link.name).copied());
        if let Some(id) = known {
            if let Some(node) = nodes.nodes.get_mut(&id)
                && (node.raw_id == stat.id || node.former_id == Some(stat.id))
                && node.kind == stat.kind
            {
                if node.raw_id == stat.id {
                    node.former_id = None;
                }
                node.lookups += 1;
                return id;
            }
            nodes.detach(link.parent, &link.name);
        }
        let twin = (join && stat.kind != Kind::Dir && stat.nlink > 1)
            .then(|| nodes.by_raw.get(&stat.id).copied())
            .flatten()
            .filter(|id| {
                nodes
                    .nodes
                    .get(id)
                    .is_some_and(|node| node.kind == stat.kind)
            });
        let id = match twin {
            Some(id) => id,
            None => nodes.add(stat),
        };
        nodes.attach(id, link);
        if let Some(node) = nodes.nodes.get_mut(&id) {
            node.lookups += 1;
        }
        id
    }

    /// The node that has this name, if one has; the kernel gets one reference.
    pub(super) fn enter_known(&self, link: &Link) -> Option<(NodeId, Kind)> {
        let mut nodes = self.nodes.lock();
        let id = *nodes.nodes.get(&link.parent)?.children.get(&link.name)?;
        let node = nodes.nodes.get_mut(&id)?;
        node.lookups += 1;
        Some((id, node.kind))
    }

    /// Gives a known node another name, as `link` does; the kernel gets one reference.
    pub(super) fn add_link(&self, id: NodeId, link: Link) {
        let mut nodes = self.nodes.lock();
        nodes.detach(link.parent, &link.name);
        nodes.attach(id, link);
        if let Some(node) = nodes.nodes.get_mut(&id) {
            node.lookups += 1;
        }
    }

    /// The kernel gives back `count` references.
    pub(super) fn forget(&self, id: NodeId, count: u64) {
        let mut nodes = self.nodes.lock();
        if let Some(node) = nodes.nodes.get_mut(&id) {
            node.lookups = node.lookups.saturating_sub(count);
            nodes.collect(id);
        }
    }

    /// Counts an open handle, or with `-1` its end.
    pub(super) fn count_open(&self, id: NodeId, change: i32) {
        let mut nodes = self.nodes.lock();
        if let Some(node) = nodes.nodes.get_mut(&id) {
            node.opens = node.opens.saturating_add_signed(change);
            nodes.collect(id);
        }
    }

    /// A name is gone.
    pub(super) fn remove(&self, parent: NodeId, name: &ShownName) {
        self.nodes.lock().detach(parent, name);
    }

    /// A name became another one. What had the new name before has lost it.
    pub(super) fn rename(&self, parent: NodeId, name: &ShownName, link: Link) {
        let mut nodes = self.nodes.lock();
        // Both stay alive while they have no name in between.
        let moved = nodes
            .nodes
            .get(&parent)
            .and_then(|parent| parent.children.get(name).copied());
        let Some(id) = moved else {
            nodes.detach(link.parent, &link.name);
            return;
        };
        if let Some(node) = nodes.nodes.get_mut(&id) {
            node.opens += 1;
        }
        nodes.detach(parent, name);
        nodes.detach(link.parent, &link.name);
        nodes.attach(id, link);
        if let Some(node) = nodes.nodes.get_mut(&id) {
            node.opens -= 1;
        }
        nodes.collect(id);
    }

    /// Two names changed places; `first` and `second` are the places with their raw names.
    pub(super) fn exchange(&self, first: Link, second: Link) {
        let mut nodes = self.nodes.lock();
        let child = |nodes: &Nodes, link: &Link| {
            nodes
                .nodes
                .get(&link.parent)
                .and_then(|parent| parent.children.get(&link.name).copied())
        };
        let ids = [child(&nodes, &first), child(&nodes, &second)];
        for id in ids.into_iter().flatten() {
            if let Some(node) = nodes.nodes.get_mut(&id) {
                node.opens += 1;
            }
        }
        nodes.detach(first.parent, &first.name);
        nodes.detach(second.parent, &second.name);
        for (id, link) in ids.into_iter().zip([second, first]) {
            if let Some(id) = id {
                nodes.attach(id, link);
            }
        }
        for id in ids.into_iter().flatten() {
            if let Some(node) = nodes.nodes.get_mut(&id) {
                node.opens -= 1;
            }
            nodes.collect(id);
        }
    }

    /// Another raw file has taken the place of the node's, under the same name.
    pub(super) fn exchange_raw(&self, id: NodeId, raw_id: RawId) {
        let mut nodes = self.nodes.lock();
        let Some(node) = nodes.nodes.get_mut(&id) else {
            return;
        };
        let former = std::mem::replace(&mut node.raw_id, raw_id);
        node.former_id = Some(former);
        if nodes.by_raw.get(&former) == Some(&id) {
            nodes.by_raw.remove(&former);
        }
        nodes.by_raw.insert(raw_id, id);
    }

    /// Raw names and IVs of everything known below `id`, made anew after its own changed. The
    /// result: every file below (and `id` itself) with its new external IV.
    pub(super) fn encode_below(&self, id: NodeId, coding: &NameCoding) -> Vec<(NodeId, u64)> {
        let mut nodes = self.nodes.lock();
        let mut changed = Vec::new();
        let mut next = vec![id];
        while let Some(id) = next.pop() {
            let Some(node) = nodes.nodes.get(&id) else {
                continue;
            };
            let iv = node.links.first().map_or(ROOT_IV, |link| link.iv);
            changed.push((id, iv));
            let children: Vec<(ShownName, NodeId)> = node
                .children
                .iter()
                .map(|(name, &child)| (name.clone(), child))
                .collect();
            for (name, child) in children {
                // Forward mode only: in reverse mode no name depends on the path.
                let encoded =
                    PlainName::new(name.as_bytes()).and_then(|plain| coding.encode(&plain, iv));
                let Ok((raw, iv)) = encoded else {
                    continue;
                };
                let raw = StoredName::from(raw);
                if let Some(node) = nodes.nodes.get_mut(&child) {
                    for link in &mut node.links {
                        if link.parent == id && link.name == name {
                            link.raw = raw.clone();
                            link.iv = iv;
                        }
                    }
                }
                next.push(child);
            }
        }
        changed
    }

    /// Runs `get` on a node.
    pub(super) fn with<T>(&self, id: NodeId, get: impl FnOnce(&mut Node) -> T) -> Option<T> {
        self.nodes.lock().nodes.get_mut(&id).map(get)
    }

    /// A name of the node, if it has one.
    pub(super) fn place(&self, id: NodeId) -> Option<Place> {
        self.with(id, |node| {
            node.links.first().map(|link| Place {
                parent: link.parent,
                raw: link.raw.clone(),
                iv: link.iv,
            })
        })
        .flatten()
    }

    /// The node that has the name `name` in `parent`, if one has.
    pub(super) fn child(&self, parent: NodeId, name: &ShownName) -> Option<NodeId> {
        self.with(parent, |node| node.children.get(name).copied())
            .flatten()
    }

    /// The IV of names in the directory `id`.
    pub(super) fn dir_iv(&self, id: NodeId) -> Option<u64> {
        if id == ROOT {
            return Some(ROOT_IV);
        }
        self.with(id, |node| node.links.first().map(|link| link.iv))
            .flatten()
    }
}
