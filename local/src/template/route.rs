//! A route of the HTTP API: which method and path lead to which function.

use std::collections::BTreeMap;

use super::{TemplateError, shape};
use crate::percent;

/// Method and path of one `HttpApi` event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Route {
    /// Upper case, or `ANY`.
    pub(crate) method: String,
    pub(crate) path: String,
    segments: Vec<Segment>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Segment {
    Literal(String),
    Parameter(String),
    /// `{name+}`: the rest of the path, always last.
    Greedy(String),
}

/// Every route, most specific first.
#[derive(Debug, Clone)]
pub(crate) struct Routes {
    /// Each route with the function that it leads to.
    routes: Vec<(Route, String)>,
}

/// A request's route and what the path's parameters hold.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Match<'r> {
    pub(crate) function: &'r str,
    pub(crate) route: &'r Route,
    pub(crate) parameters: BTreeMap<String, String>,
}

impl Routes {
    pub(crate) fn new(
        routes: impl IntoIterator<Item = (Route, String)>,
    ) -> Result<Self, TemplateError> {
        let mut routes: Vec<_> = routes.into_iter().collect();
        routes.sort_by_key(|(route, _)| route.rank());
        for (index, (route, function)) in routes.iter().enumerate() {
            let twin = routes.iter().skip(index + 1).find(|(other, _)| other.same_requests(route));
            if let Some((_, other)) = twin {
                return Err(TemplateError::DuplicateRoute {
                    route: route.key(),
                    first: function.clone(),
                    second: other.clone(),
                });
            }
        }
        Ok(Self { routes })
    }

    /// The most specific route that takes this request.
    pub(crate) fn find(&self, method: &str, raw_path: &str) -> Option<Match<'_>> {
        self.routes.iter().find_map(|(route, function)| {
            let parameters = route.parameters(method, raw_path)?;
            Some(Match { function, route, parameters })
        })
    }
}

impl Route {
    pub(crate) fn parse(method: &str, path: &str) -> Result<Self, TemplateError> {
        let place = format!("Path {path}");
        let Some(rest) = path.strip_prefix('/') else {
            return Err(shape(place, "a path that begins with /"));
        };
        let segments: Vec<_> = rest.split('/').map(Segment::parse).collect();
        let greedy = segments.iter().position(|segment| matches!(segment, Segment::Greedy(_)));
        if greedy.is_some_and(|position| position + 1 < segments.len()) {
            return Err(shape(place, "a path with {name+} at its end only"));
        }
        Ok(Self { method: method.to_ascii_uppercase(), path: path.to_owned(), segments })
    }

    /// The name that API Gateway gives a route.
    pub(crate) fn key(&self) -> String {
        format!("{} {}", self.method, self.path)
    }

    /// Sorts literals before parameters before the greedy rest, position by position.
    fn rank(&self) -> (Vec<u8>, bool, String) {
        let mut kinds: Vec<u8> = self.segments.iter().map(Segment::rank).collect();
        // A path that ends here is closer than one that goes on greedily.
        kinds.push(0);
        (kinds, self.method == "ANY", self.path.clone())
    }

    fn same_requests(&self, other: &Self) -> bool {
        self.method == other.method
            && self.segments.len() == other.segments.len()
            && self.segments.iter().zip(&other.segments).all(|(a, b)| match (a, b) {
                (Segment::Literal(a), Segment::Literal(b)) => a == b,
                (a, b) => a.rank() == b.rank(),
            })
    }

    /// What the parameters hold if the request belongs here. Segments are compared as they were
    /// sent, so that an encoded slash never splits one; the values are decoded.
    fn parameters(&self, method: &str, raw_path: &str) -> Option<BTreeMap<String, String>> {
        if self.method != "ANY" && self.method != method {
            return None;
        }
        let mut rest = Some(raw_path.strip_prefix('/')?);
        let mut parameters = BTreeMap::new();
        for segment in &self.segments {
            let whole = rest?;
            let (first, tail) = match whole.split_once('/') {
                Some((first, tail)) => (first, Some(tail)),
                None => (whole, None),
            };
            match segment {
                Segment::Literal(text) if percent::decode(first) == *text => rest = tail,
                Segment::Literal(_) => return None,
                Segment::Parameter(name) if !first.is_empty() => {
                    parameters.insert(name.clone(), percent::decode(first));
                    rest = tail;
                }
                Segment::Greedy(name) if !whole.is_empty() => {
                    parameters.insert(name.clone(), percent::decode(whole));
                    rest = None;
                }
                Segment::Parameter(_) | Segment::Greedy(_) => return None,
            }
        }
        rest.is_none().then_some(parameters)
    }
}

