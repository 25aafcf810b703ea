//! What the page may do.

/// The page's Content-Security-Policy: nothing reaches another origin, and no script runs but the site's own files.
///
/// It stands in the page itself, because static hosts send no headers of ours. Other sites may embed the page, so it says
/// nothing about its ancestors.
pub const POLICY: &str = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; \
                          img-src 'self' data: blob:; media-src 'self' blob: data:; connect-src 'self' blob:; \
                          worker-src 'self'; manifest-src 'self'; base-uri 'self'; form-action 'none'; \
                          object-src 'none'";
