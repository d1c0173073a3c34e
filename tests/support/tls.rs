//! Certificates of an authority of a test's own, and servers that end TLS in front of the proxy.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;
use std::thread;

use tempfile::TempDir;
use tokio::io::copy_bidirectional;
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

/// A certificate for some names, made by openssl, and its own authority.
pub struct Authority(TempDir);

impl Authority {
    pub fn new<T: AsRef<str>>(names: &[T]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let alternatives: Vec<String> =
            names.iter().map(|name| format!("DNS:{}", name.as_ref())).collect();
        let made = Command::new("openssl")
            .args("req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=company".split(' '))
            .args(["-addext", &format!("subjectAltName={}", alternatives.join(","))])
            .args(["-addext", "basicConstraints=critical,CA:FALSE"])
            .args(["-keyout", "key.pem", "-out", "ca.pem"])
            .current_dir(&folder)
            .output();
        let is_made = made.as_ref().is_ok_and(|made| made.status.success());
        assert!(is_made, "openssl makes the certificate (apt-get install openssl): {made:?}");
        Self(folder)
    }

    /// The file that `AWS_CA_BUNDLE` has to name.
    pub fn bundle(&self) -> PathBuf {
        self.0.path().join("ca.pem")
    }

    /// Ends TLS on this port (0: a free one) and passes on to `behind` what is inside.
    pub fn serve(&self, port: u16, behind: SocketAddr) -> SocketAddr {
        let certificate = CertificateDer::from_pem_file(self.bundle()).unwrap();
        let key = PrivateKeyDer::from_pem_file(self.0.path().join("key.pem")).unwrap();
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate], key)
            .unwrap();
        let acceptor = TlsAcceptor::from(Arc::new(config));
        listen((Ipv4Addr::LOCALHOST, port).into(), move |mut client| {
            let acceptor = acceptor.clone();
            async move {
                // A client that does not trust the certificate ends it here.
                if let Ok(mut inside) = acceptor.accept(&mut client).await
                    && let Ok(mut server) = TcpStream::connect(behind).await
                {
                    let _ = copy_bidirectional(&mut inside, &mut server).await;
                }
            }
        })
    }
}

/// Passes on to `behind` what comes to this address.
pub fn pass_on(at: SocketAddr, behind: SocketAddr) {
    listen(at, move |mut client| async move {
        if let Ok(mut server) = TcpStream::connect(behind).await {
            let _ = copy_bidirectional(&mut client, &mut server).await;
        }
    });
}

/// Listens until this process ends.
fn listen<F: Future<Output = ()> + Send + 'static>(
    at: SocketAddr,
    each: impl Fn(TcpStream) -> F + Send + 'static,
) -> SocketAddr {
    let listener = TcpListener::bind(at).unwrap();
    listener.set_nonblocking(true).unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let listener = tokio::net::TcpListener::from_std(listener).unwrap();
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(each(client));
            }
        });
    });
    address
}
