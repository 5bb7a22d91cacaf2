//! Certificates and keys as PEM files, for programs that cannot take them otherwise.

use std::fs;
use std::path::{Path, PathBuf};

use offwire_testkit::{Authority, Identity};
use tempfile::TempDir;

/// A folder of its own for one test, gone with it.
#[derive(Debug)]
pub struct Files(TempDir);

impl Files {
    /// A folder with nothing in it.
    #[must_use]
    pub fn new() -> Self {
        Self(TempDir::with_prefix("offwire-interop-").unwrap())
    }

    /// The path of a file in this folder, which need not exist.
    #[must_use]
    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Writes a file.
    #[must_use]
    pub fn write(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        fs::write(&path, content).unwrap();
        path
    }

    /// The certificate of the shared authority.
    #[must_use]
    pub fn authority(&self) -> PathBuf {
        self.write("authority.pem", Authority::shared().pem())
    }

    /// The chain and the key of an identity.
    #[must_use]
    pub fn identity(&self, name: &str, identity: &Identity) -> (PathBuf, PathBuf) {
        (
            self.write(&format!("{name}.pem"), identity.chain_pem()),
            self.write(&format!("{name}.key"), identity.key_pem()),
        )
    }

    /// The folder.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.0.path()
    }
}

impl Default for Files {
    fn default() -> Self {
        Self::new()
    }
}
