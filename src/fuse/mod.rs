//! Adapter to the FUSE library: translate, reply, errno. No decisions.
