//! Bearer tokens.

use reqwest::header::HeaderValue;
use zeroize::Zeroizing;

use crate::ClientError;

/// A bearer token. Its `Debug` shows nothing of it, and its memory is overwritten when it is dropped; the copies in
/// requests are not.
#[derive(Clone)]
pub struct Token(Zeroizing<String>);

/// How editors of some systems begin a text file.
const BYTE_ORDER_MARK: char = '\u{feff}';

impl Token {
    /// A token as the daemon's operator wrote it. White space around it and a byte order mark before it do not
    /// count.
    ///
    /// # Errors
    /// When it is empty, or has characters other than visible ASCII.
    pub fn new(text: &str) -> Result<Self, ClientError> {
        let text = text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(text).trim();
        if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(ClientError::InvalidToken);
        }
        Ok(Self(Zeroizing::new(text.to_owned())))
    }

    /// The value of `Authorization`.
    pub(crate) fn header(&self) -> Result<HeaderValue, ClientError> {
        let text = Zeroizing::new(format!("Bearer {}", *self.0));
        let mut value = HeaderValue::from_str(&text).map_err(|_| ClientError::InvalidToken)?;
        value.set_sensitive(true);
        Ok(value)
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
        let header = token.header().unwrap();
        assert_eq!(header, "Bearer s3cret");
        assert!(!format!("{token:?} {header:?}").contains("s3cret"));
        let marked = Token::new("\u{feff}s3cret\r\n").unwrap();
        assert_eq!(marked.header().unwrap(), "Bearer s3cret");
        assert!(Token::new(" \n").is_err());
        assert!(Token::new("\u{feff}").is_err());
        assert!(Token::new("two words").is_err());
    }
}
