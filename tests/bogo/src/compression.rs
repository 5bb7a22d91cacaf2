//! The runner's three mock algorithms of certificate compression (RFC 8879).

use offwire::rustls::CertificateCompressionAlgorithm;
use offwire::rustls::compress::{
    CertCompressor, CertDecompressor, CompressionFailed, CompressionLevel, DecompressionFailed,
};

use crate::failure::Failure;
use crate::flags::{Flags, Setting, Switch};

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

/// The algorithms that the flags install: all, one, or none.
fn installed(flags: &Flags) -> Result<impl Iterator<Item = &'static Mock>, Failure> {
    let one: Option<u16> = flags.number(Setting::InstallOneCertCompression)?;
    let all = flags.has(Switch::InstallCertCompression);
    let known = one.is_none_or(|code| MOCKS.iter().any(|mock| *mock as u16 == code));
    if !known {
        return Err(Failure::Unimplemented("this compression".to_owned()));
    }
    Ok(MOCKS
        .iter()
        .filter(move |mock| all || one == Some(**mock as u16)))
}

pub(crate) fn compressors(flags: &Flags) -> Result<Vec<&'static dyn CertCompressor>, Failure> {
    Ok(installed(flags)?
        .map(|mock| mock as &dyn CertCompressor)
        .collect())
}

pub(crate) fn decompressors(flags: &Flags) -> Result<Vec<&'static dyn CertDecompressor>, Failure> {
    Ok(installed(flags)?
        .map(|mock| mock as &dyn CertDecompressor)
        .collect())
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
