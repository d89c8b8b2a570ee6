//! The span of a request.

use axum::body::{Body, Bytes};
use axum::extract::MatchedPath;
use axum::http::Method;
use axum::response::Response;
use futures_util::{StreamExt as _, future, stream};

use crate::app::App;
use crate::trace::{Kind, Span, Unit};

/// The methods that the semantic conventions know; a caller may invent any number of others.
const METHODS: [Method; 9] = [
    Method::CONNECT,
    Method::DELETE,
    Method::GET,
    Method::HEAD,
    Method::OPTIONS,
    Method::PATCH,
    Method::POST,
    Method::PUT,
    Method::TRACE,
];

/// A request and its answer, as far as they may be told: no path, no query, no body.
#[derive(Debug)]
pub(super) struct Exchange {
    pub(super) method: Method,
    pub(super) path: Option<MatchedPath>,
    pub(super) status: u16,
}

impl Exchange {
    /// Its span, by the semantic conventions for HTTP servers.
    fn tell(&self, span: Span) -> Span {
        let known = METHODS.iter().find(|known| **known == self.method);
        let method = known.map(Method::as_str);
        let route = self.path.as_ref().map(MatchedPath::as_str);
        let name = [Some(method.unwrap_or("HTTP")), route];
        let name = name.into_iter().flatten().collect::<Vec<_>>().join(" ");
        let span = span
            .named(Kind::Server, name)
            .with("http.request.method", method.unwrap_or("_OTHER"))
            .with("http.response.status_code", self.status)
            .with("faas.trigger", "http");
        let span = match route {
            Some(route) => span.with("http.route", route),
            None => span,
        };
        span.failed((self.status >= 500).then(|| self.status.to_string()))
    }
}

/// Hands over the span of a request before its invocation ends: with its last byte where it is answered
/// as it goes on, and otherwise before it is answered at all.
pub(super) async fn export(
    app: App,
    unit: Unit,
    exchange: Exchange,
    response: Response,
) -> Response {
    if !unit.is_recorded() {
        return response;
    }
    if !app.config().response_streaming {
        let span = unit.end(app.now(), |span| exchange.tell(span));
        app.export(span.into_iter().collect()).await;
        return response;
    }
    response.map(|body| {
        let last = stream::once(async move {
            let span = unit.end(app.now(), |span| exchange.tell(span));
            app.export(span.into_iter().collect()).await;
        });
        let nothing = last.filter_map(|()| future::ready(None::<Result<Bytes, axum::Error>>));
        Body::from_stream(body.into_data_stream().chain(nothing))
    })
}
