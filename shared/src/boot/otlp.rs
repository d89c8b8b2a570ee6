//! What OpenTelemetry's variables say, as far as spans go.

use lambda_http::http::{HeaderName, HeaderValue};
use percent_encoding::percent_decode_str;
use url::Url;

use super::BootError;
use crate::trace::otlp::{Client, Otlp, Sampler, Settings};

/// What the path of a collector's base address is continued by, for traces.
const TRACES_PATH: [&str; 2] = ["v1", "traces"];
/// Variables that others may set to something that is not done here, and the one value that is.
const ONLY: [(&str, &str); 5] = [
    ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf"),
    ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "http/protobuf"),
    ("OTEL_EXPORTER_OTLP_COMPRESSION", "none"),
    ("OTEL_EXPORTER_OTLP_TRACES_COMPRESSION", "none"),
    ("OTEL_TRACES_EXPORTER", "otlp"),
];
/// What a function knows of itself: attributes of its spans, and Lambda's variables for them.
const FUNCTION: [(&str, &str); 4] = [
    ("faas.name", "AWS_LAMBDA_FUNCTION_NAME"),
    ("faas.version", "AWS_LAMBDA_FUNCTION_VERSION"),
    ("faas.instance", "AWS_LAMBDA_LOG_STREAM_NAME"),
    ("cloud.region", "AWS_REGION"),
];
const SERVICE: &str = "service.name";
/// The service where neither the deployer nor Lambda has a name for it.
const SERVICE_DEFAULT: &str = "holdpoint";

