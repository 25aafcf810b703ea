//! What the workspace's tasks share with its tests.

pub mod policy;
pub mod serve;
