//! The runner's three mock algorithms of certificate compression (RFC 8879).

use offwire::rustls::CertificateCompressionAlgorithm;
use offwire::rustls::compress::{
    CertCompressor, CertDecompressor, CompressionFailed, CompressionLevel, DecompressionFailed,
};

/// What the algorithm does to a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mock {
    /// Takes two leading zeros away.
    Shrinking = 0xff01,
    /// Puts 1, 2, 3, 4 in front.
    Expanding = 0xff02,
    /// Puts one byte in front that is different every time.
    Random = 0xff03,
}

static MOCKS: [Mock; 3] = [Mock::Expanding, Mock::Shrinking, Mock::Random];

pub(crate) fn compressors() -> Vec<&'static dyn CertCompressor> {
    MOCKS
        .iter()
        .map(|mock| mock as &dyn CertCompressor)
        .collect()
}

pub(crate) fn decompressors() -> Vec<&'static dyn CertDecompressor> {
    MOCKS
        .iter()
        .map(|mock| mock as &dyn CertDecompressor)
        .collect()
}

impl CertCompressor for Mock {
    fn compress(
        &self,
        input: Vec<u8>,
        _level: CompressionLevel,
    ) -> Result<Vec<u8>, CompressionFailed> {
        match self {
            Self::Shrinking => match input.as_slice() {
                [0, 0, rest @ ..] => Ok(rest.to_vec()),
                _ => Err(CompressionFailed),
            },
            Self::Expanding => Ok([&[1, 2, 3, 4], input.as_slice()].concat()),
            Self::Random => {
                let mut byte = [0];
                offwire::rustls::crypto::aws_lc_rs::default_provider()
                    .secure_random
                    .fill(&mut byte)
                    .map_err(|_| CompressionFailed)?;
                Ok([&byte, input.as_slice()].concat())
            }
        }
    }

    fn algorithm(&self) -> CertificateCompressionAlgorithm {
        CertificateCompressionAlgorithm::from(*self as u16)
    }
}

impl CertDecompressor for Mock {
    fn decompress(&self, input: &[u8], output: &mut [u8]) -> Result<(), DecompressionFailed> {
        let restored = match (self, input) {
            (Self::Shrinking, rest) => [&[0, 0], rest].concat(),
            (Self::Expanding, [1, 2, 3, 4, rest @ ..]) | (Self::Random, [_, rest @ ..]) => {
                rest.to_vec()
            }
            (Self::Expanding | Self::Random, _) => return Err(DecompressionFailed),
        };
        if restored.len() != output.len() {
            return Err(DecompressionFailed);
        }
        output.copy_from_slice(&restored);
        Ok(())
    }

    fn algorithm(&self) -> CertificateCompressionAlgorithm {
        CertificateCompressionAlgorithm::from(*self as u16)
    }
}
