//! Red packets: money that a merchant gives to users.

use std::collections::HashMap;

use jiff::{SignedDuration, Timestamp};
use merchants::MerchantName;
use money::Fen;

use super::{Lookup, MAX_ORDERS, rate::Window, refunds::whole_second};
use crate::{
    control::{self, RedPacketStatus},
    ids,
};

/// How many a merchant sends in a second.
const PER_SECOND: usize = 30;

/// The same number is not asked for sooner again.
const PAUSE: SignedDuration = SignedDuration::from_secs(1);

/// What nobody opens goes back after a day.
const OPEN: SignedDuration = SignedDuration::from_hours(24);

/// Which call sent it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RedPacketKind {
    /// For one user.
    Normal,
    /// For one user, who shares it with others.
    Group,
    /// For one user of a mini program.
    MiniProgram,
}

/// A red packet to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct NewRedPacket {
    pub(crate) kind: RedPacketKind,
    pub(crate) mch_billno: String,
    pub(crate) app_id: String,
    pub(crate) openid: String,
    pub(crate) amount: Fen,
    pub(crate) people: u32,
    pub(crate) wishing: String,
    pub(crate) act_name: String,
    pub(crate) remark: String,
    /// Everything else that must be the same in a repetition.
    pub(crate) bound: Vec<(String, String)>,
}

/// One red packet.
#[derive(Debug)]
pub(crate) struct RedPacket {
    pub(crate) merchant: MerchantName,
    pub(crate) mch_id: String,
    pub(crate) content: NewRedPacket,
    pub(crate) detail_id: String,
    /// In whole seconds.
    pub(crate) sent_at: Timestamp,
    asked_at: Timestamp,
    requests: u32,
    /// The states it reached by command, with the instants.
    history: Vec<(Timestamp, RedPacketStatus)>,
}

/// Why a red packet is not sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RedPacketRefused {
    /// The number was used for another one.
    OtherContent,
    /// The number was asked for less than a second ago.
    TooSoon,
    /// More than thirty in a second.
    TooMany,
    /// The ledger is full.
    Full,
}

/// The red packets of one sandbox.
#[derive(Debug, Default)]
pub(crate) struct RedPackets {
    all: Vec<RedPacket>,
    /// By merchant number and `mch_billno`.
    by_number: HashMap<(String, String), usize>,
    /// By merchant number.
    sent: HashMap<String, Window>,
}

impl RedPacket {
    /// How far it is: what nobody opened goes back by itself.
    pub(crate) fn status(&self, now: Timestamp) -> RedPacketStatus {
        self.reached(now).1
    }

    /// When its money was back with the merchant.
    pub(crate) fn back_at(&self, now: Timestamp) -> Option<Timestamp> {
        let (at, status) = self.reached(now);
        matches!(status, RedPacketStatus::Refund | RedPacketStatus::Failed).then_some(at)
    }

    /// When the user opened it.
    pub(crate) fn received_at(&self, now: Timestamp) -> Option<Timestamp> {
        let (at, status) = self.reached(now);
        (status == RedPacketStatus::Received).then_some(at)
    }

    fn reached(&self, now: Timestamp) -> (Timestamp, RedPacketStatus) {
        let (at, status) = self.history.last().copied().unwrap_or((self.sent_at, RedPacketStatus::Sent));
        let closes = self.sent_at + OPEN;
        if status.is_final() || now < closes { (at, status) } else { (closes, RedPacketStatus::Refund) }
    }

    fn view(&self, now: Timestamp) -> control::RedPacket {
        control::RedPacket {
            merchant: self.merchant.to_string(),
            mch_billno: self.content.mch_billno.clone(),
            detail_id: self.detail_id.clone(),
            total_fen: self.content.amount.get(),
            total_num: self.content.people,
            status: self.status(now),
            sent_at: self.sent_at,
            requests: self.requests,
        }
    }
}

