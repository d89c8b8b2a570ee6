//! An HTTP request as API Gateway hands it to a function: payload format 2.0.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use axum::extract::Query;
use axum::http::HeaderMap;
use axum::http::header::{COOKIE, HOST, USER_AGENT};
use axum::http::request::Parts;
use data_encoding::BASE64;
use jiff::Timestamp;
use serde_json::{Map, Value as Json, json};
use uuid::Uuid;

use crate::template::route::Match;
use crate::template::scope::ACCOUNT;

/// The id that the HTTP API has here.
const API_ID: &str = "local";

/// What the gateway knows about a request besides the request.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Arrival {
    pub(crate) id: Uuid,
    pub(crate) at: Timestamp,
    pub(crate) peer: SocketAddr,
}

/// The event for one request.
pub(crate) fn http_event(parts: &Parts, body: &[u8], found: &Match<'_>, arrival: Arrival) -> Json {
    let raw_query = parts.uri.query().unwrap_or_default();
    let (body, encoded) = match std::str::from_utf8(body) {
        Ok(text) => (text.to_owned(), false),
        Err(_) => (BASE64.encode(body), true),
    };
    let mut event = Map::new();
    event.insert("version".to_owned(), json!("2.0"));
    event.insert("routeKey".to_owned(), json!(found.route.key()));
    event.insert("rawPath".to_owned(), json!(parts.uri.path()));
    event.insert("rawQueryString".to_owned(), json!(raw_query));
    event.insert("headers".to_owned(), json!(headers(&parts.headers, arrival)));
    event.insert("requestContext".to_owned(), context(parts, found, arrival));
    event.insert("isBase64Encoded".to_owned(), json!(encoded));
    // AWS leaves these out when there is nothing in them.
    let cookies = cookies(&parts.headers);
    if !cookies.is_empty() {
        event.insert("cookies".to_owned(), json!(cookies));
    }
    let query = query(parts);
    if !query.is_empty() {
        event.insert("queryStringParameters".to_owned(), json!(query));
    }
    if !found.parameters.is_empty() {
        event.insert("pathParameters".to_owned(), json!(found.parameters));
    }
    if !body.is_empty() {
        event.insert("body".to_owned(), json!(body));
    }
    Json::Object(event)
}

fn context(parts: &Parts, found: &Match<'_>, arrival: Arrival) -> Json {
    let host = text(&parts.headers, HOST.as_str());
    let time = arrival.at.strftime("%d/%b/%Y:%H:%M:%S +0000").to_string();
    json!({
        "accountId": ACCOUNT,
        "apiId": API_ID,
        "domainName": host,
        "domainPrefix": host.split(['.', ':']).next().unwrap_or_default(),
        "http": {
            "method": parts.method.as_str(),
            "path": parts.uri.path(),
            "protocol": format!("{:?}", parts.version),
            "sourceIp": arrival.peer.ip().to_string(),
            "userAgent": text(&parts.headers, USER_AGENT.as_str()),
        },
        "requestId": arrival.id.to_string(),
        "routeKey": found.route.key(),
        "stage": "$default",
        "time": time,
        "timeEpoch": arrival.at.as_millisecond(),
    })
}

/// Every header once, in lower case, its values joined by commas; cookies have a place of their
/// own. The last three say what the gateway knows, whatever the client claims.
fn headers(headers: &HeaderMap, arrival: Arrival) -> BTreeMap<String, String> {
    let mut joined: BTreeMap<_, _> = headers
        .keys()
        .filter(|name| *name != COOKIE)
        .map(|name| (name.as_str().to_owned(), text(headers, name.as_str())))
        .collect();
    joined.insert("x-forwarded-for".to_owned(), arrival.peer.ip().to_string());
    joined.insert("x-forwarded-port".to_owned(), local_port(headers));
    joined.insert("x-forwarded-proto".to_owned(), "http".to_owned());
    joined
}

fn local_port(headers: &HeaderMap) -> String {
    let host = text(headers, HOST.as_str());
    host.rsplit_once(':').map_or("80", |(_, port)| port).to_owned()
}

