//! A blob's URL in, its bytes out as they arrive: asked for again by range where a connection breaks, never held whole, not checked here
//! (see `blob`). Ranges: <https://www.rfc-editor.org/rfc/rfc9110#section-14>.

use std::io::{self, Read};

use tokio::sync::mpsc;
use url::Url;

use crate::registry::{
    Error,
    retry::Trouble,
    transport::{Opened, Transport},
};

/// So many more bytes make a broken download one that gets on; its attempts are counted anew.
const PROGRESS: u64 = 1 << 20;

/// A blob that is to be read.
pub(super) struct Download {
    /// Where it is.
    pub(super) url: Url,
    /// How many bytes its descriptor promises.
    pub(super) size: u64,
    /// Its name for messages.
    pub(super) what: String,
}

impl Download {
    /// Asks for the blob's beginning; a missing or denied blob is an error here and not in the middle of a read.
    pub(super) async fn start(&self, transport: &Transport) -> Result<Opened, Error> {
        let nothing = || Error::Unexpected {
            registry: transport.registry().to_owned(),
            what: self.what.clone(),
            status: 416,
            message: String::new(),
        };
        transport.open(&self.url, 0, &self.what).await?.ok_or_else(nothing)
    }

    /// Passes chunks on until the blob is complete or nobody reads any more; continues where a connection broke.
    pub(super) async fn pump(
        &self,
        transport: &Transport,
        mut opened: Opened,
        sender: &mpsc::Sender<Result<Vec<u8>, Error>>,
        report: impl Fn(usize),
    ) -> Result<(), Error> {
        let (mut sent, mut begun, mut mark, mut attempt) = (0_u64, 0_u64, 0_u64, 1_u32);
        loop {
            let next = tokio::time::timeout_at(transport.deadline(), opened.response.chunk()).await;
            let trouble = match next.map_err(|_| transport.too_late(&self.what))? {
                Ok(Some(chunk)) => {
                    let mut chunk = Vec::from(chunk);
                    if opened.skip > 0 {
                        let known = usize::try_from(opened.skip).unwrap_or(usize::MAX).min(chunk.len());
                        chunk.drain(..known);
                        opened.skip -= known as u64;
                    }
                    sent = sent.saturating_add(chunk.len() as u64);
                    report(chunk.len());
                    let closed = !chunk.is_empty() && sender.send(Ok(chunk)).await.is_err();
                    if closed || sent > self.size {
                        return Ok(());
                    }
                    continue;
                }
                // All there is, or an answer that brought nothing more: the reader knows whether that is enough.
                Ok(None) if sent >= self.size || sent == begun => return Ok(()),
                // Too early, which is how a cut connection looks when no length was announced.
                Ok(None) => Trouble::Again {
                    error: Error::Unreachable {
                        registry: transport.registry().to_owned(),
                        reason: "the connection ended early".to_owned(),
                    },
                    after: None,
                    attempts: transport.options().retry.attempts,
                },
                Err(_) if sent >= self.size => return Ok(()),
                Err(error) => transport.classify(&error),
            };
            if sent - mark >= PROGRESS {
                (mark, attempt) = (sent, 1);
            }
            transport.pause(trouble, &mut attempt).await?;
            begun = sent;
            match transport.open(&self.url, sent, &self.what).await? {
                Some(next) => opened = next,
                None => return Ok(()),
            }
        }
    }
}

/// Blocking reads from chunks that an async task sends.
pub(super) struct ChannelReader {
    receiver: mpsc::Receiver<Result<Vec<u8>, Error>>,
    chunk: Vec<u8>,
    at: usize,
}

impl ChannelReader {
    pub(super) const fn new(receiver: mpsc::Receiver<Result<Vec<u8>, Error>>) -> Self {
        Self { receiver, chunk: Vec::new(), at: 0 }
    }
}

impl Read for ChannelReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let mut rest = self.chunk.get(self.at..).unwrap_or_default();
            if !rest.is_empty() || buffer.is_empty() {
                let count = rest.read(buffer)?;
                self.at += count;
                return Ok(count);
            }
            match self.receiver.blocking_recv() {
                None => return Ok(0),
                Some(chunk) => (self.chunk, self.at) = (chunk.map_err(io::Error::other)?, 0),
            }
        }
    }
}
