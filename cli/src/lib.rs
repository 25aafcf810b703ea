//! The program `denoise`, as a library for other programs.
