//! A function's answer as HTTP.

use axum::body::Body;
use axum::http::header::{
    CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, SET_COOKIE,
    TRANSFER_ENCODING,
};
use axum::http::{Response, StatusCode};
use data_encoding::BASE64;
use serde::Deserialize;
use serde_json::{Map, Value as Json};

use crate::template::scope::text_of;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    status_code: u16,
    headers: Option<Map<String, Json>>,
    multi_value_headers: Option<Map<String, Json>>,
    cookies: Option<Vec<String>>,
    body: Option<String>,
    is_base64_encoded: Option<bool>,
}

/// The response that a function's answer describes; `None` if it describes none.
pub(crate) fn http_answer(answer: &[u8]) -> Option<Response<Body>> {
    let answer: Json = serde_json::from_slice(answer).ok()?;
    if answer.get("statusCode").is_none() {
        return inferred(&answer);
    }
    let answer: Answer = serde_json::from_value(answer).ok()?;
    let body = match (answer.body, answer.is_base64_encoded) {
        (None, _) => Vec::new(),
        (Some(body), Some(true)) => BASE64.decode(body.as_bytes()).ok()?,
        (Some(body), _) => body.into_bytes(),
    };
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = StatusCode::from_u16(answer.status_code).ok()?;
    let headers = response.headers_mut();
    for (name, value) in answer.headers.into_iter().flatten() {
        insert(headers, &name, &[value])?;
    }
    for (name, values) in answer.multi_value_headers.into_iter().flatten() {
        insert(headers, &name, values.as_array()?)?;
    }
    for cookie in answer.cookies.into_iter().flatten() {
        headers.append(SET_COOKIE, HeaderValue::from_str(&cookie).ok()?);
    }
    if !headers.contains_key(CONTENT_TYPE) {
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/plain;charset=utf-8"));
    }
    Some(response)
}

/// AWS takes any other JSON as the body of a success.
fn inferred(answer: &Json) -> Option<Response<Body>> {
    let text = answer.as_str().map(str::to_owned);
    let body = text.map_or_else(|| serde_json::to_string(answer).ok(), Some)?;
    let mut response = Response::new(Body::from(body));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    Some(response)
}

/// Sets a header to these values. What describes the connection is the gateway's to say.
fn insert(headers: &mut HeaderMap, name: &str, values: &[Json]) -> Option<()> {
    let name = HeaderName::try_from(name).ok()?;
    if [CONNECTION, CONTENT_LENGTH, TRANSFER_ENCODING].contains(&name) {
        return Some(());
    }
    headers.remove(&name);
    for value in values {
        headers.append(&name, HeaderValue::from_str(&text_of(value)?).ok()?);
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    async fn check(answer: Json) -> Option<(u16, Vec<(String, String)>, Vec<u8>)> {
        let response = http_answer(answer.to_string().as_bytes())?;
        let status = response.status().as_u16();
        let headers = response.headers().iter();
        let headers = headers
            .map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()))
            .collect();
        let body = axum::body::to_bytes(response.into_body(), 1_000).await.unwrap();
        Some((status, headers, body.to_vec()))
    }

    fn header(name: &str, value: &str) -> (String, String) {
        (name.to_owned(), value.to_owned())
    }

    #[tokio::test]
    async fn status_headers_cookies_and_body_are_taken_over() {
        let answer = json!({
            "statusCode": 201,
            "headers": {"Content-Type": "text/html", "Content-Length": "9", "X-Many": "lost"},
            "multiValueHeaders": {"x-many": ["a", "b"]},
            "cookies": ["one=1", "two=2"],
            "body": "hello",
            "isBase64Encoded": false,
        });
        let (status, headers, body) = check(answer).await.unwrap();
        assert_eq!((status, body.as_slice()), (201, &b"hello"[..]));
        assert_eq!(
            headers,
            [
                header("content-type", "text/html"),
                header("x-many", "a"),
                header("x-many", "b"),
                header("set-cookie", "one=1"),
                header("set-cookie", "two=2"),
            ]
        );
    }

    #[tokio::test]
    async fn a_base64_body_is_decoded() {
        let answer = json!({"statusCode": 200, "body": "/wA=", "isBase64Encoded": true});
        assert_eq!(check(answer).await.unwrap().2, [0xff, 0x00]);
    }

    #[tokio::test]
    async fn an_answer_without_a_status_is_the_body_of_a_success() {
        let (status, headers, body) = check(json!({"ok": true})).await.unwrap();
        assert_eq!((status, body.as_slice()), (200, &br#"{"ok":true}"#[..]));
        assert_eq!(headers, [header("content-type", "application/json")]);
    }

    #[tokio::test]
    async fn an_answer_that_makes_no_sense_is_none() {
        for answer in [
            json!({"statusCode": 99}),
            json!({"statusCode": "many"}),
            json!({"statusCode": 200, "headers": {"bad name": "x"}}),
            json!({"statusCode": 200, "body": "?", "isBase64Encoded": true}),
        ] {
            assert_eq!(check(answer.clone()).await, None, "{answer}");
        }
        assert!(http_answer(b"not json").is_none());
    }
}
