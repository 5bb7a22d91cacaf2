//! HKDF-Expand-Label of TLS 1.3, by the suite's own HKDF.

use rustls::Tls13CipherSuite;
use rustls::crypto::tls13::{OkmBlock, OutputLengthError};

/// What stands before every label.
const PREFIX: &[u8] = b"tls13 ";

/// Bytes of the longest label.
pub(super) const MAX_LABEL: usize = u8::MAX as usize - PREFIX.len();

/// HKDF-Expand-Label(secret, label, context, length of `output`), where the context is at most 255
/// bytes long, the label at most [`MAX_LABEL`] (RFC 8446 section 7.1).
pub(super) fn expand_label(
    suite: &'static Tls13CipherSuite,
    secret: &[u8],
    label: &[u8],
    context: &[u8],
    output: &mut [u8],
) -> Result<(), OutputLengthError> {
    let byte = |length: usize| u8::try_from(length).map_err(|_| OutputLengthError);
    let length = u16::try_from(output.len()).map_err(|_| OutputLengthError)?;
    let info: [&[u8]; 6] = [
        &length.to_be_bytes(),
        &[byte(PREFIX.len() + label.len())?],
        PREFIX,
        label,
        &[byte(context.len())?],
        context,
    ];
    let expander = suite.hkdf_provider.expander_for_okm(&OkmBlock::new(secret));
    expander.expand_slice(&info, output)
}
