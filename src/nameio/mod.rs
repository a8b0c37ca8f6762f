//! File names: plain to raw and back (format 6).
