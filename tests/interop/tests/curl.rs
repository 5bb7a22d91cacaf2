//! curl and `offwire serve --http`.

use core::net::SocketAddr;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use offwire::ProtocolVersion::{self, Tls12, Tls13};
use offwire_interop::{Files, Process, VERSIONS, peer, serve};
use offwire_testkit::{Identity, Kind};

/// `offwire serve --http` and a client that knows its certificate.
struct Site {
    curl: PathBuf,
    files: Files,
    server: Process,
    address: SocketAddr,
}

impl Site {
    /// Serves with a certificate made on the spot; `None` without curl.
    fn open() -> Option<Self> {
        Self::open_with(|_| Vec::new())
    }

    /// Serves with further arguments.
    fn open_with(arguments: impl FnOnce(&Files) -> Vec<OsString>) -> Option<Self> {
        let curl = peer("curl")?;
        let files = Files::new();
        let made = files.path("made.pem").into_os_string();
        let mut all = vec!["--http".into(), "--cert-out".into(), made];
        all.extend(arguments(&files));
        let (server, address) = serve(all);
        Some(Self {
            curl,
            files,
            server,
            address,
        })
    }

    /// curl, which does what every user's does but for the given arguments.
    fn curl(&self, version: ProtocolVersion) -> Command {
        let mut command = Command::new(&self.curl);
        command.args(["--disable", "--silent", "--show-error", "--max-time", "30"]);
        command.args(["--noproxy", "*", "--ipv4"]);
        command.args(match version {
            Tls12 => ["--tlsv1.2", "--tls-max", "1.2"],
            Tls13 => ["--tlsv1.3", "--tls-max", "1.3"],
        });
        command
    }

    fn certificate(&self) -> PathBuf {
        self.files.path("made.pem")
    }

    fn url(&self, path: &str) -> String {
        format!("https://localhost:{}/{path}", self.address.port())
    }
}

/// Runs curl to its end; returns its exit code and its output.
fn run(command: &mut Command) -> (i32, String) {
    let mut curl = Process::start(command);
    let code = curl.exit();
    (code, curl.said())
}

fn trusting<'a>(command: &'a mut Command, certificate: &Path) -> &'a mut Command {
    command.arg("--cacert").arg(certificate)
}

#[test]
fn the_page_shows_the_facts_of_the_connection() {
    let Some(site) = Site::open() else {
        return;
    };
    for version in VERSIONS {
        let mut command = site.curl(version);
        let command = trusting(&mut command, &site.certificate());
        let (code, page) = run(command.arg(site.url("some/where")));
        assert_eq!(code, 0, "{page}");
        for fact in [
            "<!DOCTYPE html>",
            &format!("<td>{version}</td>"),
            "<td>GET /some/where HTTP/1.1</td>",
            "<td>localhost</td>",
            "<td>http/1.1</td>",
            "</html>",
        ] {
            assert!(page.contains(fact), "{fact:?} is missing in {page}");
        }
        site.server.expect("closed cleanly");
    }
}

#[test]
fn many_requests_share_a_connection() {
    let Some(site) = Site::open() else {
        return;
    };
    for version in VERSIONS {
        let mut command = site.curl(version);
        let command = trusting(&mut command, &site.certificate());
        let (code, pages) = run(command.arg(site.url("[1-20]")));
        assert_eq!(code, 0, "{pages}");
        assert_eq!(pages.matches("</html>").count(), 20);
        site.server.expect("closed cleanly: 20 requests answered");
    }
}

#[test]
fn a_body_is_taken_and_a_head_has_none() {
    let Some(site) = Site::open() else {
        return;
    };
    let body = site.files.write("body", "0123456789".repeat(50_000));
    for version in VERSIONS {
        let mut command = site.curl(version);
        let command = trusting(&mut command, &site.certificate());
        command
            .arg("--data-binary")
            .arg(format!("@{}", body.display()));
        let (code, page) = run(command.arg(site.url("")));
        assert_eq!(code, 0, "{page}");
        assert!(page.contains("<td>POST / HTTP/1.1</td>"), "{page}");

        let mut command = site.curl(version);
        let command = trusting(&mut command, &site.certificate());
        let (code, head) = run(command.arg("--head").arg(site.url("")));
        assert_eq!(code, 0, "{head}");
        assert!(head.starts_with("HTTP/1.1 200 OK\r\n"), "{head}");
        assert!(!head.contains("<html"), "{head}");
    }
}

#[test]
fn a_certificate_that_curl_does_not_know_is_refused_and_the_next_is_served() {
    let Some(site) = Site::open() else {
        return;
    };
    for version in VERSIONS {
        let (code, said) = run(site.curl(version).arg(site.url("")));
        assert_eq!(code, 60, "{said}");
        site.server.expect("TLS failed");

        let mut command = site.curl(version);
        let (code, page) = run(trusting(&mut command, &site.certificate()).arg(site.url("")));
        assert_eq!(code, 0, "{page}");
    }
}

#[test]
fn a_client_certificate_is_demanded() {
    let client_ca = |files: &Files| vec!["--client-ca".into(), files.authority().into()];
    let Some(site) = Site::open_with(client_ca) else {
        return;
    };
    let (chain, key) = site
        .files
        .identity("client", &Identity::client(Kind::EcdsaP256));
    for version in VERSIONS {
        let mut command = site.curl(version);
        let command = trusting(&mut command, &site.certificate());
        command.arg("--cert").arg(&chain).arg("--key").arg(&key);
        let (code, page) = run(command.arg(site.url("")));
        assert_eq!(code, 0, "{page}");
        site.server.expect("client certificate");

        let mut command = site.curl(version);
        let command = trusting(&mut command, &site.certificate());
        let (code, said) = run(command.arg(site.url("")));
        assert_ne!(code, 0, "{said}");
        site.server.expect("certificate refused");
    }
}
