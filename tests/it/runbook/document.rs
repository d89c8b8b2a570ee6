//! A document in Markdown, as far as it holds commands.

/// Commands that stand together.
#[derive(Debug)]
pub(super) struct Block {
    /// The heading that they stand under.
    pub(super) section: String,
    /// The commands, without the indentation of a list.
    pub(super) text: String,
}

/// The blocks of a shell's commands, in order.
pub(super) fn blocks(document: &str) -> Vec<Block> {
    let (mut found, mut section, mut open) = (vec![], String::new(), None);
    for line in document.lines() {
        let indent = line.len() - line.trim_start().len();
        match (&mut open, line.trim()) {
            (None, "```sh") => open = Some((indent, vec![])),
            (None, text) if text.starts_with('#') => {
                text.trim_start_matches('#').trim().clone_into(&mut section);
            }
            (Some((_, lines)), "```") => {
                found.push(Block { section: section.clone(), text: lines.join("\n") });
                open = None;
            }
            (Some((by, lines)), _) => lines.push(line.get(*by..).unwrap_or_default()),
            (None, _) => {}
        }
    }
    assert!(open.is_none(), "a block does not end");
    found
}

/// The parts under headings of the second rank, with their titles.
pub(super) fn sections(document: &str) -> Vec<(String, String)> {
    let parts = document.split("\n## ").skip(1);
    parts
        .map(|part| part.split_once('\n').unwrap_or((part, "")))
        .map(|(title, text)| (title.to_owned(), text.to_owned()))
        .collect()
}

/// What stands between backticks outside of blocks.
pub(super) fn inline_code(document: &str) -> Vec<String> {
    let mut inside = false;
    let mut found = vec![];
    for line in document.lines() {
        if line.trim_start().starts_with("```") {
            inside = !inside;
        } else if !inside {
            found.extend(line.split('`').skip(1).step_by(2).map(str::to_owned));
        }
    }
    found
}

/// Whether a placeholder stands in a line by itself.
pub(super) fn has_word(line: &str, word: &str) -> bool {
    words(line).any(|(_, found)| found == word)
}

/// The line with something real in a placeholder's stead.
pub(super) fn replace_word(line: &str, word: &str, by: &str) -> String {
    let mut replaced = line.to_owned();
    let places: Vec<_> = words(line).filter(|(_, found)| *found == word).map(|it| it.0).collect();
    for place in places.into_iter().rev() {
        replaced.replace_range(place..place + word.len(), by);
    }
    replaced
}

/// The words of a line, each with where it begins. What follows `#` is a remark.
fn words(line: &str) -> impl Iterator<Item = (usize, &str)> {
    let line = line.split(" #").next().unwrap_or_default();
    line.split(|it: char| !it.is_ascii_alphanumeric() && it != '_' && it != '-' && it != '.')
        .filter(|word| !word.is_empty())
        .map(move |word| (word.as_ptr() as usize - line.as_ptr() as usize, word))
}
