use std::fmt::Write as _;

use crate::harness::{Notice, PATH, World, post, sent};

const TRANSACTION: &str = "4200002026081400000000000001";

/// Nine levels of ten references: a reader that expands them needs gigabytes.
fn entity_bomb() -> String {
    let mut bomb = String::from("<?xml version=\"1.0\"?><!DOCTYPE xml [<!ENTITY a0 \"ha\">");
    for level in 1..10 {
        let inner = format!("&a{};", level - 1).repeat(10);
        write!(bomb, "<!ENTITY a{level} \"{inner}\">").expect("writing to a String cannot fail");
    }
    bomb + "]><xml><return_code>&a9;</return_code></xml>"
}

#[tokio::test]
async fn a_doctype_is_refused_before_anything_it_declares_is_looked_at() {
    let world = World::start().await;
    let genuine = sent(TRANSACTION);
    for body in [
        entity_bomb(),
        format!("<!DOCTYPE xml>{genuine}"),
        format!("<?xml version=\"1.0\"?>\n<!DOCTYPE xml SYSTEM \"http://127.0.0.1:1/x.dtd\">{genuine}"),
        format!(
            "<!DOCTYPE xml [<!ENTITY f SYSTEM \"file:///etc/passwd\">]>{}",
            genuine.replace("OTHERS", "]]>&f;<![CDATA[")
        ),
    ] {
        world.notify(&body).await.refuses("doctype");
    }
    assert!(world.nats.stored().await.is_empty());
}

#[tokio::test]
async fn what_is_not_one_flat_message_is_refused() {
    let world = World::start().await;
    let genuine = sent(TRANSACTION);
    let inside = |more: &str| genuine.replace("</xml>", &format!("{more}</xml>"));
    for body in [
        String::new(),
        "{\"return_code\":\"SUCCESS\"}".to_owned(),
        "return_code=SUCCESS&total_fee=100".to_owned(),
        "<xml></xml>extra".to_owned(),
        genuine.trim_end_matches("</xml>").to_owned(),
        genuine.replace("<xml>", "<root>").replace("</xml>", "</root>"),
        format!("{genuine}{genuine}"),
        inside("<total_fee>1</total_fee>"),
        inside("<sign>00000000000000000000000000000000</sign>"),
        inside("<more><total_fee>1</total_fee></more>"),
        inside("<more>&unknown;</more>"),
        genuine.replace("<xml>", "<?xml version=\"1.0\" encoding=\"GBK\"?><xml>"),
    ] {
        world.notify(&body).await.refuses("malformed");
    }
    let many: Vec<_> = (0..256).map(|n| format!("<f{n}/>")).collect();
    world.notify(&inside(&many.concat())).await.refuses("malformed");
    let not_utf8 = [genuine.as_bytes(), b"\xff"].concat();
    post(world.service.http, PATH, &not_utf8).await.refuses("malformed");
    world.notify("<xml/>").await.refuses("unsigned");
    assert!(world.nats.stored().await.is_empty());
}

#[tokio::test]
async fn fields_that_nobody_knows_yet_are_part_of_the_signature_and_no_reason_to_refuse() {
    let world = World::start().await;
    let notice = Notice::paid(TRANSACTION).with("brand_new", "a<b>&\"c\" ]]> 中文").with("attach", "").signed();
    assert!(world.notify(&notice.xml()).await.is_success());
    assert_eq!(world.nats.stored().await.len(), 1);
}
