//! One direction's key: seals and opens records with as few checks as possible.
//!
//! Follows RFC 8446 section 5.2 and RFC 5246 section 6.2.3.3; shares no line with the engine, so
//! that each checks the other.

use aws_lc_rs::aead::{
    AES_128_GCM, AES_256_GCM, Aad, CHACHA20_POLY1305, LessSafeKey, Nonce, UnboundKey,
};
use offwire::rustls::ConnectionTrafficSecrets;

use super::{Opened, Shape};
use crate::records::{ContentType, Record};

/// The secrets of one direction as rustls gives them.
pub(super) struct Secrets {
    pub(super) sequence: u64,
    pub(super) secrets: ConnectionTrafficSecrets,
    pub(super) protection: Protection,
}

/// How a protocol version protects its records.
#[derive(Clone, Copy)]
pub(super) enum Protection {
    Tls12,
    Tls13,
}

/// How a nonce is made and whether it travels.
#[derive(Clone, Copy)]
enum Form {
    /// RFC 8446 section 5.3: inner content type, implicit nonce.
    Tls13,
    /// RFC 5288: eight bytes of the nonce travel.
    Tls12Explicit,
    /// RFC 7905: implicit nonce, as in TLS 1.3.
    Tls12Implicit,
}

/// One direction's key and the number of its next record.
pub(super) struct Key {
    cipher: LessSafeKey,
    iv: [u8; 12],
    sequence: u64,
    form: Form,
}

const TAG: usize = 16;

impl Key {
    pub(super) fn new(secrets: Secrets) -> Self {
        let gcm = match secrets.protection {
            Protection::Tls13 => Form::Tls13,
            Protection::Tls12 => Form::Tls12Explicit,
        };
        let chacha = match secrets.protection {
            Protection::Tls13 => Form::Tls13,
            Protection::Tls12 => Form::Tls12Implicit,
        };
        let (algorithm, form, key, iv) = match secrets.secrets {
            ConnectionTrafficSecrets::Aes128Gcm { key, iv } => (&AES_128_GCM, gcm, key, iv),
            ConnectionTrafficSecrets::Aes256Gcm { key, iv } => (&AES_256_GCM, gcm, key, iv),
            ConnectionTrafficSecrets::Chacha20Poly1305 { key, iv } => {
                (&CHACHA20_POLY1305, chacha, key, iv)
            }
            _ => panic!("a cipher that this kit does not know"),
        };
        let cipher = LessSafeKey::new(UnboundKey::new(algorithm, key.as_ref()).unwrap());
        let iv = iv.as_ref().try_into().unwrap();
        Self {
            cipher,
            iv,
            sequence: secrets.sequence,
            form,
        }
    }

    pub(super) fn seal(
        &mut self,
        content_type: ContentType,
        plaintext: &[u8],
        shape: Shape,
    ) -> Vec<u8> {
        let mut body = plaintext.to_vec();
        let (outer, explicit) = match self.form {
            Form::Tls13 => {
                body.push(content_type.0);
                body.resize(body.len() + shape.padding, 0);
                (ContentType::APPLICATION_DATA, 0)
            }
            Form::Tls12Explicit => (content_type, 8),
            Form::Tls12Implicit => (content_type, 0),
        };
        let outer = shape.outer_type.unwrap_or(outer);
        let length = explicit + body.len() + TAG;
        let length = u16::try_from(length).expect("a body of at most 65,535 bytes");
        let mut record = vec![outer.0];
        record.extend(shape.version.to_be_bytes());
        record.extend(length.to_be_bytes());
        let header = [record[0], record[1], record[2], record[3], record[4]];
        let aad = self.additional_data(header, body.len());
        let nonce = self.nonce();
        record.extend(&nonce[12 - explicit..]);
        let nonce = Nonce::assume_unique_for_key(nonce);
        self.cipher
            .seal_in_place_append_tag(nonce, Aad::from(aad), &mut body)
            .unwrap();
        record.extend(body);
        self.sequence += 1;
        record
    }

    pub(super) fn open(&mut self, record: &Record<'_>) -> Opened {
        let mut nonce = self.nonce();
        let mut body = record.body;
        if let Form::Tls12Explicit = self.form {
            nonce[4..].copy_from_slice(&body[..8]);
            body = &body[8..];
        }
        let length = u16::try_from(record.body.len()).unwrap().to_be_bytes();
        let version = record.version.to_be_bytes();
        let header = [
            record.content_type.0,
            version[0],
            version[1],
            length[0],
            length[1],
        ];
        let aad = self.additional_data(header, body.len() - TAG);
        let mut body = body.to_vec();
        let nonce = Nonce::assume_unique_for_key(nonce);
        let opened = self.cipher.open_in_place(nonce, Aad::from(aad), &mut body);
        let len = match opened {
            Ok(plaintext) => plaintext.len(),
            Err(_) => panic!(
                "record {} of this key cannot be opened: {record:?}",
                self.sequence
            ),
        };
        body.truncate(len);
        self.sequence += 1;
        let content_type = match self.form {
            Form::Tls12Explicit | Form::Tls12Implicit => record.content_type,
            Form::Tls13 => {
                let content = body
                    .iter()
                    .rposition(|&byte| byte != 0)
                    .expect("a content type");
                let inner = ContentType(body[content]);
                body.truncate(content);
                inner
            }
        };
        Opened {
            content_type,
            plaintext: body,
        }
    }

    fn nonce(&self) -> [u8; 12] {
        let mut nonce = self.iv;
        for (byte, number) in nonce[4..].iter_mut().zip(self.sequence.to_be_bytes()) {
            *byte ^= number;
        }
        nonce
    }

    fn additional_data(&self, header: [u8; 5], plaintext: usize) -> Vec<u8> {
        match self.form {
            Form::Tls13 => header.to_vec(),
            Form::Tls12Explicit | Form::Tls12Implicit => {
                let mut aad = self.sequence.to_be_bytes().to_vec();
                aad.extend(&header[..3]);
                aad.extend(u16::try_from(plaintext).unwrap().to_be_bytes());
                aad
            }
        }
    }
}