impl RedPackets {
    /// Sends a red packet, or finds the one that has this number.
    ///
    /// # Errors
    /// [`RedPacketRefused`].
    pub(crate) fn send(
        &mut self,
        merchant: &MerchantName,
        mch_id: &str,
        wanted: NewRedPacket,
        now: Timestamp,
    ) -> Result<&RedPacket, RedPacketRefused> {
        let key = (mch_id.to_owned(), wanted.mch_billno.clone());
        if let Some(at) = self.by_number.get(&key).copied() {
            let known = &mut self.all[at];
            if known.content != wanted {
                return Err(RedPacketRefused::OtherContent);
            }
            if now < known.asked_at + PAUSE {
                return Err(RedPacketRefused::TooSoon);
            }
            known.asked_at = now;
            known.requests = known.requests.saturating_add(1);
            return Ok(known);
        }
        if !self.sent.entry(mch_id.to_owned()).or_default().admit(PER_SECOND, now) {
            return Err(RedPacketRefused::TooMany);
        }
        let at = self.all.len();
        if at == MAX_ORDERS {
            return Err(RedPacketRefused::Full);
        }
        let sent_at = whole_second(now);
        self.by_number.insert(key, at);
        self.all.push(RedPacket {
            merchant: merchant.clone(),
            mch_id: mch_id.to_owned(),
            content: wanted,
            detail_id: ids::red_packet_id(mch_id, sent_at),
            sent_at,
            asked_at: now,
            requests: 1,
            history: Vec::new(),
        });
        Ok(&self.all[at])
    }

    /// The red packet with this number of this merchant.
    pub(crate) fn find(&self, mch_id: &str, mch_billno: &str) -> Option<&RedPacket> {
        self.by_number.get(&(mch_id.to_owned(), mch_billno.to_owned())).map(|at| &self.all[*at])
    }

    /// Every red packet of a merchant, oldest first.
    pub(crate) fn of(&self, mch_id: &str) -> impl Iterator<Item = &RedPacket> {
        self.all.iter().filter(move |packet| packet.mch_id == mch_id)
    }

    /// Every red packet as the control API shows it.
    pub(crate) fn views(&self, now: Timestamp) -> Vec<control::RedPacket> {
        self.all.iter().map(|packet| packet.view(now)).collect()
    }

    /// The red packet with this number, whoever's it is or of one merchant by our name.
    pub(crate) fn look_up(&self, mch_billno: &str, merchant: Option<&str>) -> Lookup<usize> {
        let mut found = self.all.iter().enumerate().filter(|(_, packet)| {
            packet.content.mch_billno == mch_billno
                && merchant.is_none_or(|merchant| packet.merchant.as_str() == merchant)
        });
        match (found.next(), found.next()) {
            (Some((at, _)), None) => Lookup::Found(at),
            (None, _) => Lookup::Unknown,
            (Some(_), Some(_)) => Lookup::Ambiguous,
        }
    }

    /// Lets a red packet reach a state, unless it is at its end.
    ///
    /// # Errors
    /// The end that it is at.
    pub(crate) fn settle(
        &mut self,
        at: usize,
        status: RedPacketStatus,
        now: Timestamp,
    ) -> Result<control::RedPacket, RedPacketStatus> {
        let packet = &mut self.all[at];
        let present = packet.status(now);
        if present.is_final() {
            return Err(present);
        }
        packet.history.push((whole_second(now), status));
        Ok(packet.view(now))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::UNIX_EPOCH;

    fn wanted(number: u32) -> NewRedPacket {
        NewRedPacket {
            kind: RedPacketKind::Normal,
            mch_billno: format!("B{number}"),
            app_id: "wx1".into(),
            openid: "o1".into(),
            amount: Fen::new(100),
            people: 1,
            wishing: "恭喜".into(),
            act_name: "act".into(),
            remark: "r".into(),
            bound: Vec::new(),
        }
    }

    #[test]
    fn a_merchant_sends_thirty_in_a_second() {
        let (mut packets, name) = (RedPackets::default(), "acme-mini".parse().unwrap());
        for number in 0..30 {
            packets.send(&name, "m1", wanted(number), NOW).unwrap();
        }
        assert_eq!(packets.send(&name, "m1", wanted(30), NOW).err(), Some(RedPacketRefused::TooMany));
        assert!(packets.send(&name, "m2", wanted(30), NOW).is_ok());
        assert!(packets.send(&name, "m1", wanted(30), NOW + SignedDuration::from_secs(1)).is_ok());
    }
}
