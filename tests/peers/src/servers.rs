//! Web servers over loopback: nginx with the system's OpenSSL against the example `https_server` of
//! `offwire-mio`. What is measured is the CPU time of the server's process for a request.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;

use alloc::sync::Arc;
use core::net::SocketAddr;
use core::time::Duration;

use offwire_peers::Problem;
use offwire_peers::child::Files;
use offwire_peers::measure::{expect, plaintext};
use offwire_testkit::Authority;
use rustls::{ClientConfig, ClientConnection, StreamOwned};

/// Connections that ask in turn, and are kept alive.
const CONNECTIONS: usize = 8;

const NGINX: u16 = 4_480;
const OFFWIRE: u16 = 4_481;

/// A server and the connections to it.
pub(crate) struct Server {
    child: Child,
    connections: Vec<StreamOwned<ClientConnection, TcpStream>>,
    body: Vec<u8>,
}

impl Server {
    /// nginx with one worker, which serves a file of so many bytes.
    pub(crate) fn nginx(files: &Files, size: usize) -> Result<Self, Problem> {
        let port = NGINX + if size > 1_024 { 2 } else { 0 };
        let root = files.path(&format!("nginx-{size}"));
        fs::create_dir(&root)?;
        let body = plaintext(size);
        fs::write(root.join("body"), &body)?;
        let configuration = root.join("nginx.conf");
        fs::write(&configuration, nginx_configuration(files, &root, port))?;
        let child = Command::new("nginx")
            .arg("-p")
            .arg(&root)
            .arg("-c")
            .arg(&configuration)
            .stderr(Stdio::null())
            .spawn()
            .map_err(|error| format!("nginx does not start ({error})"))?;
        Self::connect(child, port, body)
    }

    /// The example, which serves a page of so many bytes.
    pub(crate) fn offwire(files: &Files, program: &Path, size: usize) -> Result<Self, Problem> {
        let port = OFFWIRE + if size > 1_024 { 2 } else { 0 };
        let child = Command::new(program)
            .args(["--listen", &format!("127.0.0.1:{port}")])
            .args(["--body", &size.to_string()])
            .arg("--cert")
            .arg(files.path("chain.pem"))
            .arg("--key")
            .arg(files.path("key.pem"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|error| format!("https_server does not start ({error})"))?;
        let body = b"Hello from Offwire\n".iter().copied().cycle();
        Self::connect(child, port, body.take(size).collect())
    }

    fn connect(child: Child, port: u16, body: Vec<u8>) -> Result<Self, Problem> {
        let mut server = Self {
            child,
            connections: Vec::new(),
            body,
        };
        let config = ClientConfig::builder()
            .with_root_certificates(Authority::shared().roots())
            .with_no_client_auth();
        let config = Arc::new(config);
        for _ in 0..CONNECTIONS {
            let tls = ClientConnection::new(Arc::clone(&config), "localhost".try_into()?)?;
            let tcp = reach(SocketAddr::from(([127, 0, 0, 1], port)))?;
            tcp.set_nodelay(true)?;
            server.connections.push(StreamOwned::new(tls, tcp));
        }
        server.ask(CONNECTIONS)?;
        Ok(server)
    }

    /// Nanoseconds of CPU that the server has had for so many requests.
    pub(crate) fn ask(&mut self, requests: usize) -> Result<u64, Problem> {
        let before = self.spent()?;
        let mut left = requests;
        while left > 0 {
            let turn = left.min(CONNECTIONS);
            for connection in self.connections.iter_mut().take(turn) {
                connection.write_all(b"GET /body HTTP/1.1\r\nHost: localhost\r\n\r\n")?;
                connection.flush()?;
            }
            for connection in self.connections.iter_mut().take(turn) {
                receive(connection, &self.body)?;
            }
            left -= turn;
        }
        Ok(self.spent()? - before)
    }

    /// The CPU time of the process, which has one thread.
    fn spent(&self) -> Result<u64, Problem> {
        let statistics = fs::read_to_string(format!("/proc/{}/schedstat", self.child.id()))?;
        let spent = statistics.split_whitespace().next();
        Ok(spent.ok_or("no statistics")?.parse()?)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Err(error) = self.child.kill().and_then(|()| self.child.wait()) {
            eprintln!("a server does not end: {error}");
        }
    }
}

/// Reads a response, and compares its body.
fn receive(connection: &mut impl Read, body: &[u8]) -> Result<(), Problem> {
    let mut connection = BufReader::with_capacity(1 << 16, connection);
    let mut line = String::new();
    connection.read_line(&mut line)?;
    expect(line.starts_with("HTTP/1.1 200 "), "it was refused")?;
    while line.trim_end() != "" {
        line.clear();
        connection.read_line(&mut line)?;
    }
    let mut received = vec![0; body.len()];
    connection.read_exact(&mut received)?;
    expect(received == body, "other bytes were received")
}

/// Waits until the server listens.
fn reach(address: SocketAddr) -> Result<TcpStream, Problem> {
    for _ in 0..100 {
        if let Ok(connected) = TcpStream::connect(address) {
            return Ok(connected);
        }
        sleep(Duration::from_millis(50));
    }
    Err("a server does not listen".into())
}

fn nginx_configuration(files: &Files, root: &Path, port: u16) -> String {
    let (root, chain, key) = (
        root.display(),
        files.path("chain.pem"),
        files.path("key.pem"),
    );
    let (chain, key) = (chain.display(), key.display());
    format!(
        "daemon off; master_process off; pid {root}/pid; error_log {root}/error.log;
events {{ worker_connections 64; }}
http {{
    access_log off; server_tokens off;
    client_body_temp_path {root}/t1; proxy_temp_path {root}/t2; fastcgi_temp_path {root}/t3;
    uwsgi_temp_path {root}/t4; scgi_temp_path {root}/t5;
    keepalive_requests 100000000; keepalive_timeout 600; tcp_nodelay on;
    open_file_cache max=16; open_file_cache_valid 600;
    server {{
        listen 127.0.0.1:{port} ssl; root {root};
        ssl_certificate {chain}; ssl_certificate_key {key};
        ssl_protocols TLSv1.3; ssl_conf_command Ciphersuites TLS_AES_128_GCM_SHA256;
        ssl_ecdh_curve X25519;
    }}
}}
"
    )
}
