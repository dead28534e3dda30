use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Every red packet, oldest first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RedPackets {
    /// The red packets.
    pub red_packets: Vec<RedPacket>,
}

/// One red packet at WeChat.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RedPacket {
    /// Our name of the merchant.
    pub merchant: String,
    /// The merchant's number of it.
    pub mch_billno: String,
    /// WeChat's number of it.
    pub detail_id: String,
    /// In all, in fen.
    pub total_fen: i64,
    /// For how many people.
    pub total_num: u32,
    /// How far it is.
    pub status: RedPacketStatus,
    /// When it was sent, in whole seconds.
    pub sent_at: Timestamp,
    /// How often it was asked for with the same number.
    pub requests: u32,
}

/// How far a red packet is, in WeChat's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum RedPacketStatus {
    /// On its way to the user.
    Sending,
    /// The user can open it, for 24 hours.
    Sent,
    /// It never reached the user, and its money came back.
    Failed,
    /// The user opened it.
    Received,
    /// Its money is on its way back (sic).
    RfundIng,
    /// Its money came back.
    Refund,
}

impl RedPacketStatus {
    /// WeChat's word.
    pub const fn as_str(self) -> &'static str {
        match self {
            RedPacketStatus::Sending => "SENDING",
            RedPacketStatus::Sent => "SENT",
            RedPacketStatus::Failed => "FAILED",
            RedPacketStatus::Received => "RECEIVED",
            RedPacketStatus::RfundIng => "RFUND_ING",
            RedPacketStatus::Refund => "REFUND",
        }
    }

    /// Whether the money is, or is on its way, back with the merchant.
    pub const fn is_final(self) -> bool {
        matches!(self, RedPacketStatus::Failed | RedPacketStatus::Received | RedPacketStatus::Refund)
    }
}

/// Decides what becomes of a red packet that is not at its end yet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SettleRedPacket {
    /// What it is now.
    pub status: RedPacketStatus,
    /// Our name of the merchant; needed only when two merchants used the same number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub merchant: Option<String>,
}
