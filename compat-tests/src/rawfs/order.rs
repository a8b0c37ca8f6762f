//! Writes that must come in order, and second writes that are lost.

use std::ops::Range;

use rustix::io::Errno;

use super::behaviour::{Order, Overwrite};

/// What was written through one open.
#[derive(Debug, Default)]
pub(super) struct Written {
    ranges: Vec<Range<u64>>,
    /// Where a sequential writer goes on; none if it cannot.
    next: Option<u64>,
}

impl Written {
    /// A file of `size` bytes is opened.
    pub(super) fn opened(size: u64) -> Self {
        Self {
            ranges: Vec::new(),
            next: (size == 0).then_some(0),
        }
    }

    /// The file was cut to `size`.
    pub(super) fn cut(&mut self, size: u64) {
        self.ranges.retain_mut(|range| {
            range.end = range.end.min(size);
            !range.is_empty()
        });
        if size == 0 {
            self.next = Some(0);
        }
    }

    /// A write is about to be done into a file of `size` bytes. The result: what of it reaches
    /// the file.
    pub(super) fn write(
        &mut self,
        write: Range<u64>,
        size: u64,
        order: Order,
        overwrite: Overwrite,
    ) -> Result<Vec<Range<u64>>, Errno> {
        match order {
            Order::AppendOnly(errno) if write.start != size => return Err(errno),
            Order::SequentialOnly(errno) if self.next != Some(write.start) => return Err(errno),
            _ => {}
        }
        self.next = self.next.map(|_| write.end);
        let lost_before = match overwrite {
            Overwrite::Kept => 0,
            Overwrite::LostBefore(position) => position,
            Overwrite::Lost => u64::MAX,
        };
        let mut kept = vec![write.clone()];
        for old in &self.ranges {
            let lost = old.start..old.end.min(lost_before);
            kept = kept.iter().flat_map(|part| without(part, &lost)).collect();
        }
        if lost_before > 0 {
            self.ranges.push(write);
        }
        Ok(kept)
    }
}

/// `part` less `lost`.
fn without(part: &Range<u64>, lost: &Range<u64>) -> Vec<Range<u64>> {
    if lost.is_empty() || lost.end <= part.start || part.end <= lost.start {
        return vec![part.clone()];
    }
    let parts = [part.start..lost.start, lost.end..part.end];
    parts.into_iter().filter(|part| !part.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::{Errno, Order, Overwrite, Written};

    #[test]
    fn second_writes_are_lost() {
        let mut written = Written::opened(0);
        for (range, overwrite, kept) in [
            (0..10, Overwrite::Lost, Some(0..10)),
            (5..20, Overwrite::Lost, Some(10..20)),
            (0..30, Overwrite::LostBefore(8), Some(8..30)),
            (3..7, Overwrite::Lost, None),
        ] {
            let parts = written.write(range, 0, Order::Any, overwrite).unwrap();
            assert_eq!(parts, Vec::from_iter(kept));
        }
    }

    #[test]
    fn order_is_demanded() {
        let sequential = Order::SequentialOnly(Errno::INVAL);
        let mut written = Written::opened(100);
        let write = |written: &mut Written, range, order| {
            written.write(range, 100, order, Overwrite::Kept).is_ok()
        };
        assert!(!write(&mut written, 0..10, sequential));
        written.cut(0);
        assert!(write(&mut written, 0..10, sequential));
        assert!(write(&mut written, 10..30, sequential));
        assert!(!write(&mut written, 0..5, sequential));
        let append = Order::AppendOnly(Errno::INVAL);
        assert!(write(&mut written, 100..110, append));
        assert!(!write(&mut written, 99..110, append));
    }
}
