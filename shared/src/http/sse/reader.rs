//! Server-sent events, read as they arrive: what the command line makes of a stream.

/// The most bytes of one event; more means that the other side does not speak this format.
const EVENT_BYTES_MAX: usize = 8 * 1024 * 1024;

/// One event.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Received {
    /// Its name; empty if it has none.
    pub event: String,
    /// Its data lines, joined.
    pub data: String,
}

/// An event is larger than anything that is sent.
#[derive(Debug, thiserror::Error)]
#[error("an event is larger than {EVENT_BYTES_MAX} bytes")]
pub struct TooLarge;

/// What has arrived and is not yet an event. What is left when a stream ends was cut off, and is
/// rightly forgotten: the same event comes again.
#[derive(Debug, Default)]
pub struct Parser {
    line: Vec<u8>,
    /// Whether the last byte was a carriage return, so that a line feed would belong to it.
    after_return: bool,
    name: String,
    data: Option<String>,
}

impl Parser {
    /// Takes the next bytes and gives the events that they complete.
    pub fn push(&mut self, bytes: &[u8]) -> Result<Vec<Received>, TooLarge> {
        let mut frames = Vec::new();
        for byte in bytes {
            let after_return = std::mem::take(&mut self.after_return);
            match byte {
                b'\n' if after_return => {}
                b'\n' => frames.extend(self.end_line()),
                b'\r' => {
                    self.after_return = true;
                    frames.extend(self.end_line());
                }
                other => self.line.push(*other),
            }
            if self.line.len() + self.data.as_ref().map_or(0, String::len) > EVENT_BYTES_MAX {
                return Err(TooLarge);
            }
        }
        Ok(frames)
    }

    fn end_line(&mut self) -> Option<Received> {
        let line = std::mem::take(&mut self.line);
        if line.is_empty() {
            let event = std::mem::take(&mut self.name);
            return self.data.take().map(|data| Received { event, data });
        }
        let line = String::from_utf8_lossy(&line);
        let (field, value) = line.split_once(':').unwrap_or((&line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "event" => value.clone_into(&mut self.name),
            "data" => match &mut self.data {
                Some(data) => {
                    data.push('\n');
                    data.push_str(value);
                }
                None => self.data = Some(value.to_owned()),
            },
            // A line that begins with a colon is a comment; ids stand in the data as well.
            _ => {}
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(event: &str, data: &str) -> Received {
        Received { event: event.to_owned(), data: data.to_owned() }
    }

    #[track_caller]
    fn check(text: &str, expected: &[Received]) {
        assert_eq!(Parser::default().push(text.as_bytes()).unwrap(), expected, "{text:?}");
        let mut parser = Parser::default();
        let bytewise = text.as_bytes().chunks(1).flat_map(|byte| parser.push(byte).unwrap());
        assert_eq!(bytewise.collect::<Vec<_>>(), expected, "bytewise: {text:?}");
    }

    #[test]
    fn events_are_read_with_every_kind_of_line_end() {
        let frames = [frame("a", "{}"), frame("b", "x")];
        for end in ["\n", "\r\n", "\r"] {
            let text = ["id: 2", "event: a", "data: {}", "", "event:b", "data:x", "", ""];
            check(&text.join(end), &frames);
        }
    }

    #[test]
    fn data_lines_are_joined_and_comments_are_nothing() {
        check(": hold on\n\ndata: one\ndata: two\ndata\n\n", &[frame("", "one\ntwo\n")]);
        check("event: a\nretry: 5\ndata:  two spaces\n\n", &[frame("a", " two spaces")]);
        check("data: ü😀\u{2028}\n\n", &[frame("", "ü😀\u{2028}")]);
    }

    #[test]
    fn an_event_without_data_or_without_its_end_is_none() {
        check("event: a\n\ndata: x\n\n", &[frame("", "x")]);
        check("event: a\ndata: cut off", &[]);
        check("event: a\ndata: cut off\n", &[]);
    }

    #[test]
    fn an_endless_event_is_refused() {
        let mut parser = Parser::default();
        let chunk = vec![b'x'; 1024 * 1024];
        let refused = (0..10).any(|_| parser.push(&chunk).is_err());
        assert!(refused);
    }
}
