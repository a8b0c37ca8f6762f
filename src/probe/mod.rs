//! The examination of storage: what it does with orders, found out by giving some.

mod findings;

pub use findings::{Case, Findings, HardLinks, InodeNumbers, Latency, Names, Outcome, Times};