/// An exporter of spans, where the deployment names a collector.
pub(super) fn exporter(
    read: impl Fn(&'static str) -> Option<String>,
) -> Result<Option<Otlp>, BootError> {
    let Some(settings) = settings(read)? else { return Ok(None) };
    let name = "OTEL_EXPORTER_OTLP_ENDPOINT";
    // Without the SDK's own words, which have the address.
    let wrong = |_| BootError::Wrong { name, detail: "no exporter can be made for it".to_owned() };
    Otlp::new(settings, Client::default()).map(Some).map_err(wrong)
}

fn settings(read: impl Fn(&'static str) -> Option<String>) -> Result<Option<Settings>, BootError> {
    if is_disabled(&read)? {
        return Ok(None);
    }
    let Some(endpoint) = endpoint(&read)? else { return Ok(None) };
    for (name, only) in ONLY {
        if let Some(other) = read(name).filter(|value| value != only) {
            return Err(wrong(name, format!("`{other}` is not supported; `{only}` is")));
        }
    }
    let (headers, sampler) = (headers(&read)?, sampler(&read)?);
    Ok(Some(Settings { endpoint, headers, resource: resource(&read)?, sampler }))
}

fn is_disabled(read: &impl Fn(&'static str) -> Option<String>) -> Result<bool, BootError> {
    if read("OTEL_TRACES_EXPORTER").as_deref() == Some("none") {
        return Ok(true);
    }
    match read("OTEL_SDK_DISABLED") {
        None => Ok(false),
        Some(said) if said.eq_ignore_ascii_case("false") => Ok(false),
        Some(said) if said.eq_ignore_ascii_case("true") => Ok(true),
        Some(other) => {
            Err(wrong("OTEL_SDK_DISABLED", format!("`{other}` is neither true nor false")))
        }
    }
}

/// The address for traces as it stands, or else the one for everything with their path behind it.
fn endpoint(read: &impl Fn(&'static str) -> Option<String>) -> Result<Option<Url>, BootError> {
    let name = "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT";
    if let Some(text) = read("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT") {
        return address(name, &text).map(Some);
    }
    let name = "OTEL_EXPORTER_OTLP_ENDPOINT";
    let Some(text) = read("OTEL_EXPORTER_OTLP_ENDPOINT") else { return Ok(None) };
    let mut address = address(name, &text)?;
    if let Ok(mut path) = address.path_segments_mut() {
        path.pop_if_empty().extend(TRACES_PATH);
    }
    Ok(Some(address))
}

/// An address of a collector. It may have a secret in it, so no error repeats it.
fn address(name: &'static str, text: &str) -> Result<Url, BootError> {
    let example = "it must be an address such as http://localhost:4318";
    let address = Url::parse(text).map_err(|_| wrong(name, example.to_owned()))?;
    if !matches!(address.scheme(), "http" | "https") || !address.has_host() {
        return Err(wrong(name, example.to_owned()));
    }
    if !address.username().is_empty() || address.password().is_some() {
        let detail = "it must have no user and no password; send what the collector asks for by \
                      OTEL_EXPORTER_OTLP_HEADERS";
        return Err(wrong(name, detail.to_owned()));
    }
    Ok(address)
}

fn headers(
    read: &impl Fn(&'static str) -> Option<String>,
) -> Result<Vec<(String, String)>, BootError> {
    let (name, text) = match read("OTEL_EXPORTER_OTLP_TRACES_HEADERS") {
        Some(text) => ("OTEL_EXPORTER_OTLP_TRACES_HEADERS", text),
        None => {
            ("OTEL_EXPORTER_OTLP_HEADERS", read("OTEL_EXPORTER_OTLP_HEADERS").unwrap_or_default())
        }
    };
    let headers = pairs(name, &text)?;
    for (place, (header, value)) in headers.iter().enumerate() {
        let can_be_sent = HeaderName::from_bytes(header.as_bytes()).is_ok()
            && HeaderValue::from_str(value).is_ok();
        if !can_be_sent {
            return Err(wrong(name, format!("entry {} cannot be sent as a header", place + 1)));
        }
    }
    Ok(headers)
}

fn sampler(read: &impl Fn(&'static str) -> Option<String>) -> Result<Sampler, BootError> {
    let name = "OTEL_TRACES_SAMPLER";
    let said = read("OTEL_TRACES_SAMPLER").unwrap_or_else(|| "parentbased_always_on".to_owned());
    let (is_by_parent, root) = match said.strip_prefix("parentbased_") {
        Some(root) => (true, root),
        None => (false, said.as_str()),
    };
    let root = match root {
        "always_on" => Sampler::AlwaysOn,
        "always_off" => Sampler::AlwaysOff,
        "traceidratio" => Sampler::TraceIdRatioBased(ratio(read)?),
        _ => {
            let known = "always_on, always_off, traceidratio, or one of them behind parentbased_";
            return Err(wrong(name, format!("`{said}` is none of {known}")));
        }
    };
    Ok(if is_by_parent { Sampler::ParentBased(Box::new(root)) } else { root })
}

fn ratio(read: &impl Fn(&'static str) -> Option<String>) -> Result<f64, BootError> {
    let name = "OTEL_TRACES_SAMPLER_ARG";
    let Some(text) = read("OTEL_TRACES_SAMPLER_ARG") else { return Ok(1.0) };
    let ratio = text.parse().ok().filter(|ratio| (0.0..=1.0).contains(ratio));
    ratio.ok_or_else(|| wrong(name, format!("`{text}` is no number from 0 to 1")))
}

fn resource(
    read: &impl Fn(&'static str) -> Option<String>,
) -> Result<Vec<(String, String)>, BootError> {
    let name = "OTEL_RESOURCE_ATTRIBUTES";
    let said = pairs(name, &read("OTEL_RESOURCE_ATTRIBUTES").unwrap_or_default())?;
    let known = FUNCTION.into_iter().filter_map(|(key, name)| Some((key.to_owned(), read(name)?)));
    let mut resource: Vec<_> = known.collect();
    let own = resource.iter().find(|(key, _)| key == "faas.name").map(|(_, name)| name.clone());
    resource.push((SERVICE.to_owned(), own.unwrap_or_else(|| SERVICE_DEFAULT.to_owned())));
    // What is said later counts more.
    resource.extend(said);
    resource.extend(read("OTEL_SERVICE_NAME").map(|name| (SERVICE.to_owned(), name)));
    Ok(resource)
}

/// A list as OpenTelemetry writes them: `key=value,key=value`, with values in percent-encoding. It may
/// have secrets in it, so an error names an entry by its place.
fn pairs(name: &'static str, text: &str) -> Result<Vec<(String, String)>, BootError> {
    let entries = text.split(',').map(str::trim).enumerate();
    let entries = entries.filter(|(_, entry)| !entry.is_empty());
    let detail = |place| format!("entry {} is not of the form key=value", place + 1);
    entries.map(|(place, entry)| pair(entry).ok_or_else(|| wrong(name, detail(place)))).collect()
}

fn pair(entry: &str) -> Option<(String, String)> {
    let (key, value) = entry.split_once('=')?;
    let value = percent_decode_str(value.trim()).decode_utf8().ok()?;
    let key = Some(key.trim()).filter(|key| !key.is_empty())?;
    Some((key.to_owned(), value.into_owned()))
}

fn wrong(name: &'static str, detail: String) -> BootError {
    BootError::Wrong { name, detail }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    fn of(variables: &[(&'static str, &str)]) -> Result<Option<Settings>, String> {
        let variables: HashMap<_, _> = variables.iter().copied().collect();
        let read = |name| variables.get(name).map(|value: &&str| (*value).to_owned());
        settings(read).map_err(|error| error.to_string())
    }

    /// Settings of a deployment that names a collector, and this.
    fn with(variables: &[(&'static str, &str)]) -> Settings {
        let named = [("OTEL_EXPORTER_OTLP_ENDPOINT", "http://localhost:4318")];
        of(&[&named, variables].concat()).unwrap().unwrap()
    }

    fn resource_of(variables: &[(&'static str, &str)]) -> HashMap<String, String> {
        with(variables).resource.into_iter().collect()
    }

    #[test]
    fn without_a_collector_nothing_is_exported() {
        assert!(of(&[]).unwrap().is_none());
        assert!(of(&[("OTEL_TRACES_SAMPLER", "always_on")]).unwrap().is_none());
        let named = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://localhost:4318");
        for (name, value) in [("OTEL_SDK_DISABLED", "TRUE"), ("OTEL_TRACES_EXPORTER", "none")] {
            assert!(of(&[named, (name, value)]).unwrap().is_none(), "{name}");
        }
        assert!(of(&[named, ("OTEL_SDK_DISABLED", "false")]).unwrap().is_some());
    }

    #[test]
    fn a_base_address_is_continued_and_an_address_for_traces_is_taken_as_it_is() {
        let (base, own) = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT");
        for (variables, expected) in [
            (vec![(base, "http://localhost:4318")], "http://localhost:4318/v1/traces"),
            (vec![(base, "http://localhost:4318/")], "http://localhost:4318/v1/traces"),
            (vec![(base, "https://in.example/otlp/")], "https://in.example/otlp/v1/traces"),
            (vec![(base, "http://a.example"), (own, "http://b.example/t")], "http://b.example/t"),
        ] {
            let read = of(&variables).unwrap().unwrap();
            assert_eq!(read.endpoint.as_str(), expected, "{variables:?}");
        }
    }

    #[test]
    fn headers_and_attributes_are_lists_in_percent_encoding() {
        let headers = ("OTEL_EXPORTER_OTLP_HEADERS", " api-key = a%20b , x-tenant=t==,");
        let expected = [("api-key", "a b"), ("x-tenant", "t==")];
        let expected = expected.map(|(key, value)| (key.to_owned(), value.to_owned()));
        assert_eq!(with(&[headers]).headers, expected);
        let own = ("OTEL_EXPORTER_OTLP_TRACES_HEADERS", "k=v");
        assert_eq!(with(&[headers, own]).headers, [("k".to_owned(), "v".to_owned())]);
    }

    #[test]
    fn a_service_is_named_as_the_deployer_says_or_after_its_function() {
        assert_eq!(resource_of(&[])[SERVICE], SERVICE_DEFAULT);
        let lambda = ("AWS_LAMBDA_FUNCTION_NAME", "hp-Wake");
        let known = resource_of(&[lambda]);
        assert_eq!((known[SERVICE].as_str(), known["faas.name"].as_str()), ("hp-Wake", "hp-Wake"));
        let said = ("OTEL_RESOURCE_ATTRIBUTES", "service.name=ours,deployment.environment.name=t");
        let known = resource_of(&[lambda, said]);
        assert_eq!(known[SERVICE], "ours");
        assert_eq!(known["deployment.environment.name"], "t");
        assert_eq!(resource_of(&[lambda, said, ("OTEL_SERVICE_NAME", "mine")])[SERVICE], "mine");
    }

    #[test]
    fn samplers_go_by_their_standard_names() {
        let of = |variables: &[_]| format!("{:?}", with(variables).sampler);
        let name = "OTEL_TRACES_SAMPLER";
        assert_eq!(of(&[]), "ParentBased(AlwaysOn)");
        assert_eq!(of(&[(name, "always_off")]), "AlwaysOff");
        let ratio = [(name, "parentbased_traceidratio"), ("OTEL_TRACES_SAMPLER_ARG", "0.25")];
        assert_eq!(of(&ratio), "ParentBased(TraceIdRatioBased(0.25))");
    }

    #[test]
    fn what_is_wrong_is_named_and_a_secret_is_not_repeated() {
        for (name, value, said) in [
            ("OTEL_EXPORTER_OTLP_ENDPOINT", "localhost:4318", "http://localhost:4318"),
            ("OTEL_EXPORTER_OTLP_ENDPOINT", "grpc://secret", "http://localhost:4318"),
            ("OTEL_EXPORTER_OTLP_ENDPOINT", "https://u:secret@in.example", "no password"),
            ("OTEL_EXPORTER_OTLP_HEADERS", "a=b,secret", "entry 2"),
            ("OTEL_EXPORTER_OTLP_HEADERS", "a=secret%0A", "entry 1"),
            ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc", "`http/protobuf` is"),
            ("OTEL_EXPORTER_OTLP_COMPRESSION", "gzip", "`none` is"),
            ("OTEL_TRACES_EXPORTER", "zipkin", "`otlp` is"),
            ("OTEL_TRACES_SAMPLER", "xray", "always_off"),
            ("OTEL_SDK_DISABLED", "yes", "neither true nor false"),
            ("OTEL_RESOURCE_ATTRIBUTES", "=x", "entry 1"),
        ] {
            let named = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://localhost:4318");
            let is_endpoint = name == "OTEL_EXPORTER_OTLP_ENDPOINT";
            let variables =
                if is_endpoint { vec![(name, value)] } else { vec![named, (name, value)] };
            let error = of(&variables).unwrap_err();
            assert!(error.contains(name) && error.contains(said), "{error}");
            assert!(!error.contains("secret"), "{error}");
        }
        for ratio in ["1.5", "-0.1", "half", "NaN"] {
            let sampler = ("OTEL_TRACES_SAMPLER", "traceidratio");
            let named = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://localhost:4318");
            let error = of(&[named, sampler, ("OTEL_TRACES_SAMPLER_ARG", ratio)]).unwrap_err();
            assert!(error.contains("OTEL_TRACES_SAMPLER_ARG"), "{error}");
        }
    }
}
