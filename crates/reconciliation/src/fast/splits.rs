//! Where one partition of keys ends and the next one begins.

/// How many partitions there are at most.
const MOST: usize = 512;

/// Bytes of a bill for which there is one partition: some 20 000 rows, whose entries and slots take a megabyte.
const BYTES: usize = 6 * 1024 * 1024;

/// The first key of every partition but the first.
#[derive(Clone, Debug, Default)]
pub(super) struct Splits(Vec<u128>);

impl Splits {
    /// Of keys that were taken here and there from a bill of so many bytes: each partition has about as many of them.
    pub(super) fn of(mut some: Vec<u128>, bytes: usize) -> Splits {
        some.sort_unstable();
        some.dedup();
        let partitions = (bytes / BYTES).clamp(1, MOST);
        let step = some.len().div_ceil(partitions).max(1);
        Splits(some.into_iter().step_by(step).skip(1).collect())
    }

    pub(super) fn partitions(&self) -> usize {
        self.0.len() + 1
    }

    pub(super) fn partition_of(&self, key: u128) -> usize {
        self.0.partition_point(|first| *first <= key)
    }

    /// Whether a partition has this key.
    pub(super) fn has(&self, partition: usize, key: u128) -> bool {
        let begins = partition == 0 || self.0.get(partition - 1).is_some_and(|first| *first <= key);
        begins && self.0.get(partition).is_none_or(|next| key < *next)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_has_one_partition() {
        for keys in [vec![], vec![5], vec![9, 5, 5, 7], (0..5000).map(|key| key * 3).collect()] {
            for bytes in [0, BYTES, 3 * BYTES, 1000 * BYTES] {
                let splits = Splits::of(keys.clone(), bytes);
                assert!((1..=MOST).contains(&splits.partitions()));
                for key in 0..16_000 {
                    let at = splits.partition_of(key);
                    assert!(splits.has(at, key) && !splits.has(at + 1, key) && (at == 0 || !splits.has(at - 1, key)));
                }
            }
        }
    }

    #[test]
    fn partitions_are_about_as_large() {
        let splits = Splits::of((0..4096).map(|key| key * key).collect(), 512 * BYTES);
        let mut sizes = vec![0; splits.partitions()];
        (0..4096).for_each(|key: u128| sizes[splits.partition_of(key * key)] += 1);
        assert_eq!(sizes, vec![8; 512]);
    }
}
