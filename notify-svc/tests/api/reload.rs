use wechat_pay::v2::SignType::Md5;

use crate::harness::{Notice, World, post, sent, until};

/// The key of a merchant that comes later.
const NEW_KEY: &str = "newshopnewshopnewshopnewshopnew1";

const TRANSACTION: &str = "4200002026081400000000000001";

#[tokio::test]
async fn a_new_merchant_is_served_without_a_restart() {
    let world = World::start().await;
    let path = "/notify/wechat-v2/new-shop/payment";
    let notice = Notice::paid(TRANSACTION).with("mch_id", "1900000333").with("appid", "wx0000000000000333");
    let body = notice.signed_with(NEW_KEY, Md5).xml();
    assert_eq!(post(world.service.http, path, body.as_bytes()).await.status, 404);
    world.write_merchant("new-shop.key", NEW_KEY);
    world.write_merchant(
        "new-shop.toml",
        "provider = \"wechat-v2\"\nmch_id = \"1900000333\"\nsign_type = \"MD5\"\n\
         notify_base_url = \"https://pay.example.com\"\napi_key_file = \"new-shop.key\"\n\n\
         [[apps]]\napp_id = \"wx0000000000000333\"\nkind = \"mini-program\"\n",
    );
    until("the new merchant is served", async || {
        post(world.service.http, path, body.as_bytes()).await.is_success().then_some(())
    })
    .await;
    assert_eq!(world.nats.stored().await[0].subject, "pay.v1.payment.paid.new-shop");
}

#[tokio::test]
async fn a_broken_change_is_shown_and_the_last_good_keys_stay_in_force() {
    let world = World::start().await;
    assert_eq!(world.service.metric("merchants_broken").await, 0);
    world.write_merchant("acme-mini.key", "too short");
    let shown = async || (world.service.metric("merchants_broken").await == 1).then_some(());
    until("the mistake is shown", shown).await;
    assert!(world.notify(&sent(TRANSACTION)).await.is_success());
}
