/// How much is held in memory at one time. Measured with `tests/scale.rs`: about 5 kB per paid order, facts included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Orders that are looked at: the newest ones, with everything that belongs to them.
    pub orders: u32,
    /// Most entries of one kind (attempts, refunds, changes of state, facts of a stream, dead letters). Where there are more,
    /// nothing is judged, because half the evidence would accuse the innocent.
    pub entries: usize,
}

impl Limits {
    /// Orders, unless somebody wants more or fewer.
    pub const ORDERS: u32 = 100_000;

    /// The most that can be asked for.
    pub const MOST_ORDERS: u32 = 1_000_000;

    /// Entries of one kind per order, on average. An ordinary order has one attempt, four facts and five changes.
    const ENTRIES_PER_ORDER: usize = 20;

    /// Small windows may hold a few orders with very many attempts.
    const FEWEST_ENTRIES: usize = 100_000;

    /// For so many orders.
    pub fn of_orders(orders: u32) -> Self {
        let entries = usize::try_from(orders).unwrap_or(usize::MAX).saturating_mul(Self::ENTRIES_PER_ORDER);
        Self { orders, entries: entries.max(Self::FEWEST_ENTRIES) }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self::of_orders(Self::ORDERS)
    }
}

/// Takes one more entry, unless that would be one too many.
pub(super) fn push<T>(list: &mut Vec<T>, entry: T, what: &str, limits: &Limits) -> anyhow::Result<()> {
    anyhow::ensure!(
        list.len() < limits.entries,
        "more than {} {what} belong to the {} newest orders: look at fewer orders (--newest-orders)",
        limits.entries,
        limits.orders
    );
    list.push(entry);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_list_grows_past_its_limit() {
        let (mut list, limits) = (Vec::new(), Limits { orders: 1, entries: 2 });
        for entry in 0..2 {
            push(&mut list, entry, "facts", &limits).expect("there is room");
        }
        let refused = push(&mut list, 2, "facts", &limits).expect_err("it is full").to_string();
        assert!(refused.contains("more than 2 facts") && list.len() == 2, "{refused}");
    }
}
