//! Vectors and properties of the content codec.
