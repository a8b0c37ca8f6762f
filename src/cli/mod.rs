//! Words to requests; results to words.
