//! The facts of a window: a stream is read once, and what belongs to other orders is dropped at once.

use std::collections::HashSet;

use anyhow::Context as _;
use async_nats::jetstream::{self, message::StreamMessage};
use futures::TryStreamExt as _;
use proto::bus::header;
use sqlx::PgPool;
use uuid::Uuid;

use super::{
    IDS_AT_ONCE, bus,
    strangers::{self, Kind},
};
use crate::verify::{DeadLetter, Fact, Limits, News, Progress, Window, fact::number_id, limits::push};

/// The facts of a window.
pub(in crate::verify) struct Facts<'a> {
    pub(in crate::verify) jetstream: &'a jetstream::Context,
    pub(in crate::verify) orders: &'a PgPool,
    pub(in crate::verify) window: &'a Window,
    pub(in crate::verify) limits: &'a Limits,
    pub(in crate::verify) progress: &'a Progress,
    /// The payments of the window.
    pub(in crate::verify) payments: HashSet<Uuid>,
    /// The refunds of the window; `None` when the database knows no refunds.
    pub(in crate::verify) refunds: Option<HashSet<Uuid>>,
}

/// Whether a fact belongs to the window.
enum Belongs {
    Here,
    Elsewhere,
    /// It names a payment or refund that is not of the window: the database must say whether it is anybody's.
    Unsure(Kind, Uuid),
}

impl Facts<'_> {
    /// The facts of PAY or ORDER, and those that belong to nobody.
    pub(in crate::verify) async fn read(&self, name: &'static str) -> anyhow::Result<Vec<Fact>> {
        let Some(stream) = bus::open(self.jetstream, name).await? else { return Ok(Vec::new()) };
        let (mut facts, mut unsure) = (Vec::new(), Vec::new());
        let mut messages = std::pin::pin!(stream.messages());
        while let Some(message) = messages.try_next().await? {
            let fact = fact(name, &message);
            self.progress.tell(|| format!("reading {name}: {} of {}", fact.sequence, stream.last));
            match self.belongs(&fact) {
                Belongs::Here => push(&mut facts, fact, "facts", self.limits)?,
                Belongs::Elsewhere => {}
                Belongs::Unsure(kind, id) => unsure.push((kind, id, fact)),
            }
            if unsure.len() == IDS_AT_ONCE {
                self.nobodys(&mut unsure, &mut facts).await?;
            }
        }
        self.nobodys(&mut unsure, &mut facts).await?;
        Ok(facts)
    }

    fn belongs(&self, fact: &Fact) -> Belongs {
        if let Some(order) = fact.news.order() {
            return if self.window.has(order) { Belongs::Here } else { Belongs::Elsewhere };
        }
        if let Some(number) = fact.news.out_trade_no() {
            return match number_id(number) {
                Some(id) if !self.payments.contains(&id) => Belongs::Unsure(Kind::Payment, id),
                // A number that has not our shape is nobody's.
                Some(_) | None => Belongs::Here,
            };
        }
        if let Some(repair) = fact.news.repair() {
            return if self.window.has(repair) { Belongs::Here } else { Belongs::Elsewhere };
        }
        match &fact.news {
            News::RefundNoticed(hint) => match (&self.refunds, number_id(&hint.out_refund_no)) {
                (None, _) => Belongs::Elsewhere,
                (Some(refunds), Some(id)) if !refunds.contains(&id) => Belongs::Unsure(Kind::Refund, id),
                // Another number is of a refund that was made in the merchant platform.
                (Some(_), _) => Belongs::Here,
            },
            News::Later => Belongs::Elsewhere,
            _ => Belongs::Here,
        }
    }

    /// Keeps what is nobody's.
    async fn nobodys(&self, unsure: &mut Vec<(Kind, Uuid, Fact)>, facts: &mut Vec<Fact>) -> anyhow::Result<()> {
        let mut others = HashSet::new();
        for kind in [Kind::Payment, Kind::Refund] {
            let ids: Vec<Uuid> = unsure.iter().filter(|(of, ..)| *of == kind).map(|(_, id, _)| *id).collect();
            others.extend(strangers::given_out(self.orders, kind, &ids).await?);
        }
        for (_, id, fact) in unsure.drain(..) {
            if !others.contains(&id) {
                push(facts, fact, "facts that are nobody's", self.limits)?;
            }
        }
        Ok(())
    }

    /// Every dead letter.
    pub(in crate::verify) async fn dead(&self) -> anyhow::Result<Vec<DeadLetter>> {
        let Some(stream) = bus::open(self.jetstream, "DEAD").await? else { return Ok(Vec::new()) };
        let mut letters = Vec::new();
        let mut messages = std::pin::pin!(stream.messages());
        while let Some(message) = messages.try_next().await.context("dead letters")? {
            self.progress.tell(|| format!("reading DEAD: {} of {}", message.sequence, stream.last));
            let text = |name: &str| text(&message, name).unwrap_or_default();
            let letter = DeadLetter {
                id: text(header::ID),
                durable: message.subject.as_str().trim_start_matches("dead.v1.").to_owned(),
                reason: text(header::DEAD_REASON),
                subject: text(header::DEAD_SUBJECT),
                sequence: text(header::DEAD_SEQUENCE).parse().unwrap_or_default(),
            };
            push(&mut letters, letter, "dead letters", self.limits)?;
        }
        Ok(letters)
    }
}

fn fact(stream: &str, message: &StreamMessage) -> Fact {
    // As consumers name it.
    let id = text(message, header::MSG_ID).or_else(|| text(message, header::ID));
    let id = id.unwrap_or_else(|| format!("{stream}:{}", message.sequence));
    let event_type = text(message, header::TYPE).unwrap_or_default();
    let subject = message.subject.to_string();
    let news = News::read(&event_type, &id, &subject, &message.payload);
    Fact { id, subject, sequence: message.sequence, published: bus::published(message), news }
}

fn text(message: &StreamMessage, name: &str) -> Option<String> {
    message.headers.get(name).map(ToString::to_string)
}
