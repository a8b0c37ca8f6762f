//! The configuration of a volume, whatever file it came from (format 2).
