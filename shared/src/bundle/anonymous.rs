//! Tensors without the numbers that Burn gives them.

use burn_store::{ModuleAdapter, TensorSnapshot};

/// Drops the numbers of parameters. Burn draws them at random and stores them beside the weights, so the same network
/// would give other bytes each time.
#[derive(Clone)]
pub(super) struct Anonymous;

impl ModuleAdapter for Anonymous {
    fn adapt(&self, snapshot: &TensorSnapshot) -> TensorSnapshot {
        let mut anonymous = snapshot.clone();
        anonymous.tensor_id = None;
        anonymous
    }

    fn clone_box(&self) -> Box<dyn ModuleAdapter> {
        Box::new(self.clone())
    }
}
