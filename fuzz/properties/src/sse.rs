//! Streams, from the service to the command line.

use serde_json::{Value, json};
use shared::http::sse::Frame;
use shared::http::sse::reader::{Parser, Received};

/// Whatever is sent is read as it was, in whatever pieces it comes.
pub fn sse(bytes: &[u8]) {
    let size = bytes.first().map_or(1, |byte| usize::from(byte % 7) + 1);
    let whole = read(bytes, bytes.len().max(1));
    assert_eq!(read(bytes, size), whole, "in pieces of {size}");
    let data = serde_json::from_slice::<Value>(bytes)
        .unwrap_or_else(|_| json!({"text": String::from_utf8_lossy(bytes)}));
    let frame = Frame { event: "intent.created".to_owned(), seq: 2, data };
    let written = frame.to_string();
    assert!(written.is_ascii() && written.lines().count() == 4, "{written}");
    // What was cut off before says nothing about what comes after it.
    let stream = format!("{written}: nothing yet\n\n{written}");
    let frames = read(stream.as_bytes(), size);
    assert_eq!(frames.len(), 2, "{stream}");
    for received in frames {
        assert_eq!(received.event, frame.event);
        assert_eq!(serde_json::from_str::<Value>(&received.data).expect("JSON"), frame.data);
    }
}

fn read(bytes: &[u8], size: usize) -> Vec<Received> {
    let mut parser = Parser::default();
    let pieces = bytes.chunks(size);
    pieces.flat_map(|piece| parser.push(piece).expect("it is small")).collect()
}
