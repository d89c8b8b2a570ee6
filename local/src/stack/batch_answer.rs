//! What a function says about the batch that it was given.

use std::collections::BTreeSet;

use serde_json::Value as Json;

/// Which items of a batch failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Failed {
    None,
    All,
    Items(BTreeSet<String>),
}

impl Failed {
    /// Reads a `ReportBatchItemFailures` answer as Lambda does: nothing said means success, and
    /// an item that cannot be made out means that the whole batch failed.
    pub(crate) fn parse(answer: &[u8], known: &[&str]) -> Self {
        if answer.iter().all(u8::is_ascii_whitespace) {
            return Self::None;
        }
        let Ok(answer) = serde_json::from_slice::<Json>(answer) else {
            return Self::All;
        };
        let failures = match answer.get("batchItemFailures") {
            None | Some(Json::Null) => return Self::None,
            Some(Json::Array(failures)) => failures,
            Some(_) => return Self::All,
        };
        let items: Option<BTreeSet<_>> = failures
            .iter()
            .map(|failure| {
                let item = failure.get("itemIdentifier")?.as_str()?;
                known.contains(&item).then(|| item.to_owned())
            })
            .collect();
        match items {
            None => Self::All,
            Some(items) if items.is_empty() => Self::None,
            Some(items) => Self::Items(items),
        }
    }

    pub(crate) fn contains(&self, item: &str) -> bool {
        match self {
            Self::None => false,
            Self::All => true,
            Self::Items(items) => items.contains(item),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_read_as_lambda_reads_them() {
        let one = Failed::Items(["b".to_owned()].into());
        let table = [
            ("", Failed::None),
            ("null", Failed::None),
            ("{}", Failed::None),
            (r#"{"batchItemFailures":null}"#, Failed::None),
            (r#"{"batchItemFailures":[]}"#, Failed::None),
            (r#"{"batchItemFailures":[{"itemIdentifier":"b"}]}"#, one),
            (r#"{"batchItemFailures":[{"itemIdentifier":""}]}"#, Failed::All),
            (r#"{"batchItemFailures":[{"itemIdentifier":"z"}]}"#, Failed::All),
            (r#"{"batchItemFailures":[{}]}"#, Failed::All),
            (r#"{"batchItemFailures":"b"}"#, Failed::All),
            ("oops", Failed::All),
        ];
        for (answer, expected) in table {
            assert_eq!(Failed::parse(answer.as_bytes(), &["a", "b"]), expected, "{answer}");
        }
    }
}
