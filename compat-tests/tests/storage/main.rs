//! Real storage: the article's story on sshfs, rclone and davfs2, a connection that breaks, and
//! the budget of round trips. `make test-s3` does the same with s3fs.

mod budget;
mod cut;
mod stories;
