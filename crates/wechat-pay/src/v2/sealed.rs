//! The encryption of `req_info`: AES-256-ECB with PKCS#7 padding, WeChat's choice.
//!
//! It hides, but it does not authenticate: blocks can be cut and pasted by anybody who has seen two of them.

use aes::Aes256;
use aes::cipher::block_padding::Pkcs7;
use aes::cipher::{BlockModeDecrypt as _, BlockModeEncrypt as _, KeyInit as _};
use md5::{Digest as _, Md5};

use super::ApiKey;

/// Bytes of an AES block.
pub(crate) const BLOCK: usize = 16;

/// An AES-256 key.
#[derive(Clone)]
pub struct SealKey([u8; 32]);

impl SealKey {
    /// The key of a merchant's refund notices: the 32 *ASCII characters* of the lower-case hex MD5 of the API key.
    pub fn of(key: &ApiKey) -> SealKey {
        let digits = *b"0123456789abcdef";
        let digest = Md5::digest(key.expose().as_bytes());
        let mut hex = [0; 32];
        for (pair, byte) in hex.chunks_exact_mut(2).zip(digest) {
            pair.copy_from_slice(&[digits[usize::from(byte >> 4)], digits[usize::from(byte & 0xf)]]);
        }
        SealKey(hex)
    }

    /// Takes a key as it is.
    pub const fn from_bytes(bytes: [u8; 32]) -> SealKey {
        SealKey(bytes)
    }

    /// The key itself, for comparing with published samples; never for a log.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Encrypts.
    pub fn encrypt(&self, plain: &[u8]) -> Vec<u8> {
        ecb::Encryptor::<Aes256>::new(&self.0.into()).encrypt_padded_vec::<Pkcs7>(plain)
    }

    /// Decrypts.
    ///
    /// # Errors
    /// [`SealError`] when the length or the padding cannot be right.
    pub fn decrypt(&self, sealed: &[u8]) -> Result<Vec<u8>, SealError> {
        if sealed.is_empty() || !sealed.len().is_multiple_of(BLOCK) {
            return Err(SealError::Length);
        }
        ecb::Decryptor::<Aes256>::new(&self.0.into())
            .decrypt_padded_vec::<Pkcs7>(sealed)
            .map_err(|_| SealError::Padding)
    }
}

impl std::fmt::Debug for SealKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SealKey(redacted)")
    }
}

/// Why a text cannot be decrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// Empty, or not whole blocks.
    #[error("ciphertext is not whole blocks")]
    Length,
    /// Another key, or another text.
    #[error("ciphertext does not decrypt with this key")]
    Padding,
}
