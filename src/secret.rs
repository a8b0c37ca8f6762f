//! Zeroised bytes: keys, passwords, plain buffers.