impl Segment {
    fn parse(text: &str) -> Self {
        let name = text.strip_prefix('{').and_then(|text| text.strip_suffix('}'));
        match name.map(|name| (name, name.strip_suffix('+'))) {
            Some((_, Some(greedy))) => Self::Greedy(greedy.to_owned()),
            Some((name, None)) => Self::Parameter(name.to_owned()),
            None => Self::Literal(text.to_owned()),
        }
    }

    fn rank(&self) -> u8 {
        match self {
            Self::Literal(_) => 1,
            Self::Parameter(_) => 2,
            Self::Greedy(_) => 3,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn routes(keys: &[&str]) -> Result<Routes, TemplateError> {
        Routes::new(keys.iter().map(|key| {
            let (method, path) = key.split_once(' ').unwrap();
            (Route::parse(method, path).unwrap(), (*key).to_owned())
        }))
    }

    #[test]
    fn the_most_specific_route_wins() {
        let routes = routes(&[
            "GET /v1/{proxy+}",
            "GET /v1/agents",
            "GET /v1/agents/{a}/intents/stream",
            "GET /v1/agents/{a}/{b}/intents/stream",
            "PUT /v1/routes/{address+}",
            "GET /v1/intents/{id}",
            "GET /v1/intents/open",
            "ANY /v1/intents/{id}",
        ])
        .unwrap();
        let table = [
            ("GET", "/v1/agents", Some("GET /v1/agents")),
            ("GET", "/v1/agents/x/intents/stream", Some("GET /v1/agents/{a}/intents/stream")),
            ("GET", "/v1/agents/x/y/intents/stream", Some("GET /v1/agents/{a}/{b}/intents/stream")),
            ("GET", "/v1/agents/x", Some("GET /v1/{proxy+}")),
            ("PUT", "/v1/routes/agent://a/b/c", Some("PUT /v1/routes/{address+}")),
            ("PUT", "/v1/routes", None),
            ("PUT", "/v1/routes/", None),
            ("GET", "/v1/intents/open", Some("GET /v1/intents/open")),
            ("GET", "/v1/intents/7", Some("GET /v1/intents/{id}")),
            ("DELETE", "/v1/intents/7", Some("ANY /v1/intents/{id}")),
            ("DELETE", "/v1/intents/", None),
            ("GET", "/", None),
            ("GET", "v1/agents", None),
        ];
        for (method, path, expected) in table {
            let found = routes.find(method, path).map(|found| found.function);
            assert_eq!(found, expected, "{method} {path}");
        }
    }

    #[test]
    fn parameters_are_decoded_and_an_encoded_slash_splits_nothing() {
        let routes = routes(&["GET /a/{x}/b", "GET /c/{rest+}"]).unwrap();
        let found = routes.find("GET", "/a/1%2F2%20%C3%A9/b").unwrap();
        assert_eq!(found.parameters["x"], "1/2 é");
        let found = routes.find("GET", "/c/agent://org/ws%2Fname").unwrap();
        assert_eq!(found.parameters["rest"], "agent://org/ws/name");
    }

    #[test]
    fn one_request_cannot_belong_to_two_functions() {
        let message = routes(&["GET /a/{x}", "GET /a/{y}"]).unwrap_err().to_string();
        assert!(message.starts_with("route GET /a/{x} is given to both"), "{message}");
    }

    #[test]
    fn a_greedy_parameter_must_end_its_path() {
        let message = Route::parse("GET", "/a/{x+}/b").unwrap_err().to_string();
        assert!(message.contains("with {name+} at its end only"), "{message}");
    }
}
