//! The listening: connections, time-outs, limits.
//!
//! One thread waits for the first connection; only then is there a runtime. A job that never asks costs a thread that sleeps.

use std::io;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::runtime;
use tokio::sync::Semaphore;
use tokio::time::{Instant, Sleep};

use crate::{Limits, ServicesError};

/// A request may have so many headers.
const HEADERS: usize = 100;

/// Bytes of a request's head, and of its body that are read at once.
const BUFFER: usize = 512 << 10;

/// Bytes of a request's headers.
const HEADER_BYTES: usize = 64 << 10;

/// A server on a thread of its own. Dropping it ends the thread and all connections.
#[derive(Debug)]
pub(crate) struct Server {
    stop: Arc<AtomicBool>,
    address: SocketAddr,
}

impl Server {
    pub(crate) fn start(listener: TcpListener, router: Router, limits: Limits) -> Result<Self, ServicesError> {
        let address = listener.local_addr().map_err(ServicesError::Thread)?;
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = stop.clone();
        std::thread::Builder::new()
            .name("services".into())
            .spawn(move || serve(&listener, router, limits, &stopped))
            .map_err(ServicesError::Thread)?;
        Ok(Self { stop, address })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        // A connection wakes the thread. None is possible only where it waits no more.
        let _ = TcpStream::connect_timeout(&self.address, Duration::from_secs(1));
    }
}

fn serve(listener: &TcpListener, router: Router, limits: Limits, stop: &AtomicBool) {
    let first = loop {
        match listener.accept() {
            _ if stop.load(Ordering::SeqCst) => return,
            Ok((stream, _)) => break stream,
            Err(_) => std::thread::sleep(Duration::from_millis(20)),
        }
    };
    // Steps see a refused connection where there can be no runtime (no file descriptor is left).
    let Ok(runtime) =
        runtime::Builder::new_current_thread().enable_io().enable_time().thread_name("services-io").build()
    else {
        return;
    };
    let _ = runtime.block_on(accept(first, listener, router, limits, stop));
    // Work that waits for a client which is gone must not hold the end.
    runtime.shutdown_background();
}

async fn accept(
    first: TcpStream,
    listener: &TcpListener,
    router: Router,
    limits: Limits,
    stop: &AtomicBool,
) -> io::Result<()> {
    let places = Arc::new(Semaphore::new(limits.connections.max(1)));
    let listener = listener.try_clone()?;
    listener.set_nonblocking(true)?;
    let listener = tokio::net::TcpListener::from_std(listener)?;
    first.set_nonblocking(true)?;
    let mut next = Ok(tokio::net::TcpStream::from_std(first)?);
    loop {
        if stop.load(Ordering::SeqCst) {
            return Ok(());
        }
        match next {
            Ok(stream) => {
                let (places, router) = (places.clone(), router.clone());
                tokio::spawn(async move {
                    // Waits here, not in the loop, which has to notice the end.
                    let Ok(_place) = places.acquire_owned().await else { return };
                    connection(stream, router, limits.stall).await;
                });
            }
            // Too many files are open: some will be closed.
            Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
        }
        next = listener.accept().await.map(|(stream, _)| stream);
    }
}

async fn connection(stream: tokio::net::TcpStream, router: Router, stall: Duration) {
    let _ = stream.set_nodelay(true);
    let stream = Guarded { stream, stall, due: None };
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new())
        // Also ends connections that are kept open and not used.
        .header_read_timeout(stall)
        .max_headers(HEADERS)
        .max_header_size(HEADER_BYTES)
        .max_buf_size(BUFFER);
    // How a connection ends is the client's to know: its request broke off, or it went away.
    let _ = http.serve_connection(TokioIo::new(stream), TowerToHyperService::new(router)).await;
}

/// A connection that ends when its client takes nothing for too long. (Reading has time-outs where it is known what is due.)
struct Guarded {
    stream: tokio::net::TcpStream,
    stall: Duration,
    due: Option<Pin<Box<Sleep>>>,
}

impl Guarded {
    fn guard<T>(&mut self, context: &mut Context<'_>, written: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if written.is_ready() {
            self.due = None;
            return written;
        }
        let stall = self.stall;
        let due = self.due.get_or_insert_with(|| Box::pin(tokio::time::sleep_until(Instant::now() + stall)));
        match due.as_mut().poll(context) {
            Poll::Ready(()) => Poll::Ready(Err(io::ErrorKind::TimedOut.into())),
            Poll::Pending => Poll::Pending,
        }
    }
}

impl AsyncRead for Guarded {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, into)
    }
}

impl AsyncWrite for Guarded {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.guard(context, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(context, parts);
        self.guard(context, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
