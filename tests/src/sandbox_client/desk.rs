//! What WeChat keeps beside the money: comments, reports, red packets, limits.

use reqwest::Method;
use sandbox::control::{
    Comment, NewComment, RedPacket, RedPacketStatus, RedPackets, RefundRate, Report, Reports, SettleRedPacket,
};

use super::SandboxClient;

impl SandboxClient {
    /// A payer writes about a payment.
    ///
    /// # Panics
    /// When the order is not paid.
    pub async fn comment(&self, out_trade_no: &str, score: u8, text: &str) -> Comment {
        let comment =
            NewComment { out_trade_no: out_trade_no.to_owned(), merchant: None, score, text: text.to_owned() };
        self.must(Method::POST, "comments", Some(&comment)).await
    }

    /// What merchants reported about their calls, oldest first.
    ///
    /// # Panics
    /// When the sandbox does not answer.
    pub async fn reports(&self) -> Vec<Report> {
        let reports: Reports = self.must(Method::GET, "reports", None::<&()>).await;
        reports.reports
    }

    /// Every red packet, oldest first.
    ///
    /// # Panics
    /// When the sandbox does not answer.
    pub async fn red_packets(&self) -> Vec<RedPacket> {
        let packets: RedPackets = self.must(Method::GET, "red-packets", None::<&()>).await;
        packets.red_packets
    }

    /// Decides what becomes of a red packet.
    ///
    /// # Panics
    /// When WeChat does not know it, or it is at its end.
    pub async fn settle_red_packet(&self, mch_billno: &str, status: RedPacketStatus) -> RedPacket {
        let settle = SettleRedPacket { status, merchant: None };
        self.must(Method::POST, &format!("red-packets/{mch_billno}/settle"), Some(&settle)).await
    }

    /// How often each merchant may ask for refunds from now on.
    ///
    /// # Panics
    /// When the sandbox does not answer.
    pub async fn set_refund_rate(&self, rate: RefundRate) {
        let _: RefundRate = self.must(Method::POST, "refund_rate", Some(&rate)).await;
    }
}
