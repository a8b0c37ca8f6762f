//! File contents: plain to raw and back (format 7).
