//! What the workspace's tasks share with its tests.

pub mod serve;
