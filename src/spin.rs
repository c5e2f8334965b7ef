//! `Spin`: a `Conn` that busy-waits for a moment before it sleeps.
//!
//! To copy this file, `addr.rs` and `conn.rs` are needed.

use std::fmt;
use std::io::{self, IoSlice, IoSliceMut, Read, Write};
use std::net::Shutdown;
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use super::conn::Conn;

/// A [`Conn`] whose reads and writes busy-wait, asking over and over, for up to a budget before they
/// sleep in the kernel.
///
/// Going to sleep and being woken up costs more than moving a small message: several times more when
/// the two ends run on two CPUs, as the program `sockbench` shows. When the answer comes soon, a
/// busy-wait avoids that cost. Latency is lowest when each end is pinned to a CPU of its own, or runs in
/// a container with a CPU of its own.
///
/// **What it costs:** every wait keeps a CPU busy for up to the budget, whether or not anything
/// arrives. Two rules keep that from harming others who could use the CPU:
///
/// - no more threads of a process busy-wait at once than it may use CPUs
///   ([`thread::available_parallelism`]); the others sleep at once;
/// - every few attempts it offers its CPU to others ([`thread::yield_now`],
///   [sched_yield(2)](https://man7.org/linux/man-pages/man2/sched_yield.2.html)). If one takes it, this
///   wait falls back to blocking, and so do the next n: 1, then 3, up to 63. Each time that a busy-wait
///   pays off, n is halved. Two ends on the same CPU yield to each other: with one write a message
///   they take about as long as with a `Conn`, with several up to twice as long.
///
/// Busy-waiting pays off while there are fewer busy connections than CPUs. A server whose CPUs are all
/// busy handles about as much as with a `Conn`, at worst 0.8 times as much.
///
/// A few round trips, some 50 µs, is a good budget to start with. With a budget of zero it never
/// busy-waits.
///
/// A `Spin` cannot be shared between threads or cloned: a busy-wait makes the socket non-blocking, and
/// `O_NONBLOCK` belongs to the socket, not to one handle on it. For the same reason, an earlier clone
/// of the `Conn` may see `WouldBlock`, also after the `Spin` was dropped:
/// [`into_inner`](Spin::into_inner) makes the socket blocking again, dropping does not.
///
/// ```
/// use std::io::{Read, Write};
/// use std::time::Duration;
/// use streamsock::{Conn, Spin};
///
/// let (near, mut far) = Conn::pair()?;
/// let mut near = Spin::new(near, Duration::from_micros(50));
/// far.write_all(b"hi")?;
///
/// let mut word = [0; 2];
/// near.read_exact(&mut word)?;
/// assert_eq!(&word, b"hi");
///
/// let near: Conn = near.into_inner()?;
/// # Ok::<(), std::io::Error>(())
/// ```
pub struct Spin {
    conn: Conn,
    budget: Duration,
    nonblocking: bool,
    /// How many of the next waits sleep at once.
    sleeps: u32,
    /// The value of `sleeps` when the CPU was last taken away, halved each time that a busy-wait paid.
    penalty: u32,
}

/// Some 2 µs. Yielding more often slows two ends that busy-wait, by a fifth at every 4 attempts;
/// yielding more seldom keeps others from the CPU.
const ATTEMPTS_PER_YIELD: u32 = 8;
/// A yield to nobody takes less than 1 µs, and whoever gets the CPU keeps it for longer than this.
const TAKEN: Duration = Duration::from_micros(3);
const MAX_PENALTY: u32 = 63;

impl Spin {
    /// Takes over a blocking `conn`, to busy-wait for up to `budget` each time that it has to wait.
    pub fn new(conn: Conn, budget: Duration) -> Spin {
        Spin { conn, budget, nonblocking: false, sleeps: 0, penalty: 0 }
    }

    /// As [`Conn::set_read_timeout`]; it counts from when the budget is used up.
    pub fn set_read_timeout(&self, timeout: Option<Duration>) -> io::Result<()> {
        self.conn.set_read_timeout(timeout)
    }

    /// As [`Conn::set_write_timeout`]; it counts from when the budget is used up.
    pub fn set_write_timeout(&self, timeout: Option<Duration>) -> io::Result<()> {
        self.conn.set_write_timeout(timeout)
    }

    /// As [`Conn::shutdown`].
    pub fn shutdown(&self, how: Shutdown) -> io::Result<()> {
        self.conn.shutdown(how)
    }

    /// The `Conn`, blocking again.
    ///
    /// # Errors
    ///
    /// The system's, when the mode cannot be set.
    pub fn into_inner(mut self) -> io::Result<Conn> {
        self.set_nonblocking(false)?;
        Ok(self.conn)
    }