fn text(headers: &HeaderMap, name: &str) -> String {
    let values = headers.get_all(name).iter();
    let values = values.map(|value| String::from_utf8_lossy(value.as_bytes()));
    values.collect::<Vec<_>>().join(",")
}

fn cookies(headers: &HeaderMap) -> Vec<String> {
    let values = headers.get_all(COOKIE).iter();
    let values = values.map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned());
    values
        .flat_map(|value| value.split(';').map(|one| one.trim().to_owned()).collect::<Vec<_>>())
        .filter(|cookie| !cookie.is_empty())
        .collect()
}

/// Decoded parameters; a repeated one holds its values joined by commas.
fn query(parts: &Parts) -> BTreeMap<String, String> {
    let pairs = Query::<Vec<(String, String)>>::try_from_uri(&parts.uri);
    let mut query = BTreeMap::<String, String>::new();
    for (name, value) in pairs.map(|Query(pairs)| pairs).unwrap_or_default() {
        query
            .entry(name)
            .and_modify(|values| {
                values.push(',');
                values.push_str(&value);
            })
            .or_insert(value);
    }
    query
}

#[cfg(test)]
mod tests {
    use axum::http::Request;

    use super::*;
    use crate::template::route::{Route, Routes};

    fn event(request: Request<&[u8]>) -> Json {
        let route = Route::parse(request.method().as_str(), "/v1/intents/{id}").unwrap();
        let routes = Routes::new([(route, "F".to_owned())]).unwrap();
        let (parts, body) = request.into_parts();
        let found = routes.find(parts.method.as_str(), parts.uri.path()).unwrap();
        let arrival = Arrival {
            id: Uuid::from_u128(7),
            at: "2026-11-22T09:08:07.5Z".parse().unwrap(),
            peer: ([127, 0, 0, 1], 5000).into(),
        };
        http_event(&parts, body, &found, arrival)
    }

    #[test]
    fn a_request_becomes_payload_format_2() {
        let request = Request::post("/v1/intents/a%20b?x=1&y=%C3%A9&x=2")
            .header("Host", "127.0.0.1:8080")
            .header("User-Agent", "probe")
            .header("X-Many", "a")
            .header("X-Many", "b")
            .header("Cookie", "one=1; two=2")
            .header("X-Forwarded-For", "8.8.8.8")
            .body(&b"{}"[..])
            .unwrap();
        assert_eq!(
            event(request),
            json!({
                "version": "2.0",
                "routeKey": "POST /v1/intents/{id}",
                "rawPath": "/v1/intents/a%20b",
                "rawQueryString": "x=1&y=%C3%A9&x=2",
                "cookies": ["one=1", "two=2"],
                "headers": {
                    "host": "127.0.0.1:8080",
                    "user-agent": "probe",
                    "x-many": "a,b",
                    "x-forwarded-for": "127.0.0.1",
                    "x-forwarded-port": "8080",
                    "x-forwarded-proto": "http",
                },
                "queryStringParameters": {"x": "1,2", "y": "é"},
                "pathParameters": {"id": "a b"},
                "requestContext": {
                    "accountId": "123456789012",
                    "apiId": "local",
                    "domainName": "127.0.0.1:8080",
                    "domainPrefix": "127",
                    "http": {
                        "method": "POST",
                        "path": "/v1/intents/a%20b",
                        "protocol": "HTTP/1.1",
                        "sourceIp": "127.0.0.1",
                        "userAgent": "probe",
                    },
                    "requestId": "00000000-0000-0000-0000-000000000007",
                    "routeKey": "POST /v1/intents/{id}",
                    "stage": "$default",
                    "time": "22/Nov/2026:09:08:07 +0000",
                    "timeEpoch": 1_795_338_487_500_i64,
                },
                "body": "{}",
                "isBase64Encoded": false,
            })
        );
    }

    #[test]
    fn a_binary_body_travels_in_base64_and_empty_parts_are_left_out() {
        let event = event(Request::post("/v1/intents/7").body(&[0xff, 0x00][..]).unwrap());
        assert_eq!((&event["body"], &event["isBase64Encoded"]), (&json!("/wA="), &json!(true)));
        assert_eq!(event.get("cookies"), None);
        assert_eq!(event.get("queryStringParameters"), None);
    }
}
