//! Reverse mode: a plain tree, and its encrypted view by both programs.

mod refused;
mod scene;
mod views;
mod writes;
