//! The headers that every page is sent with.

use data_encoding::BASE64;
use sha2::{Digest, Sha256};

use super::STYLE;

/// How many headers there are.
pub const HEADERS: usize = 7;

/// What keeps a page to itself: nothing loads but our own style, nobody frames it, and neither a
/// cache, a search engine nor the next site learns the link.
///
/// Under `no-referrer` a browser sends the form with `Origin: null`, so a handler that wants to know
/// where a post came from reads `Sec-Fetch-Site`.
pub fn security_headers() -> [(&'static str, String); HEADERS] {
    let style = BASE64.encode(&Sha256::digest(STYLE));
    let policy = format!(
        "default-src 'none'; style-src 'sha256-{style}'; form-action 'self'; \
         frame-ancestors 'none'; base-uri 'none'"
    );
    [
        ("content-security-policy", policy),
        ("referrer-policy", "no-referrer".into()),
        ("cache-control", "no-store".into()),
        ("x-robots-tag", "noindex, nofollow".into()),
        ("x-content-type-options", "nosniff".into()),
        ("x-frame-options", "DENY".into()),
        ("cross-origin-opener-policy", "same-origin".into()),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_policy_allows_exactly_the_style_that_the_page_carries() {
        let page = super::super::not_found().into_string();
        let (_, rest) = page.split_once("<style>").unwrap();
        let (style, _) = rest.split_once("</style>").unwrap();
        let digest = BASE64.encode(&Sha256::digest(style));
        let [(name, policy), ..] = security_headers();
        assert_eq!(name, "content-security-policy");
        assert!(policy.contains(&format!("style-src 'sha256-{digest}'")), "{policy}");
        assert!(policy.starts_with("default-src 'none';") && !policy.contains("unsafe"));
        assert!(!policy.contains("script-src"));
    }

    #[test]
    fn every_header_can_be_sent_as_it_is() {
        for (name, value) in security_headers() {
            axum::http::HeaderName::from_static(name);
            assert!(axum::http::HeaderValue::from_str(&value).is_ok(), "{name}");
        }
    }
}
