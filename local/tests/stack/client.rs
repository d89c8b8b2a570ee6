//! As much of an HTTP/1.1 client as these tests need, one connection for each request.

use std::io::{BufRead, BufReader, Error, ErrorKind, Read, Result, Write};
use std::net::TcpStream;

/// Status, headers as `name: value` lines in lower case, and body of a response.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: Vec<String>,
    pub(crate) body: String,
}

impl Reply {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find_map(|line| {
            let (header, value) = line.split_once(':')?;
            (header == name).then_some(value.trim())
        })
    }
}

/// Sends one request to `http://host:port` and reads the response.
pub(crate) fn request(
    base: &str,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &[u8],
) -> Result<Reply> {
    let address = base.trim_start_matches("http://");
    let mut stream = TcpStream::connect(address)?;
    let length = body.len().to_string();
    let named = headers.iter().any(|(name, _)| *name == "host");
    let host = [("host", address)].into_iter().filter(|_| !named);
    let own = [("content-length", length.as_str()), ("connection", "close")];
    write!(stream, "{method} {path} HTTP/1.1\r\n")?;
    for (name, value) in host.chain(own).chain(headers.iter().copied()) {
        write!(stream, "{name}: {value}\r\n")?;
    }
    stream.write_all(b"\r\n")?;
    // A server that refuses a body answers without reading all of it.
    let _unread: Result<()> = stream.write_all(body);
    let mut reader = BufReader::new(stream);
    let mut status = String::new();
    reader.read_line(&mut status)?;
    let status = status.split(' ').nth(1).and_then(|status| status.parse().ok());
    let status = status.ok_or_else(|| Error::from(ErrorKind::InvalidData))?;
    let mut headers = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        if line.trim().is_empty() {
            break;
        }
        headers.push(line.trim().to_lowercase());
    }
    let mut reply = Reply { status, headers, body: String::new() };
    let length = reply.header("content-length").and_then(|length| length.parse().ok());
    reader.take(length.unwrap_or(u64::MAX)).read_to_string(&mut reply.body)?;
    Ok(reply)
}
