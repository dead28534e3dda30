//! What a payment in a browser needs: from where the payer comes, where the browser returns to, and a public address.

use std::net::{IpAddr, Ipv4Addr};

use proto::order::v1::{H5, h5};
use svc_kit::refusal::Violations;
use wechat_pay::v2::{H5Scene, limits};

/// Every mistake in what the team tells.
pub(super) fn check(method: &H5, payer_ip: Option<IpAddr>, violations: &mut Violations) {
    match &method.scene {
        None => violations.push("h5.scene", "set one: page, ios_app or android_app"),
        Some(scene) => {
            for wrong in limits::check_h5_scene(&in_wechats_words(scene)) {
                let path = if wrong.field.is_empty() { "scene" } else { &wrong.field };
                violations.push(format!("h5.{path}"), wrong.error.to_string());
            }
        }
    }
    if !method.redirect_url.is_empty()
        && let Err(wrong) = limits::check_redirect_url(&method.redirect_url)
    {
        violations.push("h5.redirect_url", wrong.to_string());
    }
    if let Some(why) = payer_ip.and_then(not_public) {
        violations.push(
            "payer_ip",
            format!("is {why}: WeChat compares it with the browser's, so it must be the payer's public address"),
        );
    }
}

fn in_wechats_words(scene: &h5::Scene) -> H5Scene {
    match scene {
        h5::Scene::Page(page) => H5Scene::Page { url: page.url.clone(), name: page.name.clone() },
        h5::Scene::IosApp(app) => H5Scene::IosApp { name: app.name.clone(), bundle_id: app.bundle_id.clone() },
        h5::Scene::AndroidApp(app) => {
            H5Scene::AndroidApp { name: app.name.clone(), package_name: app.package_name.clone() }
        }
    }
}

/// Why no browser comes to WeChat from that address. Ranges for documentation count as public: examples use them.
fn not_public(address: IpAddr) -> Option<&'static str> {
    let address = match address {
        IpAddr::V6(v6) => v6.to_ipv4_mapped().map_or(address, IpAddr::V4),
        IpAddr::V4(_) => address,
    };
    let (private, link_local) = match address {
        IpAddr::V4(v4) => (v4.is_private() || is_shared(v4), v4.is_link_local()),
        IpAddr::V6(v6) => (v6.is_unique_local(), v6.is_unicast_link_local()),
    };
    let reasons = [
        (address.is_unspecified(), "no address at all"),
        (address.is_loopback(), "a loopback address"),
        (private, "a private address"),
        (link_local, "a link-local address"),
        (address.is_multicast(), "a multicast address"),
    ];
    reasons.into_iter().find(|(holds, _)| *holds).map(|(_, why)| why)
}

/// 100.64.0.0/10, behind a carrier's NAT. Source: RFC 6598.
fn is_shared(address: Ipv4Addr) -> bool {
    let [first, second, ..] = address.octets();
    first == 100 && second & 0b1100_0000 == 64
}

#[cfg(test)]
mod tests {
    use proto::order::v1::{H5, H5AndroidApp, H5IosApp, H5Page, h5};
    use svc_kit::refusal::Violations;
    use tonic_types::StatusExt as _;

    use super::{check, not_public};

    fn page(url: &str) -> H5 {
        let page = H5Page { url: url.into(), name: "茶店".into() };
        H5 { scene: Some(h5::Scene::Page(page)), ..H5::default() }
    }

    fn wrong(method: &H5, payer_ip: &str) -> Vec<String> {
        let mut violations = Violations::new();
        check(method, payer_ip.parse().ok(), &mut violations);
        let Err(status) = violations.finish() else { return Vec::new() };
        let told = status.get_details_bad_request().expect("a bad request");
        told.field_violations.into_iter().map(|violation| violation.field).collect()
    }

    #[test]
    fn an_address_that_no_browser_comes_from_is_refused_and_says_why() {
        for (address, why) in [
            ("10.0.0.7", "private"),
            ("172.16.3.4", "private"),
            ("192.168.1.1", "private"),
            ("100.64.0.1", "private"),
            ("127.0.0.1", "loopback"),
            ("169.254.1.1", "link-local"),
            ("0.0.0.0", "no address"),
            ("224.0.0.1", "multicast"),
            ("::1", "loopback"),
            ("::", "no address"),
            ("fd00::1", "private"),
            ("fe80::1", "link-local"),
            ("::ffff:192.168.1.1", "private"),
        ] {
            let said = not_public(address.parse().expect("an address"));
            assert!(said.is_some_and(|said| said.contains(why)), "{address}: {said:?}");
        }
        for address in ["203.0.113.7", "198.51.100.1", "100.128.0.1", "8.8.8.8", "2001:db8::7", "2400:3200::1"] {
            assert_eq!(not_public(address.parse().expect("an address")), None, "{address}");
        }
    }

    #[test]
    fn every_scene_is_checked_under_its_own_name() {
        assert_eq!(wrong(&page("https://shop.example/tea"), "203.0.113.7"), [""; 0]);
        assert_eq!(wrong(&page("shop.example"), "203.0.113.7"), ["h5.page.url"]);
        assert_eq!(wrong(&H5::default(), "203.0.113.7"), ["h5.scene"]);
        let ios = h5::Scene::IosApp(H5IosApp { name: "茶".into(), bundle_id: String::new() });
        assert_eq!(wrong(&H5 { scene: Some(ios), ..H5::default() }, "203.0.113.7"), ["h5.ios_app.bundle_id"]);
        let android = h5::Scene::AndroidApp(H5AndroidApp { name: "茶".repeat(80), package_name: "a.b".into() });
        assert_eq!(
            wrong(&H5 { scene: Some(android), ..H5::default() }, "203.0.113.7"),
            ["h5.scene"],
            "too long together"
        );
    }

    #[test]
    fn a_browser_returns_to_an_absolute_https_url_of_at_most_512_bytes() {
        let back = |url: String| H5 { redirect_url: url, ..page("https://shop.example/") };
        assert_eq!(wrong(&back("https://shop.example/done?o=1".into()), "203.0.113.7"), [""; 0]);
        let long = format!("https://shop.example/{}", "x".repeat(492));
        for url in ["http://shop.example/", "/done", "javascript:alert(1)", long.as_str()] {
            assert_eq!(wrong(&back(url.into()), "203.0.113.7"), ["h5.redirect_url"], "{url}");
        }
        assert_eq!(wrong(&back(String::new()), "10.1.1.1"), ["payer_ip"]);
    }
}
