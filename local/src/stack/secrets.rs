//! Secret values: made once, kept in the data folder, put into environments.

use std::collections::BTreeMap;
use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use crate::Error;
use crate::stack::data_folder::replace;
use crate::template::function::Function;
use crate::template::secret::Secret;

/// Each secret's value under its logical id.
pub(crate) struct Secrets(BTreeMap<String, String>);

impl Secrets {
    /// Reads the values of earlier runs and makes those that are missing.
    pub(crate) fn open(path: &Path, wanted: &[Secret]) -> Result<Self, Error> {
        let mut values: BTreeMap<String, String> = match fs::read(path) {
            Ok(text) => serde_json::from_slice(&text)
                .map_err(|_| Error::Damaged { path: path.to_owned() })?,
            Err(error) if error.kind() == ErrorKind::NotFound => BTreeMap::new(),
            Err(error) => return Err(Error::data(path)(error)),
        };
        let before = values.len();
        for secret in wanted {
            if !values.contains_key(&secret.logical_id) {
                values.insert(secret.logical_id.clone(), draw(secret)?);
            }
        }
        if values.len() > before {
            let text = serde_json::to_vec(&values).unwrap_or_default();
            replace(path, &text).map_err(Error::data(path))?;
        }
        Ok(Self(values))
    }

    /// Replaces `{{resolve:secretsmanager:...}}` in a function's environment.
    pub(crate) fn fill(&self, function: &mut Function) -> Result<(), Error> {
        for value in function.environment.values_mut() {
            for (id, secret) in &self.0 {
                let arn = Secret::arn(id);
                for spelling in [&arn, &format!("{arn}:SecretString"), id] {
                    let reference = format!("{{{{resolve:secretsmanager:{spelling}}}}}");
                    *value = value.replace(&reference, secret);
                }
            }
            if value.contains("{{resolve:") {
                return Err(Error::UnknownSecret { function: function.logical_id.clone() });
            }
        }
        Ok(())
    }
}

/// A value of the wanted length, each character equally likely.
fn draw(secret: &Secret) -> Result<String, Error> {
    let mut value = String::with_capacity(secret.length);
    while value.chars().count() < secret.length {
        let number = getrandom::u32().map_err(Error::Random)?;
        let number = usize::try_from(number).unwrap_or_default();
        // 2^32 is so much more than any alphabet that the remainder favours no character.
        value.extend(secret.alphabet.get(number % secret.alphabet.len()));
    }
    Ok(value)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn secret(id: &str) -> Secret {
        Secret { logical_id: id.to_owned(), length: 64, alphabet: ('a'..='z').collect() }
    }

    #[test]
    fn a_secret_is_made_once_and_only_its_owner_may_read_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secrets.json");
        let first = Secrets::open(&path, &[secret("A")]).unwrap();
        let second = Secrets::open(&path, &[secret("A"), secret("B")]).unwrap();
        assert_eq!(first.0["A"], second.0["A"]);
        assert_eq!(first.0["A"].len(), 64);
        assert_ne!(second.0["A"], second.0["B"]);
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn a_damaged_file_is_not_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secrets.json");
        fs::write(&path, "{").unwrap();
        let message = Secrets::open(&path, &[secret("A")]).err().unwrap().to_string();
        assert!(message.contains("is damaged"), "{message}");
        assert_eq!(fs::read_to_string(&path).unwrap(), "{");
    }
}
