//! The two phrasings of the U-Net, with its normalisation folded into its kernels.

mod convolutions;
mod folding;
mod products;
mod window_products;

pub(super) use convolutions::ConvolutionDcunet;
pub(super) use products::ProductDcunet;
