//! A secret of the template: how its value is made.

use serde_json::Value as Json;
use serde_yaml_ng::Value as Yaml;

use super::scope::{ACCOUNT, REGION, Scope, text_of, whole_of};
use super::{TemplateError, shape};

const LENGTH_DEFAULT: u64 = 32;
const LENGTH_MAX: u64 = 4_096;
const PUNCTUATION: &str = r##"!"#$%&'()*+,-./:;<=>?@[\]^_`{|}~"##;

/// One `AWS::SecretsManager::Secret` with `GenerateSecretString`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Secret {
    pub(crate) logical_id: String,
    pub(crate) length: usize,
    /// The characters that the value is drawn from.
    pub(crate) alphabet: Vec<char>,
}

impl Secret {
    pub(crate) fn arn(logical_id: &str) -> String {
        format!("arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:{logical_id}-local")
    }

    pub(crate) fn parse(
        logical_id: &str,
        properties: &Yaml,
        scope: &Scope<'_>,
    ) -> Result<Self, TemplateError> {
        let place = format!("Secret {logical_id}");
        let resolved = scope.resolve(properties)?.unwrap_or(Json::Null);
        let rule = resolved.get("GenerateSecretString");
        let rule = rule.ok_or_else(|| shape(&place, "given GenerateSecretString"))?;
        if rule.get("SecretStringTemplate").is_some() {
            return Err(shape(
                &place,
                "one generated text, as SecretStringTemplate is not supported",
            ));
        }
        let length = rule.get("PasswordLength").and_then(whole_of).unwrap_or(LENGTH_DEFAULT);
        let length = usize::try_from(length.clamp(1, LENGTH_MAX)).unwrap_or(1);
        let excluded = rule.get("ExcludeCharacters").and_then(text_of).unwrap_or_default();
        let without =
            |key: &str| rule.get(key).and_then(text_of).is_some_and(|flag| flag == "true");
        let alphabet: Vec<char> = [
            (!without("ExcludeLowercase"), ('a'..='z').collect::<String>()),
            (!without("ExcludeUppercase"), ('A'..='Z').collect()),
            (!without("ExcludeNumbers"), ('0'..='9').collect()),
            (!without("ExcludePunctuation"), PUNCTUATION.to_owned()),
            (without("IncludeSpace"), " ".to_owned()),
        ]
        .into_iter()
        .filter(|(wanted, _)| *wanted)
        .flat_map(|(_, characters)| characters.chars().collect::<Vec<_>>())
        .filter(|character| !excluded.contains(*character))
        .collect();
        if alphabet.is_empty() {
            return Err(shape(&place, "given at least one character to draw from"));
        }
        Ok(Self { logical_id: logical_id.to_owned(), length, alphabet })
    }
}
