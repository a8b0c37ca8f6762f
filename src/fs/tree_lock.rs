//! Names held steady while an operation uses them.
//!
//! An operation on a name or node holds the node and all its ancestors *shared*; a change of
//! names holds the renamed or removed node *exclusive*, which waits for everything below it and
//! keeps new ones out. So an operation never uses a raw name while it changes, and a rename of a
//! whole subtree stops nothing but paths through that subtree.
//!
//! A guard is taken whole or not at all, and nobody waits for one while holding another: no
//! order of locks can lock up. Reading and writing by handle needs no guard.

use super::tree::{NodeId, Nodes, Tree};

/// Names held steady until this is dropped.
pub(super) struct PathGuard<'a> {
    tree: &'a Tree,
    shared: Vec<NodeId>,
    exclusive: Vec<NodeId>,
}

impl Tree {
    /// Holds the names of `ids` and of all their ancestors.
    pub(super) fn steady(&self, ids: &[NodeId]) -> PathGuard<'_> {
        self.hold(ids, &[])
    }

    /// Holds `shared` and their ancestors, and changes names of `exclusive`.
    pub(super) fn hold(&self, shared: &[NodeId], exclusive: &[NodeId]) -> PathGuard<'_> {
        let mut exclusive = exclusive.to_vec();
        exclusive.sort_unstable();
        exclusive.dedup();
        let mut nodes = self.nodes.lock();
        // A node that is gone is not held: one that is made with its number is another.
        exclusive.retain(|id| nodes.nodes.contains_key(id));
        for id in &exclusive {
            if let Some(node) = nodes.nodes.get_mut(id) {
                node.wanted += 1;
            }
        }
        let shared = loop {
            let mut chain = ancestors(&nodes, shared);
            chain.retain(|id| !exclusive.contains(id) && nodes.nodes.contains_key(id));
            if is_free(&nodes, &chain, &exclusive) {
                break chain;
            }
            self.steady.wait(&mut nodes);
        };
        for id in &shared {
            if let Some(node) = nodes.nodes.get_mut(id) {
                node.shared += 1;
            }
        }
        for id in &exclusive {
            if let Some(node) = nodes.nodes.get_mut(id) {
                node.wanted -= 1;
                node.exclusive = true;
            }
        }
        PathGuard {
            tree: self,
            shared,
            exclusive,
        }
    }
}

/// The nodes and all that lie above them, each once.
fn ancestors(nodes: &Nodes, ids: &[NodeId]) -> Vec<NodeId> {
    let mut all = Vec::new();
    for &id in ids {
        let mut next = Some(id);
        while let Some(id) = next {
            if all.contains(&id) {
                break;
            }
            all.push(id);
            next = nodes
                .nodes
                .get(&id)
                .and_then(|node| node.links.first())
                .map(|link| link.parent);
        }
    }
    all
}

fn is_free(nodes: &Nodes, shared: &[NodeId], exclusive: &[NodeId]) -> bool {
    // Readers let waiting changes go first, changes do not wait for each other's wish.
    let reader = exclusive.is_empty();
    let shared_free = shared.iter().filter_map(|id| nodes.nodes.get(id));
    let exclusive_free = exclusive.iter().filter_map(|id| nodes.nodes.get(id));
    shared_free
        .map(|node| !(node.exclusive || reader && node.wanted > 0))
        .chain(exclusive_free.map(|node| !node.exclusive && node.shared == 0))
        .all(|free| free)
}

impl Drop for PathGuard<'_> {
    fn drop(&mut self) {
        let mut nodes = self.tree.nodes.lock();
        for id in &self.shared {
            if let Some(node) = nodes.nodes.get_mut(id) {
                node.shared -= 1;
            }
        }
        for id in &self.exclusive {
            if let Some(node) = nodes.nodes.get_mut(id) {
                node.exclusive = false;
            }
        }
        for id in self.exclusive.iter().chain(&self.shared) {
            nodes.collect(*id);
        }
        drop(nodes);
        self.tree.steady.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use crate::fs::tree::{NodeId, Tree};
    use crate::nameio::{PlainName, RawName};
    use crate::raw::{Kind, RawId, Stat, Time};

    fn stat(ino: u64, kind: Kind) -> Stat {
        let time = Time { secs: 0, nanos: 0 };
        Stat {
            id: RawId { dev: 1, ino },
            kind,
            mode: 0o700,
            nlink: 1,
            uid: 0,
            gid: 0,
            rdev: 0,
            size: 0,
            blocks: 0,
            blksize: 4096,
            atime: time,
            mtime: time,
            ctime: time,
        }
    }

    /// A number can be given to another node while a guard that meant the old one is held.
    #[test]
    fn a_guard_of_a_node_that_is_gone_leaves_its_successor_alone() {
        let tree = Tree::new(&stat(2, Kind::Dir));
        let gone = NodeId(100);
        let guard = tree.hold(&[gone], &[]);
        let other = tree.hold(&[], &[gone]);
        let link = crate::fs::tree::Link {
            parent: crate::fs::ROOT,
            name: PlainName::new(b"name".as_slice()).unwrap().into(),
            raw: RawName::new(b"raw".as_slice()).unwrap().into(),
            iv: 0,
        };
        assert_eq!(tree.enter(link, &stat(100, Kind::Dir), true), gone);
        let held = tree.hold(&[], &[gone]);
        drop(guard);
        drop(other);
        assert_eq!(
            tree.with(gone, |node| (node.shared, node.exclusive)),
            Some((0, true))
        );
        drop(held);
        assert_eq!(
            tree.with(gone, |node| (node.shared, node.exclusive)),
            Some((0, false))
        );
    }
}
