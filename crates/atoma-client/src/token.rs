//! Bearer tokens.

use reqwest::header::HeaderValue;

use crate::ClientError;

/// A bearer token. Its `Debug` shows nothing of it.
#[derive(Clone)]
pub struct Token(HeaderValue);

impl Token {
    /// A token as the daemon's operator wrote it. White space around it does not count.
    ///
    /// # Errors
    /// When it is empty, or has characters other than visible ASCII.
    pub fn new(text: &str) -> Result<Self, ClientError> {
        let text = text.trim();
        if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(ClientError::InvalidToken);
        }
        let mut value = HeaderValue::try_from(format!("Bearer {text}"))
            .map_err(|_| ClientError::InvalidToken)?;
        value.set_sensitive(true);
        Ok(Self(value))
    }

    pub(crate) fn header(&self) -> HeaderValue {
        self.0.clone()
    }
}

impl std::fmt::Debug for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Token")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_not_shown() {
        let token = Token::new(" s3cret\n").unwrap();
        assert_eq!(token.header(), "Bearer s3cret");
        assert!(!format!("{token:?} {:?}", token.header()).contains("s3cret"));
        assert!(Token::new(" \n").is_err());
        assert!(Token::new("two words").is_err());
    }
}
