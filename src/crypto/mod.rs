//! Primitives: ciphers, IVs, MACs, key derivation, key wrapping (format 4, 5).