    /// Busy-waits where that harms nobody, then sleeps. The mode is switched only where it has to be,
    /// and remembered: around every sleep, that would be two more system calls. Of the sleeps that are
    /// due, a read uses up one, and a write none, as it hardly ever has to wait.
    fn wait(
        &mut self,
        uses_up: u32,
        mut attempt: impl FnMut(&Conn) -> io::Result<usize>,
    ) -> io::Result<usize> {
        if self.nonblocking {
            match attempt(&self.conn) {
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => {}
                done => return done,
            }
        }
        if self.sleeps > 0 {
            self.sleeps -= uses_up;
        } else if let Some(_place) = Place::take(self.budget) {
            let mut has_waited = self.nonblocking;
            self.set_nonblocking(true)?;
            let start = Instant::now();
            loop {
                for _ in 0..ATTEMPTS_PER_YIELD {
                    match attempt(&self.conn) {
                        Err(e) if e.kind() == io::ErrorKind::WouldBlock => has_waited = true,
                        done => {
                            if has_waited {
                                self.has_paid_off();
                            }
                            return done;
                        }
                    }
                }
                let waited = start.elapsed();
                thread::yield_now();
                if self.was_taken(start.elapsed() - waited) || waited >= self.budget {
                    break;
                }
            }
        }
        self.set_nonblocking(false)?;
        attempt(&self.conn)
    }

    /// A busy-wait was worth it.
    fn has_paid_off(&mut self) {
        self.penalty /= 2;
    }

    /// Whether a yield that took so long gave the CPU to somebody: then the next waits sleep.
    fn was_taken(&mut self, yielded_for: Duration) -> bool {
        let taken = yielded_for > TAKEN;
        if taken {
            self.penalty = (2 * self.penalty + 1).min(MAX_PENALTY);
            self.sleeps = self.penalty;
        }
        taken
    }

    fn set_nonblocking(&mut self, nonblocking: bool) -> io::Result<()> {
        if self.nonblocking != nonblocking {
            self.conn.set_nonblocking(nonblocking)?;
            self.nonblocking = nonblocking;
        }
        Ok(())
    }
}

impl fmt::Debug for Spin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Spin").field("conn", &self.conn).field("budget", &self.budget).finish()
    }
}

impl Read for Spin {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        self.wait(1, |mut conn| conn.read(buf))
    }

    fn read_vectored(&mut self, bufs: &mut [IoSliceMut<'_>]) -> io::Result<usize> {
        self.wait(1, |mut conn| conn.read_vectored(bufs))
    }
}

impl Write for Spin {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        self.wait(0, |mut conn| conn.write(buf))
    }

    fn write_vectored(&mut self, bufs: &[IoSlice<'_>]) -> io::Result<usize> {
        self.wait(0, |mut conn| conn.write_vectored(bufs))
    }

    /// There is nothing to flush: a write is in the socket's buffer when it returns.
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// For its options, and for poll(2). It may be non-blocking.
impl AsFd for Spin {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.conn.as_fd()
    }
}

/// One of the places to busy-wait that a process has: as many as it may use CPUs.
struct Place;

static BUSY: AtomicUsize = AtomicUsize::new(0);

impl Place {
    fn take(budget: Duration) -> Option<Place> {
        static PLACES: OnceLock<usize> = OnceLock::new();
        let places = *PLACES.get_or_init(|| thread::available_parallelism().map_or(1, usize::from));
        if budget.is_zero() {
            return None;
        }
        // Dropping a place that was one too many gives it back.
        let before = BUSY.fetch_add(1, Ordering::Relaxed);
        let place = Place;
        (before < places).then_some(place)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        BUSY.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One test, since every `Spin` of this process takes from the same places.
    #[test]
    fn no_more_threads_busy_wait_than_there_are_cpus_and_one_that_pays_off_halves_the_penalty() {
        let cpus = thread::available_parallelism().map_or(1, usize::from);
        let budget = Duration::from_secs(1);
        let places: Vec<_> = (0..cpus).map(|_| Place::take(budget).unwrap()).collect();
        assert!(Place::take(budget).is_none());
        drop(places);
        assert!(Place::take(budget).is_some());
        assert!(Place::take(Duration::ZERO).is_none());

        // Only a wait that was one pays off: not a read of what is there, and not a write.
        let (near, mut far) = Conn::pair().unwrap();
        let mut near = Spin::new(near, budget);
        near.penalty = 7;
        near.write_all(b"x").unwrap();
        far.write_all(b"x").unwrap();
        near.read_exact(&mut [0]).unwrap();
        assert_eq!(near.penalty, 7);
        for halved in [3, 1, 0, 0] {
            let mut attempts = 0..3;
            let arrives = |_: &Conn| match attempts.next() {
                Some(_) => Err(io::ErrorKind::WouldBlock.into()),
                None => Ok(1),
            };
            near.wait(1, arrives).unwrap();
            assert_eq!(near.penalty, halved);
        }
    }

    #[test]
    fn each_time_that_the_cpu_is_taken_more_waits_sleep() {
        let (near, _far) = Conn::pair().unwrap();
        let mut near = Spin::new(near, Duration::from_secs(1));
        assert!(!near.was_taken(TAKEN));
        assert_eq!((near.sleeps, near.penalty), (0, 0));
        for sleeps in [1, 3, 7, 15, 31, 63, 63] {
            assert!(near.was_taken(2 * TAKEN));
            assert_eq!((near.sleeps, near.penalty), (sleeps, sleeps));
        }
    }

    #[test]
    fn a_read_uses_up_a_sleep_and_a_write_none() {
        let (near, mut far) = Conn::pair().unwrap();
        let mut near = Spin::new(near, Duration::from_secs(1));
        near.sleeps = 2;
        for left in [1, 0] {
            near.write_all(b"x").unwrap();
            far.write_all(b"x").unwrap();
            near.read_exact(&mut [0]).unwrap();
            assert_eq!((near.sleeps, near.nonblocking), (left, false));
        }
    }
}
