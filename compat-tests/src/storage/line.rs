//! A network line with a delay, which counts round trips.
//!
//! Bytes are passed on as they come, each chunk later by half a round trip. What is said is often
//! encrypted, so round trips are counted by the changes of direction, two for each: a lower bound,
//! since a client may have several requests on the way at once.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::os::unix::net::UnixStream;
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

use anyhow::Result;
use parking_lot::Mutex;

/// Bytes that are passed on at once, at most.
const CHUNK: usize = 256 << 10;

/// What is set and seen of all connections of one line.
#[derive(Debug, Default)]
pub struct Line {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    one_way: Duration,
    upward: Option<bool>,
    turns: u64,
    bytes: [u64; 2],
}

/// What was said over a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Said {
    /// Round trips at least.
    pub round_trips: u64,
    /// Bytes to the server.
    pub up: u64,
    /// Bytes to the client.
    pub down: u64,
}

impl Line {
    /// A line without delay.
    #[must_use]
    pub fn new() -> Arc<Self> {
        Arc::default()
    }

    /// From now on a round trip takes this long.
    pub fn set_round_trip(&self, time: Duration) {
        self.state.lock().one_way = time / 2;
    }

    /// What was said since the last time this was asked.
    pub fn take(&self) -> Said {
        let mut state = self.state.lock();
        let [up, down] = std::mem::take(&mut state.bytes);
        state.upward = None;
        Said {
            round_trips: std::mem::take(&mut state.turns).div_ceil(2),
            up,
            down,
        }
    }

    /// Passes everything between `client` and `server` from threads of its own, until either of
    /// them closes.
    ///
    /// # Errors
    /// When the sockets cannot be shared.
    pub fn join(self: &Arc<Self>, client: TcpStream, server: UnixStream) -> Result<()> {
        client.set_nodelay(true)?;
        let (from_client, to_server) = (client.try_clone()?, server.try_clone()?);
        let (from_server, to_client) = (server, client);
        self.pass(true, from_client, to_server, |socket| {
            let _ = socket.shutdown(Shutdown::Write);
        });
        self.pass(false, from_server, to_client, |socket| {
            let _ = socket.shutdown(Shutdown::Both);
        });
        Ok(())
    }

    fn pass<R, W>(self: &Arc<Self>, upward: bool, mut from: R, mut to: W, close: fn(&W))
    where
        R: Read + Send + 'static,
        W: Write + Send + 'static,
    {
        let (sender, receiver) = mpsc::channel::<(Instant, Vec<u8>)>();
        let line = Arc::clone(self);
        std::thread::spawn(move || {
            let mut buffer = vec![0; CHUNK];
            while let Ok(got) = from.read(&mut buffer) {
                let chunk = buffer.get(..got).unwrap_or_default();
                if chunk.is_empty()
                    || sender
                        .send((line.note(upward, got), chunk.to_vec()))
                        .is_err()
                {
                    break;
                }
            }
        });
        std::thread::spawn(move || {
            while let Ok((due, chunk)) = receiver.recv() {
                // This is the delay itself, not a wait for something else.
                std::thread::sleep(due.saturating_duration_since(Instant::now()));
                if to.write_all(&chunk).is_err() {
                    break;
                }
            }
            close(&to);
        });
    }

    /// Counts a chunk; the result is when it is to arrive.
    fn note(&self, upward: bool, bytes: usize) -> Instant {
        let mut state = self.state.lock();
        if state.upward != Some(upward) {
            state.upward = Some(upward);
            state.turns += 1;
        }
        if let Some(count) = state.bytes.get_mut(usize::from(!upward)) {
            *count += bytes as u64;
        }
        Instant::now() + state.one_way
    }
}
