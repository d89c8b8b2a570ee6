//! What is on the disk when a stack is gone.

use std::path::Path;

use dynoxide::Database;
use serde_json::json;
use tests::check::Ledger;

use crate::Failure;

/// The file that a stack keeps its tables in.
const FILE: &str = "dynamodb.sqlite";

/// Opens what a stack that no longer runs has left in `data`: its one table.
pub(crate) fn open(data: &Path) -> Result<Ledger, Failure> {
    let unreadable = |detail: String| Failure::Table { path: data.to_owned(), detail };
    let file = data.join(FILE);
    let name = file.to_str().ok_or_else(|| unreadable("its name is no text".to_owned()))?;
    let database = Database::new(name).map_err(|error| unreadable(error.to_string()))?;
    let request =
        serde_json::from_value(json!({})).map_err(|error| unreadable(error.to_string()))?;
    let listed = database.list_tables(request).map_err(|error| unreadable(error.to_string()))?;
    let [table] = listed.table_names.as_slice() else {
        return Err(unreadable(format!("it holds {} tables", listed.table_names.len())));
    };
    Ok(Ledger::of(&database, table))
}
