//! Who calls.

use std::path::PathBuf;

use anyhow::{anyhow, bail, ensure};
use secrecy::{ExposeSecret as _, SecretString};
use tonic::{
    Request, Status,
    metadata::{Ascii, MetadataValue},
    service::Interceptor,
};

use crate::input::{self, MOST_SETTING_BYTES};

/// A bearer token, on its way with each call.
#[derive(Clone)]
pub(crate) struct Token(MetadataValue<Ascii>);

impl Token {
    /// The token itself, or what its file holds.
    ///
    /// # Errors
    /// `nobody` when there is neither; a token that is none.
    pub(crate) fn read(token: Option<&SecretString>, file: Option<&PathBuf>, nobody: &str) -> anyhow::Result<Token> {
        let token = match (token, file) {
            (Some(token), _) => token.clone(),
            (None, Some(file)) => {
                let bytes = input::read(Some(file), MOST_SETTING_BYTES)?;
                let text = String::from_utf8(bytes).map_err(|_| anyhow!("{} is not text", file.display()))?;
                SecretString::from(text.trim_end().to_owned())
            }
            (None, None) => bail!("{nobody}"),
        };
        // A header would take more, but every token is of this kind, and a pasted one with a line end is not the right one.
        let plain = token.expose_secret().bytes().all(|byte| byte.is_ascii_graphic());
        ensure!(
            plain,
            "the token has characters that no token has: it is printable ASCII without blanks and line ends"
        );
        let token = format!("Bearer {}", token.expose_secret());
        let mut token: MetadataValue<Ascii> = token.parse().map_err(|_| anyhow!("the token cannot be sent"))?;
        token.set_sensitive(true);
        Ok(Token(token))
    }
}

impl Interceptor for Token {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        request.metadata_mut().insert("authorization", self.0.clone());
        Ok(request)
    }
}
