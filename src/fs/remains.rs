//! What is kept of a filesystem whose volume is closed while it stays mounted (`--ondemand`).
//!
//! The kernel goes on holding numbers of nodes: a shell stands in a directory, a program has looked
//! a file up. When the volume is opened again these numbers must mean what they meant, so they are
//! kept, each with its names as they lie in storage (in forward mode that is: encrypted) and the
//! number of references. What the kernel gives back in between is counted off.

use std::collections::HashMap;

use super::EncFs;
use super::direction::{BothNames, StoredName};
use super::tree::{Link, Node, NodeId, Nodes, ROOT};
use crate::nameio::ROOT_IV;
use crate::raw::{Kind, RawId};

/// The nodes that the kernel still refers to.
#[derive(Debug)]
pub struct Remains {
    nodes: HashMap<NodeId, Remaining>,
    next_high: u64,
}

#[derive(Debug)]
struct Remaining {
    raw_id: RawId,
    kind: Kind,
    lookups: u64,
    link_len: Option<u64>,
    /// Parent and stored name.
    links: Vec<(NodeId, StoredName)>,
}

impl Remains {
    /// The kernel gives back `count` references to a node.
    pub fn forget(&mut self, id: NodeId, count: u64) {
        if let Some(node) = self.nodes.get_mut(&id) {
            // One without references may be the parent of others; it goes when the tree is made.
            node.lookups = node.lookups.saturating_sub(count);
        }
    }
}

impl EncFs {
    /// Takes out what the kernel still refers to; the filesystem is not to be used afterwards.
    #[must_use]
    pub fn remains(&self) -> Remains {
        let mut nodes = self.tree.nodes.lock();
        let next_high = nodes.next_high;
        let nodes = nodes.nodes.drain();
        let kept = |(id, node): (NodeId, Node)| {
            let links = node.links.into_iter().map(|link| (link.parent, link.raw));
            let remaining = Remaining {
                raw_id: node.raw_id,
                kind: node.kind,
                lookups: node.lookups,
                link_len: node.link_len,
                links: links.collect(),
            };
            (id, remaining)
        };
        Remains {
            nodes: nodes.map(kept).collect(),
            next_high,
        }
    }

    /// Gives the nodes of `remains` their numbers and names back; to be called before anything else.
    /// A name that does not decode any more is no name: its node is stale.
    pub fn revive(&self, remains: Remains) {
        let mut children: HashMap<NodeId, Vec<(NodeId, StoredName)>> = HashMap::new();
        let mut nodes = self.tree.nodes.lock();
        nodes.next_high = remains.next_high;
        for (id, node) in remains.nodes {
            for (parent, name) in node.links {
                children.entry(parent).or_default().push((id, name));
            }
            if id == ROOT {
                // It is there already, and always stays.
                continue;
            }
            let mut revived = Node::new(node.raw_id, node.kind);
            revived.lookups = node.lookups;
            revived.link_len = node.link_len;
            nodes.nodes.insert(id, revived);
            nodes.by_raw.insert(node.raw_id, id);
        }
        let mut next = vec![(ROOT, ROOT_IV)];
        while let Some((parent, dir_iv)) = next.pop() {
            for (id, name) in children.remove(&parent).unwrap_or_default() {
                let stored = Box::from(name.as_bytes());
                let Some(BothNames { shown, stored, iv }) = self.by_stored(stored, dir_iv) else {
                    continue;
                };
                let link = Link {
                    parent,
                    name: shown,
                    raw: stored,
                    iv,
                };
                nodes.attach(id, link);
                next.push((id, iv));
            }
        }
        drop_unused(&mut nodes);
    }
}

fn drop_unused(nodes: &mut Nodes) {
    let all: Vec<NodeId> = nodes.nodes.keys().copied().collect();
    for id in all {
        nodes.collect(id);
    }
}
