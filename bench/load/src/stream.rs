//! A non-blocking byte stream: TCP, or TLS over it.

use std::io::{self, Read, Write};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use mio::event::Source;
use mio::{Interest, Registry, Token};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, ClientConnection, DigitallySignedStruct, SignatureScheme, StreamOwned};
use socket2::{Domain, Socket, Type};

use crate::error::{Context, Error, Result};

/// The stream of one connection.
#[derive(Debug)]
pub enum Stream {
    /// Plain TCP.
    Plain(mio::net::TcpStream),
    /// TLS, boxed since its state is large.
    Tls(Box<StreamOwned<ClientConnection, mio::net::TcpStream>>),
}

impl Stream {
    /// Connects. Blocks until the connection is there: on loopback that is at once.
    /// `serial` numbers the connections; on Linux they are spread over source addresses, so that tens of thousands of
    /// closed ones do not use up the ports.
    pub fn connect(address: SocketAddr, tls: Option<&Arc<ClientConfig>>, serial: u64) -> Result<Self> {
        let socket = Socket::new(Domain::for_address(address), Type::STREAM, None).context("socket")?;
        if cfg!(target_os = "linux") && address.ip() == IpAddr::V4(Ipv4Addr::LOCALHOST) {
            let source = Ipv4Addr::new(127, 0, (serial / 200 % 200) as u8, (serial % 200) as u8 + 1);
            socket.bind(&SocketAddr::new(IpAddr::V4(source), 0).into()).context("bind")?;
        }
        socket.connect_timeout(&address.into(), Duration::from_secs(10)).context("connect")?;
        socket.set_tcp_nodelay(true).context("set TCP_NODELAY")?;
        let mut socket = TcpStream::from(socket);
        let Some(config) = tls else { return Self::plain(socket) };
        let name = ServerName::from(address.ip());
        let mut session = ClientConnection::new(Arc::clone(config), name)
            .map_err(|error| Error::Peer(format!("TLS: {error}")))?;
        while session.is_handshaking() {
            session.complete_io(&mut socket).context("TLS handshake")?;
        }
        socket.set_nonblocking(true).context("set O_NONBLOCK")?;
        Ok(Self::Tls(Box::new(StreamOwned::new(session, mio::net::TcpStream::from_std(socket)))))
    }

    fn plain(socket: TcpStream) -> Result<Self> {
        socket.set_nonblocking(true).context("set O_NONBLOCK")?;
        Ok(Self::Plain(mio::net::TcpStream::from_std(socket)))
    }

    /// Whether a read that fills less than the buffer has emptied the socket: true of TCP with edge triggers
    /// (epoll(7)), not of TLS, which returns record by record.
    #[must_use]
    pub fn short_read_is_last(&self) -> bool {
        matches!(self, Self::Plain(_))
    }

    /// Adds the socket to a readiness set, for both directions and for good.
    pub fn register(&mut self, registry: &Registry, token: Token) -> Result<()> {
        self.socket().register(registry, token, Interest::READABLE | Interest::WRITABLE).context("register")
    }

    /// Ends the sending direction.
    pub fn shutdown(&mut self) -> Result<()> {
        self.socket().shutdown(std::net::Shutdown::Write).context("shutdown")
    }

    fn socket(&mut self) -> &mut mio::net::TcpStream {
        match self {
            Self::Plain(socket) => socket,
            Self::Tls(stream) => &mut stream.sock,
        }
    }
}

impl Read for Stream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain(socket) => socket.read(buffer),
            Self::Tls(stream) => match stream.read(buffer) {
                // Peers end the TCP stream without close_notify; the closing handshake of WebSocket is what counts.
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(0),
                other => other,
            },
        }
    }
}

impl Write for Stream {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        match self {
            Self::Plain(socket) => socket.write(buffer),
            Self::Tls(stream) => stream.write(buffer),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Plain(_) => Ok(()),
            Self::Tls(stream) => stream.flush(),
        }
    }
}

/// Configuration for TLS to a server with a self-signed certificate.
pub fn tls() -> Result<Arc<ClientConfig>> {
    let provider = Arc::new(ring::default_provider());
    let config = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(|error| Error::Peer(format!("TLS: {error}")))?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(AnyCertificate(provider)))
        .with_no_client_auth();
    Ok(Arc::new(config))
}

/// Accepts every certificate: the server is a process of the benchmark on the same machine.
#[derive(Debug)]
struct AnyCertificate(Arc<CryptoProvider>);

impl ServerCertVerifier for AnyCertificate {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> std::result::Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> std::result::Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, certificate, signature, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> std::result::Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, certificate, signature, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
