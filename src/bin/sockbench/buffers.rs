//! The socket buffers that are asked for; by default the system's.

use std::io;

use streamsock::Conn;

use crate::Error;

#[derive(Clone, Copy, Default)]
pub struct Buffers {
    pub send: Option<usize>,
    pub recv: Option<usize>,
}

#[cfg(feature = "sockopt")]
impl Buffers {
    pub fn check(&self) -> Result<(), Error> {
        Ok(())
    }

    /// Sets what is asked for, and tells what the system made of it.
    pub fn set(&self, conn: &Conn) -> io::Result<Option<String>> {
        use streamsock::sockopt;
        self.send.map_or(Ok(()), |bytes| sockopt::set_send_buffer(conn, bytes))?;
        self.recv.map_or(Ok(()), |bytes| sockopt::set_recv_buffer(conn, bytes))?;
        let (send, recv) = (sockopt::send_buffer(conn)?, sockopt::recv_buffer(conn)?);
        Ok(Some(format!("{}: SO_SNDBUF {send} bytes, SO_RCVBUF {recv} bytes", conn.network())))
    }
}

#[cfg(not(feature = "sockopt"))]
impl Buffers {
    pub fn check(&self) -> Result<(), Error> {
        if self.send.is_none() && self.recv.is_none() {
            return Ok(());
        }
        Err(Error::Usage("--sndbuf and --rcvbuf need a build with --features sockopt".into()))
    }

    pub fn set(&self, _: &Conn) -> io::Result<Option<String>> {
        Ok(None)
    }
}
