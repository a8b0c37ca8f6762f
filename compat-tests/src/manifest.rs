//! The fixture volumes and what their manifests promise.
